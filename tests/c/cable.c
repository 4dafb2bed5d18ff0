/* One end of a connection whose cable is pulled: prints "ready" or "open", then how it ended. Usage: cable
   server|client URL */
#include "check.h"

int main(int argc, char **argv) {
  ws_config config;
  ws_handle h;
  ws_event event;
  if (argc < 3) return 2;
  int server = !strcmp(argv[1], "server");
  ws_config_init(&config, sizeof config);
  config.heartbeat_ms = 200;
  config.pong_timeout_ms = 600;
  config.connect_timeout_ms = 1500;
  if ((server ? ws_listen : ws_connect)(argv[2], &config, &h) < 0) {
    printf("%s\n", why());
    return 1;
  }
  if (server) printf("ready\n");
  fflush(stdout);
  for (double end = now_s() + 60; now_s() < end;) {
    ws_wait(&h, 1, 20);
    ws_poll(h);
    while (ws_next_event(h, &event) == WS_OK) {
      if (event.type == WS_EVENT_OPEN || event.type == WS_EVENT_CONNECTED) printf("open\n");
      if (event.type == WS_EVENT_CLOSED || event.type == WS_EVENT_DISCONNECTED) {
        printf("end phase=%d cause=%d code=%d clean=%u: %s\n", event.phase, event.cause, event.code, event.clean,
               (const char *)event.packet.data);
        return 0;
      }
      fflush(stdout);
    }
  }
  FINISH();
}
