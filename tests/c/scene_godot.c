/* A real Godot 4.6 in scenes, in both roles: authentication, relaying by the host, raw bytes, remote calls with every
   type, and the bytes on the wire compared with those of a stock peer. Usage: scene_godot ENGINE PROJECT EXAMPLE */
#include "scene_engine.h"
#include "values.h"

static const char *example_path;

/* ---- calls ---- */

/* All RPCs of game.gd; the last one was made callable by rpc_config(). */
static void declare(ws_handle h) {
  if (ws_declare_node(h, "/root/Game", "echo, back, noargs, raw, three, only_authority; configured") != WS_OK) exit(1);
}

static ws_result call(ws_handle h, int32_t target, const char *method, const ws_variant *items, size_t count) {
  static uint8_t buf[8192];
  size_t len;
  ws_result result = ws_encode_call("Game", method, items, count, buf, sizeof buf, &len);
  return result == WS_OK ? ws_put_packet_to(h, target, buf, len, WS_CALL) : result;
}

/* The next message is a call of this method from this peer. Copies its items to `items` and returns their number, or
   -1. */
static int called(ws_handle h, int32_t from, const char *method, ws_variant *items, size_t cap) {
  static ws_event event;
  ws_call got;
  event = event_of(h, WS_EVENT_MESSAGE);
  if (event.packet.type != WS_CALL || ws_decode_call(event.packet.data, event.packet.len, &got, items, cap) != WS_OK) {
    printf("# no call that fits, of type %d from %d: %.*s\n", event.packet.type, event.peer_id, (int)event.packet.len,
           (const char *)event.packet.data);
    return -1;
  }
  if (event.peer_id != from || strcmp(got.path, "Game") || strcmp(got.method, method)) {
    printf("# %d called %s.%s\n", event.peer_id, got.path, got.method);
    return -1;
  }
  return (int)got.items;
}

/* ---- values ---- */

static size_t bytes_of(const char *hex, uint8_t *out) {
  size_t len = 0;
  for (unsigned byte; sscanf(hex + 2 * len, "%2x", &byte) == 1; len++) out[len] = (uint8_t)byte;
  return len;
}

static const char *hex_of(const uint8_t *bytes, size_t len) {
  static char hex[2048];
  hex[0] = 0;
  for (size_t i = 0; i < len && i < 1000; i++) snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
  return hex;
}

/* Every value is sent to Godot as an argument, is printed there, and returns as the argument of a call. */
static void all_values(ws_handle h, int32_t own, engine *one, int32_t its) {
  int arrived = 0, returned = 0;
  for (int i = 0; i < VALUES; i++) {
    uint8_t bytes[256];
    ws_variant items[16];
    size_t count, len;
    ws_decode_variant(bytes, bytes_of(values[i], bytes), items, 16, &count, NULL);
    if (call(h, its, "echo", items, count) != WS_OK) printf("# %s\n", why());
    int got = called(h, its, "back", items, 16);
    if (got >= 0 && ws_encode_variant(items, (size_t)got, bytes, sizeof bytes, &len) == WS_OK &&
        !strcmp(hex_of(bytes, len), values[i]))
      returned++;
    else printf("# back came %s for %s\n", got >= 0 ? hex_of(bytes, len) : "nothing", values[i]);
    arrived += says(one, "echo %d %s", own, values[i]);
  }
  CHECK_EQUAL(arrived, VALUES, "Godot receives a value of each type in a call");
  CHECK_EQUAL(returned, VALUES, "a value of each type returns from Godot");
}

static ws_variant text_item(const char *text) {
  ws_variant item = {0};
  item.type = WS_VARIANT_STRING;
  item.data = (const uint8_t *)text;
  item.len = strlen(text);
  return item;
}

