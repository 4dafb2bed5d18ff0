/* Godot 4's scene over loopback: others by way of the host, authentication, raw bytes, calls, full queues, values. Its bytes and bad input are in
 * scene_bytes.c, the real engine is in scene_godot.c. */
#include "scene.h"

static void coming_and_going(void) {
  ws_config config = config_of(WS_SCENE);
  open_host(WS_SCENE);
  for (int i = 0; i < 3; i++) {
    add_join(&config);
    ws_event event = next_event(joins[i]);
    ids[i] = event.peer_id;
    CHECK(event.type == WS_EVENT_OPEN && ids[i] >= 2 && told(joins[i], WS_EVENT_CONNECTED, 1), "a join has its id and the host");
    CHECK(told(host, WS_EVENT_CONNECTED, ids[i]), "the host has the join");
    for (int j = 0; j < i; j++) CHECK(told(joins[j], WS_EVENT_CONNECTED, ids[i]), "who is there hears of it");
    int heard[2] = {0, 0};
    for (int j = 0; j < i; j++) {
      int32_t other = event_of(joins[i], WS_EVENT_CONNECTED).peer_id;
      for (int k = 0; k < i; k++) heard[k] |= other == ids[k];
    }
    for (int j = 0; j < i; j++) CHECK(heard[j], "and it hears of them");
  }
  CHECK(ws_close(joins[1], 0, NULL) == WS_OK && event_of(host, WS_EVENT_DISCONNECTED).peer_id == ids[1], "one leaves");
  CHECK(told(joins[0], WS_EVENT_DISCONNECTED, ids[1]) && told(joins[2], WS_EVENT_DISCONNECTED, ids[1]), "and the others hear of that");
  CHECK_EQUAL(say_to(joins[0], ids[1], "x"), WS_ERR_TARGET, "nothing is put to it any more");
  CHECK(ws_disconnect(host, ids[2], 0, "kicked") == WS_OK && event_of(joins[2], WS_EVENT_CLOSED).code == 1000, "one is disconnected");
  CHECK(told(joins[0], WS_EVENT_DISCONNECTED, ids[2]), "and that is told");
  stop();
}

static void targets(void) {
  start_scene(3, WS_SCENE);
  CHECK(say_to(joins[0], 1, "one") == WS_OK && hears(host, ids[0], "one") && all_quiet(), "a join to the host");
  CHECK(say_to(joins[0], ids[1], "two") == WS_OK && hears(joins[1], ids[0], "two") && all_quiet(), "to another by way of the host");
  CHECK(say_to(joins[0], 0, "all") == WS_OK && hears(host, ids[0], "all") && hears(joins[1], ids[0], "all") && hears(joins[2], ids[0], "all") && all_quiet(), "to all");
  CHECK(ws_put_packet(joins[0], (const uint8_t *)"put", 3, WS_BINARY) == WS_OK && hears(host, ids[0], "put") && hears(joins[1], ids[0], "put") && hears(joins[2], ids[0], "put") && all_quiet(), "ws_put_packet to all");
  CHECK(say_to(joins[0], -ids[1], "but") == WS_OK && hears(host, ids[0], "but") && hears(joins[2], ids[0], "but") && all_quiet(), "to all but one");
  CHECK(say_to(joins[0], -1, "peers") == WS_OK && hears(joins[1], ids[0], "peers") && hears(joins[2], ids[0], "peers") && all_quiet(), "to all but the host");
  CHECK(say_to(joins[0], ids[0], "x") == WS_ERR_TARGET && say_to(joins[0], 12345, "x") == WS_ERR_TARGET && say_to(joins[0], INT32_MIN, "x") == WS_ERR_ARG, "no such target");
  CHECK(say_to(host, ids[1], "one") == WS_OK && hears(joins[1], 1, "one") && all_quiet(), "the host to one");
  CHECK(say_to(host, 0, "all") == WS_OK && hears(joins[0], 1, "all") && hears(joins[1], 1, "all") && hears(joins[2], 1, "all") && all_quiet(), "to all");
  CHECK(say_to(host, -ids[1], "but") == WS_OK && hears(joins[0], 1, "but") && hears(joins[2], 1, "but") && all_quiet(), "to all but one");
  ws_handle conn;
  ws_get_conn(host, ids[2], &conn);
  CHECK(ws_put_packet(conn, (const uint8_t *)"conn", 4, WS_BINARY) == WS_OK && hears(joins[2], 1, "conn") && all_quiet(), "by the client's own handle");
  CHECK(ws_put_packet(host, (const uint8_t *)"x", 1, WS_TEXT) == WS_ERR_ARG && ws_put_packet(joins[0], (const uint8_t *)"x", 1, WS_TEXT) == WS_ERR_ARG, "a scene has no text");
  CHECK(say_to(host, 0, "") == WS_ERR_ARG && say_to(joins[0], 1, "") == WS_ERR_ARG, "and no empty packets");
  static uint8_t block[200000];
  memset(block, 7, sizeof block);
  CHECK_EQUAL(ws_put_packet_to(joins[0], ids[1], block, sizeof block, WS_BINARY), WS_OK, "a long one to another");
  ws_event event = next_event(joins[1]);
  CHECK(event.packet.len == sizeof block && event.packet.peer_id == ids[0] && !memcmp(event.packet.data, block, sizeof block), "arrives whole");
  ws_packet packets[2];
  size_t count;
  CHECK(say_to(joins[2], ids[1], "a") == WS_OK && say_to(host, ids[1], "b") == WS_OK, "two packets");
  UNTIL(ws_get_available(joins[1]) == 2);
  CHECK(ws_get_packets(joins[1], packets, 2, &count) == WS_OK && count == 2 && packets[0].peer_id + packets[1].peer_id == ids[2] + 1, "a batch says who sent them");
  stop();
}

