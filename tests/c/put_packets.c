/* ws_put_packets: the same results, bytes and events as single puts, over random batches; one write for a batch; time
   that does not depend on the number of messages that are not accepted. */
#include "party.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { MOST = 64, LONG = 300 << 10 };

static uint32_t seed = 12345;

static uint32_t draw(uint32_t below) {
  seed = seed * 1664525 + 1013904223;
  return (seed >> 8) % below;
}

/* What the model of ws_put_packets is: single puts, up to the first that is not accepted. */
static ws_result put_singly(ws_handle h, const ws_packet_out *packets, size_t n, size_t *taken) {
  ws_result all = WS_OK;
  for (*taken = 0; *taken < n; ++*taken) {
    const ws_packet_out *one = &packets[*taken];
    ws_result result = one->target ? ws_put_packet_to(h, one->target, one->data, one->len, one->type)
                                   : ws_put_packet(h, one->data, one->len, one->type);
    if (result < 0) return result;
    if (result != WS_OK) all = result;
  }
  return all;
}

static uint8_t letters[LONG];

static ws_packet_out packet_of(const void *data, size_t len, int32_t type, int32_t target) {
  return (ws_packet_out){.data = data, .len = len, .type = type, .target = target};
}

/* A random message: one of 32 is wrong in some way. */
static ws_packet_out random_packet(void) {
  static const size_t longest[] = {20, 20, 200, 200, 200, 200, 2000, 40000};
  size_t len = draw(draw(40) ? (uint32_t)longest[draw(8)] : LONG);
  ws_packet_out packet = packet_of(letters + draw((uint32_t)(LONG - len)), len, draw(2) ? WS_TEXT : WS_BINARY, 0);
  switch (draw(256)) {
    case 0: packet.type = 77; break;
    case 1: packet.data = NULL; break;
    case 2: packet.target = 1; break;
    case 3: packet.type = WS_CALL; break;
    case 4: packet.len = SIZE_MAX; break;
    case 5: packet = packet_of("\xff", 1, WS_TEXT, 0); break;
    case 6: packet.len = 400 << 10, packet.data = calloc(1, packet.len); break; /* over max_message_bytes */
    case 7: packet.target = INT32_MIN; break;
    default: break;
  }
  return packet;
}

/* The program's end of an attached server connection: the bytes that it sent. */
struct sent {
  uint8_t *bytes;
  size_t len;
};

static void read_out(ws_handle h, struct sent *into, size_t most) {
  size_t len = 0;
  into->bytes = realloc(into->bytes, into->len + most);
  ws_take_output(h, into->bytes + into->len, most, &len);
  into->len += len;
}

static ws_handle attach(const ws_config *config, int deflate) {
  static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
  static const char offer[] = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
  ws_handle h;
  if (ws_attach(config, WS_ROLE_SERVER, &h) < 0) exit(1);
  ws_feed(h, (const uint8_t *)request, sizeof request - 1, NULL);
  if (deflate) ws_feed(h, (const uint8_t *)offer, sizeof offer - 1, NULL);
  ws_feed(h, (const uint8_t *)"\r\n", 2, NULL);
  ws_poll(h);
  return h;
}

static size_t count_events(ws_handle h, int32_t type) {
  ws_event event;
  size_t found = 0;
  while (ws_next_event(h, &event) == WS_OK) found += event.type == type;
  return found;
}

/* Two connections over the program's transport, which takes a random number of bytes after each batch: one gets single
   puts, the other batches. */
