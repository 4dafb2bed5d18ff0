/* No call blocks: measures the longest call in CPU time of the thread, and how often the thread yields the CPU inside a
   call, in every phase in which a network can hang and under every flood. Run with slowdns preloaded. Usage: blocking
   CERT.pem KEY.pem */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* The budget of 1 ms, plus half a millisecond of tolerance for the slice in progress when it is exhausted: the slowest
   machine measured took 1.25 ms. */
static const double CPU_LIMIT_S = 0.0015;

static double cpu_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* A call that blocks yields the CPU. A call rarely does so to take a lock that another thread holds for a moment; the
   limit is one in 5,000 calls, plus five. */
static const long CALLS_PER_WAIT = 5000, WAITS_AT_LEAST = 6;

static long waits_now(void) {
  struct rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

static double longest_cpu, longest_wall;
static long calls, waits;

#define TIMED(call)                                            \
  do {                                                         \
    long waits_ = waits_now();                                 \
    double cpu_ = cpu_now(), wall_ = now_s();                  \
    (void)(call);                                              \
    cpu_ = cpu_now() - cpu_;                                   \
    wall_ = now_s() - wall_;                                   \
    waits += waits_now() - waits_;                             \
    if (cpu_ > longest_cpu) longest_cpu = cpu_;                \
    if (wall_ > longest_wall) longest_wall = wall_;            \
    calls++;                                                   \
  } while (0)

/* Each scenario is measured until three of at most five measurements agree. */
static struct {
  char name[64];
  int within, over;
} results[64];
static int result_count;

static void report(const char *name) {
  printf("figure: %-28s longest call %7.1f us CPU, %8.1f us by the clock, %ld waits, of %ld\n", name, longest_cpu * 1e6,
         longest_wall * 1e6, waits, calls);
  int at = 0;
  while (at < result_count && strcmp(results[at].name, name)) at++;
  if (at == result_count) {
    if (at == 64) exit(3);
    snprintf(results[result_count++].name, sizeof results[0].name, "%s", name);
  }
  int good = longest_cpu < CPU_LIMIT_S && waits < WAITS_AT_LEAST + calls / CALLS_PER_WAIT;
  if (good) results[at].within++;
  else results[at].over++;
  longest_cpu = longest_wall = 0;
  calls = waits = 0;
}

static int all_decided(void) {
  for (int i = 0; i < result_count; i++)
    if (results[i].within < 3 && results[i].over < 3) return 0;
  return 1;
}

static void judge(void) {
  for (int i = 0; i < result_count; i++) CHECK(results[i].within >= 3, results[i].name);
  result_count = 0;
}

#define MEASURE(scenario)                                 \
  do {                                                    \
    for (int i = 0; i < 3 || !all_decided(); i++) {       \
      scenario;                                           \
    }                                                     \
    judge();                                              \
  } while (0)

static int raw_listen(int *port, int backlog) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address;
  socklen_t len = sizeof address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(listener, (struct sockaddr *)&address, sizeof address);
  listen(listener, backlog);
  getsockname(listener, (struct sockaddr *)&address, &len);
  fcntl(listener, F_SETFL, O_NONBLOCK);
  *port = ntohs(address.sin_port);
  return listener;
}

static int raw_connect(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)port);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) {
    close(fd);
    return -1;
  }
  return fd;
}

static void frame_nap(void) {
  struct timespec nap = {0, 2000000};
  nanosleep(&nap, NULL);
}

static int open_client(ws_handle *h, const char *scheme, const char *host, int port) {
  char url[128];
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.connect_timeout_ms = 700;
  config.flags = WS_INSECURE;
  snprintf(url, sizeof url, "%s://%s:%d/", scheme, host, port);
  ws_result result = 0;
  TIMED(result = ws_connect(url, &config, h));
  return result;
}

/* Polls until CLOSED, and checks the phase and cause of the end. */
static void ends_in(const char *name, ws_handle h, int phase, int cause, int raw, const char *drip) {
  ws_event event;
  int closed = 0;
  size_t at = 0;
  for (double end = now_s() + 8; !closed && now_s() < end;) {
    TIMED(ws_poll(h));
    for (;;) {
      ws_result result = WS_EMPTY;
      TIMED(result = ws_next_event(h, &event));
      if (result != WS_OK) break;
      if (event.type == WS_EVENT_CLOSED) {
        closed = 1;
        if (event.phase != phase || event.cause != cause)
          printf("# %s: phase %d, cause %d: %s\n", name, event.phase, event.cause, (const char *)event.packet.data);
        CHECK(event.phase == phase && event.cause == cause && event.packet.len > 20, name);
      }
    }
    if (raw >= 0 && drip[at]) send(raw, drip + at++, 1, MSG_NOSIGNAL);
    frame_nap();
  }
  CHECK(closed, name);
  TIMED(ws_free(h));
}

