/* The chat's client in a page: the same calls as in examples-c/chat.c, once a frame. The page queues what the user does
 * until this program takes it.
 * `make examples-web` builds it; docs/web.md says how to open it. */
#include "wspeer.h"

#include <emscripten.h>
#include <stdio.h>
#include <string.h>

#ifdef EM_JS_DEPS
EM_JS_DEPS(page, "$UTF8ToString,$stringToUTF8")
#endif

/* clang-format off */
EM_JS(void, page_line, (const char *name, const char *text), { page.line(UTF8ToString(name), UTF8ToString(text)) })
EM_JS(void, page_note, (const char *text), { page.note(UTF8ToString(text)) })
EM_JS(void, page_state, (int state, double rtt_ms), { page.state(state, rtt_ms) })

/* The user's next action: 0 none, 1 join (text: the URL), 2 say a line, 3 leave. */
EM_JS(int, page_deed, (char *text, int cap), {
  var deed = page.deeds.shift();
  if (!deed) return 0;
  stringToUTF8(deed.text, text, cap);
  return deed.kind;
})
/* clang-format on */

enum { NOTHING, JOIN, SAY, LEAVE };

static ws_handle handle;

static void tell_error(void) {
  char why[256];
  ws_last_error(why, sizeof why, NULL);
  page_note(why);
}

static void join(const char *url) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_APP_HEARTBEAT;
  config.heartbeat_ms = 1000;
  config.pong_timeout_ms = 5000;
  ws_free(handle);
  handle = 0;
  if (ws_connect(url, &config, &handle) < 0) tell_error();
}

/* "Ada: hello" was said by Ada; other lines are notices. */
static void show(const char *data, size_t len) {
  static char line[4096];
  if (len > sizeof line - 1) len = sizeof line - 1;
  memcpy(line, data, len);
  line[len] = 0;
  char *colon = strstr(line, ": ");
  if (!colon) {
    page_note(line);
    return;
  }
  *colon = 0;
  page_line(line, colon + 2);
}

static void frame(void) {
  static char text[2048];
  int deed;
  while ((deed = page_deed(text, sizeof text)) != NOTHING) {
    if (deed == JOIN) join(text);
    if (deed == SAY && ws_put_packet(handle, (const uint8_t *)text, strlen(text), WS_TEXT) < 0) tell_error();
    if (deed == LEAVE) ws_close(handle, 1000, "");
  }
  if (!handle) return;
  ws_poll(handle);
  ws_event event;
  while (ws_next_event(handle, &event) == WS_OK) {
    if (event.type == WS_EVENT_MESSAGE) show((const char *)event.packet.data, event.packet.len);
    if (event.type == WS_EVENT_ERROR || event.type == WS_EVENT_CLOSED) page_note((const char *)event.packet.data);
  }
  ws_stats stats;
  double rtt = ws_get_stats(handle, &stats, sizeof stats) == WS_OK ? (double)stats.rtt_us / 1000 : 0;
  page_state(ws_get_state(handle), rtt);
}

int main(void) {
  emscripten_set_main_loop(frame, 0, 0);
  return 0;
}
