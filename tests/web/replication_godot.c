/* A join in a stock Godot's game of tests/godot/replicated4, next to a stock client: it watches what the host spawns
   and synchronizes, is the authority itself, and watches the other client through the host. The output must be the
   same natively and in a browser. Usage: replication_godot URL */
#include "../c/replicated.h"
#include "scene_join.h"

static int32_t own;

/* Waits for an event of this type from this peer in which a node has this text, and prints it. Other SYNCs are skipped:
   properties with "always" come all the time. Returns the node's number. */
static uint32_t have(int32_t type, int32_t from, const char *text) {
  for (time_t limit = time(NULL) + 10; time(NULL) < limit;) {
    ws_event event = next();
    if (event.type == WS_EVENT_ERROR) show(&event);
    if (event.type != WS_EVENT_SPAWN && event.type != WS_EVENT_DESPAWN && event.type != WS_EVENT_SYNC) continue;
    size_t at = 0;
    uint32_t number;
    for (const char *got; (got = next_node(&event.packet, &at, &number)) != NULL;) {
      if (event.type == type && event.peer_id == from && !strcmp(got, text)) {
        printf("event %d of %s: %s\n", (int)type, name_of(from), got);
        return number;
      }
      if (event.type != WS_EVENT_SYNC)
        printf("instead: event %d of %d: %s\n", (int)event.type, (int)event.peer_id, got);
    }
  }
  printf("never came: %s\n", text);
  exit(1);
}

static void is_node(uint32_t number, uint32_t wanted) {
  if (!number || number != wanted) printf("this is node %u instead of %u\n", (unsigned)number, (unsigned)wanted);
}

/* The answer of a stock peer, valid until the next call. */
static const char *answer(int32_t from, int shows) {
  static char text[BYTES];
  for (;;) {
    ws_event event = next();
    if (shows && event.type == WS_EVENT_ERROR) show(&event);
    if (event.type != WS_EVENT_MESSAGE || event.peer_id != from) continue;
    snprintf(text, sizeof text, "%.*s", (int)event.packet.len, (const char *)event.packet.data);
    return text;
  }
}

/* Asks a stock peer for the state of a node until it is this, and gives `pairs` (may be NULL) for `node` each time. */
static void reaches(int32_t at, const char *name, const char *state, uint32_t node, const ws_variant *pairs,
                    size_t len) {
  const char *found = "";
  for (time_t limit = time(NULL) + 10; time(NULL) < limit;) {
    if (pairs) ws_sync(join, node, pairs, len);
    say(at, "state %s", name);
    found = answer(at, 1);
    if (!strcmp(found, state)) break;
  }
  printf("%s has %s: %s\n", name_of(at), name, found);
  if (strcmp(found, state)) exit(1);
}

static void both_have(const char *name, const char *state) {
  reaches(1, name, state, 0, NULL, 0);
  reaches(other, name, state, 0, NULL, 0);
}

/* Joins, and tells both stock peers who the authority is: 0 is this program. */
static void enter(const char *url, int32_t authority, uint32_t *clock) {
  if (join) ws_free(join);
  open_join(url, 0);
  reported("scene 0", ws_declare_scene(join, "/root/Game/Spawner", authority, 0, PROPERTIES));
  reported("custom scene", ws_declare_scene(join, "Game/Spawner", authority, WS_CUSTOM_SCENE, PROPERTIES));
  reported("synchronizer",
           ws_declare_synchronizer(join, "Game/Lone", authority, ".:clock always, .:score change", clock));
  while (ws_get_state(join) != WS_OPEN) next();
  own = ws_get_peer_id(join);
  for (other = 0; !other;) {
    ws_event event = next();
    if (event.type == WS_EVENT_CONNECTED && event.peer_id != 1) other = event.peer_id;
  }
  int32_t their = authority ? authority : own;
  for (int i = 0; i < 2; i++) {
    say(i ? other : 1, "authority %d %d", (int)their, (int)their);
    /* Until it knows the authority, it may send what is refused. */
    printf("the authority is %s: %s\n", name_of(their), answer(i ? other : 1, 0));
  }
}

