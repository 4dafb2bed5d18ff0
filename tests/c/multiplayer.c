/* The multiplayer peer over loopback, in both formats: ids, targets, order, refusals, kicks, full queues, bad input,
   local players. Where the bytes matter, the other end is a plain client or server of this library, which knows nothing
   of ids. What only Godot 3's format has is in multiplayer3.c. */
#include "party.h"

/* ---- both formats ---- */

static void coming_and_going(uint32_t format) {
  ws_config config = config_of(format);
  ws_handle conn;
  size_t count;
  ws_event event;
  start(0, &config, NULL);
  CHECK_EQUAL(ws_get_peer_id(host), 1, "the host has peer id 1");
  add_join(&config);
  CHECK(ws_get_peer_id(joins[0]) == 0 && ws_get_state(joins[0]) == WS_CONNECTING, "a connecting join has no id");
  CHECK_EQUAL(say(joins[0], "early"), WS_ERR_STATE, "nothing can be put before the id has arrived");
  event = next_event(joins[0]);
  ids[0] = ws_get_peer_id(joins[0]);
  CHECK(event.type == WS_EVENT_OPEN && event.peer_id == ids[0] && ids[0] >= 2 && event.http_status == 101,
        "OPEN has the id");
  CHECK_EQUAL(ws_get_state(joins[0]), WS_OPEN, "the state is OPEN");
  event = next_event(joins[0]);
  CHECK(event.type == WS_EVENT_CONNECTED && event.peer_id == 1, "the join reports CONNECTED of the host");
  event = next_event(host);
  CHECK(event.type == WS_EVENT_CONNECTED && event.peer_id == ids[0], "the host reports the same id");
  CHECK_EQUAL(ws_get_peer_id(event.conn), ids[0], "the client's handle has the id");
  CHECK(ws_get_conn(host, ids[0], &conn) == WS_OK && conn == event.conn, "ws_get_conn finds the client by its id");
  CHECK(ws_get_conns(host, &conn, 1, &count) == WS_OK && count == 1 && conn == event.conn, "ws_get_conns lists it");
  CHECK(ws_get_conn(joins[0], 1, &conn) == WS_OK && conn == joins[0],
        "ws_get_conn of a join returns the join for the host");
  CHECK(ws_get_conn(host, 12345, &conn) == WS_ERR_TARGET && ws_get_conn(host, 1, &conn) == WS_ERR_TARGET &&
            ws_get_conn(joins[0], 5, &conn) == WS_ERR_TARGET,
        "ws_get_conn finds no other peers");
  char address[64];
  CHECK(ws_get_text(event.conn, WS_GET_REMOTE_ADDRESS, address, sizeof address, NULL) == WS_OK &&
            !strncmp(address, "127.0.0.1:", 10),
        "a peer has a remote address");
  ws_stats stats;
  CHECK(say(joins[0], "abc") == WS_OK && hears(host, ids[0], "abc"), "a packet has its sender's id");
  CHECK(ws_get_stats(event.conn, &stats, sizeof stats) == WS_OK && stats.messages_in == 1, "a peer has stats");

  CHECK(say(joins[0], "one") == WS_OK && say(joins[0], "two") == WS_OK && ws_close(joins[0], 4001, "bye") == WS_OK,
        "two packets and a close are accepted");
  UNTIL(ws_get_state(event.conn) == WS_CLOSED);
  CHECK(hears(host, ids[0], "one") && hears(host, ids[0], "two"), "packets are readable after the end");
  event = next_event(host);
  CHECK(event.type == WS_EVENT_CLOSE_REQUEST && event.peer_id == ids[0] && event.code == 4001,
        "CLOSE_REQUEST follows the packets");
  CHECK_EQUAL(say_to(host, ids[0], "x"), WS_ERR_STATE, "an ended peer cannot be reached");
  event = next_event(host);
  CHECK(event.type == WS_EVENT_DISCONNECTED && event.peer_id == ids[0] && event.code == 4001 && event.clean,
        "DISCONNECTED is last");
  CHECK(ws_get_conn(host, ids[0], &conn) == WS_OK && ws_get_state(conn) == WS_CLOSED,
        "the handle stays valid until the next poll");
  event = event_of(joins[0], WS_EVENT_CLOSED);
  CHECK(event.type == WS_EVENT_CLOSED && event.peer_id == 1 && event.clean, "the join reports CLOSED");
  UNTIL(ws_get_state(conn) == WS_ERR_HANDLE);
  CHECK(ws_get_conn(host, ids[0], &conn) == WS_ERR_TARGET && say_to(host, ids[0], "x") == WS_ERR_TARGET,
        "the peer is unknown afterwards");
  stop();
}

