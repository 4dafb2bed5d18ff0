/* One of three joins of a Godot 4 host: asks every peer for a greeting, greets those that ask, and prints what it
   receives, with ids as numbers. Godot's scene protocol as bytes: 3 precedes raw bytes; 7, 1, id and 7, 2, id announce
   and remove a peer; 7, 3, id precedes a relayed packet. Usage: three URL leave|stay. leave: ends once all have
   greeted; stay: once somebody has left, too. Godot drops what it has not read when the close arrives, so a client that
   leaves first waits for a farewell of the host, which has read everything by then. */
#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static ws_handle end;

static void say_to(int32_t target, const char *words) {
  uint8_t packet[128] = {7, 3};
  size_t at = 0;
  if (target != 1) {
    memcpy(packet + 2, &target, 4);
    at = 6;
  }
  packet[at++] = 3;
  memcpy(packet + at, words, strlen(words));
  if (ws_put_packet(end, packet, at + strlen(words), WS_BINARY) != WS_OK) printf("put: not taken\n");
}

static void ask(int32_t target, const char *word) {
  char words[64];
  snprintf(words, sizeof words, "say %d %s", (int)ws_get_peer_id(end), word);
  say_to(target, words);
}

/* Handles raw bytes of a peer. Returns whether they are a greeting. */
static int hear(int32_t from, const uint8_t *bytes, size_t len) {
  char words[64];
  int target, start = 0;
  snprintf(words, sizeof words, "%.*s", (int)len, (const char *)bytes);
  if (sscanf(words, "say %d %n", &target, &start) == 1 && start) {
    printf("%d asks\n", (int)from);
    say_to(target, words + start);
    return 0;
  }
  printf("%d says %s\n", (int)from, words);
  return 1;
}

int main(int argc, char **argv) {
  const struct timespec moment = {0, 1000000};
  if (argc < 3 || ws_join(argv[1], NULL, &end) != WS_OK) return 2;
  int greetings = 0, asked = 0, gone = 0, parting = 0, over = 0;
  const int stays = !strcmp(argv[2], "stay");
  for (time_t limit = time(NULL) + 40; !over; nanosleep(&moment, NULL)) {
    ws_event event;
    ws_poll(end);
    while (ws_next_event(end, &event) == WS_OK) {
      const uint8_t *data = event.packet.data;
      int32_t id = 0;
      if (event.type == WS_EVENT_OPEN) {
        printf("id %d\n", (int)ws_get_peer_id(end));
        ask(1, "greetings");
      }
      if (event.type == WS_EVENT_CLOSED) {
        printf("closed %d\n", (int)event.code);
        over = 1;
      }
      if (event.type != WS_EVENT_MESSAGE || event.packet.len < 2) continue;
      if (event.packet.len >= 6) memcpy(&id, data + 2, 4);
      if (data[0] == 3) greetings += hear(1, data + 1, event.packet.len - 1);
      else if (data[0] == 7 && data[1] == 1) {
        printf("met %d\n", (int)id);
        ask(id, "greetings");
      } else if (data[0] == 7 && data[1] == 2) {
        printf("gone %d\n", (int)id);
        gone++;
      } else if (data[0] == 7 && data[1] == 3 && event.packet.len > 6 && data[6] == 3) {
        int greeted = hear(id, data + 7, event.packet.len - 7);
        greetings += greeted;
        asked += !greeted;
      } else printf("unknown %d %d\n", data[0], data[1]);
    }
    /* The host and two others greet; one of those asks, unlike Godot's peer. */
    if (!stays && !parting && greetings == 3 && asked == 1) {
      parting = 1;
      ask(1, "farewell");
    }
    if (greetings == 3 + parting && asked == 1 && parting + gone >= 1 && ws_get_state(end) == WS_OPEN)
      ws_close(end, 1000, "");
    if (time(NULL) < limit) continue;
    printf("nothing more came\n");
    return 1;
  }
  ws_shutdown();
  return 0;
}
