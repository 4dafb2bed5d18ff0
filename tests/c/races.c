/* Concurrent uses that the header allows, each with counts: no message is lost, duplicated or reordered, lent bytes
   stay unchanged, waits end. `make tsan` runs it with an instrumented library. Usage: races CERT.pem KEY.pem */
#include "check.h"

#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { WRITERS = 3, EACH = 1000 };
static const double PATIENCE = 60;

static atomic_int over, wrong;
static char *cert, *key;

/* Resolves names below ".races.test" to this machine. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
  int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
  memcpy(&real, &symbol, sizeof real);
  return real(node && strstr(node, ".races.test") ? "127.0.0.1" : node, service, hints, result);
}

/* ---- messages with their writer and sequence number ---- */

typedef struct {
  uint32_t writer, number;
} Message;

/* What one reader has received, by writer. */
typedef struct {
  uint32_t next[WRITERS + 1];
  int total;
} Seen;

static void put(ws_handle h, uint32_t writer, uint32_t number) {
  Message message = {writer, number};
  double end = now_s() + PATIENCE;
  while (ws_put_packet(h, (const uint8_t *)&message, sizeof message, WS_BINARY) == WS_ERR_FULL)
    if (now_s() > end) exit(3);
    else ws_poll(h);
}

static void see(Seen *seen, const ws_packet *packet) {
  Message message = {0, 0};
  if (packet->len == sizeof message) memcpy(&message, packet->data, sizeof message);
  if (packet->len != sizeof message || message.writer > WRITERS || message.number != seen->next[message.writer]++)
    wrong++;
  seen->total++;
}

/* Takes all packets of a handle. */
static void take(ws_handle h, Seen *seen) {
  ws_packet packets[16];
  size_t count;
  while (ws_get_packets(h, packets, 16, &count) == WS_OK)
    for (size_t i = 0; i < count; i++) see(seen, &packets[i]);
}

typedef struct {
  ws_handle handle;
  uint32_t writer;
  int wanted;
  Seen seen;
  pthread_t thread;
} Part;

/* Thread: one of several writers to the same handle. */
static void *writes(void *argument) {
  Part *part = argument;
  for (uint32_t i = 0; i < EACH; i++) put(part->handle, part->writer, i);
  return NULL;
}

/* Thread: polls a handle and takes packets, until it has all. */
static void *reads(void *argument) {
  Part *part = argument;
  for (double end = now_s() + PATIENCE; part->seen.total < part->wanted && now_s() < end;
       take(part->handle, &part->seen))
    ws_poll(part->handle);
  return NULL;
}

/* Thread: polls and flushes. */
static void *moves(void *argument) {
  Part *part = argument;
  for (double end = now_s() + PATIENCE; !over && now_s() < end; ws_flush(part->handle)) ws_poll(part->handle);
  return NULL;
}

static void start(Part *part, void *(*run)(void *), ws_handle handle, uint32_t writer, int wanted) {
  memset(part, 0, sizeof *part);
  part->handle = handle;
  part->writer = writer;
  part->wanted = wanted;
  if (pthread_create(&part->thread, NULL, run, part)) exit(3);
}

static void join(Part *parts, int count) {
  for (int i = 0; i < count; i++) pthread_join(parts[i].thread, NULL);
}

static uint64_t messages(ws_handle h, int in) {
  ws_stats stats = {0};
  ws_get_stats(h, &stats, sizeof stats);
  return in ? stats.messages_in : stats.messages_out;
}

static ws_config config_of(uint32_t flags) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = flags;
  return config;
}

/* A server, its open clients, and the server's handles for them in the same order. */
static ws_handle party(const char *scheme, uint32_t flags, ws_handle *clients, ws_handle *conns, int count) {
  char url[64];
  ws_handle server;
  ws_event event;
  ws_config config = config_of(flags), client_config = config_of(flags | WS_INSECURE);
  if (!strcmp(scheme, "wss")) config.cert_pem = cert, config.key_pem = key;
  snprintf(url, sizeof url, "%s://127.0.0.1:0", scheme);
  if (ws_listen(url, &config, &server) < 0) exit(3);
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
  double end = now_s() + PATIENCE;
  for (int i = 0; i < count; i++) {
    if (ws_connect(url, &client_config, &clients[i]) < 0) exit(3);
    for (conns[i] = 0; (!conns[i] || ws_get_state(clients[i]) != WS_OPEN) && now_s() < end;) {
      ws_poll(clients[i]);
      ws_poll(server);
      while (ws_next_event(server, &event) == WS_OK)
        if (event.type == WS_EVENT_CONNECTED) conns[i] = event.conn;
    }
    while (ws_next_event(clients[i], &event) == WS_OK) {
    }
  }
  return server;
}

