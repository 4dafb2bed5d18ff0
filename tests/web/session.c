/* Clients and joins with sessions behind tests/web/cutter.js; the output must be the same natively and in a browser.
   Usage: session flow URL N SESSION_BYTES   N messages in each direction (links are cut at will)
          session trace URL                  what a program sees (cutter.js obey SERVER ANOTHER)
          session without URL [MS]           a server that keeps no sessions; MS: connect_timeout_ms
          session join 4|3|scene|auth URL    a join keeps its id
          session latest URL N               N messages that newer ones replace, and others between them
          session echoes URL N               a join in a scene whose host sends each of N messages back */
#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "session_flow.h"

static ws_handle handle;
static int is_join;
static int resumed;

static void rest(void) {
  const struct timespec moment = {0, 1000000};
  ws_poll(handle);
  nanosleep(&moment, NULL);
}

static void print(const ws_event *event) {
  printf("event %d", (int)event->type);
  switch (event->type) {
    case WS_EVENT_MESSAGE: printf(" %.*s", (int)event->packet.len, (const char *)event->packet.data); break;
    case WS_EVENT_CLOSE_REQUEST: printf(" code=%d", (int)event->code); break;
    case WS_EVENT_ERROR: printf(" cause=%d %.40s", (int)event->cause, (const char *)event->packet.data); break;
    case WS_EVENT_CONNECTED: printf(" peer=%d", (int)event->peer_id); break;
    case WS_EVENT_LOST:
    case WS_EVENT_CLOSED:
      printf(" clean=%d unsent=%d", (int)event->clean, event->unsent > 0);
      /* A browser tells neither how a link was lost nor why an opening failed. */
      if (event->type == WS_EVENT_CLOSED || event->cause == WS_CAUSE_SESSION)
        printf(" code=%d phase=%d cause=%d", (int)event->code, (int)event->phase, (int)event->cause);
      break;
    default: break;
  }
  printf("\n");
}

/* The next event. Tries that failed are passed over: their number is up to chance. */
static ws_event next(void) {
  ws_event event;
  memset(&event, 0, sizeof event);
  for (time_t limit = time(NULL) + 15;; rest()) {
    while (ws_next_event(handle, &event) == WS_OK) {
      const int failed = event.type == WS_EVENT_ERROR && event.cause != WS_CAUSE_SESSION &&
                         event.cause != WS_CAUSE_NO_HEARTBEAT;
      if (event.type == WS_EVENT_RESUMED) {
        /* It may come behind messages of the new link. */
        resumed++;
        if (event.http_status != 101) printf("resumed with status %d\n", (int)event.http_status);
      } else if (!failed) {
        return event;
      }
    }
    if (time(NULL) < limit) continue;
    printf("nothing came in state %d\n", (int)ws_get_state(handle));
    exit(1);
  }
}

/* Prints the events up to one of this type; `quiet`: no messages. */
static void until_of(int32_t type, int quiet) {
  ws_event event;
  do {
    event = next();
    if (!quiet || event.type != WS_EVENT_MESSAGE) print(&event);
  } while (event.type != type);
  printf("state %d\n", (int)ws_get_state(handle));
}

static void until(int32_t type) { until_of(type, 0); }

static void until_message(const char *words) {
  ws_event event;
  do {
    event = next();
    print(&event);
  } while (event.type != WS_EVENT_MESSAGE || event.packet.len != strlen(words) ||
           memcmp(event.packet.data, words, strlen(words)));
}

static void check(const char *what, ws_result result) { printf("%s: %s\n", what, ws_result_name(result)); }

static void put(const char *words) {
  const ws_result result = is_join ? ws_put_packet_to(handle, 1, (const uint8_t *)words, strlen(words), WS_BINARY)
                                   : ws_put_packet(handle, (const uint8_t *)words, strlen(words), WS_TEXT);
  check(words, result);
}

static void put_latest(uint32_t key, const char *words) {
  check(words, ws_put_latest(handle, 0, key, (const uint8_t *)words, strlen(words), WS_TEXT));
}

static ws_config settings(void) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.session_ms = 30000;
  config.retry_min_ms = 1;
  config.retry_max_ms = 30;
  config.retry_tries = WS_OFF;
  return config;
}

static void open_with(const char *url, const ws_config *config) {
  ws_free(handle);
  check("connect", ws_connect(url, config, &handle));
}

