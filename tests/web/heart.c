/* A server with the application heartbeat: echoes messages, sends the query that it sees, and stops polling at
   "freeze", and at "halt" once it has echoed that. Usage: heart. Prints its URL. */
#include "wspeer.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void) {
  ws_config config;
  ws_handle server;
  char url[64];
  ws_config_init(&config, sizeof config);
  config.flags = WS_APP_HEARTBEAT;
  if (ws_listen("ws://127.0.0.1:0", &config, &server) < 0) return 1;
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
  printf("%s\n", url);
  fflush(stdout);
  for (;; ws_wait(&server, 1, -1)) {
    ws_event event;
    ws_poll(server);
    while (ws_next_event(server, &event) == WS_OK) {
      if (event.type != WS_EVENT_MESSAGE) continue;
      if (event.packet.len == 6 && !memcmp(event.packet.data, "freeze", 6)) pause();
      if (event.packet.len == 5 && !memcmp(event.packet.data, "query", 5)) {
        char query[64] = "";
        ws_get_text(event.conn, WS_GET_QUERY, query, sizeof query, NULL);
        ws_put_packet(event.conn, (const uint8_t *)query, strlen(query), WS_TEXT);
      } else {
        ws_put_packet(event.conn, event.packet.data, event.packet.len, event.packet.type);
        if (event.packet.len == 4 && !memcmp(event.packet.data, "halt", 4) && ws_flush(event.conn) == WS_OK) pause();
      }
    }
  }
}
