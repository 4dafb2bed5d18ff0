/* Spawners and synchronizers of a join in a scene; the output must be the same natively and in a browser. Usage:
   replication wire URL (the bytes of a join, as tests/web/scene_host.c receives and sends them), replication host URL
   (two joins of tests/web/replication_host.c, where one of them and the host are authorities) */
#include "replication_model.h"
#include "scene_join.h"

/* ---- Packets ---- */

enum { SPAWN = 4, DESPAWN = 5, SYNC = 6, DELTA = 0x16, OTHER = 0x67dc5c56 };

static uint8_t packet[BYTES];
static size_t size;

static void add_bytes(const void *data, size_t len) {
  memcpy(packet + size, data, len);
  size += len;
}

static void add_byte(unsigned value) {
  packet[size++] = (uint8_t)value;
}

static void add_word(uint32_t value) {
  for (int i = 0; i < 4; i++) add_byte(value >> (8 * i) & 0xff);
}

static void add_hex(const char *hex) {
  size += bytes_of(hex, packet + size);
}

/* A packet of the host, or one of another peer that it passes on. */
static void begin(int32_t from, unsigned command) {
  size = 0;
  if (from != 1) {
    add_byte(7), add_byte(3);
    add_word((uint32_t)from);
  }
  add_byte(command);
}

/* It arrives. An ERROR about replication is reported once for each peer and cause, until something is declared or
   forgotten. */
static void arrives(void) {
  ws_declare_scene(join, "Forgotten", 1, 0, NULL);
  comes(hex_of(packet, size));
}

/* The events of what the host has said. Returns whether one of them is this. */
static int events_have(int32_t type) {
  ws_event event;
  int have = 0;
  ws_poll(join);
  say(1, "!0361");
  for (event = next(); event.type != WS_EVENT_MESSAGE || event.packet.len != 1; event = next()) {
    show(&event);
    have |= event.type == type;
  }
  return have;
}

static void events(void) {
  events_have(WS_EVENT_MESSAGE);
}

/* The events of a packet of the other peer. A node that it has spawned is despawned. */
static void events_of_other(void) {
  uint8_t node[4];
  memcpy(node, packet + 12, sizeof node);
  if (!events_have(WS_EVENT_SPAWN)) return;
  begin(OTHER, DESPAWN), add_bytes(node, sizeof node);
  arrives();
  events();
}

/* The peer gives a number to a path without methods. */
static void gives(int32_t from, uint32_t number, const char *path) {
  begin(from, 1);
  add_bytes("d41d8cd98f00b204e9800998ecf8427e", 33);
  add_word(number);
  add_bytes(path, strlen(path) + 1);
  arrives();
}

static void gives_known(int32_t from, uint32_t number, const char *path) {
  gives(from, number, path);
  take(1);
}

static void begin_spawn(int32_t from, unsigned scene, uint32_t spawner, uint32_t node, uint32_t first, uint32_t count,
                        const char *name) {
  begin(from, SPAWN);
  add_byte(scene);
  add_word(spawner), add_word(node), add_word(count), add_word((uint32_t)strlen(name) + 1);
  for (uint32_t i = 0; i < count; i++) add_word(first + i);
  add_bytes(name, strlen(name) + 1);
}

static void add_text(const char *text) {
  add_word(WS_VARIANT_STRING), add_word((uint32_t)strlen(text));
  add_bytes(text, strlen(text));
  for (size_t pad = strlen(text); pad % 4; pad++) add_byte(0);
}

static void begin_sync(int32_t from, unsigned time) {
  begin(from, SYNC);
  add_byte(time & 0xff), add_byte(time >> 8);
}

/* A state: its values in hexadecimal digits. */
static void add_state(uint32_t number, const char *values) {
  add_word(number), add_word((uint32_t)strlen(values) / 2);
  add_hex(values);
}

static void add_change(uint32_t number, uint32_t low, uint32_t high, const char *values) {
  add_word(number), add_word(low), add_word(high), add_word((uint32_t)strlen(values) / 2);
  add_hex(values);
}

/* ---- Any bytes for ws_decode_replication ---- */

static uint32_t sum;

static void sum_up(const void *data, size_t len) {
  for (const uint8_t *byte = data; len; len--) sum = (sum ^ *byte++) * 16777619;
}

static void sum_number(uint32_t number) {
  uint8_t parts[] = {(uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16), (uint8_t)(number >> 24)};
  sum_up(parts, sizeof parts);
}

static int is_inside(const void *part, size_t len, const uint8_t *data, size_t all) {
  const uint8_t *at = part;
  return at >= data && at <= data + all && len <= (size_t)(data + all - at);
}