static void host_targets(uint32_t format) {
  ws_config config = config_of(format);
  start(3, &config, &config);
  CHECK(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2] && ids[0] > 1 && ids[1] > 1 && ids[2] > 1,
        "ids are distinct");
  CHECK(say_to(host, ids[1], "one") == WS_OK && hears(joins[1], 1, "one") && all_quiet(), "the host to one");
  CHECK(say_to(host, 0, "all") == WS_OK && hears(joins[0], 1, "all") && hears(joins[1], 1, "all") &&
            hears(joins[2], 1, "all") && all_quiet(),
        "the host to all");
  CHECK(say(host, "put") == WS_OK && hears(joins[0], 1, "put") && hears(joins[1], 1, "put") &&
            hears(joins[2], 1, "put") && all_quiet(),
        "ws_put_packet to all");
  CHECK(say_to(host, -ids[1], "but") == WS_OK && hears(joins[0], 1, "but") && hears(joins[2], 1, "but") && all_quiet(),
        "the host to all but one");
  CHECK(say_to(host, -1, "me") == WS_OK && hears(joins[0], 1, "me") && hears(joins[1], 1, "me") &&
            hears(joins[2], 1, "me"),
        "the host to all but itself");
  CHECK(say_to(host, -12345, "no") == WS_OK && hears(joins[0], 1, "no") && hears(joins[1], 1, "no") &&
            hears(joins[2], 1, "no"),
        "the host to all but an unknown peer");
  CHECK(say_to(host, 12345, "x") == WS_ERR_TARGET && say_to(host, 1, "x") == WS_ERR_TARGET &&
            say_to(host, INT32_MIN, "x") == WS_ERR_ARG,
        "invalid targets of a host");
  ws_handle conn;
  ws_get_conn(host, ids[2], &conn);
  CHECK(say(conn, "conn") == WS_OK && hears(joins[2], 1, "conn") && all_quiet(), "a put by the client's handle");
  CHECK(say_to(conn, 0, "x") == WS_ERR_KIND && ws_disconnect(conn, 0, 0, NULL) == WS_ERR_KIND &&
            ws_disconnect(joins[0], 1, 0, NULL) == WS_ERR_KIND,
        "a client's handle has no targets");
  CHECK(say_to(joins[0], 1, "to 1") == WS_OK && hears(host, ids[0], "to 1") && all_quiet(), "a join to the host");
  CHECK_EQUAL(say_to(joins[0], INT32_MIN, "x"), WS_ERR_ARG, "INT32_MIN is an invalid target of a join");
  ws_packet packets[2];
  size_t count;
  CHECK(say_to(joins[0], 1, "a") == WS_OK && say_to(joins[0], 1, "b") == WS_OK, "two packets are accepted");
  UNTIL(ws_get_available(host) == 2);
  CHECK(ws_get_packets(host, packets, 2, &count) == WS_OK && count == 2 && packets[1].peer_id == ids[0] &&
            packets[1].data[0] == 'b',
        "packets of a batch have their sender's id");

  uint32_t value;
  CHECK(ws_get_option(host, WS_OPT_TRANSFER_MODE, &value) == WS_OK && value == 2,
        "the default transfer mode is reliable");
  CHECK(ws_set_option(joins[0], WS_OPT_TRANSFER_MODE, 0) == WS_OK &&
            ws_get_option(joins[0], WS_OPT_TRANSFER_MODE, &value) == WS_OK && value == 0,
        "the transfer mode is stored");
  CHECK(ws_set_option(host, WS_OPT_TRANSFER_CHANNEL, 9) == WS_OK &&
            ws_get_option(host, WS_OPT_TRANSFER_CHANNEL, &value) == WS_OK && value == 9,
        "the transfer channel is stored");
  CHECK(ws_set_option(host, WS_OPT_TRANSFER_MODE, 3) == WS_ERR_ARG &&
            ws_set_option(conn, WS_OPT_TRANSFER_MODE, 1) == WS_ERR_KIND,
        "an invalid mode, and a mode of a client's handle, are refused");
  CHECK(ws_get_option(host, WS_OPT_ON_FULL, &value) == WS_OK && value == WS_FULL_DISCONNECT,
        "the default of on_full is WS_FULL_DISCONNECT");
  stop();
}

