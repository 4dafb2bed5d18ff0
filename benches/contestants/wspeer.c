/* wspeer through its C header. Variants: none: WS_COALESCE, one ws_flush per frame, ws_get_packet; batch:
 * ws_get_packets; now: every put is written at once; late: takes messages only when all expected ones are queued;
 * deflate: permessage-deflate; reset: with it, the server compresses each message by itself; quiet: a ping every ten
 * minutes instead of every 20 s. */
#include "../harness/bench.h"

#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 64 };

static ws_handle peer;
static ws_handle *clients; /* in the order of CONNECTED, for rooms; they stay until the program ends */
static size_t client_count, client_room;
static int batch, now, late, more;

static char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  char *text = calloc(1, 1 << 16);
  if (!file || !text || !fread(text, 1, (1 << 16) - 1, file)) bench_fail("the certificate cannot be read");
  fclose(file);
  return text;
}

static void check(ws_result result, const char *call) {
  if (result >= 0) return;
  char why[256], text[400];
  ws_last_error(why, sizeof why, NULL);
  snprintf(text, sizeof text, "%s: %s: %s", call, ws_result_name(result), why);
  bench_fail(text);
}

static void configure(ws_config *config) {
  batch = bench_variant("batch");
  now = bench_variant("now");
  late = bench_variant("late");
  ws_config_init(config, sizeof *config);
  if (!now) config->flags |= WS_COALESCE;
  config->inbound_packets = config->outbound_packets = 1 << 20; /* for the queues of the growth scenarios */
  config->inbound_bytes = config->outbound_bytes = 64 << 20;
  config->max_clients = config->max_pending_handshakes = 1 << 16;
  if (bench_variant("quiet")) config->heartbeat_ms = 600000;
  if (bench_variant("deflate")) config->flags |= WS_DEFLATE;
  if (bench_variant("reset")) config->flags |= WS_SERVER_NO_CONTEXT_TAKEOVER;
}

static void poll_peer(void) {
  bench_call_begins();
  ws_result result = ws_poll(peer);
  bench_call_ends();
  check(result, "ws_poll");
  more = result == WS_MORE;
}

/* The client. */

void client_open(int port, const char *ca) {
  ws_config config;
  configure(&config);
  char url[64], *pem = ca ? read_file(ca) : NULL;
  config.ca_pem = pem;
  snprintf(url, sizeof url, ca ? "wss://localhost:%d" : "ws://127.0.0.1:%d", port);
  check(ws_connect(url, &config, &peer), "ws_connect");
  free(pem);
  while (ws_get_state(peer) == WS_CONNECTING) {
    ws_wait(&peer, 1, 100);
    check(ws_poll(peer), "ws_poll");
  }
  if (ws_get_state(peer) == WS_OPEN) return;
  char why[256];
  ws_get_text(peer, WS_GET_ERROR, why, sizeof why, NULL);
  bench_fail(why);
}

void client_put(const uint8_t *data, size_t len) {
  check(ws_put_packet(peer, data, len, WS_BINARY), "ws_put_packet");
}

void client_flush(void) {
  if (!now) check(ws_flush(peer), "ws_flush");
}

void client_poll(void) {
  poll_peer();
  if (late && (uint64_t)ws_get_available(peer) < bench_outstanding()) return;
  ws_packet packets[BATCH];
  size_t count;
  if (batch) {
    while (ws_get_packets(peer, packets, BATCH, &count) == WS_OK) {
      for (size_t i = 0; i < count; i++) bench_got(packets[i].data, packets[i].len);
    }
  } else {
    while (ws_get_packet(peer, packets) == WS_OK) bench_got(packets[0].data, packets[0].len);
  }
}

/* The server. */

int server_open(void) {
  ws_config config;
  configure(&config);
  char *cert = bench_cert() ? read_file(bench_cert()) : NULL, *key = cert ? read_file(bench_key()) : NULL;
  config.cert_pem = cert;
  config.key_pem = key;
  check(ws_listen(cert ? "wss://127.0.0.1:0" : "ws://127.0.0.1:0", &config, &peer), "ws_listen");
  free(cert);
  free(key);
  uint32_t port;
  check(ws_get_option(peer, WS_OPT_PORT, &port), "ws_get_option");
  return (int)port;
}

static void echo(const ws_packet *packet) {
  ws_result result = ws_put_packet(packet->conn, packet->data, packet->len, packet->type);
  if (result != WS_ERR_STATE) check(result, "ws_put_packet");
}

static void note_client(ws_handle conn) {
  if (client_count == client_room) {
    client_room = client_room ? client_room * 2 : 64;
    clients = realloc(clients, client_room * sizeof *clients);
  }
  clients[client_count++] = conn;
}

/* Takes the messages first, then the other events: an event that is not taken would keep ws_wait() from waiting. */
void server_poll(int wait_ms) {
  if (wait_ms) ws_wait(&peer, 1, wait_ms);
  poll_peer();
  ws_packet packets[BATCH];
  ws_event event;
  size_t count, all = 0;
  if (batch) {
    for (; ws_get_packets(peer, packets, BATCH, &count) == WS_OK; all += count) {
      for (size_t i = 0; i < count; i++) echo(&packets[i]);
    }
  } else {
    for (; ws_get_packet(peer, packets) == WS_OK; all++) echo(&packets[0]);
  }
  while (ws_next_event(peer, &event) == WS_OK) {
    if (event.type == WS_EVENT_MESSAGE) echo(&event.packet);
    if (event.type == WS_EVENT_CONNECTED) note_client(event.conn);
  }
  if (all && !now) check(ws_flush(peer), "ws_flush");
}

int server_more(void) {
  return more;
}

static const char *room_name(size_t room) {
  static char name[32];
  snprintf(name, sizeof name, "room%zu", room);
  return name;
}

void server_make_rooms(void) {
  for (size_t i = 0; i < client_count; i++) check(ws_subscribe(clients[i], room_name(i / 10)), "ws_subscribe");
}

void server_publish(size_t room, const uint8_t *data, size_t len) {
  check(ws_publish(peer, room_name(room), 0, data, len, WS_BINARY), "ws_publish");
}

void server_put(const uint8_t *data, size_t len) {
  check(ws_put_packet(peer, data, len, WS_BINARY), "ws_put_packet");
  if (!now) check(ws_flush(peer), "ws_flush");
}