/* Decodes bytes, and adds what comes of it to the sum. Returns the last result. */
static ws_result decode(const uint8_t *data, size_t len, size_t at) {
  ws_replicated node;
  ws_result result = WS_OK;
  for (int count = 0; count < 50; count++) {
    size_t before = at;
    result = ws_decode_replication(data, len, &at, &node, items, ITEMS);
    sum_number((uint32_t)result), sum_number((uint32_t)at);
    if (result != WS_OK && result != WS_TRUNCATED) break;
    if (!is_inside(node.path, strlen(node.path) + 1, data, len) || !is_inside(node.name, strlen(node.name) + 1, data, len) ||
        at <= before || at > len)
      printf("a node lies outside of its packet\n");
    sum_up(node.path, strlen(node.path)), sum_up(node.name, strlen(node.name));
    sum_number(node.node), sum_number(node.scene), sum_number(node.items), sum_number(node.data_items);
    for (uint32_t i = 0; i < node.items && i < ITEMS; i++) {
      const ws_variant *item = &items[i];
      if (item->len && !is_inside(item->data, item->len, data, len)) printf("an item lies outside of its packet\n");
      sum_number((uint32_t)item->type), sum_number(item->count), sum_number((uint32_t)item->integer);
      sum_number((uint32_t)((uint64_t)item->integer >> 32)), sum_number((uint32_t)item->len);
      sum_up(item->data, item->len);
      for (int j = 0; j < 16; j++)
        if (item->number[j] == item->number[j]) sum_up(&item->number[j], sizeof(double));
    }
  }
  return result;
}

static void decode_any(const ws_packet *from) {
  static uint8_t copy[BYTES];
  static const uint8_t others[] = {0, 1, 5, 0x22, 0x7f, 0x80, 0xff};
  int ends[3] = {0};
  size_t len = from->len;
  memcpy(copy, from->data, len);
  sum = 2166136261u;
  for (size_t end = 0; end <= len; end++) ends[decode(copy, end, 0) == WS_ERR_ARG]++;
  for (size_t at = 0; at <= len + 5; at++) ends[decode(copy, len, at) == WS_ERR_ARG]++;
  ends[decode(copy, len, (size_t)-1) == WS_ERR_ARG]++;
  for (size_t i = 0; i < len; i++) {
    for (size_t other = 0; other < sizeof others; other++) {
      copy[i] = others[other];
      ends[decode(copy, len, 0) == WS_ERR_ARG]++;
    }
    copy[i] = from->data[i];
  }
  printf("  %d of %d variations are refused, sum %08x\n", ends[1], ends[0] + ends[1], (unsigned)sum);
}

/* The events of what the host has said, with variations of each message. */
static void events_with_variations(void) {
  static uint8_t copy[BYTES];
  ws_event event;
  say(1, "!0361");
  for (event = next(); event.type != WS_EVENT_MESSAGE || event.packet.len != 1; event = next()) {
    ws_packet kept = event.packet;
    if (kept.len <= sizeof copy) memcpy(copy, kept.data, kept.len), kept.data = copy;
    show(&event);
    if (event.type != WS_EVENT_ERROR) decode_any(&kept);
  }
}

/* ---- Declarations ---- */

static ws_result scene_of(const char *spawner, int32_t authority, uint32_t scene, const char *list) {
  char what[200];
  snprintf(what, sizeof what, "scene %u of %.40s: %.100s", (unsigned)scene, spawner, list ? list : "forgotten");
  return reported(what, ws_declare_scene(join, spawner, authority, scene, list));
}

static ws_result synchronizer_of(const char *path, int32_t authority, const char *list, uint32_t *node) {
  char what[200];
  snprintf(what, sizeof what, "synchronizer %.40s: %.100s", path, list ? list : "forgotten");
  return reported(what, ws_declare_synchronizer(join, path, authority, list, node));
}

