/* Connects to argv[1] (argv[2]: subprotocols, argv[3]: max_message_bytes, argv[4]: flags, argv[5]: max_inflate_ratio, 0
   for the defaults) and echoes messages. Prints how the connection ended as one line of NAME=VALUE, with the longest
   ws_poll in microseconds of CPU time. Stays until its standard input ends, like a game: a process that exits resets
   connections with unread data. */
#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double cpu_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec * 1e-3;
}

int main(int argc, char **argv) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.connect_timeout_ms = 3000;
  config.close_timeout_ms = 1000;
  if (argc > 2 && argv[2][0]) config.subprotocols = argv[2];
  if (argc > 3) config.max_message_bytes = (uint32_t)atoi(argv[3]);
  if (argc > 4) config.flags = (uint32_t)atoi(argv[4]);
  if (argc > 5) config.max_inflate_ratio = (uint32_t)strtoul(argv[5], NULL, 10);
  ws_handle h;
  if (argc < 2 || ws_connect(argv[1], &config, &h) < 0) return 1;
  int messages = 0;
  double longest = 0;
  for (;;) {
    double began = cpu_us();
    ws_poll(h);
    double took = cpu_us() - began;
    if (took > longest) longest = took;
    ws_event event;
    while (ws_next_event(h, &event) == WS_OK) {
      if (event.type == WS_EVENT_MESSAGE) {
        messages++;
        ws_put_packet(h, event.packet.data, event.packet.len, event.packet.type);
      }
      if (event.type == WS_EVENT_CLOSED) {
        char body[64], subprotocol[64], extensions[128];
        ws_get_text(h, WS_GET_EXTENSIONS, extensions, sizeof extensions, NULL);
        ws_get_text(h, WS_GET_BODY, body, sizeof body, NULL);
        ws_get_text(h, WS_GET_SUBPROTOCOL, subprotocol, sizeof subprotocol, NULL);
        printf(
            "code=%d phase=%d cause=%d http=%d clean=%u messages=%d poll_us=%.0f subprotocol=%s extensions=%s body=%s sentence=%s\n",
            event.code, event.phase, event.cause, event.http_status, event.clean, messages, longest, subprotocol,
            extensions, body, (const char *)event.packet.data);
        fflush(stdout);
        ws_free(h);
        (void)getchar();
        ws_shutdown();
        return 0;
      }
    }
    ws_wait(&h, 1, 100);
  }
}
