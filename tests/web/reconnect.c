/* Clients that lose their links and come back (WS_RECONNECT); the output must be the same natively and in a browser,
   which does not tell why an opening failed.
   Usage: reconnect links URL (tests/web/server.js), reconnect nobody URL, reconnect join 4|3|scene|auth URL (two joins of
   tests/web/again.c) */
#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static ws_handle ends[2];

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
    printf("nothing came\n");
    exit(1);
  }
  return event;
}

static const char *name_of(int32_t id) {
  if (id <= 1) return id ? "host" : "-";
  return id == ws_get_peer_id(ends[0]) ? "a" : id == ws_get_peer_id(ends[1]) ? "b" : "another";
}

static void print(int end, const ws_event *event) {
  printf("%d: event %d peer=%s", end, (int)event->type, name_of(event->peer_id));
  switch (event->type) {
    case WS_EVENT_MESSAGE: printf(" %.*s", (int)event->packet.len, (const char *)event->packet.data); break;
    case WS_EVENT_LOST:
    case WS_EVENT_CLOSED:
      /* Of an opening that failed a browser knows neither phase nor cause. */
      printf(" code=%d clean=%d unsent=%d", (int)event->code, (int)event->clean, (int)event->unsent);
      if (event->http_status) printf(" phase=%d cause=%d", (int)event->phase, (int)event->cause);
      break;
    default: break;
  }
  printf("\n");
}

static void until(int end, int32_t type) {
  ws_event event;
  do {
    event = next(end);
    print(end, &event);
  } while (event.type != type);
  printf("%d: state %d\n", end, (int)ws_get_state(ends[end]));
}

static ws_config settings(uint32_t flags) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_RECONNECT | flags;
  config.retry_min_ms = 1;
  config.retry_max_ms = 30;
  return config;
}

static void put(const char *words) {
  printf("put %s: %s\n", words, ws_result_name(ws_put_packet(ends[0], (const uint8_t *)words, strlen(words), WS_TEXT)));
}

static void check(const char *what, ws_result result) { printf("%s: %s\n", what, ws_result_name(result)); }

static void again(const char *url, uint32_t flags) {
  ws_config config = settings(flags);
  ws_free(ends[0]);
  check("connect", ws_connect(url, &config, &ends[0]));
}

static void links(const char *base) {
  char url[256], shown[256];
  /* A cut link, two tries that are refused, and a link that stays. */
  snprintf(url, sizeof url, "%s/cut?key=1", base);
  again(url, 0);
  until(0, WS_EVENT_OPEN);
  put("die");
  until(0, WS_EVENT_LOST);
  put("too early");
  until(0, WS_EVENT_OPEN);
  put("back");
  until(0, WS_EVENT_MESSAGE);
  ws_stats stats;
  ws_get_stats(ends[0], &stats, sizeof stats);
  printf("messages: %d in, %d out\n", (int)stats.messages_in, (int)stats.messages_out);
  check("close", ws_close(ends[0], 1000, NULL));
  until(0, WS_EVENT_CLOSED);
  /* A restart, a message that waits, and another URL. */
  snprintf(url, sizeof url, "%s/restart?key=2", base);
  again(url, WS_QUEUE_BEFORE_OPEN);
  until(0, WS_EVENT_OPEN);
  put("restart");
  until(0, WS_EVENT_LOST);
  put("later");
  snprintf(url, sizeof url, "%s/cut?key=3&new=1", base);
  check("set_url", ws_set_url(ends[0], url));
  until(0, WS_EVENT_MESSAGE);
  ws_get_text(ends[0], WS_GET_QUERY, shown, sizeof shown, NULL);
  printf("query %s\n", shown);
  check("set_url", ws_set_url(ends[0], "http://example.org"));
  check("set_url", ws_set_url(ends[0], NULL));
  /* A close of the peer's that is final. */
  put("leave");
  until(0, WS_EVENT_CLOSED);
  /* A close between two tries. */
  snprintf(url, sizeof url, "%s/restart?key=4", base);
  again(url, 0);
  until(0, WS_EVENT_OPEN);
  check("retry_min_ms", ws_set_option(ends[0], WS_OPT_RETRY_MIN_MS, 60000));
  check("retry_max_ms", ws_set_option(ends[0], WS_OPT_RETRY_MAX_MS, 60000));
  put("restart");
  until(0, WS_EVENT_LOST);
  check("close", ws_close(ends[0], 1000, NULL));
  until(0, WS_EVENT_CLOSED);
  ws_handle plain;
  snprintf(url, sizeof url, "%s/cut?key=5", base);
  if (ws_connect(url, NULL, &plain) < 0) return;
  check("set_url without WS_RECONNECT", ws_set_url(plain, url));
  ws_free(plain);
}

