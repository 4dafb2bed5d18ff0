/* Godot 4's scene over loopback: relaying by the host, authentication, raw bytes, calls, full queues, values. Its bytes
   and bad input are in scene_bytes.c, the real engine is in scene_godot.c. */
#include "scene.h"

static void coming_and_going(void) {
  ws_config config = config_of(WS_SCENE);
  open_host(WS_SCENE);
  for (int i = 0; i < 3; i++) {
    add_join(&config);
    ws_event event = next_event(joins[i]);
    ids[i] = event.peer_id;
    CHECK(event.type == WS_EVENT_OPEN && ids[i] >= 2 && reported(joins[i], WS_EVENT_CONNECTED, 1),
          "a join reports its id and the host");
    CHECK(reported(host, WS_EVENT_CONNECTED, ids[i]), "the host reports the join");
    for (int j = 0; j < i; j++)
      CHECK(reported(joins[j], WS_EVENT_CONNECTED, ids[i]), "earlier joins report the new one");
    int heard[2] = {0, 0};
    for (int j = 0; j < i; j++) {
      int32_t other = event_of(joins[i], WS_EVENT_CONNECTED).peer_id;
      for (int k = 0; k < i; k++) heard[k] |= other == ids[k];
    }
    for (int j = 0; j < i; j++) CHECK(heard[j], "the new join reports the earlier ones");
  }
  CHECK(ws_close(joins[1], 0, NULL) == WS_OK && event_of(host, WS_EVENT_DISCONNECTED).peer_id == ids[1],
        "the host reports a join's end");
  CHECK(reported(joins[0], WS_EVENT_DISCONNECTED, ids[1]) && reported(joins[2], WS_EVENT_DISCONNECTED, ids[1]),
        "the other joins report its end");
  CHECK_EQUAL(say_to(joins[0], ids[1], "x"), WS_ERR_TARGET, "a peer that left is not a valid target");
  CHECK(ws_disconnect(host, ids[2], 0, "kicked") == WS_OK && event_of(joins[2], WS_EVENT_CLOSED).code == 1000,
        "a disconnected join is closed with 1000");
  CHECK(reported(joins[0], WS_EVENT_DISCONNECTED, ids[2]), "the other join reports its end");
  stop();
}

