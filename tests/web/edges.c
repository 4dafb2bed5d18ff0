/* A page with a peer that does not read, floods a hidden tab, closes with every kind of code, or dies
   (tests/web/edges.js); and wss. Usage: edges URL (without a path), or edges wss GOOD-URL BAD-URL...: an echo server
   that the browser trusts, and others that it does not trust */
#include "../c/check.h"

#include <emscripten.h>

static const char *base;

static void turn(ws_handle h) {
  ws_poll(h);
  emscripten_sleep(1);
}

/* The next event, within 20 s. */
static ws_event next(ws_handle h) {
  ws_event event;
  memset(&event, 0, sizeof event);
  for (double limit = now_s() + 20; ws_next_event(h, &event) != WS_OK && now_s() < limit;) turn(h);
  return event;
}

static ws_event next_but_writable(ws_handle h) {
  ws_event event;
  do event = next(h);
  while (event.type == WS_EVENT_WRITABLE);
  return event;
}

static ws_handle opened(const char *path, const ws_config *config) {
  char url[256];
  ws_handle h = 0;
  snprintf(url, sizeof url, "%s%s", base, path);
  if (ws_connect(url, config, &h) < 0) printf("connect: %s\n", why());
  for (double limit = now_s() + 20; ws_get_state(h) == WS_CONNECTING && now_s() < limit;) turn(h);
  ws_event event;
  CHECK(ws_next_event(h, &event) == WS_OK && event.type == WS_EVENT_OPEN, path);
  return h;
}

static int is_text(const ws_event *event, const char *words) {
  return event->type == WS_EVENT_MESSAGE && event->packet.type == WS_TEXT && event->packet.len == strlen(words) &&
         !memcmp(event->packet.data, words, event->packet.len);
}

/* Takes all expected numbered texts, in order. */
static int take_numbered(ws_handle h, int count) {
  char words[24];
  for (int i = 0; i < count; i++) {
    snprintf(words, sizeof words, "message %d", i);
    ws_event event = next(h);
    if (!is_text(&event, words)) return 0;
  }
  return 1;
}

/* ---- A peer that stops reading ---- */

enum { BLOCK = 64 << 10, ROOM = 4 << 20 };

static ws_result put_block(ws_handle h, uint32_t number) {
  static uint8_t block[BLOCK];
  memcpy(block, &number, sizeof number);
  return ws_put_packet(h, block, BLOCK, WS_BINARY);
}

/* Puts until the buffers of the peer and the system accept no more for half a second. Both ends of a loopback
   connection hold some megabytes. */
static uint32_t fill(ws_handle h, uint32_t number) {
  for (double stuck = now_s() + 0.5; now_s() < stuck && number < 4000;) {
    while (put_block(h, number) == WS_OK) {
      number++;
      stuck = now_s() + 0.5;
    }
    ws_event event;
    turn(h);
    while (ws_next_event(h, &event) == WS_OK) {
    }
  }
  return number;
}

static void deaf_peer(void) {
  ws_config config;
  ws_event event;
  ws_stats stats;
  ws_config_init(&config, sizeof config);
  config.outbound_bytes = ROOM;
  ws_handle h = opened("/deaf", &config);
  uint32_t count = fill(h, 0);
  CHECK(count < 4000 && put_block(h, count) == WS_ERR_FULL, "a peer that does not read leads to WS_ERR_FULL");
  CHECK(ws_get_stats(h, &stats, sizeof stats) == WS_OK && stats.queued_bytes_out > ROOM - 2 * BLOCK &&
            stats.queued_bytes_out <= ROOM && stats.queued_packets_out > 0,
        "the counters report what is queued, and the limit holds");
  CHECK(ws_next_event(h, &event) == WS_EMPTY, "no WRITABLE is reported while it does not read");
  ws_handle hear = opened("/hear", NULL);
  CHECK(next(h).type == WS_EVENT_WRITABLE, "WRITABLE is reported once the peer reads again");
  CHECK(put_block(h, count) == WS_OK, "the refused message is accepted then");
  for (double limit = now_s() + 20;
       ws_put_packet(h, (const uint8_t *)"how many", 8, WS_TEXT) == WS_ERR_FULL && now_s() < limit;)
    turn(h);
  char words[32];
  snprintf(words, sizeof words, "%u in order", (unsigned)count + 1);
  event = next_but_writable(h);
  CHECK(is_text(&event, words), "the peer receives all messages in order");
  CHECK(ws_get_stats(h, &stats, sizeof stats) == WS_OK && stats.queued_bytes_out == 0 && stats.queued_packets_out == 0,
        "the queue is empty afterwards");
  ws_free(hear);
  ws_free(h);
}

