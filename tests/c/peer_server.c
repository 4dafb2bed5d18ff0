/* An echo server with settings: [host=ADDRESS] [path=PATH] [subprotocols=LIST] [header=LINE]... [show=NAME] [cert=FILE]
 * [key=FILE] [flags=N] [level=N] [threshold=N] [server_bits=N] [client_bits=N].
 * Commands for all clients:
 *   put type=text|binary|random size=N      close code=N reason=TEXT      stats      stop (closes the server)
 * Prints listening, open, message, close_request, closed and, at its end, stopped. Ends then, or with its standard
 * input. */
#include "peer.h"

static void obey(ws_handle server) {
  ws_result result = WS_OK;
  if (!strcmp(fields[0], "put")) put(server);
  if (!strcmp(fields[0], "stats")) print_stats(server);
  if (!strcmp(fields[0], "close"))
    result = ws_disconnect(server, 0, value("code") ? atoi(value("code")) : 0, value("reason"));
  if (!strcmp(fields[0], "stop")) result = ws_close(server, 0, value("reason"));
  if (result < 0) failed(fields[0], result);
}

static void print_open(ws_handle conn, const char *header_shown) {
  begin("open");
  text_of("path", conn, WS_GET_PATH);
  text_of("query", conn, WS_GET_QUERY);
  text_of("subprotocol", conn, WS_GET_SUBPROTOCOL);
  text_of("tls", conn, WS_GET_TLS);
  text_of("extensions", conn, WS_GET_EXTENSIONS);
  shown(conn, header_shown);
  finish();
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc && field_count < MAX_FIELDS; i++) fields[field_count++] = argv[i];
  ws_config config = config_of_fields();
  char url[256], header_shown[64];
  snprintf(header_shown, sizeof header_shown, "%s", value("show") ? value("show") : "");
  snprintf(url, sizeof url, "%s://%s:0%s", config.cert_pem ? "wss" : "ws", value("host") ? value("host") : "127.0.0.1",
           value("path") ? value("path") : "");
  ws_handle server;
  ws_result result = ws_listen(url, &config, &server);
  if (result < 0) {
    failed("ws_listen", result);
    return 1;
  }
  uint32_t port = 0;
  ws_get_option(server, WS_OPT_PORT, &port);
  begin("listening");
  number("port", port);
  finish();

  for (int running = 1; running;) {
    int command = next_command();
    if (command < 0) break;
    if (command > 0 && field_count > 0) obey(server);
    ws_poll(server);
    ws_event event;
    while (ws_next_event(server, &event) == WS_OK) {
      if (event.type == WS_EVENT_CONNECTED) print_open(event.conn, header_shown);
      if (event.type == WS_EVENT_CLOSED) {
        begin("stopped");
        finish();
        running = 0;
        continue;
      }
      print_event(&event, header_shown);
      if (event.type == WS_EVENT_MESSAGE) {
        result = ws_put_packet(event.conn, event.packet.data, event.packet.len, event.packet.type);
        if (result != WS_OK) failed("ws_put_packet", result);
      }
    }
    ws_wait(&server, 1, 2);
  }
  ws_free(server);
  ws_shutdown();
  return 0;
}