static void targets(void) {
  start_scene(3, WS_SCENE);
  CHECK(say_to(joins[0], 1, "one") == WS_OK && hears(host, ids[0], "one") && all_quiet(), "a join to the host");
  CHECK(say_to(joins[0], ids[1], "two") == WS_OK && hears(joins[1], ids[0], "two") && all_quiet(),
        "a join to another, relayed by the host");
  CHECK(say_to(joins[0], 0, "all") == WS_OK && hears(host, ids[0], "all") && hears(joins[1], ids[0], "all") &&
            hears(joins[2], ids[0], "all") && all_quiet(),
        "a join to all");
  CHECK(ws_put_packet(joins[0], (const uint8_t *)"put", 3, WS_BINARY) == WS_OK && hears(host, ids[0], "put") &&
            hears(joins[1], ids[0], "put") && hears(joins[2], ids[0], "put") && all_quiet(),
        "ws_put_packet to all");
  CHECK(say_to(joins[0], -ids[1], "but") == WS_OK && hears(host, ids[0], "but") && hears(joins[2], ids[0], "but") &&
            all_quiet(),
        "a join to all but one");
  CHECK(say_to(joins[0], -1, "peers") == WS_OK && hears(joins[1], ids[0], "peers") &&
            hears(joins[2], ids[0], "peers") && all_quiet(),
        "a join to all but the host");
  CHECK(say_to(joins[0], ids[0], "x") == WS_ERR_TARGET && say_to(joins[0], 12345, "x") == WS_ERR_TARGET &&
            say_to(joins[0], INT32_MIN, "x") == WS_ERR_ARG,
        "invalid targets of a join");
  CHECK(say_to(host, ids[1], "one") == WS_OK && hears(joins[1], 1, "one") && all_quiet(), "the host to one");
  CHECK(say_to(host, 0, "all") == WS_OK && hears(joins[0], 1, "all") && hears(joins[1], 1, "all") &&
            hears(joins[2], 1, "all") && all_quiet(),
        "the host to all");
  CHECK(say_to(host, -ids[1], "but") == WS_OK && hears(joins[0], 1, "but") && hears(joins[2], 1, "but") && all_quiet(),
        "the host to all but one");
  ws_handle conn;
  ws_get_conn(host, ids[2], &conn);
  CHECK(ws_put_packet(conn, (const uint8_t *)"conn", 4, WS_BINARY) == WS_OK && hears(joins[2], 1, "conn") &&
            all_quiet(),
        "a put by the client's handle");
  CHECK(ws_put_packet(host, (const uint8_t *)"x", 1, WS_TEXT) == WS_ERR_ARG &&
            ws_put_packet(joins[0], (const uint8_t *)"x", 1, WS_TEXT) == WS_ERR_ARG,
        "text is refused");
  CHECK(say_to(host, 0, "") == WS_ERR_ARG && say_to(joins[0], 1, "") == WS_ERR_ARG, "empty packets are refused");
  static uint8_t block[200000];
  memset(block, 7, sizeof block);
  for (int i = 0; i < 3; i++) ws_set_option(i ? joins[i - 1] : host, WS_OPT_MAX_PUT_BYTES, WS_OFF);
  CHECK_EQUAL(ws_put_packet_to(joins[0], ids[1], block, sizeof block, WS_BINARY), WS_OK,
              "a long packet to another is accepted");
  ws_event event = next_event(joins[1]);
  CHECK(event.packet.len == sizeof block && event.packet.peer_id == ids[0] &&
            !memcmp(event.packet.data, block, sizeof block),
        "a long packet arrives whole");
  ws_packet packets[2];
  size_t count;
  CHECK(say_to(joins[2], ids[1], "a") == WS_OK && say_to(host, ids[1], "b") == WS_OK, "two packets are accepted");
  UNTIL(ws_get_available(joins[1]) == 2);
  CHECK(ws_get_packets(joins[1], packets, 2, &count) == WS_OK && count == 2 &&
            packets[0].peer_id + packets[1].peer_id == ids[2] + 1,
        "packets of a batch have their sender's id");
  stop();
}

