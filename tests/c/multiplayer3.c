/* Godot 3's format over loopback: its bytes, relaying by the host, malicious joins, floods. */
#include "party.h"

static uint8_t frame[64];

/* Writes a message in Godot 3's format to `frame`. */
static size_t frame3(uint8_t kind, int32_t from, int32_t to, const char *words) {
  frame[0] = kind;
  for (int i = 0; i < 4; i++) {
    frame[1 + i] = (uint8_t)((uint32_t)from >> 8 * i);
    frame[5 + i] = (uint8_t)((uint32_t)to >> 8 * i);
  }
  memcpy(frame + 9, words, strlen(words));
  return 9 + strlen(words);
}

/* The next event is a message that equals `frame`. */
static int gets_frame(ws_handle h, size_t len) {
  ws_event event = next_event(h);
  return event.type == WS_EVENT_MESSAGE && event.packet.len == len && !memcmp(event.packet.data, frame, len);
}

/* The next event is the host's system message of that kind about an id. */
static int gets_id(ws_handle h, uint8_t kind, int32_t id) {
  char bytes[5] = {0};
  frame3(kind, 1, 0, "");
  for (int i = 0; i < 4; i++) bytes[i] = (char)((uint32_t)id >> 8 * i);
  memcpy(frame + 9, bytes, 4);
  return gets_frame(h, 13);
}

/* Adds a plain client of the host. Returns its id. */
static int32_t add_raw(int place) {
  char url[64];
  url_of(host, url, sizeof url);
  ws_connect(url, NULL, &joins[place]);
  if (place >= join_count) join_count = place + 1;
  return event_of(host, WS_EVENT_CONNECTED).peer_id;
}

static void bytes3(void) {
  ws_config config = config_of(WS_GODOT3);
  start(0, &config, NULL);
  ids[0] = add_raw(0);
  CHECK(event_of(joins[0], WS_EVENT_OPEN).type == WS_EVENT_OPEN && gets_id(joins[0], 3, ids[0]) &&
            gets_id(joins[0], 1, 1),
        "SYS_ID, then SYS_ADD of the host");
  ids[1] = add_raw(1);
  CHECK(event_of(joins[1], WS_EVENT_OPEN).type == WS_EVENT_OPEN && gets_id(joins[1], 3, ids[1]) &&
            gets_id(joins[1], 1, 1) && gets_id(joins[1], 1, ids[0]),
        "SYS_ADD of the connected peers");
  CHECK(gets_id(joins[0], 1, ids[1]), "SYS_ADD of the new peer to the others");
  size_t len = frame3(0, ids[0], ids[1], "\x04mine");
  CHECK(ws_put_packet(joins[0], frame, len, WS_BINARY) == WS_OK && gets_frame(joins[1], len) && all_quiet(),
        "a packet to one peer is relayed unchanged, and only to that peer");
  len = frame3(0, ids[0], 0, "all");
  CHECK(ws_put_packet(joins[0], frame, len, WS_BINARY) == WS_OK && gets_frame(joins[1], len) &&
            hears(host, ids[0], "all") && all_quiet(),
        "a packet to all is relayed, and delivered to the host");
  len = frame3(0, ids[0], -1, "not 1");
  CHECK(ws_put_packet(joins[0], frame, len, WS_BINARY) == WS_OK && gets_frame(joins[1], len) && all_quiet(),
        "a packet to all but the host");
  len = frame3(0, ids[0], -ids[1], "not B");
  CHECK(ws_put_packet(joins[0], frame, len, WS_BINARY) == WS_OK && hears(host, ids[0], "not B") && all_quiet(),
        "a packet to all but one");
  len = frame3(0, ids[0], 1, "");
  CHECK(ws_put_packet(joins[0], frame, len, WS_BINARY) == WS_OK && hears(host, ids[0], "") && all_quiet(),
        "an empty packet to the host");
  CHECK_EQUAL(say_to(host, ids[0], "one"), WS_OK, "the host to one");
  len = frame3(0, 1, ids[0], "one");
  CHECK(gets_frame(joins[0], len), "a packet of the host to one has the header");
  CHECK_EQUAL(say_to(host, -ids[0], "but"), WS_OK, "to all but one");
  len = frame3(0, 1, -ids[0], "but");
  CHECK(gets_frame(joins[1], len) && all_quiet(), "a packet of the host to all but one has the header");
  ws_close(joins[1], 0, NULL);
  CHECK(gets_id(joins[0], 2, ids[1]), "SYS_DEL of a peer that left");
  stop();
}

