/* No message is lost silently: messages before a close, stalled peers, full queues. Raw peers are in raw.h. */
#include "raw.h"

/* ---- a hundred messages and an end, all read in one poll ---- */

enum ending { BY_CLOSE, BY_FIN, BY_OVERSIZE, BY_RESET };

static size_t hundred(uint8_t *out, enum ending ending, int masked) {
  size_t len = 0;
  for (uint32_t i = 0; i < 100; i++) len += put_frame(out + len, 0x82, &i, sizeof i, masked);
  if (ending == BY_CLOSE) len += put_frame(out + len, 0x88, "\x03\xe8so long", 9, masked);
  if (ending == BY_OVERSIZE) {
    uint8_t head[10] = {0x82, (uint8_t)(masked ? 0xFF : 0x7F), 0, 0, 0, 0, 0x7F, 0, 0, 0};
    memcpy(out + len, head, sizeof head);
    len += sizeof head;
    if (masked) {
      memset(out + len, 0, 4);
      len += 4;
    }
  }
  return len;
}

/* Reads through `h` and checks: 100 messages in order, then the end. `by_packets`: uses ws_get_packet once the state is
   CLOSED. */
static void all_there(ws_handle polled, ws_handle h, enum ending ending, int by_packets, int as_server) {
  ws_event event;
  ws_packet packet;
  uint32_t next = 0;
  int ends = 0, requests = 0, others = 0, code = 0, cause = 0, wrong = 0, after = 0;
  double end = now_s() + 10;
  ws_event last = {0};
  CHECK(ws_get_end(h, &last) == WS_EMPTY && last.type == 0, "ws_get_end is WS_EMPTY before the end");
  while (ws_get_state(h) != WS_CLOSED && now_s() < end) ws_poll(polled);
  CHECK(ws_get_end(h, &last) == WS_OK && last.conn == h, "ws_get_end works before the messages are taken");
  CHECK_EQUAL(ws_get_state(h), WS_CLOSED, "the state is CLOSED first");
  CHECK_EQUAL(ws_get_available(h), 100, "all messages are queued");
  if (by_packets)
    while (ws_get_packet(h, &packet) == WS_OK) wrong += memcmp(packet.data, &next, 4) != 0, next++;
  while (ws_next_event(h, &event) == WS_OK) {
    after += ends > 0;
    if (event.type == WS_EVENT_MESSAGE) wrong += memcmp(event.packet.data, &next, 4) != 0, next++;
    else if (event.type == (as_server ? WS_EVENT_DISCONNECTED : WS_EVENT_CLOSED))
      ends++, code = event.code, cause = event.cause;
    else if (event.type == WS_EVENT_CLOSE_REQUEST) requests++, wrong += next != 100;
    else others++;
  }
  CHECK(next == 100 && wrong == 0, "all 100 are readable, in order");
  CHECK(ends == 1 && after == 0, "then one last event");
  CHECK(last.type == (as_server ? WS_EVENT_DISCONNECTED : WS_EVENT_CLOSED) && last.code == code &&
            last.cause == cause && last.packet.len == 0,
        "it equals the result of ws_get_end");
  CHECK(others <= 1, "there are no other events besides the opening");
  if (ending == BY_CLOSE)
    CHECK(requests == 1 && code == 1000 && cause == WS_CAUSE_CLOSED_BY_PEER, "the close is reported");
  if (ending == BY_FIN) CHECK(code == 1006 && cause == WS_CAUSE_PEER_GONE, "an end without a close is reported");
  if (ending == BY_OVERSIZE) CHECK(code == 1009 && cause == WS_CAUSE_TOO_BIG, "an oversize frame is reported");
}

