/* The conformance program in C: scenarios whose ends are all in this program. */
#include "conformance.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const LOCALHOST = "ws://127.0.0.1:0";

static void opened(const char *verb, ws_result result, end *one) {
  if (check(verb, result) < 0) exit(1);
  add_end(one);
}

static void say_binary(const end *one, int32_t target, const char *words) {
  const uint8_t *data = (const uint8_t *)words;
  check("put_to", ws_put_packet_to(one->h, target, data, strlen(words), WS_BINARY));
}

static void until_state(const end *one, int32_t state) {
  for (time_t limit = time(NULL) + 10; ws_get_state(one->h) != state && time(NULL) < limit;) poll_all();
}

/* ---- Two ends in memory ---- */

static void pair(void) {
  static const ws_packet_out three[] = {{(const uint8_t *)"one", 3, WS_TEXT, 0},
                                        {(const uint8_t *)"\0\377", 2, WS_BINARY, 0},
                                        {(const uint8_t *)"three", 5, WS_TEXT, 0}};
  end server = {"server", 0, 0}, client = {"client", 0, 0};
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_QUEUE_BEFORE_OPEN | WS_COALESCE | WS_DEFLATE | WS_SERVER_NO_CONTEXT_TAKEOVER |
                 WS_CLIENT_NO_CONTEXT_TAKEOVER;
  config.owner = 7;
  config.user = (void *)11;
  opened("pair", ws_pair(&config, &server.h, &client.h), &server);
  add_end(&client);
  put(server.h, "early");
  take(&server, 1);
  take(&client, 2);
  printf("extensions %s\n", text_of(client.h, WS_GET_EXTENSIONS));

  size_t taken, count;
  check("put_packets", ws_put_packets(client.h, three, 3, &taken));
  check("flush", ws_flush(client.h));
  const ws_handle both[] = {server.h, client.h};
  printf("taken %zu wait %s\n", taken, ws_result_name(ws_wait(both, 2, 10000)));
  for (time_t limit = time(NULL) + 10; ws_get_available(server.h) < 3 && time(NULL) < limit;) poll_all();
  ws_packet packet;
  ws_get_packet(server.h, &packet);
  print_packet("server", &packet);
  printf("user %llu\n", (unsigned long long)packet.user);
  ws_event events[8], event;
  check("next_events", ws_next_events(server.h, events, 8, &count));
  for (size_t i = 0; i < count; i++) print_event("server", &events[i]);
  check("set_user", ws_set_user(server.h, 12));
  put(client.h, "more");
  event = next_event(&server);
  print_event("server", &event);
  printf("user %llu\n", (unsigned long long)event.packet.user);
  ws_stats stats;
  ws_get_stats(server.h, &stats, sizeof stats);
  printf("messages in %llu out %llu\n", (unsigned long long)stats.messages_in, (unsigned long long)stats.messages_out);

  ws_event last;
  printf("ended %s\n", ws_get_end(client.h, &last) == WS_OK ? "yes" : "no");
  check("close", ws_close(client.h, 4000, "done"));
  printf("state %d\n", ws_get_state(client.h));
  until_state(&client, WS_CLOSED);
  printf("ended %s", ws_get_end(client.h, &last) == WS_OK ? "yes" : "no");
  printf(" code=%d cause=%d\n", last.code, last.cause);
  until(&server, WS_EVENT_CLOSED);
  until(&client, WS_EVENT_CLOSED);
  ws_free_owner(7);
  check("poll", ws_poll(server.h));
  forget_ends();
}

/* ---- Two connections whose bytes this program carries ---- */

static end attached_server = {"server", 0, 0}, attached_client = {"client", 0, 0};

static void carry(const end *from, const end *to) {
  uint8_t bytes[4096];
  size_t length, taken;
  while (ws_take_output(from->h, bytes, sizeof bytes, &length) == WS_OK && length)
    for (size_t at = 0; at < length; at += taken)
      if (ws_feed(to->h, bytes + at, length - at, &taken) < 0 || !taken) return;
}

static void carry_both(void) {
  carry(&attached_client, &attached_server);
  carry(&attached_server, &attached_client);
}

static void attach(void) {
  enum { BIG = 300000 };
  static uint8_t big[BIG];
  end *server = &attached_server, *client = &attached_client;
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.outbound_packets = 1;
  opened("attach", ws_attach(&config, WS_ROLE_SERVER, &server->h), server);
  opened("attach", ws_attach(&config, WS_ROLE_CLIENT, &client->h), client);
  between_polls = carry_both;
  take(client, 1);
  take(server, 1);
  put(client->h, "hello");
  take(server, 1);
  /* The transport takes a part of the first, and the second does not fit in the queue behind it. */
  check("put", ws_put_packet(client->h, big, BIG, WS_BINARY));
  check("put", ws_put_packet(client->h, big, BIG, WS_BINARY));
  take(server, 1);
  take(client, 1);
  between_polls = NULL;
  check("feed", ws_feed(server->h, NULL, 0, NULL));
  take(server, 1);
  check("feed", ws_feed(server->h, big, 1, NULL));
  free_all();
}

/* ---- A queue that is full ---- */

static void put_big(const end *one) {
  static uint8_t big[300000];
  ws_result result = check("put", ws_put_packet(one->h, big, sizeof big, WS_BINARY));
  if (result >= 0) printf("put %s\n", ws_result_name(result));
}