static void others3(void) {
  ws_config config = config_of(WS_GODOT3);
  start(2, &config, &config);
  CHECK(say_to(joins[0], ids[1], "you") == WS_OK && hears(joins[1], ids[0], "you") && all_quiet(), "a join to another");
  CHECK(say(joins[1], "all") == WS_OK && hears(joins[0], ids[1], "all") && hears(host, ids[1], "all") && all_quiet(),
        "ws_put_packet to all");
  CHECK(say_to(joins[1], -1, "not 1") == WS_OK && hears(joins[0], ids[1], "not 1") && all_quiet(),
        "to all but the host");
  CHECK(say_to(joins[1], -ids[0], "not 0") == WS_OK && hears(host, ids[1], "not 0") && all_quiet(), "to all but one");
  CHECK(say_to(joins[0], 12345, "x") == WS_ERR_TARGET && say_to(joins[0], ids[0], "x") == WS_ERR_TARGET,
        "an unknown target, and the sender itself");
  CHECK(ws_put_packet(joins[0], (const uint8_t *)"x", 1, WS_TEXT) == WS_ERR_ARG &&
            ws_put_packet(host, (const uint8_t *)"x", 1, WS_TEXT) == WS_ERR_ARG,
        "text is refused");
  add_join(&config);
  UNTIL(ws_get_state(joins[2]) == WS_OPEN);
  int32_t third = ws_get_peer_id(joins[2]);
  ws_event event = next_event(joins[0]);
  CHECK(event.type == WS_EVENT_CONNECTED && event.peer_id == third && next_event(joins[1]).peer_id == third,
        "the others report CONNECTED of a new join");
  event_of(joins[2], WS_EVENT_OPEN);
  int32_t first = next_event(joins[2]).peer_id, second = next_event(joins[2]).peer_id,
          last = next_event(joins[2]).peer_id;
  CHECK(first == 1 && second + last == ids[0] + ids[1] && second != last,
        "the new join reports CONNECTED of the host and the others");
  CHECK(say_to(joins[2], ids[0], "bye") == WS_OK && ws_close(joins[2], 0, NULL) == WS_OK,
        "the new join sends a packet and closes");
  CHECK(hears(joins[0], third, "bye"), "its packet is delivered first");
  event = next_event(joins[0]);
  CHECK(event.type == WS_EVENT_DISCONNECTED && event.peer_id == third && ws_get_state(joins[0]) == WS_OPEN,
        "DISCONNECTED follows");
  CHECK_EQUAL(say_to(joins[0], third, "x"), WS_ERR_TARGET, "a peer that left is not a valid target");
  ws_handle conn;
  ws_get_conn(host, ids[1], &conn);
  ws_free(conn);
  event = next_event(joins[0]);
  CHECK(event.type == WS_EVENT_DISCONNECTED && event.peer_id == ids[1],
        "freeing a client at the host is reported to the others");
  stop();
}

static void bad_joins3(void) {
  ws_config config = config_of(WS_GODOT3);
  start(1, &config, &config);
  static const char *names[] = {"a forged `from` of another peer",
                                "a forged `from` of the host",
                                "a truncated header",
                                "an empty message",
                                "a system message about an id",
                                "text",
                                "the target INT32_MIN"};
  for (int i = 0; i < 7; i++) {
    int32_t id = add_raw(1);
    size_t len = frame3(i == 4 ? 1 : 0, i == 0 ? ids[0] : i == 1 ? 1 : id, i == 6 ? INT32_MIN : 0, "abcd");
    if (i == 2) len = 8;
    if (i == 3) len = 0;
    if (i == 5) memset(frame, 'x', len);
    CHECK_EQUAL(next_event(joins[0]).peer_id, id, "the others see the malicious client connect");
    ws_put_packet(joins[1], frame, len, i == 5 ? WS_TEXT : WS_BINARY);
    frame3(0, id, 0, "not believed");
    ws_put_packet(joins[1], frame, 21, WS_BINARY);
    ws_event event = event_of(joins[1], WS_EVENT_CLOSED);
    CHECK_EQUAL(event.code, 1002, names[i]);
    event = next_event(host);
    CHECK(event.type == WS_EVENT_DISCONNECTED && event.peer_id == id && event.cause == WS_CAUSE_MULTIPLAYER &&
              event.code == 1002,
          "the host reports the cause, and delivers nothing of that client");
    CHECK(next_event(joins[0]).type == WS_EVENT_DISCONNECTED && say_to(joins[0], 1, "fine") == WS_OK &&
              hears(host, ids[0], "fine") && all_quiet(),
          "other peers are not affected");
    ws_free(joins[1]);
    join_count = 1;
  }
  /* Packets to an unknown peer raise one counted event until it is read; no connection is closed. */
  int32_t id = add_raw(1);
  next_event(joins[0]);
  size_t len = frame3(0, id, 99, "lost");
  for (int i = 0; i < 5; i++) ws_put_packet(joins[1], frame, len, WS_BINARY);
  len = frame3(0, id, 1, "kept");
  ws_put_packet(joins[1], frame, len, WS_BINARY);
  UNTIL(ws_get_available(host) == 1);
  ws_event event = next_event(host);
  CHECK(event.type == WS_EVENT_ERROR && event.cause == WS_CAUSE_NO_PEER && event.peer_id == id && event.count == 5 &&
            strstr((const char *)event.packet.data, "99"),
        "packets to an unknown peer are counted in one event");
  CHECK(hears(host, id, "kept") && ws_get_state(joins[1]) == WS_OPEN, "their sender stays connected");
  stop();
}

