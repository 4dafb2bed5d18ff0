/* Checks for the test programs: each prints "ok - " or "not ok - ", and FINISH ends the program. */
#ifndef CHECK_H
#define CHECK_H

#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int failures;

/* Prints the result of a check: the two numbers if it compared numbers, else the condition, and the last error of this
   thread. */
static inline void check_report(int good, const char *function, const char *name, const char *what, long long came,
                                const char *expected_text, long long expected) {
  char last[512];
  if (good) {
    printf("ok - %s: %s\n", function, name);
  } else {
    failures++;
    ws_last_error(last, sizeof last, NULL);
    printf("not ok - %s: %s (", function, name);
    if (expected_text) printf("%s is %lld, expected %s = %lld", what, came, expected_text, expected);
    else printf("expected %s", what);
    printf("%s%s)\n", last[0] ? "; last error: " : "", last);
  }
  fflush(stdout);
}

#define CHECK(condition, name) check_report((condition) != 0, __func__, name, #condition, 0, NULL, 0)

/* Checks that two integers are equal. */
#define CHECK_EQUAL(came, expected, name)                                                        \
  do {                                                                                           \
    long long came_ = (long long)(came), expected_ = (long long)(expected);                      \
    check_report(came_ == expected_, __func__, name, #came, came_, #expected, expected_);        \
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

/* Opens a pair and takes its OPEN events. */
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

/* A server on a free port, and `count` open clients of it. Their events are not taken. */
static inline ws_handle open_server(const ws_config *server_config, const ws_config *client_config, ws_handle *clients,
                                    int count) {
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