static void model(uint32_t flags, uint32_t packets_limit, uint32_t bytes_limit) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = flags;
  config.outbound_packets = packets_limit;
  config.outbound_bytes = bytes_limit;
  config.max_message_bytes = 350 << 10;
  ws_handle one = attach(&config, flags & WS_DEFLATE), many = attach(&config, flags & WS_DEFLATE);
  struct sent by_one = {0}, by_many = {0};
  size_t accepted = 0, full = 0, wrong = 0, writable = 0, compared = 0;
  int results = 1, counts = 1, bytes = 1, stats = 1, events = 1;
  for (int round = 0; round < 250; round++) {
    ws_packet_out packets[MOST];
    size_t n = draw(MOST), want = 0, taken = 99;
    for (size_t i = 0; i < n; i++) packets[i] = random_packet();
    ws_result wanted = put_singly(one, packets, n, &want), result = ws_put_packets(many, packets, n, &taken);
    results &= result == wanted;
    counts &= taken == want;
    accepted += taken;
    full += result == WS_ERR_FULL;
    wrong += result < 0 && result != WS_ERR_FULL;
    size_t most = draw(3) ? draw(100000) : 1 << 20;
    for (int again = 0; again < 3; again++) {
      read_out(one, &by_one, most);
      read_out(many, &by_many, most);
      ws_poll(one);
      ws_poll(many);
    }
    size_t both = by_one.len < by_many.len ? by_one.len : by_many.len;
    bytes &= !memcmp(by_one.bytes + compared, by_many.bytes + compared, both - compared);
    compared = both;
    ws_stats a, b;
    ws_get_stats(one, &a, sizeof a);
    ws_get_stats(many, &b, sizeof b);
    stats &= a.messages_out == b.messages_out && a.bytes_out == b.bytes_out;
    size_t told = count_events(one, WS_EVENT_WRITABLE);
    events &= told == count_events(many, WS_EVENT_WRITABLE);
    writable += told;
  }
  for (int again = 0; again < 200; again++) {
    read_out(one, &by_one, 1 << 20);
    read_out(many, &by_many, 1 << 20);
    ws_poll(one);
    ws_poll(many);
  }
  bytes &= by_one.len == by_many.len &&
           !memcmp(by_one.bytes + compared, by_many.bytes + compared, by_one.len - compared);
  printf("# flags %u: %zu accepted, %zu full, %zu wrong, %zu WRITABLE, %zu bytes\n", (unsigned)flags, accepted, full,
         wrong, writable, by_many.len);
  CHECK(accepted > 1000 && wrong > 5 && (full > 20 || packets_limit == WS_OFF), "the model meets all results");
  CHECK(results, "the result is that of the first put that is not accepted");
  CHECK(counts, "taken is the number of puts before it");
  CHECK(bytes, "the bytes on the wire are those of single puts");
  CHECK(stats, "the stats count the same messages");
  CHECK(events, "WRITABLE is reported equally often");
  ws_free(one);
  ws_free(many);
  free(by_one.bytes);
  free(by_many.bytes);
}

/* ---- a server ---- */

enum { CLIENTS = 3, ROUNDS = 60 };

struct hall {
  ws_handle server, clients[CLIENTS], conns[CLIENTS];
  uint8_t heard[CLIENTS][1 << 20];
  size_t len[CLIENTS];
};

static void open_hall(struct hall *hall, const ws_config *config) {
  size_t count = 0;
  memset(hall->len, 0, sizeof hall->len);
  for (int i = 0; i < CLIENTS; i++) {
    if (i == 0) hall->server = open_server(config, NULL, hall->clients, 1);
    char url[64];
    ws_get_text(hall->server, WS_GET_URL, url, sizeof url, NULL);
    if (i > 0 && ws_connect(url, NULL, &hall->clients[i]) < 0) exit(1);
    for (double end = now_s() + 20; count < (size_t)i + 1 && now_s() < end;) {
      ws_poll(hall->server);
      ws_poll(hall->clients[i]);
      if (ws_get_state(hall->clients[i]) == WS_OPEN) ws_get_conns(hall->server, hall->conns, CLIENTS, &count);
    }
  }
  count_events(hall->server, 0);
}

/* Polls until each client has heard `wanted` messages, and appends type, length and bytes of each. */
static void hear(struct hall *hall, size_t *heard, const size_t *wanted) {
  for (double end = now_s() + 20; now_s() < end;) {
    int done = 1;
    ws_flush(hall->server);
    ws_poll(hall->server);
    for (int i = 0; i < CLIENTS; i++) {
      ws_packet packet;
      ws_poll(hall->clients[i]);
      while (ws_get_packet(hall->clients[i], &packet) == WS_OK) {
        if (hall->len[i] + packet.len + 2 > sizeof hall->heard[i]) exit(1);
        hall->heard[i][hall->len[i]++] = (uint8_t)packet.type;
        hall->heard[i][hall->len[i]++] = (uint8_t)packet.len;
        memcpy(hall->heard[i] + hall->len[i], packet.data, packet.len);
        hall->len[i] += packet.len;
        heard[i]++;
      }
      done &= heard[i] >= wanted[i];
    }
    if (done) return;
  }
}