/* ---- threads that only query, alongside all scenarios ---- */

enum { LOOKED_AT = 5 };
static atomic_uint looked_at[LOOKED_AT];
static atomic_int asking, ill_told;
static atomic_long asked;

static void look_at(const ws_handle *handles, int count) {
  for (int i = 0; i < LOOKED_AT; i++) looked_at[i] = i < count ? handles[i] : 0;
}

static void *asks(void *unused) {
  char text[256];
  ws_stats before[LOOKED_AT], stats;
  ws_handle last[LOOKED_AT] = {0}, list[32];
  uint32_t option;
  size_t count;
  while (asking) {
    for (int i = 0; i < LOOKED_AT; i++) {
      ws_handle h = looked_at[i];
      memset(&stats, 0, sizeof stats);
      int32_t state = ws_get_state(h);
      if (state != WS_ERR_HANDLE && (state < WS_CONNECTING || state > WS_CLOSED)) ill_told++;
      if (ws_get_stats(h, &stats, sizeof stats) == WS_OK && h == last[i] &&
          (stats.messages_in < before[i].messages_in || stats.messages_out < before[i].messages_out))
        ill_told++;
      last[i] = h;
      before[i] = stats;
      ws_get_available(h);
      ws_get_text(h, WS_GET_URL, text, sizeof text, NULL);
      ws_get_text(h, WS_GET_CLOSE_REASON, text, sizeof text, NULL);
      ws_get_option(h, WS_OPT_MAX_MESSAGE_BYTES, &option);
      ws_set_option(h, WS_OPT_HEARTBEAT_MS, 20000 + (uint32_t)i);
      ws_set_user(h, (size_t)i);
      ws_get_conns(h, list, 32, &count);
      ws_get_waiting(h, list, 32, &count);
      ws_get_peer_id(h);
      if (ws_put_packet(0, (const uint8_t *)"", 0, WS_BINARY) != WS_ERR_HANDLE ||
          ws_last_error(text, sizeof text, NULL) != WS_OK || !strstr(text, "handle 0"))
        ill_told++;
      while (ws_get_log(text, sizeof text, NULL) == WS_OK)
        if (!strchr(text, ':')) ill_told++;
      asked++;
    }
    ws_set_log_level(asked % 2 ? WS_LOG_DEBUG : WS_LOG_INFO);
    struct timespec nap = {0, 100000};
    nanosleep(&nap, NULL);
  }
  return unused;
}

/* ---- scenarios ---- */

/* Three threads put to one client of a server, and one polls and flushes it. The server's end is read by its own
   handle. */
static void many_put_and_one_polls(const char *scheme, uint32_t flags) {
  ws_handle client, conn, server = party(scheme, flags, &client, &conn, 1);
  Part writers[WRITERS], reader, mover;
  look_at((const ws_handle[]){client, conn, server}, 3);
  over = wrong = 0;
  start(&reader, reads, conn, 0, WRITERS * EACH);
  start(&mover, moves, client, 0, 0);
  for (uint32_t i = 0; i < WRITERS; i++) start(&writers[i], writes, client, i, 0);
  join(writers, WRITERS);
  join(&reader, 1);
  over = 1;
  join(&mover, 1);
  printf("# %s, flags %u\n", scheme, (unsigned)flags);
  CHECK(!wrong && reader.seen.total == WRITERS * EACH, "all messages of each writer arrive in order");
  CHECK(messages(client, 0) == WRITERS * EACH && messages(server, 1) == WRITERS * EACH, "both ends count them");
  ws_free(client);
  ws_free(server);
}

/* Two threads poll and read two of a server's clients while a third broadcasts, and the clients' own threads put and
   read. */
