/* Godot 4's scene as bytes, and bad input: the other end is a plain client or server of this library, which knows
   nothing of scenes. */
#include "scene.h"

static ws_handle plain_client(int32_t *id) {
  ws_handle h;
  char url[64];
  ws_get_text(host, WS_GET_URL, url, sizeof url, NULL);
  if (ws_connect(url, NULL, &h) != WS_OK) exit(1);
  joins[join_count++] = h;
  ws_event event = event_of(h, WS_EVENT_MESSAGE);
  *id = event.packet.len == 4 ? (int32_t)(event.packet.data[0] | event.packet.data[1] << 8 |
                                          event.packet.data[2] << 16 | (uint32_t)event.packet.data[3] << 24)
                              : 0;
  return h;
}

/* Sends bytes given in hexadecimal; "A" to "H" are the ids of the first to eighth join. */
static size_t bytes_of(const char *text, uint8_t *out) {
  size_t len = 0;
  for (; *text; text++) {
    if (*text == ' ') continue;
    if (*text >= 'A' && *text <= 'H') {
      for (int i = 0; i < 4; i++) out[len++] = (uint8_t)((uint32_t)ids[*text - 'A'] >> 8 * i);
      continue;
    }
    unsigned byte;
    sscanf(text++, "%2x", &byte);
    out[len++] = (uint8_t)byte;
  }
  return len;
}

static ws_result send(ws_handle h, const char *text) {
  static uint8_t bytes[4096];
  size_t len = bytes_of(text, bytes);
  return ws_put_packet(h, bytes, len, WS_BINARY);
}

/* The next message equals these bytes. */
static int comes(ws_handle h, const char *text) {
  static uint8_t bytes[4096];
  size_t len = bytes_of(text, bytes);
  ws_event event = event_of(h, WS_EVENT_MESSAGE);
  int good = event.packet.len == len && !memcmp(event.packet.data, bytes, len);
  if (!good) {
    printf("# wanted %s, came ", text);
    for (size_t i = 0; i < event.packet.len; i++) printf("%02x", event.packet.data[i]);
    printf("\n");
  }
  return good;
}

/* Captured between Godot 4.6.3 and its own server: the node /root/Game with the RPCs hello, noargs and raw. */
#define SIMPLIFY "01 3563306561393836326431653934306135386531653130393565656331303734 00 01000000 47616d6500"