static void without_relay(void) {
  start_scene(2, WS_SCENE | WS_NO_RELAY);
  CHECK(all_quiet() && say_to(joins[0], ids[1], "x") == WS_ERR_TARGET, "the others are not there");
  CHECK(say_to(joins[0], 0, "all") == WS_OK && hears(host, ids[0], "all") && all_quiet(), "all is the host");
  CHECK(say_to(joins[0], -1, "none") == WS_OK && all_quiet(), "all but the host is nobody");
  CHECK(call(joins[0], 0, "noargs", NULL, 0) == WS_OK && called(host, ids[0], "noargs", NULL, 0) && all_quiet(), "a call too");
  ws_config config = config_of(WS_SCENE);
  add_join(&config);
  UNTIL(ws_get_state(joins[2]) == WS_OPEN);
  CHECK(say_to(joins[2], 0, "relay") == WS_OK && event_of(host, WS_EVENT_CONNECTED).peer_id == ws_get_peer_id(joins[2]), "a join that thinks otherwise");
  CHECK(erred(host, WS_CAUSE_UNSUPPORTED, ws_get_peer_id(joins[2]), 1) && ws_get_state(joins[2]) == WS_OPEN, "is told of, and stays");
  stop();
}

static void authentication(void) {
  uint32_t flags = WS_SCENE | WS_AUTH;
  ws_config config = config_of(flags);
  ws_event event;
  ws_handle conn;
  start_scene(0, flags);
  add_join(&config);
  ws_declare_node(joins[0], "Game", "hello,noargs,raw");
  event = next_event(host);
  ids[0] = event.peer_id;
  CHECK(event.type == WS_EVENT_AUTHENTICATING && ids[0] >= 2 && ws_get_conn(host, ids[0], &conn) == WS_OK && conn == event.conn, "the host is asked");
  CHECK(told(joins[0], WS_EVENT_AUTHENTICATING, 1) && ws_get_peer_id(joins[0]) == ids[0] && ws_get_state(joins[0]) == WS_CONNECTING, "so is the join, which is not open");
  CHECK(say_to(host, ids[0], "x") == WS_ERR_STATE && say_to(joins[0], 1, "x") == WS_ERR_STATE && call(host, ids[0], "noargs", NULL, 0) == WS_ERR_STATE, "nothing else passes");
  CHECK(ws_put_packet(conn, (const uint8_t *)"x", 1, WS_BINARY) == WS_ERR_STATE && call(joins[0], 1, "noargs", NULL, 0) == WS_ERR_STATE, "by no way");
  CHECK(say_to(host, 0, "x") == WS_OK && call(host, 0, "noargs", NULL, 0) == WS_OK, "to all is to nobody");
  CHECK_EQUAL(ws_send_auth(joins[0], 1, (const uint8_t *)"user\0key", 8), WS_OK, "data to the host");
  event = next_event(host);
  CHECK(event.type == WS_EVENT_AUTH && event.peer_id == ids[0] && event.conn == conn && event.packet.len == 8 && !memcmp(event.packet.data, "user\0key", 8), "come as they are");
  CHECK(ws_send_auth(host, ids[0], (const uint8_t *)"welcome", 7) == WS_OK && ws_complete_auth(host, ids[0]) == WS_OK, "the host answers and completes");
  CHECK(ws_complete_auth(host, ids[0]) == WS_ERR_STATE && ws_send_auth(host, ids[0], (const uint8_t *)"x", 1) == WS_ERR_STATE, "once");
  event = next_event(joins[0]);
  CHECK(event.type == WS_EVENT_AUTH && event.peer_id == 1 && event.packet.len == 7 && all_quiet(), "the join has the answer, and is not in yet");
  CHECK_EQUAL(ws_send_auth(joins[0], 1, (const uint8_t *)"x", 1), WS_ERR_STATE, "nothing can be said after the other side's end");
  CHECK(ws_complete_auth(joins[0], 1) == WS_OK && told(joins[0], WS_EVENT_OPEN, ids[0]) && told(joins[0], WS_EVENT_CONNECTED, 1), "the join completes and is in");
  CHECK(told(host, WS_EVENT_CONNECTED, ids[0]) && ws_get_state(joins[0]) == WS_OPEN, "on both sides");
  CHECK(say_to(joins[0], 1, "hello") == WS_OK && hears(host, ids[0], "hello") && say_to(host, ids[0], "hi") == WS_OK && hears(joins[0], 1, "hi"), "packets pass");
  CHECK(ws_complete_auth(host, ids[0]) == WS_ERR_TARGET && ws_complete_auth(joins[0], 1) == WS_ERR_TARGET && ws_send_auth(host, 12345, (const uint8_t *)"x", 1) == WS_ERR_TARGET, "it is over");

  /* The join first; what the host puts then waits for nothing. */
  add_join(&config);
  ids[1] = event_of(host, WS_EVENT_AUTHENTICATING).peer_id;
  CHECK(told(joins[1], WS_EVENT_AUTHENTICATING, 1) && all_quiet(), "another one; the first does not hear of it yet");
  CHECK_EQUAL(say_to(joins[0], ids[1], "x"), WS_ERR_TARGET, "nor can it reach it");
  CHECK(ws_complete_auth(joins[1], 1) == WS_OK && all_quiet(), "the join completes without data");
  CHECK(ws_complete_auth(host, ids[1]) == WS_OK && told(host, WS_EVENT_CONNECTED, ids[1]), "then the host");
  CHECK(told(joins[1], WS_EVENT_OPEN, ids[1]) && told(joins[1], WS_EVENT_CONNECTED, 1) && told(joins[1], WS_EVENT_CONNECTED, ids[0]), "it is in, and hears of the first");
  CHECK(told(joins[0], WS_EVENT_CONNECTED, ids[1]), "as the first of it");

  /* Refused. */
  add_join(&config);
  ids[2] = event_of(host, WS_EVENT_AUTHENTICATING).peer_id;
  CHECK(ws_disconnect(host, ids[2], 0, "no") == WS_OK && event_of(joins[2], WS_EVENT_CLOSED).code == 1000 && ws_get_state(joins[2]) == WS_CLOSED, "one is refused");
  CHECK(told(host, WS_EVENT_DISCONNECTED, ids[2]) && all_quiet(), "and nobody else hears of it");
  CHECK_EQUAL(ws_complete_auth(host, ids[2]), WS_ERR_TARGET, "it cannot be completed any more");

  /* Too late, on either side. */
  CHECK_EQUAL(ws_set_option(host, WS_OPT_AUTH_TIMEOUT_MS, 60), WS_OK, "a time for the host");
  add_join(&config);
  event = event_of(joins[3], WS_EVENT_CLOSED);
  CHECK_EQUAL(event.code, 1008, "who says nothing is disconnected");
  event = event_of(host, WS_EVENT_DISCONNECTED);
  CHECK(event.cause == WS_CAUSE_AUTH_TIMEOUT && event.code == 1008, "with the cause");
  ws_set_option(host, WS_OPT_AUTH_TIMEOUT_MS, WS_OFF);
  add_join(&config);
  CHECK_EQUAL(ws_set_option(joins[4], WS_OPT_AUTH_TIMEOUT_MS, 60), WS_OK, "a time for a join");
  event = event_of(joins[4], WS_EVENT_CLOSED);
  CHECK(event.cause == WS_CAUSE_AUTH_TIMEOUT && event.code == 1008, "which gives up");
  stop();

  /* A join that knows no authentication: what it says waits for the host's decision, and the host's answer is told. */
  start_scene(0, flags);
  ws_config plain = config_of(WS_SCENE);
  add_join(&plain);
  UNTIL(ws_get_state(joins[0]) == WS_OPEN);
  ids[0] = event_of(host, WS_EVENT_AUTHENTICATING).peer_id;
  CHECK_EQUAL(say_to(joins[0], 1, "early"), WS_OK, "it thinks that it is in");
  drain(joins[0]);
  CHECK(ws_send_auth(host, ids[0], (const uint8_t *)"who?", 4) == WS_OK && erred(joins[0], WS_CAUSE_UNSUPPORTED, 1, 1), "it is told what it cannot answer");
  CHECK(ws_complete_auth(host, ids[0]) == WS_OK && told(host, WS_EVENT_CONNECTED, ids[0]) && hears(host, ids[0], "early"), "let in, and nothing is lost");
  add_join(&plain);
  UNTIL(ws_get_state(joins[1]) == WS_OPEN);
  CHECK_EQUAL(say_to(joins[1], 1, "never heard"), WS_OK, "another one");
  ids[1] = event_of(host, WS_EVENT_AUTHENTICATING).peer_id;
  settle();
  CHECK_EQUAL(ws_close(joins[1], 0, NULL), WS_OK, "which leaves");
  event = next_event(host);
  if (event.type == WS_EVENT_CLOSE_REQUEST) event = next_event(host);
  CHECK(event.type == WS_EVENT_DISCONNECTED && event.peer_id == ids[1] && ws_get_available(host) == 0, "is gone, and what it said with it");
  stop();

  /* A join that wants an authentication, and a host that knows none. */
  start_scene(0, WS_SCENE);
  add_join(&config);
  CHECK(told(joins[0], WS_EVENT_AUTHENTICATING, 1), "the join waits");
  ids[0] = event_of(host, WS_EVENT_CONNECTED).peer_id;
  CHECK(ws_send_auth(joins[0], 1, (const uint8_t *)"?", 1) == WS_OK && erred(host, WS_CAUSE_UNSUPPORTED, ids[0], 1), "the host is told");
  CHECK_EQUAL(say_to(host, ids[0], "kept"), WS_OK, "and says something");
  for (int i = 0; i < 50; i++) poll_all();
  CHECK(ws_get_available(joins[0]) == 0 && ws_complete_auth(joins[0], 1) == WS_OK, "which waits until the join has completed");
  CHECK(told(joins[0], WS_EVENT_OPEN, ids[0]) && told(joins[0], WS_EVENT_CONNECTED, 1) && hears(joins[0], 1, "kept"), "and comes in its place");
  stop();

  start_scene(1, WS_SCENE);
  CHECK(ws_send_auth(host, ids[0], (const uint8_t *)"x", 1) == WS_ERR_TARGET && ws_complete_auth(joins[0], 1) == WS_ERR_TARGET, "without WS_AUTH nobody is being authenticated");
  stop();
}

