/* The echo client that Autobahn's fuzzing server tests: asks for the number of cases, runs each, then has the server
 * write its report. Usage: autobahn_client URL      of the fuzzing server, without a slash at the end */
#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Connects, and echoes every message until the connection is closed. With `answer`, stores a received message there as
 * a string and echoes nothing. Returns -1 if the connection was never OPEN; the server judges later failures. */
static int run(const char *url, char *answer, size_t cap) {
  ws_handle h;
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_DEFLATE;
  if (ws_connect(url, &config, &h) < 0) return -1;
  ws_packet held = {0}; /* the message to send back: valid until the next ws_next_event() */
  int holding = 0, result = 0;
  for (int running = 1; running;) {
    ws_poll(h);
    ws_event event;
    for (;;) {
      /* Full: poll, and put it again before the next event is taken. After any other error, as when the connection is
       * closing, the message is dropped. */
      if (holding && ws_put_packet(h, held.data, held.len, held.type) == WS_ERR_FULL) break;
      holding = 0;
      if (ws_next_event(h, &event) != WS_OK) break;
      if (event.type == WS_EVENT_MESSAGE && answer)
        snprintf(answer, cap, "%.*s", (int)event.packet.len, (const char *)event.packet.data);
      if (event.type == WS_EVENT_MESSAGE && !answer) {
        held = event.packet;
        holding = 1;
      }
      if (event.type == WS_EVENT_CLOSED) {
        if (event.phase < WS_PHASE_WEBSOCKET) {
          fprintf(stderr, "%s: %s\n", url, (const char *)event.packet.data);
          result = -1;
        }
        running = 0;
        break;
      }
    }
    if (running) ws_wait(&h, 1, 1000);
  }
  ws_free(h);
  return result;
}

int main(int argc, char **argv) {
  char url[256], answer[32] = "";
  if (argc < 2) return 2;
  snprintf(url, sizeof url, "%s/getCaseCount", argv[1]);
  if (run(url, answer, sizeof answer)) return 1;
  int count = atoi(answer);
  for (int i = 1; i <= count; i++) {
    snprintf(url, sizeof url, "%s/runCase?case=%d&agent=wspeer", argv[1], i);
    if (run(url, NULL, 0)) return 1;
  }
  snprintf(url, sizeof url, "%s/updateReports?agent=wspeer", argv[1]);
  return run(url, NULL, 0) ? 1 : 0;
}
