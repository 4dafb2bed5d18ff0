/* Every export with NULL, 0, stale handles, handles of the wrong kind, huge lengths, bad UTF-8 and invalid configs: an
   error code and message, never a crash. */
#include "check.h"

static ws_handle client_end, server_end, server, conn, attached, stale, host, local, host_conn;

static void set_up(void) {
  open_pair(NULL, &server_end, &client_end);
  static ws_handle clients[1];
  server = open_server(NULL, NULL, clients, 1);
  size_t count;
  ws_get_conns(server, &conn, 1, &count);
  ws_attach(NULL, WS_ROLE_CLIENT, &attached);
  ws_host("ws://127.0.0.1:0", NULL, &host);
  ws_join_local(host, NULL, &local);
  for (int i = 0; i < 10 && ws_get_state(local) != WS_OPEN; i++) {
    ws_poll(host);
    ws_poll(local);
  }
  ws_get_conn(host, ws_get_peer_id(local), &host_conn);
  ws_handle other;
  ws_pair(NULL, &stale, &other);
  ws_free(stale);
  ws_free(other);
}

/* The call fails with `code`, and ws_last_error has a message. */
#define FAILS(call, code, name)                                            \
  do {                                                                     \
    ws_result result_ = (call);                                            \
    if (result_ != (code)) printf("# got %s\n", ws_result_name(result_));  \
    CHECK(result_ == (code) && strlen(why()) > 8, name);                   \
  } while (0)

/* A pair that stays open for the whole test; open_handles() counts which of its ends still work. */
static ws_handle probe_pair[2];

static uint32_t open_handles(void) {
  uint32_t open = 0;
  for (int i = 0; i < 2; i++) open += ws_get_state(probe_pair[i]) >= 0;
  return open;
}

static void bad_handles(void) {
  ws_handle bad[] = {0, stale, 0xFFFFFFFFu, 0x7FFFFFFFu, 12345};
  ws_packet packet;
  ws_event event;
  ws_stats stats;
  size_t n;
  uint32_t value;
  char text[8];
  uint8_t byte = 0;
  ws_pair(NULL, &probe_pair[0], &probe_pair[1]);
  CHECK_EQUAL(open_handles(), 2, "a pair stays open beside the bad handles");
  for (int i = 0; i < 5; i++) {
    ws_handle h = bad[i];
    FAILS(ws_poll(h), WS_ERR_HANDLE, "ws_poll");
    FAILS(ws_get_packet(h, &packet), WS_ERR_HANDLE, "ws_get_packet");
    FAILS(ws_get_packets(h, &packet, 1, &n), WS_ERR_HANDLE, "ws_get_packets");
    FAILS(ws_put_packets(h, &(ws_packet_out){.data = &byte, .len = 1, .type = WS_TEXT}, 1, &n), WS_ERR_HANDLE,
          "ws_put_packets");
    FAILS(ws_next_event(h, &event), WS_ERR_HANDLE, "ws_next_event");
    FAILS(ws_next_events(h, &event, 1, &n), WS_ERR_HANDLE, "ws_next_events");
    FAILS(ws_put_packet(h, &byte, 1, WS_BINARY), WS_ERR_HANDLE, "ws_put_packet");
    FAILS(ws_put_packet_to(h, 0, &byte, 1, WS_BINARY), WS_ERR_HANDLE, "ws_put_packet_to");
    FAILS(ws_put_latest(h, 0, 1, &byte, 1, WS_BINARY), WS_ERR_HANDLE, "ws_put_latest");
    FAILS(ws_publish(h, "a", 0, &byte, 1, WS_BINARY), WS_ERR_HANDLE, "ws_publish");
    FAILS(ws_publish_latest(h, "a", 0, 1, &byte, 1, WS_BINARY), WS_ERR_HANDLE, "ws_publish_latest");
    FAILS(ws_subscribe(h, "a"), WS_ERR_HANDLE, "ws_subscribe");
    FAILS(ws_unsubscribe(h, "a"), WS_ERR_HANDLE, "ws_unsubscribe");
    FAILS(ws_unsubscribe(h, NULL), WS_ERR_HANDLE, "ws_unsubscribe of all topics");
    FAILS(ws_get_topics(h, text, sizeof text, &n), WS_ERR_HANDLE, "ws_get_topics");
    FAILS(ws_flush(h), WS_ERR_HANDLE, "ws_flush");
    FAILS(ws_close(h, 0, NULL), WS_ERR_HANDLE, "ws_close");
    FAILS(ws_disconnect(h, 0, 0, NULL), WS_ERR_HANDLE, "ws_disconnect");
    FAILS(ws_get_state(h), WS_ERR_HANDLE, "ws_get_state");
    FAILS(ws_get_available(h), WS_ERR_HANDLE, "ws_get_available");
    FAILS(ws_get_text(h, WS_GET_URL, text, sizeof text, &n), WS_ERR_HANDLE, "ws_get_text");
    FAILS(ws_get_header(h, "host", 0, text, sizeof text, &n), WS_ERR_HANDLE, "ws_get_header");
    FAILS(ws_get_end(h, &event), WS_ERR_HANDLE, "ws_get_end");
    FAILS(ws_get_stats(h, &stats, sizeof stats), WS_ERR_HANDLE, "ws_get_stats");
    FAILS(ws_get_option(h, WS_OPT_PORT, &value), WS_ERR_HANDLE, "ws_get_option");
    FAILS(ws_set_option(h, WS_OPT_NO_DELAY, 1), WS_ERR_HANDLE, "ws_set_option");
    FAILS(ws_set_user(h, 1), WS_ERR_HANDLE, "ws_set_user");
    FAILS(ws_get_conns(h, &value, 1, &n), WS_ERR_HANDLE, "ws_get_conns");
    FAILS(ws_get_waiting(h, &value, 1, &n), WS_ERR_HANDLE, "ws_get_waiting");
    FAILS(ws_get_conn(h, 1, &value), WS_ERR_HANDLE, "ws_get_conn");
    FAILS(ws_set_certificate(h, "", ""), WS_ERR_HANDLE, "ws_set_certificate");
    FAILS(ws_serve(h, "/", ".", 0), WS_ERR_HANDLE, "ws_serve");
    FAILS(ws_accept(h, NULL, NULL, 0), WS_ERR_HANDLE, "ws_accept");
    FAILS(ws_reply(h, 200, NULL, 0, NULL, 0), WS_ERR_HANDLE, "ws_reply");
    FAILS(ws_get_peer_id(h), WS_ERR_HANDLE, "ws_get_peer_id");
    FAILS(ws_join_local(h, NULL, &value), WS_ERR_HANDLE, "ws_join_local");
    FAILS(ws_feed(h, &byte, 1, &n), WS_ERR_HANDLE, "ws_feed");
    FAILS(ws_take_output(h, &byte, 1, &n), WS_ERR_HANDLE, "ws_take_output");
    FAILS(ws_wait(&h, 1, 0), WS_ERR_HANDLE, "ws_wait");
    uint32_t before = open_handles();
    ws_free(h);
    CHECK_EQUAL(open_handles(), before, "ws_free of a bad handle frees no other handle");
  }
}