static void two_poll_and_a_third_puts(void) {
  enum { CLIENTS = 2 };
  ws_handle clients[CLIENTS], conns[CLIENTS], server = party("ws", 0, clients, conns, CLIENTS);
  Part in[CLIENTS], out[CLIENTS], own[CLIENTS], all;
  over = wrong = 0;
  look_at((const ws_handle[]){server, conns[0], conns[1], clients[0], clients[1]}, 5);
  for (int i = 0; i < CLIENTS; i++) {
    start(&in[i], reads, conns[i], 0, EACH);
    start(&out[i], reads, clients[i], 0, EACH);
    start(&own[i], writes, clients[i], 1, 0);
  }
  /* A broadcast that skipped a client is put to that client again. */
  start(&all, moves, server, 0, 0);
  for (uint32_t i = 0; i < EACH; i++) {
    Message message = {2, i};
    double end = now_s() + PATIENCE;
    for (int k = 0; k < CLIENTS; k++)
      while (ws_put_packet_to(server, i % 2 ? (int32_t)conns[k] : -(int32_t)conns[1 - k], (const uint8_t *)&message,
                              sizeof message, WS_BINARY) != WS_OK &&
             now_s() < end) {
      }
  }
  join(in, CLIENTS);
  join(out, CLIENTS);
  join(own, CLIENTS);
  over = 1;
  join(&all, 1);
  int well = !wrong;
  for (int i = 0; i < CLIENTS; i++) well &= in[i].seen.total == EACH && out[i].seen.total == EACH;
  CHECK(well && messages(server, 1) == CLIENTS * EACH && messages(server, 0) == CLIENTS * EACH,
        "each client and the server receive all messages in order");
  ws_free(server);
  for (int i = 0; i < CLIENTS; i++) ws_free(clients[i]);
}

/* Lent bytes are read while other threads poll, put, and free the other handles of the family. */
typedef struct {
  ws_handle reads_from, freed;
  pthread_barrier_t lent;
} Lending;

static void *frees_the_other(void *argument) {
  Lending *lending = argument;
  pthread_barrier_wait(&lending->lent);
  ws_poll(lending->freed);
  ws_free(lending->freed);
  for (int i = 0; i < 20; i++) ws_poll(lending->reads_from);
  return NULL;
}

static int intact(const ws_packet *packet) {
  for (size_t i = 0; i < packet->len; i++)
    if (packet->data[i] != (uint8_t)(i * 7)) return 0;
  return packet->len > 0;
}

static void lent_while_others_free(void) {
  enum { LONG = 50000, ROUNDS = 60 };
  static uint8_t bytes[LONG];
  int well = 0;
  for (size_t i = 0; i < LONG; i++) bytes[i] = (uint8_t)(i * 7);
  for (int round = 0; round < ROUNDS; round++) {
    ws_handle clients[2] = {0}, conns[2] = {0}, server = 0;
    Lending lending;
    if (round % 2) server = party("ws", 0, clients, conns, 2), lending.reads_from = conns[0], lending.freed = conns[1];
    else open_pair(NULL, &conns[0], &clients[0]), lending.reads_from = conns[0], lending.freed = clients[0];
    /* Two messages: the second stays queued while the first is lent. */
    ws_packet packet;
    ws_put_packet(clients[0], bytes, LONG, WS_BINARY);
    ws_put_packet(clients[0], bytes, 100, WS_BINARY);
    for (double end = now_s() + PATIENCE; ws_get_packet(conns[0], &packet) != WS_OK && now_s() < end;)
      ws_poll(clients[0]), ws_poll(conns[0]);
    pthread_t thread;
    pthread_barrier_init(&lending.lent, NULL, 2);
    pthread_create(&thread, NULL, frees_the_other, &lending);
    pthread_barrier_wait(&lending.lent);
    int good = 1;
    for (int i = 0; i < 5; i++) good &= intact(&packet) && packet.len == LONG;
    pthread_join(thread, NULL);
    good &= intact(&packet) && packet.len == LONG;
    for (double end = now_s() + PATIENCE; ws_get_packet(conns[0], &packet) != WS_OK && now_s() < end;)
      ws_poll(clients[0]), ws_poll(conns[0]);
    well += good && intact(&packet) && packet.len == 100 && ws_get_state(lending.freed) == WS_ERR_HANDLE;
    pthread_barrier_destroy(&lending.lent);
    ws_free(conns[0]);
    ws_free(server);
    for (int i = 0; i < 2; i++) ws_free(clients[i]);
  }
  CHECK_EQUAL(well, ROUNDS, "lent bytes are unchanged while other handles of the family are polled and freed");
}

/* One thread waits for many handles; others cause work by each kind of call. */
enum { PAIRS = 24, BRINGERS = 2, TURNS = 200 };
static ws_handle ends[PAIRS], others[PAIRS];
static atomic_int in_hand[PAIRS];

static void *brings(void *argument) {
  uint32_t which = (uint32_t)(size_t)argument;
  Message message = {0, 0};
  for (uint32_t i = 0; i < TURNS; i++) {
    uint32_t at = (i * BRINGERS + which) % PAIRS;
    /* Nothing else can wake the waiting thread. */
    in_hand[at]++;
    ws_put_packet(others[at], (const uint8_t *)&message, sizeof message, WS_BINARY);
    for (double end = now_s() + PATIENCE; in_hand[at] && now_s() < end;) sched_yield();
  }
  return NULL;
}