/* Calls to and from a Godot peer that all_values() does not make. */
static void more_calls(ws_handle h, int32_t own, engine *one, int32_t its) {
  ws_variant items[8] = {{0}};
  items[0].type = WS_VARIANT_PACKED_BYTE_ARRAY;
  items[0].data = (const uint8_t *)"\xde\xad";
  items[0].len = items[0].count = 2;
  CHECK(call(h, its, "raw", items, 1) == WS_OK && says(one, "raw %d dead", own), "a call to Godot with only bytes");
  CHECK(call(h, its, "noargs", NULL, 0) == WS_OK && says(one, "noargs %d", own), "a call to Godot without arguments");
  items[0].type = WS_VARIANT_INT;
  items[0].integer = -7;
  items[1] = text_item("x");
  memset(&items[2], 0, sizeof items[2]);
  items[2].type = WS_VARIANT_ARRAY;
  items[2].count = 1;
  items[3] = items[0];
  CHECK(call(h, its, "three", items, 4) == WS_OK && says(one, "three %d -7 x [-7]", own),
        "a call to Godot with three arguments");
  CHECK(call(h, its, "configured", &items[1], 1) == WS_OK && says(one, "configured %d x", own),
        "a call to Godot of an rpc_config() method with a 16-bit id");
  CHECK(say(h, its, "call %d raw [PackedByteArray(1, 2, 3)]", own) == WS_OK && called(h, its, "raw", items, 8) == 1 &&
            items[0].len == 3 && items[0].data[2] == 3,
        "a call from Godot with only bytes");
  CHECK(say(h, its, "call %d noargs", own) == WS_OK && called(h, its, "noargs", items, 8) == 0,
        "a call from Godot without arguments");
  CHECK(say(h, its, "call %d three [1, \"two\", [3, [4]]]", own) == WS_OK && called(h, its, "three", items, 8) == 6 &&
            items[2].count == 2 && items[5].integer == 4,
        "a call from Godot with three arguments");
  CHECK(say(h, its, "call %d configured [\"w\"]", own) == WS_OK && called(h, its, "configured", items, 8) == 1 &&
            items[0].data[0] == 'w',
        "a call from Godot of an rpc_config() method");
}

/* ---- games ---- */