static void kicks(uint32_t format) {
  ws_config config = config_of(format);
  start(3, &config, &config);
  ws_handle conn;
  ws_event event;
  ws_get_conn(host, ids[0], &conn);
  CHECK(say_to(host, ids[0], "last") == WS_OK && ws_disconnect(host, ids[0], 0, "kicked") == WS_OK,
        "ws_disconnect with a closing handshake");
  CHECK(hears(joins[0], 1, "last"), "packets put before arrive");
  event = event_of(joins[0], WS_EVENT_CLOSED);
  CHECK(event.code == 1000 && event.clean && event.cause == WS_CAUSE_CLOSED_BY_PEER, "the join reports CLOSED_BY_PEER");
  event = event_of(host, WS_EVENT_DISCONNECTED);
  CHECK(event.peer_id == ids[0] && event.clean && event.cause == WS_CAUSE_CLOSED_BY_HOST,
        "the host reports CLOSED_BY_HOST");
  CHECK_EQUAL(ws_disconnect(host, ids[1], -1, NULL), WS_OK, "ws_disconnect with code -1");
  event = event_of(host, WS_EVENT_DISCONNECTED);
  CHECK(event.peer_id == ids[1] && !event.clean && event.cause == WS_CAUSE_DROPPED, "the host reports DROPPED");
  event = event_of(joins[1], WS_EVENT_CLOSED);
  CHECK(event.type == WS_EVENT_CLOSED && !event.clean && event.cause == WS_CAUSE_PEER_GONE,
        "the join reports PEER_GONE");
  CHECK(ws_disconnect(host, 12345, 0, NULL) == WS_ERR_TARGET && ws_disconnect(host, INT32_MIN, 0, NULL) == WS_ERR_ARG,
        "ws_disconnect of an unknown peer");
  CHECK(ws_disconnect(host, -ids[2], 0, NULL) == WS_OK && all_quiet() == (format == 0) &&
            ws_get_state(joins[2]) == WS_OPEN,
        "ws_disconnect of all but the last one");
  while (ws_next_event(joins[2], &event) == WS_OK) {
  }
  CHECK_EQUAL(ws_close(host, 0, NULL), WS_OK, "the host closes");
  event = event_of(joins[2], WS_EVENT_CLOSED);
  CHECK(event.code == 1001 && event.clean, "its last join is closed with 1001");
  event = event_of(host, WS_EVENT_DISCONNECTED);
  CHECK_EQUAL(event.peer_id, ids[2], "the host reports that join's end");
  event = event_of(host, WS_EVENT_CLOSED);
  CHECK(event.type == WS_EVENT_CLOSED && event.conn == host && say(host, "x") == WS_ERR_STATE,
        "the host's CLOSED is last");
  stop();
}

static void refusing(uint32_t format) {
  ws_config config = config_of(format | WS_REFUSE_NEW), join_config = config_of(format);
  start(0, &config, NULL);
  add_join(&join_config);
  ws_event event = event_of(joins[0], WS_EVENT_CLOSED);
  CHECK(event.http_status == 503 && event.phase == WS_PHASE_HTTP, "a refused join reports 503");
  CHECK_EQUAL(ws_get_peer_id(joins[0]), 0, "a refused join has no id");
  CHECK_EQUAL(ws_set_option(host, WS_OPT_REFUSE_NEW, 0), WS_OK, "WS_OPT_REFUSE_NEW is switched off");
  add_join(&join_config);
  UNTIL(ws_get_state(joins[1]) == WS_OPEN);
  CHECK(ws_get_peer_id(joins[1]) >= 2 && event_of(host, WS_EVENT_CONNECTED).peer_id == ws_get_peer_id(joins[1]),
        "the next join is accepted");
  stop();
}

