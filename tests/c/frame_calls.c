/* A client's frames against an echo server, for strace to count the system calls: each frame sends and receives 32
   messages, with WS_COALESCE. Prints the number of polls and frames. Usage: frame_calls URL */
#include "check.h"

#include <fcntl.h>
#include <unistd.h>

enum { FRAMES = 200, PER_FRAME = 32 };

/* Marks a place in the trace by opening a file that does not exist. */
static void mark(const char *name) { (void)!open(name, O_RDONLY); }

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_COALESCE;
  ws_handle h;
  if (ws_connect(argv[1], &config, &h) < 0) return 2;
  double end = now_s() + 30;
  while (ws_get_state(h) != WS_OPEN && now_s() < end) {
    ws_wait(&h, 1, 20);
    ws_poll(h);
  }
  uint8_t payload[64] = {7};
  ws_packet packet;
  long polls = 0;
  mark("/frames/begin");
  for (int frame = 0; frame < FRAMES && now_s() < end; frame++) {
    for (int i = 0; i < PER_FRAME; i++) ws_put_packet(h, payload, sizeof payload, WS_BINARY);
    ws_flush(h);
    for (int back = 0; back < PER_FRAME && now_s() < end;) {
      polls++;
      ws_poll(h);
      while (ws_get_packet(h, &packet) == WS_OK) back++;
    }
  }
  mark("/frames/end");
  CHECK(now_s() < end, "all messages come back");
  printf("polls %ld frames %d\n", polls, FRAMES);
  ws_close(h, 0, NULL);
  ws_poll(h);
  ws_free(h);
  ws_shutdown();
  FINISH();
}