static void bytes_of_a_host(void) {
  ws_variant items[8], two[2] = {integer(5), string("hi")};
  start_scene(0, WS_SCENE);
  ws_handle a = plain_client(&ids[0]);
  ws_handle b = plain_client(&ids[1]);
  event_of(host, WS_EVENT_CONNECTED);
  event_of(host, WS_EVENT_CONNECTED);
  CHECK(comes(a, "0701 B") && comes(b, "0701 A"), "each client receives ADD of the other");
  CHECK(send(a, "0703 B 03 010203") == WS_OK && comes(b, "0703 A 03 010203"), "a packet is relayed to one");
  CHECK(send(a, "0703 00000000 03 07") == WS_OK && comes(b, "0703 A 03 07"), "a packet is relayed to all");
  CHECK(send(a, "0703 ffffffff 03 08") == WS_OK && comes(b, "0703 A 03 08"), "a packet is relayed to all but the host");
  CHECK(hears(host, ids[0], "\x07") && send(a, "03 040506") == WS_OK && hears(host, ids[0], "\x04\x05\x06"),
        "the host receives packets to all and to itself");
  CHECK(say_to(host, 0, "\xaa") == WS_OK && comes(a, "03 aa") && comes(b, "03 aa"), "raw bytes from the host");
  CHECK(call(host, ids[0], "noargs", NULL, 0) == WS_OK && comes(a, SIMPLIFY) && comes(a, "a0 06000080 01 47616d6500"),
        "a call sends the path and calls by path before it is confirmed");
  CHECK(send(a, "02 01 01000000") == WS_OK && say_to(host, ids[0], "x") == WS_OK && comes(a, "03 78"),
        "the client confirms the path");
  for (int i = 0; i < 20; i++) poll_all();
  CHECK(call(host, ids[0], "hello", two, 2) == WS_OK && comes(a, "00 01 00 02 0205 04000000 02000000 68690000"),
        "a call uses the node id after the confirmation");
  CHECK(call(host, 0, "noargs", NULL, 0) == WS_OK && comes(a, "a0 01000000 01") && comes(b, SIMPLIFY) &&
            comes(b, "a0 06000080 01 47616d6500"),
        "a call to all uses the node id for one and the path for the other");
  CHECK(send(b, SIMPLIFY) == WS_OK && comes(b, "02 01 01000000"), "a path of a client is confirmed");
  CHECK(send(b, "80 01 02 dead") == WS_OK && called(host, ids[1], "raw", items, 8) && items[0].count == 2,
        "a client calls by node id");
  CHECK(send(b, "20 1b000080 00 02 03000000 0000c03f 05000000 0000803f 00000040 47616d6500") == WS_OK &&
            called(host, ids[1], "hello", items, 8),
        "a client calls by path");
  CHECK(items[0].number[0] == 1.5 && items[1].type == WS_VARIANT_VECTOR2 && items[1].number[1] == 2,
        "the call has its arguments");
  CHECK(send(b, "90 0100 01") == WS_OK && called(host, ids[1], "noargs", items, 8) &&
            send(b, "e0 01000000 0100") == WS_OK && called(host, ids[1], "noargs", items, 8),
        "node and method ids of every width are read");
  CHECK(ws_close(b, 0, NULL) == WS_OK && comes(a, "0702 B"), "the other client receives DEL of a peer that left");
  CHECK(event_of(host, WS_EVENT_DISCONNECTED).peer_id == ids[1] && send(a, "0703 B 03 01") == WS_OK &&
            erred(host, WS_CAUSE_NO_PEER, ids[0], 1),
        "a packet to a peer that left is reported as NO_PEER");
  CHECK(send(a, "04") == WS_OK && erred(host, WS_CAUSE_UNSUPPORTED, ids[0], 1), "replication is reported");
  CHECK(send(a, "05 0102") == WS_OK && send(a, "06 00") == WS_OK && send(a, "03 01") == WS_OK &&
            hears(host, ids[0], "\x01"),
        "and only once");
  CHECK(send(a, "01 3563306561393836326431653934306135386531653130393565656331303734 00 09000000 47616d6500") ==
                WS_OK &&
            comes(a, "02 01 09000000"),
        "another node id for the path is confirmed");
  CHECK(send(a, "00 09 00 01 18000100 a10500f905000000") == WS_OK && erred(host, WS_CAUSE_UNSUPPORTED, ids[0], 1),
        "an Object argument is reported as UNSUPPORTED");
  CHECK(send(a, "0700") == WS_OK && send(a, "03 02") == WS_OK && hears(host, ids[0], "\x02"),
        "an unexpected authentication packet is ignored");
  CHECK(send(a, "01 3563306561393836326431653934306135386531653130393565656331303735 00 0a000000 47616d6500") ==
                WS_OK &&
            comes(a, "02 00 0a000000"),
        "a different checksum is refused");
  CHECK(erred(host, WS_CAUSE_CHECKSUM, ids[0], 1) && ws_get_state(a) == WS_OPEN,
        "the host reports CHECKSUM and keeps the client");
  stop();
}