/* The close is queued after data that the peer does not read, and ends by its timeout. */
static void deaf_at_the_close(void) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.outbound_bytes = ROOM;
  config.close_timeout_ms = 300;
  ws_handle h = opened("/deaf", &config);
  fill(h, 0);
  ws_close(h, 1000, "enough");
  ws_event event = next_but_writable(h);
  CHECK(event.type == WS_EVENT_CLOSED && event.code == 1006 && event.cause == WS_CAUSE_CLOSE_TIMEOUT &&
            event.unsent > 0 && !event.clean,
        "a close that a peer does not read ends by its timeout, and what was not sent is counted");
  ws_free(h);
}

/* ---- A hidden tab ---- */

/* Brings another tab to the front for this time, and counts this tab's frames while it is hidden. */
EM_JS(void, rest_behind_another, (int ms), {
  var tab = window.open('about:blank');
  window.awake = false;
  window.sawHidden = false;
  window.framesHidden = 0;
  function hidden() { window.sawHidden = window.sawHidden || document.hidden; }
  function frame() {
    if (document.hidden) window.framesHidden++;
    if (!window.awake) requestAnimationFrame(frame);
  }
  document.addEventListener('visibilitychange', hidden);
  requestAnimationFrame(frame);
  setTimeout(function () {
    if (tab) tab.close();
    window.awake = true;
  }, ms);
})
EM_JS(int, is_awake, (void), { return window.awake ? 1 : 0; })
EM_JS(int, was_hidden, (void), { return window.sawHidden ? 1 : 0; })
EM_JS(int, frames_hidden, (void), { return window.framesHidden; })

static void asleep(void) {
  enum { COUNT = 3000 };
  ws_handle h = opened("/flood?count=3000&ms=600", NULL);
  rest_behind_another(1000);
  while (!is_awake()) emscripten_sleep(50);
  for (double limit = now_s() + 20; ws_get_available(h) < COUNT && now_s() < limit;) emscripten_sleep(5);
  CHECK(frames_hidden() <= 1, was_hidden() ? "a hidden tab has no frames" : "this browser hides no tab");
  CHECK(ws_get_available(h) == COUNT && ws_get_state(h) == WS_OPEN, "messages received by a hidden tab are queued");
  CHECK(take_numbered(h, COUNT), "they are readable in order when the tab is shown again");
  ws_free(h);
  h = opened("/flood?count=3000&ms=300", NULL);
  for (double until = now_s() + 0.6; now_s() < until;) {
  }
  CHECK(take_numbered(h, COUNT), "a page that computes for long loses no message");
  ws_free(h);
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.inbound_packets = 1000;
  h = opened("/flood?count=3000&ms=300", &config);
  for (double limit = now_s() + 20; ws_get_state(h) == WS_OPEN && now_s() < limit;) emscripten_sleep(20);
  CHECK(ws_get_available(h) == 1000 && take_numbered(h, 1000), "messages up to the limit are readable");
  ws_event event = next(h);
  CHECK(event.type == WS_EVENT_CLOSED && event.code == 1008 && event.cause == WS_CAUSE_NOT_READING,
        "above the limit the connection is closed with NOT_READING");
  ws_free(h);
}

/* ---- Close codes in both directions ---- */

static void codes_from_the_peer(void) {
  static const int32_t codes[] = {1000, 1001, 1008, 1011, 3000, 4999};
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    char path[32];
    snprintf(path, sizeof path, "/close?code=%d", (int)codes[i]);
    ws_handle h = opened(path, NULL);
    ws_event words = next(h);
    CHECK(is_text(&words, "last words"), "the message before the close is delivered first");
    ws_event request = next(h);
    CHECK(request.type == WS_EVENT_CLOSE_REQUEST && request.code == codes[i] &&
              !strcmp((const char *)request.packet.data, "as asked"),
          "CLOSE_REQUEST has code and reason");
    ws_event end = next(h);
    CHECK(end.type == WS_EVENT_CLOSED && end.code == codes[i] && end.clean && end.cause == WS_CAUSE_CLOSED_BY_PEER,
          "CLOSED has the code");
    ws_free(h);
  }
}

