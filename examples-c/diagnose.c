/* Finds out why a client cannot connect, and prints each step with its time. The exit code is 0 if everything works.
 * Usage: diagnose URL [CA.pem [PROXY]] */
#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>

static char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  char *text = calloc(1, 1 << 20);
  if (text) (void)fread(text, 1, (1 << 20) - 1, file);
  fclose(file);
  return text;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: %s URL [CA.pem [PROXY]]\n", argv[0]);
    return 2;
  }
  ws_config config;
  ws_config_init(&config, sizeof config);
  char *ca = argc > 2 && argv[2][0] ? read_file(argv[2]) : NULL;
  config.ca_pem = ca;
  if (argc > 3) config.proxy = argv[3];

  ws_handle diagnosis;
  ws_result result = ws_diagnose(argv[1], &config, &diagnosis);
  free(ca); /* ws_diagnose() has copied it */
  if (result < 0) {
    char why[256];
    ws_last_error(why, sizeof why, NULL);
    fprintf(stderr, "%s: %s\n", ws_result_name(result), why);
    return 2;
  }

  uint64_t start = 0;
  int32_t cause = 0;
  for (int running = 1; running;) {
    ws_poll(diagnosis);
    ws_event event;
    while (ws_next_event(diagnosis, &event) == WS_OK) {
      if (!start) start = event.time_ns;
      double ms = (double)(event.time_ns - start) / 1e6;
      if (event.type == WS_EVENT_STEP)
        printf("%9.1f ms %c %s\n", ms, event.cause ? '!' : ' ', (const char *)event.packet.data);
      if (event.type == WS_EVENT_CLOSED) {
        printf("\n%s\n", (const char *)event.packet.data);
        cause = event.cause;
        running = 0;
      }
    }
    ws_wait(&diagnosis, 1, 16); /* a game would draw its frame here */
  }
  ws_free(diagnosis);
  ws_shutdown();
  return cause == WS_CAUSE_NONE ? 0 : 1;
}
