/* A client that is controlled by a test, one connection at a time. Commands:
 *   connect url=URL [subprotocols=LIST] [header=LINE]... [show=NAME] [ca=FILE] [cert=FILE] [key=FILE] [pin=HEX]
 *           [server_name=NAME] [proxy=URL] [flags=N] [timeout_ms=N] [level=N] [threshold=N] [server_bits=N]
 *           [client_bits=N]
 *   put type=text|binary|random size=N      put text=TEXT      close code=N reason=TEXT      drop      stats
 * Prints open, message, close_request, closed, stats and failed. Ends with its standard input. */
#include "peer.h"

static ws_handle client;
static char header_shown[64];

static void connect_client(void) {
  snprintf(header_shown, sizeof header_shown, "%s", value("show") ? value("show") : "");
  ws_config config = config_of_fields();
  ws_result result = ws_connect(value("url") ? value("url") : "", &config, &client);
  if (result < 0) failed("ws_connect", result);
}

static void obey(void) {
  if (!strcmp(fields[0], "connect")) connect_client();
  if (!strcmp(fields[0], "put")) put(client);
  if (!strcmp(fields[0], "stats")) print_stats(client);
  if (!strcmp(fields[0], "drop")) ws_close(client, -1, NULL);
  if (!strcmp(fields[0], "close")) {
    ws_result result = ws_close(client, value("code") ? atoi(value("code")) : 0, value("reason"));
    if (result < 0) failed("ws_close", result);
  }
}

int main(void) {
  for (;;) {
    int command = next_command();
    if (command < 0) break;
    if (command > 0 && field_count > 0) obey();
    ws_poll(client);
    ws_event event;
    while (ws_next_event(client, &event) == WS_OK) {
      if (event.type == WS_EVENT_OPEN) {
        begin("open");
        text_of("url", client, WS_GET_URL);
        text_of("subprotocol", client, WS_GET_SUBPROTOCOL);
        text_of("tls", client, WS_GET_TLS);
        text_of("extensions", client, WS_GET_EXTENSIONS);
        text_of("remote", client, WS_GET_REMOTE_ADDRESS);
        shown(client, header_shown);
        finish();
      }
      print_event(&event, header_shown);
      if (event.type == WS_EVENT_CLOSED) {
        ws_free(client);
        client = 0;
        break;
      }
    }
    if (ws_wait(&client, 1, 2) == WS_ERR_HANDLE) {
      struct pollfd input = {STDIN_FILENO, POLLIN, 0};
      poll(&input, 1, -1);
    }
  }
  ws_free(client);
  ws_shutdown();
  return 0;
}
