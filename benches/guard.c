/* Fixed scenarios whose cost guard.py counts: it runs this program under valgrind's callgrind, under strace, and with
 * harness/allocs.so preloaded. Usage: guard SCENARIO CERT-DIRECTORY
 * One thread runs both ends, over TCP on loopback. Only the work between begin() and end() is counted. Each scenario
 * runs in equal blocks and prints one line per block; a memory scenario prints one line. */
#include "wspeer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

#include "harness/allocs.h"

/* A block of ROUNDS * BATCH messages uses exactly four pools of masking keys. */
enum { BLOCKS = 5, ROUNDS = 32, WARM_UP = 64, BATCH = 32, CROWD = 100, LONG = 64 << 10 };

static ws_handle server, client, conn;
static int port, client_fd, conn_fd;
static int fars[2 * CROWD]; /* plain sockets: the far ends of server connections */
static const char *certificates;
static uint8_t payload[LONG];

static void fail(const char *what) {
  char text[512] = "";
  ws_last_error(text, sizeof text, NULL);
  fprintf(stderr, "%s: %s\n", what, text);
  exit(1);
}

static void need(int good, const char *what) {
  if (!good) fail(what);
}

/* Counting. */

static struct counters block;

static void begin(void) {
  struct counters now = {0};
  access("/guard/begin", F_OK); /* a mark in strace's output */
  if (allocs_read) allocs_read(&now);
  block.allocations -= now.allocations;
  block.clock_reads -= now.clock_reads;
  CALLGRIND_TOGGLE_COLLECT;
}

static void end(void) {
  struct counters now = {0};
  CALLGRIND_TOGGLE_COLLECT;
  if (allocs_read) allocs_read(&now);
  block.allocations += now.allocations;
  block.clock_reads += now.clock_reads;
  access("/guard/end", F_OK);
}

/* Waits until all bytes sent on `from` can be read on `to`, so that every poll finds the same data. */
static void arrive(int from, int to) {
  struct tcp_info sent, got;
  for (time_t limit = time(NULL) + 5; time(NULL) < limit; sched_yield()) {
    socklen_t size = sizeof sent, other = sizeof got;
    need(getsockopt(from, IPPROTO_TCP, TCP_INFO, &sent, &size) == 0, "TCP_INFO");
    need(getsockopt(to, IPPROTO_TCP, TCP_INFO, &got, &other) == 0, "TCP_INFO");
    if (got.tcpi_bytes_received + sent.tcpi_bytes_retrans >= sent.tcpi_bytes_sent) return;
  }
}

/* Opening. */

static char *read_file(const char *name) {
  char path[512], *text = calloc(1, 1 << 16);
  snprintf(path, sizeof path, "%s/%s", certificates, name);
  FILE *file = fopen(path, "rb");
  if (!file || !fread(text, 1, (1 << 16) - 1, file)) fail(path);
  fclose(file);
  return text;
}

static uint32_t session_ms;

static void configure(ws_config *config, uint32_t flags, int tls) {
  ws_config_init(config, sizeof *config);
  config->session_ms = session_ms;
  config->flags = WS_COALESCE | flags | (tls ? WS_ONLY_CA_PEM : 0);
  config->poll_budget_us = 10000000; /* valgrind is slow: no poll may reach its budget */
  config->connect_timeout_ms = config->handshake_timeout_ms = 60000;
  if (!tls) return;
  config->ca_pem = config->cert_pem = read_file("cert.pem");
  config->key_pem = read_file("key.pem");
}

static void listen_at(ws_config *config, int tls) {
  uint32_t number;
  need(ws_listen(tls ? "wss://127.0.0.1:0" : "ws://127.0.0.1:0", config, &server) == WS_OK, "listen");
  need(ws_get_option(server, WS_OPT_PORT, &number) == WS_OK, "port");
  port = (int)number;
}