static void full(void) {
  end host = {"host", 0, 1}, a = {"a", 0, 0};
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.outbound_packets = 1;
  config.on_full = WS_FULL_SKIP;
  opened("host", ws_host(LOCALHOST, &config, &host.h), &host);
  opened("join_local", ws_join_local(host.h, NULL, &a.h), &a);
  until_state(&a, WS_OPEN);
  a.id = ws_get_peer_id(a.h);
  take(&host, 1);
  take(&a, 2);

  ws_handle conn;
  check("get_conn", ws_get_conn(host.h, a.id, &conn));
  printf("conn of %s\n", peer_name(ws_get_peer_id(conn)));
  check("get_conn", ws_get_conn(host.h, -1, &conn));

  /* Without its handle a is not polled, so it does not read. */
  const ws_handle asleep = a.h;
  a.h = 0;
  put_big(&host);
  put_big(&host);
  take(&host, 1);
  check("set_option", ws_set_option(host.h, WS_OPT_ON_FULL, WS_FULL_ALL_OR_NONE));
  put_big(&host);
  a.h = asleep;
  take(&a, 1);
  take(&host, 1);
  a.h = 0;
  check("set_option", ws_set_option(host.h, WS_OPT_ON_FULL, WS_FULL_DISCONNECT));
  put_big(&host);
  put_big(&host);
  a.h = asleep;
  ws_event event = next_event(&host);
  printf("host event %d code=%d cause=%d\n", event.type, event.code, event.cause);
  free_all();
}

/* ---- Options and texts ---- */

#define OPTION(name) {WS_OPT_##name, #name}
#define TEXT(name) {WS_GET_##name, #name}

typedef struct {
  int32_t number;
  const char *name;
} named;

static const named OPTIONS[] = {OPTION(NO_DELAY),
                                OPTION(HEARTBEAT_MS),
                                OPTION(PONG_TIMEOUT_MS),
                                OPTION(CLOSE_TIMEOUT_MS),
                                OPTION(POLL_BUDGET_US),
                                OPTION(MAX_MESSAGE_BYTES),
                                OPTION(MAX_FRAGMENTS),
                                OPTION(INBOUND_PACKETS),
                                OPTION(INBOUND_BYTES),
                                OPTION(OUTBOUND_PACKETS),
                                OPTION(OUTBOUND_BYTES),
                                OPTION(MAX_MESSAGES_PER_S),
                                OPTION(MAX_BYTES_PER_S),
                                OPTION(COALESCE),
                                OPTION(REFUSE_NEW),
                                OPTION(MAX_CLIENTS),
                                OPTION(MAX_CLIENTS_PER_ADDRESS),
                                OPTION(MAX_PENDING_HANDSHAKES),
                                OPTION(HANDSHAKE_TIMEOUT_MS),
                                OPTION(ON_FULL),
                                OPTION(PORT),
                                OPTION(DEFLATE_THRESHOLD_BYTES),
                                OPTION(MAX_INFLATE_RATIO),
                                OPTION(TRANSFER_MODE),
                                OPTION(TRANSFER_CHANNEL),
                                OPTION(AUTH_TIMEOUT_MS),
                                OPTION(MAX_CALL_BYTES),
                                OPTION(MAX_CALL_ITEMS),
                                OPTION(MAX_BODY_BYTES),
                                OPTION(REPORT_REFUSED),
                                OPTION(MAX_DOWNLOADS),
                                OPTION(MAX_DOWNLOADS_PER_ADDRESS),
                                OPTION(DOWNLOAD_TIMEOUT_MS),
                                OPTION(RETRY_MIN_MS),
                                OPTION(RETRY_MAX_MS),
                                OPTION(RETRY_TRIES),
                                OPTION(MAX_LOST),
                                OPTION(MAX_TOPICS),
                                OPTION(MAX_SERVER_TOPICS),
                                OPTION(MAX_TOTAL_MIB),
                                OPTION(MAX_PUT_BYTES),
                                OPTION(HOLD_NEW)};
static const named TEXTS[] = {TEXT(URL),          TEXT(PATH),          TEXT(QUERY),          TEXT(SUBPROTOCOL),
                              TEXT(CLOSE_REASON), TEXT(ERROR),         TEXT(LOCAL_ADDRESS),  TEXT(REMOTE_ADDRESS),
                              TEXT(BODY),         TEXT(TLS),           TEXT(EXTENSIONS),     TEXT(PEER_ADDRESS),
                              TEXT(METHOD)};

/* Every option of a host: its value, then the value after it was set to 1, or to 0 if it was 1. */
static void options(void) {
  ws_handle host;
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.poll_budget_us = 101;
  config.connect_timeout_ms = 102;
  config.handshake_timeout_ms = 103;
  config.close_timeout_ms = 104;
  config.heartbeat_ms = 105;
  config.pong_timeout_ms = 106;
  config.max_message_bytes = 107;
  config.max_fragments = 108;
  config.max_header_bytes = 1090;
  config.inbound_packets = 110;
  config.inbound_bytes = 111;
  config.outbound_packets = 112;
  config.outbound_bytes = 113;
  config.max_messages_per_s = 114;
  config.max_bytes_per_s = 115;
  config.max_clients = 116;
  config.max_clients_per_address = 117;
  config.max_pending_handshakes = 118;
  config.on_full = WS_FULL_ALL_OR_NONE;
  config.no_delay = WS_OFF;
  config.deflate_level = 9;
  config.deflate_threshold_bytes = 119;
  config.server_max_window_bits = 12;
  config.client_max_window_bits = 13;
  config.max_inflate_ratio = 120;
  config.max_call_bytes = 121;
  config.max_call_items = 122;
  config.ipv6_prefix_bits = 56;
  config.max_body_bytes = 123;
  config.max_downloads = 124;
  config.max_downloads_per_address = 125;
  config.retry_min_ms = 126;
  config.retry_max_ms = 127;
  config.retry_tries = 128;
  config.session_bytes = 129;
  config.max_lost = 130;
  config.max_topics = 131;
  config.max_server_topics = 132;
  config.max_total_mib = 133;
  config.max_put_bytes = 134;
  config.flags = WS_DEFLATE | WS_SCENE;
  if (check("host", ws_host(LOCALHOST, &config, &host)) < 0) return;
  for (size_t i = 0; i < sizeof OPTIONS / sizeof OPTIONS[0]; i++) {
    const named *one = &OPTIONS[i];
    uint32_t before = 0, after = 0;
    check("get_option", ws_get_option(host, one->number, &before));
    if (one->number == WS_OPT_PORT) {
      printf("option %s %s\n", one->name, before ? "yes" : "no");
      continue;
    }
    check("set_option", ws_set_option(host, one->number, before != 1));
    check("get_option", ws_get_option(host, one->number, &after));
    printf("option %s %u %u\n", one->name, before, after);
  }
  ws_free(host);
}