static void wrong_kinds(void) {
  size_t n;
  uint32_t value;
  uint8_t byte = 0;
  char text[64];
  ws_event event;
  ws_handle none_are_servers[] = {client_end, server_end, conn, attached};
  for (int i = 0; i < 4; i++) {
    ws_handle h = none_are_servers[i];
    FAILS(ws_put_packet_to(h, 0, &byte, 1, WS_BINARY), WS_ERR_KIND, "ws_put_packet_to");
    FAILS(ws_disconnect(h, 0, 0, NULL), WS_ERR_KIND, "ws_disconnect");
    FAILS(ws_put_latest(h, 1, 1, &byte, 1, WS_BINARY), WS_ERR_KIND, "ws_put_latest with a target");
    FAILS(ws_publish(h, "a", 0, &byte, 1, WS_BINARY), WS_ERR_KIND, "ws_publish");
    FAILS(ws_publish_latest(h, "a", 0, 1, &byte, 1, WS_BINARY), WS_ERR_KIND, "ws_publish_latest");
    if (h != conn) {
      FAILS(ws_subscribe(h, "a"), WS_ERR_KIND, "ws_subscribe");
      FAILS(ws_unsubscribe(h, NULL), WS_ERR_KIND, "ws_unsubscribe");
      FAILS(ws_get_topics(h, text, sizeof text, &n), WS_ERR_KIND, "ws_get_topics");
    }
    FAILS(ws_get_conns(h, &value, 1, &n), WS_ERR_KIND, "ws_get_conns");
    FAILS(ws_get_waiting(h, &value, 1, &n), WS_ERR_KIND, "ws_get_waiting");
    FAILS(ws_set_certificate(h, "", ""), WS_ERR_KIND, "ws_set_certificate");
    FAILS(ws_serve(h, "/", ".", 0), WS_ERR_KIND, "ws_serve");
    FAILS(ws_serve(h, "/", NULL, 0), WS_ERR_KIND, "ws_serve of nothing");
    if (h != conn && h != host_conn) {
      FAILS(ws_accept(h, NULL, NULL, 0), WS_ERR_KIND, "ws_accept");
      FAILS(ws_reply(h, 200, NULL, 0, NULL, 0), WS_ERR_KIND, "ws_reply");
    }
    FAILS(ws_get_option(h, WS_OPT_MAX_CLIENTS, &value), WS_ERR_KIND, "ws_get_option");
    FAILS(ws_set_option(h, WS_OPT_REFUSE_NEW, 1), WS_ERR_KIND, "ws_set_option");
  }
  FAILS(ws_subscribe(server, "a"), WS_ERR_KIND, "ws_subscribe of a server");
  FAILS(ws_unsubscribe(host, NULL), WS_ERR_KIND, "ws_unsubscribe of a host");
  FAILS(ws_publish(local, "a", 0, &byte, 1, WS_BINARY), WS_ERR_KIND, "ws_publish of a join");
  FAILS(ws_put_latest(local, 0, 1, &byte, 1, WS_CALL), WS_ERR_ARG, "ws_put_latest of a call");
  FAILS(ws_publish_latest(host, "a", 0, 1, &byte, 1, WS_CALL), WS_ERR_ARG, "ws_publish_latest of a call");
  FAILS(ws_publish(server, "a", 0, &byte, 1, WS_CALL), WS_ERR_KIND, "ws_publish of a call on a server");
  FAILS(ws_publish(server, "a", 0, &byte, 1, 77), WS_ERR_ARG, "ws_publish of an unknown type");
  FAILS(ws_publish(server, "a", -1, &byte, 1, WS_BINARY), WS_ERR_ARG, "ws_publish to all but a negative handle");
  FAILS(ws_publish(host, "a", INT32_MIN, &byte, 1, WS_BINARY), WS_ERR_ARG, "ws_publish to all but INT32_MIN");
  FAILS(ws_put_latest(server, INT32_MIN, 1, &byte, 1, WS_BINARY), WS_ERR_ARG, "ws_put_latest to INT32_MIN");
  CHECK_EQUAL(ws_publish(server, "a", INT32_MAX, &byte, 1, WS_BINARY), WS_OK, "ws_publish to all but nobody");
  ws_handle no_games[] = {client_end, server_end, conn, attached, server};
  for (int i = 0; i < 5; i++) {
    ws_handle h = no_games[i];
    FAILS(ws_get_conn(h, 1, &value), WS_ERR_KIND, "ws_get_conn");
    FAILS(ws_get_peer_id(h), WS_ERR_KIND, "ws_get_peer_id");
    FAILS(ws_join_local(h, NULL, &value), WS_ERR_KIND, "ws_join_local");
    FAILS(ws_get_option(h, WS_OPT_TRANSFER_MODE, &value), WS_ERR_KIND, "ws_get_option of a game");
    FAILS(ws_set_option(h, WS_OPT_TRANSFER_CHANNEL, 1), WS_ERR_KIND, "ws_set_option of a game");
  }
  CHECK(ws_get_state(local) == WS_OPEN && ws_get_peer_id(host_conn) == ws_get_peer_id(local), "a local player is open");
  FAILS(ws_put_packet_to(host_conn, 1, &byte, 1, WS_BINARY), WS_ERR_KIND, "ws_put_packet_to of a host's client");
  FAILS(ws_disconnect(local, 1, 0, NULL), WS_ERR_KIND, "ws_disconnect of a join");
  FAILS(ws_get_conns(local, &value, 1, &n), WS_ERR_KIND, "ws_get_conns of a join");
  FAILS(ws_get_conn(host_conn, 1, &value), WS_ERR_KIND, "ws_get_conn of a host's client");
  FAILS(ws_feed(host, &byte, 1, &n), WS_ERR_KIND, "ws_feed of a host");
  FAILS(ws_put_packet_to(host, 1, &byte, 1, WS_BINARY), WS_ERR_TARGET, "a host to itself");
  FAILS(ws_put_packet_to(host, INT32_MIN, &byte, 1, WS_BINARY), WS_ERR_ARG, "INT32_MIN on a host");
  FAILS(ws_put_packet_to(local, INT32_MIN, &byte, 1, WS_BINARY), WS_ERR_ARG, "INT32_MIN on a join");
  FAILS(ws_put_packet_to(local, 0, &byte, 1, WS_BINARY), WS_ERR_TARGET, "a join to all");
  FAILS(ws_disconnect(host, INT32_MIN, 0, NULL), WS_ERR_ARG, "ws_disconnect of INT32_MIN");
  FAILS(ws_get_conn(host, INT32_MIN, &value), WS_ERR_TARGET, "ws_get_conn of INT32_MIN");
  ws_handle none_are_attached[] = {client_end, server_end, conn, server};
  for (int i = 0; i < 4; i++) {
    FAILS(ws_feed(none_are_attached[i], &byte, 1, &n), WS_ERR_KIND, "ws_feed");
    FAILS(ws_take_output(none_are_attached[i], &byte, 1, &n), WS_ERR_KIND, "ws_take_output");
  }
  FAILS(ws_get_header(server, "host", 0, text, sizeof text, &n), WS_ERR_KIND, "ws_get_header of a server");
  FAILS(ws_get_end(server, &event), WS_ERR_KIND, "ws_get_end of a server");
  FAILS(ws_get_text(server, WS_GET_PATH, text, sizeof text, &n), WS_ERR_KIND, "ws_get_text of a server");
  FAILS(ws_put_packet_to(server, (int32_t)client_end, &byte, 1, WS_BINARY), WS_ERR_TARGET,
        "a target that is not a client of the server");
  FAILS(ws_put_packet_to(server, (int32_t)stale, &byte, 1, WS_BINARY), WS_ERR_TARGET, "a stale target");
  FAILS(ws_put_packet_to(server, INT32_MIN, &byte, 1, WS_BINARY), WS_ERR_ARG, "the target INT32_MIN");
  CHECK_EQUAL(ws_put_packet_to(server, -(int32_t)client_end, &byte, 1, WS_BINARY), WS_OK,
              "all but a peer that does not exist");
}

