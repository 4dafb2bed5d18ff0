/* The nodes that others have spawned, as a program knows them from its events: integers by the names of properties. */
#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 200, VALUES = 4, MODEL_BYTES = 1 << 13 };

typedef struct {
  int32_t peer;
  uint32_t number;
  char name[20];
  struct {
    char name[12];
    long long value;
  } values[VALUES];
} model_node;

typedef struct {
  model_node nodes[NODES];
  int count;
} model;

/* The node of a peer, with a number of its own if it is a synchronizer by path; NULL: there is none. */
static model_node *model_find(model *of, int32_t peer, uint32_t number) {
  for (int i = 0; i < of->count; i++)
    if (of->nodes[i].peer == peer && of->nodes[i].number == number) return &of->nodes[i];
  return NULL;
}

static model_node *model_add(model *of, int32_t peer, uint32_t number, const char *name) {
  model_node *node = &of->nodes[of->count];
  if (of->count == NODES) {
    printf("too many nodes\n");
    exit(1);
  }
  of->count++;
  memset(node, 0, sizeof *node);
  node->peer = peer;
  node->number = number;
  snprintf(node->name, sizeof node->name, "%s", name);
  return node;
}

static void model_remove(model *of, model_node *node) {
  *node = of->nodes[--of->count];
}

static void model_set(model_node *node, const ws_variant *pair) {
  for (int i = 0; i < VALUES; i++) {
    if (node->values[i].name[0] && strncmp(node->values[i].name, (const char *)pair[0].data, pair[0].len)) continue;
    snprintf(node->values[i].name, sizeof node->values[i].name, "%.*s", (int)pair[0].len, (const char *)pair[0].data);
    node->values[i].value = pair[1].integer;
    return;
  }
  printf("too many values\n");
}

/* Takes an event, if it is about nodes. */
static void model_take(model *of, const ws_event *event) {
  ws_replicated got;
  ws_variant items[2 * VALUES + 1];
  int32_t peer = event->peer_id;
  if (event->type == WS_EVENT_DISCONNECTED)
    for (int i = of->count; i-- > 0;)
      if (of->nodes[i].peer == peer) model_remove(of, &of->nodes[i]);
  if (event->type != WS_EVENT_SPAWN && event->type != WS_EVENT_DESPAWN && event->type != WS_EVENT_SYNC) return;
  for (size_t at = 0;
       ws_decode_replication(event->packet.data, event->packet.len, &at, &got, items, 2 * VALUES + 1) == WS_OK;) {
    model_node *node = model_find(of, peer, got.node);
    if (event->type == WS_EVENT_DESPAWN) {
      if (node) model_remove(of, node);
      else printf("a node was despawned that is not there\n");
      continue;
    }
    if (event->type == WS_EVENT_SPAWN && node) printf("a node was spawned twice\n");
    if (!node) node = model_add(of, peer, got.node, event->type == WS_EVENT_SPAWN ? got.name : got.path);
    for (uint32_t i = got.data_items; i < got.items; i += 2) model_set(node, &items[i]);
  }
}

static int model_compare(const void *left, const void *right) {
  return strcmp(((const model_node *)left)->name, ((const model_node *)right)->name);
}

/* The nodes, by name, as a text that is valid until the next call. */
static const char *model_text(model *of) {
  static char text[MODEL_BYTES];
  size_t len = 0;
  text[0] = 0;
  qsort(of->nodes, (size_t)of->count, sizeof *of->nodes, model_compare);
  for (int i = 0; i < of->count; i++) {
    len += (size_t)snprintf(text + len, sizeof text - len, "%s:", of->nodes[i].name);
    for (int j = 0; j < VALUES && of->nodes[i].values[j].name[0]; j++)
      len += (size_t)snprintf(text + len, sizeof text - len, " %s=%lld", of->nodes[i].values[j].name,
                              of->nodes[i].values[j].value);
    len += (size_t)snprintf(text + len, sizeof text - len, "; ");
  }
  return text;
}