/* A text, with PORT for each port. */
static void print_text(const char *name, const char *text) {
  printf("text %s ", name);
  for (; *text; text++) {
    putchar(*text);
    if (*text != ':' || !isdigit((unsigned char)text[1])) continue;
    printf("PORT");
    while (isdigit((unsigned char)text[1])) text++;
  }
  printf("\n");
}

/* Every text of a server's client, and the lists of clients. The first client is refused. */
static void texts(void) {
  end server = {"server", 0, 0}, client = {"client", 0, 0};
  char url[128];
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.subprotocols = "chat";
  config.flags = WS_DEFLATE | WS_REFUSE_NEW;
  listen_here(&server, &config);
  snprintf(url, sizeof url, "%s/room?x=1", text_of(server.h, WS_GET_URL));
  config.flags = WS_DEFLATE;
  opened("connect", ws_connect(url, &config, &client.h), &client);
  take(&client, 1);
  ws_free(client.h);
  check("set_option", ws_set_option(server.h, WS_OPT_REFUSE_NEW, 0));
  check("connect", ws_connect(url, &config, &client.h));
  take(&client, 1);

  ws_handle list[4];
  size_t count = 0, waiting = 0;
  for (time_t limit = time(NULL) + 10; !waiting && time(NULL) < limit; poll_all())
    check("get_waiting", ws_get_waiting(server.h, list, 4, &waiting));
  check("get_conns", ws_get_conns(server.h, list, 4, &count));
  printf("clients %zu waiting %zu\n", count, waiting);
  take(&server, 1);
  for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
    print_text(TEXTS[i].name, text_of(list[0], TEXTS[i].number));
  free_all();
}

/* ---- The library itself ---- */

/* Whether a server that opens and ends leaves lines in the log. */
static int logs(int32_t level) {
  char line[2048];
  ws_handle server;
  int lines = 0;
  check("set_log_level", ws_set_log_level(level));
  if (check("listen", ws_listen(LOCALHOST, NULL, &server)) >= 0) ws_free(server);
  while (ws_get_log(line, sizeof line, NULL) == WS_OK) lines++;
  return lines > 0;
}

static void library(void) {
  const int fits = ws_abi_version() == WS_ABI_VERSION && ws_struct_size(WS_STRUCT_CONFIG) >= sizeof(ws_config) &&
                   ws_struct_size(WS_STRUCT_STATS) >= sizeof(ws_stats) &&
                   ws_struct_size(WS_STRUCT_PACKET) == sizeof(ws_packet) &&
                   ws_struct_size(WS_STRUCT_EVENT) == sizeof(ws_event) &&
                   ws_struct_size(WS_STRUCT_VARIANT) == sizeof(ws_variant) &&
                   ws_struct_size(WS_STRUCT_CALL) == sizeof(ws_call) &&
                   ws_struct_size(WS_STRUCT_PACKET_OUT) == sizeof(ws_packet_out) &&
                   ws_struct_size(WS_STRUCT_SIM) >= sizeof(ws_sim);
  printf("fits %s\n", fits ? "yes" : "no");
  printf("version %s\n", ws_version() ? "yes" : "no");
  printf("features %u\n", ws_get_features());
  for (int32_t level = WS_LOG_OFF; level <= WS_LOG_DEBUG; level++)
    printf("log %d %s\n", level, logs(level) ? "yes" : "no");
}

/* ---- A bad network between two ends in memory, whose time this program advances ---- */