static void without_relay(void) {
  start_scene(2, WS_SCENE | WS_NO_RELAY);
  CHECK(all_quiet() && say_to(joins[0], ids[1], "x") == WS_ERR_TARGET, "without relay, a join learns of no others");
  CHECK(say_to(joins[0], 0, "all") == WS_OK && hears(host, ids[0], "all") && all_quiet(),
        "without relay, all means the host");
  CHECK(say_to(joins[0], -1, "none") == WS_OK && all_quiet(), "without relay, all but the host is nobody");
  CHECK(call(joins[0], 0, "noargs", NULL, 0) == WS_OK && called(host, ids[0], "noargs", NULL, 0) && all_quiet(),
        "without relay, a call to all reaches the host");
  ws_config config = config_of(WS_SCENE);
  add_join(&config);
  UNTIL(ws_get_state(joins[2]) == WS_OPEN);
  CHECK(say_to(joins[2], 0, "relay") == WS_OK && event_of(host, WS_EVENT_CONNECTED).peer_id == ws_get_peer_id(joins[2]),
        "a join that relays although its host does not");
  CHECK(erred(host, WS_CAUSE_UNSUPPORTED, ws_get_peer_id(joins[2]), 1) && ws_get_state(joins[2]) == WS_OPEN,
        "the host reports UNSUPPORTED and keeps the join");
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
  CHECK(event.type == WS_EVENT_AUTHENTICATING && ids[0] >= 2 && ws_get_conn(host, ids[0], &conn) == WS_OK &&
            conn == event.conn,
        "the host reports AUTHENTICATING");
  CHECK(reported(joins[0], WS_EVENT_AUTHENTICATING, 1) && ws_get_peer_id(joins[0]) == ids[0] &&
            ws_get_state(joins[0]) == WS_CONNECTING,
        "the join reports AUTHENTICATING and is not open");
  CHECK(say_to(host, ids[0], "x") == WS_ERR_STATE && say_to(joins[0], 1, "x") == WS_ERR_STATE &&
            call(host, ids[0], "noargs", NULL, 0) == WS_ERR_STATE,
        "packets and calls are refused during authentication");
  CHECK(ws_put_packet(conn, (const uint8_t *)"x", 1, WS_BINARY) == WS_ERR_STATE &&
            call(joins[0], 1, "noargs", NULL, 0) == WS_ERR_STATE,
        "they are refused by the client's handle too");
  CHECK(say_to(host, 0, "x") == WS_OK && call(host, 0, "noargs", NULL, 0) == WS_OK,
        "a broadcast reaches no peer during authentication");
  CHECK_EQUAL(ws_send_auth(joins[0], 1, (const uint8_t *)"user\0key", 8), WS_OK, "a join sends authentication data");
  event = next_event(host);
  CHECK(event.type == WS_EVENT_AUTH && event.peer_id == ids[0] && event.conn == conn && event.packet.len == 8 &&
            !memcmp(event.packet.data, "user\0key", 8),
        "the host receives the data unchanged");
  CHECK(ws_send_auth(host, ids[0], (const uint8_t *)"welcome", 7) == WS_OK && ws_complete_auth(host, ids[0]) == WS_OK,
        "the host answers and completes");
  CHECK(ws_complete_auth(host, ids[0]) == WS_ERR_STATE &&
            ws_send_auth(host, ids[0], (const uint8_t *)"x", 1) == WS_ERR_STATE,
        "completing twice is refused");
  event = next_event(joins[0]);
  CHECK(event.type == WS_EVENT_AUTH && event.peer_id == 1 && event.packet.len == 7 && all_quiet(),
        "the join receives the answer and is not admitted yet");
  CHECK_EQUAL(ws_send_auth(joins[0], 1, (const uint8_t *)"x", 1), WS_ERR_STATE,
              "no data can be sent after the other side's completion");
  CHECK(ws_complete_auth(joins[0], 1) == WS_OK && reported(joins[0], WS_EVENT_OPEN, ids[0]) &&
            reported(joins[0], WS_EVENT_CONNECTED, 1),
        "the join completes and is admitted");
  CHECK(reported(host, WS_EVENT_CONNECTED, ids[0]) && ws_get_state(joins[0]) == WS_OPEN, "the host reports CONNECTED");
  CHECK(say_to(joins[0], 1, "hello") == WS_OK && hears(host, ids[0], "hello") && say_to(host, ids[0], "hi") == WS_OK &&
            hears(joins[0], 1, "hi"),
        "packets pass both ways");
  CHECK(ws_complete_auth(host, ids[0]) == WS_ERR_TARGET && ws_complete_auth(joins[0], 1) == WS_ERR_TARGET &&
            ws_send_auth(host, 12345, (const uint8_t *)"x", 1) == WS_ERR_TARGET,
        "no authentication is left");

  /* The join completes first. Then nothing delays the host's packets. */
  add_join(&config);
  ids[1] = event_of(host, WS_EVENT_AUTHENTICATING).peer_id;
  CHECK(reported(joins[1], WS_EVENT_AUTHENTICATING, 1) && all_quiet(),
        "an authenticating join is not announced to the others");
  CHECK_EQUAL(say_to(joins[0], ids[1], "x"), WS_ERR_TARGET, "an authenticating join is not a valid target");
  CHECK(ws_complete_auth(joins[1], 1) == WS_OK && all_quiet(), "a join completes without data");
  CHECK(ws_complete_auth(host, ids[1]) == WS_OK && reported(host, WS_EVENT_CONNECTED, ids[1]), "the host completes");
  CHECK(reported(joins[1], WS_EVENT_OPEN, ids[1]) && reported(joins[1], WS_EVENT_CONNECTED, 1) &&
            reported(joins[1], WS_EVENT_CONNECTED, ids[0]),
        "the new join learns of the first one");
  CHECK(reported(joins[0], WS_EVENT_CONNECTED, ids[1]), "the first join learns of the new one");

  /* Refusal. */
  add_join(&config);
  ids[2] = event_of(host, WS_EVENT_AUTHENTICATING).peer_id;
  CHECK(ws_disconnect(host, ids[2], 0, "no") == WS_OK && event_of(joins[2], WS_EVENT_CLOSED).code == 1000 &&
            ws_get_state(joins[2]) == WS_CLOSED,
        "a join is refused by ws_disconnect");
  CHECK(reported(host, WS_EVENT_DISCONNECTED, ids[2]) && all_quiet(), "only the host reports its end");
  CHECK_EQUAL(ws_complete_auth(host, ids[2]), WS_ERR_TARGET, "a refused join cannot be completed");

  /* Timeouts on both sides. */
  CHECK_EQUAL(ws_set_option(host, WS_OPT_AUTH_TIMEOUT_MS, 60), WS_OK, "a timeout for the host");
  add_join(&config);
  event = event_of(joins[3], WS_EVENT_CLOSED);
  CHECK_EQUAL(event.code, 1008, "a join that does not authenticate is disconnected");
  event = event_of(host, WS_EVENT_DISCONNECTED);
  CHECK(event.cause == WS_CAUSE_AUTH_TIMEOUT && event.code == 1008, "the host reports AUTH_TIMEOUT");
  ws_set_option(host, WS_OPT_AUTH_TIMEOUT_MS, WS_OFF);
  add_join(&config);
  CHECK_EQUAL(ws_set_option(joins[4], WS_OPT_AUTH_TIMEOUT_MS, 60), WS_OK, "a timeout for a join");
  event = event_of(joins[4], WS_EVENT_CLOSED);
  CHECK(event.cause == WS_CAUSE_AUTH_TIMEOUT && event.code == 1008, "the join reports AUTH_TIMEOUT");
  stop();

  /* A join without authentication: its packets wait for the host's decision, and it reports the host's data as
     UNSUPPORTED. */
  start_scene(0, flags);
  ws_config plain = config_of(WS_SCENE);
  add_join(&plain);
  UNTIL(ws_get_state(joins[0]) == WS_OPEN);
  ids[0] = event_of(host, WS_EVENT_AUTHENTICATING).peer_id;
  CHECK_EQUAL(say_to(joins[0], 1, "early"), WS_OK, "a join without authentication sends a packet");
  drain(joins[0]);
  CHECK(ws_send_auth(host, ids[0], (const uint8_t *)"who?", 4) == WS_OK && erred(joins[0], WS_CAUSE_UNSUPPORTED, 1, 1),
        "the join reports data that it cannot answer");
  CHECK(ws_complete_auth(host, ids[0]) == WS_OK && reported(host, WS_EVENT_CONNECTED, ids[0]) &&
            hears(host, ids[0], "early"),
        "the packet is delivered once the join is admitted");
  add_join(&plain);
  UNTIL(ws_get_state(joins[1]) == WS_OPEN);
  CHECK_EQUAL(say_to(joins[1], 1, "never heard"), WS_OK, "another join sends a packet");
  ids[1] = event_of(host, WS_EVENT_AUTHENTICATING).peer_id;
  settle();
  CHECK_EQUAL(ws_close(joins[1], 0, NULL), WS_OK, "the other join leaves unadmitted");
  event = next_event(host);
  if (event.type == WS_EVENT_CLOSE_REQUEST) event = next_event(host);
  CHECK(event.type == WS_EVENT_DISCONNECTED && event.peer_id == ids[1] && ws_get_available(host) == 0,
        "only its end is reported, and its packet is dropped");
  stop();

  /* A join with authentication, and a host without. */
  start_scene(0, WS_SCENE);
  add_join(&config);
  CHECK(reported(joins[0], WS_EVENT_AUTHENTICATING, 1), "the join reports AUTHENTICATING");
  ids[0] = event_of(host, WS_EVENT_CONNECTED).peer_id;
  CHECK(ws_send_auth(joins[0], 1, (const uint8_t *)"?", 1) == WS_OK && erred(host, WS_CAUSE_UNSUPPORTED, ids[0], 1),
        "the host reports UNSUPPORTED");
  CHECK_EQUAL(say_to(host, ids[0], "kept"), WS_OK, "the host sends a packet");
  for (int i = 0; i < 50; i++) poll_all();
  CHECK(ws_get_available(joins[0]) == 0 && ws_complete_auth(joins[0], 1) == WS_OK,
        "the packet is held until the join completes");
  CHECK(reported(joins[0], WS_EVENT_OPEN, ids[0]) && reported(joins[0], WS_EVENT_CONNECTED, 1) &&
            hears(joins[0], 1, "kept"),
        "the packet follows OPEN and CONNECTED");
  stop();

  start_scene(1, WS_SCENE);
  CHECK(ws_send_auth(host, ids[0], (const uint8_t *)"x", 1) == WS_ERR_TARGET &&
            ws_complete_auth(joins[0], 1) == WS_ERR_TARGET,
        "without WS_AUTH no peer is being authenticated");
  stop();
}

