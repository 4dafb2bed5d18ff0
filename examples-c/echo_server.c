/* The minimal server: sends back what it gets, and prints who comes and goes.
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

/* Echoes what one client sent. A message that its full queue does not take stays lent to us: it is put again first, and nothing more is
 * read from that client until then, so its own sending slows down and nothing is lost. */
static void echo(ws_handle conn) {
  ws_packet packet;
  while (ws_get_packet(conn, &packet) == WS_OK) {
    while (ws_put_packet(conn, packet.data, packet.len, packet.type) == WS_ERR_FULL) {
      ws_poll(conn); /* polls the server; the lent bytes stay valid */
      ws_wait(&conn, 1, 1);
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

  for (int running = 1, closing = 0; running;) {
    if (stop && !closing) {
      closing = 1;
      ws_close(server, 0, NULL);
    }
    ws_poll(server);
    ws_event event;
    while (ws_next_event(server, &event) == WS_OK) {
      char text[256];
      switch (event.type) {
        case WS_EVENT_CONNECTED:
          ws_get_text(event.conn, WS_GET_REMOTE_ADDRESS, text, sizeof text, NULL);
          printf("+ %u connected from %s\n", event.conn, text);
          break;
        case WS_EVENT_MESSAGE:
          while (ws_put_packet(event.conn, event.packet.data, event.packet.len, event.packet.type) == WS_ERR_FULL) {
            /* Not taken: the client does not read. Wait for it for a frame; a real game would rather disconnect it. */
            ws_poll(server);
            ws_wait(&server, 1, 1);
          }
          echo(event.conn);
          break;
        case WS_EVENT_CLOSE_REQUEST:
          printf("~ %u asks to close with code %d: %s\n", event.conn, event.code, (const char *)event.packet.data);
          break;
        case WS_EVENT_DISCONNECTED:
          printf("- %u disconnected with code %d, %s: %s\n", event.conn, event.code, event.clean ? "clean" : "unclean",
                 (const char *)event.packet.data);
          break;
        case WS_EVENT_CLOSED:
          running = 0;
          break;
        default:
          break;
      }
    }
    fflush(stdout);
    ws_wait(&server, 1, 16);
  }
  ws_free(server);
  ws_shutdown();
  return 0;
}