static void hanging(void) {
  ws_handle h, quick;
  int port;

  CHECK_EQUAL(open_client(&h, "ws", "one.blackhole.test", 80), WS_OK, "a host name that is never resolved");
  ws_handle more[9];
  char host[64];
  for (int i = 0; i < 9; i++) {
    snprintf(host, sizeof host, "n%d.blackhole.test", i);
    open_client(&more[i], "ws", host, 80);
  }
  ws_handle server;
  ws_listen("ws://localhost:0", NULL, &server);
  uint32_t local;
  ws_get_option(server, WS_OPT_PORT, &local);
  double began = now_s();
  open_client(&quick, "ws", "localhost", (int)local);
  while (ws_get_state(quick) == WS_CONNECTING && now_s() < began + 5) {
    TIMED(ws_poll(quick));
    TIMED(ws_poll(server));
  }
  CHECK(ws_get_state(quick) == WS_OPEN && now_s() - began < 1, "localhost opens at once while ten lookups hang");
  ends_in("black-holed name: phase DNS", h, WS_PHASE_DNS, WS_CAUSE_CONNECT_TIMEOUT, -1, "");
  for (int i = 0; i < 9; i++) TIMED(ws_free(more[i]));
  TIMED(ws_free(quick));
  TIMED(ws_free(server));
  report("name lookup hangs");

  int listener = raw_listen(&port, 0), fillers[64];
  for (int i = 0; i < 64; i++) fillers[i] = raw_connect(port);
  open_client(&h, "ws", "127.0.0.1", port);
  ends_in("full TCP backlog: phase TCP", h, WS_PHASE_TCP, WS_CAUSE_CONNECT_TIMEOUT, -1, "");
  for (int i = 0; i < 64; i++) close(fillers[i]);
  close(listener);
  report("full TCP backlog");

  struct {
    const char *name, *scheme, *drip;
    int phase;
  } silent[] = {
      {"silent TLS: phase TLS", "wss", "", WS_PHASE_TLS},
      {"slow-drip TLS: phase TLS", "wss",
       "\x16\x03\x03\x40\x01\x02\x02\x40\x02\x03\x03"
       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
       WS_PHASE_TLS},
      {"silent HTTP: phase HTTP", "ws", "", WS_PHASE_HTTP},
      {"slow-drip HTTP: phase HTTP", "ws",
       "HTTP/1.1 101 Switching Protocols\r\nX: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
       WS_PHASE_HTTP}};
  for (size_t i = 0; i < 4; i++) {
    listener = raw_listen(&port, 8);
    open_client(&h, silent[i].scheme, "127.0.0.1", port);
    int fd = -1;
    for (double end = now_s() + 5; fd < 0 && now_s() < end;) {
      TIMED(ws_poll(h));
      fd = accept(listener, NULL, NULL);
    }
    ends_in(silent[i].name, h, silent[i].phase, WS_CAUSE_CONNECT_TIMEOUT, fd, silent[i].drip);
    close(fd);
    close(listener);
    report(silent[i].name);
  }
  open_client(&h, "wss", "127.0.0.1", 1);
  ends_in("refused: phase TCP", h, WS_PHASE_TCP, WS_CAUSE_REFUSED, -1, "");
  longest_cpu = longest_wall = 0;
  calls = waits = 0;
}

/* Sends `frames` copies of a frame from a raw client as fast as possible, while a server polls. */
static void flood(const char *name, const char *frame, size_t size, long frames, int reads_answers) {
  static char block[64 * 1024];
  size_t fits = sizeof block / size;
  for (size_t i = 0; i < fits; i++) memcpy(block + i * size, frame, size);
  ws_handle server;
  ws_listen("ws://127.0.0.1:0", NULL, &server);
  uint32_t port;
  ws_get_option(server, WS_OPT_PORT, &port);
  int fd = raw_connect((int)port);
  const char *request =
      "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  char answer[65536];
  int open = 0, asked = 0;
  for (double end = now_s() + 5; !open && now_s() < end;) {
    if (!asked) asked = send(fd, request, strlen(request), MSG_NOSIGNAL) > 0;
    TIMED(ws_poll(server));
    open = recv(fd, answer, sizeof answer, 0) > 0;
  }
  CHECK(open, name);
  long total = frames * (long)size, sent = 0;
  unsigned long got = 0;
  ws_packet packets[256];
  size_t count;
  ws_stats stats = {0};
  double end = now_s() + 60;
  while (now_s() < end) {
    for (int i = 0; i < 8 && sent < total; i++) {
      size_t offset = (size_t)(sent % (long)(fits * size));
      size_t len = fits * size - offset;
      if ((long)len > total - sent) len = (size_t)(total - sent);
      ssize_t n = send(fd, block + offset, len, MSG_NOSIGNAL);
      if (n <= 0) break;
      sent += n;
    }
    if (reads_answers)
      while (recv(fd, answer, sizeof answer, 0) > 0) {
      }
    ws_result polled = WS_OK;
    TIMED(polled = ws_poll(server));
    unsigned long before = got;
    for (;;) {
      ws_result result = WS_EMPTY;
      TIMED(result = ws_get_packets(server, packets, 256, &count));
      if (result != WS_OK) break;
      got += count;
    }
    ws_get_stats(server, &stats, sizeof stats);
    /* A full queue may have hidden further messages from that poll. */
    if (sent == total && stats.wire_bytes_in >= (uint64_t)total && polled == WS_OK && got == before) break;
  }
  CHECK(sent == total && stats.wire_bytes_in >= (uint64_t)total, "the whole flood was read");
  if ((frame[0] & 0xF) < 8) CHECK_EQUAL(got, (unsigned long)frames, "every message of the flood arrived");
  close(fd);
  TIMED(ws_free(server));
  report(name);
}