static void calls(void) {
  ws_variant items[8];
  start_scene(3, WS_SCENE);
  ws_variant two[2] = {integer(5), string("hi")};
  for (int round = 0; round < 3; round++) {
    /* First by path, later by node id. */
    CHECK(call(joins[0], 1, "hello", two, 2) == WS_OK && called(host, ids[0], "hello", items, 8),
          "a join calls the host");
    CHECK(items[0].integer == 5 && items[1].len == 2 && !memcmp(items[1].data, "hi", 2), "the call has its arguments");
    CHECK(call(host, ids[1], "noargs", NULL, 0) == WS_OK && called(joins[1], 1, "noargs", items, 8),
          "the host calls a join");
    CHECK(call(joins[0], ids[2], "hello", two, 2) == WS_OK && called(joins[2], ids[0], "hello", items, 8),
          "a join calls another join");
    CHECK(call(joins[2], ids[0], "hello", two, 1) == WS_OK && called(joins[0], ids[2], "hello", items, 8),
          "a join calls back");
    CHECK(call(host, 0, "hello", two, 2) == WS_OK && called(joins[0], 1, "hello", items, 8) &&
              called(joins[1], 1, "hello", items, 8) && called(joins[2], 1, "hello", items, 8),
          "the host calls all");
    CHECK(call(host, -ids[0], "noargs", NULL, 0) == WS_OK && called(joins[1], 1, "noargs", NULL, 0) &&
              called(joins[2], 1, "noargs", NULL, 0) && all_quiet(),
          "the host calls all but one");
    CHECK(call(joins[1], 0, "noargs", NULL, 0) == WS_OK && called(host, ids[1], "noargs", NULL, 0) &&
              called(joins[0], ids[1], "noargs", NULL, 0) && called(joins[2], ids[1], "noargs", NULL, 0) && all_quiet(),
          "a join calls all");
    CHECK(call(joins[1], -1, "noargs", NULL, 0) == WS_OK && called(joins[0], ids[1], "noargs", NULL, 0) &&
              called(joins[2], ids[1], "noargs", NULL, 0) && all_quiet(),
          "a join calls all but the host");
    CHECK(call(joins[1], -ids[2], "noargs", NULL, 0) == WS_OK && called(joins[0], ids[1], "noargs", NULL, 0) &&
              called(host, ids[1], "noargs", NULL, 0) && all_quiet(),
          "a join calls all but one");
  }
  ws_variant bytes = {0};
  bytes.type = WS_VARIANT_PACKED_BYTE_ARRAY;
  bytes.data = (const uint8_t *)"\xde\xad";
  bytes.len = bytes.count = 2;
  CHECK(call(joins[0], 1, "raw", &bytes, 1) == WS_OK && called(host, ids[0], "raw", items, 8) && items[0].count == 2 &&
            !memcmp(items[0].data, "\xde\xad", 2),
        "a call with only bytes");
  ws_handle conn;
  ws_get_conn(host, ids[0], &conn);
  uint8_t buf[64];
  size_t len;
  ws_encode_call("/root/Game", "noargs", NULL, 0, buf, sizeof buf, &len);
  CHECK(ws_put_packet(conn, buf, len, WS_CALL) == WS_OK && called(joins[0], 1, "noargs", NULL, 0),
        "a call by the client's handle with a path from the root");
  CHECK(ws_put_packet_to(conn, 0, buf, len, WS_CALL) == WS_ERR_KIND && ws_send_auth(conn, 1, buf, 1) == WS_ERR_KIND &&
            ws_declare_node(conn, "A", "a") == WS_ERR_KIND,
        "a client's handle has no targets and no nodes");
  CHECK(call(joins[0], 1, "nothing", NULL, 0) == WS_ERR_ARG && strstr(why(), "nothing"),
        "an undeclared method is refused");
  CHECK(ws_encode_call("Other", "noargs", NULL, 0, buf, sizeof buf, &len) == WS_OK &&
            ws_put_packet(host, buf, len, WS_CALL) == WS_ERR_ARG && strstr(why(), "ws_declare_node"),
        "an undeclared node is refused");
  CHECK_EQUAL(ws_put_packet(host, (const uint8_t *)"hello", 5, WS_CALL), WS_ERR_ARG,
              "bytes that are not a call are refused");
  CHECK(call(joins[0], 12345, "noargs", NULL, 0) == WS_ERR_TARGET &&
            call(host, 12345, "noargs", NULL, 0) == WS_ERR_TARGET &&
            call(joins[0], ids[0], "noargs", NULL, 0) == WS_ERR_TARGET,
        "a call to an invalid target is refused");
  /* A late join gets the path again. */
  ws_config config = config_of(WS_SCENE);
  add_join(&config);
  ws_declare_node(joins[3], "Game", "hello,noargs,raw");
  UNTIL(ws_get_state(joins[3]) == WS_OPEN);
  ids[3] = event_of(host, WS_EVENT_CONNECTED).peer_id;
  for (int i = 0; i < 3; i++) CHECK(reported(joins[i], WS_EVENT_CONNECTED, ids[3]), "a late join is announced");
  CHECK(call(host, 0, "hello", two, 2) == WS_OK && called(joins[1], 1, "hello", items, 8) &&
            event_of(joins[3], WS_EVENT_MESSAGE).packet.type == WS_CALL,
        "a call reaches joins by node id and by path");
  stop();

  /* Different methods, an undeclared node, a forgotten node. */
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
  CHECK(call(joins[0], 1, "noargs", NULL, 0) == WS_OK && erred(host, WS_CAUSE_CHECKSUM, ids[0], 2),
        "different methods: the host reports the path and the call");
  CHECK(erred(joins[0], WS_CAUSE_CHECKSUM, 1, 1), "different methods: the join reports the path");
  CHECK(call(host, ids[1], "noargs", NULL, 0) == WS_OK && call(host, ids[1], "hello", NULL, 0) == WS_OK &&
            erred(joins[1], WS_CAUSE_NO_NODE, 1, 2),
        "calls of an undeclared node are reported");
  CHECK(ws_declare_node(joins[1], "Game", "hello,noargs,raw") == WS_OK &&
            call(host, ids[1], "noargs", NULL, 0) == WS_OK && called(joins[1], 1, "noargs", NULL, 0),
        "a node declared later can be called");
  CHECK(ws_declare_node(joins[1], "Game", NULL) == WS_OK && call(host, ids[1], "noargs", NULL, 0) == WS_OK &&
            erred(joins[1], WS_CAUSE_NO_NODE, 1, 1),
        "calls of a forgotten node are reported");
  CHECK(ws_declare_node(joins[1], "Game", NULL) == WS_ERR_ARG && ws_declare_node(host, "Game", "a") == WS_ERR_ARG &&
            ws_declare_node(host, "Game", "raw,noargs,hello") == WS_OK,
        "declarations are validated");
  CHECK(ws_get_state(joins[0]) == WS_OPEN && ws_get_state(joins[1]) == WS_OPEN, "no connection was closed");
  stop();

  ws_handle server, client;
  open_pair(NULL, &server, &client);
  CHECK(ws_put_packet(client, buf, len, WS_CALL) == WS_ERR_KIND && ws_declare_node(client, "A", "a") == WS_ERR_KIND &&
            ws_complete_auth(client, 1) == WS_ERR_KIND,
        "a plain connection has no calls");
  ws_free(server);
  ws_free(client);
}

