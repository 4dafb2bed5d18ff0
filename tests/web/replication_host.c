/* A host that spawns nodes for the joins of tests/web/replication.c, and receives those of the first one. A raw packet is
   a command: "model" is answered with the nodes that it has received, others spawn, change and end nodes. Prints its
   URL. */
#include "replication_model.h"

#include <stdint.h>

static ws_handle host;
static model received;
static uint32_t clock_node, first, second;
static ws_variant items[8];
static size_t count;
static int joined;

static void check(const char *what, ws_result result) {
  char why[300] = "";
  if (result >= 0) return;
  ws_last_error(why, sizeof why, NULL);
  printf("%s: %s %s\n", what, ws_result_name(result), why);
  exit(1);
}

static void give(const char *property, int64_t value) {
  memset(&items[count], 0, 2 * sizeof *items);
  items[count].type = WS_VARIANT_STRING;
  items[count].data = (const uint8_t *)property;
  items[count++].len = strlen(property);
  items[count].type = WS_VARIANT_INT;
  items[count++].integer = value;
}

static void spawn(const char *name, uint32_t *node) {
  check(name, ws_spawn(host, "Game/Hosts", 0, name, items, count, node));
  count = 0;
}

static void sync(uint32_t node) {
  check("sync", ws_sync(host, node, items, count));
  count = 0;
}

static int is(const ws_packet *packet, const char *word) {
  return packet->len == strlen(word) && !memcmp(packet->data, word, packet->len);
}

static void obey(const ws_packet *packet) {
  if (is(packet, "model")) {
    const char *text = model_text(&received);
    /* It may have closed meanwhile. */
    ws_put_packet_to(host, packet->peer_id, (const uint8_t *)text, strlen(text) + 1, WS_BINARY);
  } else if (is(packet, "spawn")) {
    give("a", 1), give("b", 2), spawn("First", &first);
    give("a", 3), give("b", 4), give("c", 5), spawn("Second", &second);
    give("time", 6), sync(clock_node);
  } else if (is(packet, "change")) {
    give("a", 11), sync(first);
    give("b", 12), sync(second);
    give("c", 13), sync(first);
    give("time", 14), sync(clock_node);
  } else if (is(packet, "hide")) {
    check("hide", ws_set_visible(host, first, 0, 0));
    check("show", ws_set_visible(host, first, packet->peer_id, 1));
  } else if (is(packet, "despawn")) {
    check("despawn", ws_despawn(host, second));
  }
}

/* The first join is an authority. */
static void welcome(int32_t peer) {
  if (joined++) return;
  check("of a join", ws_declare_scene(host, "Game/Theirs", peer, 0, "a, b spawn change; c change"));
  check("custom", ws_declare_scene(host, "Game/Theirs", peer, WS_CUSTOM_SCENE, ""));
  check("by path", ws_declare_synchronizer(host, "Game/TheirClock", peer, "time change", NULL));
}

int main(void) {
  char url[64];
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_SCENE;
  check("host", ws_host("ws://127.0.0.1:0", &config, &host));
  check("scene", ws_declare_scene(host, "Game/Hosts", 1, 0, "a, b spawn change; c change"));
  check("clock", ws_declare_synchronizer(host, "Game/Clock", 1, "time change", &clock_node));
  ws_get_text(host, WS_GET_URL, url, sizeof url, NULL);
  printf("%s\n", url);
  fflush(stdout);
  for (;; ws_wait(&host, 1, -1)) {
    ws_event event;
    ws_poll(host);
    while (ws_next_event(host, &event) == WS_OK) {
      model_take(&received, &event);
      if (event.type == WS_EVENT_CONNECTED) welcome(event.peer_id);
      if (event.type == WS_EVENT_MESSAGE && event.packet.type == WS_BINARY) obey(&event.packet);
    }
    fflush(stdout);
  }
}
