/* Joins a host twice and prints what both report, with ids as names; the output must be the same natively and in a
   browser. Usage: join 4|3 URL (two joins of tests/web/host.c), join wrong URL (a host that sends no id, or an invalid
   first message), join godot URL (one join of a Godot host; exchanges packets with it and all other peers) */
#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static ws_handle ends[2];
static const char *names[] = {"a", "b"};

static const char *name_of(int32_t id) {
  if (id <= 1) return id ? "host" : "nobody";
  for (int i = 0; i < 2; i++)
    if (ends[i] && ws_get_peer_id(ends[i]) == id) return names[i];
  return "somebody";
}

static void rest(void) {
  const struct timespec moment = {0, 1000000};
  for (int i = 0; i < 2; i++)
    if (ends[i]) ws_poll(ends[i]);
  nanosleep(&moment, NULL);
}

static ws_event next(int end) {
  ws_event event;
  memset(&event, 0, sizeof event);
  for (time_t limit = time(NULL) + 10; ws_next_event(ends[end], &event) != WS_OK; rest()) {
    if (time(NULL) < limit) continue;
    printf("nothing came to %s\n", names[end]);
    exit(1);
  }
  return event;
}

static void take(int end, int count) {
  while (count-- > 0) {
    ws_event event = next(end);
    printf("%s event %d peer=%s", names[end], (int)event.type, name_of(event.peer_id));
    if (event.type == WS_EVENT_MESSAGE)
      printf(" type=%d %.*s", (int)event.packet.type, (int)event.packet.len, (const char *)event.packet.data);
    if (event.type == WS_EVENT_CLOSED || event.type == WS_EVENT_CLOSE_REQUEST)
      printf(" code=%d clean=%d phase=%d cause=%d %s", (int)event.code, (int)event.clean, (int)event.phase,
             (int)event.cause, (const char *)event.packet.data);
    printf("\n");
  }
}

static void put_to(int end, int32_t target, const char *words) {
  char why[256] = "";
  ws_result result = ws_put_packet_to(ends[end], target, (const uint8_t *)words, strlen(words), WS_BINARY);
  if (result < 0 && target != ws_get_peer_id(ends[end])) ws_last_error(why, sizeof why, NULL);
  printf("%s puts %s: %s %s\n", names[end], words, ws_result_name(result), why);
}

/* ws_put_packets: two messages to the host and one that is wrong, and calls that are wrong at once. */
static void put_many(int end) {
  ws_packet_out packets[] = {{.data = (const uint8_t *)"first", .len = 5, .type = WS_BINARY, .target = 1},
                             {.data = (const uint8_t *)"second", .len = 6, .type = WS_BINARY, .target = 1},
                             {.data = NULL, .len = 3, .type = WS_BINARY, .target = 1},
                             {.data = NULL, .len = 0, .type = 9, .target = 1},
                             {.data = NULL, .len = 0, .type = WS_BINARY, .target = INT32_MIN},
                             {.data = (const uint8_t *)"\xff", .len = 1, .type = WS_TEXT, .target = 0}};
  for (size_t i = 0; i < sizeof packets / sizeof packets[0] + 1; i += i == 0 ? 2 : 1) {
    size_t taken = 99;
    ws_result result = ws_put_packets(ends[end], packets + i, sizeof packets / sizeof packets[0] - i, &taken);
    printf("%s puts many from %d on: %s after %d\n", names[end], (int)i, ws_result_name(result), (int)taken);
  }
  size_t taken = 99;
  ws_result no_array = ws_put_packets(ends[end], NULL, 1, &taken);
  printf("no array: %s %d", ws_result_name(no_array), (int)taken);
  printf(", no count: %s", ws_result_name(ws_put_packets(ends[end], packets, 1, NULL)));
  printf(", no handle: %s\n", ws_result_name(ws_put_packets(0, packets, 1, &taken)));
}

static int join(int end, const char *url, const ws_config *config) {
  ws_result result = ws_join(url, config, &ends[end]);
  printf("%s joins: %s, id %d\n", names[end], ws_result_name(result), (int)ws_get_peer_id(ends[end]));
  return result == WS_OK;
}