static void simulate(void) {
  end server = {"server", 0, 0}, client = {"client", 0, 0}, listening = {"listening", 0, 0};
  ws_stats stats;
  ws_sim sim;
  for (int32_t preset = WS_SIM_NONE; preset <= WS_SIM_SATELLITE; preset++) {
    check("sim_init", ws_sim_init(&sim, sizeof sim, preset));
    printf("preset %d up %u %u %u %u %u", preset, sim.up_lag_us, sim.up_jitter_us, sim.up_bytes_per_s,
           sim.up_stall_for_ms, sim.up_stall_every_ms);
    printf(" down %u %u %u %u %u\n", sim.down_lag_us, sim.down_jitter_us, sim.down_bytes_per_s, sim.down_stall_for_ms,
           sim.down_stall_every_ms);
  }
  opened("pair", ws_pair(NULL, &server.h, &client.h), &server);
  add_end(&client);
  check("advance_time", ws_advance_time(client.h, 0));
  take(&server, 1);
  take(&client, 1);

  ws_sim_init(&sim, sizeof sim, WS_SIM_NONE);
  sim.up_loss_ppm = 1000001;
  check("set_sim", ws_set_sim(client.h, &sim));
  ws_sim_init(&sim, sizeof sim, WS_SIM_NONE);
  sim.up_lag_us = 30000;
  sim.down_loss_ppm = 1000000;
  sim.down_loss_stall_us = 50000;
  check("set_sim", ws_set_sim(client.h, &sim));
  put(client.h, "up");
  put(server.h, "down");
  ws_get_stats(client.h, &stats, sizeof stats);
  printf("held %s\n", stats.sim_bytes ? "yes" : "no");
  poll_all();
  int server_has = 0, client_has = 0;
  for (int ms = 1; ms <= 60; ms++) {
    check("advance_time", ws_advance_time(client.h, 1000));
    /* What one end passes on, the other reads in its next poll. */
    poll_all();
    poll_all();
    if (!server_has && ws_get_available(server.h) == 1) printf("server after %d ms\n", server_has = ms);
    if (!client_has && ws_get_available(client.h) == 1) printf("client after %d ms\n", client_has = ms);
  }
  take(&server, 1);
  take(&client, 1);
  ws_get_stats(client.h, &stats, sizeof stats);
  printf("losses %llu\n", (unsigned long long)stats.sim_losses);

  sim.up_lag_us = 60000000;
  check("set_sim", ws_set_sim(client.h, &sim));
  put(client.h, "at once");
  check("set_sim", ws_set_sim(client.h, NULL));
  take(&server, 1);

  opened("listen", ws_listen(LOCALHOST, NULL, &listening.h), &listening);
  check("set_sim", ws_set_sim(listening.h, &sim));
  check("advance_time", ws_advance_time(listening.h, 1));
  free_all();
}

/* ---- Topics: who receives what a server or host publishes ---- */

static void subscribe(ws_handle conn, const char *topic) { check("subscribe", ws_subscribe(conn, topic)); }

static void unsubscribe(ws_handle conn, const char *topic) { check("unsubscribe", ws_unsubscribe(conn, topic)); }

static void publish(ws_handle h, const char *topic, ws_handle except, const char *text) {
  check("publish", ws_publish(h, topic, (int32_t)except, (const uint8_t *)text, strlen(text), WS_TEXT));
}

static void publish_latest(ws_handle h, const char *topic, ws_handle except, uint32_t key, const char *text) {
  const uint8_t *data = (const uint8_t *)text;
  check("publish_latest", ws_publish_latest(h, topic, (int32_t)except, key, data, strlen(text), WS_TEXT));
}

/* The topics of a handle on one line. */
static void print_topics(const char *name, ws_handle h) {
  char topics[1024] = "";
  check("get_topics", ws_get_topics(h, topics, sizeof topics, NULL));
  for (char *at = topics; *at; at++)
    if (*at == '\n') *at = ',';
  printf("topics of %s: %s\n", name, topics);
}

static void topics(void) {
  end server = {"server", 0, 0}, host = {"host", 0, 1};
  end clients[] = {{"a", 0, 0}, {"b", 0, 0}, {"c", 0, 0}}, joins[] = {{"a", 0, 0}, {"b", 0, 0}};
  end *a = &clients[0], *b = &clients[1], *c = &clients[2];
  ws_handle conns[3];
  ws_stats stats;
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_COALESCE | WS_SHARE_PORT;
  config.max_topics = 2;
  config.max_server_topics = 3;
  listen_here(&server, &config);
  for (int i = 0; i < 3; i++) {
    opened("connect", ws_connect(text_of(server.h, WS_GET_URL), NULL, &clients[i].h), &clients[i]);
    take(&clients[i], 1);
    ws_event event = next_event(&server);
    conns[i] = event.conn;
    print_event("server", &event);
  }
  subscribe(conns[0], "red");
  subscribe(conns[0], "blue");
  subscribe(conns[0], "red");
  subscribe(conns[0], "green");
  subscribe(conns[1], "green");
  subscribe(conns[1], "red");
  subscribe(conns[2], "yellow");
  for (int i = 0; i < 3; i++) print_topics(clients[i].name, conns[i]);
  print_topics("server", server.h);
  ws_get_stats(server.h, &stats, sizeof stats);
  printf("topics %llu subscriptions %llu\n", (unsigned long long)stats.topics,
         (unsigned long long)stats.subscriptions);

  publish(server.h, "red", 0, "to red");
  publish(server.h, "red", conns[0], "to red but a");
  publish(server.h, "yellow", 0, "to nobody");
  put(server.h, "to all");
  take(a, 2);
  take(b, 3);
  take(c, 1);
  /* With WS_COALESCE only the newest of each key leaves. */
  publish_latest(server.h, "red", 0, 1, "one");
  publish_latest(server.h, "red", 0, 2, "two");
  publish(server.h, "red", 0, "between");
  publish_latest(server.h, "red", conns[1], 1, "one for a");
  publish_latest(server.h, "red", 0, 2, "two again");
  take(a, 3);
  take(b, 3);
  ws_get_stats(server.h, &stats, sizeof stats);
  printf("replaced %llu\n", (unsigned long long)stats.replaced);

  publish(server.h, "red", 0, "before");
  unsubscribe(conns[1], "red");
  unsubscribe(conns[1], "red");
  publish(server.h, "red", 0, "without b");
  unsubscribe(conns[0], NULL);
  publish(server.h, "red", 0, "to nobody");
  put(server.h, "to all");
  take(a, 3);
  take(b, 2);
  take(c, 1);
  print_topics("server", server.h);
  subscribe(conns[2], "");
  subscribe(conns[2], "two\nlines");
  publish(server.h, "", 0, "");
  check("close", ws_close(b->h, 1000, ""));
  until(&server, WS_EVENT_DISCONNECTED);
  poll_all();
  print_topics("server", server.h);
  free_all();

  ws_config_init(&config, sizeof config);
  opened("host", ws_host(LOCALHOST, &config, &host.h), &host);
  for (int i = 0; i < 2; i++) {
    opened("join", ws_join(text_of(host.h, WS_GET_URL), NULL, &joins[i].h), &joins[i]);
    until_state(&joins[i], WS_OPEN);
    joins[i].id = ws_get_peer_id(joins[i].h);
    take(&host, 1);
    take(&joins[i], 2);
    check("get_conn", ws_get_conn(host.h, joins[i].id, &conns[i]));
    subscribe(conns[i], "room");
  }
  publish(host.h, "room", 0, "to both");
  publish(host.h, "room", (ws_handle)joins[0].id, "to b");
  publish_latest(host.h, "room", (ws_handle)joins[1].id, 1, "to a");
  publish(host.h, "room", (ws_handle)-1, "");
  take(&joins[0], 2);
  take(&joins[1], 2);
  print_topics("host", host.h);
  free_all();
}

