/* ws_shutdown with handles in every state: all handles become invalid, the library's threads end, and no descriptor or
   memory stays. A leak checker reports lost memory at the exit; memory that is still referenced is counted here, under
   memcheck. Usage: shutdown CERT.pem KEY.pem */
#include "check.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <valgrind/memcheck.h>

/* A slot of the handle table is reused only after this many others. */
enum { ROUNDS = 3, HANDLES = 64, SLOTS = 4096 };
static ws_handle opened[HANDLES];
static int count, raw[16], raw_count;
static char *cert, *key;
static uint8_t block[300000];

static char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  char *text = file ? calloc(1, 1 << 16) : NULL;
  if (text) (void)fread(text, 1, (1 << 16) - 1, file);
  if (file) fclose(file);
  return text;
}

static ws_config config_of(uint32_t flags) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = flags;
  config.ca_pem = cert;
  return config;
}

static ws_handle kept(ws_result result, const ws_handle *h) {
  if (result < 0) {
    printf("not ok - open: %s\n", why());
    exit(1);
  }
  opened[count++] = *h;
  return *h;
}

static ws_handle connected(const char *url, const ws_config *config) {
  ws_handle h = 0;
  return kept(ws_connect(url, config, &h), &h);
}

static ws_handle listening(const char *scheme, ws_config config, char *url, size_t cap) {
  ws_handle h = 0;
  if (!strcmp(scheme, "wss")) config.cert_pem = cert, config.key_pem = key;
  snprintf(url, cap, "%s://127.0.0.1:0", scheme);
  kept(ws_listen(url, &config, &h), &h);
  ws_get_text(h, WS_GET_URL, url, cap, NULL);
  return h;
}

static void poll_all(int times) {
  while (times--) {
    for (int i = 0; i < count; i++) ws_poll(opened[i]);
    ws_wait(opened, (size_t)count, 1);
  }
}

static void until_state(ws_handle h, int32_t state) {
  for (double end = now_s() + 20; ws_get_state(h) != state && now_s() < end;) poll_all(1);
  if (ws_get_state(h) != state) printf("not ok - state %d was not reached: %d\n", state, ws_get_state(h)), failures++;
}

/* Puts until the queue is full or holds 20 messages. */
static void fill(ws_handle h) {
  for (int i = 0; i < 20 && ws_put_packet(h, block, sizeof block / 10, WS_BINARY) == WS_OK; i++) {
  }
}

/* A peer without this library: the kernel accepts for it, and it sends nothing. */
static int silent(char *url, size_t cap, const char *scheme) {
  struct sockaddr_in address = {0};
  socklen_t len = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, (struct sockaddr *)&address, len) || listen(fd, 8) || getsockname(fd, (struct sockaddr *)&address, &len))
    exit(2);
  snprintf(url, cap, "%s://127.0.0.1:%d", scheme, ntohs(address.sin_port));
  return raw[raw_count++] = fd;
}

/* A client without this library that has sent these bytes. */
static void says(const char *url, const char *words) {
  struct sockaddr_in address = {0};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1));
  int fd = raw[raw_count++] = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) || write(fd, words, strlen(words)) < 0) exit(2);
}

/* ---- the states ---- */

static void connecting(void) {
  char url[64];
  ws_config config = config_of(WS_QUEUE_BEFORE_OPEN);
  silent(url, sizeof url, "ws");
  connected(url, NULL);
  fill(connected(url, &config));
  connected("ws://localhost:9", NULL); /* its name is being looked up */
  connected("ws://127.0.0.1:9", NULL);
}

