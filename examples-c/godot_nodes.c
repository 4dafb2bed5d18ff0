/* Joins an unchanged Godot 4 game and prints what its MultiplayerSpawner spawns and its MultiplayerSynchronizers send,
 * until the game ends.
 * Usage: godot_nodes URL SPAWNER SCENE SYNCHRONIZERS
 * SYNCHRONIZERS are the properties of the scene's synchronizers as in the editor's Replication panel. With a Godot server
 * whose spawner /root/Game/Spawner has one scene in its list, with one synchronizer:
 *
 *   godot_nodes ws://127.0.0.1:9080 /root/Game/Spawner 0 ".:position, .:health spawn change" */
#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>

/* Prints the value at items[i]. Returns the index behind it. */
static uint32_t print_value(const ws_variant *items, uint32_t count, uint32_t i) {
  const ws_variant *item = &items[i];
  uint32_t inside = 0;
  if (item->type == WS_VARIANT_STRING) printf("\"%.*s\"", (int)item->len, (const char *)item->data);
  else if (item->type == WS_VARIANT_INT || item->type == WS_VARIANT_BOOL) printf("%lld", (long long)item->integer);
  else if (item->type == WS_VARIANT_FLOAT) printf("%g", item->number[0]);
  else if (item->type == WS_VARIANT_VECTOR2) printf("(%g, %g)", item->number[0], item->number[1]);
  else if (item->type == WS_VARIANT_ARRAY) inside = item->count;
  else if (item->type == WS_VARIANT_DICTIONARY) inside = 2 * item->count;
  else printf("a value of type %d", (int)item->type);
  i++;
  for (uint32_t k = 0; k < inside && i < count; k++) {
    printf(k ? ", " : "[");
    i = print_value(items, count, i);
  }
  if (inside) printf("]");
  return i;
}

static void print_nodes(const ws_event *event) {
  static const char *const what[] = {"spawns", "removes", "changes"};
  size_t at = 0;
  ws_replicated node;
  ws_variant items[64];
  while (ws_decode_replication(event->packet.data, event->packet.len, &at, &node, items, 64) == WS_OK) {
    printf("peer %d %s %s %s (%u)", (int)event->peer_id, what[event->type - WS_EVENT_SPAWN], node.path, node.name,
           (unsigned)node.node);
    for (uint32_t i = node.data_items; i + 1 < node.items;) {
      printf(" %.*s=", (int)items[i].len, (const char *)items[i].data);
      i = print_value(items, node.items, i + 1);
    }
    printf("\n");
  }
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: %s URL SPAWNER SCENE SYNCHRONIZERS\n", argv[0]);
    return 2;
  }
  ws_config config;
  ws_handle h;
  ws_event event;
  char why[256];
  ws_config_init(&config, sizeof config);
  config.flags = WS_SCENE;
  ws_result result = ws_join(argv[1], &config, &h);
  if (result == WS_OK) result = ws_declare_scene(h, argv[2], 1, (uint32_t)atoi(argv[3]), argv[4]);
  if (result != WS_OK) {
    ws_last_error(why, sizeof why, NULL);
    fprintf(stderr, "%s\n", why);
    return 1;
  }
  for (;;) {
    ws_wait(&h, 1, 16); /* a game would draw its frame here instead */
    ws_poll(h);
    while (ws_next_event(h, &event) == WS_OK) {
      if (event.type == WS_EVENT_CLOSED) {
        printf("%s\n", (const char *)event.packet.data);
        ws_free(h);
        ws_shutdown();
        return 0;
      }
      if (event.type == WS_EVENT_SPAWN || event.type == WS_EVENT_DESPAWN || event.type == WS_EVENT_SYNC)
        print_nodes(&event);
      else if (event.type == WS_EVENT_ERROR) printf("%s\n", (const char *)event.packet.data);
    }
    fflush(stdout);
  }
}