static void before_the_end(void) {
  static uint8_t bytes[8192];
  char key[32], head[512];
  for (int by_packets = 0; by_packets < 2; by_packets++) {
    for (int ending = BY_CLOSE; ending <= BY_OVERSIZE; ending++) {
      ws_handle client;
      int fd = accept_client(&client, NULL, key);
      size_t len = answer(head, sizeof head, key);
      memcpy(bytes, head, len);
      len += hundred(bytes + len, (enum ending)ending, 0);
      send_all(fd, bytes, len);
      shutdown(fd, SHUT_WR);
      all_there(client, client, (enum ending)ending, by_packets, 0);
      ws_free(client);
      close(fd);

      ws_handle server, conn;
      size_t count;
      if (ws_listen("ws://127.0.0.1:0", NULL, &server) < 0) exit(1);
      fd = open_raw(server);
      ws_get_conns(server, &conn, 1, &count);
      send_all(fd, bytes, hundred(bytes, (enum ending)ending, 1));
      shutdown(fd, SHUT_WR);
      all_there(server, conn, (enum ending)ending, by_packets, 1);
      ws_poll(server);
      CHECK_EQUAL(ws_get_state(conn), WS_ERR_HANDLE, "the client's handle retires in the poll after its last event");
      ws_free(server);
      close(fd);
    }
  }
}

/* ---- peers that do not read ---- */

static size_t drain(int fd, uint32_t *expect, size_t size, int *wrong) {
  /* Unmasked frames of `size` bytes with a 16-bit length, numbered. */
  static uint8_t buffer[1 << 20];
  static size_t have;
  size_t seen = 0;
  ssize_t count;
  if (*expect == 0) have = 0;
  while ((count = recv(fd, buffer + have, sizeof buffer - have, MSG_DONTWAIT)) > 0) {
    have += (size_t)count;
    size_t at = 0;
    while (have - at >= size + 4 && buffer[at] == 0x82) {
      uint32_t number;
      memcpy(&number, buffer + at + 4, 4);
      *wrong += number != *expect;
      (*expect)++;
      seen++;
      at += size + 4;
    }
    memmove(buffer, buffer + at, have - at);
    have -= at;
    if (have > 0 && buffer[0] != 0x82) break;
  }
  return seen;
}

static void stalled_one(void) {
  enum { SIZE = 1000 };
  ws_handle server, conn;
  size_t count;
  if (ws_listen("ws://127.0.0.1:0", NULL, &server) < 0) exit(1);
  int fd = open_raw(server);
  ws_get_conns(server, &conn, 1, &count);
  static uint8_t message[SIZE];
  uint32_t accepted = 0, refused = 0, other = 0;
  for (int i = 0; i < 20000; i++) {
    memcpy(message, &accepted, 4);
    ws_result result = ws_put_packet(conn, message, SIZE, WS_BINARY);
    if (result == WS_OK) accepted++;
    else if (result == WS_ERR_FULL) refused++;
    else other++;
    ws_poll(server);
  }
  CHECK(refused > 0 && other == 0 && accepted > 1000, "a peer that never reads leads to WS_ERR_FULL");
  ws_stats stats;
  ws_get_stats(conn, &stats, sizeof stats);
  CHECK(stats.messages_out == accepted && stats.queued_bytes_out <= 4 * 1024 * 1024 + 2 * SIZE,
        "accepted messages are counted, and the queue is bounded");
  uint32_t seen = 0;
  int wrong = 0, writable = 0;
  ws_event event;
  double end = now_s() + 20;
  while (seen < accepted && now_s() < end) {
    ws_poll(server);
    drain(fd, &seen, SIZE, &wrong);
    while (ws_next_event(conn, &event) == WS_OK) writable += event.type == WS_EVENT_WRITABLE;
  }
  CHECK(seen == accepted && wrong == 0, "all accepted messages arrive in order once the peer reads");
  CHECK_EQUAL(writable, 1, "WRITABLE is reported once");
  CHECK_EQUAL(ws_put_packet(conn, message, SIZE, WS_BINARY), WS_OK, "messages are accepted again");
  close(fd);
  ws_free(server);
}