static void full_queue(uint32_t format) {
  ws_config config = config_of(format), join_config = config_of(format);
  config.outbound_bytes = 1 << 20;
  config.max_put_bytes = WS_OFF;
  join_config.inbound_packets = 4;
  static uint8_t block[64 * 1024];
  start(2, &config, &join_config);
  ws_handle conn;
  ws_get_conn(host, ids[0], &conn);
  /* The first join is no longer polled. */
  ws_handle stalled = joins[0];
  joins[0] = joins[1];
  join_count = 1;
  ws_result result = WS_OK;
  int accepted = 0;
  for (; accepted < 2000 && result == WS_OK; accepted += result == WS_OK) {
    result = ws_put_packet_to(host, ids[0], block, sizeof block, WS_BINARY);
    ws_poll(host);
  }
  CHECK(result == WS_ERR_FULL && ws_get_state(conn) == WS_OPEN,
        "a full queue to one peer returns WS_ERR_FULL and keeps the peer");
  CHECK_EQUAL(ws_put_packet(host, block, sizeof block, WS_BINARY), WS_PARTIAL, "a broadcast returns WS_PARTIAL");
  ws_event event = event_of(joins[0], WS_EVENT_MESSAGE);
  CHECK_EQUAL(event.packet.len, sizeof block, "the other join receives the broadcast");
  join_count = 2;
  joins[1] = stalled;
  int received = 0, closed = 0;
  double end = now_s() + 20;
  while (!closed && now_s() < end) {
    poll_all();
    while (ws_next_event(stalled, &event) == WS_OK) {
      received += event.type == WS_EVENT_MESSAGE;
      if (event.type == WS_EVENT_CLOSED) closed = event.code;
    }
  }
  CHECK_EQUAL(received, accepted, "all accepted packets arrive");
  CHECK_EQUAL(closed, 1008, "the stalled join is closed with 1008");
  event = event_of(host, WS_EVENT_DISCONNECTED);
  CHECK(event.peer_id == ids[0] && event.cause == WS_CAUSE_FULL, "the host reports the cause FULL");
  stop();
}

static void local_player(uint32_t format) {
  ws_config config = config_of(format | WS_REFUSE_NEW), plain = config_of(0);
  ws_event event;
  start(0, &config, NULL);
  CHECK_EQUAL(ws_join_local(host, &plain, &joins[0]), WS_OK, "a refusing host accepts its local player");
  join_count = 1;
  ws_poll(host);
  ws_poll(joins[0]);
  ws_poll(host);
  ws_poll(joins[0]);
  int32_t id = ws_get_peer_id(joins[0]);
  CHECK(id >= 2 && ws_get_state(joins[0]) == WS_OPEN, "a local player has an id after two rounds of polls");
  CHECK(next_event(joins[0]).type == WS_EVENT_OPEN && next_event(joins[0]).type == WS_EVENT_CONNECTED,
        "a local player reports OPEN and CONNECTED");
  event = next_event(host);
  CHECK(event.type == WS_EVENT_CONNECTED && event.peer_id == id, "the host reports CONNECTED of the local player");
  ws_set_option(host, WS_OPT_REFUSE_NEW, 0);
  ws_config join_config = config_of(format);
  add_join(&join_config);
  UNTIL(ws_get_state(joins[1]) == WS_OPEN);
  int32_t other = ws_get_peer_id(joins[1]);
  CHECK(other != id && event_of(host, WS_EVENT_CONNECTED).peer_id == other, "a join over a socket connects too");
  if (format)
    CHECK(next_event(joins[0]).peer_id == other && event_of(joins[1], WS_EVENT_CONNECTED).peer_id == 1 &&
              next_event(joins[1]).peer_id == id,
          "the local player and the join learn of each other");
  while (ws_next_event(joins[1], &event) == WS_OK) {
  }
  CHECK(say(host, "all") == WS_OK && hears(joins[0], 1, "all") && hears(joins[1], 1, "all"),
        "a local player receives broadcasts");
  CHECK(say_to(joins[0], 1, "mine") == WS_OK && hears(host, id, "mine"), "the host receives a local player's packet");
  CHECK_EQUAL(ws_wait(&host, 1, 0), WS_EMPTY, "nothing is left to poll for");
  CHECK(say_to(joins[0], 1, "wake") == WS_OK && ws_wait(&host, 1, 1000) == WS_OK && hears(host, id, "wake"),
        "a local player's packet wakes a waiting host");
  CHECK(say_to(host, id, "wake") == WS_OK && ws_wait(&joins[0], 1, 1000) == WS_OK && hears(joins[0], 1, "wake"),
        "the host's packet wakes a waiting local player");
  static uint8_t big[1 << 20];
  CHECK(ws_put_packet(host, big, sizeof big, WS_BINARY) == WS_ERR_TOO_BIG && strstr(why(), "max_put_bytes"),
        "a packet at which Godot would leave is refused while others than local players are there");
  CHECK(ws_put_packet_to(host, id, big, sizeof big, WS_BINARY) == WS_OK &&
            event_of(joins[0], WS_EVENT_MESSAGE).packet.len == sizeof big,
        "a long packet to a local player alone reaches it");
  ws_close(joins[0], 0, NULL);
  event = event_of(host, WS_EVENT_DISCONNECTED);
  CHECK(event.peer_id == id && event.clean && event_of(joins[0], WS_EVENT_CLOSED).clean,
        "a local player closes cleanly");
  ws_handle second;
  CHECK(ws_join_local(joins[1], NULL, &second) == WS_ERR_KIND && ws_join_local(0, NULL, &second) == WS_ERR_HANDLE,
        "ws_join_local needs a host");
  ws_close(host, 0, NULL);
  CHECK_EQUAL(ws_join_local(host, NULL, &second), WS_ERR_STATE, "ws_join_local needs an open host");
  stop();
}