static void bytes_of_a_join(void) {
  ws_handle conn, join;
  ws_variant items[8];
  ws_config config = config_of(WS_SCENE);
  char url[64];
  if (ws_listen("ws://127.0.0.1:0", NULL, &host) != WS_OK) exit(1);
  ws_get_text(host, WS_GET_URL, url, sizeof url, NULL);
  ws_join(url, &config, &join);
  joins[0] = join;
  join_count = 1;
  conn = event_of(host, WS_EVENT_CONNECTED).conn;
  ids[0] = 0x05a5c976;
  ids[1] = 0x67dc5c56;
  CHECK(send(conn, "A") == WS_OK && reported(join, WS_EVENT_OPEN, ids[0]) && reported(join, WS_EVENT_CONNECTED, 1),
        "the id opens the join");
  CHECK_EQUAL(ws_declare_node(join, "Game", "hello, noargs, raw"), WS_OK, "a node is declared");
  CHECK(send(conn, "0701 B") == WS_OK && reported(join, WS_EVENT_CONNECTED, ids[1]), "ADD of another peer is reported");
  CHECK(say_to(join, 1, "\x04\x05\x06") == WS_OK && comes(conn, "03 040506"), "raw bytes to the host");
  CHECK(say_to(join, ids[1], "\x01") == WS_OK && comes(conn, "0703 B 03 01"), "raw bytes to another peer");
  CHECK(say_to(join, 0, "\x02") == WS_OK && comes(conn, "0703 00000000 03 02") &&
            say_to(join, -1, "\x07\x08\x09") == WS_OK && comes(conn, "0703 ffffffff 03 070809"),
        "raw bytes to all, and to all but the host");
  CHECK(call(join, 0, "noargs", NULL, 0) == WS_OK && comes(conn, SIMPLIFY) && comes(conn, "0703 B" SIMPLIFY),
        "a call to all sends the path to both");
  CHECK(comes(conn, "a0 06000080 01 47616d6500") && comes(conn, "0703 B a0 06000080 01 47616d6500"),
        "a call to all calls both by path");
  CHECK(send(conn, "02 01 01000000") == WS_OK && send(conn, "0703 B 02 01 01000000") == WS_OK, "both confirm the path");
  CHECK(send(conn, "0703 B 03 77") == WS_OK && hears(join, ids[1], "w"), "relayed raw bytes of another peer");
  CHECK(call(join, 0, "noargs", NULL, 0) == WS_OK && comes(conn, "80 01 01") && comes(conn, "0703 B 80 01 01"),
        "a call to all uses the node id after the confirmations");
  CHECK(send(conn, "0703 B" SIMPLIFY) == WS_OK && comes(conn, "0703 B 02 01 01000000"),
        "another peer's path is confirmed through the host");
  CHECK(send(conn, "0703 B 80 01 02 dead") == WS_OK && called(join, ids[1], "raw", items, 8) && items[0].len == 2,
        "a relayed call comes from its sender");
  CHECK(send(conn, "80 01 01 ff") == WS_OK && erred(join, WS_CAUSE_NO_NODE, 1, 1),
        "node ids of one peer are not valid for another");
  CHECK(send(conn, "0703 B 00 01 00 05 02") == WS_OK && send(conn, "0703 B 03") == WS_OK &&
            send(conn, "0703 B 02 01 63000000") == WS_OK && send(conn, "03 62") == WS_OK,
        "invalid packets of another peer are accepted by the transport");
  CHECK(erred(join, WS_CAUSE_MULTIPLAYER, ids[1], 2) && hears(join, 1, "b"),
        "they are reported for that peer, and the host's packets continue");
  CHECK(send(conn, "0702 B") == WS_OK && reported(join, WS_EVENT_DISCONNECTED, ids[1]) &&
            call(join, ids[1], "noargs", NULL, 0) == WS_ERR_TARGET,
        "DEL of a peer is reported, and it is not a valid target");
  stop();
}

/* A host announces and removes many peers, each of which sends a packet that raises an ERROR, to a join that reads no
   events. */
static void errors_that_nobody_reads(void) {
  enum { PEERS = 6000 };
  ws_config config = config_of(WS_SCENE);
  char url[64];
  ws_stats stats;
  if (ws_listen("ws://127.0.0.1:0", NULL, &host) != WS_OK) exit(1);
  ws_get_text(host, WS_GET_URL, url, sizeof url, NULL);
  ws_join(url, &config, &joins[0]);
  join_count = 1;
  ws_handle conn = event_of(host, WS_EVENT_CONNECTED).conn;
  ids[0] = 0x05a5c976;
  send(conn, "A");
  for (int i = 0; i < PEERS; i++) {
    ids[1] = 0x01000000 + i;
    static const char *const about[] = {"0701 B", "0703 B 05", "0702 B"};
    for (int k = 0; k < 3; k++) {
      while (send(conn, about[k]) == WS_ERR_FULL) poll_all();
    }
  }
  send(conn, "03 31");
  for (double end = now_s() + 20; ws_get_available(joins[0]) == 0 && now_s() < end;) poll_all();
  ws_get_stats(joins[0], &stats, sizeof stats);
  printf("figure: longest poll of a join whose events nobody reads: %d us\n", (int)stats.longest_poll_us);
  uint64_t items = 0, reported = 0;
  for (ws_event event; ws_next_event(joins[0], &event) == WS_OK; items++)
    reported += event.type == WS_EVENT_SKIPPED || event.type == WS_EVENT_ERROR ? event.count : 1;
  CHECK(items < 4200, "unread events of other peers collapse");
  CHECK_EQUAL(reported, 3 + 3 * PEERS, "all events are counted");
  stop();
}