/* ---- Certificates that a client trusts, or not ---- */

static void trust(void) {
  char cert[2048], key[512], url[64];
  end clients[] = {{"strict", 0, 0}, {"named", 0, 0}, {"any name", 0, 0}, {"insecure", 0, 0}};
  end server = {"server", 0, 0};
  ws_config config;
  if (check("make_certificate",
            ws_make_certificate("game.example", 30, cert, sizeof cert, key, sizeof key, NULL, 0)) < 0)
    return;
  ws_config_init(&config, sizeof config);
  config.cert_pem = cert;
  config.key_pem = key;
  opened("listen", ws_listen("wss://127.0.0.1:0", &config, &server.h), &server);
  snprintf(url, sizeof url, "%s", text_of(server.h, WS_GET_URL));
  for (int i = 0; i < 4; i++) {
    ws_config_init(&config, sizeof config);
    config.ca_pem = i < 3 ? cert : NULL;
    config.server_name = i == 1 ? "game.example" : NULL;
    config.flags = i == 3 ? WS_INSECURE : i == 2 ? WS_ANY_NAME | WS_ONLY_CA_PEM : WS_ONLY_CA_PEM;
    opened("connect", ws_connect(url, &config, &clients[i].h), &clients[i]);
    take(&clients[i], 1);
    if (i > 0) take(&server, 1);
  }
  free_all();
}

/* ---- Scenes ---- */

static void settle(end *host, end *one) {
  until_state(one, WS_OPEN);
  one->id = ws_get_peer_id(one->h);
  take(host, 1);
  take(one, 2);
}

/* Prints a value, and returns the item behind it. */
static const ws_variant *print_value(const ws_variant *item) {
  const ws_variant *next = item + 1;
  switch (item->type) {
    case WS_VARIANT_NIL: printf("null"); break;
    case WS_VARIANT_BOOL: printf(item->integer ? "true" : "false"); break;
    case WS_VARIANT_INT: printf("%lld", (long long)item->integer); break;
    case WS_VARIANT_FLOAT: printf("%g", item->number[0]); break;
    case WS_VARIANT_STRING: printf("\"%.*s\"", (int)item->len, (const char *)item->data); break;
    case WS_VARIANT_VECTOR2: printf("Vector2(%g, %g)", item->number[0], item->number[1]); break;
    case WS_VARIANT_PACKED_BYTE_ARRAY: printf("bytes %zu %08x", item->len, adler32(item->data, item->len)); break;
    case WS_VARIANT_ARRAY:
      printf("[");
      for (uint32_t i = 0; i < item->count; i++) {
        if (i) printf(", ");
        next = print_value(next);
      }
      printf("]");
      break;
    case WS_VARIANT_DICTIONARY:
      printf("{");
      for (uint32_t i = 0; i < item->count; i++) {
        if (i) printf(", ");
        next = print_value(next);
        printf(": ");
        next = print_value(next);
      }
      printf("}");
      break;
    default: printf("type %d", item->type);
  }
  return next;
}

/* The next event, which must be a call. */
static ws_event hear_call(const end *one) {
  ws_call call;
  ws_variant items[32];
  ws_event event = next_event(one);
  if (event.type != WS_EVENT_MESSAGE || event.packet.type != WS_CALL) {
    print_event(one->name, &event);
    exit(1);
  }
  if (check("decode_call", ws_decode_call(event.packet.data, event.packet.len, &call, items, 32)) < 0) exit(1);
  printf("%s call %s.%s(", one->name, call.path, call.method);
  const ws_variant *next = items;
  for (uint32_t i = 0; i < call.arguments; i++) {
    if (i) printf(", ");
    next = print_value(next);
  }
  printf(") peer=%s\n", peer_name(event.peer_id));
  return event;
}

static void say_call(const end *one, int32_t target, const char *path, const char *method, const ws_variant *items,
                     size_t count) {
  uint8_t call[512];
  size_t length;
  if (check("encode_call", ws_encode_call(path, method, items, count, call, sizeof call, &length)) < 0) return;
  check("put_to", ws_put_packet_to(one->h, target, call, length, WS_CALL));
}