/* ---- Godot 4's format ---- */

static void bytes4(void) {
  ws_config config = config_of(0);
  char url[64];
  start(0, NULL, NULL);
  url_of(host, url, sizeof url);
  ws_connect(url, &config, &joins[0]);
  join_count = 1;
  ws_event event = event_of(joins[0], WS_EVENT_MESSAGE);
  int32_t id = event_of(host, WS_EVENT_CONNECTED).peer_id;
  uint8_t expected[4] = {(uint8_t)id, (uint8_t)(id >> 8), (uint8_t)(id >> 16), (uint8_t)(id >> 24)};
  CHECK(event.packet.type == WS_BINARY && event.packet.len == 4 && !memcmp(event.packet.data, expected, 4),
        "the first message is the id as 4 bytes in little-endian order");
  CHECK(say(host, "\x03\x01\x02") == WS_OK && hears(joins[0], 0, "\x03\x01\x02"),
        "a packet is sent as a message without a header");
  CHECK(say(joins[0], "\x03raw") == WS_OK && hears(host, id, "\x03raw"), "a message is received as a packet");
  CHECK(ws_put_packet(host, (const uint8_t *)"text", 4, WS_TEXT) == WS_OK &&
            event_of(joins[0], WS_EVENT_MESSAGE).packet.type == WS_TEXT,
        "text stays text");
  stop();
}

static void targets4(void) {
  start(2, NULL, NULL);
  int32_t others[] = {0, ids[1], ids[0], -1, -ids[1], 12345, -12345};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
    CHECK(say_to(joins[0], others[i], "x") == WS_ERR_TARGET && strlen(why()) > 8, "a join can reach only the host");
  CHECK(say(joins[0], "to the host") == WS_OK && hears(host, ids[0], "to the host") && all_quiet(),
        "ws_put_packet of a join goes to the host");
  stop();
}

static void early4(void) {
  ws_config config = config_of(WS_QUEUE_BEFORE_OPEN);
  start(0, NULL, NULL);
  add_join(&config);
  CHECK(say(joins[0], "early") == WS_OK && say_to(joins[0], 1, "bird") == WS_OK, "packets are queued before the id");
  UNTIL(ws_get_state(joins[0]) == WS_OPEN);
  ws_event event = next_event(host);
  CHECK(event.type == WS_EVENT_CONNECTED && event.peer_id == ws_get_peer_id(joins[0]),
        "the host first reports CONNECTED");
  CHECK(hears(host, event.peer_id, "early") && hears(host, event.peer_id, "bird"), "the queued packets follow");
  stop();
}