static void declarations(const char *url) {
  static char many[1 << 17];
  size_t len = 0;
  uint32_t node = 9;
  open_join(url, WS_RAW_REPLICATION);
  scene_of("Game", 1, 0, "a");
  synchronizer_of("Game", 1, "a", NULL);
  ws_free(join);
  open_join(url, 0);
  scene_of("Game", -1, 0, "a");
  scene_of("Game", 1, 256, "a");
  scene_of("Game", 1, WS_CUSTOM_SCENE, "");
  scene_of("/root/Game", 1, 0, "a, b spawn change ; ;\tc d always,d spawn  always");
  scene_of("Game", 1, 0, "a spawn always,b change spawn;;c d always,d");
  scene_of("Game", 1, 0, "a,b;;c d always,d");
  scene_of("Game", 7, 1, "a");
  scene_of("Game", 1, 1, "a,a");
  scene_of("Game", 1, 1, "a,,b");
  scene_of("Game", 1, 1, "spawn, always change");
  scene_of("Game", 1, 1, "a always change");
  scene_of("Game", 1, 1, NULL);
  scene_of("Game", 1, 0, NULL);
  scene_of("Game", 7, WS_CUSTOM_SCENE, "");
  scene_of("Game", 1, WS_CUSTOM_SCENE, NULL);
  scene_of("Game", 7, 0, "a");
  scene_of("", 1, 0, "a");
  scene_of("Other", 1, 0, NULL);
  for (int i = 0; i < 4097; i++) len += (size_t)sprintf(many + len, "%sn%d%s", i ? "," : "", i, i < 65 ? " change" : "");
  reported("4097 properties", ws_declare_scene(join, "Many", 1, 0, many));
  *strrchr(many, ',') = 0;
  reported("65 that change", ws_declare_scene(join, "Many", 1, 0, many));
  memset(strstr(many, " change"), ' ', 7);
  reported("4096 properties", ws_declare_scene(join, "Many", 1, 0, many));
  memset(many, 'p', 4097), many[4097] = 0;
  reported("a long path", ws_declare_synchronizer(join, many, 1, "a", NULL));
  many[4096] = 0;
  reported("a path", ws_declare_synchronizer(join, many, 1, "a", NULL));
  reported("no list", ws_declare_scene(join, NULL, 1, 0, "a"));
  reported("no UTF-8", ws_declare_scene(join, "Game", 1, 0, "\xff"));
  synchronizer_of("Lone", 1, "a", &node);
  printf("node %u\n", (unsigned)node);
  synchronizer_of("Lone", 1, "a", NULL);
  synchronizer_of("Lone", 0, "a", NULL);
  synchronizer_of("Lone", 1, "a change", NULL);
  synchronizer_of("Lone", 1, NULL, &node);
  synchronizer_of("Lone", 1, NULL, NULL);
  synchronizer_of("Lone", 0, "a", &node);
  printf("node %x\n", (unsigned)node);
  ws_free(join);
  reported("freed", ws_declare_scene(join, "Game", 1, 0, "a"));
  ws_connect(url, NULL, &join);
  reported("a client", ws_declare_scene(join, "Game", 1, 0, "a"));
  reported("a client", ws_declare_synchronizer(join, "Game", 1, "a", NULL));
  reported("a client", ws_spawn(join, "Game", 0, "A", NULL, 0, &node));
  reported("a client", ws_despawn(join, 1));
  reported("a client", ws_sync(join, 1, NULL, 0));
  reported("a client", ws_set_visible(join, 1, 0, 1));
  ws_free(join);
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_RAW_REPLICATION;
  reported("no scene", ws_join(url, &config, &join));
  open_join(url, 0);
  reported("no node", ws_spawn(join, "Game", 0, "A", NULL, 0, NULL));
  reported("no scene", ws_spawn(join, "Game", 256, "A", NULL, 0, &node));
  reported("no items", ws_spawn(join, "Game", 0, "A", NULL, 1, &node));
  ws_free(join);
}

/* ---- Nodes of others ---- */

static void open_with(const char *url, uint32_t flags) {
  open_join(url, flags);
  take(2);
  comes("0701565cdc67");
  take(1);
  other = OTHER;
}

