/* A multiplayer host for tests/web/join.c. Prints its URL. Sends each message that it receives to all clients, the
 * sender included, and disconnects a client that sends "kick me".
 * Usage: host 4|3      Godot's format; any other argument is as 4 */
#include "wspeer.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  ws_config config;
  ws_handle host;
  char url[64];
  ws_config_init(&config, sizeof config);
  if (argc > 1 && argv[1][0] == '3') config.flags = WS_GODOT3;
  if (ws_host("ws://127.0.0.1:0", &config, &host) < 0) return 1;
  ws_get_text(host, WS_GET_URL, url, sizeof url, NULL);
  printf("%s\n", url);
  fflush(stdout);
  for (;; ws_wait(&host, 1, -1)) {
    ws_event event;
    ws_poll(host);
    while (ws_next_event(host, &event) == WS_OK) {
      if (event.type != WS_EVENT_MESSAGE) continue;
      if (event.packet.len == 7 && !memcmp(event.packet.data, "kick me", 7))
        ws_disconnect(host, event.peer_id, 4003, "kicked");
      else ws_put_packet_to(host, 0, event.packet.data, event.packet.len, event.packet.type);
    }
  }
}