/* ---- bad input ---- */

static void breaks(const char *bytes, const char *name) {
  start_scene(0, WS_SCENE);
  ws_handle a = plain_client(&ids[0]);
  ws_handle b = plain_client(&ids[1]);
  event_of(host, WS_EVENT_CONNECTED);
  event_of(host, WS_EVENT_CONNECTED);
  send(a, "03 31");
  send(a, bytes);
  send(a, "03 32");
  CHECK(hears(host, ids[0], "1"), "a packet before the invalid one is delivered");
  ws_event event = next_event(host);
  CHECK(event.type == WS_EVENT_DISCONNECTED && event.peer_id == ids[0] && event.cause == WS_CAUSE_MULTIPLAYER &&
            event.packet.len > 20,
        name);
  printf("# %s\n", (const char *)event.packet.data);
  CHECK_EQUAL(event_of(a, WS_EVENT_CLOSED).code, 1002, "the client is closed with 1002");
  CHECK(send(b, "03 33") == WS_OK && hears(host, ids[1], "3"), "the other client is not affected");
  stop();
}

static void bad_clients(void) {
  breaks("0701 63000000", "ADD from a client");
  breaks("0702 B", "DEL from a client");
  breaks("0704 00000000", "an unknown system packet");
  breaks("07", "a truncated system packet");
  breaks("0703 00", "a truncated relay header");
  breaks("0703 B", "a relay without a packet");
  breaks("0703 00000000 0702 B", "a relay of a system packet");
  breaks("0703 00000080 03 01", "INT32_MIN as target");
  breaks("0703 00000000 03", "an empty raw packet to all");
  breaks("", "an empty packet");
  breaks("03", "an empty raw packet");
  breaks("01 00", "a truncated path announcement");
  breaks(SIMPLIFY "00", "a path with bytes after its end");
  breaks("02 01 01", "a truncated confirmation");
  breaks("02 01 01000000", "a confirmation of an unknown node id");
  breaks("00", "a truncated call");
  breaks("30 0000000000000000 00", "an invalid width");
  breaks("20 ff000080 00 00 4700", "a path offset beyond the packet");
  breaks("20 0b000080 00 01 04000000 47616d6500", "a truncated argument");
  breaks("20 0f000080 00 01 04000000 ffffff7f 47616d6500", "a String longer than the packet");
  breaks("20 0f000080 00 01 1c000000 ffffff7f 47616d6500", "an Array larger than the packet");
  breaks("20 0b000080 00 01 27000000 47616d6500", "an unknown type");
  breaks("20 0c000080 00 01 00000000 55 47616d6500", "bytes after the last argument");
  char deep[4096] = "20 10020080 00 01";
  for (int i = 0; i < 65; i++) strcat(deep, "1c00000001000000");
  strcat(deep, "00000000");
  /* The path begins after 7 bytes of head, 65 Arrays and a Nil. */
  char place[16];
  snprintf(place, sizeof place, "%02x%02x", (7 + 65 * 8 + 4) & 255, (7 + 65 * 8 + 4) >> 8);
  memcpy(deep + 3, place, 4);
  strcat(deep, "47616d6500");
  breaks(deep, "Arrays 65 deep");
}

