/* Godot 4's scene as bytes, and bad input: the other end is a plain client or server of the library's own, which knows nothing of scenes. */
#include "scene.h"

static ws_handle plain_client(int32_t *id) {
  ws_handle h;
  char url[64];
  ws_get_text(host, WS_GET_URL, url, sizeof url, NULL);
  if (ws_connect(url, NULL, &h) != WS_OK) exit(1);
  joins[join_count++] = h;
  ws_event event = event_of(h, WS_EVENT_MESSAGE);
  *id = event.packet.len == 4 ? (int32_t)(event.packet.data[0] | event.packet.data[1] << 8 | event.packet.data[2] << 16 | (uint32_t)event.packet.data[3] << 24) : 0;
  return h;
}

/* Bytes in hexadecimal; "A" to "H" are the ids of the first to eighth join. */
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

/* The next message is these bytes. */
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
  CHECK(comes(a, "0701 B") && comes(b, "0701 A"), "each is told of the other");
  CHECK(send(a, "0703 B 03 010203") == WS_OK && comes(b, "0703 A 03 010203"), "passed on to one");
  CHECK(send(a, "0703 00000000 03 07") == WS_OK && comes(b, "0703 A 03 07"), "to all");
  CHECK(send(a, "0703 ffffffff 03 08") == WS_OK && comes(b, "0703 A 03 08"), "to all but the host");
  CHECK(hears(host, ids[0], "\x07") && send(a, "03 040506") == WS_OK && hears(host, ids[0], "\x04\x05\x06"), "the host hears what is for it");
  CHECK(say_to(host, 0, "\xaa") == WS_OK && comes(a, "03 aa") && comes(b, "03 aa"), "raw bytes of the host");
  CHECK(call(host, ids[0], "noargs", NULL, 0) == WS_OK && comes(a, SIMPLIFY) && comes(a, "a0 06000080 01 47616d6500"), "a call before the path is confirmed");
  CHECK(send(a, "02 01 01000000") == WS_OK && say_to(host, ids[0], "x") == WS_OK && comes(a, "03 78"), "it is confirmed");
  for (int i = 0; i < 20; i++) poll_all();
  CHECK(call(host, ids[0], "hello", two, 2) == WS_OK && comes(a, "00 01 00 02 0205 04000000 02000000 68690000"), "a call after");
  CHECK(call(host, 0, "noargs", NULL, 0) == WS_OK && comes(a, "a0 01000000 01") && comes(b, SIMPLIFY) && comes(b, "a0 06000080 01 47616d6500"), "to one who knows and one who does not");
  CHECK(send(b, SIMPLIFY) == WS_OK && comes(b, "02 01 01000000"), "a path is confirmed");
  CHECK(send(b, "80 01 02 dead") == WS_OK && called(host, ids[1], "raw", items, 8) && items[0].count == 2, "a call by its number");
  CHECK(send(b, "20 1b000080 00 02 03000000 0000c03f 05000000 0000803f 00000040 47616d6500") == WS_OK && called(host, ids[1], "hello", items, 8), "and by path");
  CHECK(items[0].number[0] == 1.5 && items[1].type == WS_VARIANT_VECTOR2 && items[1].number[1] == 2, "with its arguments");
  CHECK(send(b, "90 0100 01") == WS_OK && called(host, ids[1], "noargs", items, 8) && send(b, "e0 01000000 0100") == WS_OK && called(host, ids[1], "noargs", items, 8), "numbers of any width");
  CHECK(ws_close(b, 0, NULL) == WS_OK && comes(a, "0702 B"), "one has gone");
  CHECK(event_of(host, WS_EVENT_DISCONNECTED).peer_id == ids[1] && send(a, "0703 B 03 01") == WS_OK && erred(host, WS_CAUSE_NO_PEER, ids[0], 1), "who cannot be reached any more");
  CHECK(send(a, "05 0102") == WS_OK && send(a, "04") == WS_OK && send(a, "06 00") == WS_OK && send(a, "03 01") == WS_OK, "replication is passed over");
  CHECK(erred(host, WS_CAUSE_UNSUPPORTED, ids[0], 3) && hears(host, ids[0], "\x01"), "and told once, with a count");
  CHECK(send(a, "01 3563306561393836326431653934306135386531653130393565656331303734 00 09000000 47616d6500") == WS_OK && comes(a, "02 01 09000000"), "another number");
  CHECK(send(a, "00 09 00 01 18000100 a10500f905000000") == WS_OK && erred(host, WS_CAUSE_UNSUPPORTED, ids[0], 1), "an Object among the arguments is told by a sentence");
  CHECK(send(a, "0700") == WS_OK && send(a, "03 02") == WS_OK && hears(host, ids[0], "\x02"), "the end of an authentication that there was not");
  CHECK(send(a, "01 3563306561393836326431653934306135386531653130393565656331303735 00 0a000000 47616d6500") == WS_OK && comes(a, "02 00 0a000000"), "another checksum is told");
  CHECK(erred(host, WS_CAUSE_CHECKSUM, ids[0], 1) && ws_get_state(a) == WS_OPEN, "on both sides");
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
  CHECK(send(conn, "A") == WS_OK && told(join, WS_EVENT_OPEN, ids[0]) && told(join, WS_EVENT_CONNECTED, 1), "an id");
  CHECK_EQUAL(ws_declare_node(join, "Game", "hello, noargs, raw"), WS_OK, "a node");
  CHECK(send(conn, "0701 B") == WS_OK && told(join, WS_EVENT_CONNECTED, ids[1]), "another peer");
  CHECK(say_to(join, 1, "\x04\x05\x06") == WS_OK && comes(conn, "03 040506"), "to the host");
  CHECK(say_to(join, ids[1], "\x01") == WS_OK && comes(conn, "0703 B 03 01"), "to another");
  CHECK(say_to(join, 0, "\x02") == WS_OK && comes(conn, "0703 00000000 03 02") && say_to(join, -1, "\x07\x08\x09") == WS_OK && comes(conn, "0703 ffffffff 03 070809"), "to all, to all but the host");
  CHECK(call(join, 0, "noargs", NULL, 0) == WS_OK && comes(conn, SIMPLIFY) && comes(conn, "0703 B" SIMPLIFY), "a call to all tells both the path");
  CHECK(comes(conn, "a0 06000080 01 47616d6500") && comes(conn, "0703 B a0 06000080 01 47616d6500"), "and calls both");
  CHECK(send(conn, "02 01 01000000") == WS_OK && send(conn, "0703 B 02 01 01000000") == WS_OK, "both confirm");
  CHECK(send(conn, "0703 B 03 77") == WS_OK && hears(join, ids[1], "w"), "raw bytes of another");
  CHECK(call(join, 0, "noargs", NULL, 0) == WS_OK && comes(conn, "80 01 01") && comes(conn, "0703 B 80 01 01"), "and are called by the number");
  CHECK(send(conn, "0703 B" SIMPLIFY) == WS_OK && comes(conn, "0703 B 02 01 01000000"), "another's path is confirmed by way of the host");
  CHECK(send(conn, "0703 B 80 01 02 dead") == WS_OK && called(join, ids[1], "raw", items, 8) && items[0].len == 2, "and its call comes from it");
  CHECK(send(conn, "80 01 01 ff") == WS_OK && erred(join, WS_CAUSE_NO_NODE, 1, 1), "the host's numbers are not another's");
  CHECK(send(conn, "0703 B 00 01 00 05 02") == WS_OK && send(conn, "0703 B 03") == WS_OK && send(conn, "0703 B 02 01 63000000") == WS_OK && send(conn, "03 62") == WS_OK, "nonsense of another");
  CHECK(erred(join, WS_CAUSE_MULTIPLAYER, ids[1], 2) && hears(join, 1, "b"), "is its own fault, not the host's");
  CHECK(send(conn, "0702 B") == WS_OK && told(join, WS_EVENT_DISCONNECTED, ids[1]) && call(join, ids[1], "noargs", NULL, 0) == WS_ERR_TARGET, "it has gone");
  stop();
}

