/* A host and its joins over loopback, shared by the tests of the multiplayer peer. */
#ifndef PARTY_H
#define PARTY_H

#include "check.h"

enum { MAX = 8 };

static ws_handle host, joins[MAX];
static int join_count;
static int32_t ids[MAX];

static inline ws_config config_of(uint32_t flags) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = flags;
  return config;
}

static inline void poll_all(void) {
  ws_poll(host);
  for (int i = 0; i < join_count; i++) ws_poll(joins[i]);
}

/* Polls all handles until the condition holds, for at most 10 s. */
#define UNTIL(condition)                                            \
  do {                                                              \
    double end_ = now_s() + 10;                                     \
    while (!(condition) && now_s() < end_) poll_all();              \
    if (!(condition)) printf("# not within 10 s: %s\n", #condition); \
  } while (0)

/* The next event of a handle, within 10 s. Type 0: none. */
static inline ws_event next_event(ws_handle h) {
  ws_event event;
  double end = now_s() + 10;
  while (now_s() < end) {
    if (ws_next_event(h, &event) == WS_OK) return event;
    poll_all();
  }
  memset(&event, 0, sizeof event);
  return event;
}

static inline ws_event event_of(ws_handle h, int32_t type) {
  ws_event event;
  do event = next_event(h);
  while (event.type != type && event.type != 0);
  return event;
}

/* The next event is this message from this peer. */
static inline int hears(ws_handle h, int32_t from, const char *words) {
  ws_event event = next_event(h);
  int good = event.type == WS_EVENT_MESSAGE && event.packet.type == WS_BINARY && event.peer_id == from &&
             event.packet.peer_id == from && event.packet.len == strlen(words) &&
             !memcmp(event.packet.data, words, event.packet.len);
  if (!good)
    printf("# type %d from %d: %.*s\n", event.type, event.peer_id, (int)event.packet.len,
           (const char *)event.packet.data);
  return good;
}

static inline void settle(void) {
  double end = now_s() + 0.05;
  while (now_s() < end) poll_all();
}

static inline void take_all(ws_handle h) {
  ws_event event;
  while (ws_next_event(h, &event) == WS_OK) {
  }
}

static inline void drain(ws_handle h) {
  settle();
  take_all(h);
}

/* No handle has an event after all have been polled for a while. */
static inline int all_quiet(void) {
  ws_event event;
  settle();
  int quiet = ws_next_event(host, &event) == WS_EMPTY;
  for (int i = 0; i < join_count; i++) quiet &= ws_next_event(joins[i], &event) == WS_EMPTY;
  return quiet;
}

static inline ws_result say_to(ws_handle h, int32_t target, const char *words) {
  return ws_put_packet_to(h, target, (const uint8_t *)words, strlen(words), WS_BINARY);
}

static inline ws_result say(ws_handle h, const char *words) {
  return ws_put_packet(h, (const uint8_t *)words, strlen(words), WS_BINARY);
}

static inline void url_of(ws_handle server, char *url, size_t cap) {
  if (ws_get_text(server, WS_GET_URL, url, cap, NULL) != WS_OK) exit(1);
}

static inline void add_join(const ws_config *config) {
  char url[64];
  url_of(host, url, sizeof url);
  if (ws_join(url, config, &joins[join_count]) != WS_OK) {
    fprintf(stderr, "join: %s\n", why());
    exit(1);
  }
  join_count++;
}

/* A host and `count` open joins, whose first events are taken. */
static inline void start(int count, const ws_config *host_config, const ws_config *join_config) {
  join_count = 0;
  if (ws_host("ws://127.0.0.1:0", host_config, &host) != WS_OK) {
    fprintf(stderr, "host: %s\n", why());
    exit(1);
  }
  for (int i = 0; i < count; i++) {
    add_join(join_config);
    UNTIL(ws_get_state(joins[i]) == WS_OPEN);
    ids[i] = ws_get_peer_id(joins[i]);
  }
  drain(host);
  for (int i = 0; i < count; i++) take_all(joins[i]);
}

static inline void stop(void) {
  for (int i = 0; i < join_count; i++) ws_free(joins[i]);
  ws_free(host);
  join_count = 0;
}

#endif
