/* A server with sessions for tests/web/session.c. Prints its URL.
   Usage: session_server plain SESSION_BYTES    echoes; "end CODE" closes, "drop" drops, "flow N" sends N numbered
                                                messages and expects as many, "report" is answered with what came,
                                                "gone" with the number of ends and losses, "drain URL" drains the
                                                server, which then begins anew
          session_server 4|3|scene|auth         a host that echoes */
#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session_flow.h"

static ws_handle server;
static ws_handle conn;
static struct flow flow;
static int gone, lost;

static int begins(const ws_packet *packet, const char *word) {
  return packet->len >= strlen(word) && !memcmp(packet->data, word, strlen(word));
}

static void take(const ws_packet *packet) {
  char words[100] = "";
  memcpy(words, packet->data, packet->len < 99 ? packet->len : 99);
  if (begins(packet, "flow ")) {
    memset(&flow, 0, sizeof flow);
    flow.total = atoi(words + 5);
  } else if (begins(packet, "#")) {
    flow_take(&flow, packet);
  } else if (begins(packet, "end ")) {
    ws_close(conn, atoi(words + 4), "as you wish");
  } else if (begins(packet, "drop")) {
    ws_close(conn, -1, NULL);
  } else if (begins(packet, "drain ")) {
    ws_drain(server, 0, 50, words + 6);
  } else if (begins(packet, "gone")) {
    snprintf(words, sizeof words, "%d gone, %d lost", gone, lost);
    ws_put_packet(conn, (const uint8_t *)words, strlen(words), WS_TEXT);
  } else if (begins(packet, "report")) {
    snprintf(words, sizeof words, "%d of %d came, %d wrong", flow.received, flow.total, flow.wrong);
    ws_put_packet(conn, (const uint8_t *)words, strlen(words), WS_TEXT);
  } else {
    ws_put_packet(conn, packet->data, packet->len, packet->type);
  }
}

int main(int argc, char **argv) {
  ws_config config;
  char url[64];
  const char *what = argc > 1 ? argv[1] : "plain";
  ws_config_init(&config, sizeof config);
  config.session_ms = 60000;
  config.session_bytes = argc > 2 ? (uint32_t)atoi(argv[2]) : 0;
  if (what[0] == '3') config.flags = WS_GODOT3;
  if (what[0] == 's') config.flags = WS_SCENE;
  if (what[0] == 'a') config.flags = WS_SCENE | WS_AUTH;
  if ((what[0] == 'p' ? ws_listen : ws_host)("ws://127.0.0.1:0", &config, &server) < 0) return 1;
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
  printf("%s\n", url);
  fflush(stdout);
  for (;; ws_wait(&server, 1, flow.sent < flow.total ? 1 : -1)) {
    ws_event event;
    ws_poll(server);
    while (ws_next_event(server, &event) == WS_OK) {
      if (event.type == WS_EVENT_CONNECTED) conn = event.conn;
      if (event.type == WS_EVENT_AUTHENTICATING) ws_complete_auth(server, event.peer_id);
      gone += event.type == WS_EVENT_DISCONNECTED;
      lost += event.type == WS_EVENT_LOST;
      if (event.type == WS_EVENT_CLOSED) {
        ws_free(server);
        if (ws_listen(url, &config, &server) < 0) return 1;
        break;
      }
      if (event.type != WS_EVENT_MESSAGE) continue;
      if (what[0] == 'p') take(&event.packet);
      else ws_put_packet_to(server, event.peer_id, event.packet.data, event.packet.len, event.packet.type);
    }
    if (flow.sent < flow.total) flow_send(&flow, conn);
  }
}
