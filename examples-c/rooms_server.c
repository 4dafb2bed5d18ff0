/* Rooms: a player who joins ws://HOST:PORT/red is in the room "/red". What he says reaches the others there, and nobody
 * else. A position, "at X Y", takes the place of his last one that has not left, so that a slow line shows where he is,
 * not where he was. "join /blue" and "leave /blue" change his rooms. docs/topics.md, docs/latest.md.
 * Usage: rooms_server [PORT]      port 0 takes any free one */
#include "wspeer.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static volatile sig_atomic_t stopping;

static void stop(int number) {
  (void)number;
  stopping = 1;
}

static ws_handle server;

/* Says a line to a player. */
static void answer(ws_handle conn, const char *line) {
  ws_put_packet(conn, (const uint8_t *)line, strlen(line), WS_TEXT);
}

/* Sends what a player says to all others in each of his rooms. */
static void say(const ws_packet *packet) {
  char rooms[4096] = "";
  ws_get_topics(packet->conn, rooms, sizeof rooms, NULL);
  int32_t player = (int32_t)packet->conn;
  int is_position = packet->len > 3 && !memcmp(packet->data, "at ", 3);
  for (char *room = strtok(rooms, "\n"); room; room = strtok(NULL, "\n")) {
    if (is_position) ws_publish_latest(server, room, player, packet->conn, packet->data, packet->len, packet->type);
    else ws_publish(server, room, player, packet->data, packet->len, packet->type);
  }
}

static void take(const ws_packet *packet) {
  char word[8] = "", room[256] = "", why[256];
  char line[300] = "";
  memcpy(line, packet->data, packet->len < sizeof line ? packet->len : 0);
  int is_change = sscanf(line, "%7s %255s", word, room) == 2 && (!strcmp(word, "join") || !strcmp(word, "leave"));
  if (!is_change) {
    say(packet);
    return;
  }
  ws_result result = word[0] == 'j' ? ws_subscribe(packet->conn, room) : ws_unsubscribe(packet->conn, room);
  if (result >= 0) return;
  ws_last_error(why, sizeof why, NULL);
  answer(packet->conn, why); /* too many rooms, or no name for one */
}

int main(int argc, char **argv) {
  signal(SIGINT, stop);
  signal(SIGTERM, stop);
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.session_ms = 30000; /* who loses his link keeps his rooms */
  config.max_topics = 8;
  config.max_message_bytes = 1024;
  char url[64];
  snprintf(url, sizeof url, "ws://*:%s", argc > 1 ? argv[1] : "9080");
  if (ws_listen(url, &config, &server) < 0) {
    char why[256];
    ws_last_error(why, sizeof why, NULL);
    fprintf(stderr, "%s\n", why);
    return 1;
  }
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
  printf("Rooms on %s\n", url);
  fflush(stdout);

  for (int ended = 0; !ended;) {
    ws_event event;
    if (stopping) ws_close(server, 0, NULL);
    ws_poll(server);
    while (ws_next_event(server, &event) == WS_OK) {
      if (event.type == WS_EVENT_CONNECTED) {
        char room[256] = "";
        ws_get_text(event.conn, WS_GET_PATH, room, sizeof room, NULL);
        if (ws_subscribe(event.conn, room) < 0) ws_close(event.conn, 1008, "no such room");
        else answer(event.conn, room);
      }
      if (event.type == WS_EVENT_MESSAGE) take(&event.packet);
      if (event.type == WS_EVENT_CLOSED) ended = 1; /* and all players are gone */
    }
    ws_wait(&server, 1, 16); /* a game would compute its frame here */
  }
  ws_free(server);
  ws_shutdown();
  return 0;
}