static void waits_for_many(void) {
  for (int i = 0; i < PAIRS; i++) open_pair(NULL, &ends[i], &others[i]);
  pthread_t threads[BRINGERS];
  for (size_t i = 0; i < BRINGERS; i++) pthread_create(&threads[i], NULL, brings, (void *)i);
  int got = 0, slept = 0;
  for (double end = now_s() + PATIENCE; got < BRINGERS * TURNS && now_s() < end;) {
    slept += ws_wait(ends, PAIRS, 5000) != WS_OK;
    for (int i = 0; i < PAIRS; i++) {
      ws_packet packet;
      ws_poll(ends[i]);
      while (ws_get_packet(ends[i], &packet) == WS_OK) got++, in_hand[i]--;
    }
  }
  for (int i = 0; i < BRINGERS; i++) pthread_join(threads[i], NULL);
  CHECK(got == BRINGERS * TURNS && !slept, "every put of another thread ends the wait");
  for (int i = 0; i < PAIRS; i++) ws_free(ends[i]), ws_free(others[i]);
}

/* TLS handshakes and name lookups for several threads at once, some of which give up. */
static char secure_url[64];
static atomic_int opened;

static void *opens_by_name(void *argument) {
  char url[64];
  for (int i = 0; i < 6; i++) {
    ws_handle client, given_up;
    ws_config config = config_of(WS_INSECURE);
    snprintf(url, sizeof url, "wss://n%d.races.test%s", (int)(size_t)argument + i, strrchr(secure_url, ':'));
    if (ws_connect(url, &config, &client) < 0 || ws_connect(url, &config, &given_up) < 0) exit(3);
    ws_poll(given_up);
    for (double end = now_s() + PATIENCE; ws_get_state(client) != WS_OPEN && now_s() < end;) {
      ws_wait(&client, 1, 5);
      ws_poll(client);
      if (i % 2) ws_free(given_up);
    }
    put(client, 0, 0);
    Seen seen = {{0}, 0};
    for (double end = now_s() + PATIENCE; !seen.total && now_s() < end; take(client, &seen))
      ws_wait(&client, 1, 5), ws_poll(client);
    opened += seen.total == 1;
    ws_free(given_up);
    ws_free(client);
  }
  return NULL;
}

static void *echoes(void *argument) {
  ws_handle server = *(ws_handle *)argument;
  ws_event event;
  for (double end = now_s() + PATIENCE; !over && now_s() < end;) {
    ws_wait(&server, 1, 5);
    ws_poll(server);
    while (ws_next_event(server, &event) == WS_OK)
      if (event.type == WS_EVENT_MESSAGE)
        ws_put_packet(event.conn, event.packet.data, event.packet.len, event.packet.type);
  }
  return NULL;
}

static void secure_and_by_name(void) {
  pthread_t threads[3], echo;
  ws_handle client, conn, server = party("wss", 0, &client, &conn, 1);
  ws_get_text(server, WS_GET_URL, secure_url, sizeof secure_url, NULL);
  look_at(&server, 1);
  over = opened = wrong = 0;
  pthread_create(&echo, NULL, echoes, &server);
  for (size_t i = 0; i < 3; i++) pthread_create(&threads[i], NULL, opens_by_name, (void *)(i * 4));
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  over = 1;
  pthread_join(echo, NULL);
  CHECK(opened == 18 && !wrong, "three threads resolve names, complete TLS handshakes and receive their echo");
  ws_free(client);
  ws_free(server);
}

