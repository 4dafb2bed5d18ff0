/* URLs that a page completes. The page's server greets each WebSocket with the path and query of its request
   (tests/web/browser.js). Usage: relative */
#include "../c/check.h"

#include <emscripten.h>

static char origin[64]; /* the page's, as "ws://127.0.0.1:9080" */

static void opens(const char *url, const char *path) {
  char whole[256], got[256] = "";
  ws_handle h = 0;
  ws_event event;
  memset(&event, 0, sizeof event);
  ws_result result = ws_connect(url, NULL, &h);
  for (double limit = now_s() + 20; result >= 0 && event.type != WS_EVENT_MESSAGE && now_s() < limit;) {
    ws_poll(h);
    if (ws_next_event(h, &event) != WS_OK) emscripten_sleep(1);
    if (event.type == WS_EVENT_CLOSED) break;
  }
  int greeted = event.type == WS_EVENT_MESSAGE && event.packet.len == strlen(path) &&
                !memcmp(event.packet.data, path, event.packet.len);
  if (!greeted) printf("%s: %d %s\n", url, (int)result, result < 0 ? why() : "");
  CHECK(greeted, url);
  snprintf(whole, sizeof whole, "%s%s", origin, path);
  CHECK(ws_get_text(h, WS_GET_URL, got, sizeof got, NULL) == WS_OK && !strcmp(got, whole), "WS_GET_URL is the whole URL");
  ws_free(h);
}

static void refuses(const char *url, const char *words) {
  ws_handle h = 0;
  ws_result result = ws_connect(url, NULL, &h);
  if (result != WS_ERR_URL || !strstr(why(), words)) printf("%s: %d %s\n", url, (int)result, why());
  CHECK(result == WS_ERR_URL && strstr(why(), words) && h == 0, *url ? url : "an empty URL");
}

int main(void) {
  snprintf(origin, sizeof origin, "%s", emscripten_run_script_string("location.origin.replace('http', 'ws')"));
  const char *host = strstr(origin, "//"); /* "//127.0.0.1:9080" */
  char other[64];
  printf("ok - a page of %.3s\n", origin);
  opens("/ws", "/ws");
  opens("/", "/");
  opens("ws", "/game/ws");
  opens("./ws", "/game/ws");
  opens("../ws?room=1", "/ws?room=1");
  opens("?room=1", "/game/page.html?room=1");
  opens("/ws#part", "/ws");
  opens("/a%20b/../c?d=%2F", "/c?d=%2F");
  opens("/ws://not-a-scheme", "/ws://not-a-scheme");
  opens(host, "/");
  refuses("", "must start with ws:// or wss://");
  refuses("#part", "must start with ws:// or wss://");
  refuses("/w s", "space");
  refuses("//127.0.0.1:1/ws", "names a host");
  refuses("/\\127.0.0.1:1/ws", "names a host");
  refuses("http://127.0.0.1:1/", "must start with ws:// or wss://");
  snprintf(other, sizeof other, "localhost%s", strrchr(origin, ':'));
  refuses(other, "must start with ws:// or wss://");
  FINISH();
}
