/* The application heartbeat over real sockets: both roles, every layer above it, compression, and peers without it. */
#include "check.h"

static ws_config with(uint32_t flags) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = flags;
  config.heartbeat_ms = 20;
  config.pong_timeout_ms = 5000;
  return config;
}

static ws_stats stats_of(ws_handle h) {
  ws_stats stats = {0};
  ws_get_stats(h, &stats, sizeof stats);
  return stats;
}

static uint64_t rtt_of(ws_handle h) { return stats_of(h).rtt_us; }

/* Polls both until the client has measured a round-trip time, for at most 10 s. */
static int measures(ws_handle server, ws_handle client) {
  for (double end = now_s() + 10; now_s() < end && !rtt_of(client);) {
    ws_poll(server);
    ws_poll(client);
  }
  return rtt_of(client) > 0;
}

/* The type of the next event of `h`, which is polled together with `other`. 0: none within 5 s. */
static int comes(ws_handle h, ws_handle other, ws_event *event) {
  for (double end = now_s() + 5; now_s() < end;) {
    ws_poll(h);
    ws_poll(other);
    if (ws_next_event(h, event) == WS_OK) return event->type;
  }
  return 0;
}

static int is(const ws_event *event, const char *bytes) {
  return event->packet.len == strlen(bytes) && !memcmp(event->packet.data, bytes, event->packet.len);
}

static ws_result says(ws_handle h, const char *bytes) {
  return ws_put_packet(h, (const uint8_t *)bytes, strlen(bytes), WS_BINARY);
}

static void a_client_and_a_server(uint32_t more) {
  ws_config config = with(WS_APP_HEARTBEAT | more);
  ws_handle server, client;
  ws_event event;
  char url[80], text[80];
  CHECK_EQUAL(ws_listen("ws://127.0.0.1:0", &config, &server), WS_OK, "the server listens");
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
  strcat(url, "/room?x=1");
  CHECK_EQUAL(ws_connect(url, &config, &client), WS_OK, "the client connects");
  CHECK_EQUAL(comes(server, client, &event), WS_EVENT_CONNECTED, "the server reports CONNECTED");
  ws_handle conn = event.conn;
  CHECK_EQUAL(comes(client, server, &event), WS_EVENT_OPEN, "the client reports OPEN");
  CHECK(ws_get_text(conn, WS_GET_QUERY, text, sizeof text, NULL) == WS_OK && !strcmp(text, "x=1"),
        "the server's query does not contain the heartbeat request");
  CHECK(ws_get_text(client, WS_GET_URL, text, sizeof text, NULL) == WS_OK && !strcmp(text, url),
        "the client's URL does not contain the heartbeat request");
  CHECK(measures(server, client), "the client measures a round-trip time");
  for (int i = 0; i < 20; i++) {
    snprintf(text, sizeof text, "message %d", i);
    CHECK(says(client, text) == WS_OK && comes(server, client, &event) == WS_EVENT_MESSAGE && is(&event, text),
          "a message to the server");
    CHECK(says(conn, text) == WS_OK && comes(client, server, &event) == WS_EVENT_MESSAGE && is(&event, text),
          "a message to the client");
    for (double end = now_s() + 0.025; now_s() < end;) {
      ws_poll(server);
      ws_poll(client);
    }
  }
  ws_stats stats = stats_of(client);
  CHECK(stats.messages_out == 20 && stats.messages_in == 20, "the client's counters leave out heartbeats");
  CHECK(stats_of(conn).messages_out == 20 && stats_of(conn).messages_in == 20,
        "the server's counters leave out heartbeats");
  CHECK(ws_next_event(client, &event) == WS_EMPTY && ws_next_event(server, &event) == WS_EMPTY,
        "heartbeats cause no events");
  ws_close(client, 1000, "");
  CHECK(comes(client, server, &event) == WS_EVENT_CLOSED && event.clean && !event.unsent, "the close is clean");
  ws_free(client);
  ws_free(server);
}