static int32_t target_of(const struct hall *hall, uint32_t number) {
  if (number < 3) return 0;
  if (number < 9) return (int32_t)hall->conns[(number - 3) / 2] * (number % 2 ? 1 : -1);
  return number == 9 ? (int32_t)hall->server : number == 10 ? -77 : INT32_MIN;
}

/* The same random batches with random targets, through the server and through clients, on two servers. */
static void of_server(uint32_t flags) {
  static struct hall one, many;
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = flags;
  open_hall(&one, &config);
  open_hall(&many, &config);
  size_t heard[2][CLIENTS] = {{0}, {0}}, wanted[CLIENTS] = {0};
  int same = 1;
  for (int round = 0; round < ROUNDS; round++) {
    ws_packet_out packets[2][MOST];
    size_t n = draw(MOST), taken[2] = {0};
    int through = (int)draw(CLIENTS + 2) - 2;
    for (size_t i = 0; i < n; i++) {
      packets[0][i] = packet_of(letters + draw(1000), draw(200), draw(2) ? WS_TEXT : WS_BINARY, 0);
      packets[1][i] = packets[0][i];
      if (through >= 0 && draw(64)) continue;
      uint32_t number = draw(draw(40) ? 9 : 12);
      packets[0][i].target = target_of(&one, number);
      packets[1][i].target = target_of(&many, number);
    }
    ws_result results[2];
    results[0] = put_singly(through < 0 ? one.server : one.conns[through], packets[0], n, &taken[0]);
    results[1] = ws_put_packets(through < 0 ? many.server : many.conns[through], packets[1], n, &taken[1]);
    same &= results[0] == results[1] && taken[0] == taken[1];
    for (size_t i = 0; i < taken[0]; i++) {
      int32_t target = packets[0][i].target;
      for (int k = 0; k < CLIENTS; k++) {
        int32_t own = (int32_t)one.conns[k];
        wanted[k] += through >= 0 ? through == k : target > 0 ? target == own : target != -own;
      }
    }
    hear(&one, heard[0], wanted);
    hear(&many, heard[1], wanted);
  }
  CHECK(same, "results and counts are those of single puts");
  int equal = 1;
  for (int i = 0; i < CLIENTS; i++)
    equal &= heard[0][i] == wanted[i] && one.len[i] == many.len[i] && !memcmp(one.heard[i], many.heard[i], one.len[i]);
  CHECK(equal, "each client gets the messages of single puts, in order");
  ws_stats a, b;
  ws_get_stats(one.server, &a, sizeof a);
  ws_get_stats(many.server, &b, sizeof b);
  CHECK(a.messages_out == b.messages_out && a.wire_bytes_out == b.wire_bytes_out, "the stats agree");
  ws_shutdown();
}

/* Full queues of several clients, by each policy. With WS_COALESCE nothing leaves before a flush. */
static void full_clients(uint32_t on_full) {
  static struct hall one, many;
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_COALESCE;
  config.outbound_packets = 4;
  config.on_full = on_full;
  open_hall(&one, &config);
  open_hall(&many, &config);
  ws_packet_out packets[2][10];
  size_t taken[2];
  for (int i = 0; i < 10; i++) {
    packets[0][i] = packets[1][i] = packet_of("state", 5, WS_TEXT, 0);
    if (i < 2) packets[0][i].target = (int32_t)one.conns[1], packets[1][i].target = (int32_t)many.conns[1];
  }
  ws_result single = put_singly(one.server, packets[0], 10, &taken[0]);
  ws_result batch = ws_put_packets(many.server, packets[1], 10, &taken[1]);
  CHECK_EQUAL(batch, single, "the result is that of single puts");
  CHECK_EQUAL(taken[1], taken[0], "as many are accepted");
  CHECK_EQUAL(batch, on_full == WS_FULL_ALL_OR_NONE ? WS_ERR_FULL : WS_PARTIAL, "the policy decides");
  ws_stats a, b;
  ws_get_stats(one.server, &a, sizeof a);
  ws_get_stats(many.server, &b, sizeof b);
  CHECK(a.skipped == b.skipped && a.queued_packets_out == b.queued_packets_out && a.messages_out == b.messages_out,
        "as many are skipped and queued");
  CHECK_EQUAL(count_events(many.server, WS_EVENT_SKIPPED), count_events(one.server, WS_EVENT_SKIPPED),
              "SKIPPED is reported equally often");
  int states = 1;
  for (int i = 0; i < CLIENTS; i++) states &= ws_get_state(one.conns[i]) == ws_get_state(many.conns[i]);
  CHECK(states, "the clients are in the same states");
  ws_shutdown();
}