static void receives(const char *url) {
  static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
  static char name[4098];
  uint8_t kept[BYTES];
  size_t len;
  open_with(url, 0);
  comes("0401");
  events();
  gives(1, 4, "Game");
  events();
  scene_of("Game", 1, 0, ".:position, .:skin spawn; Body:health spawn change, Body:name change, Body:tag");
  scene_of("Game", 1, 1, "");
  scene_of("Game", 1, WS_CUSTOM_SCENE, "a");
  scene_of("Theirs", OTHER, 0, "a, b change; c");
  scene_of("Theirs", OTHER, WS_CUSTOM_SCENE, "");
  scene_of("Mine", 0, 0, "a");
  synchronizer_of("Lone", 1, "a, b change", NULL);
  synchronizer_of("LoneOfOther", OTHER, "a", NULL);
  gives_known(1, 5, "Game");
  gives_known(1, 6, "Theirs");
  gives_known(1, 7, "Mine");
  gives_known(1, 8, "Lone");
  gives_known(1, 9, "LoneOfOther");
  gives_known(OTHER, 5, "Game");
  gives_known(OTHER, 6, "Theirs");
  gives_known(OTHER, 8, "LoneOfOther");
  /* A node, changes of it, and its end. */
  begin_spawn(1, 0, 5, 10, 11, 2, "Tank");
  add_text("here"), add_text("red"), add_hex("0264"), add_hex("81");
  arrives();
  events_with_variations();
  begin_sync(1, 3);
  add_state(11, "0205"), add_state(12, "01"), add_state(0x80000008, "81");
  arrives();
  events_with_variations();
  begin(1, DELTA);
  add_change(12, 3, 0, "02030204"), add_change(0x80000008, 1, 0, "0207");
  arrives();
  events_with_variations();
  begin_spawn(1, 1, 5, 11, 0, 0, "\xc3\xa4");
  arrives();
  events();
  begin_spawn(1, WS_CUSTOM_SCENE, 5, 12, 20, 1, "Made");
  add_word(2), add_hex("0209"), add_hex("0208");
  arrives();
  events();
  begin_spawn(1, WS_CUSTOM_SCENE, 5, 13, 21, 1, "Made of an array");
  add_word(28), add_hex("1c00000002000000 02000000ffffffff 04000000 01000000 78000000"), add_hex("81");
  arrives();
  events_with_variations();
  begin(1, DESPAWN), add_word(10);
  arrives();
  events_with_variations();
  /* An ERROR is reported once for each peer and cause. */
  begin(1, DESPAWN), add_word(10);
  arrives();
  take(1);
  comes("050a000000");
  comes("050a000000");
  begin_spawn(1, 0, 5, 10, 11, 1, "Lost");
  comes(hex_of(packet, size));
  take(1);
  events();
  /* Old, repeated and late. */
  for (unsigned time = 0; time < 4; time++) {
    static const unsigned times[] = {2, 3, 0x8003, 4};
    begin_sync(1, times[time]);
    add_state(20, "0201");
    arrives();
    events();
  }
  /* What does not reach the program. */
  begin_sync(1, 5);
  add_state(11, "0205"), add_state(20, "0202"), add_state(77, ""), add_state(0x8000004d, "");
  arrives();
  events();
  begin(1, DESPAWN), add_word(10);
  arrives();
  events();
  begin_spawn(1, 0, 77, 14, 22, 2, "Lost");
  arrives();
  events();
  begin_spawn(1, 7, 5, 14, 22, 2, "Lost");
  arrives();
  events();
  begin_spawn(1, 0, 6, 14, 22, 2, "Lost");
  arrives();
  events();
  begin_spawn(1, 0, 7, 14, 22, 2, "Lost");
  arrives();
  events();
  begin_spawn(1, 0, 8, 14, 22, 2, "Lost");
  arrives();
  events();
  begin_spawn(1, 0, 5, 14, 22, 1, "Lost");
  arrives();
  events();
  begin_spawn(1, 1, 5, 14, 22, 0, "Lost"), add_hex("01");
  arrives();
  events();
  begin_spawn(1, WS_CUSTOM_SCENE, 5, 14, 22, 1, "Lost");
  add_word(3), add_hex("020901"), add_hex("0208");
  arrives();
  events();
  begin_spawn(1, WS_CUSTOM_SCENE, 5, 14, 22, 1, "Lost");
  add_word(4), add_hex("18000000"), add_hex("0208");
  arrives();
  events();
  begin_spawn(1, WS_CUSTOM_SCENE, 5, 14, 22, 1, "Lost");
  add_word(2), add_hex("0209"), add_hex("18000000");
  arrives();
  events();
  begin_sync(1, 6), add_state(20, "18000000");
  arrives();
  events();
  begin_sync(1, 7), add_state(20, "02080209");
  arrives();
  events();
  begin_sync(1, 8), add_state(20, "");
  arrives();
  events();
  begin_sync(1, 9), add_state(0x80000009, "0201");
  arrives();
  events();
  begin(1, DELTA), add_change(0x80000008, 2, 0, "");
  arrives();
  events();
  begin(1, DELTA), add_change(0x80000008, 1, 0x80000000, "0201");
  arrives();
  events();
  begin_spawn(OTHER, 0, 5, 1, 2, 2, "Stolen");
  arrives();
  events();
  begin_spawn(OTHER, 0, 6, 1, 0x80000002, 2, "By path"), add_hex("020102020203");
  arrives();
  events();
  for (size_t part = 0; part < 4; part++) {
    static const char *const bad[] = {"", "a/b", "a\"", "\xff"};
    begin_spawn(OTHER, 0, 6, 1, 2, 2, bad[part]);
    arrives();
    events();
  }
  memset(name, 'n', 4096);
  begin_spawn(OTHER, 0, 6, 1, 2, 2, name), add_hex("02010202");
  arrives();
  events();
  begin(OTHER, DESPAWN), add_word(1);
  arrives();
  events();
  name[4096] = 'n';
  begin_spawn(OTHER, 0, 6, 1, 2, 2, name), add_hex("02010202");
  arrives();
  events();
  /* A node is spawned twice, and a number given twice. */
  begin_spawn(OTHER, 0, 6, 1, 2, 2, "Twice"), add_hex("02010202");
  arrives();
  events();
  arrives();
  events();
  begin_spawn(OTHER, 0, 6, 2, 3, 2, "Twice"), add_hex("02010202");
  arrives();
  events();
  /* Cut off, and each byte another. The numbers of the spawn are free again each time. */
  for (int kind = 0; kind < 4; kind++) {
    if (kind == 0) begin_spawn(OTHER, 0, 6, 1, 2, 2, "Cut"), add_hex("02010202");
    if (kind == 1) begin_sync(OTHER, 1), add_state(2, "0201"), add_state(0x80000008, "0201");
    if (kind == 2) begin(OTHER, DELTA), add_change(2, 1, 0, "0201"), add_change(3, 0, 0, "");
    if (kind == 3) begin_spawn(OTHER, WS_CUSTOM_SCENE, 6, 4, 0, 0, "C"), add_word(2), add_hex("0201");
    memcpy(kept, packet, len = size);
    for (size_t end = 7; end <= len; end++) {
      memcpy(packet, kept, size = end);
      arrives();
      events_of_other();
    }
    for (size_t i = 6; i < len; i++) {
      memcpy(packet, kept, size = len);
      packet[i] = values[(i + (size_t)kind) % sizeof values];
      if (i == 6 && (packet[i] & 7) == 7) continue;
      arrives();
      events_of_other();
    }
  }
  /* A peer that has gone and comes again. */
  comes("0702565cdc67");
  comes("0701565cdc67");
  events();
  gives_known(OTHER, 1, "LoneOfOther");
  begin_sync(OTHER, 0), add_state(0x80000001, "0201");
  arrives();
  events();
  begin_sync(OTHER, 0), add_state(2, "0201");
  arrives();
  events();
  /* Nothing of a forgotten scene. */
  scene_of("Game", 1, 1, NULL);
  begin_spawn(1, 1, 5, 15, 0, 0, "Late");
  arrives();
  events();
  /* A state counts as 16 items, and a property as two: the value of the second state is one too many. */
  ws_set_option(join, WS_OPT_MAX_CALL_ITEMS, 34);
  begin_sync(1, 20), add_state(20, "0201");
  arrives();
  events();
  begin_sync(1, 21), add_state(20, "0201"), add_state(20, "0201");
  arrives();
  events();
  ws_set_option(join, WS_OPT_MAX_CALL_BYTES, 20);
  begin_sync(1, 22), add_state(20, "0201"), add_state(20, "0201");
  arrives();
  take(1);
}