/* A host tells of one after the other, each of which sends what is told by ERROR and goes, to a join that reads no events. */
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
  uint64_t items = 0, told = 0;
  for (ws_event event; ws_next_event(joins[0], &event) == WS_OK; items++) told += event.type == WS_EVENT_SKIPPED || event.type == WS_EVENT_ERROR ? event.count : 1;
  CHECK(items < 4200, "events of others that nobody reads become one");
  CHECK_EQUAL(told, 3 + 3 * PEERS, "with a count of all");
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
  CHECK(hears(host, ids[0], "1"), "what came before is heard");
  ws_event event = next_event(host);
  CHECK(event.type == WS_EVENT_DISCONNECTED && event.peer_id == ids[0] && event.cause == WS_CAUSE_MULTIPLAYER && event.packet.len > 20, name);
  printf("# %s\n", (const char *)event.packet.data);
  CHECK_EQUAL(event_of(a, WS_EVENT_CLOSED).code, 1002, "closed with 1002");
  CHECK(send(b, "03 33") == WS_OK && hears(host, ids[1], "3"), "the other one is not disturbed");
  stop();
}

static void bad_clients(void) {
  breaks("0701 63000000", "a client tells of a peer");
  breaks("0702 B", "a client says that another has gone");
  breaks("0704 00000000", "no packet of the system");
  breaks("07", "a system packet that is cut off");
  breaks("0703 00", "a header that is cut off");
  breaks("0703 B", "nothing to pass on");
  breaks("0703 00000000 0702 B", "a system packet to be passed on");
  breaks("0703 00000080 03 01", "INT32_MIN as target");
  breaks("0703 00000000 03", "an empty raw packet to all");
  breaks("", "an empty packet");
  breaks("03", "an empty raw packet");
  breaks("01 00", "a path that is cut off");
  breaks(SIMPLIFY "00", "a path with two ends");
  breaks("02 01 01", "a confirmation that is cut off");
  breaks("02 01 01000000", "a confirmation of what was not told");
  breaks("00", "a call that is cut off");
  breaks("30 0000000000000000 00", "a width that is none");
  breaks("20 ff000080 00 00 4700", "a path outside of the packet");
  breaks("20 0b000080 00 01 04000000 47616d6500", "an argument that is cut off");
  breaks("20 0f000080 00 01 04000000 ffffff7f 47616d6500", "a String longer than the packet");
  breaks("20 0f000080 00 01 1c000000 ffffff7f 47616d6500", "an Array larger than the packet");
  breaks("20 0b000080 00 01 27000000 47616d6500", "a type that is none");
  breaks("20 0c000080 00 01 00000000 55 47616d6500", "bytes behind the last argument");
  char deep[4096] = "20 10020080 00 01";
  for (int i = 0; i < 65; i++) strcat(deep, "1c00000001000000");
  strcat(deep, "00000000");
  /* 7 bytes of head, 65 Arrays, a Nil: the path begins there. */
  char place[16];
  snprintf(place, sizeof place, "%02x%02x", (7 + 65 * 8 + 4) & 255, (7 + 65 * 8 + 4) >> 8);
  memcpy(deep + 3, place, 4);
  strcat(deep, "47616d6500");
  breaks(deep, "Arrays 65 deep");
}

