/* Sending with permessage-deflate: no call blocks, and order and counts are right in every state. Several connections
   are in deflate_crowd.c. */
#include "deflate.h"

/* A long message, shorter and empty ones queued behind it, and a close. */
static void long_message(const char *name, uint32_t flags, uint32_t level, const uint8_t *data, size_t size,
                         uint32_t budget_us, int closes) {
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
  int accounted = before.queued_packets_out == (uint64_t)count && before.queued_bytes_out >= size &&
                  before.messages_out == (uint64_t)count;
  if (closes) TIMED(ws_close(client, 0, NULL));
  ws_event event;
  int unsent = -1;
  long polls = 0;
  for (double end = now_s() + 30;
       now_s() < end && !(closes ? closed == 2 : next == count && !stats_of(client).queued_packets_out); polls++) {
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
  printf("# %s: put %.1f ms, %ld polls, %llu bytes on the wire, %llu compressed\n", name, copy * 1e3, polls,
         (unsigned long long)after.wire_bytes_out, (unsigned long long)after.compressed_out);
  if (attempt <= 1) {
    CHECK(accounted, "all messages count as queued");
    CHECK(good && next == count, "all messages arrive whole and in order");
    CHECK(after.queued_packets_out == 0 && after.queued_bytes_out == 0, "the queue is empty afterwards");
    CHECK(!closes || unsent == 0, "a close behind the messages delivers all of them");
    CHECK(after.compressed_out >= 3, "compressed_out is available after the end");
  }
  ws_free(client);
  ws_free(server);
  report(name);
}

/* Counts, in the attached end's output, the frames of the first message, and checks that RSV1 is set only on the first
   frame of each. */
static void fragments(void) {
  ws_handle client;
  ws_config config = config_of(0);
  config.outbound_bytes = 64u << 20;
  ws_attach(&config, WS_ROLE_CLIENT, &client);
  uint8_t *out = malloc(1 << 20);
  size_t len = 0;
  ws_poll(client);
  ws_take_output(client, out, 1 << 20, &len);
  CHECK(len > 0 && strstr((char *)out, "permessage-deflate; client_max_window_bits\r\n") != NULL,
        "the request offers permessage-deflate");
  ws_free(client);

  ws_handle server;
  ws_attach(&config, WS_ROLE_SERVER, &server);
  const char *request =
      "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
  ws_feed(server, (const uint8_t *)request, strlen(request), NULL);
  ws_poll(server);
  ws_take_output(server, out, 1 << 20, &len);
  CHECK(put(server, noise, 1 << 20) == WS_OK && put(server, text, 300) == WS_OK,
        "a message of 1 MiB and a short one are accepted");
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
  CHECK(messages == 2 && frames > 10 && rsv1 == 2 && wrong == 0,
        "a long message is sent as fragments, with RSV1 on the first frame only");
  printf("figure: 1 MiB of noise left in %d fragments\n", frames - 1);
  ws_free(server);
  free(out);
}

/* A dropped and a lost connection report the number of unsent messages. */
static void unsent(void) {
  ws_handle server, client;
  ws_event event = {0};
  for (int how = 0; how < 2; how++) {
    ws_config config = config_of(0);
    open_pair(&config, &server, &client);
    CHECK(put(client, noise, 3u << 20) == WS_OK && put(client, text, 100) == WS_OK && put(client, text, 0) == WS_OK,
          "three messages are accepted");
    ws_poll(client);
    if (how == 0) ws_close(client, -1, NULL);
    if (how == 1) ws_free(server);
    int reported = -1;
    for (double end = now_s() + 10; reported < 0 && now_s() < end;) {
      ws_poll(client);
      while (ws_next_event(client, &event) == WS_OK)
        if (event.type == WS_EVENT_CLOSED) reported = (int)event.unsent;
    }
    CHECK_EQUAL(reported, 3, how ? "a lost connection reports 3 unsent messages" : "a drop reports 3 unsent messages");
    ws_free(client);
    ws_free(server);
  }
  /* The first message is sent completely, the others are not. */
  ws_config config = config_of(0);
  config.inbound_bytes = 1;
  open_pair(&config, &server, &client);
  put(client, text, 1000);
  for (int i = 0; i < 4; i++) ws_poll(client);
  CHECK_EQUAL(stats_of(client).queued_packets_out, 0, "a short message is sent");
  ws_free(client);
  ws_free(server);
}

static void full(void) {
  ws_handle server, client;
  ws_config config = config_of(0);
  config.outbound_bytes = 300000;
  config.outbound_packets = 4;
  open_pair(&config, &server, &client);
  CHECK_EQUAL(put(client, noise, 1 << 20), WS_OK, "an empty queue accepts any message");
  CHECK_EQUAL(put(client, text, 1), WS_ERR_FULL, "the queue is full after it");
  int writable = 0, got = 0;
  ws_packet packet;
  ws_event event;
  for (double end = now_s() + 10; now_s() < end && !(writable && got == 1);) {
    ws_poll(client);
    ws_poll(server);
    while (ws_get_packet(server, &packet) == WS_OK) got++;
    while (ws_next_event(client, &event) == WS_OK) writable += event.type == WS_EVENT_WRITABLE;
  }
  CHECK(writable == 1 && got == 1, "WRITABLE is reported once the message is sent");
  int taken = 0;
  CHECK_EQUAL(put(client, text, 200000), WS_OK, "a long message is accepted");
  while (taken < 20 && put(client, text, 10) == WS_OK) taken++;
  CHECK_EQUAL(taken, 3, "queued messages count towards outbound_packets");
  writable = got = 0;
  for (double end = now_s() + 10; now_s() < end && !(writable && got == 4);) {
    ws_poll(client);
    ws_poll(server);
    while (ws_get_packet(server, &packet) == WS_OK) got++;
    while (ws_next_event(client, &event) == WS_OK) writable += event.type == WS_EVENT_WRITABLE;
  }
  CHECK(writable == 1 && got == 4, "WRITABLE is reported once more");
  CHECK(put(client, text, 200000) == WS_OK && put(client, text, 100000) == WS_OK && put(client, text, 1) == WS_ERR_FULL,
        "queued messages count towards outbound_bytes");
  ws_free(client);
  ws_free(server);
}

/* Messages queued before OPEN are compressed after it, in slices; with WS_COALESCE the messages of a frame are sent in
   one write. */
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
  if (attempt <= 1) CHECK(good && next == 64, "messages queued before OPEN arrive in order");
  if (attempt <= 1)
    CHECK_EQUAL(stats_of(client).compressed_out, 52, "all queued messages over the threshold are compressed");
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
  CHECK(stats_of(client).wire_bytes_out == before && stats_of(client).queued_packets_out == 20,
        "with WS_COALESCE nothing is sent before the flush");
  ws_flush(client);
  CHECK(stats_of(client).wire_bytes_out > before && stats_of(client).wire_bytes_out - before < 20 * 100,
        "ws_flush sends all messages, compressed");
  ws_poll(server);
  CHECK_EQUAL(ws_get_available(server), 20, "all coalesced messages arrive");
  ws_free(client);
  ws_free(server);
}