static void in_a_game_of_godot(void) {
  static engine server, other;
  char url[64];
  int32_t ids[2];
  ws_config config = config_of(0);
  handle_count = 0;
  godot(&server, NULL, NULL, NULL);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d", number_said(&server, "listening "));
  for (int i = 0; i < 2; i++) {
    ws_join(url, &config, &handles[i]);
    handle_count = i + 1;
    declare(handles[i]);
    ids[i] = event_of(handles[i], WS_EVENT_OPEN).peer_id;
    CHECK(event_of(handles[i], WS_EVENT_CONNECTED).peer_id == 1 && says(&server, "connected %d", ids[i]),
          "a program joins a Godot server");
  }
  ws_handle a = handles[0], b = handles[1];
  CHECK(event_of(a, WS_EVENT_CONNECTED).peer_id == ids[1] && event_of(b, WS_EVENT_CONNECTED).peer_id == ids[0],
        "both programs learn of each other");
  godot(&other, url, NULL, NULL);
  int32_t its = event_of(a, WS_EVENT_CONNECTED).peer_id;
  CHECK(event_of(b, WS_EVENT_CONNECTED).peer_id == its && says(&other, "joined %d", its) &&
            says(&other, "connected %d", ids[0]) && says(&other, "connected %d", ids[1]),
        "a stock client joins, and all learn of each other");
  all_values(a, ids[0], &server, 1);
  more_calls(a, ids[0], &server, 1);
  all_values(a, ids[0], &other, its);
  more_calls(b, ids[1], &other, its);
  CHECK(call(a, 1, "only_authority", NULL, 0) == WS_OK && call(a, its, "only_authority", NULL, 0) == WS_OK &&
            call(a, 0, "noargs", NULL, 0) == WS_OK,
        "a program calls all");
  CHECK(says(&server, "noargs %d", ids[0]) && says(&other, "noargs %d", ids[0]) &&
            called(b, ids[0], "noargs", NULL, 0) == 0,
        "the call reaches stock and our peers");
  CHECK(!line_of(&server, "only_authority", 0) && !line_of(&other, "only_authority", 0),
        "Godot refuses a call that only the authority may make");
  CHECK(say(a, its, "call 0 noargs") == WS_OK && called(a, its, "noargs", NULL, 0) == 0 &&
            called(b, its, "noargs", NULL, 0) == 0 && says(&server, "noargs %d", its),
        "a stock client calls all");
  CHECK(say(a, 1, "call %d noargs", -ids[0]) == WS_OK && called(b, 1, "noargs", NULL, 0) == 0 &&
            says(&other, "noargs 1"),
        "the stock server calls all but one");
  CHECK(say(a, ids[1], "to b") == WS_OK && hears(b, ids[0], "to b"), "raw bytes to another program, relayed by Godot");
  CHECK(say(a, its, "to it") == WS_OK && says(&other, "packet %d to it", ids[0]), "raw bytes to a stock client");
  CHECK(say(a, 0, "to all") == WS_OK && hears(b, ids[0], "to all") && says(&other, "packet %d to all", ids[0]) &&
            says(&server, "packet %d to all", ids[0]),
        "raw bytes to all");
  CHECK(say(a, -ids[1], "not b") == WS_OK && says(&other, "packet %d not b", ids[0]) &&
            says(&server, "packet %d not b", ids[0]),
        "raw bytes to all but one");
  CHECK(say(a, -1, "not the server") == WS_OK && hears(b, ids[0], "not the server") &&
            says(&other, "packet %d not the server", ids[0]),
        "raw bytes to all but the server");
  CHECK(say(b, its, "say %d one", ids[0]) == WS_OK && hears(a, its, "one"), "raw bytes from a stock client to one");
  CHECK(say(b, its, "say 0 all") == WS_OK && hears(a, its, "all") && hears(b, its, "all"),
        "raw bytes from a stock client to all");
  CHECK(say(b, its, "say %d but", -ids[0]) == WS_OK && hears(b, its, "but") && says(&server, "packet %d but", its),
        "raw bytes from a stock client to all but one");
  CHECK(say(b, 1, "say -%d by the server", ids[1]) == WS_OK && hears(a, 1, "by the server"),
        "raw bytes from the server to all but one");
  CHECK(!strstr(server.text, "not the server"), "the excluded server receives nothing");
  CHECK(say(a, 1, "kick %d", ids[1]) == WS_OK && event_of(b, WS_EVENT_CLOSED).code == 1000,
        "the server disconnects a program");
  CHECK(event_of(a, WS_EVENT_DISCONNECTED).peer_id == ids[1] && says(&other, "disconnected %d", ids[1]),
        "both kinds of peer see it disconnect");
  CHECK(say(a, 1, "kick %d", its) == WS_OK && event_of(a, WS_EVENT_DISCONNECTED).peer_id == its &&
            says(&other, "over") && ends(&other),
        "the server disconnects the stock client");
  CHECK(say(a, 1, "quit") == WS_OK && event_of(a, WS_EVENT_CLOSED).type == WS_EVENT_CLOSED && ends(&server),
        "the server quits");
  for (int i = 0; i < handle_count; i++) ws_free(handles[i]);
}