/* Without WS_COALESCE a full queue is written before a message is refused. */
static void room_in_between(void) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.outbound_packets = 4;
  ws_handle clients[1], conn;
  ws_packet_out packets[40];
  size_t count = 0;
  ws_handle server = open_server(&config, NULL, clients, 1);
  ws_get_conns(server, &conn, 1, &count);
  for (int i = 0; i < 40; i++) packets[i] = packet_of("x", 1, WS_TEXT, 0);
  CHECK(ws_put_packets(server, packets, 40, &count) == WS_OK && count == 40, "all fit through the server");
  CHECK(ws_put_packets(conn, packets, 40, &count) == WS_OK && count == 40, "all fit through the client's handle");
  size_t heard = 0;
  for (double end = now_s() + 20; heard < 80 && now_s() < end;) {
    ws_packet packet;
    ws_poll(clients[0]);
    while (ws_get_packet(clients[0], &packet) == WS_OK) heard++;
  }
  CHECK_EQUAL(heard, 80, "all arrive without another poll of the server");
  ws_shutdown();
}

/* Many small broadcasts, and a message behind them that only an empty queue accepts: clients that read get all, as by
   single puts. A poll of the server is not needed for the small ones. `small` is their length, `limit` that of a queue. */
static void many_broadcasts(uint32_t on_full, int number, size_t small, size_t large, uint32_t limit) {
  static uint8_t bytes[5 << 20];
  static ws_packet_out packets[400];
  ws_config config, reader;
  ws_config_init(&config, sizeof config);
  ws_config_init(&reader, sizeof reader);
  config.on_full = on_full;
  config.outbound_bytes = limit;
  config.poll_budget_us = 1000000; /* a loaded machine cuts none of the writes short */
  reader.max_message_bytes = sizeof bytes;
  ws_handle clients[2], conns[2];
  ws_handle server = open_server(&config, &reader, clients, 2);
  size_t taken, heard[2] = {0}, count = 0;
  ws_stats stats;
  for (int i = 0; i < number; i++) packets[i] = packet_of(bytes, i < number - 1 ? small : large, WS_BINARY, 0);
  ws_get_conns(server, conns, 2, &count);
  CHECK(ws_put_packets(server, packets, (size_t)number - 1, &taken) == WS_OK && taken == (size_t)number - 1,
        "the small ones are accepted");
  for (int i = 0; i < 2; i++)
    CHECK(ws_get_stats(conns[i], &stats, sizeof stats) == WS_OK && stats.queued_packets_out == 0, "and have left");
  CHECK(ws_put_packets(server, packets, (size_t)number, &taken) == WS_OK && taken == (size_t)number,
        "a large one behind as many is accepted");
  for (double end = now_s() + 20; heard[0] + heard[1] < 2 * (2 * (size_t)number - 1) && now_s() < end;) {
    ws_poll(server);
    for (int i = 0; i < 2; i++) {
      ws_packet packet;
      ws_poll(clients[i]);
      while (ws_get_packet(clients[i], &packet) == WS_OK) heard[i]++;
    }
  }
  CHECK(heard[0] == 2 * (size_t)number - 1 && heard[1] == heard[0], "both clients get all");
  CHECK(ws_get_stats(server, &stats, sizeof stats) == WS_OK && stats.skipped == 0, "none is skipped");
  ws_shutdown();
}

/* ---- hosts and joins ---- */