/* The host breaks the format. */
static void breaches(const char *url) {
  static const char *const packets[] = {"04", "0400", "05", "05000000", "06", "0600", "06000001", "16000000", "0c", "26"};
  for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
    ws_free(join);
    open_with(url, 0);
    scene_of("Game", 1, 0, "a");
    comes(packets[i]);
    take(1);
  }
}

static void as_bytes(const char *url) {
  ws_free(join);
  open_with(url, WS_RAW_REPLICATION);
  comes("0401020304");
  comes("0703565cdc67 1601");
  events();
  reported("put", ws_put_packet(join, (const uint8_t *)"\4\1\2", 3, WS_REPLICATION));
  reported("to the host", ws_put_packet_to(join, 1, (const uint8_t *)"\26\1\2\3\4\5\6\7\10\11\12", 11, WS_REPLICATION));
  reported("to the other", ws_put_packet_to(join, OTHER, (const uint8_t *)"\5\1", 2, WS_REPLICATION));
  reported("to all but the other", ws_put_packet_to(join, -OTHER, (const uint8_t *)"\5\1", 2, WS_REPLICATION));
  take(4);
  reported("no command", ws_put_packet(join, (const uint8_t *)"\7\1", 2, WS_REPLICATION));
  reported("no bytes", ws_put_packet(join, NULL, 0, WS_REPLICATION));
  reported("short", ws_put_packet_to(join, 1, (const uint8_t *)"\26\1\2\3\4\5\6\7\10\11", 10, WS_REPLICATION));
  reported("to nobody", ws_put_packet_to(join, 77, (const uint8_t *)"\5\1", 2, WS_REPLICATION));
  reported("to none", ws_put_packet_to(join, INT32_MIN, (const uint8_t *)"\5\1", 2, WS_REPLICATION));
  reported("the latest", ws_put_latest(join, 1, 1, (const uint8_t *)"\5\1", 2, WS_REPLICATION));
  reported("a spawn", ws_put_packet(join, (const uint8_t *)"\4\1", 2, WS_SPAWN));
}

/* ---- Nodes of this program ---- */

static int count;

static ws_variant *add_item(int32_t type, int64_t integer, const char *text) {
  memset(&items[count], 0, sizeof *items);
  items[count].type = type;
  items[count].integer = integer;
  items[count].data = (const uint8_t *)text;
  items[count].len = text ? strlen(text) : 0;
  return &items[count++];
}

static void add_integer(const char *property, int64_t value) {
  add_item(WS_VARIANT_STRING, 0, property);
  add_item(WS_VARIANT_INT, value, NULL);
}

static uint32_t spawned(const char *spawner, uint32_t scene, const char *name) {
  char what[100];
  uint32_t node = 9;
  snprintf(what, sizeof what, "spawn of %s by %s", name, spawner);
  reported(what, ws_spawn(join, spawner, scene, name, items, (size_t)count, &node));
  printf("node %u\n", (unsigned)node);
  count = 0;
  return node;
}

static void synchronized(uint32_t node) {
  reported("sync", ws_sync(join, node, items, (size_t)count));
  count = 0;
}

/* A property with a text of so many bytes. */
static void add_long(const char *property, size_t len) {
  static char text[70001];
  memset(text, 'x', sizeof text - 1);
  add_item(WS_VARIANT_STRING, 0, property);
  add_item(WS_VARIANT_STRING, 0, text + sizeof text - 1 - len);
}