static ws_variant string_of(const char *text) {
  return (ws_variant){.type = WS_VARIANT_STRING, .data = (const uint8_t *)text, .len = strlen(text)};
}

static void scene(void) {
  static const uint8_t three[] = {1, 2, 255};
  end host = {"host", 0, 1}, a = {"a", 0, 0}, b = {"b", 0, 0};
  end *all[] = {&host, &a, &b};
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_SCENE;
  opened("host", ws_host(LOCALHOST, &config, &host.h), &host);
  opened("join", ws_join(text_of(host.h, WS_GET_URL), &config, &a.h), &a);
  settle(&host, &a);
  opened("join_local", ws_join_local(host.h, NULL, &b.h), &b);
  settle(&host, &b);
  take(&b, 1);
  take(&a, 1);
  for (int i = 0; i < 3; i++) check("declare_node", ws_declare_node(all[i]->h, "/root/Game", "hello, move"));

  const ws_variant arguments[] = {{.type = WS_VARIANT_NIL},
                                  {.type = WS_VARIANT_BOOL, .integer = 1},
                                  {.type = WS_VARIANT_INT, .integer = -5},
                                  {.type = WS_VARIANT_FLOAT, .number = {1.5}},
                                  string_of("κόσμε"),
                                  {.type = WS_VARIANT_ARRAY, .count = 2},
                                  {.type = WS_VARIANT_INT, .integer = 1},
                                  string_of("x"),
                                  {.type = WS_VARIANT_DICTIONARY, .count = 1},
                                  string_of("k"),
                                  {.type = WS_VARIANT_INT, .integer = 2},
                                  {.type = WS_VARIANT_PACKED_BYTE_ARRAY, .count = 3, .data = three, .len = 3}};
  say_call(&a, 1, "Game", "hello", arguments, sizeof arguments / sizeof arguments[0]);
  ws_event event = hear_call(&host);
  /* The call goes back as it came. */
  check("put_to", ws_put_packet_to(host.h, event.peer_id, event.packet.data, event.packet.len, WS_CALL));
  hear_call(&a);
  const ws_variant place = {.type = WS_VARIANT_VECTOR2, .number = {1.5, -2}};
  say_call(&host, 0, "Game", "move", &place, 1);
  hear_call(&a);
  hear_call(&b);
  say_call(&b, a.id, "Game", "move", &place, 1);
  hear_call(&a);

  /* A value as the bytes of a packet. */
  uint8_t bytes[128];
  ws_variant items[8];
  size_t length, count;
  check("encode_variant", ws_encode_variant(&arguments[5], 3, bytes, sizeof bytes, &length));
  check("put_to", ws_put_packet_to(host.h, a.id, bytes, length, WS_BINARY));
  event = next_event(&a);
  print_event("a", &event);
  check("decode_variant", ws_decode_variant(event.packet.data, event.packet.len, items, 8, &count, NULL));
  printf("a value ");
  print_value(items);
  printf("\n");

  /* A node that the host has not declared. */
  check("declare_node", ws_declare_node(a.h, "Secret", "open"));
  say_call(&a, 1, "Secret", "open", NULL, 0);
  take(&host, 1);
  check("declare_node", ws_declare_node(a.h, "Secret", NULL));
  check("close", ws_close(a.h, 4001, "bye"));
  until(&host, WS_EVENT_DISCONNECTED);
  until(&a, WS_EVENT_CLOSED);
  take(&b, 1);
  free_all();
}

/* ---- Authentication; the clients do not learn of each other ---- */

static void knock(end *host, end *one, const ws_config *config) {
  opened("join", ws_join(text_of(host->h, WS_GET_URL), config, &one->h), one);
  ws_event event = next_event(host);
  one->id = event.peer_id;
  print_event(host->name, &event);
  take(one, 1);
}

static void send_auth(const end *one, int32_t id, const char *words) {
  check("send_auth", ws_send_auth(one->h, id, (const uint8_t *)words, strlen(words)));
}

static void auth(void) {
  end host = {"host", 0, 1}, a = {"a", 0, 0}, b = {"b", 0, 0}, c = {"c", 0, 0};
  end *both[] = {&a, &b};
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_SCENE | WS_AUTH | WS_NO_RELAY;
  opened("host", ws_host(LOCALHOST, &config, &host.h), &host);
  for (int i = 0; i < 2; i++) {
    end *one = both[i];
    knock(&host, one, &config);
    send_auth(one, 1, "password");
    take(&host, 1);
    send_auth(&host, one->id, "welcome");
    take(one, 1);
    check("complete_auth", ws_complete_auth(host.h, one->id));
    check("complete_auth", ws_complete_auth(one->h, 1));
    take(&host, 1);
    take(one, 2);
  }
  say_binary(&a, 0, "to all");
  take(&host, 1);
  say_binary(&host, 0, "to both");
  take(&a, 1);
  take(&b, 1);
  knock(&host, &c, &config);
  check("disconnect", ws_disconnect(host.h, c.id, 4003, "wrong password"));
  until(&c, WS_EVENT_CLOSED);
  until(&host, WS_EVENT_DISCONNECTED);
  free_all();
}

/* ---- Replication: nodes that a host and a client spawn and synchronize ---- */