static void codes_to_the_peer(void) {
  static const struct {
    int32_t asked;
    const char *seen;
  } codes[] = {{0, "1000 so long"},    {1000, "1000 so long"}, {1001, "4001 so long"},
               {1008, "4008 so long"}, {3000, "3000 so long"}, {4999, "4999 so long"}};
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    ws_handle noted = opened("/noted", NULL), h = opened("/note", NULL);
    ws_close(h, codes[i].asked, "so long");
    ws_event end = next(h), seen = next(noted);
    CHECK(end.type == WS_EVENT_CLOSED && end.code == (codes[i].asked ? codes[i].asked : 1000) && end.clean,
          "the code is reported as requested");
    CHECK(is_text(&seen, codes[i].seen), codes[i].seen);
    ws_free(h);
    ws_free(noted);
  }
  ws_handle noted = opened("/noted", NULL), h = opened("/note", NULL);
  ws_free(h);
  ws_event seen = next(noted);
  CHECK(is_text(&seen, "4001 "), "ws_free sends the close code 4001");
  ws_free(noted);
}

/* ---- A server that is killed while messages are queued at both ends ---- */

static void killed(void) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.outbound_bytes = ROOM;
  ws_handle deaf = opened("/deaf", &config), flooded = opened("/flood?count=500&ms=10", NULL);
  fill(deaf, 0);
  for (double limit = now_s() + 20; ws_get_available(flooded) < 500 && now_s() < limit;) emscripten_sleep(5);
  char url[256];
  ws_handle last = 0;
  snprintf(url, sizeof url, "%s/die", base);
  ws_connect(url, NULL, &last);
  for (double limit = now_s() + 20;
       (ws_get_state(flooded) != WS_CLOSED || ws_get_state(deaf) != WS_CLOSED) && now_s() < limit;)
    turn(deaf);
  ws_event event = next_but_writable(deaf);
  CHECK(event.type == WS_EVENT_CLOSED && event.code == 1006 && event.cause == WS_CAUSE_PEER_GONE && event.unsent > 0,
        "queued messages to a killed server are counted as unsent");
  CHECK(ws_get_available(flooded) == 500 && take_numbered(flooded, 500),
        "all messages it had sent are readable in order");
  event = next(flooded);
  CHECK(event.type == WS_EVENT_CLOSED && event.code == 1006 && !event.clean && event.cause == WS_CAUSE_PEER_GONE &&
            event.unsent == 0,
        "its end is reported after them");
  CHECK(ws_next_event(flooded, &event) == WS_EMPTY, "CLOSED is the last");
  ws_shutdown();
}

/* ---- TLS ---- */

static void wss(int count, char **urls) {
  base = urls[0];
  ws_handle h = opened("", NULL);
  char words[32], text[128];
  for (int i = 0; i < 100; i++) {
    snprintf(words, sizeof words, "over TLS %d", i);
    ws_put_packet(h, (const uint8_t *)words, strlen(words), WS_TEXT);
  }
  int good = 0;
  for (int i = 0; i < 100; i++) {
    snprintf(words, sizeof words, "over TLS %d", i);
    ws_event event = next(h);
    good += is_text(&event, words);
  }
  CHECK(good == 100, "messages over wss are echoed");
  CHECK(ws_get_text(h, WS_GET_URL, text, sizeof text, NULL) == WS_OK && !strncmp(text, "wss://", 6),
        "WS_GET_URL is wss");
  CHECK(ws_get_text(h, WS_GET_TLS, text, sizeof text, NULL) == WS_ERR_UNSUPPORTED,
        "TLS version and cipher are not available");
  ws_close(h, 0, NULL);
  ws_event event = next(h);
  CHECK(event.type == WS_EVENT_CLOSED && event.code == 1000 && event.clean, "a wss connection closes normally");
  ws_free(h);
  for (int i = 1; i < count; i++) {
    CHECK(ws_connect(urls[i], NULL, &h) == WS_OK, urls[i]);
    event = next(h);
    CHECK(event.type == WS_EVENT_CLOSED && event.code == 1006 && !event.clean && event.phase == WS_PHASE_NONE &&
              strstr((const char *)event.packet.data, "certificate"),
          "a certificate that the browser does not trust opens nothing, and the words name it among the reasons");
    ws_free(h);
  }
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  if (!strcmp(argv[1], "wss")) {
    wss(argc - 2, argv + 2);
    FINISH();
  }
  base = argv[1];
  codes_from_the_peer();
  codes_to_the_peer();
  asleep();
  deaf_peer();
  deaf_at_the_close();
  killed();
  FINISH();
}