static void flow_of(const char *url, int total, uint32_t session_bytes) {
  struct flow flow = {total, 0, 0, 0, 0};
  ws_config config = settings();
  ws_stats stats;
  ws_event event;
  char words[40];
  int lost = 0, other = 0, opened = 0, writable = 0, reported = 0;
  config.session_bytes = session_bytes;
  open_with(url, &config);
  for (time_t limit = time(NULL) + 50;; rest()) {
    while (ws_next_event(handle, &event) == WS_OK) {
      if (event.type == WS_EVENT_OPEN) {
        opened++;
        snprintf(words, sizeof words, "flow %d", total);
        put(words);
      } else if (event.type == WS_EVENT_MESSAGE && event.packet.data[0] == '#') {
        flow_take(&flow, &event.packet);
      } else if (event.type == WS_EVENT_MESSAGE) {
        printf("server: %.*s\n", (int)event.packet.len, (const char *)event.packet.data);
        reported = 1;
      } else if (event.type == WS_EVENT_LOST) {
        lost++;
        other += event.unsent > 0;
      } else if (event.type == WS_EVENT_RESUMED) {
        resumed++;
      } else if (event.type == WS_EVENT_WRITABLE) {
        writable++;
      } else if (event.type != WS_EVENT_ERROR) {
        print(&event);
        other++;
      }
    }
    if (opened) flow_send(&flow, handle);
    memset(&stats, 0, sizeof stats);
    ws_get_stats(handle, &stats, sizeof stats);
    if (flow.sent == total && flow.received == total && !stats.unacknowledged_packets && !reported) {
      put("report");
      reported = -1;
    }
    if (reported > 0 || time(NULL) > limit || ws_get_state(handle) == WS_CLOSED) break;
  }
  printf("%d sent, %d came, %d wrong, %d other\n", flow.sent, flow.received, flow.wrong, other);
  printf("losses: %d, all resumed: %d, counted: %d\n", lost > 0, lost == resumed,
         lost == (int)stats.losses && resumed == (int)stats.resumed && stats.sent_again > 0);
  printf("puts were refused, and taken again: %d\n", flow.full > 0 && writable > 0);
  fflush(stdout);
  fprintf(stderr, "# %d links lost, %d messages sent again\n", lost, (int)stats.sent_again);
}

static void trace(const char *url) {
  ws_config config = settings();
  ws_stats stats;
  int taken = 0;
  uint32_t interval = 0;
  uint8_t block[100];
  memset(block, 'x', sizeof block);
  printf("-- messages while lost\n");
  open_with(url, &config);
  put("too early");
  until(WS_EVENT_OPEN);
  put("one");
  until(WS_EVENT_MESSAGE);
  put("cut:a:3:0");
  until(WS_EVENT_LOST);
  put("two");
  put("three");
  ws_get_stats(handle, &stats, sizeof stats);
  printf("unacknowledged: %d packets, %d bytes\n", stats.unacknowledged_packets >= 2,
         stats.unacknowledged_bytes >= 8 + 128);
  until_message("three");
  ws_get_stats(handle, &stats, sizeof stats);
  printf("%d in, %d out, %d losses, %d resumed\n", (int)stats.messages_in, (int)stats.messages_out, (int)stats.losses,
         (int)stats.resumed);
  ws_get_option(handle, WS_OPT_HEARTBEAT_MS, &interval);
  printf("heartbeat %d, %d resumed\n", (int)interval, resumed);
  printf("-- the latest while lost\n");
  put_latest(1, "before");
  until_message("before");
  put("cut:z:3:0");
  until(WS_EVENT_LOST);
  put_latest(1, "old");
  put("between");
  put_latest(2, "other");
  put_latest(1, "new");
  until_message("other");
  ws_get_stats(handle, &stats, sizeof stats);
  printf("%d replaced\n", (int)stats.replaced);
  printf("-- a close that both know\n");
  check("close", ws_close(handle, 4000, "bye"));
  until_of(WS_EVENT_CLOSED, 1);
  printf("-- a full session\n");
  config.session_bytes = 600;
  open_with(url, &config);
  until(WS_EVENT_OPEN);
  put("cut:b:25:0");
  until(WS_EVENT_LOST);
  while (taken < 9 && ws_put_packet(handle, block, sizeof block, WS_BINARY) == WS_OK) taken++;
  printf("%d were taken\n", taken);
  put("no");
  ws_event event;
  int writable = 0;
  for (int came = 0; came < taken || !writable;) {
    event = next();
    came += event.type == WS_EVENT_MESSAGE && event.packet.len == 100;
    writable |= event.type == WS_EVENT_WRITABLE;
  }
  printf("writable\n");
  config.session_bytes = 0;
  printf("-- a close while lost\n");
  put("cut:c:5:0");
  until(WS_EVENT_LOST);
  put("last");
  check("close", ws_close(handle, 4001, NULL));
  printf("state %d\n", (int)ws_get_state(handle));
  put("late");
  until_of(WS_EVENT_CLOSED, 1);
  printf("-- a close while lost that is too late\n");
  config.close_timeout_ms = 200;
  open_with(url, &config);
  until(WS_EVENT_OPEN);
  put("cut:d:60:0");
  until(WS_EVENT_LOST);
  check("retry_min_ms", ws_set_option(handle, WS_OPT_RETRY_MIN_MS, 30));
  check("close", ws_close(handle, 0, NULL));
  until_of(WS_EVENT_CLOSED, 1);
  config.close_timeout_ms = 0;
  config.retry_max_ms = 5;
  printf("-- a session that is not resumed in time\n");
  config.session_ms = 300;
  open_with(url, &config);
  /* The proxy may still refuse some. */
  until(WS_EVENT_OPEN);
  put("cut:e:100000:0");
  until(WS_EVENT_LOST);
  put("kept");
  until(WS_EVENT_CLOSED);
}