/* With a full inbound queue no further compressed message is inflated, and nothing is lost once the host reads. */
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
  CHECK(good && stats.queued_packets_in <= 3 && stats.queued_bytes_in < 2u << 20,
        "a full inbound queue inflates no further message");
  CHECK_EQUAL(ws_poll(server), WS_OK, "ws_poll then reports that no work is left");
  for (double end = now_s() + 30; next < COUNT && now_s() < end;) {
    ws_poll(client);
    ws_poll(server);
    good &= take(server, datas, lengths, COUNT, &next);
  }
  CHECK(good && next == COUNT, "all messages arrive in order once the host reads again");
  /* The queue fills again, and the peer closes. */
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
      if (event.type == WS_EVENT_MESSAGE)
        good &= event.packet.len == lengths[next] && !memcmp(event.packet.data, datas[next], lengths[next]), next++;
      if (event.type == WS_EVENT_CLOSED) code = event.code;
    }
  }
  CHECK(good && next == 6 && code == 4000, "the close is reported after all messages");
  ws_free(client);
  ws_free(server);
}

/* The same over sockets: a server's client with a held-back message is served again once its host has read. */
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
  CHECK(good && next == 20, "all messages arrive once the host reads again");
  ws_free(client);
  ws_free(server);
}

/* Frees connections with messages to compress, or with a half-inflated message, in every state. */
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

int main(void) {
  make_payloads();
  MEASURE(long_message("16 MiB of text", 0, 1, text, LONG_BYTES, 0, 0))
  MEASURE(long_message("16 MiB of noise, and a close", WS_CLIENT_NO_CONTEXT_TAKEOVER, 1, noise, LONG_BYTES, 0, 1))
  MEASURE(long_message("16 MiB of zeros, level 9, and a close", 0, 9, zeros, LONG_BYTES, 0, 1))
  MEASURE(long_message("1 MiB of text, level 9", 0, 9, text, 1u << 20, 0, 1))
  MEASURE(long_message("2 MiB of text, level 6", 0, 6, text, 2u << 20, 0, 1))
  MEASURE(long_message("100 000 B in the smallest slices", 0, 1, text, 100000, 1, 0))
  MEASURE(long_message("100 000 B in the smallest slices, and a close", WS_CLIENT_NO_CONTEXT_TAKEOVER, 1, text, 100000,
                       1, 1))
  fragments();
  unsent();
  full();
  MEASURE(early(0))
  MEASURE(early(WS_CLIENT_NO_CONTEXT_TAKEOVER | WS_COALESCE))
  coalesce();
  full_inbound();
  full_inbound_of_server();
  MEASURE(freed())
  free_payloads();
  ws_shutdown();
  FINISH();
}