/* 0: no TCP socket. `name` is getsockname or getpeername. */
static int port_of(int fd, int (*name)(int, struct sockaddr *, socklen_t *)) {
  struct sockaddr_in address = {0};
  socklen_t size = sizeof address;
  if (name(fd, (struct sockaddr *)&address, &size) != 0 || address.sin_family != AF_INET) return 0;
  return ntohs(address.sin_port);
}

/* Finds the library's sockets by their ports. */
static void find_sockets(void) {
  for (int fd = 3; fd < 1000; fd++) {
    if (port_of(fd, getpeername) == port) client_fd = fd;
    else if (port_of(fd, getpeername) && port_of(fd, getsockname) == port) conn_fd = fd;
  }
}

static size_t take_events(void) {
  ws_event event;
  size_t connected = 0;
  while (ws_next_event(server, &event) == WS_OK) {
    if (event.type != WS_EVENT_CONNECTED) continue;
    conn = event.conn;
    connected++;
  }
  while (client && ws_next_event(client, &event) == WS_OK) continue;
  return connected;
}

static void connect_one(ws_config *config, int tls) {
  char url[64];
  snprintf(url, sizeof url, tls ? "wss://localhost:%d" : "ws://127.0.0.1:%d", port);
  need(ws_connect(url, config, &client) == WS_OK, "connect");
  for (size_t connected = 0; connected == 0 || ws_get_state(client) != WS_OPEN; connected += take_events()) {
    need(ws_get_state(client) != WS_CLOSED, "opening");
    ws_poll(server);
    ws_poll(client);
  }
}

static void open_with(uint32_t flags, int tls) {
  ws_config config;
  configure(&config, flags, tls);
  listen_at(&config, tls);
  connect_one(&config, tls);
  find_sockets();
}

static void open_plain(void) {
  open_with(0, 0);
}

static void open_deflate(void) {
  open_with(WS_DEFLATE, 0);
}

static void open_wss(void) {
  open_with(0, 1);
}

static void open_session(void) {
  session_ms = 600000;
  open_plain();
}

static void await(int fd, size_t len) {
  static uint8_t bytes[LONG];
  for (size_t have = 0; have < len;) {
    ssize_t n = recv(fd, bytes, len - have, 0);
    need(n > 0, "recv");
    have += (size_t)n;
  }
}