static void handshaking(void) {
  char url[64];
  ws_config config = config_of(WS_QUEUE_BEFORE_OPEN);
  int fd = silent(url, sizeof url, "ws");
  fill(connected(url, &config));
  struct pollfd came = {fd, POLLIN, 0};
  for (double end = now_s() + 20; poll(&came, 1, 0) == 0 && now_s() < end;) poll_all(1);
  if (!came.revents) exit(2);
  raw[raw_count++] = fd = accept(fd, NULL, NULL);
  if (write(fd, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: webs", 47) < 0) exit(2);
  poll_all(5);
  silent(url, sizeof url, "wss");
  fill(connected(url, &config));
  listening("ws", config_of(0), url, sizeof url);
  says(url, "");
  says(url, "GET / HTTP/1.1\r\nHost: a\r\nUpg");
  says(url, "nonsense\r\n\r\n");
  listening("wss", config, url, sizeof url);
  says(url, "");
  says(url, "\x16\x03\x01\x02");
  poll_all(10);
}

static void open_with(const char *scheme, uint32_t flags) {
  char url[64];
  ws_config config = config_of(flags);
  ws_packet packet;
  ws_event event;
  ws_handle server = listening(scheme, config, url, sizeof url), clients[4];
  for (int i = 0; i < 4; i++) clients[i] = connected(url, &config);
  for (int i = 0; i < 4; i++) until_state(clients[i], WS_OPEN);
  /* The first client has a full queue and a half-sent message; of the second, messages are lent; the third is closing;
     the fourth is idle. */
  fill(clients[0]);
  ws_put_packet(server, block, sizeof block, WS_BINARY);
  ws_put_packet(clients[1], block, 100, WS_BINARY);
  ws_put_packet(clients[1], block, 70000, WS_BINARY);
  poll_all(8);
  while (ws_get_packet(server, &packet) == WS_EMPTY && ws_get_state(server) == WS_OPEN) poll_all(1);
  ws_next_event(clients[1], &event);
  ws_next_event(clients[1], &event);
  fill(clients[2]);
  ws_close(clients[2], 4000, "going");
  ws_put_packet_to(server, 0, block, sizeof block, WS_BINARY);
  fill(clients[0]);
}

static void open_plain(void) { open_with("ws", 0); }
static void open_tls(void) { open_with("wss", 0); }
static void open_deflate(void) { open_with("ws", WS_DEFLATE); }
static void open_all(void) { open_with("wss", WS_DEFLATE | WS_COALESCE); }

static void closing(void) {
  char url[64];
  ws_handle server = listening("ws", config_of(0), url, sizeof url), clients[3];
  for (int i = 0; i < 3; i++) clients[i] = connected(url, NULL);
  for (int i = 0; i < 3; i++) until_state(clients[i], WS_OPEN);
  ws_close(clients[0], 0, NULL);
  ws_poll(clients[0]);
  ws_close(clients[1], -1, NULL);
  until_state(clients[1], WS_CLOSED);
  fill(server);
  ws_close(server, 0, NULL);
  ws_poll(server);
}

static void pairs(uint32_t flags) {
  ws_config config = config_of(flags);
  ws_handle s, c;
  for (int i = 0; i < 4; i++) {
    ws_result result = ws_pair(&config, &s, &c);
    kept(result, &s);
    kept(result, &c);
    if (i == 0) continue;
    until_state(c, WS_OPEN);
    until_state(s, WS_OPEN);
    fill(s);
    fill(c);
    ws_poll(c);
    if (i == 2) ws_close(s, 0, NULL);
    if (i == 3) ws_free(s);
  }
}

static void pairs_plain(void) { pairs(0); }
static void pairs_deflate(void) { pairs(WS_DEFLATE); }

static void attached(void) {
  ws_handle h = 0;
  size_t taken;
  kept(ws_attach(NULL, WS_ROLE_SERVER, &h), &h);
  ws_feed(h, (const uint8_t *)"GET / HTTP/1.1\r\nHost: a\r\n", 25, &taken);
  ws_poll(h);
  kept(ws_attach(NULL, WS_ROLE_CLIENT, &h), &h);
  ws_poll(h);
}

/* A host with a local player and two joins over loopback, all with queued packets. */
static void players(uint32_t flags) {
  char url[64] = "ws://127.0.0.1:0";
  ws_config config = config_of(flags);
  ws_handle host = 0, local = 0, joins[3] = {0};
  kept(ws_host(url, &config, &host), &host);
  ws_get_text(host, WS_GET_URL, url, sizeof url, NULL);
  kept(ws_join_local(host, &config, &local), &local);
  for (int i = 0; i < 3; i++) kept(ws_join(url, &config, &joins[i]), &joins[i]);
  poll_all(20);
  if (flags & WS_AUTH) {
    ws_send_auth(host, ws_get_peer_id(joins[0]), block, 100);
    poll_all(2);
    return;
  }
  for (int i = 0; i < 3; i++) until_state(joins[i], WS_OPEN);
  poll_all(20);
  ws_event event;
  ws_next_event(host, &event);
  ws_declare_node(host, "Game", "hello");
  uint8_t call[200];
  size_t len;
  if ((flags & WS_SCENE) && ws_encode_call("Game", "hello", NULL, 0, call, sizeof call, &len) == WS_OK)
    ws_put_packet_to(joins[0], 0, call, len, WS_CALL);
  ws_put_packet_to(joins[0], ws_get_peer_id(joins[1]), block, 5000, WS_BINARY);
  fill(host);
  poll_all(3);
  ws_next_event(joins[0], &event);
  ws_close(joins[2], 0, NULL);
  fill(local);
  fill(joins[1]);
}

static void multiplayer(void) { players(0); }
static void multiplayer3(void) { players(WS_GODOT3); }
static void scene(void) { players(WS_SCENE); }
static void scene_auth(void) { players(WS_SCENE | WS_AUTH); }

/* ---- after ws_shutdown ---- */

static int entries(const char *path) {
  int found = 0;
  DIR *dir = opendir(path);
  while (dir && readdir(dir)) found++;
  if (dir) closedir(dir);
  return found;
}

static int threads_end(void) {
  for (double end = now_s() + 20; entries("/proc/self/task") > 3 && now_s() < end;) usleep(1000);
  return entries("/proc/self/task") == 3; /* ".", ".." and this one */
}

static void shut_down(const char *name, void (*state)(void)) {
  char what[80];
  count = raw_count = 0;
  state();
  ws_shutdown();
  int stale = 1, ended = threads_end();
  for (int i = 0; i < count; i++) stale &= ws_get_state(opened[i]) == WS_ERR_HANDLE;
  while (raw_count) close(raw[--raw_count]);
  snprintf(what, sizeof what, "%s: %d handles are stale and the threads end", name, count);
  CHECK(stale && ended, what);
}

#define STATE(name) {#name, name}
static const struct {
  const char *name;
  void (*run)(void);
} STATES[] = {STATE(connecting),  STATE(handshaking),  STATE(open_plain),  STATE(open_tls),      STATE(open_deflate),
              STATE(open_all),    STATE(closing),      STATE(pairs_plain), STATE(pairs_deflate), STATE(attached),
              STATE(multiplayer), STATE(multiplayer3), STATE(scene),       STATE(scene_auth)};

int main(int argc, char **argv) {
  if (argc < 3 || !(cert = read_file(argv[1])) || !(key = read_file(argv[2]))) return 2;
  for (size_t i = 0; i < sizeof block; i++) block[i] = (uint8_t)(i * 2654435761u >> 13);
  ws_config plain = config_of(0);
  for (int i = 0; i < SLOTS / 2 + 200; i++) {
    ws_handle ends[2];
    ws_pair(&plain, &ends[0], &ends[1]);
    ws_free(ends[0]);
    ws_free(ends[1]);
  }
  int files[ROUNDS];
  unsigned long lost = 0, possible = 0, reachable[ROUNDS], suppressed;
  for (int round = 0; round < ROUNDS; round++) {
    for (size_t i = 0; i < sizeof STATES / sizeof *STATES; i++) shut_down(STATES[i].name, STATES[i].run);
    files[round] = entries("/proc/self/fd");
    VALGRIND_DO_QUICK_LEAK_CHECK;
    VALGRIND_COUNT_LEAKS(lost, possible, reachable[round], suppressed);
    (void)possible;
    (void)suppressed;
  }
  CHECK_EQUAL(files[ROUNDS - 1], files[0], "no descriptor stays open");
  if (RUNNING_ON_VALGRIND) {
    /* The C library keeps the stacks and thread tables of ended threads. */
    CHECK_EQUAL(lost, 0, "no memory is lost");
    CHECK(reachable[ROUNDS - 1] <= reachable[ROUNDS - 2] + 2048, "no memory is kept");
    printf("figure: %lu bytes are kept after ws_shutdown, %lu after the round before\n", reachable[ROUNDS - 1],
           reachable[ROUNDS - 2]);
  }
  free(cert);
  free(key);
  FINISH();
}