/* A long message is compressed in slices: heartbeats are sent between messages, never inside one. */
static void between_slices(void) {
  enum { LONG = 8 << 20 };
  ws_config config = with(WS_APP_HEARTBEAT | WS_DEFLATE);
  config.poll_budget_us = 200;
  config.heartbeat_ms = 5;
  config.outbound_bytes = config.inbound_bytes = config.max_message_bytes = 2 * LONG;
  config.max_inflate_ratio = WS_OFF;
  ws_handle server, client;
  ws_event event;
  char url[80];
  uint8_t *bytes = malloc(LONG);
  for (uint32_t i = 0, x = 1; i < LONG; i++) bytes[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 29);
  ws_listen("ws://127.0.0.1:0", &config, &server);
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
  ws_connect(url, &config, &client);
  comes(server, client, &event);
  comes(client, server, &event);
  CHECK(ws_put_packet(client, bytes, LONG, WS_BINARY) == WS_OK &&
            ws_put_packet(server, bytes, LONG, WS_BINARY) == WS_OK,
        "messages of 8 MiB are accepted both ways");
  int got = 0;
  for (double end = now_s() + 30; now_s() < end && got < 2;) {
    ws_poll(server);
    ws_poll(client);
    while (ws_next_event(client, &event) == WS_OK)
      got += event.type == WS_EVENT_MESSAGE && event.packet.len == LONG && !memcmp(event.packet.data, bytes, LONG);
    while (ws_next_event(server, &event) == WS_OK)
      got += event.type == WS_EVENT_MESSAGE && event.packet.len == LONG && !memcmp(event.packet.data, bytes, LONG);
  }
  CHECK(got == 2 && measures(server, client), "both arrive whole, and the round-trip time is measured");
  free(bytes);
  ws_free(client);
  ws_free(server);
}

static void the_multiplayer_layers_do_not_see_it(uint32_t flags, const char *name) {
  ws_config config = with(WS_APP_HEARTBEAT | flags);
  ws_handle host, join, local;
  ws_event event;
  char url[80];
  printf("# %s\n", name);
  CHECK_EQUAL(ws_host("ws://127.0.0.1:0", &config, &host), WS_OK, "the host listens");
  ws_get_text(host, WS_GET_URL, url, sizeof url, NULL);
  CHECK_EQUAL(ws_join(url, &config, &join), WS_OK, "the join connects");
  CHECK_EQUAL(comes(host, join, &event), WS_EVENT_CONNECTED, "the host reports CONNECTED");
  int32_t id = event.peer_id;
  CHECK(comes(join, host, &event) == WS_EVENT_OPEN && event.peer_id == id, "the join reports OPEN with its id");
  CHECK(comes(join, host, &event) == WS_EVENT_CONNECTED && event.peer_id == 1,
        "the join reports CONNECTED of the host");
  CHECK(measures(host, join), "the join measures a round-trip time");
  CHECK(ws_put_packet_to(join, 1, (const uint8_t *)"up", 2, WS_BINARY) == WS_OK &&
            comes(host, join, &event) == WS_EVENT_MESSAGE && is(&event, "up"),
        "a packet to the host");
  CHECK(ws_put_packet_to(host, id, (const uint8_t *)"down", 4, WS_BINARY) == WS_OK &&
            comes(join, host, &event) == WS_EVENT_MESSAGE && is(&event, "down"),
        "a packet to the join");
  CHECK(ws_join_local(host, &config, &local) == WS_OK && comes(local, host, &event) == WS_EVENT_OPEN &&
            measures(host, local),
        "a local player measures a round-trip time");
  ws_free(local);
  ws_free(join);
  ws_free(host);
}