static void calls(void) {
  ws_variant items[8];
  start_scene(3, WS_SCENE);
  ws_variant two[2] = {integer(5), string("hi")};
  for (int round = 0; round < 3; round++) {
    /* First by path, later by number. */
    CHECK(call(joins[0], 1, "hello", two, 2) == WS_OK && called(host, ids[0], "hello", items, 8), "a join calls the host");
    CHECK(items[0].integer == 5 && items[1].len == 2 && !memcmp(items[1].data, "hi", 2), "with its arguments");
    CHECK(call(host, ids[1], "noargs", NULL, 0) == WS_OK && called(joins[1], 1, "noargs", items, 8), "the host calls a join");
    CHECK(call(joins[0], ids[2], "hello", two, 2) == WS_OK && called(joins[2], ids[0], "hello", items, 8), "a join calls another");
    CHECK(call(joins[2], ids[0], "hello", two, 1) == WS_OK && called(joins[0], ids[2], "hello", items, 8), "and back");
    CHECK(call(host, 0, "hello", two, 2) == WS_OK && called(joins[0], 1, "hello", items, 8) && called(joins[1], 1, "hello", items, 8) && called(joins[2], 1, "hello", items, 8), "the host calls all");
    CHECK(call(host, -ids[0], "noargs", NULL, 0) == WS_OK && called(joins[1], 1, "noargs", NULL, 0) && called(joins[2], 1, "noargs", NULL, 0) && all_quiet(), "all but one");
    CHECK(call(joins[1], 0, "noargs", NULL, 0) == WS_OK && called(host, ids[1], "noargs", NULL, 0) && called(joins[0], ids[1], "noargs", NULL, 0) && called(joins[2], ids[1], "noargs", NULL, 0) && all_quiet(), "a join calls all");
    CHECK(call(joins[1], -1, "noargs", NULL, 0) == WS_OK && called(joins[0], ids[1], "noargs", NULL, 0) && called(joins[2], ids[1], "noargs", NULL, 0) && all_quiet(), "all but the host");
    CHECK(call(joins[1], -ids[2], "noargs", NULL, 0) == WS_OK && called(joins[0], ids[1], "noargs", NULL, 0) && called(host, ids[1], "noargs", NULL, 0) && all_quiet(), "all but another");
  }
  ws_variant bytes = {0};
  bytes.type = WS_VARIANT_PACKED_BYTE_ARRAY;
  bytes.data = (const uint8_t *)"\xde\xad";
  bytes.len = bytes.count = 2;
  CHECK(call(joins[0], 1, "raw", &bytes, 1) == WS_OK && called(host, ids[0], "raw", items, 8) && items[0].count == 2 && !memcmp(items[0].data, "\xde\xad", 2), "bytes alone");
  ws_handle conn;
  ws_get_conn(host, ids[0], &conn);
  uint8_t buf[64];
  size_t len;
  ws_encode_call("/root/Game", "noargs", NULL, 0, buf, sizeof buf, &len);
  CHECK(ws_put_packet(conn, buf, len, WS_CALL) == WS_OK && called(joins[0], 1, "noargs", NULL, 0), "by the client's own handle, and the path from the root on");
  CHECK(ws_put_packet_to(conn, 0, buf, len, WS_CALL) == WS_ERR_KIND && ws_send_auth(conn, 1, buf, 1) == WS_ERR_KIND && ws_declare_node(conn, "A", "a") == WS_ERR_KIND, "which has no targets and no nodes");
  CHECK(call(joins[0], 1, "nothing", NULL, 0) == WS_ERR_ARG && strstr(why(), "nothing"), "a method that was not named");
  CHECK(ws_encode_call("Other", "noargs", NULL, 0, buf, sizeof buf, &len) == WS_OK && ws_put_packet(host, buf, len, WS_CALL) == WS_ERR_ARG && strstr(why(), "ws_declare_node"), "a node that was not declared");
  CHECK_EQUAL(ws_put_packet(host, (const uint8_t *)"hello", 5, WS_CALL), WS_ERR_ARG, "bytes that are no call");
  CHECK(call(joins[0], 12345, "noargs", NULL, 0) == WS_ERR_TARGET && call(host, 12345, "noargs", NULL, 0) == WS_ERR_TARGET && call(joins[0], ids[0], "noargs", NULL, 0) == WS_ERR_TARGET, "nobody there");
  /* A late one is told the number anew. */
  ws_config config = config_of(WS_SCENE);
  add_join(&config);
  ws_declare_node(joins[3], "Game", "hello,noargs,raw");
  UNTIL(ws_get_state(joins[3]) == WS_OPEN);
  ids[3] = event_of(host, WS_EVENT_CONNECTED).peer_id;
  for (int i = 0; i < 3; i++) CHECK(told(joins[i], WS_EVENT_CONNECTED, ids[3]), "a late one");
  CHECK(call(host, 0, "hello", two, 2) == WS_OK && called(joins[1], 1, "hello", items, 8) && event_of(joins[3], WS_EVENT_MESSAGE).packet.type == WS_CALL, "some know the number and one does not");
  stop();

  /* Other methods, no node, forgotten. */
  open_host(WS_SCENE);
  ws_declare_node(host, "Game", "hello,noargs,raw");
  add_join(&config);
  add_join(&config);
  ws_declare_node(joins[0], "Game", "hello,noargs");
  UNTIL(ws_get_state(joins[1]) == WS_OPEN && ws_get_state(joins[0]) == WS_OPEN);
  ids[0] = ws_get_peer_id(joins[0]);
  ids[1] = ws_get_peer_id(joins[1]);
  event_of(host, WS_EVENT_CONNECTED);
  event_of(host, WS_EVENT_CONNECTED);
  event_of(joins[0], WS_EVENT_CONNECTED);
  event_of(joins[0], WS_EVENT_CONNECTED);
  event_of(joins[1], WS_EVENT_CONNECTED);
  event_of(joins[1], WS_EVENT_CONNECTED);
  CHECK(call(joins[0], 1, "noargs", NULL, 0) == WS_OK && erred(host, WS_CAUSE_CHECKSUM, ids[0], 2), "other methods here: the path and the call are told");
  CHECK(erred(joins[0], WS_CAUSE_CHECKSUM, 1, 1), "and there");
  CHECK(call(host, ids[1], "noargs", NULL, 0) == WS_OK && call(host, ids[1], "hello", NULL, 0) == WS_OK && erred(joins[1], WS_CAUSE_NO_NODE, 1, 2), "a node that is not declared");
  CHECK(ws_declare_node(joins[1], "Game", "hello,noargs,raw") == WS_OK && call(host, ids[1], "noargs", NULL, 0) == WS_OK && called(joins[1], 1, "noargs", NULL, 0), "until it is");
  CHECK(ws_declare_node(joins[1], "Game", NULL) == WS_OK && call(host, ids[1], "noargs", NULL, 0) == WS_OK && erred(joins[1], WS_CAUSE_NO_NODE, 1, 1), "or is no longer");
  CHECK(ws_declare_node(joins[1], "Game", NULL) == WS_ERR_ARG && ws_declare_node(host, "Game", "a") == WS_ERR_ARG && ws_declare_node(host, "Game", "raw,noargs,hello") == WS_OK, "declarations are checked");
  CHECK(ws_get_state(joins[0]) == WS_OPEN && ws_get_state(joins[1]) == WS_OPEN, "nobody was closed");
  stop();

  ws_handle server, client;
  open_pair(NULL, &server, &client);
  CHECK(ws_put_packet(client, buf, len, WS_CALL) == WS_ERR_KIND && ws_declare_node(client, "A", "a") == WS_ERR_KIND && ws_complete_auth(client, 1) == WS_ERR_KIND, "a plain connection has no calls");
  ws_free(server);
  ws_free(client);
}

