/* A real Godot 4.6 with a MultiplayerSpawner and MultiplayerSynchronizers, and this library at the other end: as host and
   as join, with the authority on either side, and the example. Usage: replication_godot ENGINE PROJECT EXAMPLE */
#include "replicated.h"
#include "scene_engine.h"

static void declare_all(ws_handle h, int32_t spawner, int32_t lone, uint32_t *clock) {
  if (ws_declare_scene(h, "/root/Game/Spawner", spawner, 0, PROPERTIES) != WS_OK ||
      ws_declare_scene(h, "Game/Spawner", spawner, WS_CUSTOM_SCENE, PROPERTIES) != WS_OK ||
      ws_declare_synchronizer(h, "Game/Lone", lone, ".:clock always, .:score change", clock) != WS_OK) {
    printf("# %s\n", why());
    exit(1);
  }
}

/* ---- what arrives ---- */

/* Waits for an event of this type from this peer in which a node has this text. Returns the node's number. Other SYNCs
   are skipped: properties with "always" come all the time. */
static uint32_t comes(ws_handle h, int32_t type, int32_t from, const char *text) {
  ws_event event;
  double end = now_s() + 10;
  while (now_s() < end) {
    if (ws_next_event(h, &event) != WS_OK) {
      move_on();
      continue;
    }
    if (event.type == WS_EVENT_ERROR) printf("# ERROR %d: %s\n", event.cause, (const char *)event.packet.data);
    if (event.type != WS_EVENT_SPAWN && event.type != WS_EVENT_DESPAWN && event.type != WS_EVENT_SYNC) continue;
    size_t at = 0;
    uint32_t number;
    for (const char *got; (got = next_node(&event.packet, &at, &number)) != NULL;) {
      if (event.type == type && event.peer_id == from && !strcmp(got, text)) return number;
      if (event.type != WS_EVENT_SYNC) printf("# event %d of %d: %s\n", event.type, event.peer_id, got);
    }
  }
  printf("# never came: %s\n", text);
  return 0;
}

/* ---- Godot is the authority ---- */

/* `h` watches what the stock peer `from` spawns, which `other` (0: it cannot) sees too. */
static void watch(ws_handle h, int32_t own, int32_t from) {
  say(h, from, "spawn A 5");
  uint32_t a = comes(h, WS_EVENT_SPAWN, from, "Game/Spawner A 0: .:position 1,2 .:health 5 .:label of A");
  CHECK(a != 0, "what Godot spawns is reported");
  CHECK(comes(h, WS_EVENT_SYNC, from, "Game/Spawner  0: .:position 1,2 .:heading 0") == a,
        "what Godot synchronizes all the time is reported");
  say(h, from, "set A position Vector2(7, 8)");
  CHECK(comes(h, WS_EVENT_SYNC, from, "Game/Spawner  0: .:position 7,8 .:heading 0") == a, "a new position arrives");
  say(h, from, "set A health 9");
  CHECK(comes(h, WS_EVENT_SYNC, from, "Game/Spawner  0: .:health 9") == a, "what has changed arrives");
  say(h, from, "set A hat [1, \"b\"]");
  CHECK(comes(h, WS_EVENT_SYNC, from, "Game/Spawner  0: .:hat <28:2> 1 b") == a, "an Array of another synchronizer too");
  say(h, from, "make \"five\"");
  CHECK(comes(h, WS_EVENT_SPAWN, from, "Game/Spawner Thing 255: five .:position 0,0 .:health 0 .:label made of five") != 0,
        "a custom spawn is reported");
  say(h, from, "game score 3");
  CHECK(comes(h, WS_EVENT_SYNC, from, "Game/Lone  256: .:score 3") != 0, "a synchronizer by path is reported");
  say(h, from, "game clock 77");
  CHECK(comes(h, WS_EVENT_SYNC, from, "Game/Lone  256: .:clock 77") != 0, "its property with \"always\" too");
  say(h, from, "hide A %d", own);
  CHECK(comes(h, WS_EVENT_DESPAWN, from, "Game/Spawner  0:") == a, "what is hidden is despawned");
  say(h, from, "show A %d", own);
  CHECK(comes(h, WS_EVENT_SPAWN, from, "Game/Spawner A 0: .:position 7,8 .:health 9 .:label of A") != 0,
        "what is shown again is spawned");
  say(h, from, "free A");
  CHECK(comes(h, WS_EVENT_DESPAWN, from, "Game/Spawner  0:") != 0, "what Godot frees is despawned");
}

/* ---- this program is the authority ---- */