static void many_passed_on(void) {
  enum { COUNT = 20000 };
  ws_config config = config_of(WS_GODOT3);
  start(3, &config, &config);
  int sent = 0, to_two = 0, to_one = 0, to_host = 0, in_order = 1;
  double end = now_s() + 30;
  while ((to_two < COUNT || to_one < COUNT || to_host < COUNT) && now_s() < end) {
    char words[16];
    for (int i = 0; i < 50 && sent < COUNT; i++, sent++) {
      snprintf(words, sizeof words, "%d", sent);
      if (say(joins[0], words) != WS_OK) break;
    }
    poll_all();
    ws_packet packet;
    struct {
      ws_handle h;
      int *count;
    } readers[] = {{host, &to_host}, {joins[1], &to_one}, {joins[2], &to_two}};
    for (int r = 0; r < 3; r++)
      while (ws_get_packet(readers[r].h, &packet) == WS_OK) {
        snprintf(words, sizeof words, "%d", (*readers[r].count)++);
        in_order &= packet.peer_id == ids[0] && packet.len == strlen(words) && !memcmp(packet.data, words, packet.len);
      }
  }
  CHECK(to_host == COUNT && to_one == COUNT && to_two == COUNT && in_order, "20000 broadcasts reach everyone in order");
  ws_stats stats;
  ws_get_stats(host, &stats, sizeof stats);
  printf("figure: longest poll of a host that passes on: %llu us\n", (unsigned long long)stats.longest_poll_us);
  stop();
}

/* Packets waiting to be relayed count towards their sender's inbound queue, so that a flood is no longer read, and all
   of it arrives. */
static void flood_to_pass_on(void) {
  enum { COUNT = 500 };
  ws_config host_config = config_of(WS_GODOT3), join_config = config_of(WS_GODOT3);
  host_config.inbound_packets = 8;
  start(2, &host_config, &join_config);
  int sent = 0, got = 0;
  while (sent < COUNT && say_to(joins[0], ids[1], "pass on") == WS_OK) sent++;
  ws_stats stats = {0};
  for (double end = now_s() + 10; got < sent && now_s() < end;) {
    ws_packet packet;
    poll_all();
    while (ws_get_packet(joins[1], &packet) == WS_OK) got++;
  }
  ws_get_stats(host, &stats, sizeof stats);
  CHECK(sent == COUNT && got == COUNT, "all packets of a flood are relayed");
  CHECK(stats.inbound_stalls > 0, "reading stops while the sender's queue is full");
  stop();
}

/* A host that announces and removes many peers: the present peers are reported, cancelled announcements are counted,
   and packets still arrive. */
static void flood_of_names3(void) {
  ws_config config = config_of(WS_GODOT3);
  char url[64];
  uint8_t message[13] = {3, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0};
  join_count = 0;
  ws_listen("ws://127.0.0.1:0", NULL, &host);
  url_of(host, url, sizeof url);
  ws_join(url, &config, &joins[0]);
  join_count = 1;
  event_of(host, WS_EVENT_CONNECTED);
  ws_put_packet(host, message, sizeof message, WS_BINARY);
  message[0] = 1;
  int sent = 0;
  double end = now_s() + 20;
  while (sent < 15000 && now_s() < end) {
    /* The last 5,000 messages remove the second half of the peers. */
    const int name = sent < 10000 ? sent : sent - 5000;
    message[0] = sent < 10000 ? 1 : 2;
    message[9] = (uint8_t)(name + 100);
    message[10] = (uint8_t)((name + 100) >> 8);
    sent += ws_put_packet(host, message, sizeof message, WS_BINARY) == WS_OK;
    if (sent % 100 == 0) poll_all();
  }
  frame3(0, 1, 0, "end");
  ws_put_packet(host, frame, 12, WS_BINARY);
  UNTIL(ws_get_available(joins[0]) == 1);
  ws_event event;
  uint64_t reported = 0, events = 0;
  int there = 0;
  while (ws_next_event(joins[0], &event) == WS_OK && event.type != WS_EVENT_MESSAGE) {
    events++;
    if (event.type == WS_EVENT_CONNECTED || event.type == WS_EVENT_DISCONNECTED) reported++;
    if (event.type == WS_EVENT_SKIPPED) reported += event.count;
    there += event.type == WS_EVENT_CONNECTED;
    there -= event.type == WS_EVENT_DISCONNECTED;
  }
  CHECK(sent == 15000 && reported == 15000 && event.type == WS_EVENT_MESSAGE,
        "every announcement is reported or counted");
  CHECK(there == 5000 && events < 5000 + 4096, "the present peers are reported, and few of the others");
  stop();
}

int main(void) {
  bytes3();
  others3();
  bad_joins3();
  many_passed_on();
  flood_to_pass_on();
  flood_of_names3();
  ws_shutdown();
  FINISH();
}