static void nulls(void) {
  ws_handle h = client_end;
  ws_packet packet;
  size_t n;
  char text[8];
  FAILS(ws_config_init(NULL, sizeof(ws_config)), WS_ERR_NULL, "ws_config_init");
  FAILS(ws_connect(NULL, NULL, &h), WS_ERR_NULL, "ws_connect url");
  FAILS(ws_connect("ws://127.0.0.1:1", NULL, NULL), WS_ERR_NULL, "ws_connect out");
  FAILS(ws_diagnose(NULL, NULL, &h), WS_ERR_NULL, "ws_diagnose url");
  FAILS(ws_diagnose("ws://127.0.0.1:1", NULL, NULL), WS_ERR_NULL, "ws_diagnose out");
  FAILS(ws_listen(NULL, NULL, &h), WS_ERR_NULL, "ws_listen url");
  FAILS(ws_listen("ws://127.0.0.1:0", NULL, NULL), WS_ERR_NULL, "ws_listen out");
  FAILS(ws_host(NULL, NULL, &h), WS_ERR_NULL, "ws_host url");
  FAILS(ws_host("ws://127.0.0.1:0", NULL, NULL), WS_ERR_NULL, "ws_host out");
  FAILS(ws_join(NULL, NULL, &h), WS_ERR_NULL, "ws_join url");
  FAILS(ws_join("ws://127.0.0.1:1", NULL, NULL), WS_ERR_NULL, "ws_join out");
  FAILS(ws_join_local(host, NULL, NULL), WS_ERR_NULL, "ws_join_local out");
  FAILS(ws_get_conn(host, 1, NULL), WS_ERR_NULL, "ws_get_conn out");
  FAILS(ws_put_packet_to(host, 0, NULL, 1, WS_BINARY), WS_ERR_NULL, "ws_put_packet_to of a host");
  FAILS(ws_pair(NULL, NULL, &h), WS_ERR_NULL, "ws_pair");
  FAILS(ws_pair(NULL, &h, NULL), WS_ERR_NULL, "ws_pair");
  FAILS(ws_attach(NULL, WS_ROLE_CLIENT, NULL), WS_ERR_NULL, "ws_attach");
  FAILS(ws_feed(attached, NULL, 5, NULL), WS_ERR_NULL, "ws_feed");
  FAILS(ws_take_output(attached, NULL, 5, &n), WS_ERR_NULL, "ws_take_output buf");
  FAILS(ws_take_output(attached, (uint8_t *)text, 5, NULL), WS_ERR_NULL, "ws_take_output len");
  h = client_end;
  FAILS(ws_get_packet(h, NULL), WS_ERR_NULL, "ws_get_packet");
  FAILS(ws_get_packets(h, NULL, 1, &n), WS_ERR_NULL, "ws_get_packets out");
  FAILS(ws_get_packets(h, &packet, 1, NULL), WS_ERR_NULL, "ws_get_packets count");
  FAILS(ws_next_event(h, NULL), WS_ERR_NULL, "ws_next_event");
  FAILS(ws_next_events(h, NULL, 1, &n), WS_ERR_NULL, "ws_next_events");
  FAILS(ws_put_packet(h, NULL, 1, WS_TEXT), WS_ERR_NULL, "ws_put_packet");
  FAILS(ws_get_text(h, WS_GET_URL, NULL, 5, &n), WS_ERR_NULL, "ws_get_text");
  FAILS(ws_put_latest(h, 0, 1, NULL, 1, WS_TEXT), WS_ERR_NULL, "ws_put_latest");
  FAILS(ws_publish(server, NULL, 0, (const uint8_t *)"", 0, WS_TEXT), WS_ERR_NULL, "ws_publish topic");
  FAILS(ws_publish(server, "a", 0, NULL, 1, WS_TEXT), WS_ERR_NULL, "ws_publish data");
  FAILS(ws_publish_latest(server, NULL, 0, 1, NULL, 0, WS_TEXT), WS_ERR_NULL, "ws_publish_latest topic");
  FAILS(ws_subscribe(conn, NULL), WS_ERR_NULL, "ws_subscribe topic");
  FAILS(ws_get_topics(server, NULL, 5, &n), WS_ERR_NULL, "ws_get_topics buf");
  CHECK_EQUAL(ws_get_topics(server, NULL, 0, &n), WS_OK, "ws_get_topics asks for the length");
  CHECK_EQUAL(ws_unsubscribe(conn, NULL), WS_OK, "ws_unsubscribe of all topics");
  FAILS(ws_get_header(h, NULL, 0, text, sizeof text, &n), WS_ERR_NULL, "ws_get_header");
  FAILS(ws_get_end(h, NULL), WS_ERR_NULL, "ws_get_end");
  FAILS(ws_get_stats(h, NULL, 8), WS_ERR_NULL, "ws_get_stats");
  FAILS(ws_get_option(h, WS_OPT_NO_DELAY, NULL), WS_ERR_NULL, "ws_get_option");
  FAILS(ws_get_conns(server, NULL, 1, &n), WS_ERR_NULL, "ws_get_conns");
  FAILS(ws_get_waiting(server, NULL, 1, &n), WS_ERR_NULL, "ws_get_waiting");
  FAILS(ws_get_waiting(server, &h, 1, NULL), WS_ERR_NULL, "ws_get_waiting count");
  FAILS(ws_get_conns(server, &h, 1, NULL), WS_ERR_NULL, "ws_get_conns count");
  FAILS(ws_set_certificate(server, NULL, ""), WS_ERR_NULL, "ws_set_certificate cert_pem");
  FAILS(ws_set_certificate(server, "", NULL), WS_ERR_NULL, "ws_set_certificate key_pem");
  FAILS(ws_serve(server, NULL, ".", 0), WS_ERR_NULL, "ws_serve prefix");
  FAILS(ws_serve(server, "/", ".", 2), WS_ERR_ARG, "ws_serve flags");
  FAILS(ws_serve(server, "/../", ".", 0), WS_ERR_ARG, "ws_serve prefix with dots");
  FAILS(ws_serve(server, "/", NULL, 0), WS_ERR_ARG, "ws_serve removes a prefix that is not there");
  FAILS(ws_serve(server, "/", "", 0), WS_ERR_DIRECTORY, "ws_serve of no name");
  FAILS(ws_serve(server, "/", "\xFF", 0), WS_ERR_UTF8, "ws_serve of no text");
  CHECK_EQUAL(ws_serve(server, "/", ".", WS_SERVE_ISOLATED), WS_OK, "ws_serve");
  CHECK_EQUAL(ws_serve(server, "/", NULL, 0), WS_OK, "ws_serve of nothing any more");
  FAILS(ws_accept(conn, NULL, NULL, 1), WS_ERR_NULL, "ws_accept headers");
  FAILS(ws_accept(conn, "\xFF", NULL, 0), WS_ERR_UTF8, "ws_accept subprotocol");
  FAILS(ws_accept(conn, NULL, NULL, 0), WS_ERR_STATE, "ws_accept without a request");
  FAILS(ws_reply(conn, 200, NULL, 1, NULL, 0), WS_ERR_NULL, "ws_reply headers");
  FAILS(ws_reply(conn, 200, NULL, 0, NULL, 1), WS_ERR_NULL, "ws_reply body");
  FAILS(ws_reply(conn, 200, NULL, 0, (const uint8_t *)"", SIZE_MAX), WS_ERR_TOO_BIG, "ws_reply len");
  FAILS(ws_reply(conn, 199, NULL, 0, NULL, 0), WS_ERR_ARG, "ws_reply status");
  FAILS(ws_reply(conn, 200, NULL, 0, NULL, 0), WS_ERR_STATE, "ws_reply without a request");
  FAILS(ws_make_certificate(NULL, 1, text, 0, text, 0, NULL, 0), WS_ERR_NULL, "ws_make_certificate names");
  FAILS(ws_make_certificate("a", 1, NULL, 0, text, 0, NULL, 0), WS_ERR_NULL, "ws_make_certificate cert");
  FAILS(ws_make_certificate("a", 1, text, 0, NULL, 0, NULL, 0), WS_ERR_NULL, "ws_make_certificate key");
  FAILS(ws_make_certificate("a", 1, text, 0, text, 0, NULL, 65), WS_ERR_NULL, "ws_make_certificate sha256");
  ws_sim sim;
  FAILS(ws_sim_init(NULL, sizeof sim, 0), WS_ERR_NULL, "ws_sim_init");
  FAILS(ws_sim_init(&sim, SIZE_MAX, 0), WS_ERR_CONFIG, "ws_sim_init size");
  FAILS(ws_sim_init(&sim, sizeof sim, 77), WS_ERR_ARG, "ws_sim_init preset");
  CHECK_EQUAL(ws_sim_init(&sim, sizeof sim, WS_SIM_NONE), WS_OK, "ws_sim_init");
  CHECK_EQUAL(ws_set_sim(conn, &sim), WS_OK, "ws_set_sim of a server's client");
  CHECK_EQUAL(ws_set_sim(server, NULL), WS_OK, "ws_set_sim of a server, none");
  FAILS(ws_set_sim(0, &sim), WS_ERR_HANDLE, "ws_set_sim with handle 0");
  FAILS(ws_set_sim(77, NULL), WS_ERR_HANDLE, "ws_set_sim with a stale handle");
  sim.up_jitter_us = (uint32_t)-1;
  FAILS(ws_set_sim(conn, &sim), WS_ERR_CONFIG, "ws_set_sim with a negative figure");
  FAILS(ws_advance_time(0, 1), WS_ERR_HANDLE, "ws_advance_time with handle 0");
  FAILS(ws_advance_time(conn, 1), WS_ERR_KIND, "ws_advance_time of a server's client");
  FAILS(ws_wait(NULL, 1, 0), WS_ERR_NULL, "ws_wait");
  CHECK_EQUAL(ws_put_packet(client_end, NULL, 0, WS_BINARY), WS_OK, "an empty message may have a NULL pointer");
  CHECK_EQUAL(ws_wait(NULL, 0, 0), WS_EMPTY, "waiting for no handles");
}

