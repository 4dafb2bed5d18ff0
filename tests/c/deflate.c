/* Sending with permessage-deflate: no call blocks, order and accounting hold in every state, a broadcast is compressed once where it can be. */
#include "check.h"

#include <sys/resource.h>

static const double CPU_LIMIT_S = 0.001;
static const size_t LONG_BYTES = 16u << 20;

enum { CROWD = 100 };

static uint8_t *zeros, *text, *noise;
static double longest;

static double cpu_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#define TIMED(call)                                  \
  do {                                               \
    double cpu_ = cpu_now();                         \
    (void)(call);                                    \
    cpu_ = cpu_now() - cpu_;                         \
    if (cpu_ > longest) longest = cpu_;              \
  } while (0)

/* Other work on the machine can only make a call seem longer: what was over the limit is measured again, up to three times in all. */
static int attempt, over;

#define MEASURE(scenario)                                        \
  for (attempt = 1, over = 1; over && attempt <= 3; attempt++) { \
    longest = 0;                                                 \
    scenario;                                                    \
  }

static void report(const char *name) {
  over = longest >= CPU_LIMIT_S;
  printf("figure: %-44s longest call %7.1f us CPU\n", name, longest * 1e6);
  if (!over || attempt == 3) CHECK(!over, name);
}

static ws_config config_of(uint32_t flags) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_DEFLATE | flags;
  return config;
}

static ws_stats stats_of(ws_handle h) {
  ws_stats stats = {0};
  ws_get_stats(h, &stats, sizeof stats);
  return stats;
}

static ws_result put(ws_handle h, const uint8_t *data, size_t len) { return ws_put_packet(h, data, len, WS_BINARY); }

/* Takes the messages of `h`: their lengths must be those of `lengths` from *next on, their bytes those of `data`. */
static int take(ws_handle h, const uint8_t *const *data, const size_t *lengths, int count, int *next) {
  ws_packet packet;
  int good = 1;
  while (ws_get_packet(h, &packet) == WS_OK) {
    good &= *next < count && packet.len == lengths[*next] && (packet.len == 0 || !memcmp(packet.data, data[*next], packet.len));
    ++*next;
  }
  return good;
}

/* A long message, others behind it, one of them empty, and a close behind all. */
static void long_message(const char *name, uint32_t flags, uint32_t level, const uint8_t *data, size_t size, uint32_t budget_us, int closes) {
  ws_handle server, client;
  ws_config config = config_of(flags);
  config.deflate_level = level;
  config.outbound_bytes = 64u << 20;
  config.poll_budget_us = budget_us;
  config.max_inflate_ratio = WS_OFF;
  config.close_timeout_ms = 20000;
  open_pair(&config, &server, &client);
  const uint8_t *datas[] = {data, text, text, text, text, data, text};
  size_t lengths[] = {size, 1000, 0, 10, 100000, 3000, 0};
  int count = 7, next = 0, good = 1, closed = 0;
  double copy = cpu_now();
  good &= put(client, data, size) == WS_OK;
  copy = cpu_now() - copy;
  for (int i = 1; i < count; i++) {
    ws_result result = WS_OK;
    TIMED(result = put(client, datas[i], lengths[i]));
    good &= result == WS_OK;
  }
  ws_stats before = stats_of(client);
  int accounted = before.queued_packets_out == (uint64_t)count && before.queued_bytes_out >= size && before.messages_out == (uint64_t)count;
  if (closes) TIMED(ws_close(client, 0, NULL));
  ws_event event;
  int unsent = -1;
  long polls = 0;
  for (double end = now_s() + 30; now_s() < end && !(closes ? closed == 2 : next == count && !stats_of(client).queued_packets_out); polls++) {
    TIMED(ws_poll(client));
    TIMED(ws_poll(server));
    good &= take(server, datas, lengths, count, &next);
    while (closes && ws_next_event(server, &event) == WS_OK) closed += event.type == WS_EVENT_CLOSED;
    while (closes && ws_next_event(client, &event) == WS_OK)
      if (event.type == WS_EVENT_CLOSED) {
        closed++;
        unsent = event.clean ? (int)event.unsent : -2;
      }
  }
  ws_stats after = stats_of(client);
  printf("# %s: put %.1f ms, %ld polls, %llu bytes on the wire, %llu compressed\n", name, copy * 1e3, polls, (unsigned long long)after.wire_bytes_out,
         (unsigned long long)after.compressed_out);
  if (attempt <= 1) {
    CHECK(accounted, "all of it counts as queued");
    CHECK(good && next == count, "all messages arrive whole and in order");
    CHECK(after.queued_packets_out == 0 && after.queued_bytes_out == 0, "nothing is left in the queue");
    CHECK(!closes || unsent == 0, "the close behind them delivers all");
  }
  ws_free(client);
  ws_free(server);
  report(name);
}