/* Each try fails. */
static void nobody(const char *url) {
  ws_config config = settings(0);
  config.retry_tries = 3;
  check("connect", ws_connect(url, &config, &ends[0]));
  printf("state %d\n", (int)ws_get_state(ends[0]));
  until(0, WS_EVENT_CLOSED);
  config.retry_max_ms = WS_OFF;
  check("no limit of a wait", ws_connect(url, &config, &ends[1]));
}

/* Polls until both joins know each other; `others` is the number of peers that each has then met. */
static void join(const char *format, const char *url) {
  const uint32_t auth = strcmp(format, "auth") ? 0 : WS_AUTH;
  ws_config config = settings(format[0] == '4' ? 0 : format[0] == '3' ? WS_GODOT3 : WS_SCENE | auth);
  const int others = format[0] == '4' ? 1 : 2;
  ws_event event;
  for (int i = 0; i < 2; i++) {
    check("join", ws_join(url, &config, &ends[i]));
    if (config.flags & WS_SCENE) check("declare", ws_declare_node(ends[i], "Main", "move"));
    for (int met = 0; met < (i == 0 ? 1 : others); met += event.type == WS_EVENT_CONNECTED) {
      event = next(i);
      print(i, &event);
      if (event.type == WS_EVENT_AUTHENTICATING) check("complete", ws_complete_auth(ends[i], 1));
    }
  }
  if (others == 2) until(0, WS_EVENT_CONNECTED);
  const int32_t old = ws_get_peer_id(ends[0]);
  check("put", ws_put_packet_to(ends[0], 1, (const uint8_t *)"again", 5, WS_BINARY));
  until(0, WS_EVENT_LOST);
  printf("id %d\n", (int)ws_get_peer_id(ends[0]));
  check("put", ws_put_packet_to(ends[0], 1, (const uint8_t *)"x", 1, WS_BINARY));
  for (int met = 0; met < others; met += event.type == WS_EVENT_CONNECTED) {
    event = next(0);
    /* Which of the others is announced first is up to the host. */
    if (event.type != WS_EVENT_CONNECTED) print(0, &event);
    if (event.type == WS_EVENT_AUTHENTICATING) check("complete", ws_complete_auth(ends[0], 1));
  }
  printf("state %d, a new id: %d\n", (int)ws_get_state(ends[0]), ws_get_peer_id(ends[0]) != old);
  if (others == 2) {
    until(1, WS_EVENT_DISCONNECTED);
    until(1, WS_EVENT_CONNECTED);
    check("put", ws_put_packet_to(ends[1], ws_get_peer_id(ends[0]), (const uint8_t *)"hello", 5, WS_BINARY));
    until(0, WS_EVENT_MESSAGE);
  }
}

int main(int argc, char **argv) {
  if (argc == 3 && !strcmp(argv[1], "links")) links(argv[2]);
  else if (argc == 3 && !strcmp(argv[1], "nobody")) nobody(argv[2]);
  else if (argc == 4) join(argv[2], argv[3]);
  else return 1;
  for (int i = 0; i < 2; i++) ws_free(ends[i]);
  return 0;
}