static void of_host(uint32_t format) {
  ws_config config = config_of(format);
  start(2, &config, &config);
  size_t taken;
  int32_t a = ids[0], b = ids[1];
  ws_packet_out packets[] = {packet_of("all", 3, WS_BINARY, 0), packet_of("one", 3, WS_BINARY, a),
                             packet_of("but", 3, WS_BINARY, -a), packet_of("two", 3, WS_BINARY, b),
                             packet_of("who", 3, WS_BINARY, 12345), packet_of("end", 3, WS_BINARY, 0)};
  CHECK(ws_put_packets(host, packets, 6, &taken) == WS_ERR_TARGET && taken == 4, "a host stops at an unknown peer");
  CHECK(hears(joins[0], 1, "all") && hears(joins[0], 1, "one"), "the first join hears what is for it");
  CHECK(hears(joins[1], 1, "all") && hears(joins[1], 1, "but") && hears(joins[1], 1, "two"), "so does the second");
  CHECK(all_quiet(), "no join hears more");
  CHECK(ws_put_packets(host, packets + 5, 1, &taken) == WS_OK && taken == 1 && hears(joins[0], 1, "end") &&
            hears(joins[1], 1, "end"),
        "the batch goes on behind the entry that was refused");
  ws_handle conn;
  CHECK_EQUAL(ws_get_conn(host, a, &conn), WS_OK, "the connection of a peer");
  packets[0].target = 0;
  CHECK(ws_put_packets(conn, packets, 2, &taken) == WS_ERR_KIND && taken == 1 && hears(joins[0], 1, "all") && all_quiet(),
        "the handle of one client has no targets");
  ws_packet_out back[] = {packet_of("abc", 3, WS_BINARY, 0), packet_of("def", 3, WS_BINARY, 1)};
  CHECK(ws_put_packets(joins[0], back, 2, &taken) == WS_OK && taken == 2 && hears(host, a, "abc") && hears(host, a, "def"),
        "a join reaches the host");
  if (format == WS_GODOT3) CHECK(hears(joins[1], a, "abc"), "target 0 of a join is everyone in Godot 3's format");
  back[0].target = b;
  ws_result single = ws_put_packet_to(joins[0], b, back[0].data, 3, WS_BINARY);
  CHECK_EQUAL(ws_put_packets(joins[0], back, 1, &taken), single, "other targets of a join have the result of one put");
  stop();
}

static void calls(void) {
  ws_config config = config_of(WS_SCENE);
  start(1, &config, &config);
  uint8_t call[200];
  size_t len = 0, taken;
  ws_variant number = {.type = WS_VARIANT_INT, .integer = 7};
  CHECK(ws_declare_node(host, "Game", "hello") == WS_OK &&
            ws_declare_node(joins[0], "Game", "hello") == WS_OK,
        "both ends declare the node");
  CHECK_EQUAL(ws_encode_call("Game", "hello", &number, 1, call, sizeof call, &len), WS_OK, "the call is encoded");
  ws_packet_out packets[] = {packet_of("raw", 3, WS_BINARY, 0), packet_of(call, len, WS_CALL, 0),
                             packet_of(call, len, WS_CALL, ids[0]), packet_of("bad", 3, WS_CALL, 0),
                             packet_of("end", 3, WS_BINARY, 0)};
  ws_result single = ws_put_packet(host, (const uint8_t *)"bad", 3, WS_CALL);
  CHECK(ws_put_packets(host, packets, 5, &taken) == single && single == WS_ERR_ARG && taken == 3,
        "a batch of messages and calls ends at the bytes that are no call");
  ws_packet got[3];
  int kinds[3] = {0}, count = 0;
  for (double end = now_s() + 20; count < 3 && now_s() < end;) {
    poll_all();
    while (count < 3 && ws_get_packet(joins[0], &got[count]) == WS_OK) kinds[count] = got[count].type, count++;
  }
  CHECK(count == 3 && kinds[0] == WS_BINARY && kinds[1] == WS_CALL && kinds[2] == WS_CALL, "they arrive in order");
  stop();
}

/* A queue that holds fewer calls than are put. */
static void calls_at_full_queues(uint32_t on_full) {
  ws_config config = config_of(WS_SCENE), player = config_of(WS_SCENE);
  config.outbound_packets = 8;
  config.on_full = on_full;
  start(1, &config, &player);
  uint8_t call[200];
  size_t len = 0, taken;
  CHECK(ws_declare_node(host, "Game", "hello") == WS_OK && ws_declare_node(joins[0], "Game", "hello") == WS_OK,
        "both ends declare the node");
  CHECK_EQUAL(ws_encode_call("Game", "hello", NULL, 0, call, sizeof call, &len), WS_OK, "the call is encoded");
  ws_packet_out packets[30];
  for (int i = 0; i < 30; i++) packets[i] = packet_of(call, len, WS_CALL, 0);
  CHECK_EQUAL(ws_put_packets(host, packets, 30, &taken), WS_OK, "calls are written before a queue is full");
  CHECK_EQUAL(taken, 30, "all are accepted");
  stop();
}