/* Reads the frames of the attached end's output: how many frames the first message has, and whether RSV1 is on the first alone. */
static void fragments(void) {
  ws_handle client;
  ws_config config = config_of(0);
  config.outbound_bytes = 64u << 20;
  ws_attach(&config, WS_ROLE_CLIENT, &client);
  uint8_t *out = malloc(1 << 20);
  size_t len = 0;
  ws_poll(client);
  ws_take_output(client, out, 1 << 20, &len);
  CHECK(len > 0 && strstr((char *)out, "permessage-deflate; client_max_window_bits\r\n") != NULL, "the request offers it");
  ws_free(client);

  ws_handle server;
  ws_attach(&config, WS_ROLE_SERVER, &server);
  const char *request = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
  ws_feed(server, (const uint8_t *)request, strlen(request), NULL);
  ws_poll(server);
  ws_take_output(server, out, 1 << 20, &len);
  CHECK(put(server, noise, 1 << 20) == WS_OK && put(server, text, 300) == WS_OK, "a message of a MiB and a short one are taken");
  int frames = 0, rsv1 = 0, messages = 0, first = -1, wrong = 0;
  size_t left = 0, header = 0;
  uint8_t head[14];
  for (int round = 0; round < 2000 && messages < 2; round++) {
    ws_poll(server);
    while (ws_take_output(server, out, 1 << 20, &len) == WS_OK && len > 0)
      for (size_t i = 0; i < len;) {
        if (left) {
          size_t step = left < len - i ? left : len - i;
          left -= step;
          i += step;
          continue;
        }
        head[header++] = out[i++];
        if (header < 2) continue;
        size_t need = head[1] == 126 ? 4 : head[1] == 127 ? 10 : 2;
        if (header < need) continue;
        left = head[1] < 126 ? head[1] : 0;
        for (size_t k = 2; k < need; k++) left = left << 8 | head[k];
        header = 0;
        frames++;
        rsv1 += (head[0] & 0x40) != 0;
        wrong += (head[0] & 0xF) != (first == 1 ? 0 : 2);
        first = (head[0] & 0x80) ? 0 : 1;
        messages += (head[0] & 0x80) != 0;
      }
  }
  CHECK(messages == 2 && frames > 10 && rsv1 == 2 && wrong == 0, "the long message leaves as fragments, RSV1 on the first of each message");
  printf("figure: 1 MiB of noise left in %d fragments\n", frames - 1);
  ws_free(server);
  free(out);
}

/* A drop and a lost connection: what did not leave is counted. */
static void unsent(void) {
  ws_handle server, client;
  ws_event event = {0};
  for (int how = 0; how < 2; how++) {
    ws_config config = config_of(0);
    open_pair(&config, &server, &client);
    CHECK(put(client, noise, 3u << 20) == WS_OK && put(client, text, 100) == WS_OK && put(client, text, 0) == WS_OK, "three messages are taken");
    ws_poll(client);
    if (how == 0) ws_close(client, -1, NULL);
    if (how == 1) ws_free(server);
    int told = -1;
    for (double end = now_s() + 10; told < 0 && now_s() < end;) {
      ws_poll(client);
      while (ws_next_event(client, &event) == WS_OK)
        if (event.type == WS_EVENT_CLOSED) told = (int)event.unsent;
    }
    CHECK(told == 3, how ? "a lost connection tells of 3 unsent messages" : "a drop tells of 3 unsent messages");
    ws_free(client);
    ws_free(server);
  }
  /* The first has left whole, the others not. */
  ws_config config = config_of(0);
  config.inbound_bytes = 1;
  open_pair(&config, &server, &client);
  put(client, text, 1000);
  for (int i = 0; i < 4; i++) ws_poll(client);
  CHECK(stats_of(client).queued_packets_out == 0, "a short message has left");
  ws_free(client);
  ws_free(server);
}

