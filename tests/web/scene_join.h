/* A join in a scene, for programs whose output must be the same natively and in a browser. */
#include "wspeer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ITEMS = 100, BYTES = 1 << 14 };

static ws_handle join;
static ws_variant items[ITEMS];
/* The other Godot peer, whose id is random. */
static int32_t other;

static inline size_t bytes_of(const char *text, uint8_t *out) {
  size_t len = 0;
  for (unsigned byte; *text; text++)
    if (*text != ' ' && sscanf(text++, "%2x", &byte) == 1) out[len++] = (uint8_t)byte;
  return len;
}

static inline const char *hex_of(const uint8_t *data, size_t len) {
  static char hex[2 * BYTES + 1];
  hex[0] = 0;
  for (size_t i = 0; i < len && i < BYTES; i++) snprintf(hex + 2 * i, 3, "%02x", data[i]);
  return hex;
}

static inline const char *why(ws_result result) {
  static char text[300];
  text[0] = 0;
  if (result < 0) ws_last_error(text, sizeof text, NULL);
  return text;
}

static inline void show_items(size_t count) {
  for (size_t i = 0; i < count && i < ITEMS; i++) {
    const ws_variant *item = &items[i];
    printf("  type=%d count=%u integer=%lld bytes=%s numbers", (int)item->type, (unsigned)item->count,
           (long long)item->integer, hex_of(item->data, item->len));
    for (int j = 0; j < 16; j++) printf(" %.17g", item->number[j]);
    printf("\n");
  }
}

static inline ws_variant *item_of(int32_t type, uint32_t count, int64_t integer) {
  memset(items, 0, sizeof items);
  items[0].type = type;
  items[0].count = count;
  items[0].integer = integer;
  return items;
}

static inline ws_event next(void) {
  const struct timespec moment = {0, 1000000};
  ws_event event;
  memset(&event, 0, sizeof event);
  for (time_t limit = time(NULL) + 8; ws_next_event(join, &event) != WS_OK; nanosleep(&moment, NULL)) {
    if (time(NULL) > limit) {
      printf("nothing came\n");
      exit(1);
    }
    ws_poll(join);
  }
  return event;
}

/* The nodes of a packet of replication. */
static inline void show_nodes(const ws_packet *packet) {
  ws_replicated node;
  size_t at = 0;
  ws_result result;
  while ((result = ws_decode_replication(packet->data, packet->len, &at, &node, items, ITEMS)) >= 0 &&
         result != WS_EMPTY) {
    printf("  %s node %x of scene %u of %s \"%s\", %u items, %u of data\n", ws_result_name(result), (unsigned)node.node,
           (unsigned)node.scene, node.path, node.name, (unsigned)node.items, (unsigned)node.data_items);
    show_items(node.items);
  }
  if (result < 0) printf("  %s %s\n", ws_result_name(result), why(result));
}

static inline const char *name_of(int32_t id) {
  static char name[12];
  if (id == 1) return "host";
  if (id == ws_get_peer_id(join)) return "me";
  if (id == other) return "other";
  snprintf(name, sizeof name, "%d", (int)id);
  return name;
}

static inline void show(const ws_event *event) {
  printf("event %d of %s", (int)event->type, name_of(event->peer_id));
  if (event->type == WS_EVENT_MESSAGE && event->packet.type == WS_CALL) {
    ws_call got;
    ws_result result = ws_decode_call(event->packet.data, event->packet.len, &got, items, ITEMS);
    printf(" calls %s.%s: %s\n", got.path, got.method, ws_result_name(result));
    show_items(got.items);
    return;
  }
  if (event->packet.type == WS_SPAWN || event->packet.type == WS_DESPAWN || event->packet.type == WS_SYNC) {
    printf("\n");
    show_nodes(&event->packet);
    return;
  }
  if (event->packet.type == WS_REPLICATION) {
    printf(" replicates %s\n", hex_of(event->packet.data, event->packet.len));
    return;
  }
  if (event->type == WS_EVENT_MESSAGE)
    printf(" type=%d %.*s", (int)event->packet.type, (int)event->packet.len, (const char *)event->packet.data);
  if (event->type == WS_EVENT_AUTH) printf(" %u %s", (unsigned)event->packet.len, (const char *)event->packet.data);
  if (event->type == WS_EVENT_ERROR || event->type == WS_EVENT_CLOSED)
    printf(" code=%d cause=%d phase=%d count=%d %s", (int)event->code, (int)event->cause, (int)event->phase,
           (int)event->count, (const char *)event->packet.data);
  printf("\n");
}

static inline void take(int count) {
  while (count-- > 0) {
    ws_event event = next();
    show(&event);
  }
}

static inline ws_result reported(const char *what, ws_result result) {
  printf("%s: %s %s\n", what, ws_result_name(result), why(result));
  return result;
}

static inline ws_result say(int32_t target, const char *format, ...) {
  static char words[BYTES];
  va_list list;
  va_start(list, format);
  vsnprintf(words, sizeof words, format, list);
  va_end(list);
  return ws_put_packet_to(join, target, (const uint8_t *)words, strlen(words), WS_BINARY);
}

static inline void open_join(const char *url, uint32_t flags) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_SCENE | flags;
  if (ws_join(url, &config, &join) != WS_OK) exit(reported("join", WS_ERR_STATE) < 0);
}

/* Makes the host send these bytes. */
static inline void comes(const char *hex) {
  static char digits[BYTES];
  size_t len = 0;
  for (const char *digit = hex; *digit; digit++)
    if (*digit != ' ') digits[len++] = *digit;
  digits[len] = 0;
  printf("the host says %s\n", digits);
  say(1, "!%s", digits);
}

/* Waits until this many messages are queued, so that everything sent before them has arrived too. */
static inline void settle(int messages) {
  const struct timespec moment = {0, 1000000};
  for (time_t limit = time(NULL) + 8; ws_get_available(join) < messages && time(NULL) < limit; nanosleep(&moment, NULL))
    ws_poll(join);
}