/* The server sends all back. Of each key newer ones come, the newest last; of the others each comes once and in order. */
static void latest_of(const char *url, int total) {
  enum { KEYS = 10, LEN = 200 };
  ws_config config = settings();
  ws_stats stats;
  ws_event event;
  int newest[KEYS], sent = 0, plain = 0, back = 0, came = 0, wrong = 0, lost = 0, opened = 0, done = 0;
  memset(newest, -1, sizeof newest);
  open_with(url, &config);
  for (time_t limit = time(NULL) + 50; !done && time(NULL) < limit; rest()) {
    char words[LEN];
    while (ws_next_event(handle, &event) == WS_OK) {
      int key = 0, number = 0;
      opened += event.type == WS_EVENT_OPEN;
      lost += event.type == WS_EVENT_LOST;
      resumed += event.type == WS_EVENT_RESUMED;
      if (event.type != WS_EVENT_MESSAGE) continue;
      came++;
      memcpy(words, event.packet.data, LEN);
      if (sscanf(words, "key %d %d", &key, &number) == 2 && key < KEYS && number > newest[key]) newest[key] = number;
      else if (sscanf(words, "other %d", &number) != 1 || number != back++) wrong++;
    }
    for (int i = 0; opened && i < 3 * KEYS && sent < total; i++, sent++) {
      memset(words, ' ', LEN);
      if (sent % 7) snprintf(words, LEN, "key %d %d", sent % KEYS, sent);
      else snprintf(words, LEN, "other %d", plain);
      const ws_result result = sent % 7 ? ws_put_latest(handle, 0, (uint32_t)(sent % KEYS), (uint8_t *)words, LEN, WS_TEXT)
                                        : ws_put_packet(handle, (uint8_t *)words, LEN, WS_TEXT);
      if (result != WS_OK) break;
      plain += sent % 7 == 0;
    }
    memset(&stats, 0, sizeof stats);
    ws_get_stats(handle, &stats, sizeof stats);
    done = sent == total && came + (int)stats.replaced == total && !stats.unacknowledged_packets;
  }
  for (int key = 0; key < KEYS; key++) wrong += newest[key] < total - 2 * KEYS;
  printf("%d sent, all accounted for: %d, %d wrong, others %d\n", sent, done, wrong, plain == back);
  printf("losses: %d, all resumed: %d, replaced: %d\n", lost > 0, lost == resumed, stats.replaced > 0);
  fflush(stdout);
  fprintf(stderr, "# %d links lost, %d of %d messages replaced\n", lost, (int)stats.replaced, total);
}

/* Behind another proxy, as the one of `trace` refuses everything at its end. */
static void ends(const char *url) {
  ws_config config = settings();
  printf("-- the server closes\n");
  for (int i = 0; i < 2; i++) {
    open_with(url, &config);
    until(WS_EVENT_OPEN);
    put(i ? "end 1012" : "end 4002");
    until(WS_EVENT_CLOSED);
  }
  printf("-- the server drops\n");
  open_with(url, &config);
  until(WS_EVENT_OPEN);
  put("drop");
  until(WS_EVENT_CLOSED);
  printf("-- another server\n");
  open_with(url, &config);
  until(WS_EVENT_OPEN);
  put("cut:f:1:1");
  until(WS_EVENT_CLOSED);
  printf("-- another server, and WS_RECONNECT\n");
  config.flags = WS_RECONNECT;
  open_with(url, &config);
  until(WS_EVENT_OPEN);
  put("cut:g:1:0");
  until(WS_EVENT_OPEN);
  put("new");
  until_message("new");
  printf("-- a server that is drained\n");
  char words[200], query[40] = "";
  snprintf(words, sizeof words, "drain %s?moved=1", url);
  ws_put_packet(handle, (const uint8_t *)words, strlen(words), WS_TEXT);
  until(WS_EVENT_OPEN);
  ws_get_text(handle, WS_GET_QUERY, query, sizeof query, NULL);
  printf("query %s\n", query);
  put("newer");
  until_message("newer");
  printf("-- bad configs\n");
  config.max_message_bytes = 1000;
  check("connect", ws_connect(url, &config, &handle));
}