static void local_player(void) {
  ws_variant items[8];
  start_scene(1, WS_SCENE);
  CHECK_EQUAL(ws_join_local(host, NULL, &joins[1]), WS_OK, "a local player joins");
  join_count = 2;
  ws_declare_node(joins[1], "Game", "hello,noargs,raw");
  UNTIL(ws_get_state(joins[1]) == WS_OPEN);
  ids[1] = ws_get_peer_id(joins[1]);
  CHECK(reported(joins[0], WS_EVENT_CONNECTED, ids[1]) && reported(host, WS_EVENT_CONNECTED, ids[1]),
        "the local player is announced to the others");
  CHECK(reported(joins[1], WS_EVENT_OPEN, ids[1]) && reported(joins[1], WS_EVENT_CONNECTED, 1) &&
            reported(joins[1], WS_EVENT_CONNECTED, ids[0]),
        "the local player learns of the others");
  CHECK(call(joins[1], 0, "noargs", NULL, 0) == WS_OK && called(host, ids[1], "noargs", items, 8) &&
            called(joins[0], ids[1], "noargs", items, 8),
        "a local player calls all");
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
  CHECK(at_host == accepted && at_other == accepted, "accepted calls reach each peer once");
  CHECK(event_of(joins[0], WS_EVENT_WRITABLE).type == WS_EVENT_WRITABLE &&
            call(joins[0], 0, "noargs", NULL, 0) == WS_OK,
        "a call is accepted again after WRITABLE");
  stop();
}