/* ---- one write ---- */

static int fd_of(int port) {
  for (int fd = 3; fd < 1000; fd++) {
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;
    if (getpeername(fd, (struct sockaddr *)&address, &size) == 0 && ntohs(address.sin_port) == port) return fd;
  }
  return -1;
}

static uint32_t segments(int fd) {
  struct tcp_info info = {0};
  socklen_t size = sizeof info;
  getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
  return info.tcpi_segs_out;
}

static void one_write(void) {
  ws_handle clients[1];
  ws_handle server = open_server(NULL, NULL, clients, 1);
  uint32_t port = 0;
  ws_get_option(server, WS_OPT_PORT, &port);
  int fd = fd_of((int)port);
  ws_packet_out packets[32];
  size_t taken;
  for (int i = 0; i < 32; i++) packets[i] = packet_of(letters, 64, WS_BINARY, 0);
  uint32_t before = segments(fd);
  CHECK(fd >= 0 && ws_put_packets(clients[0], packets, 32, &taken) == WS_OK && taken == 32, "32 messages are put");
  uint32_t after = segments(fd);
  CHECK(after > before && after - before <= 3, "they leave in one write, within the call");
  before = segments(fd);
  put_singly(clients[0], packets, 32, &taken);
  CHECK(segments(fd) - before > 3, "single puts leave in more");
  ws_shutdown();
}

/* ---- time ---- */

static double cpu_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void huge(void) {
  enum { HUGE_N = 1000000, TRIES = 9 };
  ws_packet_out *packets = calloc(HUGE_N, sizeof *packets);
  for (int i = 0; i < HUGE_N; i++) packets[i] = packet_of(letters, 64, WS_TEXT, 0);
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.outbound_packets = 1000;
  ws_handle h = attach(&config, 0);
  struct sent out = {0};
  double first[TRIES], again[TRIES];
  size_t taken = 0, most = 0;
  int good = 1;
  for (int i = 0; i < TRIES; i++) {
    double begin = cpu_ms();
    ws_result result = ws_put_packets(h, packets, HUGE_N, &taken);
    first[i] = cpu_ms() - begin;
    good &= result == WS_ERR_FULL && taken >= 1000;
    if (taken > most) most = taken;
    begin = cpu_ms();
    result = ws_put_packets(h, packets, HUGE_N, &taken);
    again[i] = cpu_ms() - begin;
    good &= result == WS_ERR_FULL && taken == 0;
    for (int k = 0; k < 10; k++) {
      read_out(h, &out, 1 << 20);
      ws_poll(h);
    }
  }
  qsort(first, TRIES, sizeof *first, by_size);
  qsort(again, TRIES, sizeof *again, by_size);
  printf("# %zu of %d accepted in %.3f ms; a full queue: %.4f ms\n", most, HUGE_N, first[TRIES / 2], again[TRIES / 2]);
  CHECK(good, "the queue's limits end the batch");
  CHECK(most < 30000, "no more is accepted than the queue and the transport take");
  CHECK(first[TRIES / 2] < 20, "the time is that of the accepted messages");
  CHECK(again[TRIES / 2] < 0.5, "a full queue costs no time, however many messages are passed");
  CHECK(ws_put_packets(h, packets, SIZE_MAX, &taken) == WS_ERR_TOO_BIG && taken == 0, "an impossible number");
  CHECK(ws_put_packets(h, packets, SIZE_MAX / sizeof *packets, &taken) == WS_ERR_TOO_BIG && taken == 0, "so is this");
  ws_free(h);
  free(packets);
  free(out.bytes);
}

/* ---- arguments and states ---- */

