/* What only a page has: events that are hints, pages that go, browsers without randomness.
   Usage: session_page URL (tests/web/session_server.c plain) URL (tests/web/heart.c) */
#include "wspeer.h"

#include <emscripten.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static ws_handle handle;
static ws_event last;
static char words[100];
static int failures;

static void check(int good, const char *what) {
  failures += !good;
  printf("%s - %s\n", good ? "ok" : "not ok", what);
}

/* Whether an event of this type comes. */
static int comes(int32_t type) {
  for (time_t limit = time(NULL) + 60; time(NULL) < limit; emscripten_sleep(1)) {
    ws_poll(handle);
    while (ws_next_event(handle, &last) == WS_OK) {
      snprintf(words, sizeof words, "%.*s", (int)last.packet.len, (const char *)last.packet.data);
      if (last.type == type) return 1;
      if (last.type == WS_EVENT_CLOSED) return 0;
    }
  }
  return 0;
}

static void put(const char *text) { ws_put_packet(handle, (const uint8_t *)text, strlen(text), WS_TEXT); }

static int opens(const char *url, uint32_t session_ms, uint32_t flags) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.session_ms = session_ms;
  config.flags = flags;
  ws_free(handle);
  return ws_connect(url, &config, &handle) == WS_OK && comes(WS_EVENT_OPEN);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  int opened = opens(argv[1], 30000, 0);
  EM_ASM({ window.dispatchEvent(new Event('offline')); });
  EM_ASM({ document.dispatchEvent(new Event('visibilitychange')); });
  EM_ASM({ window.dispatchEvent(new window.PageTransitionEvent('pagehide', { persisted: true })); });
  put("stays");
  check(opened && comes(WS_EVENT_MESSAGE) && !strcmp(words, "stays"), "a page that may come back keeps its session");
  check(ws_hint(handle, 99) == WS_ERR_ARG && ws_hint(0, WS_HINT_RESUME) == WS_ERR_HANDLE, "hints are checked");
  ws_hint(handle, WS_HINT_NETWORK_CHANGED);
  check(ws_get_state(handle) == WS_OPEN && comes(WS_EVENT_LOST), "a changed network moves the session");
  put("one");
  check(comes(WS_EVENT_RESUMED) && comes(WS_EVENT_MESSAGE) && !strcmp(words, "one"), "the session goes on");
  EM_ASM({ window.dispatchEvent(new window.PageTransitionEvent('pagehide', { persisted: false })); });
  check(comes(WS_EVENT_CLOSED), "a page that goes ends its session");
  opened = opens(argv[1], 30000, 0);
  put("gone");
  check(opened && comes(WS_EVENT_MESSAGE) && !strcmp(words, "1 gone, 1 lost"), "the server waits for nobody");
  /* A link whose server is silent. */
  opened = opens(argv[2], 0, WS_APP_HEARTBEAT);
  put("query");
  check(opened && comes(WS_EVENT_MESSAGE), "a server with the heartbeat");
  /* A ping that arrives together with the word would be answered. */
  put("halt");
  comes(WS_EVENT_MESSAGE);
  const double began = emscripten_get_now();
  ws_hint(handle, WS_HINT_RESUME);
  check(comes(WS_EVENT_CLOSED) && last.cause == WS_CAUSE_PONG_TIMEOUT && emscripten_get_now() - began < 30000,
        "a hint finds a dead link");
  EM_ASM({ Object.defineProperty(crypto, 'getRandomValues', { value: undefined }); });
  opened = opens(argv[1], 30000, 0);
  int good = opened && comes(WS_EVENT_ERROR) && last.cause == WS_CAUSE_SESSION;
  put("without");
  check(good && comes(WS_EVENT_MESSAGE) && !strcmp(words, "without"), "no session without randomness");
  ws_free(handle);
  return failures;
}