/* Variants, calls and functions of scenes. */
static void scenes(void) {
  ws_handle scene, player;
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_SCENE;
  uint8_t buf[64] = {0};
  size_t n = 9;
  ws_call call;
  ws_variant item = {0};
  FAILS(ws_declare_node(0, "A", "a"), WS_ERR_HANDLE, "ws_declare_node with handle 0");
  FAILS(ws_send_auth(77, 1, buf, 1), WS_ERR_HANDLE, "ws_send_auth with handle 0");
  FAILS(ws_complete_auth(77, 1), WS_ERR_HANDLE, "ws_complete_auth with handle 0");
  ws_handle kinds[] = {client_end, server, attached, host, local};
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    FAILS(ws_declare_node(kinds[i], "A", "a"), WS_ERR_KIND, "ws_declare_node without a scene");
    FAILS(ws_send_auth(kinds[i], 1, buf, 1), WS_ERR_KIND, "ws_send_auth without a scene");
    FAILS(ws_complete_auth(kinds[i], 1), WS_ERR_KIND, "ws_complete_auth without a scene");
    ws_encode_call("A", "a", NULL, 0, buf, sizeof buf, &n);
    FAILS(ws_put_packet(kinds[i], buf, n, WS_CALL), WS_ERR_KIND, "a call without a scene");
  }
  FAILS(ws_set_option(client_end, WS_OPT_AUTH_TIMEOUT_MS, 5), WS_ERR_KIND, "an option of games");
  CHECK(ws_host("ws://127.0.0.1:0", &config, &scene) == WS_OK && ws_join_local(scene, NULL, &player) == WS_OK,
        "a scene");
  FAILS(ws_declare_node(scene, NULL, "a"), WS_ERR_NULL, "a NULL path");
  FAILS(ws_declare_node(scene, "", "a"), WS_ERR_ARG, "an empty path");
  FAILS(ws_declare_node(scene, "A", NULL), WS_ERR_ARG, "forgetting a node that is not declared");
  FAILS(ws_declare_node(scene, "A", "a,a"), WS_ERR_ARG, "a duplicate method name");
  FAILS(ws_declare_node(scene, "A", "\xff"), WS_ERR_UTF8, "method names that are not UTF-8");
  FAILS(ws_declare_node(scene, "\xff", "a"), WS_ERR_UTF8, "a path that is not UTF-8");
  FAILS(ws_send_auth(scene, 1, NULL, 1), WS_ERR_NULL, "NULL data");
  FAILS(ws_send_auth(scene, 1, buf, SIZE_MAX), WS_ERR_TOO_BIG, "data of length SIZE_MAX");
  FAILS(ws_send_auth(scene, 5, buf, 1), WS_ERR_TARGET, "authentication data for an unknown peer");
  FAILS(ws_complete_auth(scene, INT32_MIN), WS_ERR_TARGET, "completing an unknown peer");
  FAILS(ws_send_auth(player, 1, buf, 1), WS_ERR_TARGET, "completing a peer that is not being authenticated");
  FAILS(ws_set_option(scene, WS_OPT_AUTH_TIMEOUT_MS, 0), WS_ERR_ARG, "an authentication timeout of 0");
  FAILS(ws_put_packet(scene, NULL, 5, WS_CALL), WS_ERR_NULL, "a NULL call");
  FAILS(ws_put_packet(scene, buf, SIZE_MAX, WS_CALL), WS_ERR_TOO_BIG, "a call of length SIZE_MAX");
  FAILS(ws_put_packet(scene, buf, 0, WS_CALL), WS_ERR_ARG, "an empty call");
  FAILS(ws_put_packet_to(scene, INT32_MIN, buf, n, WS_CALL), WS_ERR_ARG, "INT32_MIN");
  ws_free(player);
  ws_free(scene);
  FAILS(ws_encode_call(NULL, "a", NULL, 0, buf, sizeof buf, &n), WS_ERR_NULL, "ws_encode_call path");
  FAILS(ws_encode_call("A", NULL, NULL, 0, buf, sizeof buf, &n), WS_ERR_NULL, "ws_encode_call method");
  FAILS(ws_encode_call("A", "a", NULL, 1, buf, sizeof buf, &n), WS_ERR_NULL, "ws_encode_call items");
  FAILS(ws_encode_call("A", "a", NULL, 0, NULL, 5, &n), WS_ERR_NULL, "ws_encode_call buf");
  FAILS(ws_encode_call("A", "a", NULL, 0, buf, sizeof buf, NULL), WS_ERR_NULL, "ws_encode_call len");
  FAILS(ws_encode_call("", "a", NULL, 0, buf, sizeof buf, &n), WS_ERR_ARG, "ws_encode_call with an empty path");
  FAILS(ws_encode_call("A", "a", &item, SIZE_MAX, buf, sizeof buf, &n), WS_ERR_TOO_BIG, "an item count of SIZE_MAX");
  FAILS(ws_encode_call("A", "a", &item, 1, buf, SIZE_MAX, &n), WS_ERR_TOO_BIG, "a buffer of length SIZE_MAX");
  FAILS(ws_encode_variant(NULL, 1, buf, sizeof buf, &n), WS_ERR_NULL, "ws_encode_variant items");
  FAILS(ws_encode_variant(&item, 0, buf, sizeof buf, &n), WS_ERR_ARG, "ws_encode_variant of no items");
  FAILS(ws_encode_variant(&item, 1, buf, sizeof buf, NULL), WS_ERR_NULL, "ws_encode_variant len");
  item.type = WS_VARIANT_PACKED_INT64_ARRAY;
  item.count = UINT32_MAX;
  FAILS(ws_encode_variant(&item, 1, buf, sizeof buf, &n), WS_ERR_ARG, "an array with a wrong count");
  item.len = SIZE_MAX;
  FAILS(ws_encode_variant(&item, 1, buf, sizeof buf, &n), WS_ERR_NULL, "an array with NULL data");
  FAILS(ws_decode_variant(NULL, 4, &item, 1, &n, NULL), WS_ERR_NULL, "ws_decode_variant data");
  FAILS(ws_decode_variant(buf, SIZE_MAX, &item, 1, &n, NULL), WS_ERR_TOO_BIG, "ws_decode_variant len");
  FAILS(ws_decode_variant(buf, 4, NULL, 1, &n, NULL), WS_ERR_NULL, "ws_decode_variant items");
  FAILS(ws_decode_variant(buf, 4, &item, SIZE_MAX, &n, NULL), WS_ERR_TOO_BIG, "ws_decode_variant cap");
  FAILS(ws_decode_variant(buf, 4, &item, 1, NULL, NULL), WS_ERR_NULL, "ws_decode_variant count");
  FAILS(ws_decode_variant(buf, 0, &item, 1, &n, NULL), WS_ERR_ARG, "ws_decode_variant of no bytes");
  FAILS(ws_decode_call(NULL, 4, &call, &item, 1), WS_ERR_NULL, "ws_decode_call data");
  FAILS(ws_decode_call(buf, 4, NULL, &item, 1), WS_ERR_NULL, "ws_decode_call out");
  FAILS(ws_decode_call(buf, 4, &call, NULL, 1), WS_ERR_NULL, "ws_decode_call items");
  FAILS(ws_decode_call(buf, 0, &call, &item, 1), WS_ERR_ARG, "ws_decode_call of no bytes");
}

