/* A tiny game: every player has a place on a line, walks about, and sees the others. The host stores the places and
 * sends each player what it sees.
 * Usage: multiplayer host [PORT [SECONDS]]    hosts a game, with its own player in memory
 *        multiplayer join URL [SECONDS]       joins one
 * Prints who comes and goes and, once a second, where everyone is. SECONDS 0 or none: until the game ends. */
#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_PLAYERS = 64, FRAMES_PER_SECOND = 60 };

typedef struct {
  int32_t id;
  int32_t place;
} player;

static player players[MAX_PLAYERS];
static size_t player_count;

static player *find(int32_t id) {
  for (size_t i = 0; i < player_count; i++)
    if (players[i].id == id) return &players[i];
  return NULL;
}

/* The host's game: moves the players as they ask. */
static void on_host(ws_handle host) {
  ws_event event;
  while (ws_next_event(host, &event) == WS_OK) {
    player *one = find(event.peer_id);
    if (event.type == WS_EVENT_CONNECTED && player_count < MAX_PLAYERS) {
      printf("peer %d has come\n", (int)event.peer_id);
      players[player_count].id = event.peer_id;
      players[player_count++].place = 0;
    } else if (event.type == WS_EVENT_MESSAGE && one && event.packet.len == 1) {
      one->place += event.packet.data[0] == '+' ? 1 : -1;
    } else if (event.type == WS_EVENT_DISCONNECTED && one) {
      printf("peer %d has gone: %s\n", (int)event.peer_id, (const char *)event.packet.data);
      *one = players[--player_count];
    }
  }
  if (ws_get_state(host) != WS_OPEN) return;
  /* To each player what it sees, one packet per frame: as text, so that the byte order does not matter. */
  static char views[MAX_PLAYERS][MAX_PLAYERS * 32];
  ws_packet_out packets[MAX_PLAYERS];
  for (size_t i = 0; i < player_count; i++) {
    size_t length = (size_t)snprintf(views[i], sizeof views[i], "You at %d. ", (int)players[i].place);
    for (size_t k = 0; k < player_count; k++)
      if (k != i)
        length += (size_t)snprintf(views[i] + length, sizeof views[i] - length, "%d at %d. ", (int)players[k].id,
                                   (int)players[k].place);
    packets[i] = (ws_packet_out){
        .data = (const uint8_t *)views[i], .len = length, .type = WS_BINARY, .target = players[i].id};
  }
  /* One call for all of them. A player whose queue is full misses this frame: the next one has newer places. */
  size_t taken;
  for (size_t at = 0; at < player_count; at += taken + 1)
    if (ws_put_packets(host, packets + at, player_count - at, &taken) >= 0) break;
}

/* A player: walks at random, and keeps the last places from the host. Returns 0 when the game is over. */
static int on_join(ws_handle join, char *places, size_t cap) {
  ws_event event;
  while (ws_next_event(join, &event) == WS_OK) {
    if (event.type == WS_EVENT_OPEN) printf("I am peer %d\n", (int)event.peer_id);
    if (event.type == WS_EVENT_MESSAGE)
      snprintf(places, cap, "%.*s", (int)event.packet.len, (const char *)event.packet.data);
    if (event.type == WS_EVENT_CLOSED) {
      printf("over: %s\n", (const char *)event.packet.data);
      return 0;
    }
  }
  if (ws_get_state(join) == WS_OPEN && rand() % 4 == 0)
    ws_put_packet(join, (const uint8_t *)(rand() % 2 ? "+" : "-"), 1, WS_BINARY);
  return 1;
}

int main(int argc, char **argv) {
  int hosts = argc >= 2 && !strcmp(argv[1], "host");
  if (!hosts && (argc < 3 || strcmp(argv[1], "join"))) {
    fprintf(stderr, "usage: %s host [PORT [SECONDS]] | join URL [SECONDS]\n", argv[0]);
    return 2;
  }
  ws_handle host = 0, join = 0;
  ws_result result;
  char url[128], places[2048] = "";
  if (hosts) {
    snprintf(url, sizeof url, "ws://*:%s", argc > 2 ? argv[2] : "9080");
    result = ws_host(url, NULL, &host);
    if (result == WS_OK) result = ws_join_local(host, NULL, &join);
    if (result == WS_OK) ws_get_text(host, WS_GET_URL, url, sizeof url, NULL);
    if (result == WS_OK) printf("Hosting %s\n", url);
  } else {
    result = ws_join(argv[2], NULL, &join);
  }
  if (result != WS_OK) {
    char why[256];
    ws_last_error(why, sizeof why, NULL);
    fprintf(stderr, "%s\n", why);
    ws_shutdown();
    return 1;
  }
  srand((unsigned)time(NULL) + join);
  long frames = argc > 3 ? atol(argv[3]) * FRAMES_PER_SECOND : 0, frame = 0;
  const struct timespec rest = {0, 1000000000 / FRAMES_PER_SECOND};
  for (int running = 1; running; frame++) {
    if (hosts) {
      ws_poll(host);
      on_host(host);
    }
    ws_poll(join);
    running = on_join(join, places, sizeof places);
    if (frames && frame == frames) {
      if (hosts) ws_close(host, 0, "the game is over");
      else ws_close(join, 0, "");
    }
    if (frame % FRAMES_PER_SECOND == 0 && *places) printf("%s\n", places);
    fflush(stdout);
    nanosleep(&rest, NULL);
  }
  /* Wait until the last messages have been sent. */
  while (hosts && ws_poll(host) >= 0 && ws_get_state(host) == WS_CLOSING) ws_wait(&host, 1, 16);
  ws_shutdown();
  return 0;
}