static void full(void) {
  ws_handle server, client;
  ws_config config = config_of(0);
  config.outbound_bytes = 300000;
  config.outbound_packets = 4;
  open_pair(&config, &server, &client);
  CHECK(put(client, noise, 1 << 20) == WS_OK, "an empty queue takes any message");
  CHECK(put(client, text, 1) == WS_ERR_FULL, "behind it the queue is full");
  int writable = 0, got = 0;
  ws_packet packet;
  ws_event event;
  for (double end = now_s() + 10; now_s() < end && !(writable && got == 1);) {
    ws_poll(client);
    ws_poll(server);
    while (ws_get_packet(server, &packet) == WS_OK) got++;
    while (ws_next_event(client, &event) == WS_OK) writable += event.type == WS_EVENT_WRITABLE;
  }
  CHECK(writable == 1 && got == 1, "WRITABLE comes once when it has left");
  int taken = 0;
  CHECK(put(client, text, 200000) == WS_OK, "a long message is taken");
  while (taken < 20 && put(client, text, 10) == WS_OK) taken++;
  CHECK(taken == 3, "waiting messages count by number");
  writable = got = 0;
  for (double end = now_s() + 10; now_s() < end && !(writable && got == 4);) {
    ws_poll(client);
    ws_poll(server);
    while (ws_get_packet(server, &packet) == WS_OK) got++;
    while (ws_next_event(client, &event) == WS_OK) writable += event.type == WS_EVENT_WRITABLE;
  }
  CHECK(writable == 1 && got == 4, "and WRITABLE comes once again");
  CHECK(put(client, text, 200000) == WS_OK && put(client, text, 100000) == WS_OK && put(client, text, 1) == WS_ERR_FULL, "waiting messages count by bytes");
  ws_free(client);
  ws_free(server);
}

/* Messages before OPEN are compressed after it, in slices; with WS_COALESCE a frame's messages leave in one write. */
static void early(uint32_t flags) {
  ws_handle server, client;
  ws_config config = config_of(flags | WS_QUEUE_BEFORE_OPEN);
  config.outbound_bytes = 8u << 20;
  config.deflate_level = 6;
  if (ws_pair(&config, &server, &client) < 0) exit(1);
  const uint8_t *datas[64];
  size_t lengths[64];
  int good = 1, next = 0;
  for (int i = 0; i < 64; i++) {
    datas[i] = i % 3 ? noise : text;
    lengths[i] = i % 5 == 4 ? (size_t)i : 60000;
    good &= put(client, datas[i], lengths[i]) == WS_OK;
  }
  for (double end = now_s() + 20; next < 64 && now_s() < end;) {
    TIMED(ws_poll(client));
    TIMED(ws_poll(server));
    good &= take(server, datas, lengths, 64, &next);
  }
  if (attempt <= 1) CHECK(good && next == 64, "all that was put before OPEN arrives in order");
  if (attempt <= 1) CHECK(stats_of(client).compressed_out == 52, "and all of it over the threshold was compressed");
  ws_free(client);
  ws_free(server);
  report("4 MiB put before OPEN, level 6");
}