void print_nodes(const char *name, const ws_packet *packet) {
  ws_replicated node;
  ws_variant items[32];
  const char *verb = packet->type == WS_SPAWN ? "spawn" : packet->type == WS_DESPAWN ? "despawn" : "sync";
  for (size_t at = 0;
       check("decode_replication", ws_decode_replication(packet->data, packet->len, &at, &node, items, 32)) == WS_OK;) {
    begin_line(name);
    printf("%s path=%s name=%s node=%u scene=%u", verb, node.path, node.name, node.node, node.scene);
    const ws_variant *next = items;
    if (node.data_items) {
      printf(" data=");
      next = print_value(next);
    }
    while (next < items + node.items) {
      printf(" %.*s=", (int)next->len, (const char *)next->data);
      next = print_value(next + 1);
    }
    printf(" peer=%s\n", peer_name(packet->peer_id));
  }
}

static ws_variant vector2(double x, double y) {
  return (ws_variant){.type = WS_VARIANT_VECTOR2, .number = {x, y}};
}

static ws_variant int_of(int64_t number) { return (ws_variant){.type = WS_VARIANT_INT, .integer = number}; }

static void declare_scene(const end *one, const char *spawner, int32_t authority, uint32_t scene,
                          const char *synchronizers) {
  check("declare_scene", ws_declare_scene(one->h, spawner, authority, scene, synchronizers));
}

static uint32_t declare_synchronizer(const end *one, const char *path, int32_t authority, const char *properties) {
  uint32_t node;
  check("declare_synchronizer", ws_declare_synchronizer(one->h, path, authority, properties, &node));
  return node;
}

static uint32_t spawn(const end *one, const char *spawner, uint32_t scene, const char *name, const ws_variant *items,
                      size_t count) {
  uint32_t node;
  if (check("spawn", ws_spawn(one->h, spawner, scene, name, items, count, &node)) == WS_OK)
    printf("%s spawned %s %u\n", one->name, name, node);
  return node;
}

static void despawn(const end *one, uint32_t node) { check("despawn", ws_despawn(one->h, node)); }

static void sync_one(const end *one, uint32_t node, const char *property, ws_variant value) {
  const ws_variant items[] = {string_of(property), value};
  check("sync", ws_sync(one->h, node, items, 2));
}

static void set_visible(const end *one, uint32_t node, int32_t peer_id, int visible) {
  check("set_visible", ws_set_visible(one->h, node, peer_id, visible));
}

static void bad_replication(const end *host) {
  static const ws_variant five = {.type = WS_VARIANT_INT, .integer = 5};
  ws_variant items[4] = {string_of(".:x"), five, string_of(".:y"), five};
  declare_scene(host, "", 0, 0, "");
  declare_scene(host, "Bad", -1, 0, "");
  declare_scene(host, "Bad", 0, WS_NO_SCENE, "");
  declare_scene(host, "Bad", 0, 0, ".:x always change");
  declare_scene(host, "Bad", 0, 0, ".:x, .:x");
  declare_scene(host, "Bad", 0, 0, NULL);
  declare_synchronizer(host, "Bad", 0, NULL);
  declare_scene(host, "Bad", 0, 0, ".:x");
  declare_scene(host, "Bad", 0, 0, ".:y");
  declare_scene(host, "Bad", 5, 1, "");
  declare_scene(host, "Theirs", 5, 0, ".:x");
  spawn(host, "Bad", 1, "One", items, 2);
  spawn(host, "Theirs", 0, "One", items, 2);
  spawn(host, "Bad", 0, "a/b", items, 2);
  spawn(host, "Bad", 0, "One", items, 0);
  spawn(host, "Bad", 0, "One", items, 4);
  spawn(host, "Bad", 0, "One", items + 1, 2);
  despawn(host, 99);
  sync_one(host, 99, ".:x", five);
  set_visible(host, 99, 0, 1);
  declare_scene(host, "Bad", 0, 0, NULL);
  declare_scene(host, "Theirs", 5, 0, NULL);
}