static void with_godot_in_our_game(void) {
  static engine first, second, third;
  char url[64];
  ws_config config = config_of(0);
  ws_host("ws://127.0.0.1:0", &config, &handles[0]);
  ws_handle host = handles[0];
  handle_count = 1;
  declare(host);
  ws_get_text(host, WS_GET_URL, url, sizeof url, NULL);
  godot(&first, url, NULL, NULL);
  godot(&second, url, NULL, NULL);
  int32_t ids[3] = {event_of(host, WS_EVENT_CONNECTED).peer_id, event_of(host, WS_EVENT_CONNECTED).peer_id, 0};
  if (number_said(&first, "joined ") != ids[0]) {
    int32_t other = ids[0];
    ids[0] = ids[1];
    ids[1] = other;
  }
  CHECK(says(&first, "joined %d", ids[0]) && says(&second, "joined %d", ids[1]) && says(&first, "connected 1"),
        "two stock clients join");
  CHECK(says(&first, "connected %d", ids[1]) && says(&second, "connected %d", ids[0]),
        "the stock clients learn of each other");
  all_values(host, 1, &first, ids[0]);
  more_calls(host, 1, &first, ids[0]);
  CHECK_EQUAL(ws_join(url, &config, &handles[1]), WS_OK, "a program joins them");
  ws_handle join = handles[1];
  handle_count = 2;
  declare(join);
  ids[2] = event_of(join, WS_EVENT_OPEN).peer_id;
  CHECK(says(&first, "connected %d", ids[2]) && says(&second, "connected %d", ids[2]),
        "the stock clients learn of the program");
  all_values(join, ids[2], &second, ids[1]);
  more_calls(join, ids[2], &second, ids[1]);
  CHECK(call(host, 0, "noargs", NULL, 0) == WS_OK && says(&first, "noargs 1") && says(&second, "noargs 1") &&
            called(join, 1, "noargs", NULL, 0) == 0,
        "our host calls all, by node id and by path");
  CHECK(say(host, ids[0], "call 0 noargs") == WS_OK && called(host, ids[0], "noargs", NULL, 0) == 0 &&
            called(join, ids[0], "noargs", NULL, 0) == 0 && says(&second, "noargs %d", ids[0]),
        "a stock client calls all");
  CHECK(say(host, ids[0], "call %d three [1, \"b\", []]", ids[1]) == WS_OK && says(&second, "three %d 1 b []", ids[0]),
        "one stock client calls another through our host");
  CHECK(say(host, ids[0], "say %d to B", ids[1]) == WS_OK && says(&second, "packet %d to B", ids[0]),
        "raw bytes between stock clients");
  CHECK(say(host, ids[1], "say 0 all") == WS_OK && hears(host, ids[1], "all") && hears(join, ids[1], "all") &&
            says(&first, "packet %d all", ids[1]),
        "raw bytes from a stock client to all");
  CHECK(say(host, ids[1], "say -1 peers") == WS_OK && hears(join, ids[1], "peers") &&
            says(&first, "packet %d peers", ids[1]),
        "raw bytes from a stock client to all but our host");
  CHECK(say(host, ids[1], "say %d but", -ids[0]) == WS_OK && hears(host, ids[1], "but") && hears(join, ids[1], "but"),
        "raw bytes from a stock client to all but one");
  CHECK(say(join, 0, "from a program") == WS_OK && hears(host, ids[2], "from a program") &&
            says(&first, "packet %d from a program", ids[2]) && says(&second, "packet %d from a program", ids[2]),
        "raw bytes from a program to all");
  CHECK(say(host, -ids[0], "but one") == WS_OK && says(&second, "packet 1 but one") && hears(join, 1, "but one"),
        "raw bytes from our host to all but one");
  CHECK(say(host, ids[0], "marker") == WS_OK && says(&first, "packet 1 marker") && !strstr(first.text, "but one") &&
            !strstr(first.text, "packet 1 but"),
        "the excluded client does not receive it");
  ws_close(join, 0, NULL);
  CHECK(says(&first, "disconnected %d", ids[2]) && says(&second, "disconnected %d", ids[2]),
        "the stock clients see the program leave");
  ws_set_option(host, WS_OPT_REFUSE_NEW, 1);
  godot(&third, url, NULL, NULL);
  CHECK(says(&third, "failed") && ends(&third), "a refused stock client reports connection_failed");
  CHECK(ws_disconnect(host, ids[0], 0, "kicked") == WS_OK && says(&first, "over") && ends(&first),
        "a kicked stock client reports server_disconnected");
  CHECK(says(&second, "disconnected %d", ids[0]), "the other stock client sees it disconnect");
  CHECK(ws_close(host, 0, NULL) == WS_OK && says(&second, "over") && ends(&second), "our host ends the game");
  CHECK(!strstr(first.text, "ERROR") && !strstr(second.text, "ERROR"), "no stock client printed an error");
  if (strstr(second.text, "ERROR")) printf("# %s\n", second.text);
  for (int i = 0; i < handle_count; i++) ws_free(handles[i]);
}