/* Declarations, nodes and packets of replication. */
static void replication(void) {
  ws_handle scene, raw, kinds[] = {client_end, server, attached, host, local};
  ws_config config;
  ws_config_init(&config, sizeof config);
  uint8_t buf[64] = {5, 1, 0, 0, 0};
  uint32_t node = 9;
  ws_replicated found;
  ws_variant items[] = {{.type = WS_VARIANT_STRING, .data = (const uint8_t *)"x", .len = 1}, {.type = WS_VARIANT_INT}};
  FAILS(ws_declare_scene(0, "S", 0, 0, ""), WS_ERR_HANDLE, "ws_declare_scene with handle 0");
  FAILS(ws_declare_synchronizer(77, "S", 0, "", &node), WS_ERR_HANDLE, "ws_declare_synchronizer with handle 77");
  FAILS(ws_spawn(0, "S", 0, "N", NULL, 0, &node), WS_ERR_HANDLE, "ws_spawn with handle 0");
  FAILS(ws_despawn(77, 1), WS_ERR_HANDLE, "ws_despawn with handle 77");
  FAILS(ws_sync(0, 1, NULL, 0), WS_ERR_HANDLE, "ws_sync with handle 0");
  FAILS(ws_set_visible(77, 1, 0, 1), WS_ERR_HANDLE, "ws_set_visible with handle 77");
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    FAILS(ws_declare_scene(kinds[i], "S", 0, 0, ""), WS_ERR_KIND, "ws_declare_scene without a scene");
    FAILS(ws_declare_synchronizer(kinds[i], "S", 0, "", NULL), WS_ERR_KIND, "ws_declare_synchronizer without a scene");
    FAILS(ws_spawn(kinds[i], "S", 0, "N", NULL, 0, &node), WS_ERR_KIND, "ws_spawn without a scene");
    FAILS(ws_despawn(kinds[i], 1), WS_ERR_KIND, "ws_despawn without a scene");
    FAILS(ws_sync(kinds[i], 1, NULL, 0), WS_ERR_KIND, "ws_sync without a scene");
    FAILS(ws_set_visible(kinds[i], 1, 0, 1), WS_ERR_KIND, "ws_set_visible without a scene");
    FAILS(ws_put_packet(kinds[i], buf, 5, WS_REPLICATION), WS_ERR_KIND, "a packet of replication without a scene");
    FAILS(ws_put_packet(kinds[i], buf, 5, WS_SPAWN), WS_ERR_ARG, "a spawn as a packet");
  }
  config.flags = WS_RAW_REPLICATION;
  FAILS(ws_host("ws://127.0.0.1:0", &config, &scene), WS_ERR_CONFIG, "WS_RAW_REPLICATION without WS_SCENE");
  config.flags = WS_SCENE;
  CHECK(ws_host("ws://127.0.0.1:0", &config, &scene) == WS_OK, "a scene");
  config.flags |= WS_RAW_REPLICATION;
  CHECK(ws_host("ws://127.0.0.1:0", &config, &raw) == WS_OK, "a scene with raw replication");
  FAILS(ws_declare_scene(raw, "S", 0, 0, ""), WS_ERR_KIND, "ws_declare_scene with WS_RAW_REPLICATION");
  FAILS(ws_declare_synchronizer(raw, "S", 0, "", &node), WS_ERR_KIND, "a synchronizer with WS_RAW_REPLICATION");
  ws_free(raw);

  FAILS(ws_declare_scene(scene, NULL, 0, 0, ""), WS_ERR_NULL, "a NULL spawner");
  FAILS(ws_declare_scene(scene, "", 0, 0, ""), WS_ERR_ARG, "an empty path of a spawner");
  FAILS(ws_declare_scene(scene, "\xff", 0, 0, ""), WS_ERR_UTF8, "a spawner that is not UTF-8");
  FAILS(ws_declare_scene(scene, "S", 0, 0, "\xff"), WS_ERR_UTF8, "properties that are not UTF-8");
  FAILS(ws_declare_scene(scene, "S", INT32_MIN, 0, ""), WS_ERR_ARG, "an authority of INT32_MIN");
  FAILS(ws_declare_scene(scene, "S", 0, UINT32_MAX, ""), WS_ERR_ARG, "a scene with the index UINT32_MAX");
  FAILS(ws_declare_scene(scene, "S", 0, 0, NULL), WS_ERR_ARG, "forgetting a scene that is not declared");
  FAILS(ws_declare_scene(scene, "S", 0, 0, ","), WS_ERR_ARG, "properties without names");
  FAILS(ws_declare_synchronizer(scene, NULL, 0, "", &node), WS_ERR_NULL, "a NULL path of a synchronizer");
  FAILS(ws_declare_synchronizer(scene, "\xff", 0, "", &node), WS_ERR_UTF8, "a synchronizer that is not UTF-8");
  FAILS(ws_declare_synchronizer(scene, "S", INT32_MIN, "", &node), WS_ERR_ARG, "an authority of INT32_MIN");
  FAILS(ws_declare_synchronizer(scene, "S", 0, NULL, &node), WS_ERR_ARG, "forgetting what is not declared");
  CHECK(node == 0, "a failed ws_declare_synchronizer sets the number to 0");
  CHECK(ws_declare_synchronizer(scene, "Synchronizer", 0, "x", NULL) == WS_OK, "the number may be NULL");
  CHECK(ws_declare_scene(scene, "S", 0, 0, "x") == WS_OK, "a scene of a spawner");
  CHECK(ws_declare_scene(scene, "S", 0, WS_CUSTOM_SCENE, "") == WS_OK, "a custom scene");

  FAILS(ws_spawn(scene, NULL, 0, "N", items, 2, &node), WS_ERR_NULL, "ws_spawn spawner");
  FAILS(ws_spawn(scene, "S", 0, NULL, items, 2, &node), WS_ERR_NULL, "ws_spawn name");
  FAILS(ws_spawn(scene, "S", 0, "N", NULL, 2, &node), WS_ERR_NULL, "ws_spawn items");
  FAILS(ws_spawn(scene, "S", 0, "N", items, 2, NULL), WS_ERR_NULL, "ws_spawn node");
  FAILS(ws_spawn(scene, "S", 0, "N", items, SIZE_MAX, &node), WS_ERR_TOO_BIG, "an item count of SIZE_MAX");
  FAILS(ws_spawn(scene, "S", 0, "\xff", items, 2, &node), WS_ERR_UTF8, "a name that is not UTF-8");
  FAILS(ws_spawn(scene, "S", 0, "", items, 2, &node), WS_ERR_ARG, "an empty name");
  FAILS(ws_spawn(scene, "S", 0, "N", items, 1, &node), WS_ERR_ARG, "a property without its value");
  FAILS(ws_spawn(scene, "S", 0, "N", items, 0, &node), WS_ERR_ARG, "no property");
  FAILS(ws_spawn(scene, "S", WS_CUSTOM_SCENE, "N", NULL, 0, &node), WS_ERR_ARG, "a custom spawn without data");
  FAILS(ws_spawn(scene, "S", UINT32_MAX, "N", items, 2, &node), WS_ERR_ARG, "the scene UINT32_MAX");
  items[1].type = 99;
  FAILS(ws_spawn(scene, "S", 0, "N", items, 2, &node), WS_ERR_ARG, "a value of no type");
  items[1] = (ws_variant){.type = WS_VARIANT_ARRAY, .count = UINT32_MAX};
  FAILS(ws_spawn(scene, "S", 0, "N", items, 2, &node), WS_ERR_ARG, "an Array that lacks its items");
  items[1] = (ws_variant){.type = WS_VARIANT_STRING, .len = 5};
  FAILS(ws_spawn(scene, "S", 0, "N", items, 2, &node), WS_ERR_NULL, "a String with NULL data");
  CHECK(node == 0, "a failed ws_spawn sets the number to 0");
  items[1] = (ws_variant){.type = WS_VARIANT_INT};
  CHECK(ws_spawn(scene, "S", 0, "N", items, 2, &node) == WS_OK && node != 0, "a node");
  FAILS(ws_sync(scene, node, NULL, 2), WS_ERR_NULL, "ws_sync items");
  FAILS(ws_sync(scene, node, items, SIZE_MAX), WS_ERR_TOO_BIG, "ws_sync with SIZE_MAX items");
  FAILS(ws_sync(scene, node, items, 1), WS_ERR_ARG, "ws_sync of half a pair");
  FAILS(ws_sync(scene, UINT32_MAX, items, 2), WS_ERR_ARG, "the node UINT32_MAX");
  FAILS(ws_set_visible(scene, node, 5, 1), WS_ERR_TARGET, "a node for an unknown peer");
  FAILS(ws_set_visible(scene, node, INT32_MIN, 1), WS_ERR_TARGET, "the peer INT32_MIN");
  FAILS(ws_set_visible(scene, 0, 0, 1), WS_ERR_ARG, "ws_set_visible of node 0");
  CHECK(ws_sync(scene, node, NULL, 0) == WS_OK, "ws_sync of nothing");
  CHECK(ws_despawn(scene, node) == WS_OK, "ws_despawn");
  FAILS(ws_despawn(scene, node), WS_ERR_ARG, "ws_despawn a second time");

  FAILS(ws_put_packet(scene, NULL, 5, WS_REPLICATION), WS_ERR_NULL, "a NULL packet of replication");
  FAILS(ws_put_packet(scene, buf, SIZE_MAX, WS_REPLICATION), WS_ERR_TOO_BIG, "a packet of replication of SIZE_MAX");
  FAILS(ws_put_packet(scene, buf, 0, WS_REPLICATION), WS_ERR_ARG, "an empty packet of replication");
  FAILS(ws_put_packet(scene, buf + 1, 4, WS_REPLICATION), WS_ERR_ARG, "a packet of another command");
  FAILS(ws_put_packet_to(scene, INT32_MIN, buf, 5, WS_REPLICATION), WS_ERR_ARG, "INT32_MIN");
  ws_free(scene);

  size_t at = 0;
  FAILS(ws_decode_replication(NULL, 5, &at, &found, items, 2), WS_ERR_NULL, "ws_decode_replication data");
  FAILS(ws_decode_replication(buf, 5, NULL, &found, items, 2), WS_ERR_NULL, "ws_decode_replication at");
  FAILS(ws_decode_replication(buf, 5, &at, NULL, items, 2), WS_ERR_NULL, "ws_decode_replication out");
  FAILS(ws_decode_replication(buf, 5, &at, &found, NULL, 2), WS_ERR_NULL, "ws_decode_replication items");
  FAILS(ws_decode_replication(buf, SIZE_MAX, &at, &found, items, 2), WS_ERR_TOO_BIG, "ws_decode_replication len");
  FAILS(ws_decode_replication(buf, 5, &at, &found, items, SIZE_MAX), WS_ERR_TOO_BIG, "ws_decode_replication cap");
  FAILS(ws_decode_replication(buf, 0, &at, &found, items, 2), WS_ERR_ARG, "ws_decode_replication of no bytes");
  FAILS(ws_decode_replication(buf, 5, &at, &found, items, 2), WS_ERR_ARG, "a packet as it is on the wire");
  FAILS(ws_decode_replication(buf, sizeof buf, (size_t *)(void *)(buf + 8), &found, items, 2), WS_ERR_ARG, "at in data");
  FAILS(ws_decode_replication(buf, sizeof buf, &at, (ws_replicated *)(void *)(buf + 8), items, 2), WS_ERR_ARG,
        "out in data");
  FAILS(ws_decode_replication((uint8_t *)items, sizeof items, &at, &found, items, 2), WS_ERR_ARG, "items in data");
  /* A place that no call gave. */
  static const uint8_t empty[] = {6, 5, 0, 0, 0, 0};
  CHECK(ws_decode_replication(empty, sizeof empty, &at, &found, items, 2) == WS_EMPTY, "no node");
  for (at = 1; at < 40; at++)
    if (at != 5 && ws_decode_replication(empty, sizeof empty, &at, &found, items, 2) != WS_ERR_ARG) break;
  CHECK(at == 40, "a place that no call gave");
  at = SIZE_MAX;
  FAILS(ws_decode_replication(empty, sizeof empty, &at, &found, items, 2), WS_ERR_ARG, "the place SIZE_MAX");
}