static void crowd(const char *cert, const char *key, int count) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.cert_pem = cert;
  config.key_pem = key;
  config.handshake_timeout_ms = 30000;
  ws_handle server;
  if (ws_listen(cert ? "wss://127.0.0.1:0" : "ws://127.0.0.1:0", &config, &server) < 0) {
    printf("# %s\n", why());
    CHECK(0, "listen");
    return;
  }
  char url[64];
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
  ws_config_init(&config, sizeof config);
  config.flags = WS_INSECURE;
  config.connect_timeout_ms = 30000;
  ws_handle *clients = calloc((size_t)count, sizeof *clients);
  for (int i = 0; i < count; i++) TIMED(ws_connect(url, &config, &clients[i]));
  int open = 0;
  ws_stats stats = {0};
  for (double end = now_s() + 40; now_s() < end && (open < count || (int)stats.connections < count);) {
    TIMED(ws_poll(server));
    open = 0;
    for (int i = 0; i < count; i++) {
      TIMED(ws_poll(clients[i]));
      open += ws_get_state(clients[i]) == WS_OPEN;
    }
    ws_get_stats(server, &stats, sizeof stats);
  }
  CHECK(open == count && (int)stats.connections == count, "all clients are open");
  char name[64];
  snprintf(name, sizeof name, "%d clients at once, %s", count, cert ? "wss" : "ws");
  report(name);

  /* Costs proportional to the number of targets are reported per target. */
  static uint8_t message[256];
  double cpu = cpu_now();
  ws_put_packet(server, message, sizeof message, WS_BINARY);
  ws_flush(server);
  cpu = cpu_now() - cpu;
  printf("figure: broadcast of 256 B to %d, %s: %.2f us a target\n", count, cert ? "wss" : "ws", cpu * 1e6 / count);
  TIMED(ws_close(server, 0, NULL));
  ws_event event;
  int ended = 0;
  for (double end = now_s() + 20; !ended && now_s() < end;) {
    TIMED(ws_poll(server));
    for (int i = 0; i < count; i++) TIMED(ws_poll(clients[i]));
    while (ws_next_event(server, &event) == WS_OK) ended |= event.type == WS_EVENT_CLOSED;
  }
  CHECK(ended, "the server closes all clients");
  TIMED(ws_free(server));
  for (int i = 0; i < count; i++) TIMED(ws_free(clients[i]));
  snprintf(name, sizeof name, "closing %d clients, %s", count, cert ? "wss" : "ws");
  report(name);
  free(clients);
}

static void free_everywhere(const char *cert, const char *key) {
  ws_handle h, server, clients[200];
  int port;
  int listener = raw_listen(&port, 16);
  for (int round = 0; round < 40; round++) {
    open_client(&h, round % 2 ? "ws" : "wss", round % 4 < 2 ? "127.0.0.1" : "x.blackhole.test", port);
    for (int i = 0; i < round % 8; i++) TIMED(ws_poll(h));
    if (round % 3 == 0) TIMED(ws_close(h, 0, NULL));
    TIMED(ws_free(h));
  }
  close(listener);
  server = open_server(NULL, NULL, clients, 200);
  TIMED(ws_free(server));
  for (int i = 0; i < 200; i++) TIMED(ws_free(clients[i]));
  report("ws_free in every state");
  open_client(&h, "ws", "y.blackhole.test", 80);
  open_client(&h, "wss", "127.0.0.1", 1);
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.cert_pem = cert;
  config.key_pem = key;
  ws_listen("wss://127.0.0.1:0", &config, &server);
  TIMED(ws_shutdown());
  report("ws_shutdown");
}

static char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  char *text = calloc(1, 1 << 16);
  if (!file || !text || !fread(text, 1, (1 << 16) - 1, file)) exit(1);
  fclose(file);
  return text;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  struct rlimit files = {8192, 8192};
  setrlimit(RLIMIT_NOFILE, &files);
  char *cert = read_file(argv[1]), *key = read_file(argv[2]);
  MEASURE(hanging());
  MEASURE(flood("500 000 pings", "\x89\x80\0\0\0\0", 6, 500000, 1));
  MEASURE(flood("500 000 pings, answers unread", "\x89\x84\0\0\0\0ping", 10, 500000, 0));
  MEASURE(flood("a million tiny frames", "\x82\x81\0\0\0\0x", 7, 1000000, 1));
  MEASURE(flood("a million empty frames", "\x82\x80\0\0\0\0", 6, 1000000, 1));
  MEASURE(crowd(NULL, NULL, 1000));
  MEASURE(crowd(cert, key, 300));
  MEASURE(free_everywhere(cert, key));
  FINISH();
}