static void local_player(void) {
  ws_variant items[8];
  start_scene(1, WS_SCENE);
  CHECK_EQUAL(ws_join_local(host, NULL, &joins[1]), WS_OK, "the host's own player");
  join_count = 2;
  ws_declare_node(joins[1], "Game", "hello,noargs,raw");
  UNTIL(ws_get_state(joins[1]) == WS_OPEN);
  ids[1] = ws_get_peer_id(joins[1]);
  CHECK(told(joins[0], WS_EVENT_CONNECTED, ids[1]) && told(host, WS_EVENT_CONNECTED, ids[1]), "is told as everybody is");
  CHECK(told(joins[1], WS_EVENT_OPEN, ids[1]) && told(joins[1], WS_EVENT_CONNECTED, 1) && told(joins[1], WS_EVENT_CONNECTED, ids[0]), "and hears of everybody");
  CHECK(call(joins[1], 0, "noargs", NULL, 0) == WS_OK && called(host, ids[1], "noargs", items, 8) && called(joins[0], ids[1], "noargs", items, 8), "it calls all");
  stop();
}

static void full_queue(void) {
  ws_config config = config_of(WS_SCENE);
  ws_event event;
  config.outbound_bytes = 1 << 20;
  start_scene(0, WS_SCENE);
  add_join(&config);
  add_join(&config);
  for (int i = 0; i < 2; i++) ws_declare_node(joins[i], "Game", "hello,noargs,raw");
  ws_declare_node(host, "Game", "hello,noargs,raw");
  UNTIL(ws_get_state(joins[0]) == WS_OPEN && ws_get_state(joins[1]) == WS_OPEN);
  for (int i = 0; i < 2; i++) ids[i] = ws_get_peer_id(joins[i]);
  drain(joins[0]);
  static uint8_t block[60000], buf[61000];
  ws_variant bytes = {0};
  size_t len;
  bytes.type = WS_VARIANT_PACKED_BYTE_ARRAY;
  bytes.data = block;
  bytes.len = sizeof block;
  bytes.count = sizeof block;
  ws_encode_call("Game", "raw", &bytes, 1, buf, sizeof buf, &len);
  int accepted = 0;
  ws_result result;
  while ((result = ws_put_packet_to(joins[0], 0, buf, len, WS_CALL)) == WS_OK && accepted < 1000) accepted++;
  CHECK_EQUAL(result, WS_ERR_FULL, "a full queue refuses a call to all");
  int at_host = 0, at_other = 0;
  double end = now_s() + 20;
  while ((at_host < accepted || at_other < accepted) && now_s() < end) {
    poll_all();
    while (ws_next_event(host, &event) == WS_OK) at_host += event.type == WS_EVENT_MESSAGE;
    while (ws_next_event(joins[1], &event) == WS_OK) at_other += event.type == WS_EVENT_MESSAGE;
  }
  for (int i = 0; i < 50; i++) poll_all();
  while (ws_next_event(host, &event) == WS_OK) at_host += event.type == WS_EVENT_MESSAGE;
  CHECK(at_host == accepted && at_other == accepted, "what was accepted comes to each, once");
  CHECK(event_of(joins[0], WS_EVENT_WRITABLE).type == WS_EVENT_WRITABLE && call(joins[0], 0, "noargs", NULL, 0) == WS_OK, "and goes on when it has room");
  stop();
}