static void coalesce(void) {
  ws_handle server, client;
  ws_config config = config_of(WS_COALESCE);
  open_pair(&config, &server, &client);
  uint64_t before = stats_of(client).wire_bytes_out;
  for (int i = 0; i < 20; i++) put(client, text, 300);
  CHECK(stats_of(client).wire_bytes_out == before && stats_of(client).queued_packets_out == 20, "with WS_COALESCE nothing leaves before the flush");
  ws_flush(client);
  CHECK(stats_of(client).wire_bytes_out > before && stats_of(client).wire_bytes_out - before < 20 * 100, "and then all of it, compressed");
  ws_poll(server);
  CHECK(ws_get_available(server) == 20, "it arrives");
  ws_free(client);
  ws_free(server);
}

/* A full inbound queue: a compressed message does not begin to be inflated; nothing is lost when the host reads. */
static void full_inbound(void) {
  ws_handle server, client;
  ws_config config = config_of(0);
  config.inbound_packets = 2;
  config.outbound_bytes = 64u << 20;
  config.max_inflate_ratio = WS_OFF;
  config.poll_budget_us = 1;
  open_pair(&config, &server, &client);
  enum { COUNT = 40 };
  const uint8_t *datas[COUNT];
  size_t lengths[COUNT];
  int good = 1, next = 0;
  for (int i = 0; i < COUNT; i++) {
    datas[i] = i % 2 ? zeros : text;
    lengths[i] = i % 4 == 3 ? 1u << 20 : 5000;
    good &= put(client, datas[i], lengths[i]) == WS_OK;
  }
  for (int i = 0; i < 3000; i++) {
    ws_poll(client);
    ws_poll(server);
  }
  ws_stats stats = stats_of(server);
  CHECK(good && stats.queued_packets_in <= 3 && stats.queued_bytes_in < 2u << 20, "a full queue takes no more than what had begun");
  CHECK(ws_poll(server) == WS_OK, "and a poll then says that there is nothing to do");
  for (double end = now_s() + 30; next < COUNT && now_s() < end;) {
    ws_poll(client);
    ws_poll(server);
    good &= take(server, datas, lengths, COUNT, &next);
  }
  CHECK(good && next == COUNT, "all arrive when the host reads again, in order");
  /* Full again, and the peer closes behind it. */
  next = 0;
  for (int i = 0; i < 6; i++) put(client, datas[i], lengths[i]);
  ws_close(client, 4000, "done");
  for (int i = 0; i < 2000; i++) {
    ws_poll(client);
    ws_poll(server);
  }
  int code = 0;
  ws_event event;
  for (double end = now_s() + 10; !code && now_s() < end;) {
    ws_poll(client);
    ws_poll(server);
    while (ws_next_event(server, &event) == WS_OK) {
      if (event.type == WS_EVENT_MESSAGE) good &= event.packet.len == lengths[next] && !memcmp(event.packet.data, datas[next], lengths[next]), next++;
      if (event.type == WS_EVENT_CLOSED) code = event.code;
    }
  }
  CHECK(good && next == 6 && code == 4000, "the close comes behind all messages");
  ws_free(client);
  ws_free(server);
}

/* The same over sockets: a server's client that waits with a message is served again when its host has read. */
static void full_inbound_of_server(void) {
  ws_handle server, client, conn = 0;
  size_t count = 0;
  ws_config config = config_of(0);
  config.inbound_packets = 1;
  config.outbound_bytes = 64u << 20;
  config.max_inflate_ratio = WS_OFF;
  server = open_server(&config, &config, &client, 1);
  ws_get_conns(server, &conn, 1, &count);
  const uint8_t *datas[20];
  size_t lengths[20];
  int next = 0, good = 1;
  for (int i = 0; i < 20; i++) {
    datas[i] = i % 2 ? zeros : noise;
    lengths[i] = i % 2 ? 1u << 20 : 70000;
    good &= put(client, datas[i], lengths[i]) == WS_OK;
  }
  for (double end = now_s() + 20; next < 20 && now_s() < end;) {
    for (int i = 0; i < 20; i++) {
      ws_poll(client);
      ws_poll(server);
    }
    good &= take(conn, datas, lengths, 20, &next);
  }
  CHECK(good && next == 20, "all arrive");
  ws_free(client);
  ws_free(server);
}