static void without(const char *url, uint32_t connect_timeout_ms) {
  for (int i = 0; i < 2; i++) {
    ws_config config = settings();
    config.flags = (i ? WS_RECONNECT : 0) | WS_QUEUE_BEFORE_OPEN;
    config.connect_timeout_ms = connect_timeout_ms;
    open_with(url, &config);
    put("early");
    until(WS_EVENT_ERROR);
    until_message("early");
    put("hello");
    until_message("hello");
    put(i ? "restart" : "leave");
    until(i ? WS_EVENT_ERROR : WS_EVENT_CLOSED);
  }
}

static void join(const char *format, const char *url) {
  ws_config config = settings();
  ws_event event;
  config.flags = format[0] == '4' ? 0 : format[0] == '3' ? WS_GODOT3 : WS_SCENE;
  if (!strcmp(format, "auth")) config.flags |= WS_AUTH;
  is_join = 1;
  check("join", ws_join(url, &config, &handle));
  do {
    event = next();
    print(&event);
    if (event.type == WS_EVENT_AUTHENTICATING) check("complete", ws_complete_auth(handle, 1));
  } while (event.type != WS_EVENT_CONNECTED);
  const int32_t id = ws_get_peer_id(handle);
  char word[20];
  for (int i = 0; i < 3; i++) {
    snprintf(word, sizeof word, "cut:%s%d:2:0", format, i);
    put(word);
    until(WS_EVENT_LOST);
    printf("the id stays: %d\n", ws_get_peer_id(handle) == id);
    put("kept");
    until_message("kept");
  }
  ws_stats stats;
  ws_get_stats(handle, &stats, sizeof stats);
  printf("state %d, the id stays: %d, %d resumed\n", (int)ws_get_state(handle), ws_get_peer_id(handle) == id,
         (int)stats.resumed);
}

static void echoes(const char *url, int total) {
  ws_config config = settings();
  int sent = 0, received = 0, wrong = 0, met = 0, gone = 0;
  char message[3001];
  config.flags = WS_SCENE;
  check("join", ws_join(url, &config, &handle));
  for (time_t limit = time(NULL) + 60; received < total && time(NULL) < limit; rest()) {
    ws_event event;
    while (ws_next_event(handle, &event) == WS_OK) {
      met += event.type == WS_EVENT_CONNECTED;
      gone += event.type == WS_EVENT_DISCONNECTED || event.type == WS_EVENT_CLOSED;
      if (event.type != WS_EVENT_MESSAGE) continue;
      const size_t len = flow_fill(message, received++);
      wrong += event.packet.len != len || memcmp(event.packet.data, message, len);
    }
    while (met > 0 && sent < total && sent < received + 30) {
      const size_t len = flow_fill(message, sent);
      if (ws_put_packet_to(handle, 1, (const uint8_t *)message, len, WS_BINARY) != WS_OK) break;
      sent++;
    }
  }
  ws_stats stats;
  ws_get_stats(handle, &stats, sizeof stats);
  printf("id %d\n%d of %d came back, %d wrong; met %d, gone %d\n", (int)ws_get_peer_id(handle), received, total, wrong, met,
         gone);
  printf("losses: %d, all resumed: %d\n", stats.losses > 0, stats.losses == stats.resumed);
  printf("# %d links lost\n", (int)stats.losses);
}

int main(int argc, char **argv) {
  if (argc == 5 && !strcmp(argv[1], "flow")) flow_of(argv[2], atoi(argv[3]), (uint32_t)atoi(argv[4]));
  else if (argc == 3 && !strcmp(argv[1], "trace")) trace(argv[2]);
  else if (argc == 3 && !strcmp(argv[1], "ends")) ends(argv[2]);
  else if (argc >= 3 && !strcmp(argv[1], "without")) without(argv[2], argc > 3 ? (uint32_t)atoi(argv[3]) : 0);
  else if (argc == 4 && !strcmp(argv[1], "join")) join(argv[2], argv[3]);
  else if (argc == 4 && !strcmp(argv[1], "latest")) latest_of(argv[2], atoi(argv[3]));
  else if (argc == 4 && !strcmp(argv[1], "echoes")) echoes(argv[2], atoi(argv[3]));
  else return 1;
  ws_free(handle);
  return 0;
}
