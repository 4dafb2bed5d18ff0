/* A connection of a page to the local network. Usage: local URL, of an echo server. Prints whether it opened, or the
   cause and the text. */
#include "../c/check.h"

#include <emscripten.h>

int main(int argc, char **argv) {
  char text[256] = "";
  ws_handle h = 0;
  if (argc < 2 || ws_connect(argv[1], NULL, &h) < 0) return 2;
  ws_event event;
  memset(&event, 0, sizeof event);
  for (double limit = now_s() + 20; ws_next_event(h, &event) != WS_OK && now_s() < limit;) {
    ws_poll(h);
    emscripten_sleep(1);
  }
  ws_get_text(h, WS_GET_ERROR, text, sizeof text, NULL);
  if (event.type == WS_EVENT_OPEN) printf("open\n");
  else printf("event %d phase %d cause %d: %s\n", (int)event.type, (int)event.phase, (int)event.cause, text);
  return event.type == WS_EVENT_OPEN || event.type == WS_EVENT_CLOSED ? 0 : 1;
}