/* Peers are freed with something to compress, or half inflated, in every state. */
static void freed(void) {
  for (int round = 0; round < 60; round++) {
    ws_handle server, client;
    ws_config config = config_of(round % 2 ? WS_CLIENT_NO_CONTEXT_TAKEOVER : 0);
    config.outbound_bytes = 64u << 20;
    config.poll_budget_us = 1 + (uint32_t)(round % 3) * 100;
    config.max_inflate_ratio = WS_OFF;
    if (round % 4) open_pair(&config, &server, &client);
    else if (ws_pair(&config, &server, &client) < 0) exit(1);
    put(client, zeros, 3u << 20);
    put(client, noise, 1u << 20);
    put(server, text, 1u << 20);
    for (int i = 0; i < round; i++) {
      ws_poll(client);
      ws_poll(server);
    }
    if (round % 5 == 0) ws_close(client, 0, NULL);
    if (round % 7 == 0) ws_close(server, -1, NULL);
    TIMED(ws_free(round % 2 ? client : server));
    for (int i = 0; i < 5; i++) TIMED(ws_poll(round % 2 ? server : client));
    TIMED(ws_free(round % 2 ? server : client));
  }
  report("ws_free in every state");
}

static ws_handle crowd_of(ws_handle *clients, uint32_t server_flags, ws_config *client_configs, int kinds) {
  ws_config config = config_of(server_flags);
  config.outbound_bytes = 64u << 20;
  ws_handle server;
  if (ws_listen("ws://127.0.0.1:0", &config, &server) < 0) exit(1);
  char url[64];
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
  for (int i = 0; i < CROWD; i++)
    if (ws_connect(url, &client_configs[i % kinds], &clients[i]) < 0) exit(1);
  for (double end = now_s() + 20; now_s() < end;) {
    ws_poll(server);
    int open = 0;
    for (int i = 0; i < CROWD; i++) {
      ws_poll(clients[i]);
      open += ws_get_state(clients[i]) == WS_OPEN;
    }
    if (open == CROWD && stats_of(server).connections == CROWD) break;
  }
  return server;
}

/* Puts to all, and polls until each client has the message. The CPU time of the server's calls. */
static double broadcast(ws_handle server, ws_handle *clients, const uint8_t *data, size_t size, int *arrived) {
  double cpu = cpu_now(), spent;
  TIMED(ws_put_packet(server, data, size, WS_BINARY));
  spent = cpu_now() - cpu;
  int got[CROWD] = {0};
  *arrived = 0;
  for (double end = now_s() + 20; *arrived < CROWD && now_s() < end;) {
    cpu = cpu_now();
    TIMED(ws_poll(server));
    spent += cpu_now() - cpu;
    for (int i = 0; i < CROWD; i++) {
      ws_packet packet;
      ws_poll(clients[i]);
      while (ws_get_packet(clients[i], &packet) == WS_OK)
        if (packet.len == size && !memcmp(packet.data, data, size) && !got[i]) got[i] = 1, ++*arrived;
    }
  }
  return spent;
}

static void free_crowd(ws_handle server, ws_handle *clients) {
  for (int i = 0; i < CROWD; i++) ws_free(clients[i]);
  ws_free(server);
}

static double broadcasts(const char *name, uint32_t flags, int kinds, size_t size, uint64_t compressed) {
  ws_handle clients[CROWD];
  ws_config configs[3] = {config_of(0), config_of(WS_SERVER_NO_CONTEXT_TAKEOVER), config_of(0)};
  if (kinds == 3) configs[2].flags = 0;
  for (int i = 0; i < 3; i++) configs[i].poll_budget_us = 100000;
  ws_handle server = crowd_of(clients, flags, configs, kinds);
  longest = 0;
  int arrived = 0;
  ws_stats before = stats_of(server);
  double spent = broadcast(server, clients, text, size, &arrived);
  ws_stats after = stats_of(server);
  printf("figure: %s of %zu B to %d: %.2f ms CPU, %llu compressed, %llu B each on the wire, contexts %llu KiB\n", name, size, CROWD, spent * 1e3,
         (unsigned long long)(after.compressed_out - before.compressed_out), (unsigned long long)(after.wire_bytes_out - before.wire_bytes_out) / CROWD,
         (unsigned long long)after.deflate_memory_bytes >> 10);
  if (attempt <= 1) {
    CHECK(arrived == CROWD, name);
    CHECK(after.compressed_out - before.compressed_out == compressed, "so many clients got it compressed");
    CHECK(after.messages_out - before.messages_out == CROWD && after.queued_packets_out == 0, "and it left for all");
    if (flags & WS_SERVER_NO_CONTEXT_TAKEOVER) CHECK(after.deflate_memory_bytes < 1u << 20, "one context for all");
  }
  free_crowd(server, clients);
  return spent;
}

