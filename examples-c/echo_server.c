/* The minimal server: sends every message back and prints who connects and disconnects.
 * Usage: echo_server [PORT [CERT.pem KEY.pem]]     port 0 takes any free one */
#include "wspeer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static volatile sig_atomic_t stop;

static void on_signal(int number) {
  (void)number;
  stop = 1;
}

static char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  char *text = calloc(1, 1 << 20);
  if (text) (void)fread(text, 1, (1 << 20) - 1, file);
  fclose(file);
  return text;
}

/* A message that did not fit the full queue of its client, by the client's index in this table. */
enum { MAX_HELD = 1024 };
static struct {
  ws_handle conn;
  ws_packet packet;
} held[MAX_HELD];

/* Sends a held message again. Returns 0 while it must be kept. */
static int let_go(ws_handle conn) {
  for (int i = 0; i < MAX_HELD; i++) {
    if (held[i].conn != conn) continue;
    if (ws_put_packet(conn, held[i].packet.data, held[i].packet.len, held[i].packet.type) == WS_ERR_FULL) return 0;
    held[i].conn = 0;
  }
  return 1;
}

static void hold(ws_handle conn, const ws_packet *packet) {
  for (int i = 0; i < MAX_HELD; i++) {
    if (held[i].conn) continue;
    held[i].conn = conn;
    held[i].packet = *packet;
    return;
  }
  ws_close(conn, 1013, "too many slow clients");
}

/* Serves one client through its own handle. While a message is held, the client is not read, so the message stays lent:
 * its sending slows down, the other clients are not affected, and nothing is lost. */
static void serve(ws_handle conn) {
  ws_event event;
  while (let_go(conn) && ws_next_event(conn, &event) == WS_OK) {
    char text[256];
    switch (event.type) {
      case WS_EVENT_CONNECTED:
        ws_get_text(conn, WS_GET_REMOTE_ADDRESS, text, sizeof text, NULL);
        printf("+ %u connected from %s\n", conn, text);
        break;
      case WS_EVENT_MESSAGE:
        if (ws_put_packet(conn, event.packet.data, event.packet.len, event.packet.type) == WS_ERR_FULL)
          hold(conn, &event.packet);
        break;
      case WS_EVENT_CLOSE_REQUEST:
        printf("~ %u asks to close with code %d: %s\n", conn, event.code, (const char *)event.packet.data);
        break;
      case WS_EVENT_DISCONNECTED:
        printf("- %u disconnected with code %d, %s: %s\n", conn, event.code, event.clean ? "clean" : "unclean",
               (const char *)event.packet.data);
        break;
      default:
        break;
    }
  }
}

int main(int argc, char **argv) {
  signal(SIGINT, on_signal);
  signal(SIGTERM, on_signal);
  ws_config config;
  ws_config_init(&config, sizeof config);
  char *cert = argc > 3 ? read_file(argv[2]) : NULL;
  char *key = argc > 3 ? read_file(argv[3]) : NULL;
  config.flags = WS_DEFLATE; /* compress for clients that offer it */
  config.cert_pem = cert;
  config.key_pem = key;
  char url[64];
  snprintf(url, sizeof url, "%s://*:%s", cert ? "wss" : "ws", argc > 1 ? argv[1] : "9080");

  ws_handle server;
  ws_result result = ws_listen(url, &config, &server);
  free(cert);
  free(key);
  if (result < 0) {
    char why[256];
    ws_last_error(why, sizeof why, NULL);
    fprintf(stderr, "%s: %s\n", ws_result_name(result), why);
    return 1;
  }
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
  printf("Listening on %s\n", url);
  fflush(stdout);

  static ws_handle conns[4096];
  for (int closing = 0; ws_get_state(server) != WS_CLOSED;) {
    if (stop && !closing) {
      closing = 1;
      ws_close(server, 0, NULL);
    }
    ws_poll(server);
    size_t count = 0;
    ws_get_conns(server, conns, sizeof conns / sizeof conns[0], &count);
    for (size_t i = 0; i < count && i < sizeof conns / sizeof conns[0]; i++) serve(conns[i]);
    fflush(stdout);
    ws_wait(&server, 1, 16); /* a game would draw its frame here */
  }
  ws_free(server);
  ws_shutdown();
  return 0;
}
