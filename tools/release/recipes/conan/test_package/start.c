#include <wspeer.h>

#include <stdio.h>

int main(void) {
  ws_handle server, client;
  if (ws_version() != WS_VERSION || ws_pair(NULL, &server, &client) != WS_OK) return 1;
  puts("hello");
  ws_shutdown();
  return 0;
}