static void authentication(void) {
  static engine server, good, bad, silent;
  char url[64];
  ws_config config = config_of(WS_AUTH), plain = config_of(0);
  handle_count = 0;
  godot(&server, NULL, "auth", NULL);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d", number_said(&server, "listening "));
  ws_join(url, &config, &handles[0]);
  handle_count = 1;
  ws_handle a = handles[0];
  CHECK(event_of(a, WS_EVENT_AUTHENTICATING).peer_id == 1 && ws_get_state(a) == WS_CONNECTING,
        "a stock server starts an authentication");
  int32_t id = ws_get_peer_id(a);
  CHECK(says(&server, "authenticating %d", id) && ws_send_auth(a, 1, (const uint8_t *)"secret good", 11) == WS_OK &&
            says(&server, "auth %d secret good", id),
        "the stock server receives our secret");
  ws_event event = event_of(a, WS_EVENT_AUTH);
  CHECK(event.packet.len == 7 && !memcmp(event.packet.data, "welcome", 7) && !line_of(&server, "connected", 0),
        "we receive its answer");
  CHECK(ws_complete_auth(a, 1) == WS_OK && event_of(a, WS_EVENT_OPEN).peer_id == id &&
            event_of(a, WS_EVENT_CONNECTED).peer_id == 1 && says(&server, "connected %d", id),
        "both sides are admitted");
  CHECK(say(a, 1, "say %d hello", id) == WS_OK && hears(a, 1, "hello"), "packets pass");
  ws_join(url, &config, &handles[1]);
  handle_count = 2;
  event_of(handles[1], WS_EVENT_AUTHENTICATING);
  int32_t refused = ws_get_peer_id(handles[1]);
  CHECK(ws_send_auth(handles[1], 1, (const uint8_t *)"secret bad", 10) == WS_OK &&
            event_of(handles[1], WS_EVENT_CLOSED).code == 1000,
        "a wrong secret is refused");
  CHECK(says(&server, "auth %d secret bad", refused) && ws_get_state(a) == WS_OPEN, "other peers are not affected");
  ws_join(url, &plain, &handles[2]);
  handle_count = 3;
  event = event_of(handles[2], WS_EVENT_CLOSED);
  CHECK(event.code == 1000 && says(&server, "unauthenticated %d", ws_get_peer_id(handles[2])),
        "a peer that never authenticates is disconnected after Godot's 3 s");
  CHECK(say(a, 1, "quit") == WS_OK && ends(&server), "the server quits");
  for (int i = 0; i < handle_count; i++) ws_free(handles[i]);

  ws_host("ws://127.0.0.1:0", &config, &handles[0]);
  ws_handle host = handles[0];
  handle_count = 1;
  ws_get_text(host, WS_GET_URL, url, sizeof url, NULL);
  godot(&good, url, "auth", NULL);
  godot(&bad, url, "auth", "bad");
  godot(&silent, url, "auth", "silent");
  int32_t in = 0, out = 0, late = 0;
  double end = now_s() + 25;
  for (int done = 0; done < 3 && now_s() < end;) {
    if (ws_next_event(host, &event) != WS_OK) {
      move_on();
      continue;
    }
    if (event.type == WS_EVENT_AUTH && event.packet.len == 11 && !memcmp(event.packet.data, "secret good", 11)) {
      in = event.peer_id;
      ws_send_auth(host, in, (const uint8_t *)"welcome", 7);
      ws_complete_auth(host, in);
    } else if (event.type == WS_EVENT_AUTH) {
      out = event.peer_id;
      ws_disconnect(host, out, 0, "no");
    } else if (event.type == WS_EVENT_CONNECTED) {
      done++;
      CHECK_EQUAL(event.peer_id, in, "a stock client is authenticated");
    } else if (event.type == WS_EVENT_DISCONNECTED) {
      done++;
      if (event.peer_id != out) late = event.peer_id;
    }
  }
  CHECK(says(&good, "joined %d", in) && says(&good, "auth 1 welcome"), "the authenticated stock client joins");
  CHECK(out && says(&bad, "unauthenticated 1") && ends(&bad), "a stock client with a wrong secret is refused");
  CHECK(late && says(&silent, "unauthenticated 1") && ends(&silent),
        "a stock client that never completes times out by itself");
  CHECK(say(host, in, "say 1 hi") == WS_OK && hears(host, in, "hi"), "packets pass");
  ws_set_option(host, WS_OPT_AUTH_TIMEOUT_MS, 300);
  godot(&silent, url, "auth", "bad");
  event = event_of(host, WS_EVENT_AUTHENTICATING);
  late = event.peer_id;
  event = event_of(host, WS_EVENT_DISCONNECTED);
  CHECK(event.peer_id == late && event.cause == WS_CAUSE_AUTH_TIMEOUT && says(&silent, "unauthenticated 1") &&
            ends(&silent),
        "our host times out an authentication that is not completed");
  CHECK(!strstr(good.text, "ERROR"), "the authenticated client printed no error");
  ws_close(host, 0, NULL);
  CHECK(says(&good, "over") && ends(&good), "our host ends the game");
  ws_free(host);
}

