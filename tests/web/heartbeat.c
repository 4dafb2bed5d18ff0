/* The application heartbeat from a client's side: the same lines natively and in a browser.
 * Usage: heartbeat wspeer URL      tests/web/heart.c, which freezes at the end
 *        heartbeat other URL       an echo server of another make */
#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static ws_handle handle;

static void rest(void) {
  const struct timespec moment = {0, 1000000};
  ws_poll(handle);
  nanosleep(&moment, NULL);
}

static ws_event next(void) {
  ws_event event;
  memset(&event, 0, sizeof event);
  for (time_t limit = time(NULL) + 15; ws_next_event(handle, &event) != WS_OK; rest()) {
    if (time(NULL) < limit) continue;
    printf("nothing came\n");
    exit(1);
  }
  printf("event %d code=%d phase=%d cause=%d", (int)event.type, (int)event.code, (int)event.phase, (int)event.cause);
  if (event.type == WS_EVENT_MESSAGE) printf(" %.*s", (int)event.packet.len, (const char *)event.packet.data);
  if (event.type == WS_EVENT_ERROR) printf(" %.42s", (const char *)event.packet.data);
  printf("\n");
  return event;
}

static void say(const char *words) {
  printf("says %s: %s\n", words,
         ws_result_name(ws_put_packet(handle, (const uint8_t *)words, strlen(words), WS_BINARY)));
}

static uint64_t rtt(void) {
  ws_stats stats;
  memset(&stats, 0, sizeof stats);
  ws_get_stats(handle, &stats, sizeof stats);
  return stats.rtt_us;
}

static void counts(void) {
  ws_stats stats;
  memset(&stats, 0, sizeof stats);
  ws_get_stats(handle, &stats, sizeof stats);
  printf("%d in, %d out\n", (int)stats.messages_in, (int)stats.messages_out);
}

static void open_at(const char *base, const char *path, uint32_t connect_timeout_ms) {
  char url[256];
  uint32_t interval = 0, timeout = 0;
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_APP_HEARTBEAT;
  config.heartbeat_ms = 50;
  config.pong_timeout_ms = 700;
  config.connect_timeout_ms = connect_timeout_ms;
  snprintf(url, sizeof url, "%s%s", base, path);
  printf("connects: %s\n", ws_result_name(ws_connect(url, &config, &handle)));
  ws_get_option(handle, WS_OPT_HEARTBEAT_MS, &interval);
  ws_get_option(handle, WS_OPT_PONG_TIMEOUT_MS, &timeout);
  printf("heartbeat %u, timeout %u\n", (unsigned)interval, (unsigned)timeout);
}

static void with_wspeer(const char *url) {
  open_at(url, "/room?x=1", 0);
  say("too early");
  next();
  for (time_t limit = time(NULL) + 10; !rtt() && time(NULL) < limit;) rest();
  printf("rtt: %s\n", rtt() > 0 && rtt() < 5000000 ? "measured" : "not measured");
  say("query");
  next();
  for (int i = 0; i < 20; i++) {
    char words[20];
    snprintf(words, sizeof words, "message %d", i);
    say(words);
    next();
    for (int j = 0; j < 10; j++) rest();
  }
  counts();
  say("freeze");
  next();
  printf("state %d\n", (int)ws_get_state(handle));
}

static void with_another(const char *url) {
  open_at(url, "", 0);
  next();
  say("hello");
  next();
  next();
  for (int i = 0; i < 200; i++) rest();
  say("alone");
  next();
  counts();
  ws_free(handle);
  open_at(url, "", 3000);
  next();
  next();
  counts();
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  if (!strcmp(argv[1], "wspeer")) with_wspeer(argv[2]);
  else with_another(argv[2]);
  ws_free(handle);
  return 0;
}
