/* Godot engines and handles of this library in one scene: starting, polling, and checking what they print or receive.
   */
#ifndef SCENE_ENGINE_H
#define SCENE_ENGINE_H

#include "engine.h"

enum { MAX = 4 };

static const char *engine_path, *project;
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

#endif