static void huge(void) {
  ws_handle h = client_end;
  uint8_t byte = 0;
  size_t n = 9;
  ws_packet packet;
  FAILS(ws_put_packet(h, &byte, SIZE_MAX, WS_BINARY), WS_ERR_TOO_BIG, "ws_put_packet");
  FAILS(ws_put_packet(h, &byte, SIZE_MAX / 2 + 1, WS_TEXT), WS_ERR_TOO_BIG, "ws_put_packet of text");
  FAILS(ws_put_packet_to(server, 0, &byte, SIZE_MAX, WS_BINARY), WS_ERR_TOO_BIG, "ws_put_packet_to");
  FAILS(ws_put_packet_to(host, 0, &byte, SIZE_MAX, WS_BINARY), WS_ERR_TOO_BIG, "ws_put_packet_to of a host");
  FAILS(ws_put_packet(local, &byte, SIZE_MAX / 2 + 1, WS_BINARY), WS_ERR_TOO_BIG, "ws_put_packet of a join");
  FAILS(ws_put_latest(h, 0, 1, &byte, SIZE_MAX, WS_BINARY), WS_ERR_TOO_BIG, "ws_put_latest");
  FAILS(ws_publish(server, "a", 0, &byte, SIZE_MAX, WS_BINARY), WS_ERR_TOO_BIG, "ws_publish");
  FAILS(ws_publish_latest(server, "a", 0, 1, &byte, SIZE_MAX / 2 + 1, WS_TEXT), WS_ERR_TOO_BIG, "ws_publish_latest");
  FAILS(ws_get_packets(h, &packet, SIZE_MAX, &n), WS_ERR_TOO_BIG, "ws_get_packets");
  CHECK_EQUAL(n, 0, "the count is written on failure too");
  FAILS(ws_feed(attached, &byte, SIZE_MAX, &n), WS_ERR_TOO_BIG, "ws_feed");
  FAILS(ws_take_output(attached, &byte, SIZE_MAX, &n), WS_ERR_TOO_BIG, "ws_take_output");
  FAILS(ws_wait(&h, SIZE_MAX, 0), WS_ERR_ARG, "ws_wait");
  FAILS(ws_config_init((ws_config *)(void *)&byte, SIZE_MAX), WS_ERR_CONFIG, "ws_config_init");
  static uint8_t big[(16 << 20) + 1];
  FAILS(ws_put_packet(h, big, sizeof big, WS_BINARY), WS_ERR_TOO_BIG, "a message over max_message_bytes");
  CHECK_EQUAL(ws_put_packet(h, big, sizeof big - 1, WS_BINARY), WS_OK, "a message of exactly that size");
}

