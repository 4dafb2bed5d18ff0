/* Godot engines and handles of this library in one scene: starting, polling, and checking what they print or receive.
   */
#ifndef SCENE_ENGINE_H
#define SCENE_ENGINE_H

#include "engine.h"
#include "values.h"

enum { MAX = 4 };

static const char *engine_path, *project, *example_path;
static ws_handle handles[MAX];
static int handle_count;

static void move_on(void) {
  for (int i = 0; i < handle_count; i++) ws_poll(handles[i]);
  ws_wait(handles, (size_t)handle_count, 2);
}

/* Starts a host, or a join of `url`, with up to two more arguments. */
static void godot(engine *one, const char *url, const char *word, const char *second) {
  const char *args[] = {engine_path,
                        "--headless",
                        "--path",
                        project,
                        "--script",
                        "scene.gd",
                        "--",
                        url ? "join" : "host",
                        url ? url : word,
                        url ? word : second,
                        url ? second : NULL,
                        NULL};
  launch(one, args);
}

static ws_config config_of(uint32_t flags) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_SCENE | flags;
  return config;
}

static ws_event event_of(ws_handle h, int32_t type) {
  ws_event event;
  double end = now_s() + 25;
  while (now_s() < end) {
    if (ws_next_event(h, &event) != WS_OK) move_on();
    else if (event.type == type) return event;
    else if (event.type == WS_EVENT_ERROR) printf("# %s\n", (const char *)event.packet.data);
  }
  memset(&event, 0, sizeof event);
  return event;
}

static int hears(ws_handle h, int32_t from, const char *words) {
  ws_event event = event_of(h, WS_EVENT_MESSAGE);
  int good = event.peer_id == from && event.packet.type == WS_BINARY && event.packet.len == strlen(words) &&
             !memcmp(event.packet.data, words, strlen(words));
  if (!good) printf("# heard from %d: %.*s\n", event.peer_id, (int)event.packet.len, (const char *)event.packet.data);
  return good;
}

static ws_result say(ws_handle h, int32_t target, const char *format, ...) {
  char words[1024];
  va_list list;
  va_start(list, format);
  vsnprintf(words, sizeof words, format, list);
  va_end(list);
  return ws_put_packet_to(h, target, (const uint8_t *)words, strlen(words), WS_BINARY);
}

/* All RPCs of game.gd; the last one was made callable by rpc_config(). */
static void declare(ws_handle h) {
  if (ws_declare_node(h, "/root/Game", "echo, back, noargs, raw, three, only_authority; configured") != WS_OK) exit(1);
}

static ws_result call(ws_handle h, int32_t target, const char *method, const ws_variant *items, size_t count) {
  static uint8_t buf[8192];
  size_t len;
  ws_result result = ws_encode_call("Game", method, items, count, buf, sizeof buf, &len);
  return result == WS_OK ? ws_put_packet_to(h, target, buf, len, WS_CALL) : result;
}

/* The next message is a call of this method from this peer. Copies its items to `items` and returns their number, or
   -1. */
static int called(ws_handle h, int32_t from, const char *method, ws_variant *items, size_t cap) {
  static ws_event event;
  ws_call got;
  event = event_of(h, WS_EVENT_MESSAGE);
  if (event.packet.type != WS_CALL || ws_decode_call(event.packet.data, event.packet.len, &got, items, cap) != WS_OK) {
    printf("# no call that fits, of type %d from %d: %.*s\n", event.packet.type, event.peer_id, (int)event.packet.len,
           (const char *)event.packet.data);
    return -1;
  }
  if (event.peer_id != from || strcmp(got.path, "Game") || strcmp(got.method, method)) {
    printf("# %d called %s.%s\n", event.peer_id, got.path, got.method);
    return -1;
  }
  return (int)got.items;
}

#endif