/* One client polls no more while the host calls all. */
static void stalled_client(uint32_t on_full, ws_result wanted) {
  ws_config config = config_of(WS_SCENE), slow = config_of(WS_SCENE);
  ws_event event;
  config.outbound_bytes = 1 << 20;
  config.on_full = on_full;
  slow.inbound_packets = 4;
  join_count = 0;
  if (ws_host("ws://127.0.0.1:0", &config, &host) != WS_OK) exit(1);
  ws_declare_node(host, "Game", "hello,noargs,raw");
  for (int i = 0; i < 2; i++) {
    add_join(&slow);
    ws_declare_node(joins[i], "Game", "hello,noargs,raw");
    UNTIL(ws_get_state(joins[i]) == WS_OPEN);
    ids[i] = ws_get_peer_id(joins[i]);
  }
  drain(joins[0]);
  drain(joins[1]);
  drain(host);
  ws_handle stalled = joins[1];
  join_count = 1;
  static uint8_t block[60000], buf[61000];
  ws_variant bytes = {0};
  size_t len;
  bytes.type = WS_VARIANT_PACKED_BYTE_ARRAY;
  bytes.data = block;
  bytes.len = bytes.count = sizeof block;
  ws_encode_call("Game", "raw", &bytes, 1, buf, sizeof buf, &len);
  int accepted = 0, heard = 0;
  ws_result result = WS_OK;
  double end = now_s() + 20;
  while (result == WS_OK && now_s() < end) {
    result = ws_put_packet(host, buf, len, WS_CALL);
    accepted += result >= 0;
    for (int i = 0; i < 5; i++) poll_all();
    while (ws_next_event(joins[0], &event) == WS_OK) heard += event.type == WS_EVENT_MESSAGE && event.packet.type == WS_CALL;
  }
  CHECK_EQUAL(result, wanted, "a call to all, one of whom is full");
  while (heard < accepted && now_s() < end) {
    poll_all();
    while (ws_next_event(joins[0], &event) == WS_OK) heard += event.type == WS_EVENT_MESSAGE && event.packet.type == WS_CALL;
  }
  CHECK(heard == accepted && accepted > 16, "the other one has each call that was accepted, once");
  if (wanted == WS_PARTIAL) CHECK(event_of(host, WS_EVENT_DISCONNECTED).cause == WS_CAUSE_FULL && event_of(joins[0], WS_EVENT_DISCONNECTED).peer_id == ids[1], "the full one is disconnected, and that is told");
  else CHECK_EQUAL(ws_get_state(stalled), WS_OPEN, "the full one stays");
  ws_free(stalled);
  stop();
}