static void game(const char *url, const ws_config *config) {
  const int godot3 = config->flags == WS_GODOT3;
  ws_handle conn = 0;
  if (!join(0, url, config)) return;
  take(0, 2);
  if (!join(1, url, config)) return;
  take(1, 2 + godot3);
  take(0, godot3);
  ws_result of_2 = ws_get_conn(ends[0], 2, &conn), of_1 = ws_get_conn(ends[0], 1, &conn);
  printf("conn of 1: %s %d, of 2: %s\n", ws_result_name(of_1), conn == ends[0], ws_result_name(of_2));
  printf("text: %s\n", ws_result_name(ws_put_packet(ends[0], (const uint8_t *)"text", 4, WS_TEXT)));
  take(0, !godot3);
  take(1, !godot3);
  put_to(0, 1, "to the host");
  take(0, 1);
  take(1, 1);
  put_many(0);
  take(0, 2);
  take(1, 2);
  put_to(1, ws_get_peer_id(ends[0]), "to a");
  take(0, godot3);
  put_to(1, ws_get_peer_id(ends[1]), "to myself");
  put_to(1, 77, "to nobody");
  put_to(1, 0, "to all");
  if (godot3) take(0, 2); /* relayed by the host, and the host's own messages */
  take(1, godot3);
  put_to(1, -1, "to all but the host");
  take(0, godot3);
  put_to(1, 1, "kick me");
  take(1, 2);
  take(0, godot3);
  ws_close(ends[0], 4005, "leaving");
  take(0, 1);
}

static void wrong(const char *url, ws_config *config) {
  config->connect_timeout_ms = 300;
  if (join(0, url, config)) take(0, 1);
}

/* Godot's scene protocol as bytes: 3 precedes raw bytes; 7, 1, id announces a peer; 7, 3, id precedes a relayed packet.
   */
static void godot(const char *url, const ws_config *config) {
  uint8_t packet[128] = {3};
  int32_t other = 0;
  if (!join(0, url, config)) return;
  take(0, 2);
  int len = snprintf((char *)packet + 1, 100, "say %d well met", (int)ws_get_peer_id(ends[0]));
  ws_put_packet(ends[0], packet, (size_t)len + 1, WS_BINARY);
  for (int met = 0; met < 2;) {
    ws_event event = next(0);
    const uint8_t *data = event.packet.data;
    if (event.type != WS_EVENT_MESSAGE) {
      printf("event %d\n", (int)event.type);
      return;
    }
    if (event.packet.len == 6 && data[0] == 7 && data[1] == 1 && !other) {
      memcpy(&other, data + 2, 4);
      packet[0] = 7;
      packet[1] = 3;
      memcpy(packet + 2, &other, 4);
      packet[6] = 3;
      len = snprintf((char *)packet + 7, 100, "say %d greetings", (int)ws_get_peer_id(ends[0]));
      ws_put_packet(ends[0], packet, (size_t)len + 7, WS_BINARY);
    }
    if (event.packet.len == 9 && data[0] == 3 && !memcmp(data + 1, "well met", 8)) {
      printf("the host says: well met\n");
      met++;
    }
    if (event.packet.len == 16 && data[0] == 7 && data[1] == 3 && data[6] == 3 && !memcmp(data + 7, "greetings", 9)) {
      int32_t from;
      memcpy(&from, data + 2, 4);
      printf("the other%s says by way of the host: greetings\n", from == other ? "" : " (not it)");
      met++;
    }
  }
  ws_close(ends[0], 1000, "");
  take(0, 1);
}

int main(int argc, char **argv) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  if (argc < 3) return 2;
  if (argv[1][0] == '3') config.flags = WS_GODOT3;
  if (!strcmp(argv[1], "wrong")) wrong(argv[2], &config);
  else if (!strcmp(argv[1], "godot")) godot(argv[2], &config);
  else game(argv[2], &config);
  ws_shutdown();
  return 0;
}