/* One client is no longer polled while the host calls all. */
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
    while (ws_next_event(joins[0], &event) == WS_OK)
      heard += event.type == WS_EVENT_MESSAGE && event.packet.type == WS_CALL;
  }
  CHECK_EQUAL(result, wanted, "a call to all with one full queue");
  while (heard < accepted && now_s() < end) {
    poll_all();
    while (ws_next_event(joins[0], &event) == WS_OK)
      heard += event.type == WS_EVENT_MESSAGE && event.packet.type == WS_CALL;
  }
  CHECK(heard == accepted && accepted > 16, "the other client receives each accepted call once");
  if (wanted == WS_PARTIAL)
    CHECK(event_of(host, WS_EVENT_DISCONNECTED).cause == WS_CAUSE_FULL &&
              event_of(joins[0], WS_EVENT_DISCONNECTED).peer_id == ids[1],
          "the client with the full queue is disconnected, and both report it");
  else CHECK_EQUAL(ws_get_state(stalled), WS_OPEN, "the client with the full queue stays");
  ws_free(stalled);
  stop();
}

/* ---- variants in buffers ---- */

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
  CHECK(ws_encode_variant(items, 5, buf, sizeof buf, &len) == WS_OK && len == 44, "a Dictionary is encoded");
  CHECK(ws_decode_variant(buf, len, back, 8, &count, &used) == WS_OK && count == 5 && used == len &&
            back[0].count == 2 && back[3].len == 1 && back[3].data[0] == 'b',
        "a Dictionary is decoded");
  CHECK(ws_decode_variant(buf, len, back, 2, &count, NULL) == WS_TRUNCATED && count == 5 && back[1].data[0] == 'a',
        "with too few items of room, the rest is counted");
  CHECK(ws_decode_variant(buf, len, NULL, 0, &count, NULL) == WS_TRUNCATED && count == 5,
        "without room, all items are counted");
  memset(buf, 0xAA, sizeof buf);
  CHECK(ws_encode_variant(items, 5, buf, 20, &len) == WS_ERR_TOO_BIG && len == 44 && buf[20] == 0xAA,
        "a short buffer is not overrun, and the needed length is returned");
  CHECK(ws_encode_variant(items, 5, NULL, 0, &len) == WS_ERR_TOO_BIG && len == 44,
        "without a buffer, the needed length is returned");
  CHECK(ws_encode_variant(items, 4, buf, sizeof buf, &len) == WS_ERR_ARG && len == 0 && strstr(why(), "lacks 1"),
        "a missing item is refused");
  CHECK(ws_encode_variant(items + 1, 2, buf, sizeof buf, &len) == WS_ERR_ARG && strstr(why(), "2 values"),
        "two values are refused");
  items[0].type = WS_VARIANT_OBJECT;
  CHECK(ws_encode_variant(items, 1, buf, sizeof buf, &len) == WS_ERR_ARG && strstr(why(), "Object"),
        "an Object is refused with its name");
  items[0].type = 99;
  CHECK(ws_encode_call("Game", "hello", items, 1, buf, sizeof buf, &len) == WS_ERR_ARG && strstr(why(), "99"),
        "an unknown type is refused with its number");
  items[0] = string("x");
  items[0].data = NULL;
  CHECK(ws_encode_call("Game", "hello", items, 1, buf, sizeof buf, &len) == WS_ERR_NULL && strstr(why(), "item 0"),
        "a NULL text is refused with its index");
  CHECK(ws_decode_variant((const uint8_t *)"\x18\0\1\0\1\0\0\0\0\0\0\0", 12, back, 8, &count, &used) ==
                WS_ERR_UNSUPPORTED &&
            strstr(why(), "Object"),
        "an encoded Object is unsupported");
  CHECK_EQUAL(ws_decode_variant((const uint8_t *)"\x04\0\0\0\xff\xff\xff\xff", 8, back, 8, &count, &used), WS_ERR_ARG,
              "a length beyond the data is refused");
  ws_call call;
  CHECK(ws_encode_call("/root/Game", "hello", (ws_variant[]){integer(-300)}, 1, buf, sizeof buf, &len) == WS_OK &&
            ws_decode_call(buf, len, &call, back, 8) == WS_OK,
        "a call is encoded and decoded");
  CHECK(!strcmp(call.path, "/root/Game") && !strcmp(call.method, "hello") && call.arguments == 1 && call.items == 1 &&
            back[0].integer == -300,
        "the decoded call is equal");
  for (size_t i = 0; i < len; i++)
    if (ws_decode_call(buf, i, &call, back, 8) != WS_ERR_ARG) CHECK(0, "a truncated call is refused");
  CHECK(ws_struct_size(WS_STRUCT_VARIANT) == sizeof(ws_variant) && ws_struct_size(WS_STRUCT_CALL) == sizeof(ws_call),
        "ws_struct_size of variants and calls");
}