/* Forgets what an engine has printed so far. */
static void forget(engine *one) {
  listen_to(one);
  one->len = 1;
  one->text[1] = 0;
}

/* `h` spawns at the stock peer `one`, whose id is `its`. */
static void lead(ws_handle h, engine *one, int32_t its, uint32_t clock) {
  ws_variant all[] = {named(".:position"), vector(1, 2), named(".:health"), integer(5), named(".:label"), named("of B"),
                      named(".:heading"), real(0.5), named(".:hat"), array(1), integer(4)};
  uint32_t node = 0, custom = 0;
  CHECK_EQUAL(ws_spawn(h, "Game/Spawner", 0, "B", all, 11, &node), WS_OK, "a program spawns a node");
  CHECK(says(one, "spawned B (1.0, 2.0) 5 of B"), "Godot has it");
  CHECK(says(one, "state B (1.0, 2.0) 5 of B 0.0 [4]"), "with a property that only changes");
  ws_variant moved[] = {named(".:position"), vector(3, 4)};
  CHECK_EQUAL(ws_sync(h, node, moved, 2), WS_OK, "a program moves it");
  CHECK(says(one, "state B (3.0, 4.0) 5 of B 0.5 [4]"), "Godot has it there, and with its heading");
  ws_variant hurt[] = {named(".:health"), integer(4), named(".:hat"), array(2), integer(1), named("x")};
  CHECK_EQUAL(ws_sync(h, node, hurt, 6), WS_OK, "a program changes two of its properties");
  CHECK(says(one, "state B (3.0, 4.0) 4 of B 0.5 [1, \"x\"]"), "Godot has both");
  ws_variant with_data[] = {integer(12), named(".:position"), vector(0, 0), named(".:health"), integer(1),
                            named(".:label"), named("given")};
  CHECK_EQUAL(ws_spawn(h, "Game/Spawner", WS_CUSTOM_SCENE, "C", with_data, 7, &custom), WS_OK,
              "a program spawns with data");
  CHECK(says(one, "spawned C (0.0, 0.0) 1 given"), "Godot's spawn function made it");
  ws_variant time[] = {named(".:clock"), integer(55), named(".:score"), integer(6)};
  CHECK_EQUAL(ws_sync(h, clock, time, 4), WS_OK, "a program synchronizes by path");
  double end = now_s() + 20;
  while (!line_of(one, "game 55 6", 0) && now_s() < end) {
    /* Before the engine has confirmed the path, nothing of it is sent. */
    ws_sync(h, clock, time, 2);
    move_on();
  }
  CHECK(says(one, "game 55 6"), "Godot has both properties");
  CHECK_EQUAL(ws_set_visible(h, node, 0, 0), WS_OK, "it is hidden from all");
  CHECK(says(one, "despawned B"), "Godot despawns it");
  CHECK_EQUAL(ws_set_visible(h, node, its, 1), WS_OK, "it is shown to one");
  CHECK(says(one, "spawned B (3.0, 4.0) 4 of B"), "Godot has it again");
  CHECK(!strstr(one->text, "ERROR"), "Godot printed no error");
  if (strstr(one->text, "ERROR")) printf("# %s\n", one->text);
  forget(one);
  CHECK_EQUAL(ws_despawn(h, node), WS_OK, "a program despawns it");
  CHECK(says(one, "despawned B"), "Godot despawns it");
  CHECK_EQUAL(ws_despawn(h, custom), WS_OK, "and the other");
  CHECK(says(one, "despawned C"), "Godot despawns that too");
  CHECK(!strstr(one->text, "ERROR"), "Godot printed no error");
  if (strstr(one->text, "ERROR")) printf("# %s\n", one->text);
}

/* ---- games ---- */

static void ready(engine *one, ws_handle h, int32_t its, int32_t spawner, int32_t lone) {
  (void)one;
  say(h, its, "authority %d %d", spawner, lone);
  CHECK(hears(h, its, "done"), "the stock peer knows the authority");
}