static void texts(void) {
  char text[32];
  size_t n;
  ws_handle h = client_end;
  FAILS(ws_put_packet(h, (const uint8_t *)"a\xff", 2, WS_TEXT), WS_ERR_UTF8, "text that is not UTF-8");
  FAILS(ws_put_packet(h, (const uint8_t *)"\xed\xa0\x80", 3, WS_TEXT), WS_ERR_UTF8, "a surrogate");
  FAILS(ws_put_packet(h, (const uint8_t *)"a", 1, 0), WS_ERR_ARG, "type 0");
  FAILS(ws_put_packet(h, (const uint8_t *)"a", 1, 9), WS_ERR_ARG, "type 9");
  FAILS(ws_connect("ws://\xff/", NULL, &h), WS_ERR_UTF8, "a URL that is not UTF-8");
  char longest[257];
  memset(longest, 'a', sizeof longest - 1);
  longest[256] = 0;
  FAILS(ws_subscribe(conn, longest), WS_ERR_ARG, "a topic of 256 bytes");
  CHECK_EQUAL(ws_subscribe(conn, longest + 1), WS_OK, "a topic of 255 bytes");
  CHECK_EQUAL(ws_get_topics(conn, text, sizeof text, &n), WS_TRUNCATED, "topics that do not fit");
  CHECK(n == 255 && strlen(text) == sizeof text - 1, "the length of all, and as many as fit");
  FAILS(ws_subscribe(conn, "\xff"), WS_ERR_UTF8, "a topic that is not UTF-8");
  FAILS(ws_unsubscribe(conn, "a\x7f"), WS_ERR_ARG, "a topic with a control character");
  FAILS(ws_publish(server, "", 0, (const uint8_t *)"a", 1, WS_TEXT), WS_ERR_ARG, "an empty topic");
  FAILS(ws_publish(server, "a", 0, (const uint8_t *)"\xff", 1, WS_TEXT), WS_ERR_UTF8, "a published text");
  FAILS(ws_put_latest(h, 0, 1, (const uint8_t *)"\xff", 1, WS_TEXT), WS_ERR_UTF8, "a latest text");
  const char *bad[] = {"",         "x",         "http://localhost/", "ws:",          "ws://",
                       "ws:/x",    "ws://:80",  "ws://host:99999/",  "ws://host:x/", "ws://a b/",
                       " ws://a/", "ws://a/\n", "ws://[::1/",        "wss//a",       "ws://a:0/"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) FAILS(ws_connect(bad[i], NULL, &h), WS_ERR_URL, bad[i]);
  const char *unbindable[] = {"ws://example.com:0",
                              "http://127.0.0.1:0",
                              "ws://user:secret@127.0.0.1:0",
                              "ws://*.example.com:0",
                              "ws://*1:0",
                              "ws://*@127.0.0.1:0",
                              "ws://*x:0",
                              "ws://*.:0",
                              "ws://127.0.0.1:0/?room=1",
                              "ws://*:0?x",
                              "ws://127.0.0.1:0/#x"};
  for (size_t i = 0; i < sizeof unbindable / sizeof unbindable[0]; i++)
    FAILS(ws_listen(unbindable[i], NULL, &h), WS_ERR_URL, unbindable[i]);
  FAILS(ws_host("http://127.0.0.1:0", NULL, &h), WS_ERR_URL, "ws_host of an http:// URL");
  FAILS(ws_host("ws://\xff", NULL, &h), WS_ERR_UTF8, "ws_host of a URL that is not UTF-8");
  FAILS(ws_host("wss://127.0.0.1:0", NULL, &h), WS_ERR_TLS, "ws_host of a wss:// URL without a certificate");
  FAILS(ws_host("ws://203.0.113.7:0", NULL, &h), WS_ERR_ADDRESS, "ws_host at a foreign address");
  FAILS(ws_join("ws://a:0/", NULL, &h), WS_ERR_URL, "ws_join of port 0");
  FAILS(ws_set_option(host, WS_OPT_TRANSFER_MODE, 3), WS_ERR_ARG, "an invalid transfer mode");
  FAILS(ws_set_option(local, WS_OPT_TRANSFER_CHANNEL, 0x80000000u), WS_ERR_ARG, "a negative channel");
  FAILS(ws_listen("wss://127.0.0.1:0", NULL, &h), WS_ERR_TLS, "ws_listen of a wss:// URL without a certificate");
  FAILS(ws_listen("ws://203.0.113.7:0", NULL, &h), WS_ERR_ADDRESS, "ws_listen at a foreign address");
  CHECK(strstr(why(), "does not have that address"), "the error says that the machine does not have the address");
  h = client_end;
  int codes[] = {-2, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 70000};
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
    FAILS(ws_close(h, codes[i], NULL), WS_ERR_ARG, "a close code that must not be sent");
  char reason[125];
  memset(reason, 'x', 124);
  reason[124] = 0;
  FAILS(ws_close(h, 1000, reason), WS_ERR_ARG, "a reason of 124 bytes");
  FAILS(ws_close(h, 1000, "\xff"), WS_ERR_UTF8, "a reason that is not UTF-8");
  CHECK_EQUAL(ws_get_state(h), WS_OPEN, "the failed calls left the connection open");
  FAILS(ws_get_text(h, 99, text, sizeof text, NULL), WS_ERR_ARG, "an unknown text");
  FAILS(ws_get_option(h, 99, (uint32_t *)(void *)text), WS_ERR_ARG, "an unknown option");
  FAILS(ws_set_option(h, 99, 1), WS_ERR_ARG, "an unknown option to set");
  FAILS(ws_set_option(h, WS_OPT_PORT, 1), WS_ERR_ARG, "a read-only option");
  FAILS(ws_set_option(h, WS_OPT_NO_DELAY, 7), WS_ERR_ARG, "a boolean option set to 7");
  FAILS(ws_set_log_level(9), WS_ERR_ARG, "an unknown log level");
  FAILS(ws_attach(NULL, 7, &h), WS_ERR_ARG, "an unknown role");
  FAILS(ws_wait(&client_end, 1, -2), WS_ERR_ARG, "a timeout of -2");
  FAILS(ws_get_packets(client_end, (ws_packet *)(void *)text, 0, &n), WS_ERR_ARG, "a capacity of 0");

  /* Copied text is truncated at a code point and always terminated. */
  ws_config config;
  ws_config_init(&config, sizeof config);
  const char *headers[] = {"X-Name: \xc3\xa9\xc3\xa9\xc3\xa9"};
  config.headers = headers;
  config.headers_count = 1;
  ws_handle s, c;
  open_pair(&config, &s, &c);
  memset(text, 'z', sizeof text);
  CHECK(ws_get_header(s, "x-NAME", 0, text, 4, &n) == WS_TRUNCATED && n == 6 && !strcmp(text, "\xc3\xa9"),
        "a header is truncated at a code point");
  CHECK_EQUAL(text[4], 'z', "no byte beyond cap is touched");
  CHECK(ws_get_header(s, "x-name", 0, text, 1, &n) == WS_TRUNCATED && text[0] == 0,
        "a capacity of 1 returns an empty string");
  CHECK(ws_get_header(s, "x-name", 0, NULL, 0, &n) == WS_TRUNCATED && n == 6, "a capacity of 0 returns the length");
  CHECK(ws_get_header(s, "x-name", 0, text, 7, NULL) == WS_OK && strlen(text) == 6,
        "the exact capacity, and a NULL length");
  CHECK_EQUAL(ws_get_header(s, "x-name", 1, text, sizeof text, &n), WS_EMPTY, "a missing second header is WS_EMPTY");
  ws_free(s);
  ws_free(c);
  for (int r = -40; r < 40; r++)
    if (!ws_result_name(r) || strncmp(ws_result_name(r), "WS_", 3)) CHECK(0, "ws_result_name");
  CHECK(!strcmp(ws_result_name(WS_ERR_FULL), "WS_ERR_FULL") && !strcmp(ws_result_name(77), "WS_UNKNOWN"),
        "names of results");
}