/* ---- values over buffers ---- */

static void values(void) {
  ws_variant items[5] = {{0}}, back[8];
  uint8_t buf[256];
  size_t len, count, used;
  items[0].type = WS_VARIANT_DICTIONARY;
  items[0].count = 2;
  items[1] = string("a");
  items[2] = integer(1);
  items[3] = string("b");
  items[4].type = WS_VARIANT_NIL;
  CHECK(ws_encode_variant(items, 5, buf, sizeof buf, &len) == WS_OK && len == 44, "a Dictionary");
  CHECK(ws_decode_variant(buf, len, back, 8, &count, &used) == WS_OK && count == 5 && used == len && back[0].count == 2 && back[3].len == 1 && back[3].data[0] == 'b', "and back");
  CHECK(ws_decode_variant(buf, len, back, 2, &count, NULL) == WS_TRUNCATED && count == 5 && back[1].data[0] == 'a', "with too little room the rest is counted");
  CHECK(ws_decode_variant(buf, len, NULL, 0, &count, NULL) == WS_TRUNCATED && count == 5, "with none too");
  memset(buf, 0xAA, sizeof buf);
  CHECK(ws_encode_variant(items, 5, buf, 20, &len) == WS_ERR_TOO_BIG && len == 44 && buf[20] == 0xAA, "a short buffer is not overrun, and the need is told");
  CHECK(ws_encode_variant(items, 5, NULL, 0, &len) == WS_ERR_TOO_BIG && len == 44, "with none too");
  CHECK(ws_encode_variant(items, 4, buf, sizeof buf, &len) == WS_ERR_ARG && len == 0 && strstr(why(), "lacks 1"), "an item is missing");
  CHECK(ws_encode_variant(items + 1, 2, buf, sizeof buf, &len) == WS_ERR_ARG && strstr(why(), "2 values"), "two values are not one");
  items[0].type = WS_VARIANT_OBJECT;
  CHECK(ws_encode_variant(items, 1, buf, sizeof buf, &len) == WS_ERR_ARG && strstr(why(), "Object"), "an Object is refused by a sentence");
  items[0].type = 99;
  CHECK(ws_encode_call("Game", "hello", items, 1, buf, sizeof buf, &len) == WS_ERR_ARG && strstr(why(), "99"), "so is a type that is none");
  items[0] = string("x");
  items[0].data = NULL;
  CHECK(ws_encode_call("Game", "hello", items, 1, buf, sizeof buf, &len) == WS_ERR_NULL && strstr(why(), "item 0"), "and a text at NULL");
  CHECK(ws_decode_variant((const uint8_t *)"\x18\0\1\0\1\0\0\0\0\0\0\0", 12, back, 8, &count, &used) == WS_ERR_UNSUPPORTED && strstr(why(), "Object"), "an Object that came");
  CHECK_EQUAL(ws_decode_variant((const uint8_t *)"\x04\0\0\0\xff\xff\xff\xff", 8, back, 8, &count, &used), WS_ERR_ARG, "a length that lies");
  ws_call call;
  CHECK(ws_encode_call("/root/Game", "hello", (ws_variant[]){integer(-300)}, 1, buf, sizeof buf, &len) == WS_OK && ws_decode_call(buf, len, &call, back, 8) == WS_OK, "a call");
  CHECK(!strcmp(call.path, "/root/Game") && !strcmp(call.method, "hello") && call.arguments == 1 && call.items == 1 && back[0].integer == -300, "and back");
  for (size_t i = 0; i < len; i++)
    if (ws_decode_call(buf, i, &call, back, 8) != WS_ERR_ARG) CHECK(0, "a call that is cut off");
  CHECK(ws_struct_size(WS_STRUCT_VARIANT) == sizeof(ws_variant) && ws_struct_size(WS_STRUCT_CALL) == sizeof(ws_call), "sizes of the structs");
}