static void configs(void) {
  static const struct {
    uint32_t flags;
    const char *word;
  } cases[] = {{WS_SCENE | WS_GODOT3, "exclude"},
               {WS_AUTH, "WS_SCENE"},
               {WS_NO_RELAY, "WS_SCENE"},
               {WS_AUTH | WS_GODOT3, "WS_SCENE"}};
  ws_handle h;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ws_config config = config_of(cases[i].flags);
    CHECK(ws_host("ws://127.0.0.1:0", &config, &h) == WS_ERR_CONFIG && strstr(why(), cases[i].word),
          "incompatible flags are refused");
  }
  ws_config config = config_of(WS_SCENE);
  CHECK(ws_connect("ws://127.0.0.1:1", &config, &h) == WS_ERR_CONFIG &&
            ws_listen("ws://127.0.0.1:0", &config, &h) == WS_ERR_CONFIG && ws_pair(&config, &h, &h) == WS_ERR_CONFIG,
        "WS_SCENE is only for hosts and joins");
  config.flags |= WS_QUEUE_BEFORE_OPEN;
  CHECK_EQUAL(ws_join("ws://127.0.0.1:1", &config, &h), WS_ERR_CONFIG, "a scene does not allow WS_QUEUE_BEFORE_OPEN");
  CHECK((ws_get_features() & WS_FEATURE_SCENE) != 0, "ws_get_features reports the scene");
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