static void crowds(void) {
  double shared[2], own[2];
  size_t sizes[] = {16000, 1u << 20};
  for (int i = 0; i < 2; i++) {
    attempt = 1;
    shared[i] = broadcasts("a broadcast without takeover", WS_SERVER_NO_CONTEXT_TAKEOVER, 1, sizes[i], CROWD);
    own[i] = broadcasts("a broadcast with takeover", 0, 1, sizes[i], CROWD);
    broadcasts("a broadcast to mixed clients", 0, 3, sizes[i], 67);
  }
  CHECK(shared[1] * 3 < own[1], "without takeover a long message is compressed once, not a hundred times");
  MEASURE(broadcasts("with takeover, 16 000 B", 0, 1, 16000, CROWD); report("broadcast with takeover, 16 000 B"))
  MEASURE(broadcasts("with takeover, 1 MiB", 0, 1, 1u << 20, CROWD); report("broadcast with takeover, 1 MiB"))
  MEASURE(broadcasts("without takeover, 1 MiB", WS_SERVER_NO_CONTEXT_TAKEOVER, 1, 1u << 20, CROWD); report("broadcast without takeover, 1 MiB"))
}

/* A client of three does not read: on_full says what becomes of a broadcast. */
static void on_full(uint32_t policy, uint32_t flags) {
  ws_handle clients[3];
  ws_config config = config_of(flags), client_config = config_of(0);
  config.on_full = policy;
  config.outbound_bytes = 1 << 20;
  client_config.inbound_packets = 1;
  ws_handle server = open_server(&config, &client_config, clients, 3);
  ws_event event;
  while (ws_next_event(server, &event) == WS_OK) {
  }
  ws_result result = WS_OK;
  int skipped = 0, dropped = 0, writable = 0, rounds = 0, got = 0, sent = 0;
  for (double end = now_s() + 20; result == WS_OK && now_s() < end; rounds++) {
    result = ws_put_packet(server, noise, 200000, WS_BINARY);
    sent += result == WS_OK || result == WS_PARTIAL;
    for (int k = 0; k < 50; k++) {
      ws_packet packet;
      ws_poll(server);
      for (int i = 0; i < 3; i++) ws_poll(clients[i]);
      for (int i = 0; i < 2; i++)
        while (ws_get_packet(clients[i], &packet) == WS_OK) got += i == 0;
    }
  }
  if (policy == WS_FULL_ALL_OR_NONE) CHECK(result == WS_ERR_FULL, "all or none: WS_ERR_FULL");
  else CHECK(result == WS_PARTIAL, "one of three is full: WS_PARTIAL");
  ws_packet packet;
  int third = 0;
  for (double end = now_s() + 20; now_s() < end && !(writable || dropped) ;) {
    ws_poll(server);
    for (int i = 0; i < 3; i++) {
      ws_poll(clients[i]);
      while (ws_get_packet(clients[i], &packet) == WS_OK) got += i == 0, third += i == 2;
    }
    while (ws_next_event(server, &event) == WS_OK) {
      skipped += event.type == WS_EVENT_SKIPPED;
      dropped += event.type == WS_EVENT_DISCONNECTED && event.code == 1008 && event.cause == WS_CAUSE_FULL;
      writable += event.type == WS_EVENT_WRITABLE;
    }
  }
  for (double end = now_s() + 10; now_s() < end && got < sent;) {
    ws_poll(server);
    ws_poll(clients[0]);
    while (ws_get_packet(clients[0], &packet) == WS_OK) got++;
  }
  CHECK(got == sent, "a client that reads gets all");
  CHECK(policy == WS_FULL_SKIP ? skipped == 1 && writable == 1 : policy == WS_FULL_DISCONNECT ? dropped == 1 : writable == 1, "and the events say what happened");
  for (int i = 0; i < 3; i++) ws_free(clients[i]);
  ws_free(server);
}