static void configs(void) {
  static const struct {
    uint32_t flags;
    const char *word;
  } cases[] = {{WS_SCENE | WS_GODOT3, "exclude"}, {WS_AUTH, "WS_SCENE"}, {WS_NO_RELAY, "WS_SCENE"}, {WS_AUTH | WS_GODOT3, "WS_SCENE"}};
  ws_handle h;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ws_config config = config_of(cases[i].flags);
    CHECK(ws_host("ws://127.0.0.1:0", &config, &h) == WS_ERR_CONFIG && strstr(why(), cases[i].word), "flags that do not go together");
  }
  ws_config config = config_of(WS_SCENE);
  CHECK(ws_connect("ws://127.0.0.1:1", &config, &h) == WS_ERR_CONFIG && ws_listen("ws://127.0.0.1:0", &config, &h) == WS_ERR_CONFIG && ws_pair(&config, &h, &h) == WS_ERR_CONFIG, "a scene is for games");
  config.flags |= WS_QUEUE_BEFORE_OPEN;
  CHECK_EQUAL(ws_join("ws://127.0.0.1:1", &config, &h), WS_ERR_CONFIG, "and nothing is put before there is one");
  CHECK((ws_get_features() & WS_FEATURE_SCENE) != 0, "the feature is told");
}

int main(void) {
  coming_and_going();
  targets();
  without_relay();
  authentication();
  calls();
  local_player();
  full_queue();
  stalled_client(0, WS_PARTIAL);
  stalled_client(WS_FULL_ALL_OR_NONE, WS_ERR_FULL);
  values();
  configs();
  ws_shutdown();
  FINISH();
}
