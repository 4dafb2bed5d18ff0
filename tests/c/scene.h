/* Shared by the tests of Godot 4's scene: a host and joins that have declared a node, and calls of it. */
#ifndef SCENE_H
#define SCENE_H

#include "party.h"

/* The next event has this type and peer. */
static inline int reported(ws_handle h, int32_t type, int32_t peer) {
  ws_event event = next_event(h);
  int good = event.type == type && event.peer_id == peer;
  if (!good)
    printf("# type %d of %d: %s\n", event.type, event.peer_id,
           event.packet.data ? (const char *)event.packet.data : "");
  return good;
}

/* The next events are ERRORs with this cause and peer that count this many packets in total. */
static inline int erred(ws_handle h, int32_t cause, int32_t peer, uint64_t count) {
  for (uint64_t sum = 0; sum < count;) {
    ws_event event = next_event(h);
    printf("# type %d of %d, cause %d, %d times: %s\n", event.type, event.peer_id, event.cause, (int)event.count,
           event.packet.data ? (const char *)event.packet.data : "");
    if (event.type != WS_EVENT_ERROR || event.cause != cause || event.peer_id != peer || event.packet.len < 20)
      return 0;
    sum += event.count;
    if (sum > count) return 0;
  }
  return 1;
}

static inline ws_variant integer(int64_t value) {
  ws_variant item = {0};
  item.type = WS_VARIANT_INT;
  item.integer = value;
  return item;
}

static inline ws_variant string(const char *text) {
  ws_variant item = {0};
  item.type = WS_VARIANT_STRING;
  item.data = (const uint8_t *)text;
  item.len = strlen(text);
  return item;
}

static inline ws_result call(ws_handle h, int32_t target, const char *method, const ws_variant *items, size_t count) {
  uint8_t buf[4096];
  size_t len;
  ws_result result = ws_encode_call("Game", method, items, count, buf, sizeof buf, &len);
  return result == WS_OK ? ws_put_packet_to(h, target, buf, len, WS_CALL) : result;
}

/* The next event is a call of this method from this peer; its items are copied to `items`. */
static inline int called(ws_handle h, int32_t from, const char *method, ws_variant *items, size_t cap) {
  static ws_event event;
  ws_call got = {0};
  event = next_event(h);
  ws_result result = event.type == WS_EVENT_MESSAGE && event.packet.type == WS_CALL
                         ? ws_decode_call(event.packet.data, event.packet.len, &got, items, cap)
                         : WS_ERR_ARG;
  int good = result == WS_OK && event.peer_id == from && !strcmp(got.path, "Game") && !strcmp(got.method, method);
  if (!good) printf("# type %d of %d: %s\n", event.type, event.peer_id, result == WS_OK ? got.method : "no call");
  return good;
}

static inline void open_host(uint32_t flags) {
  ws_config config = config_of(flags);
  join_count = 0;
  if (ws_host("ws://127.0.0.1:0", &config, &host) != WS_OK) {
    fprintf(stderr, "host: %s\n", why());
    exit(1);
  }
}

/* A host and `count` open joins that have declared a node; their first events are taken. */
static inline void start_scene(int count, uint32_t flags) {
  ws_config config = config_of(flags);
  open_host(flags);
  ws_declare_node(host, "/root/Game", "raw, noargs, hello");
  for (int i = 0; i < count; i++) {
    add_join(&config);
    ws_declare_node(joins[i], "Game", "hello,noargs,raw");
    UNTIL(ws_get_state(joins[i]) == WS_OPEN);
    ids[i] = ws_get_peer_id(joins[i]);
  }
  drain(host);
  for (int i = 0; i < count; i++) take_all(joins[i]);
}

#endif