static void configs(void) {
  struct {
    ws_config config;
    uint8_t tail[64];
  } big;
  ws_handle h, other;
  memset(&big, 0xAA, sizeof big);
  FAILS(ws_pair(&big.config, &h, &other), WS_ERR_CONFIG, "an uninitialised config");
  memset(&big, 0, sizeof big);
  FAILS(ws_pair(&big.config, &h, &other), WS_ERR_CONFIG, "struct_size 0");
  big.config.struct_size = 16;
  FAILS(ws_pair(&big.config, &h, &other), WS_ERR_CONFIG, "struct_size too small");
  ws_config_init(&big.config, sizeof big);
  CHECK_EQUAL(ws_pair(&big.config, &h, &other), WS_OK, "a larger config with zeros behind the known fields");
  ws_free(h);
  ws_free(other);
  big.tail[sizeof big.tail - 1] = 1;
  FAILS(ws_pair(&big.config, &h, &other), WS_ERR_CONFIG, "a larger config with unknown fields set");
  FAILS(ws_host("ws://127.0.0.1:0", &big.config, &h), WS_ERR_CONFIG, "the same for ws_host");
  FAILS(ws_join_local(host, &big.config, &h), WS_ERR_CONFIG, "the same for ws_join_local");
#define BAD(field, value, code)                                \
  do {                                                         \
    ws_config config;                                          \
    ws_config_init(&config, sizeof config);                    \
    config.field = value;                                      \
    FAILS(ws_connect("wss://127.0.0.1:1", &config, &h), code, #field); \
  } while (0)
  BAD(flags, 1u << 30, WS_ERR_CONFIG);
  BAD(flags, WS_GODOT3, WS_ERR_CONFIG);
  BAD(no_delay, 5, WS_ERR_CONFIG);
  BAD(on_full, 9, WS_ERR_CONFIG);
  BAD(close_timeout_ms, WS_OFF, WS_ERR_CONFIG);
  CHECK(strstr(why(), "cannot be off"), "the error says that a close timeout cannot be off");
  BAD(subprotocols, "a b", WS_ERR_CONFIG);
  BAD(subprotocols, "a,,b", WS_ERR_CONFIG);
  BAD(subprotocols, "a\r\nX: y", WS_ERR_CONFIG);
  BAD(headers_count, 1, WS_ERR_NULL);
  BAD(ca_pem, "no PEM", WS_ERR_TLS);
  BAD(ca_pem, "\xff", WS_ERR_UTF8);
  BAD(cert_pem, "x", WS_ERR_CONFIG);
  BAD(key_pem, "x", WS_ERR_CONFIG);
  BAD(pin_sha256, "00", WS_ERR_TLS);
  BAD(pin_sha256, "zz00000000000000000000000000000000000000000000000000000000000000", WS_ERR_TLS);
  BAD(server_name, "not a name", WS_ERR_TLS);
  BAD(proxy, "ftp://127.0.0.1:9", WS_ERR_CONFIG);
  BAD(proxy, "http://", WS_ERR_CONFIG);
  BAD(proxy, "http://127.0.0.1:65536", WS_ERR_CONFIG);
  BAD(proxy, "socks4://127.0.0.1:9", WS_ERR_CONFIG);
  CHECK(strstr(why(), "socks5://"), "the error says which proxies there are");
  BAD(proxy, "\xff", WS_ERR_UTF8);
  const char *headers[] = {"X: a\r\nY: b",         "X: a\nb", "X:\x01",           "no colon", ": x", "Upgrade: x",
                           "sec-websocket-key: x", "X y: z",  "Content-Length: 5"};
  for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
    ws_config config;
    ws_config_init(&config, sizeof config);
    config.headers = &headers[i];
    config.headers_count = 1;
    FAILS(ws_connect("ws://127.0.0.1:1", &config, &h), WS_ERR_CONFIG, "an invalid or injected header");
  }
}

static void secrets(void) {
  char line[1024];
  ws_handle h;
  ws_set_log_level(WS_LOG_DEBUG);
  CHECK_EQUAL(ws_connect("ws://user:hunter2@127.0.0.1:1/?x=y", NULL, &h), WS_OK, "a URL with a password");
  CHECK(ws_get_text(h, WS_GET_URL, line, sizeof line, NULL) == WS_OK && !strstr(line, "hunter2") &&
            !strstr(line, "user"),
        "WS_GET_URL does not contain the password");
  ws_event event;
  double end = now_s() + 10;
  int closed = 0;
  while (!closed && now_s() < end) {
    ws_poll(h);
    while (ws_next_event(h, &event) == WS_OK)
      if (event.type == WS_EVENT_CLOSED)
        closed = event.cause == WS_CAUSE_REFUSED && event.phase == WS_PHASE_TCP &&
                 !strstr((const char *)event.packet.data, "hunter2");
  }
  CHECK(closed, "the end event does not contain the password");
  int found = 0;
  while (ws_get_log(line, sizeof line, NULL) == WS_OK) found |= strstr(line, "hunter2") != NULL;
  CHECK(!found, "the log does not contain the password");
  CHECK_EQUAL(ws_get_log(line, sizeof line, NULL), WS_EMPTY, "the log is empty after it was read");
  ws_free(h);
}

int main(void) {
  set_up();
  bad_handles();
  wrong_kinds();
  nulls();
  scenes();
  replication();
  huge();
  texts();
  configs();
  secrets();
  CHECK(ws_struct_size(WS_STRUCT_CONFIG) == sizeof(ws_config) && ws_struct_size(WS_STRUCT_STATS) == sizeof(ws_stats) &&
            ws_struct_size(WS_STRUCT_PACKET) == sizeof(ws_packet) &&
            ws_struct_size(WS_STRUCT_EVENT) == sizeof(ws_event) &&
            ws_struct_size(WS_STRUCT_REPLICATED) == sizeof(ws_replicated),
        "ws_struct_size matches the structs of the header");
  CHECK(ws_struct_size(0) == 0 && ws_struct_size(10) == 0 && ws_struct_size(-1) == 0,
        "ws_struct_size of an unknown struct is 0");
  CHECK(ws_version() == WS_VERSION && ws_abi_version() == WS_ABI_VERSION && ws_get_features() != 0, "versions");
  ws_shutdown();
  CHECK(ws_get_state(server) == WS_ERR_HANDLE && ws_get_state(attached) == WS_ERR_HANDLE,
        "ws_shutdown retires all handles");
  open_pair(NULL, &server_end, &client_end);
  CHECK_EQUAL(ws_get_state(client_end), WS_OPEN, "the library works again after ws_shutdown");
  ws_shutdown();
  FINISH();
}