/* ---- bytes ---- */

/* Appends what a plain connection has received since the last call, one message a line, with ids as letters. */
static void transcript(ws_handle h, char *text, size_t cap, const int32_t *ids, int count) {
  ws_packet packet;
  double quiet = now_s() + 0.3;
  while (now_s() < quiet) {
    move_on();
    while (ws_get_packet(h, &packet) == WS_OK) {
      quiet = now_s() + 0.3;
      size_t used = strlen(text);
      for (size_t i = 0; i < packet.len && used + 4 < cap; i++) {
        int32_t number = i + 4 <= packet.len
                             ? (int32_t)((uint32_t)packet.data[i] | (uint32_t)packet.data[i + 1] << 8 |
                                         (uint32_t)packet.data[i + 2] << 16 | (uint32_t)packet.data[i + 3] << 24)
                             : 0;
        int known = -1;
        for (int k = 0; k < count; k++)
          if (number == ids[k]) known = k;
        used += (size_t)(known >= 0 ? snprintf(text + used, cap - used, "%c", 'A' + known)
                                    : snprintf(text + used, cap - used, "%02x", packet.data[i]));
        if (known >= 0) i += 3;
      }
      if (used + 2 < cap) strcpy(text + used, "\n");
    }
  }
}

static void send_hex(ws_handle h, const char *text, const int32_t *ids) {
  uint8_t bytes[512];
  size_t len = 0;
  for (; *text; text++) {
    if (*text == ' ') continue;
    if (*text == 'A' || *text == 'B') {
      for (int i = 0; i < 4; i++) bytes[len++] = (uint8_t)((uint32_t)ids[*text - 'A'] >> 8 * i);
      continue;
    }
    unsigned byte;
    sscanf(text++, "%2x", &byte);
    bytes[len++] = (uint8_t)byte;
  }
  ws_put_packet(h, bytes, len, WS_BINARY);
}

static void compare(const char *stock, const char *ours, const char *name) {
  CHECK(*stock && !strcmp(stock, ours), name);
  if (strcmp(stock, ours)) printf("# stock:\n%s# ours:\n%s", stock, ours);
}