static void sends(const char *url) {
  static char name[5000];
  uint32_t first, second, third, lone;
  open_join(url, 0);
  ws_set_option(join, WS_OPT_POLL_BUDGET_US, 1000000);
  scene_of("Mine", 0, 0, "a, b spawn change; c change, d always, e");
  scene_of("Mine", 0, WS_CUSTOM_SCENE, "");
  scene_of("Theirs", 1, 0, "a");
  synchronizer_of("Lone", 0, "a, b change", &lone);
  printf("node %x\n", (unsigned)lone);
  /* Before OPEN. */
  add_integer("a", 1), add_integer("b", 2), add_integer("e", 3);
  first = spawned("/root/Mine", 0, "First");
  take(2);
  events();
  /* What cannot be spawned. */
  spawned("Mine", 1, "X");
  spawned("None", 0, "X");
  spawned("Theirs", 0, "X");
  spawned("Mine", 0, "");
  spawned("Mine", 0, "a.b");
  spawned("Mine", 0, "X");
  add_integer("a", 1), spawned("Mine", 0, "X");
  add_integer("x", 1), spawned("Mine", 0, "X");
  add_item(WS_VARIANT_STRING, 0, "a"), spawned("Mine", 0, "X");
  add_item(WS_VARIANT_INT, 1, NULL), spawned("Mine", 0, "X");
  add_item(WS_VARIANT_STRING, 0, "\xff"), add_item(WS_VARIANT_INT, 1, NULL), spawned("Mine", 0, "X");
  add_item(WS_VARIANT_STRING, 0, "a"), add_item(WS_VARIANT_ARRAY, 0, NULL)->count = 2, add_item(WS_VARIANT_INT, 1, NULL),
                                       spawned("Mine", 0, "X");
  add_item(WS_VARIANT_STRING, 0, "a"), add_item(WS_VARIANT_DICTIONARY, 0, NULL)->count = 2, spawned("Mine", 0, "X");
  add_item(WS_VARIANT_STRING, 0, "a"), add_item(24, 0, NULL), spawned("Mine", 0, "X");
  add_item(WS_VARIANT_STRING, 0, "a"), add_item(WS_VARIANT_ARRAY, 0, NULL)->count = 1, add_item(-1, 0, NULL),
                                       spawned("Mine", 0, "X");
  /* What is too long for players with Godot's own classes, at once or with the values before. */
  add_long("a", 65500), add_integer("b", 2), add_integer("e", 3), spawned("Mine", 0, "Long");
  add_integer("a", 1), add_long("b", 70000), add_integer("e", 3), spawned("Mine", 0, "Longer");
  add_long("c", 65463), synchronized(first);
  add_long("d", 65496), synchronized(first);
  add_long("a", 70000), synchronized(lone);
  add_long("b", 65500), synchronized(lone);
  ws_set_option(join, WS_OPT_MAX_CALL_BYTES, 100);
  add_long("d", 80), synchronized(first);
  ws_set_option(join, WS_OPT_MAX_CALL_BYTES, 1048576);
  add_item(WS_VARIANT_STRING, 0, "a"), add_item(WS_VARIANT_INT, 1, NULL)->len = 3, spawned("Mine", 0, "X");
  spawned("Mine", WS_CUSTOM_SCENE, "X");
  ws_set_option(join, WS_OPT_MAX_CALL_BYTES, 4999);
  memset(name, 'n', 4999 - 32 - 17);
  add_item(WS_VARIANT_NIL, 0, NULL), spawned("Mine", WS_CUSTOM_SCENE, name);
  ws_set_option(join, WS_OPT_MAX_CALL_BYTES, 1 << 20);
  /* Data, values of several items, and properties that a spawn does not bring. */
  add_item(WS_VARIANT_DICTIONARY, 0, NULL)->count = 1, add_item(WS_VARIANT_STRING, 0, "k");
  add_item(WS_VARIANT_PACKED_STRING_ARRAY, 0, NULL)->count = 2;
  add_item(WS_VARIANT_STRING, 0, "x"), add_item(WS_VARIANT_STRING, 0, "yz");
  second = spawned("Mine", WS_CUSTOM_SCENE, "Second");
  events();
  add_integer("a", -1), add_integer("b", 300), add_integer("e", 1 << 20), add_integer("c", 5);
  third = spawned("Mine", 0, "\xe2\x82\xac");
  events();
  /* Another peer comes later, and gets all. */
  comes("0701565cdc67");
  events();
  events();
  /* Changes. */
  add_integer("a", 2), synchronized(first);
  add_integer("d", 7), add_integer("e", 1), synchronized(third);
  add_integer("b", 2), synchronized(first);
  add_integer("b", 3), add_integer("c", 4), add_integer("a", 5), synchronized(first);
  events();
  add_integer("d", 7), synchronized(first);
  add_integer("e", 2), synchronized(third);
  events();
  add_integer("d", 8), synchronized(first);
  events();
  add_integer("x", 1), synchronized(first);
  synchronized(first);
  synchronized(77);
  add_integer("a", 1), synchronized(second);
  add_integer("a", 1), synchronized(lone);
  add_integer("b", 1), synchronized(lone);
  events();
  /* A synchronizer by path waits for the confirmation of its path. */
  comes("020101000000");
  comes("020103000000");
  events();
  events();
  add_integer("b", 1), add_integer("a", 2), synchronized(lone);
  events();
  comes("0703565cdc67 020103000000");
  events();
  events();
  add_integer("a", 3), synchronized(lone);
  events();
  /* Visibility. */
  reported("hide", ws_set_visible(join, first, 0, 0));
  events();
  reported("hide again", ws_set_visible(join, first, 0, 0));
  events();
  reported("show to the other", ws_set_visible(join, first, OTHER, 1));
  events();
  reported("show to all", ws_set_visible(join, first, 0, 1));
  events();
  reported("hide from the other", ws_set_visible(join, first, OTHER, 0));
  events();
  reported("nobody", ws_set_visible(join, first, 77, 0));
  reported("no node", ws_set_visible(join, 77, 0, 0));
  reported("hide by path", ws_set_visible(join, lone, 0, 0));
  add_integer("a", 4), synchronized(lone);
  reported("show by path", ws_set_visible(join, lone, 1, 1));
  add_integer("a", 5), synchronized(lone);
  events();
  /* The end of nodes. */
  reported("despawn", ws_despawn(join, second));
  events();
  reported("despawn again", ws_despawn(join, second));
  reported("despawn by path", ws_despawn(join, lone));
  synchronizer_of("Lone", 0, NULL, NULL);
  add_integer("a", 5), synchronized(lone);
  reported("hide", ws_set_visible(join, third, 0, 0));
  reported("show to the other", ws_set_visible(join, third, OTHER, 1));
  events();
  comes("0702565cdc67");
  events();
  reported("despawn", ws_despawn(join, first));
  events();
  comes("0701565cdc67");
  events();
  events();
  reported("show to all", ws_set_visible(join, third, 0, 1));
  events();
  ws_free(join);
  reported("freed", ws_despawn(join, third));
}

