/* Two ends in memory exchange a message: proves that a consumer's program was built, linked and loaded correctly. */
#include <wspeer.h>

#include <stdio.h>
#include <string.h>

int main(void) {
  ws_handle server, client;
  ws_packet packet;
  if (ws_version() != WS_VERSION || ws_pair(NULL, &server, &client) != WS_OK) return 1;
  while (ws_get_state(client) != WS_OPEN || ws_get_state(server) != WS_OPEN) {
    ws_poll(client);
    ws_poll(server);
  }
  ws_put_packet(client, (const uint8_t *)"hello", 5, WS_TEXT);
  ws_poll(client);
  ws_poll(server);
  if (ws_get_packet(server, &packet) != WS_OK || packet.len != 5 || memcmp(packet.data, "hello", 5) != 0) return 2;
  ws_shutdown();
  puts("hello");
  return 0;
}