static void arguments(void) {
  ws_handle s, c;
  size_t taken = 9;
  ws_packet_out two[] = {packet_of("a", 1, WS_TEXT, 0), packet_of(NULL, 0, WS_BINARY, 0)};
  open_pair(NULL, &s, &c);
  CHECK(ws_put_packets(c, NULL, 1, &taken) == WS_ERR_NULL && taken == 0, "packets is NULL");
  CHECK_EQUAL(ws_put_packets(c, two, 2, NULL), WS_ERR_NULL, "taken is NULL");
  taken = 9;
  CHECK(ws_put_packets(c, NULL, 0, &taken) == WS_OK && taken == 0, "no messages need no array");
  taken = 9;
  CHECK(ws_put_packets(0, two, 2, &taken) == WS_ERR_HANDLE && taken == 0, "handle 0");
  CHECK(ws_put_packets(0, NULL, 0, &taken) == WS_ERR_HANDLE && taken == 0, "handle 0 and no messages");
  CHECK(ws_put_packets(c, two, 2, &taken) == WS_OK && taken == 2, "a text and an empty message");
  ws_packet got[4];
  size_t count = 0;
  ws_poll(s);
  CHECK(ws_get_packets(s, got, 4, &count) == WS_OK && count == 2 && got[0].type == WS_TEXT && got[0].len == 1 &&
            got[1].type == WS_BINARY && got[1].len == 0,
        "both arrive");
  ws_put_packets(c, two, 2, &taken);
  ws_poll(s);
  CHECK_EQUAL(ws_get_packets(s, got, 4, &count), WS_OK, "messages are lent");
  ws_packet_out echo[4];
  for (size_t i = 0; i < count; i++) echo[i] = packet_of(got[i].data, got[i].len, got[i].type, 0);
  CHECK(ws_put_packets(s, echo, count, &taken) == WS_OK && taken == 2, "lent bytes can be put");
  ws_poll(c);
  CHECK(ws_get_packets(c, got, 4, &count) == WS_OK && count == 2 && got[0].data[0] == 'a', "and arrive");
  ws_close(c, 1000, NULL);
  CHECK(ws_put_packets(c, two, 2, &taken) == WS_ERR_STATE && taken == 0, "a closing connection takes none");
  ws_free(c);
  CHECK(ws_put_packets(c, two, 2, &taken) == WS_ERR_HANDLE && taken == 0, "a freed handle");
  ws_free(s);
}

static void before_open(void) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  ws_packet_out packets[] = {packet_of("1", 1, WS_TEXT, 0), packet_of("2", 1, WS_TEXT, 0), packet_of("3", 1, WS_TEXT, 0)};
  size_t taken;
  ws_handle server, client, early;
  char url[64];
  ws_listen("ws://127.0.0.1:0", NULL, &server);
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
  ws_connect(url, NULL, &client);
  CHECK(ws_put_packets(client, packets, 3, &taken) == WS_ERR_STATE && taken == 0, "none is taken before OPEN");
  config.flags = WS_QUEUE_BEFORE_OPEN;
  config.outbound_packets = 2;
  ws_connect(url, &config, &early);
  CHECK(ws_put_packets(early, packets, 3, &taken) == WS_ERR_FULL && taken == 2, "WS_QUEUE_BEFORE_OPEN has its limits");
  int heard = 0, right = 1;
  for (double end = now_s() + 20; heard < 2 && now_s() < end;) {
    ws_packet packet;
    ws_poll(server);
    ws_poll(client);
    ws_poll(early);
    while (ws_get_packet(server, &packet) == WS_OK) right &= packet.data[0] == "12"[heard++];
  }
  CHECK(heard == 2 && right, "what was taken arrives in order after OPEN");
  ws_shutdown();
}

int main(void) {
  for (size_t i = 0; i < sizeof letters; i++) letters[i] = (uint8_t)('a' + i * i % 26);
  arguments();
  before_open();
  model(0, 20, 100000);
  model(WS_COALESCE, 20, 100000);
  model(0, WS_OFF, WS_OFF);
  model(0, 5, 2000);
  model(WS_DEFLATE, 20, 100000);
  of_server(0);
  of_server(WS_COALESCE);
  full_clients(WS_FULL_SKIP);
  full_clients(WS_FULL_DISCONNECT);
  full_clients(WS_FULL_ALL_OR_NONE);
  room_in_between();
  for (uint32_t on_full = WS_FULL_SKIP; on_full <= WS_FULL_ALL_OR_NONE; on_full++) {
    many_broadcasts(on_full, 18, 10, 5 << 20, 4 << 20);
    many_broadcasts(on_full, 400, 10, 3000, 2000);
    many_broadcasts(on_full, 12, 70000, 3000, 100000);
  }
  of_host(0);
  of_host(WS_GODOT3);
  calls();
  calls_at_full_queues(WS_FULL_SKIP);
  calls_at_full_queues(WS_FULL_ALL_OR_NONE);
  one_write();
  huge();
  FINISH();
}