static void bad_hosts(void) {
  static const struct {
    const char *bytes, *name;
  } cases[] = {{"0701 01000000", "tells of peer 1"},     {"0701 ffffffff", "tells of a negative peer"}, {"0703 63000000 03 01", "passes on for one who is not there"},
               {"0703 A 03 01", "says that we sent it"}, {"0703 01000000 03 01", "passes on for itself"},  {"03", "an empty raw packet"},
               {"0706 00000000", "no packet of the system"}, {"00 01", "a call that is cut off"}};
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
    CHECK(told(joins[0], WS_EVENT_OPEN, 77) && told(joins[0], WS_EVENT_CONNECTED, 1) && hears(joins[0], 1, "1"), "what came before is heard");
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
    CHECK_EQUAL(event_of(joins[0], WS_EVENT_CLOSED).cause, WS_CAUSE_MULTIPLAYER, "a wrong first message");
    stop();
  }
}

static void floods(void) {
  ws_event event;
  start_scene(0, WS_SCENE | WS_AUTH);
  ws_handle a = plain_client(&ids[0]);
  for (int i = 0; i < 65; i++) send(a, "0700 41");
  event = event_of(a, WS_EVENT_CLOSED);
  CHECK_EQUAL(event.code, 1002, "authentication without end is closed");
  CHECK_EQUAL(event_of(host, WS_EVENT_DISCONNECTED).cause, WS_CAUSE_MULTIPLAYER, "as a breach");
  ws_handle b = plain_client(&ids[1]);
  static uint8_t block[70000] = {7, 0};
  CHECK(ws_put_packet(b, block, sizeof block, WS_BINARY) == WS_OK && event_of(b, WS_EVENT_CLOSED).code == 1002, "so is one message of it that is too long");
  CHECK(ws_send_auth(host, 5, block, 65537) == WS_ERR_TOO_BIG && ws_send_auth(host, 5, block, 0) == WS_ERR_ARG, "which cannot be sent either");
  stop();

  /* A host that does not read: what is passed on to others is bounded by TCP, not by memory. */
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
    while (ws_next_event(b, &event) == WS_OK) received += event.type == WS_EVENT_MESSAGE && event.packet.len == sizeof relay;
  }
  CHECK_EQUAL(received, 1000, "a thousand long packets are passed on");
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
