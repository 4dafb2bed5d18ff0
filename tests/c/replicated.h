/* The scene of tests/godot/replicated4: what its synchronizers have, what arrives of it as text, and values for it. */
#ifndef REPLICATED_H
#define REPLICATED_H

#include "wspeer.h"

#include <stdio.h>
#include <string.h>

enum { NODE_ITEMS = 64 };

static const char *const PROPERTIES = ".:position, .:health spawn change, .:label spawn, .:heading always; .:hat change";

/* The next node in a packet as text, "path name scene: property value …", and its number; NULL: there is no other. */
static inline const char *next_node(const ws_packet *packet, size_t *at, uint32_t *number) {
  static char text[1024];
  ws_replicated node;
  ws_variant items[NODE_ITEMS];
  if (ws_decode_replication(packet->data, packet->len, at, &node, items, NODE_ITEMS) != WS_OK) return NULL;
  size_t used = (size_t)snprintf(text, sizeof text, "%s %s %u:", node.path, node.name, (unsigned)node.scene);
  for (uint32_t i = 0; i < node.items && used < sizeof text - 128; i++) {
    const ws_variant *item = &items[i];
    char *end = text + used;
    size_t room = sizeof text - used;
    if (item->type == WS_VARIANT_STRING)
      used += (size_t)snprintf(end, room, " %.*s", item->len < 64 ? (int)item->len : 64, (const char *)item->data);
    else if (item->type == WS_VARIANT_INT) used += (size_t)snprintf(end, room, " %d", (int)item->integer);
    else if (item->type == WS_VARIANT_FLOAT) used += (size_t)snprintf(end, room, " %g", item->number[0]);
    else if (item->type == WS_VARIANT_VECTOR2)
      used += (size_t)snprintf(end, room, " %g,%g", item->number[0], item->number[1]);
    else used += (size_t)snprintf(end, room, " <%d:%u>", item->type, (unsigned)item->count);
  }
  *number = node.node;
  return text;
}

static inline ws_variant named(const char *text) {
  ws_variant item = {0};
  item.type = WS_VARIANT_STRING;
  item.data = (const uint8_t *)text;
  item.len = strlen(text);
  return item;
}

static inline ws_variant integer(int64_t number) {
  ws_variant item = {0};
  item.type = WS_VARIANT_INT;
  item.integer = number;
  return item;
}

static inline ws_variant vector(double x, double y) {
  ws_variant item = {0};
  item.type = WS_VARIANT_VECTOR2;
  item.number[0] = x;
  item.number[1] = y;
  return item;
}

static inline ws_variant real(double number) {
  ws_variant item = {0};
  item.type = WS_VARIANT_FLOAT;
  item.number[0] = number;
  return item;
}

static inline ws_variant array(uint32_t count) {
  ws_variant item = {0};
  item.type = WS_VARIANT_ARRAY;
  item.count = count;
  return item;
}

#endif
