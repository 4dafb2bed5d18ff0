/* Checks for the test programs: each prints "ok - " or "not ok - ", and the program ends with FINISH. */
#ifndef CHECK_H
#define CHECK_H

#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int failures;

#define CHECK(condition, name)                                                       \
  do {                                                                               \
    int good_ = (condition) != 0;                                                    \
    if (!good_) failures++;                                                          \
    printf("%s - %s: %s%s\n", good_ ? "ok" : "not ok", __func__, name, good_ ? "" : " (" #condition ")"); \
    fflush(stdout);                                                                  \
  } while (0)

#define FINISH() return failures ? 1 : 0

static inline double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static inline const char *why(void) {
  static char text[512];
  ws_last_error(text, sizeof text, NULL);
  return text;
}

/* An open pair, its OPEN events taken. */
static inline void open_pair(const ws_config *config, ws_handle *server, ws_handle *client) {
  ws_event event;
  if (ws_pair(config, server, client) < 0) {
    fprintf(stderr, "pair: %s\n", why());
    exit(1);
  }
  for (int i = 0; i < 100 && (ws_get_state(*server) != WS_OPEN || ws_get_state(*client) != WS_OPEN); i++) {
    ws_poll(*client);
    ws_poll(*server);
  }
  while (ws_next_event(*server, &event) == WS_OK) {
  }
  while (ws_next_event(*client, &event) == WS_OK) {
  }
}

/* A server on a free port and `count` open clients of it; their events are left. */
static inline ws_handle open_server(const ws_config *server_config, const ws_config *client_config, ws_handle *clients, int count) {
  ws_handle server;
  char url[64];
  if (ws_listen("ws://127.0.0.1:0", server_config, &server) < 0) {
    fprintf(stderr, "listen: %s\n", why());
    exit(1);
  }
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
  for (int i = 0; i < count; i++)
    if (ws_connect(url, client_config, &clients[i]) < 0) exit(1);
  double end = now_s() + 20;
  for (int open = 0; open < count && now_s() < end;) {
    ws_poll(server);
    open = 0;
    for (int i = 0; i < count; i++) {
      ws_poll(clients[i]);
      open += ws_get_state(clients[i]) == WS_OPEN;
    }
  }
  ws_poll(server);
  return server;
}

#endif