/* ---- With a host ---- */

enum { JOINS = 3 };

static ws_handle joins[JOINS];
static model models[JOINS];
/* The host's answer to "model". */
static char answer[MODEL_BYTES];

static void open_another(const char *url, int index) {
  int32_t authority = index ? ws_get_peer_id(joins[0]) : 0;
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_SCENE;
  /* So that nodes wait for room in the queue. */
  config.outbound_packets = 4;
  if (ws_join(url, &config, &joins[index]) != WS_OK) exit(1);
  join = joins[index];
  scene_of("Game/Hosts", 1, 0, "a, b spawn change; c change");
  synchronizer_of("Game/Clock", 1, "time change", NULL);
  scene_of("Game/Theirs", authority, 0, "a, b spawn change; c change");
  scene_of("Game/Theirs", authority, WS_CUSTOM_SCENE, "");
}

/* A command did not fit into the queue. */
static int was_full;

/* Polls all joins once, and takes their events. */
static void turn(void) {
  const struct timespec moment = {0, 1000000};
  ws_event event;
  for (int i = 0; i < JOINS; i++) {
    if (!joins[i]) continue;
    ws_poll(joins[i]);
    while (ws_next_event(joins[i], &event) == WS_OK) {
      model_take(&models[i], &event);
      if (event.type == WS_EVENT_ERROR || event.type == WS_EVENT_CLOSED) join = joins[i], show(&event);
      if (event.type == WS_EVENT_WRITABLE && !was_full) printf("WRITABLE, and nothing was refused\n");
      if (event.type == WS_EVENT_MESSAGE) snprintf(answer, sizeof answer, "%s", (const char *)event.packet.data);
    }
  }
  nanosleep(&moment, NULL);
}

/* Waits until a join has these nodes, or the host with an index of -1. */
static void has(const char *what, int index, const char *text) {
  const char *found = "";
  for (time_t limit = time(NULL) + 8; time(NULL) < limit; turn()) {
    join = joins[index < 0 ? 0 : index];
    if (index < 0 && say(1, "model") == WS_ERR_FULL) was_full = 1;
    found = index < 0 ? answer : model_text(&models[index]);
    if (!strcmp(found, text)) break;
  }
  printf("%s, %d: %s\n", what, index, found);
}

static void commands(const char *word) {
  join = joins[0];
  reported(word, say(1, "%s", word));
}