static void stalled_among_others(void) {
  enum { SIZE = 4000, SENDS = 8000 }; /* more than the socket buffers and the queue hold together */
  ws_handle server, clients[2], conns[3];
  size_t count;
  server = open_server(NULL, NULL, clients, 2);
  int fd = open_raw(server);
  ws_get_conns(server, conns, 3, &count);
  CHECK_EQUAL(count, 3, "three clients are connected");
  static uint8_t message[SIZE];
  uint32_t partial = 0, whole = 0, other = 0, got[2] = {0, 0};
  int wrong = 0;
  ws_packet packet;
  double end = now_s() + 60;
  for (uint32_t i = 0; i < SENDS; i++) {
    memcpy(message, &i, 4);
    ws_result result = ws_put_packet(server, message, SIZE, WS_BINARY);
    if (result == WS_OK) whole++;
    else if (result == WS_PARTIAL) partial++;
    else other++;
    ws_poll(server);
    for (int k = 0; k < 2; k++) {
      ws_poll(clients[k]);
      while (ws_get_packet(clients[k], &packet) == WS_OK) wrong += memcmp(packet.data, &got[k], 4) != 0, got[k]++;
    }
  }
  while ((got[0] < SENDS || got[1] < SENDS) && now_s() < end) {
    ws_poll(server);
    for (int k = 0; k < 2; k++) {
      ws_poll(clients[k]);
      while (ws_get_packet(clients[k], &packet) == WS_OK) wrong += memcmp(packet.data, &got[k], 4) != 0, got[k]++;
    }
  }
  CHECK(got[0] == SENDS && got[1] == SENDS && wrong == 0, "the clients that read receive all 8000");
  CHECK(partial > 0 && other == 0 && whole + partial == SENDS, "puts that skip a client return WS_PARTIAL");
  ws_stats stats;
  ws_get_stats(server, &stats, sizeof stats);
  CHECK_EQUAL(stats.skipped, partial, "skipped messages are counted");
  int skipped_events = 0;
  ws_event event;
  while (ws_next_event(server, &event) == WS_OK) skipped_events += event.type == WS_EVENT_SKIPPED;
  CHECK_EQUAL(skipped_events, 1, "one SKIPPED event for the stall");
  uint32_t seen = 0;
  size_t arrived = 0;
  for (uint32_t before = 1; (seen != before || arrived < whole) && now_s() < end;) {
    before = seen;
    int ignored = 0;
    ws_poll(server);
    arrived += drain(fd, &seen, SIZE, &ignored);
  }
  CHECK_EQUAL(arrived, whole, "the stalled client receives all messages that were not skipped");
  close(fd);
  ws_free(server);
  ws_free(clients[0]);
  ws_free(clients[1]);
}

static void policies(void) {
  for (uint32_t policy = WS_FULL_DISCONNECT; policy <= WS_FULL_ALL_OR_NONE; policy++) {
    ws_config config;
    ws_config_init(&config, sizeof config);
    config.on_full = policy;
    config.outbound_bytes = 100000;
    ws_handle server, conn;
    size_t count;
    if (ws_listen("ws://127.0.0.1:0", &config, &server) < 0) exit(1);
    int fd = open_raw(server);
    ws_get_conns(server, &conn, 1, &count);
    static uint8_t message[20000];
    ws_result result = WS_OK;
    for (int i = 0; i < 2000 && result == WS_OK; i++) {
      result = ws_put_packet(server, message, sizeof message, WS_BINARY);
      ws_poll(server);
    }
    if (policy == WS_FULL_DISCONNECT) {
      CHECK(result == WS_PARTIAL && ws_get_state(conn) >= WS_CLOSING, "WS_FULL_DISCONNECT closes the stalled client");
      close(fd);
      ws_event event;
      int cause = 0;
      double end = now_s() + 10;
      while (!cause && now_s() < end) {
        ws_poll(server);
        while (ws_next_event(server, &event) == WS_OK)
          if (event.type == WS_EVENT_DISCONNECTED) cause = event.cause;
      }
      CHECK(cause == WS_CAUSE_FULL || cause == WS_CAUSE_RESET, "its end event has the cause");
    } else {
      CHECK(result == WS_ERR_FULL && ws_get_state(conn) == WS_OPEN, "WS_FULL_ALL_OR_NONE refuses the broadcast");
      close(fd);
    }
    ws_free(server);
  }
}

/* ---- closing ---- */

