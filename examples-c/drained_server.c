/* A server of a fleet: a room in which everybody gets what one says. SIGTERM or SIGINT drains it: no player is kicked,
 * each is sent to another server when nothing is under way to him (docs/deploying.md). A second signal ends it at once.
 * Usage: drained_server [PORT [NODE [WINDOW_MS]]]
 * Port 0 takes any free one. NODE is its name, by which a balancer leads players back to it. Players to whom something is
 * under way all the time are sent away WINDOW_MS after the signal (default: 20000). */
#include "wspeer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static volatile sig_atomic_t signals;

static void on_signal(int number) {
  (void)number;
  signals++;
}

static int failed(const char *what, ws_result result) {
  char why[256];
  ws_last_error(why, sizeof why, NULL);
  fprintf(stderr, "%s: %s: %s\n", what, ws_result_name(result), why);
  return 1;
}

int main(int argc, char **argv) {
  signal(SIGINT, on_signal);
  signal(SIGTERM, on_signal);
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.session_ms = 30000; /* a player who loses his link has so long to come back */
  config.node = argc > 2 ? argv[2] : NULL;
  uint32_t window_ms = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 20000;
  char url[64];
  snprintf(url, sizeof url, "ws://*:%s", argc > 1 ? argv[1] : "9080");
  ws_handle server;
  ws_result result = ws_listen(url, &config, &server);
  if (result < 0) return failed("listen", result);
  uint32_t port = 0;
  ws_get_option(server, WS_OPT_PORT, &port);
  printf("listening on %u\n", (unsigned)port);
  fflush(stdout);

  int drained = 0, ended = 0;
  while (!ended && signals < 2) {
    if (signals && !drained) {
      drained = 1;
      result = ws_drain(server, window_ms, 200, NULL); /* they come back after 200 ms at least */
      if (result < 0) return failed("drain", result);
      puts("draining");
      fflush(stdout);
    }
    ws_event event;
    ws_poll(server);
    while (ws_next_event(server, &event) == WS_OK) {
      if (event.type == WS_EVENT_MESSAGE) ws_put_packet(server, event.packet.data, event.packet.len, event.packet.type);
      if (event.type == WS_EVENT_CLOSED) ended = 1; /* no player is left */
    }
    ws_wait(&server, 1, 16); /* a game would compute its frame here */
  }
  ws_free(server);
  ws_shutdown();
  puts("ended");
  return 0;
}