/* A host and its joins, each polled by its own thread, while another thread broadcasts by the host's handle. */
static void players_on_threads(void) {
  enum { JOINS = 3 };
  ws_handle host, joins[JOINS];
  ws_config config = config_of(WS_GODOT3);
  config.outbound_packets = 4 * EACH; /* no peer is disconnected for a full queue */
  ws_event event;
  char url[64];
  if (ws_host("ws://127.0.0.1:0", &config, &host) < 0) exit(3);
  ws_get_text(host, WS_GET_URL, url, sizeof url, NULL);
  for (int i = 0; i < JOINS; i++)
    if (ws_join(url, &config, &joins[i]) < 0) exit(3);
  double end = now_s() + PATIENCE;
  for (int open = 0; open < JOINS && now_s() < end;) {
    ws_poll(host);
    open = 0;
    for (int i = 0; i < JOINS; i++) ws_poll(joins[i]), open += ws_get_state(joins[i]) == WS_OPEN;
  }
  while (ws_next_event(host, &event) == WS_OK) {
  }
  Part in[JOINS], out[JOINS], at_host, mover;
  over = wrong = 0;
  look_at((const ws_handle[]){host, joins[0], joins[1], joins[2]}, 4);
  /* Each join receives from the host and the other two joins, the host from all three joins: a join's broadcast is
     relayed by the host. */
  start(&at_host, reads, host, 0, JOINS * EACH);
  /* Relayed packets may be sent in polls after the one in which the host has read the last message. */
  start(&mover, moves, host, 0, 0);
  for (uint32_t i = 0; i < JOINS; i++)
    start(&in[i], reads, joins[i], 0, JOINS * EACH), start(&out[i], writes, joins[i], i, 0);
  for (uint32_t i = 0; i < EACH; i++) put(host, WRITERS, i);
  join(out, JOINS);
  join(in, JOINS);
  join(&at_host, 1);
  over = 1;
  join(&mover, 1);
  int well = !wrong && at_host.seen.total == JOINS * EACH;
  for (int i = 0; i < JOINS; i++) well &= in[i].seen.total == JOINS * EACH;
  CHECK(well, "the host and three joins on nine threads receive all messages in order");
  for (int i = 0; i < JOINS; i++) ws_free(joins[i]);
  ws_free(host);
}

/* Three threads shut the library down while three open, poll, put and free; no socket stays open. */
static void *opens(void *unused) {
  while (!over) {
    ws_handle server, client, s, c;
    char url[64] = "ws://127.0.0.1:0";
    ws_config config = config_of(0);
    config.owner = 7;
    if (ws_pair(&config, &s, &c) == WS_OK) put(c, 0, 0), ws_poll(c), ws_poll(s), ws_free(s);
    if (ws_listen(url, &config, &server) < 0) continue;
    ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
    if (ws_connect(url, &config, &client) == WS_OK)
      ws_poll(client), ws_poll(server), ws_close(client, 0, NULL), ws_poll(server);
  }
  return unused;
}

static void *shuts_down(void *argument) {
  for (int i = 0; i < 150; i++) {
    if (argument) ws_free_owner(7);
    else ws_shutdown();
    struct timespec nap = {0, 200000};
    nanosleep(&nap, NULL);
  }
  return NULL;
}

static int descriptors(void) {
  int found = 0;
  DIR *dir = opendir("/proc/self/fd");
  while (dir && readdir(dir)) found++;
  if (dir) closedir(dir);
  return found;
}

static void three_shut_down(void) {
  pthread_t openers[3], enders[3];
  ws_shutdown();
  struct timespec nap = {0, 1000000};
  int before = descriptors();
  for (double end = now_s() + 5; descriptors() < before && now_s() < end;) before = descriptors();
  over = 0;
  for (int i = 0; i < 3; i++) pthread_create(&openers[i], NULL, opens, NULL);
  for (int i = 0; i < 3; i++) pthread_create(&enders[i], NULL, shuts_down, i == 2 ? &over : NULL);
  for (int i = 0; i < 3; i++) pthread_join(enders[i], NULL);
  over = 1;
  for (int i = 0; i < 3; i++) pthread_join(openers[i], NULL);
  ws_shutdown();
  for (double end = now_s() + PATIENCE; descriptors() > before && now_s() < end;) nanosleep(&nap, NULL);
  CHECK(descriptors() <= before, "no socket is left open after ws_shutdown, even if handles are opened meanwhile");
  ws_handle s, c;
  open_pair(NULL, &s, &c);
  CHECK(ws_get_state(s) == WS_OPEN && ws_get_state(c) == WS_OPEN, "the library works again after ws_shutdown");
}

static char *read_file(const char *path) {
  char *text = calloc(1, 1 << 16);
  FILE *file = fopen(path, "rb");
  if (!text || !file || !fread(text, 1, (1 << 16) - 1, file)) exit(2);
  fclose(file);
  return text;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  cert = read_file(argv[1]);
  key = read_file(argv[2]);
  pthread_t askers[2];
  asking = 1;
  for (int i = 0; i < 2; i++) pthread_create(&askers[i], NULL, asks, NULL);
  many_put_and_one_polls("ws", 0);
  many_put_and_one_polls("ws", WS_COALESCE);
  many_put_and_one_polls("wss", WS_DEFLATE);
  two_poll_and_a_third_puts();
  lent_while_others_free();
  waits_for_many();
  secure_and_by_name();
  players_on_threads();
  three_shut_down();
  asking = 0;
  for (int i = 0; i < 2; i++) pthread_join(askers[i], NULL);
  CHECK(asked > 100 && !ill_told, "values that another thread queries never decrease");
  ws_shutdown();
  free(cert);
  free(key);
  FINISH();
}
