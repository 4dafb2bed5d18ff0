/* An echo server with settings: NAME=VALUE ... Prints "PORT n", then one line for each client's end, with the longest
   ws_poll since the last line in microseconds of CPU time. Ends with its standard input. */
#include "wspeer.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double cpu_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec * 1e-3;
}

int main(int argc, char **argv) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  const char *path = "";
  const char *headers[1];
  for (int i = 1; i < argc; i++) {
    char *value = strchr(argv[i], '=');
    if (!value) return 2;
    *value++ = 0;
    uint32_t number = (uint32_t)strtoul(value, NULL, 0);
    if (!strcmp(argv[i], "path")) path = value;
    if (!strcmp(argv[i], "subprotocols")) config.subprotocols = value;
    if (!strcmp(argv[i], "max_message")) config.max_message_bytes = number;
    if (!strcmp(argv[i], "max_fragments")) config.max_fragments = number;
    if (!strcmp(argv[i], "max_clients")) config.max_clients = number;
    if (!strcmp(argv[i], "per_address")) config.max_clients_per_address = number;
    if (!strcmp(argv[i], "rate")) config.max_messages_per_s = number;
    if (!strcmp(argv[i], "handshake_timeout")) config.handshake_timeout_ms = number;
    if (!strcmp(argv[i], "heartbeat")) config.heartbeat_ms = number;
    if (!strcmp(argv[i], "max_ratio")) config.max_inflate_ratio = number;
    if (!strcmp(argv[i], "flags")) config.flags = number;
    if (!strcmp(argv[i], "header")) {
      headers[0] = value;
      config.headers = headers;
      config.headers_count = 1;
    }
  }
  char url[128];
  snprintf(url, sizeof url, "ws://127.0.0.1:0%s", path);
  ws_handle server;
  if (ws_listen(url, &config, &server) < 0) {
    char why[256];
    ws_last_error(why, sizeof why, NULL);
    fprintf(stderr, "%s\n", why);
    return 1;
  }
  uint32_t port = 0;
  ws_get_option(server, WS_OPT_PORT, &port);
  printf("PORT %u\n", port);
  fflush(stdout);
  double longest = 0;
  for (;;) {
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, 0) > 0) break;
    double began = cpu_us();
    ws_poll(server);
    double took = cpu_us() - began;
    if (took > longest) longest = took;
    ws_event event;
    while (ws_next_event(server, &event) == WS_OK) {
      if (event.type == WS_EVENT_MESSAGE)
        ws_put_packet(event.conn, event.packet.data, event.packet.len, event.packet.type);
      if (event.type == WS_EVENT_DISCONNECTED) {
        printf("END code=%d phase=%d cause=%d clean=%u poll_us=%.0f\n", event.code, event.phase, event.cause,
               event.clean, longest);
        longest = 0;
      }
      fflush(stdout);
    }
    ws_wait(&server, 1, 5);
  }
  ws_free(server);
  ws_shutdown();
  return 0;
}
