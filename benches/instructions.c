/* A workload with a reproducible instruction count: client and server in one thread over TCP on loopback, so that two
 * runs of the same length execute the same instructions.
 * Usage: instructions CASE ROUNDS, under valgrind; the difference of two run lengths is the cost of the rounds between.
 * instructions.py does that. */
#include "wspeer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 32, LEN = 64 };

static ws_handle server, client, conn;
static uint8_t payload[LEN];

static void need(int good, const char *what) {
  if (good) return;
  char text[512];
  ws_last_error(text, sizeof text, NULL);
  fprintf(stderr, "%s: %s\n", what, text);
  exit(1);
}

static void open_both(uint32_t flags) {
  ws_config config;
  char url[64];
  ws_event event;
  ws_config_init(&config, sizeof config);
  config.flags = flags;
  need(ws_listen("ws://127.0.0.1:0", &config, &server) == WS_OK, "listen");
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
  need(ws_connect(url, &config, &client) == WS_OK, "connect");
  while (conn == 0 || ws_get_state(client) != WS_OPEN) {
    ws_poll(server);
    ws_poll(client);
    while (ws_next_event(server, &event) == WS_OK)
      if (event.type == WS_EVENT_CONNECTED) conn = event.conn;
  }
  while (ws_next_event(client, &event) == WS_OK) {
  }
}

/* Sends a batch. Loopback delivers at once, so the receiver has no idle polls that would be counted. */
static void put_batch(ws_handle from) {
  for (int i = 0; i < BATCH; i++) need(ws_put_packet(from, payload, LEN, WS_BINARY) == WS_OK, "put");
  need(ws_flush(from) == WS_OK, "flush");
}

static void take_batch(ws_handle polled, ws_handle from) {
  ws_packet packet;
  int got = 0;
  while (got < BATCH) {
    ws_poll(polled);
    while (ws_get_packet(from, &packet) == WS_OK) got++;
  }
}

int main(int count, char **words) {
  if (count != 3) return 2;
  const char *what = words[1];
  long rounds = atol(words[2]);
  open_both(WS_COALESCE);
  for (long i = 0; i < rounds; i++) {
    if (strcmp(what, "client_to_server") == 0) {
      put_batch(client);
      take_batch(server, server);
    } else if (strcmp(what, "client_to_conn") == 0) {
      put_batch(client);
      take_batch(server, conn);
    } else if (strcmp(what, "conn_to_client") == 0) {
      put_batch(conn);
      take_batch(client, client);
    } else if (strcmp(what, "server_to_all") == 0) {
      put_batch(server);
      take_batch(client, client);
    } else if (strcmp(what, "one_message") == 0) {
      ws_packet packet;
      need(ws_put_packet(client, payload, LEN, WS_BINARY) == WS_OK && ws_flush(client) == WS_OK, "put");
      do ws_poll(server);
      while (ws_get_packet(server, &packet) != WS_OK);
      need(ws_put_packet(packet.conn, packet.data, packet.len, WS_BINARY) == WS_OK && ws_flush(server) == WS_OK, "put");
      do ws_poll(client);
      while (ws_get_packet(client, &packet) != WS_OK);
    } else if (strcmp(what, "idle_client") == 0) {
      ws_poll(client);
    } else if (strcmp(what, "idle_server") == 0) {
      ws_poll(server);
    } else {
      return 2;
    }
  }
  return 0;
}