static void dial(size_t from, size_t to) {
  const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (size_t i = from; i < to; i++) {
    int one = 1;
    fars[i] = socket(AF_INET, SOCK_STREAM, 0);
    need(connect(fars[i], (struct sockaddr *)&address, sizeof address) == 0, "connect");
    setsockopt(fars[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    need(send(fars[i], request, sizeof request - 1, 0) == sizeof request - 1, "send");
  }
  for (size_t connected = 0; connected < to - from; connected += take_events()) ws_poll(server);
  for (size_t i = from; i < to; i++) {
    char answer[1024] = "";
    for (size_t have = 0; !strstr(answer, "\r\n\r\n"); have++) {
      need(have < sizeof answer - 1 && recv(fars[i], answer + have, 1, 0) == 1, "answer");
    }
  }
}

static void open_crowd(void) {
  ws_config config;
  configure(&config, 0, 0);
  listen_at(&config, 0);
  dial(0, CROWD);
}

static void open_one_far(void) {
  ws_config config;
  configure(&config, 0, 0);
  listen_at(&config, 0);
  dial(0, 1);
  find_sockets();
}

/* Sending and taking. */

static void put(ws_handle from, int count, size_t len, int32_t type) {
  for (int i = 0; i < count; i++) need(ws_put_packet(from, payload, len, type) == WS_OK, "put");
  need(ws_flush(from) == WS_OK, "flush");
}

static int take(ws_handle polled, ws_handle from) {
  ws_packet packet;
  int got = 0;
  ws_poll(polled);
  while (ws_get_packet(from, &packet) == WS_OK) got++;
  return got;
}

static int take_packets(ws_handle polled, ws_handle from) {
  ws_packet packets[BATCH];
  size_t count;
  int got = 0;
  ws_poll(polled);
  while (ws_get_packets(from, packets, BATCH, &count) == WS_OK) got += (int)count;
  return got;
}

enum side { SENDER = 1, RECEIVER = 2 };

/* One round: `from` sends `count` messages, `to` takes them. `counted`: the sides whose work is counted. */
static void pass(ws_handle from, ws_handle to, int count, size_t len, int32_t type, int counted,
                 int (*take_all)(ws_handle, ws_handle)) {
  if (counted & SENDER) begin();
  put(from, count, len, type);
  if (counted & SENDER) end();
  for (int got = 0; got < count;) {
    if (from == client) arrive(client_fd, conn_fd);
    else arrive(conn_fd, client_fd);
    if (counted & RECEIVER) begin();
    got += take_all(to == conn ? server : to, to);
    if (counted & RECEIVER) end();
    if (got < count) ws_poll(from == conn ? server : from);
  }
}

static void client_put(void) {
  pass(client, conn, BATCH, 64, WS_BINARY, SENDER, take);
}

static void client_get(void) {
  pass(conn, client, BATCH, 64, WS_BINARY, RECEIVER, take);
}

static void client_get_packets(void) {
  pass(conn, client, BATCH, 64, WS_BINARY, RECEIVER, take_packets);
}

/* As pass(), from client to server, with ws_put_packets and ws_get_packets. */
static void pass_packets(int counted) {
  ws_packet_out packets[BATCH];
  size_t taken;
  for (int i = 0; i < BATCH; i++) packets[i] = (ws_packet_out){.data = payload, .len = 64, .type = WS_BINARY};
  begin();
  need(ws_put_packets(client, packets, BATCH, &taken) == WS_OK && taken == BATCH, "put");
  need(ws_flush(client) == WS_OK, "flush");
  end();
  for (int got = 0; got < BATCH;) {
    arrive(client_fd, conn_fd);
    if (counted & RECEIVER) begin();
    got += take_packets(server, conn);
    if (counted & RECEIVER) end();
    if (got < BATCH) ws_poll(client);
  }
}

static void client_put_packets(void) {
  pass_packets(SENDER);
}

static void client_batch(void) {
  pass_packets(SENDER | RECEIVER);
}

static void conn_put(void) {
  pass(conn, client, BATCH, 64, WS_BINARY, SENDER, take);
}

static void conn_get(void) {
  pass(client, conn, BATCH, 64, WS_BINARY, RECEIVER, take);
}

static void text(void) {
  pass(client, conn, BATCH, 64, WS_TEXT, SENDER | RECEIVER, take);
}

static void wss(void) {
  pass(client, conn, BATCH, 64, WS_BINARY, SENDER | RECEIVER, take);
}

static void long_message(void) {
  pass(client, conn, 1, LONG, WS_BINARY, SENDER | RECEIVER, take);
}

/* JSON whose numbers differ in each message, and are the same in every run. */
static void deflate(void) {
  static uint32_t number = 1;
  char *at = (char *)payload;
  for (int player = 0; player < 20; player++) {
    number = number * 1664525 + 1013904223;
    at += sprintf(at, "{\"player\":%d,\"position\":[%u,%u],\"health\":%u},", player, number >> 22,
                  number >> 12 & 1023, number >> 5 & 127);
  }
  memset(at, ' ', 1024);
  pass(client, conn, 1, 1024, WS_TEXT, SENDER | RECEIVER, take);
}

static void session(void) {
  pass(client, conn, BATCH, 64, WS_BINARY, SENDER | RECEIVER, take);
}

static void send_frame(int fd) {
  uint8_t frame[6 + 64] = {0x82, 0x80 | 64, 1, 2, 3, 4};
  need(send(fd, frame, sizeof frame, 0) == sizeof frame, "send");
}

/* One frame of a server that echoes one message. */
static void server_cycle(void) {
  ws_packet packet;
  send_frame(fars[0]);
  arrive(fars[0], conn_fd);
  begin();
  ws_poll(server);
  need(ws_get_packet(server, &packet) == WS_OK, "get");
  need(ws_put_packet(packet.conn, packet.data, packet.len, WS_BINARY) == WS_OK, "put");
  need(ws_get_packet(server, &packet) == WS_EMPTY, "get");
  need(ws_flush(server) == WS_OK, "flush");
  end();
  await(fars[0], 2 + 64);
}

static void broadcast(void) {
  begin();
  put(server, 1, 64, WS_BINARY);
  end();
  for (int i = 0; i < CROWD; i++) await(fars[i], 2 + 64);
}

static void idle_client(void) {
  begin();
  ws_poll(client);
  end();
}

static void idle_server(void) {
  begin();
  ws_poll(server);
  end();
}

/* Memory: the heap bytes of a server per idle connection, seven seconds after one message each way. */

enum { CROWD_TLS = 16 };

static int64_t live_bytes(void) {
  struct counters now;
  need(allocs_read && allocs_pass_time, "allocs.so is not loaded");
  for (int tenth = 0; tenth < 70; tenth++) {
    allocs_pass_time(100000000);
    ws_poll(server);
  }
  allocs_read(&now);
  return now.live_bytes;
}

static void echo(size_t messages) {
  ws_event event;
  for (size_t got = 0; got < messages; ws_flush(server)) {
    ws_poll(server);
    while (ws_next_event(server, &event) == WS_OK) {
      if (event.type != WS_EVENT_MESSAGE) continue;
      need(ws_put_packet(event.conn, event.packet.data, event.packet.len, WS_BINARY) == WS_OK, "put");
      got++;
    }
  }
}

static void talk(size_t from, size_t to) {
  dial(from, to);
  for (size_t i = from; i < to; i++) send_frame(fars[i]);
  echo(to - from);
  for (size_t i = from; i < to; i++) await(fars[i], 2 + 64);
}

static double idle_conn(void) {
  ws_config config;
  configure(&config, 0, 0);
  listen_at(&config, 0);
  talk(0, CROWD);
  int64_t before = live_bytes();
  talk(CROWD, 2 * CROWD);
  return (double)(live_bytes() - before) / CROWD;
}

/* Clients in a separate process, whose memory is not counted: CROWD_TLS more for each byte read. */
static void clients_apart(int orders, int tls) {
  ws_config config;
  ws_packet packet;
  char url[64], order;
  configure(&config, WS_QUEUE_BEFORE_OPEN, tls);
  need(read(orders, &port, sizeof port) == sizeof port, "port");
  snprintf(url, sizeof url, tls ? "wss://localhost:%d" : "ws://127.0.0.1:%d", port);
  static ws_handle all[2 * CROWD_TLS];
  int count = 0;
  for (;;) {
    struct pollfd next = {orders, POLLIN, 0};
    if (poll(&next, 1, 10) == 1) {
      if (read(orders, &order, 1) != 1) exit(0);
      for (int i = 0; i < CROWD_TLS; i++) {
        need(ws_connect(url, &config, &client) == WS_OK, "connect");
        put(client, 1, 64, WS_BINARY);
        do ws_poll(client);
        while (ws_get_packet(client, &packet) != WS_OK && ws_get_state(client) != WS_CLOSED);
        all[count++] = client;
      }
    }
    for (int i = 0; i < count; i++) ws_poll(all[i]);
  }
}

/* Waits until the clients have acknowledged what was sent to them. */
static void acknowledged(void) {
  ws_stats stats;
  do {
    ws_poll(server);
    need(ws_get_stats(server, &stats, sizeof stats) == WS_OK, "stats");
  } while (stats.unacknowledged_packets > 0);
}

static double idle_conn_of(int tls) {
  ws_config config;
  int orders[2];
  need(pipe(orders) == 0, "pipe");
  if (fork() == 0) {
    close(orders[1]);
    clients_apart(orders[0], tls);
  }
  configure(&config, 0, tls);
  listen_at(&config, tls);
  need(write(orders[1], &port, sizeof port) == sizeof port && write(orders[1], "+", 1) == 1, "write");
  echo(CROWD_TLS);
  acknowledged();
  int64_t before = live_bytes();
  need(write(orders[1], "+", 1) == 1, "write");
  echo(CROWD_TLS);
  acknowledged();
  return (double)(live_bytes() - before) / CROWD_TLS;
}

static double idle_conn_wss(void) {
  return idle_conn_of(1);
}

static double idle_conn_session(void) {
  session_ms = 600000;
  return idle_conn_of(0);
}

/* A message is kept until the client, which does not poll, has acknowledged it. */
static double kept_message(void) {
  enum { KEPT = 64 * BATCH };
  open_session();
  int64_t before = live_bytes();
  for (int i = 0; i < KEPT; i += BATCH) put(conn, BATCH, 64, WS_BINARY);
  return (double)(live_bytes() - before) / KEPT;
}

static const struct {
  const char *name;
  double (*measure)(void);
} memory[] = {
  {"idle_conn", idle_conn},
  {"idle_conn_wss", idle_conn_wss},
  {"idle_conn_session", idle_conn_session},
  {"kept_message", kept_message},
};

static const struct {
  const char *name;
  int units; /* of work in one round */
  void (*open)(void);
  void (*round)(void);
} scenarios[] = {
  {"client_put", BATCH, open_plain, client_put},
  {"client_put_packets", BATCH, open_plain, client_put_packets},
  {"client_batch", BATCH, open_plain, client_batch},
  {"client_get", BATCH, open_plain, client_get},
  {"client_get_packets", BATCH, open_plain, client_get_packets},
  {"conn_put", BATCH, open_plain, conn_put},
  {"conn_get", BATCH, open_plain, conn_get},
  {"server_cycle", 1, open_one_far, server_cycle},
  {"broadcast_100", 1, open_crowd, broadcast},
  {"idle_client", 1, open_plain, idle_client},
  {"idle_server_100", 1, open_crowd, idle_server},
  {"message_64k", 1, open_plain, long_message},
  {"text", BATCH, open_plain, text},
  {"deflate", 1, open_deflate, deflate},
  {"wss", BATCH, open_wss, wss},
  {"plain", BATCH, open_plain, session},
  {"session", BATCH, open_session, session},
  {"session_put", BATCH, open_session, client_put},
  {"session_get", BATCH, open_session, client_get},
  {"session_idle_client", 1, open_session, idle_client},
};

int main(int count, char **words) {
  if (count != 3) return 2;
  certificates = words[2];
  for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
    if (strcmp(words[1], memory[i].name) == 0) return printf("heap_bytes %.1f\n", memory[i].measure()) < 0;
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
    if (strcmp(words[1], scenarios[i].name) != 0) continue;
    scenarios[i].open();
    for (int warm = 0; warm < WARM_UP; warm++) scenarios[i].round();
    for (int number = 0; number < BLOCKS; number++) {
      block = (struct counters){0};
      access("/guard/block", F_OK);
      CALLGRIND_ZERO_STATS;
      for (int round = 0; round < ROUNDS; round++) scenarios[i].round();
      CALLGRIND_DUMP_STATS;
      printf("block %d allocations %llu clock_reads %llu\n", ROUNDS * scenarios[i].units,
             (unsigned long long)block.allocations, (unsigned long long)block.clock_reads);
    }
    return 0;
  }
  fprintf(stderr, "no scenario is named %s\n", words[1]);
  return 2;
}