/* The stock peer `from` is the authority. */
static void watch(int32_t from) {
  char words[64];
  say(from, "spawn A 5");
  uint32_t a = have(WS_EVENT_SPAWN, from, "Game/Spawner A 0: .:position 1,2 .:health 5 .:label of A");
  is_node(have(WS_EVENT_SYNC, from, "Game/Spawner  0: .:position 1,2 .:heading 0"), a);
  say(from, "set A position Vector2(7, 8)");
  is_node(have(WS_EVENT_SYNC, from, "Game/Spawner  0: .:position 7,8 .:heading 0"), a);
  say(from, "set A health 9");
  is_node(have(WS_EVENT_SYNC, from, "Game/Spawner  0: .:health 9"), a);
  say(from, "set A hat [1, \"b\"]");
  is_node(have(WS_EVENT_SYNC, from, "Game/Spawner  0: .:hat <28:2> 1 b"), a);
  say(from, "make \"five\"");
  uint32_t custom = have(WS_EVENT_SPAWN, from,
                         "Game/Spawner Thing 255: five .:position 0,0 .:health 0 .:label made of five");
  say(from, "game score %d", from == 1 ? 3 : 4);
  have(WS_EVENT_SYNC, from, from == 1 ? "Game/Lone  256: .:score 3" : "Game/Lone  256: .:score 4");
  say(from, "game clock 77");
  have(WS_EVENT_SYNC, from, "Game/Lone  256: .:clock 77");
  snprintf(words, sizeof words, "hide A %d", (int)own);
  say(from, "%s", words);
  is_node(have(WS_EVENT_DESPAWN, from, "Game/Spawner  0:"), a);
  snprintf(words, sizeof words, "show A %d", (int)own);
  say(from, "%s", words);
  a = have(WS_EVENT_SPAWN, from, "Game/Spawner A 0: .:position 7,8 .:health 9 .:label of A");
  say(from, "free A");
  is_node(have(WS_EVENT_DESPAWN, from, "Game/Spawner  0:"), a);
  say(from, "free Thing");
  is_node(have(WS_EVENT_DESPAWN, from, "Game/Spawner  255:"), custom);
}

static void lead(uint32_t clock) {
  ws_variant all[] = {named(".:position"), vector(1, 2), named(".:health"), integer(5), named(".:label"), named("of B"),
                      named(".:heading"), real(0.5), named(".:hat"), array(1), integer(4)};
  uint32_t node = 0, custom = 0, third = 0;
  reported("spawn", ws_spawn(join, "Game/Spawner", 0, "B", all, 11, &node));
  both_have("B", "state B (1.0, 2.0) 5 of B 0.0 [4]");
  ws_variant moved[] = {named(".:position"), vector(3, 4)};
  reported("move", ws_sync(join, node, moved, 2));
  both_have("B", "state B (3.0, 4.0) 5 of B 0.5 [4]");
  ws_variant hurt[] = {named(".:health"), integer(4), named(".:hat"), array(2), integer(1), named("x")};
  reported("change", ws_sync(join, node, hurt, 6));
  both_have("B", "state B (3.0, 4.0) 4 of B 0.5 [1, \"x\"]");
  ws_variant with_data[] = {integer(12), named(".:position"), vector(0, 0), named(".:health"), integer(1),
                            named(".:label"), named("given")};
  reported("spawn with data", ws_spawn(join, "Game/Spawner", WS_CUSTOM_SCENE, "C", with_data, 7, &custom));
  both_have("C", "state C (0.0, 0.0) 1 given 0.0 []");
  ws_variant states[] = {named(".:clock"), integer(55), named(".:score"), integer(6)};
  reported("by path", ws_sync(join, clock, states, 4));
  /* Before an engine has confirmed the path, nothing of it is sent. */
  reaches(1, "Game", "game 55 6", clock, states, 2);
  reaches(other, "Game", "game 55 6", clock, states, 2);
  reported("hide from all", ws_set_visible(join, node, 0, 0));
  both_have("B", "none");
  reported("show to one", ws_set_visible(join, node, 1, 1));
  reaches(1, "B", "state B (3.0, 4.0) 4 of B 0.0 [1, \"x\"]", 0, NULL, 0);
  /* Its spawn would have come to the other before that of another node. */
  reported("spawn with data", ws_spawn(join, "Game/Spawner", WS_CUSTOM_SCENE, "D", with_data, 7, &third));
  both_have("D", "state D (0.0, 0.0) 1 given 0.0 []");
  reaches(other, "B", "none", 0, NULL, 0);
  reported("despawn", ws_despawn(join, node));
  reported("despawn", ws_despawn(join, custom));
  reported("despawn", ws_despawn(join, third));
  both_have("B", "none");
  both_have("C", "none");
  both_have("D", "none");
}

int main(int argc, char **argv) {
  uint32_t clock = 0;
  if (argc != 2) return 2;
  enter(argv[1], 1, NULL);
  watch(1);
  enter(argv[1], 0, &clock);
  lead(clock);
  enter(argv[1], other, NULL);
  watch(other);
  ws_free(join);
  ws_shutdown();
  return 0;
}