static void put_and_close(void) {
  ws_handle server, client, conn;
  size_t count;
  server = open_server(NULL, NULL, &client, 1);
  ws_get_conns(server, &conn, 1, &count);
  static uint8_t message[3000];
  uint32_t put = 0;
  while (put < 1000 && ws_put_packet(client, message, sizeof message, WS_BINARY) == WS_OK) put++;
  ws_close(client, 1000, "done");
  CHECK_EQUAL(ws_put_packet(client, message, 1, WS_BINARY), WS_ERR_STATE, "puts after ws_close are refused");
  uint32_t got = 0, unsent = 99;
  int clean = 0;
  ws_event event;
  ws_packet packet;
  double end = now_s() + 20;
  while (!clean && now_s() < end) {
    ws_poll(client);
    ws_poll(server);
    while (ws_get_packet(conn, &packet) == WS_OK) got++;
    while (ws_next_event(client, &event) == WS_OK)
      if (event.type == WS_EVENT_CLOSED) unsent = event.unsent, clean = event.clean ? 1 : -1;
  }
  CHECK(put == 1000 && got == put && unsent == 0 && clean == 1, "all messages put before ws_close arrive");
  ws_free(client);
  ws_free(server);

  ws_config config;
  ws_config_init(&config, sizeof config);
  config.close_timeout_ms = 300;
  if (ws_listen("ws://127.0.0.1:0", &config, &server) < 0) exit(1);
  int fd = open_raw(server);
  ws_get_conns(server, &conn, 1, &count);
  uint32_t accepted = 0;
  static uint8_t numbered[1000];
  for (;; accepted++) {
    memcpy(numbered, &accepted, 4);
    if (ws_put_packet(conn, numbered, sizeof numbered, WS_BINARY) != WS_OK) break;
  }
  ws_close(conn, 1000, "");
  int cause = 0;
  end = now_s() + 10;
  while (!cause && now_s() < end) {
    ws_poll(server);
    while (ws_next_event(conn, &event) == WS_OK)
      if (event.type == WS_EVENT_DISCONNECTED) cause = event.cause, unsent = event.unsent;
  }
  uint32_t seen = 0;
  int wrong = 0;
  char byte;
  end = now_s() + 5;
  for (int over = 0; !over && now_s() < end;) {
    drain(fd, &seen, sizeof numbered, &wrong);
    ssize_t left = recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
    over = left == 0 || (left < 0 && errno != EAGAIN);
    struct pollfd wait = {fd, POLLIN, 0};
    if (!over) poll(&wait, 1, 10);
  }
  CHECK(cause == WS_CAUSE_CLOSE_TIMEOUT && unsent > 0,
        "a close to a stalled peer ends by its timeout with unsent messages");
  printf("figure: %u accepted, %u unsent, %u arrived\n", accepted, unsent, seen);
  CHECK(seen + unsent == accepted && wrong == 0, "the unsent count is exact");
  close(fd);
  ws_free(server);
}

/* An end of stream that arrives with the last bytes must not be missed by edge-triggered readiness. */
static void fin_with_data(void) {
  ws_handle server;
  if (ws_listen("ws://127.0.0.1:0", NULL, &server) < 0) exit(1);
  int right = 0;
  for (int i = 0; i < 200; i++) {
    int fd = open_raw(server);
    uint8_t frame[16];
    send_all(fd, frame, put_frame(frame, 0x82, "x", 1, 1));
    shutdown(fd, SHUT_WR);
    ws_event event;
    int got = 0, ended = 0;
    for (double end = now_s() + 5; !ended && now_s() < end;) {
      ws_poll(server);
      while (ws_next_event(server, &event) == WS_OK) {
        got += event.type == WS_EVENT_MESSAGE;
        ended += event.type == WS_EVENT_DISCONNECTED;
      }
    }
    right += got == 1 && ended == 1;
    close(fd);
  }
  CHECK_EQUAL(right, 200, "200 of 200 ends that arrived with the last bytes are detected");
  ws_free(server);
}

int main(void) {
  before_the_end();
  stalled_one();
  stalled_among_others();
  policies();
  put_and_close();
  fin_with_data();
  ws_shutdown();
  FINISH();
}