/* Only one side has the flag. */
static void who_does_not_take_part(void) {
  ws_config config = with(WS_APP_HEARTBEAT), plain = with(0);
  ws_handle server, client;
  ws_event event;
  char url[80], query[80];
  ws_listen("ws://127.0.0.1:0", &plain, &server);
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
  ws_connect(url, &config, &client);
  comes(server, client, &event);
  ws_handle conn = event.conn;
  CHECK(ws_get_text(conn, WS_GET_QUERY, query, sizeof query, NULL) == WS_OK && !strcmp(query, "wspeer=1"),
        "a server without the flag sees the heartbeat request in the query");
  comes(client, server, &event);
  says(conn, "first");
  CHECK(comes(client, server, &event) == WS_EVENT_MESSAGE && is(&event, "first"),
        "the server's first message is delivered");
  CHECK(comes(client, server, &event) == WS_EVENT_ERROR && event.cause == WS_CAUSE_NO_HEARTBEAT &&
            ws_get_state(client) == WS_OPEN,
        "the client reports NO_HEARTBEAT and stays open");
  CHECK(strstr((const char *)event.packet.data, "WS_APP_HEARTBEAT") != NULL,
        "the error message names WS_APP_HEARTBEAT");
  CHECK(measures(server, client), "the client falls back to ping frames");
  CHECK_EQUAL(ws_next_event(server, &event), WS_EMPTY, "the server receives no stray message");
  ws_free(client);
  config.connect_timeout_ms = 100;
  ws_connect(url, &config, &client);
  CHECK_EQUAL(comes(client, server, &event), WS_EVENT_OPEN, "the client reports OPEN");
  CHECK(comes(client, server, &event) == WS_EVENT_ERROR && event.cause == WS_CAUSE_NO_HEARTBEAT,
        "without a first message, NO_HEARTBEAT is reported at the connect timeout");
  ws_free(client);
  ws_free(server);

  ws_listen("ws://127.0.0.1:0", &config, &server);
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
  ws_connect(url, &plain, &client);
  comes(server, client, &event);
  says(event.conn, "only this");
  CHECK(comes(client, server, &event) == WS_EVENT_OPEN && comes(client, server, &event) == WS_EVENT_MESSAGE &&
            is(&event, "only this"),
        "a client that does not ask receives only messages");
  CHECK(measures(server, client) && ws_next_event(client, &event) == WS_EMPTY,
        "a client that does not ask uses ping frames");
  ws_free(client);
  ws_free(server);
}

static void a_dead_link(void) {
  ws_config config = with(WS_APP_HEARTBEAT);
  config.pong_timeout_ms = 200;
  ws_handle server, client;
  ws_event event;
  server = open_server(&config, &config, &client, 1);
  CHECK(measures(server, client), "the client measures a round-trip time");
  while (ws_next_event(client, &event) == WS_OK) {
  }
  double began = now_s();
  int type = comes(client, 0, &event);
  CHECK(type == WS_EVENT_CLOSED && event.cause == WS_CAUSE_PONG_TIMEOUT && event.phase == WS_PHASE_WEBSOCKET,
        "a server that stops polling is dropped by PONG_TIMEOUT");
  CHECK(now_s() - began < 2, "the pong timeout is kept");
  ws_free(client);
  ws_free(server);
}

static void configs(void) {
  ws_config config = with(WS_APP_HEARTBEAT);
  ws_handle h, other;
  uint32_t value = 0;
  config.heartbeat_ms = config.pong_timeout_ms = 0;
  CHECK(ws_connect("ws://127.0.0.1:1", &config, &h) == WS_OK &&
            ws_get_option(h, WS_OPT_HEARTBEAT_MS, &value) == WS_OK && value == 20000,
        "a client pings every 20 s");
  ws_free(h);
  config.max_message_bytes = 127;
  CHECK(ws_connect("ws://127.0.0.1:1", &config, &h) == WS_ERR_CONFIG && strstr(why(), "max_message_bytes"),
        "max_message_bytes must allow heartbeats");
  config = with(WS_APP_HEARTBEAT);
  CHECK(ws_pair(&config, &h, &other) == WS_OK && measures(h, other), "the ends of a pair measure a round-trip time");
  ws_free(h);
  ws_free(other);
}

int main(void) {
  a_client_and_a_server(0);
  a_client_and_a_server(WS_COALESCE);
  a_client_and_a_server(WS_DEFLATE);
  between_slices();
  the_multiplayer_layers_do_not_see_it(0, "Godot 4");
  the_multiplayer_layers_do_not_see_it(WS_GODOT3, "Godot 3");
  the_multiplayer_layers_do_not_see_it(WS_SCENE, "scene");
  who_does_not_take_part();
  a_dead_link();
  configs();
  FINISH();
}
