/* A multiplayer host for tests/web/reconnect.c. Prints its URL. Sends a client away with 1012 that sends "again".
   Usage: again 4|3|scene|auth */
#include "wspeer.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  ws_config config;
  ws_handle host;
  char url[64];
  const char *format = argc > 1 ? argv[1] : "4";
  ws_config_init(&config, sizeof config);
  if (format[0] == '3') config.flags = WS_GODOT3;
  if (format[0] == 's') config.flags = WS_SCENE;
  if (format[0] == 'a') config.flags = WS_SCENE | WS_AUTH;
  if (ws_host("ws://127.0.0.1:0", &config, &host) < 0) return 1;
  ws_get_text(host, WS_GET_URL, url, sizeof url, NULL);
  printf("%s\n", url);
  fflush(stdout);
  for (;; ws_wait(&host, 1, -1)) {
    ws_event event;
    ws_poll(host);
    while (ws_next_event(host, &event) == WS_OK) {
      if (event.type == WS_EVENT_AUTHENTICATING) ws_complete_auth(host, event.peer_id);
      if (event.type == WS_EVENT_MESSAGE && event.packet.len == 5 && !memcmp(event.packet.data, "again", 5))
        ws_disconnect(host, event.peer_id, 1012, "back soon");
    }
  }
}