static void with_host(const char *url) {
  static char text[MODEL_BYTES], name[20];
  static uint32_t nodes[30];
  uint32_t their_clock;
  size_t len = 0;
  int refused = 0;
  open_another(url, 0);
  synchronizer_of("Game/TheirClock", 0, "time change", &their_clock);
  while (ws_get_state(joins[0]) != WS_OPEN) turn();
  open_another(url, 1);
  synchronizer_of("Game/TheirClock", ws_get_peer_id(joins[0]), "time change", NULL);
  while (ws_get_state(joins[1]) != WS_OPEN) turn();
  /* The host is the authority. */
  commands("spawn");
  for (int i = 0; i < 2; i++) has("spawned", i, "First: a=1 b=2; Game/Clock: time=6; Second: a=3 b=4 c=5; ");
  commands("change");
  for (int i = 0; i < 2; i++) has("changed", i, "First: a=11 b=2 c=13; Game/Clock: time=14; Second: a=3 b=12 c=5; ");
  commands("hide");
  has("hidden from the other", 0, "First: a=11 b=2 c=13; Game/Clock: time=14; Second: a=3 b=12 c=5; ");
  has("hidden from the other", 1, "Game/Clock: time=14; Second: a=3 b=12 c=5; ");
  commands("despawn");
  for (int i = 0; i < 2; i++) has("despawned", i, i ? "Game/Clock: time=14; " : "First: a=11 b=2 c=13; Game/Clock: time=14; ");
  /* The first join is, with more nodes than its queue holds. */
  join = joins[0];
  for (int i = 0; i < 30; i++) {
    snprintf(name, sizeof name, "N%02d", i);
    if (i % 10 == 5) {
      add_item(WS_VARIANT_STRING, 0, "data");
    } else {
      add_integer("a", i), add_integer("b", 0), add_integer("c", 1);
    }
    refused += ws_spawn(join, "Game/Theirs", i % 10 == 5 ? WS_CUSTOM_SCENE : 0, name, items, (size_t)count, &nodes[i]) != WS_OK;
    count = 0;
  }
  for (int change = 0; change < 3; change++) {
    for (int i = 0; i < 30; i++) {
      if (i % 10 == 5) continue;
      add_integer("b", 100 * change + i), add_integer("c", change);
      refused += ws_sync(join, nodes[i], items, (size_t)count) != WS_OK;
      count = 0;
    }
    add_integer("time", change);
    refused += ws_sync(join, their_clock, items, (size_t)count) != WS_OK;
    count = 0;
    if (change == 1) turn();
  }
  for (int i = 0; i < 30; i += 3) refused += ws_despawn(join, nodes[i]) != WS_OK;
  len += (size_t)sprintf(text, "Game/Clock: time=14; Game/TheirClock: time=2; ");
  for (int i = 0; i < 30; i++) {
    if (i % 3 == 0) continue;
    if (i % 10 == 5) len += (size_t)sprintf(text + len, "N%02d:; ", i);
    else len += (size_t)sprintf(text + len, "N%02d: a=%d b=%d c=2; ", i, i, 200 + i);
  }
  printf("%d are refused\n", refused);
  has("of the join", -1, strstr(text, "Game/Their"));
  has("of the join", 1, text);
  /* Nothing but their spawns tells others of these. */
  for (int i = 0; i < 20; i++) {
    uint32_t node;
    snprintf(name, sizeof name, "O%02d", i);
    join = joins[0];
    add_integer("a", i), add_integer("b", 7);
    refused += ws_spawn(join, "Game/Theirs", 0, name, items, (size_t)count, &node) != WS_OK;
    count = 0;
    len += (size_t)sprintf(text + len, "O%02d: a=%d b=7; ", i, i);
  }
  printf("%d are refused\n", refused);
  has("of the join", 1, text);
  has("of the join", -1, strstr(text, "Game/Their"));
  /* One who comes later gets what is there. */
  open_another(url, 2);
  synchronizer_of("Game/TheirClock", ws_get_peer_id(joins[0]), "time change", NULL);
  has("late", 2, text);
  join = joins[0];
  reported("hide", ws_set_visible(join, nodes[1], 0, 0));
  reported("show", ws_set_visible(join, nodes[1], ws_get_peer_id(joins[2]), 1));
  has("shown to one", 2, text);
  char *hidden = strstr(text, "N01:");
  memmove(hidden, strstr(hidden, "N02:"), strlen(strstr(hidden, "N02:")) + 1);
  has("hidden from others", 1, text);
  has("hidden from others", -1, strstr(text, "Game/Their"));
  /* Its nodes go with it. */
  ws_close(joins[0], 1000, NULL);
  while (ws_get_state(joins[0]) != WS_CLOSED) turn();
  turn();
  for (int i = 1; i < JOINS; i++) has("gone", i, "Game/Clock: time=14; ");
  ws_free(joins[0]), joins[0] = joins[1], joins[1] = 0;
  has("gone", -1, "");
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  if (!strcmp(argv[1], "wire")) {
    declarations(argv[2]);
    receives(argv[2]);
    breaches(argv[2]);
    as_bytes(argv[2]);
    ws_free(join);
    sends(argv[2]);
  } else {
    with_host(argv[2]);
  }
  ws_shutdown();
  return 0;
}