/* A join of a plain server that sends it these messages first. Returns the join's end event; `server` receives the
   server's. */
static ws_event reported_by_host(uint32_t format, const uint8_t *first, size_t len, int32_t type, const uint8_t *second,
                             size_t second_len, ws_event *server) {
  ws_config config = config_of(format);
  config.connect_timeout_ms = len == (size_t)-1 ? 300 : 0;
  char url[64];
  join_count = 0;
  ws_listen("ws://127.0.0.1:0", NULL, &host);
  url_of(host, url, sizeof url);
  ws_join(url, &config, &joins[0]);
  join_count = 1;
  event_of(host, WS_EVENT_CONNECTED);
  if (len != (size_t)-1) ws_put_packet(host, first, len, type);
  if (second) ws_put_packet(host, second, second_len, WS_BINARY);
  ws_event event = event_of(joins[0], WS_EVENT_CLOSED);
  *server = event_of(host, WS_EVENT_DISCONNECTED);
  return event;
}

static void bad_hosts(void) {
  static const uint8_t id4[4] = {2, 0, 0, 0}, id3[13] = {3, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0};
  static const struct {
    const char *name;
    uint32_t format;
    int32_t type;
    size_t len, second_len;
    uint8_t first[16], second[16];
  } cases[] = {
      {"an id of 3 bytes", 0, WS_BINARY, 3, 0, {2, 0, 0}, {0}},
      {"an id of 5 bytes", 0, WS_BINARY, 5, 0, {2, 0, 0, 0, 0}, {0}},
      {"an empty first message", 0, WS_BINARY, 0, 0, {0}, {0}},
      {"the id 1", 0, WS_BINARY, 4, 0, {1, 0, 0, 0}, {0}},
      {"the id 0", 0, WS_BINARY, 4, 0, {0}, {0}},
      {"a negative id", 0, WS_BINARY, 4, 0, {0xFF, 0xFF, 0xFF, 0xFF}, {0}},
      {"an id as text", 0, WS_TEXT, 4, 0, {2, 0, 0, 0}, {0}},
      {"Godot 3: a short header", WS_GODOT3, WS_BINARY, 8, 0, {3, 1, 0, 0, 0, 0, 0, 0}, {0}},
      {"Godot 3: no id after the header", WS_GODOT3, WS_BINARY, 9, 0, {3, 1}, {0}},
      {"Godot 3: the id 1", WS_GODOT3, WS_BINARY, 13, 0, {3, 1, 0, 0, 0, 0, 0, 0, 0, 1}, {0}},
      {"Godot 3: a packet before the id", WS_GODOT3, WS_BINARY, 10, 0, {0, 1}, {0}},
      {"Godot 3: an unknown type", WS_GODOT3, WS_BINARY, 13, 0, {9, 1}, {0}},
      {"Godot 3: Godot 4's id", WS_GODOT3, WS_BINARY, 4, 0, {2}, {0}},
      {"Godot 3: two ids",
       WS_GODOT3,
       WS_BINARY,
       13,
       13,
       {3, 1, 0, 0, 0, 0, 0, 0, 0, 7},
       {3, 1, 0, 0, 0, 0, 0, 0, 0, 8}},
      {"Godot 3: a packet from peer 0", WS_GODOT3, WS_BINARY, 13, 9, {3, 1, 0, 0, 0, 0, 0, 0, 0, 7}, {0}},
  };
  ws_event event, server;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    event = reported_by_host(cases[i].format, cases[i].first, cases[i].len, cases[i].type,
                         cases[i].second_len ? cases[i].second : NULL, cases[i].second_len, &server);
    CHECK(event.code == 1002 && event.cause == WS_CAUSE_MULTIPLAYER && event.phase == WS_PHASE_WEBSOCKET &&
              server.code == 1002,
          cases[i].name);
    stop();
  }
  event = reported_by_host(0, id4, (size_t)-1, WS_BINARY, NULL, 0, &server);
  CHECK(event.cause == WS_CAUSE_CONNECT_TIMEOUT && event.phase == WS_PHASE_WEBSOCKET && ws_get_peer_id(joins[0]) == 0,
        "a host that sends no id leads to CONNECT_TIMEOUT");
  stop();

  /* The id, packets and the end in one read: all are delivered in order. */
  join_count = 0;
  char url[64];
  for (int round = 0; round < 2; round++) {
    ws_config config = config_of(round ? WS_GODOT3 : 0);
    static const uint8_t packet3[] = {0, 9, 0, 0, 0, 7, 0, 0, 0, 'h', 'i'};
    join_count = 0;
    ws_listen("ws://127.0.0.1:0", NULL, &host);
    url_of(host, url, sizeof url);
    ws_join(url, &config, &joins[0]);
    join_count = 1;
    event_of(host, WS_EVENT_CONNECTED);
    if (round) ws_put_packet(host, id3, sizeof id3, WS_BINARY);
    else ws_put_packet(host, id4, sizeof id4, WS_BINARY);
    if (round) ws_put_packet(host, packet3, sizeof packet3, WS_BINARY);
    else say(host, "hi");
    ws_close(host, 0, NULL);
    for (int i = 0; i < 50; i++) ws_poll(host);
    CHECK(next_event(joins[0]).type == WS_EVENT_OPEN && ws_get_peer_id(joins[0]) == (round ? 7 : 2),
          "OPEN with the id, received in one read with the end");
    if (!round) CHECK_EQUAL(next_event(joins[0]).type, WS_EVENT_CONNECTED, "CONNECTED of the host");
    CHECK(hears(joins[0], round ? 9 : 1, "hi"), "the packet");
    CHECK(next_event(joins[0]).type == WS_EVENT_CLOSE_REQUEST && next_event(joins[0]).type == WS_EVENT_CLOSED,
          "CLOSE_REQUEST and CLOSED");
    stop();
  }
}