/* The same two plain clients at a stock host and at ours must receive the same bytes. */
static void hosts_send_the_same(void) {
  static engine server;
  static char text[2][2][4096];
  for (int ours = 0; ours < 2; ours++) {
    char url[64];
    ws_config config = config_of(0);
    ws_packet packet;
    int32_t ids[2];
    handle_count = 0;
    if (ours) {
      ws_host("ws://127.0.0.1:0", &config, &handles[2]);
      handle_count = 3;
      handles[0] = handles[1] = 0;
      ws_get_text(handles[2], WS_GET_URL, url, sizeof url, NULL);
      declare(handles[2]);
    } else {
      godot(&server, NULL, NULL, NULL);
      snprintf(url, sizeof url, "ws://127.0.0.1:%d", number_said(&server, "listening "));
      handle_count = 2;
      handles[0] = handles[1] = 0;
    }
    for (int i = 0; i < 2; i++) {
      ws_connect(url, NULL, &handles[i]);
      while (ws_get_packet(handles[i], &packet) != WS_OK) move_on();
      ids[i] = (int32_t)((uint32_t)packet.data[0] | (uint32_t)packet.data[1] << 8 | (uint32_t)packet.data[2] << 16 |
                         (uint32_t)packet.data[3] << 24);
      if (packet.len != 4) exit(1);
    }
    ws_handle a = handles[0], b = handles[1];
    static const char *const sent[] = {"0703 B 03 0102", "0703 00000000 03 03", "0703 ffffffff 03 04",
                                       "0703 B a0 06000080 02 47616d6500"};
    for (size_t i = 0; i < sizeof sent / sizeof *sent; i++) send_hex(a, sent[i], ids);
    transcript(b, text[ours][1], sizeof text[ours][1], ids, 2);
    /* The host sends raw bytes to all and to one, and calls one client before and after it has confirmed the path. */
    for (int step = 0; step < 4; step++) {
      if (!ours) {
        char words[256];
        snprintf(words, sizeof words,
                 step == 0   ? "\3say 0 hi"
                 : step == 1 ? "\3call %d three [5, \"hi\", [1.5, true]]"
                 : step == 2 ? "\3call %d noargs"
                             : "\3call 0 raw [PackedByteArray(9)]",
                 ids[0]);
        ws_put_packet(a, (const uint8_t *)words, strlen(words), WS_BINARY);
      } else {
        ws_variant items[5] = {{0}};
        items[0].type = WS_VARIANT_INT;
        items[0].integer = 5;
        items[1] = text_item("hi");
        items[2].type = WS_VARIANT_ARRAY;
        items[2].count = 2;
        items[3].type = WS_VARIANT_FLOAT;
        items[3].number[0] = 1.5;
        items[4].type = WS_VARIANT_BOOL;
        items[4].integer = 1;
        ws_variant bytes = {0};
        bytes.type = WS_VARIANT_PACKED_BYTE_ARRAY;
        bytes.data = (const uint8_t *)"\t";
        bytes.len = bytes.count = 1;
        ws_result result = step == 0   ? say(handles[2], 0, "hi")
                           : step == 1 ? call(handles[2], ids[0], "three", items, 5)
                           : step == 2 ? call(handles[2], ids[0], "noargs", NULL, 0)
                                       : call(handles[2], 0, "raw", &bytes, 1);
        if (result != WS_OK) printf("# %s\n", why());
      }
      transcript(a, text[ours][0], sizeof text[ours][0], ids, 2);
      if (step == 1) send_hex(a, "02 01 01000000", ids);
      for (int i = 0; i < 30; i++) move_on();
    }
    ws_close(a, 0, NULL);
    transcript(b, text[ours][1], sizeof text[ours][1], ids, 2);
    if (ours) {
      ws_free(handles[2]);
    } else {
      ws_put_packet(b, (const uint8_t *)"\3quit", 5, WS_BINARY);
      ends(&server);
    }
    ws_free(a);
    ws_free(b);
  }
  handle_count = 0;
  compare(text[0][0], text[1][0], "our host sends the first client the same bytes as a stock host");
  compare(text[0][1], text[1][1], "our host sends the second client the same bytes as a stock host");
  printf("# to the first client:\n%s# to the second:\n%s", text[0][0], text[0][1]);
}