static void bad_hosts(void) {
  static const struct {
    const char *bytes, *name;
  } cases[] = {{"0701 01000000", "ADD of peer 1"},
               {"0701 ffffffff", "ADD of a negative peer"},
               {"0703 63000000 03 01", "a relay for an unknown peer"},
               {"0703 A 03 01", "a relay for the join itself"},
               {"0703 01000000 03 01", "a relay for the host"},
               {"03", "an empty raw packet"},
               {"0706 00000000", "an unknown system packet"},
               {"00 01", "a truncated call"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ws_config config = config_of(WS_SCENE);
    ws_handle conn;
    char url[64];
    if (ws_listen("ws://127.0.0.1:0", NULL, &host) != WS_OK) exit(1);
    ws_get_text(host, WS_GET_URL, url, sizeof url, NULL);
    ws_join(url, &config, &joins[0]);
    join_count = 1;
    conn = event_of(host, WS_EVENT_CONNECTED).conn;
    ids[0] = 77;
    send(conn, "A");
    send(conn, "03 31");
    send(conn, cases[i].bytes);
    send(conn, "03 32");
    CHECK(reported(joins[0], WS_EVENT_OPEN, 77) && reported(joins[0], WS_EVENT_CONNECTED, 1) && hears(joins[0], 1, "1"),
          "packets before the invalid one are delivered");
    ws_event event = next_event(joins[0]);
    CHECK(event.type == WS_EVENT_CLOSED && event.cause == WS_CAUSE_MULTIPLAYER && event.code == 1002, cases[i].name);
    printf("# %s\n", (const char *)event.packet.data);
    stop();
  }
  for (int i = 0; i < 2; i++) {
    ws_config config = config_of(WS_SCENE);
    char url[64];
    if (ws_listen("ws://127.0.0.1:0", NULL, &host) != WS_OK) exit(1);
    ws_get_text(host, WS_GET_URL, url, sizeof url, NULL);
    ws_join(url, &config, &joins[0]);
    join_count = 1;
    send(event_of(host, WS_EVENT_CONNECTED).conn, i ? "01000000" : "0701 63000000");
    CHECK_EQUAL(event_of(joins[0], WS_EVENT_CLOSED).cause, WS_CAUSE_MULTIPLAYER, "an invalid first message");
    stop();
  }
}

static void floods(void) {
  ws_event event;
  start_scene(0, WS_SCENE | WS_AUTH);
  ws_handle a = plain_client(&ids[0]);
  for (int i = 0; i < 65; i++) send(a, "0700 41");
  event = event_of(a, WS_EVENT_CLOSED);
  CHECK_EQUAL(event.code, 1002, "too many authentication packets close the connection");
  CHECK_EQUAL(event_of(host, WS_EVENT_DISCONNECTED).cause, WS_CAUSE_MULTIPLAYER, "the host reports MULTIPLAYER");
  ws_handle b = plain_client(&ids[1]);
  static uint8_t block[70000] = {7, 0};
  CHECK(ws_put_packet(b, block, sizeof block, WS_BINARY) == WS_OK && event_of(b, WS_EVENT_CLOSED).code == 1002,
        "an authentication packet that is too long closes the connection");
  CHECK(ws_send_auth(host, 5, block, 65537) == WS_ERR_TOO_BIG && ws_send_auth(host, 5, block, 0) == WS_ERR_ARG,
        "ws_send_auth refuses such lengths");
  stop();

  /* A host that does not read: the memory for relayed packets is bounded, because TCP slows the sender. */
  start_scene(0, WS_SCENE);
  a = plain_client(&ids[0]);
  b = plain_client(&ids[1]);
  static uint8_t relay[20006] = {7, 3};
  int received = 0, accepted = 0;
  for (int i = 0; i < 4; i++) relay[2 + i] = (uint8_t)((uint32_t)ids[1] >> 8 * i);
  memset(relay + 6, 3, sizeof relay - 6);
  double end = now_s() + 20;
  while (received < 1000 && now_s() < end) {
    if (accepted < 1000 && ws_put_packet(a, relay, sizeof relay, WS_BINARY) == WS_OK) accepted++;
    poll_all();
    while (ws_next_event(b, &event) == WS_OK)
      received += event.type == WS_EVENT_MESSAGE && event.packet.len == sizeof relay;
  }
  CHECK_EQUAL(received, 1000, "a thousand long packets are relayed");
  stop();
}

int main(void) {
  bytes_of_a_host();
  bytes_of_a_join();
  errors_that_nobody_reads();
  bad_clients();
  bad_hosts();
  floods();
  ws_shutdown();
  FINISH();
}