static void replication(void) {
  static const char mob[] = ".:position, .:skin spawn, .:health spawn change; Body:aim always";
  static const char spawner[] = "Game/Spawner", clock_values[] = ".:time spawn change, .:day always";
  end host = {"host", 0, 1}, a = {"a", 0, 0}, b = {"b", 0, 0};
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_SCENE;
  opened("host", ws_host(LOCALHOST, &config, &host.h), &host);
  bad_replication(&host);
  declare_scene(&host, "/root/Game/Spawner", 1, 0, mob);
  declare_scene(&host, spawner, 0, WS_CUSTOM_SCENE, "");
  opened("join", ws_join(text_of(host.h, WS_GET_URL), &config, &a.h), &a);
  declare_scene(&a, spawner, 1, 0, mob);
  declare_scene(&a, spawner, 1, WS_CUSTOM_SCENE, "");
  settle(&host, &a);

  const ws_variant first[] = {string_of(".:position"), vector2(1.5, -2), string_of(".:skin"), string_of("red"),
                              string_of(".:health"),   int_of(5)};
  const uint32_t one = spawn(&host, spawner, 0, "Mob", first, 6);
  take(&a, 2);
  /* Each synchronizer with a property that is given sends all it sends always. */
  sync_one(&host, one, ".:position", vector2(2, 3));
  take(&a, 1);
  const ws_variant both[] = {string_of("Body:aim"), {.type = WS_VARIANT_FLOAT, .number = {0.5}},
                             string_of(".:position"), vector2(4, 5)};
  check("sync", ws_sync(host.h, one, both, 4));
  take(&a, 1);
  /* The same value again is no change, and a spawn alone brings the skin. */
  sync_one(&host, one, ".:health", int_of(4));
  sync_one(&host, one, ".:health", int_of(4));
  sync_one(&host, one, ".:skin", string_of("blue"));
  sync_one(&host, one, ".:health", int_of(3));
  take(&a, 2);

  /* A late one gets what is there. */
  opened("join_local", ws_join_local(host.h, NULL, &b.h), &b);
  declare_scene(&b, spawner, 1, 0, mob);
  declare_scene(&b, spawner, 1, WS_CUSTOM_SCENE, "");
  settle(&host, &b);
  take(&b, 3);
  take(&a, 1);
  const ws_variant data[] = {{.type = WS_VARIANT_DICTIONARY, .count = 1}, string_of("k"), int_of(2)};
  const uint32_t item = spawn(&host, spawner, WS_CUSTOM_SCENE, "Item", data, 3);
  take(&a, 1);
  take(&b, 1);

  /* Hidden from all, shown to one, shown to all. */
  set_visible(&host, item, 5, 1);
  set_visible(&host, item, 0, 0);
  take(&a, 1);
  take(&b, 1);
  set_visible(&host, item, b.id, 1);
  take(&b, 1);
  set_visible(&host, item, 0, 1);
  take(&a, 1);
  set_visible(&host, item, b.id, 0);
  despawn(&host, one);
  despawn(&host, one);
  take(&a, 1);
  take(&b, 1);

  /* A client is the authority of another spawner. */
  declare_scene(&a, "Players", 0, 0, ".:position");
  declare_scene(&host, "Players", a.id, 0, ".:position");
  declare_scene(&b, "Players", a.id, 0, ".:position");
  const ws_variant position[] = {string_of(".:position"), vector2(0, 1)};
  const uint32_t player = spawn(&a, "Players", 0, "A", position, 2);
  take(&host, 1);
  take(&b, 1);
  sync_one(&a, player, ".:position", vector2(0, 2));
  take(&host, 1);
  take(&b, 1);

  /* A synchronizer by its path. */
  const uint32_t clock_node = declare_synchronizer(&host, "Game/Clock", 0, clock_values);
  printf("host synchronizer %u\n", clock_node);
  printf("b synchronizer %u\n", declare_synchronizer(&b, "/root/Game/Clock", 1, clock_values));
  declare_synchronizer(&a, "Game/Clock", 1, clock_values);
  sync_one(&host, clock_node, ".:time", int_of(1));
  take(&a, 1);
  take(&b, 1);
  sync_one(&host, clock_node, ".:day", int_of(2));
  take(&a, 1);
  take(&b, 1);
  set_visible(&host, clock_node, 0, 0);
  set_visible(&host, clock_node, a.id, 1);
  sync_one(&host, clock_node, ".:day", int_of(3));
  take(&a, 2);
  despawn(&host, clock_node);
  declare_synchronizer(&host, "Game/Clock", 0, NULL);

  /* The nodes of one that leaves are gone with it. */
  check("close", ws_close(a.h, 1000, ""));
  until(&a, WS_EVENT_CLOSED);
  until(&host, WS_EVENT_DISCONNECTED);
  take(&b, 1);

  /* What is not declared, of another authority, or with other properties does not arrive. */
  declare_scene(&b, "Secret", 0, 0, "");
  spawn(&b, "Secret", 0, "One", NULL, 0);
  take(&host, 1);
  declare_scene(&b, "Game/Other", 0, 0, "");
  declare_scene(&host, "Game/Other", 1, 0, "");
  spawn(&b, "Game/Other", 0, "One", NULL, 0);
  take(&host, 1);
  declare_scene(&b, "Mine", 0, 0, ".:position");
  declare_scene(&host, "Mine", b.id, 0, ".:position, .:skin");
  const uint32_t mine = spawn(&b, "Mine", 0, "One", position, 2);
  take(&host, 1);
  despawn(&b, mine);
  take(&host, 1);

  /* As packets, without the events. */
  ws_packet packet;
  despawn(&host, item);
  while (ws_get_packet(b.h, &packet) != WS_OK) poll_all();
  print_nodes("b", &packet);
  free_all();

  /* Packets as they are on the wire. */
  static const uint8_t gone[] = {5, 1, 0, 0, 0};
  config.flags = WS_SCENE | WS_RAW_REPLICATION;
  opened("host", ws_host(LOCALHOST, &config, &host.h), &host);
  opened("join", ws_join(text_of(host.h, WS_GET_URL), &config, &a.h), &a);
  settle(&host, &a);
  declare_scene(&host, spawner, 0, 0, "");
  check("put", ws_put_packet(host.h, gone, sizeof gone, WS_REPLICATION));
  take(&a, 1);
  check("put_to", ws_put_packet_to(a.h, 1, gone, sizeof gone, WS_REPLICATION));
  take(&host, 1);
  check("put_to", ws_put_packet_to(a.h, 1, (const uint8_t *)"\x03hello", 6, WS_REPLICATION));
  free_all();

  ws_replicated node;
  size_t at = 0;
  check("decode_replication", ws_decode_replication(gone, sizeof gone, &at, &node, NULL, 0));
  config.flags = 0;
  opened("host", ws_host(LOCALHOST, &config, &host.h), &host);
  declare_scene(&host, spawner, 0, 0, "");
  free_all();
}

int run_local(const char *name) {
  static const struct {
    const char *name;
    void (*run)(void);
  } scenarios[] = {{"pair", pair},       {"attach", attach}, {"full", full},   {"options", options}, {"texts", texts},
                   {"library", library}, {"trust", trust},   {"scene", scene}, {"auth", auth},       {"simulate", simulate},
                   {"topics", topics},   {"replication", replication}};
  for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
    if (strcmp(name, scenarios[i].name)) continue;
    scenarios[i].run();
    return 1;
  }
  return 0;
}