/* A plain server for a stock client and for ours must receive the same bytes. */
static void joins_send_the_same(void) {
  static engine client;
  static char text[2][8192];
  for (int ours = 0; ours < 2; ours++) {
    char url[64];
    ws_config config = config_of(0);
    int32_t ids[2] = {0x05a5c976, 0x67dc5c56};
    ws_listen("ws://127.0.0.1:0", NULL, &handles[0]);
    handle_count = 1;
    ws_get_text(handles[0], WS_GET_URL, url, sizeof url, NULL);
    if (ours) {
      ws_join(url, &config, &handles[1]);
      handle_count = 2;
      declare(handles[1]);
    } else {
      godot(&client, url, NULL, NULL);
    }
    ws_handle conn = event_of(handles[0], WS_EVENT_CONNECTED).conn;
    send_hex(conn, "A", ids);
    send_hex(conn, "0701 B", ids);
    if (ours) event_of(handles[1], WS_EVENT_OPEN);
    else says(&client, "connected %d", ids[1]);
    static const struct {
      int32_t target;
      const char *words;
    } steps[] = {{1, "say one"},           {0x67dc5c56, "say two"},    {0, "say all"},
                 {-1, "say not the host"}, {-0x67dc5c56, "say not B"}, {1, "call noargs"},
                 {0, "call noargs"},       {1, "call noargs"},         {0, "call noargs"}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
      char words[128];
      int calls = steps[i].words[0] == 'c';
      snprintf(words, sizeof words, "\3%.4s%d %s", steps[i].words, steps[i].target, steps[i].words + (calls ? 5 : 4));
      if (calls) snprintf(words, sizeof words, "\3call %d noargs", steps[i].target);
      if (!ours) ws_put_packet(conn, (const uint8_t *)words, strlen(words), WS_BINARY);
      else if (calls) call(handles[1], steps[i].target, "noargs", NULL, 0);
      else say(handles[1], steps[i].target, "%s", steps[i].words + 4);
      /* The order of messages to several peers is not fixed. */
      transcript(conn, text[ours], sizeof text[ours], ids, 2);
      if (i == 6) {
        send_hex(conn, "02 01 01000000", ids);
        send_hex(conn, "0703 B 02 01 01000000", ids);
        send_hex(conn, "01 3030303030303030303030303030303030303030303030303030303030303030 00 05000000 47616d6500",
                 ids);
        send_hex(conn,
                 "0703 B 01 3030303030303030303030303030303030303030303030303030303030303030 00 06000000 47616d6500",
                 ids);
        transcript(conn, text[ours], sizeof text[ours], ids, 2);
      }
    }
    ws_free(handles[0]);
    if (ours) ws_free(handles[1]);
    else ends(&client);
  }
  handle_count = 0;
  compare(text[0], text[1], "our join sends the same bytes as a stock client");
  printf("# from the client:\n%s", text[0]);
}

/* Runs examples-c/godot_rpc.c in a stock game. */
static void the_example(void) {
  static engine server, example;
  char url[64];
  ws_config config = config_of(0);
  handle_count = 0;
  godot(&server, NULL, NULL, NULL);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d", number_said(&server, "listening "));
  const char *args[] = {
      example_path, url,      "/root/Game", "echo, back, noargs, raw, three, only_authority; configured",
      "echo",       "from C", NULL};
  launch(&example, args);
  CHECK(says(&example, "peer 1 is there") && says(&example, "peer 1 calls Game.back(\"from C\")"),
        "the example calls and is called back");
  ws_join(url, &config, &handles[0]);
  handle_count = 1;
  event_of(handles[0], WS_EVENT_CONNECTED);
  CHECK(say(handles[0], 1, "quit") == WS_OK && ends(&server) && ends(&example), "the example ends with the game");
  ws_free(handles[0]);
  handle_count = 0;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  example_path = argv[3];
  engine_path = argv[1];
  project = argv[2];
  signal(SIGPIPE, SIG_IGN);
  in_a_game_of_godot();
  with_godot_in_our_game();
  authentication();
  hosts_send_the_same();
  joins_send_the_same();
  the_example();
  ws_shutdown();
  FINISH();
}
