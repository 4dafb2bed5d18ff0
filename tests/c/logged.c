/* A server that a client leaves, another that has not its path, and a client that finds nobody: what is logged of it.
   Prints what ws_get_log() gives at the level of its argument. Usage: logged LEVEL */
#include "check.h"

static void run(ws_handle *handles, size_t count, ws_handle until_over) {
  double end = now_s() + 20;
  for (int over = 0; !over && now_s() < end;) {
    for (size_t i = 0; i < count; i++) {
      ws_event event;
      ws_poll(handles[i]);
      while (ws_next_event(handles[i], &event) == WS_OK)
        over |= handles[i] == until_over && event.type == WS_EVENT_CLOSED;
    }
    ws_wait(handles, count, 5);
  }
}

int main(int argc, char **argv) {
  char url[128], line[2048];
  ws_handle server, nobody, handles[2];
  if (argc > 1) ws_set_log_level(atoi(argv[1]));
  if (ws_listen("ws://127.0.0.1:0/game", NULL, &server) < 0) return 1;
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
  handles[0] = server;
  /* A secret that must not be logged. */
  strncat(url, "?token=hunter2", sizeof url - strlen(url) - 1);
  if (ws_connect(url, NULL, &handles[1]) < 0) return 1;
  ws_close(handles[1], 1000, NULL);
  run(handles, 2, handles[1]);
  ws_free(handles[1]);
  *strstr(url, "/game") = 0;
  if (ws_connect(url, NULL, &handles[1]) < 0) return 1;
  run(handles, 2, handles[1]);
  ws_free(handles[1]);
  ws_free(server);
  if (ws_connect(url, NULL, &nobody) < 0) return 1;
  run(&nobody, 1, nobody);
  ws_free(nobody);
  while (ws_get_log(line, sizeof line, NULL) == WS_OK) printf("%s\n", line);
  return 0;
}
