/* A server that serves its own page: https or http, and the game's WebSockets, on one port.
 * Usage: page_server DIRECTORY [PORT [secure]]     port 0 takes any free one
 * With "secure" it makes a certificate for this machine, which a browser accepts after a warning; threads in pages of
 * other machines than this one need it. */
#include "wspeer.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static volatile sig_atomic_t stop;

static void on_signal(int number) {
  (void)number;
  stop = 1;
}

static int failed(const char *what, ws_result result) {
  char why[256];
  ws_last_error(why, sizeof why, NULL);
  fprintf(stderr, "%s: %s: %s\n", what, ws_result_name(result), why);
  return 1;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: page_server DIRECTORY [PORT [secure]]\n");
    return 2;
  }
  signal(SIGINT, on_signal);
  signal(SIGTERM, on_signal);
  int secure = argc > 3 && !strcmp(argv[3], "secure");
  static char cert[4096], key[512];
  ws_result result;
  ws_config config;
  ws_config_init(&config, sizeof config);
  if (secure) {
    result = ws_make_certificate("localhost, 127.0.0.1, ::1", 90, cert, sizeof cert, key, sizeof key, NULL, 0);
    if (result < 0) return failed("certificate", result);
    config.cert_pem = cert;
    config.key_pem = key;
  }
  char url[64];
  snprintf(url, sizeof url, "%s://*:%s", secure ? "wss" : "ws", argc > 2 ? argv[2] : "9080");
  ws_handle server;
  result = ws_listen(url, &config, &server);
  if (result < 0) return failed("listen", result);
  /* Threads in the page need WS_SERVE_ISOLATED; without threads 0 lets the page load from other servers too. */
  result = ws_serve(server, "/", argv[1], WS_SERVE_ISOLATED);
  if (result < 0) return failed("serve", result);

  uint32_t port = 0;
  ws_get_option(server, WS_OPT_PORT, &port);
  printf("Open %s://localhost:%u/\n", secure ? "https" : "http", (unsigned)port);
  fflush(stdout);
  while (!stop) {
    ws_event event;
    ws_poll(server);
    while (ws_next_event(server, &event) == WS_OK) {
      /* What one player says reaches all others; the page opens `new WebSocket("/")`, or ws_connect("/", ...). */
      if (event.type == WS_EVENT_MESSAGE)
        ws_put_packet_to(server, -(int32_t)event.conn, event.packet.data, event.packet.len, event.packet.type);
      if (event.type == WS_EVENT_CONNECTED) printf("+ %u\n", event.conn);
      if (event.type == WS_EVENT_DISCONNECTED) printf("- %u\n", event.conn);
    }
    fflush(stdout);
    ws_wait(&server, 1, 16); /* a game would draw its frame here */
  }
  ws_free(server);
  ws_shutdown();
  return 0;
}