static void configs(void) {
  ws_handle h;
  ws_config config = config_of(WS_GODOT3);
  CHECK(ws_connect("ws://127.0.0.1:1", &config, &h) == WS_ERR_CONFIG &&
            ws_listen("ws://127.0.0.1:0", &config, &h) == WS_ERR_CONFIG,
        "WS_GODOT3 is only for hosts and joins");
  config = config_of(WS_GODOT3 | WS_QUEUE_BEFORE_OPEN);
  CHECK_EQUAL(ws_join("ws://127.0.0.1:1", &config, &h), WS_ERR_CONFIG, "Godot 3 does not allow WS_QUEUE_BEFORE_OPEN");
  config = config_of(0);
  config.max_message_bytes = 20;
  start(1, &config, &config);
  uint8_t bytes[21] = {0};
  CHECK(ws_put_packet(host, bytes, 20, WS_BINARY) == WS_OK &&
            ws_put_packet(host, bytes, 21, WS_BINARY) == WS_ERR_TOO_BIG,
        "Godot 4: a packet of max_message_bytes");
  stop();
  config.flags = WS_GODOT3;
  start(1, &config, &config);
  CHECK(ws_put_packet(host, bytes, 11, WS_BINARY) == WS_OK &&
            ws_put_packet(host, bytes, 12, WS_BINARY) == WS_ERR_TOO_BIG,
        "Godot 3: the header counts towards max_message_bytes");
  CHECK(ws_put_packet(joins[0], bytes, 11, WS_BINARY) == WS_OK &&
            ws_put_packet(joins[0], bytes, 12, WS_BINARY) == WS_ERR_TOO_BIG,
        "Godot 3: the header counts on a join too");
  CHECK(event_of(joins[0], WS_EVENT_MESSAGE).packet.len == 11 && event_of(host, WS_EVENT_MESSAGE).packet.len == 11,
        "Godot 3: the longest packets arrive");
  stop();
}

int main(void) {
  static const uint32_t formats[] = {0, WS_GODOT3};
  for (int i = 0; i < 2; i++) {
    coming_and_going(formats[i]);
    host_targets(formats[i]);
    kicks(formats[i]);
    refusing(formats[i]);
    full_queue(formats[i]);
    local_player(formats[i]);
  }
  bytes4();
  targets4();
  early4();
  bad_hosts();
  configs();
  ws_shutdown();
  FINISH();
}