static void in_a_game_of_godot(void) {
  static engine server, other;
  char url[64];
  ws_config config = config_of(0);
  godot(&server, NULL, NULL, NULL);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d", number_said(&server, "listening "));
  ws_join(url, &config, &handles[0]);
  handle_count = 1;
  ws_handle h = handles[0];
  declare_all(h, 1, 1, NULL);
  int32_t own = event_of(h, WS_EVENT_OPEN).peer_id;
  watch(h, own, 1);
  ws_free(h);

  /* The spawner's authority is the program. */
  ws_join(url, &config, &handles[0]);
  h = handles[0];
  uint32_t clock = 0;
  declare_all(h, 0, 0, &clock);
  own = event_of(h, WS_EVENT_OPEN).peer_id;
  ready(&server, h, 1, own, own);
  lead(h, &server, 1, clock);

  /* Through the host, to another stock client, which comes late. */
  ws_variant all[] = {named(".:position"), vector(1, 2), named(".:health"), integer(8), named(".:label"), named("late")};
  uint32_t node = 0;
  CHECK_EQUAL(ws_spawn(h, "Game/Spawner", 0, "D", all, 6, &node), WS_OK, "a program spawns a node");
  godot(&other, url, NULL, NULL);
  int32_t its = event_of(h, WS_EVENT_CONNECTED).peer_id;
  /* It does not know the authority yet, so the engine refused the spawn. */
  ready(&other, h, its, own, own);
  ws_set_visible(h, node, 0, 0);
  ws_set_visible(h, node, 0, 1);
  CHECK(says(&other, "spawned D (1.0, 2.0) 8 late"), "a stock client has it through a stock host");
  ws_variant moved[] = {named(".:position"), vector(6, 4), named(".:heading"), real(1)};
  CHECK_EQUAL(ws_sync(h, node, moved, 4), WS_OK, "a program moves it");
  CHECK(says(&other, "state D (6.0, 4.0) 8 late 1.0 []"), "the stock client has it there");
  say(h, 1, "quit");
  CHECK(ends(&server), "the server quits");
  ws_free(h);
  handle_count = 0;
}

static void with_godot_in_our_game(void) {
  static engine one;
  char url[64];
  ws_config config = config_of(0);
  uint32_t clock = 0;
  ws_host("ws://127.0.0.1:0", &config, &handles[0]);
  ws_handle host = handles[0];
  handle_count = 1;
  declare_all(host, 1, 1, &clock);
  ws_get_text(host, WS_GET_URL, url, sizeof url, NULL);
  ws_variant all[] = {named(".:position"), vector(2, 2), named(".:health"), integer(3), named(".:label"),
                      named("early")};
  uint32_t early = 0;
  CHECK_EQUAL(ws_spawn(host, "Game/Spawner", 0, "E", all, 6, &early), WS_OK, "a host spawns before anybody is there");
  godot(&one, url, NULL, NULL);
  int32_t its = event_of(host, WS_EVENT_CONNECTED).peer_id;
  CHECK(says(&one, "spawned E (2.0, 2.0) 3 early"), "a stock client that comes later has it");
  lead(host, &one, its, clock);
  ws_free(host);
  CHECK(says(&one, "over") && ends(&one), "our host ends the game");

  /* The stock client is the authority. */
  ws_host("ws://127.0.0.1:0", &config, &handles[0]);
  host = handles[0];
  ws_get_text(host, WS_GET_URL, url, sizeof url, NULL);
  static engine leader;
  godot(&leader, url, NULL, NULL);
  its = event_of(host, WS_EVENT_CONNECTED).peer_id;
  declare_all(host, its, its, NULL);
  ready(&leader, host, its, its, its);
  watch(host, 1, its);
  ws_free(host);
  handle_count = 0;
}

static void the_example(const char *path) {
  static engine server, example;
  char url[64];
  ws_config config = config_of(0);
  godot(&server, NULL, NULL, NULL);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d", number_said(&server, "listening "));
  const char *args[] = {path, url, "/root/Game/Spawner", "0", PROPERTIES, NULL};
  launch(&example, args);
  ws_join(url, &config, &handles[0]);
  handle_count = 1;
  event_of(handles[0], WS_EVENT_CONNECTED);
  say(handles[0], 1, "spawn A 5");
  CHECK(said(&example, "peer 1 spawns Game/Spawner A (", 0) != NULL, "the example prints what Godot spawns");
  CHECK(strstr(example.text, ") .:position=(1, 2) .:health=5 .:label=\"of A\"\n") != NULL, "with its properties");
  say(handles[0], 1, "set A hat [1, \"b\"]");
  double end = now_s() + 20;
  while (!strstr(example.text, " .:hat=[1, \"b\"]\n") && now_s() < end && listen_to(&example)) move_on();
  CHECK(strstr(example.text, " .:hat=[1, \"b\"]\n") != NULL, "and an Array that changes");
  say(handles[0], 1, "quit");
  CHECK(ends(&server) && ends(&example), "the example ends with the game");
  ws_free(handles[0]);
  handle_count = 0;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  engine_path = argv[1];
  project = argv[2];
  signal(SIGPIPE, SIG_IGN);
  in_a_game_of_godot();
  with_godot_in_our_game();
  the_example(argv[3]);
  ws_shutdown();
  FINISH();
}
