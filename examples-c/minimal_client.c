/* The minimal client: connects to a ws:// or wss:// URL, sends "Test packet", prints what it receives, and closes
 * cleanly on Ctrl-C.
 * Usage: minimal_client URL [SUBPROTOCOL [CA.pem]] */
#include "wspeer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: %s URL [SUBPROTOCOL [CA.pem]]\n", argv[0]);
    return 2;
  }
  signal(SIGINT, on_signal);
  signal(SIGTERM, on_signal);

  ws_config config;
  ws_config_init(&config, sizeof config);
  if (argc > 2 && argv[2][0]) config.subprotocols = argv[2];
  char *ca = argc > 3 ? read_file(argv[3]) : NULL;
  config.ca_pem = ca;

  ws_handle client;
  ws_result result = ws_connect(argv[1], &config, &client);
  free(ca); /* ws_connect() has copied it */
  if (result < 0) {
    char why[256];
    ws_last_error(why, sizeof why, NULL);
    fprintf(stderr, "%s: %s\n", ws_result_name(result), why);
    return 1;
  }

  int clean = 0;
  for (int running = 1, closing = 0; running;) {
    if (stop && !closing) {
      closing = 1;
      ws_close(client, 1000, "bye");
    }
    ws_poll(client);
    ws_event event;
    while (ws_next_event(client, &event) == WS_OK) {
      switch (event.type) {
        case WS_EVENT_OPEN:
          printf("Connected\n");
          ws_put_packet(client, (const uint8_t *)"Test packet", 11, WS_TEXT);
          break;
        case WS_EVENT_MESSAGE:
          if (event.packet.type == WS_TEXT)
            printf("< Got text data from server: %.*s\n", (int)event.packet.len, (const char *)event.packet.data);
          else
            printf("< Got binary data from server: %zu bytes\n", event.packet.len);
          break;
        case WS_EVENT_CLOSED:
          printf("Closed with code %d: %s\n", event.code, (const char *)event.packet.data);
          clean = event.clean != 0;
          running = 0;
          break;
        default:
          break;
      }
    }
    fflush(stdout);
    ws_wait(&client, 1, 16); /* a game would draw its frame here */
  }
  ws_free(client);
  ws_shutdown();
  return clean ? 0 : 1;
}