/* Disconnecting clients that wait with long messages does not compress all of them in one call. */
static void disconnects(void) {
  ws_handle clients[CROWD];
  ws_config configs[1] = {config_of(0)};
  ws_handle server = crowd_of(clients, 0, configs, 1);
  longest = 0;
  ws_put_packet(server, zeros, 4u << 20, WS_BINARY);
  TIMED(ws_disconnect(server, 0, 4001, "bye"));
  int good = 0, ended = 0;
  for (double end = now_s() + 30; ended < CROWD && now_s() < end;) {
    TIMED(ws_poll(server));
    ws_event event;
    for (int i = 0; i < CROWD; i++) {
      ws_poll(clients[i]);
      while (ws_next_event(clients[i], &event) == WS_OK) {
        good += event.type == WS_EVENT_MESSAGE && event.packet.len == 4u << 20;
        ended += event.type == WS_EVENT_CLOSED;
        good += event.type == WS_EVENT_CLOSED && event.code == 4001 && event.clean;
      }
    }
  }
  if (attempt <= 1) CHECK(good == 2 * CROWD, "each gets the message, then the close");
  free_crowd(server, clients);
  report("100 disconnects behind 4 MiB");
}

int main(void) {
  struct rlimit files = {4096, 4096};
  setrlimit(RLIMIT_NOFILE, &files);
  zeros = calloc(1, LONG_BYTES);
  text = malloc(LONG_BYTES);
  noise = malloc(LONG_BYTES);
  uint32_t state = 1;
  for (size_t i = 0; i < LONG_BYTES; i++) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    noise[i] = (uint8_t)(state >> 24);
    text[i] = (uint8_t)(i % 64 < 50 ? "{\"entity\": 17, \"position\": [1.0, 2.5, 3.25], \"name\":"[i % 64] : 'a' + noise[i] % 16);
  }
  MEASURE(long_message("16 MiB of text", 0, 1, text, LONG_BYTES, 0, 0))
  MEASURE(long_message("16 MiB of noise, and a close", WS_CLIENT_NO_CONTEXT_TAKEOVER, 1, noise, LONG_BYTES, 0, 1))
  MEASURE(long_message("16 MiB of zeros, level 9, and a close", 0, 9, zeros, LONG_BYTES, 0, 1))
  MEASURE(long_message("1 MiB of text, level 9", 0, 9, text, 1u << 20, 0, 1))
  MEASURE(long_message("2 MiB of text, level 6", 0, 6, text, 2u << 20, 0, 1))
  MEASURE(long_message("100 000 B in the smallest slices", 0, 1, text, 100000, 1, 0))
  MEASURE(long_message("100 000 B in the smallest slices, and a close", WS_CLIENT_NO_CONTEXT_TAKEOVER, 1, text, 100000, 1, 1))
  fragments();
  unsent();
  full();
  MEASURE(early(0))
  MEASURE(early(WS_CLIENT_NO_CONTEXT_TAKEOVER | WS_COALESCE))
  coalesce();
  full_inbound();
  full_inbound_of_server();
  MEASURE(freed())
  crowds();
  for (uint32_t policy = WS_FULL_SKIP; policy <= WS_FULL_ALL_OR_NONE; policy++) {
    on_full(policy, 0);
    on_full(policy, WS_SERVER_NO_CONTEXT_TAKEOVER);
  }
  MEASURE(disconnects())
  free(zeros);
  free(text);
  free(noise);
  ws_shutdown();
  FINISH();
}
