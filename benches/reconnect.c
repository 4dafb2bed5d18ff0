/* CPU cost of repeated wss connections of a client, to a server whose tickets resume a session and to one without
 * tickets:
 *   reconnect PORT_WITH_TICKETS PORT_WITHOUT CA.pem
 * A connection: ws_connect to OPEN, one message there and back, dropped. CPU is that of the process, the library's
 * worker included. The two alternate in blocks; the first block of each does not count. Prints medians, and the median
 * of the ratios within a round. */
#define _POSIX_C_SOURCE 200809L
#include "harness/pattern.h"
#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 15, BLOCK = 40 };

static ws_config config;

static void check(int ok, const char *what) {
  char why[512] = "";
  if (ok) return;
  ws_last_error(why, sizeof why, NULL);
  fprintf(stderr, "reconnect: %s: %s\n", what, why);
  exit(1);
}

static double cpu_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static ws_event awaited(ws_handle h, int type) {
  ws_event event;
  for (;;) {
    while (ws_next_event(h, &event) == WS_OK) {
      if (event.type == type) return event;
      check(event.type != WS_EVENT_CLOSED, event.packet.data ? (const char *)event.packet.data : "closed");
    }
    ws_wait(&h, 1, 5000);
    ws_poll(h);
  }
}

static void connect_once(const char *port) {
  char url[64];
  ws_handle h;
  snprintf(url, sizeof url, "wss://127.0.0.1:%s/", port);
  check(ws_connect(url, &config, &h) == WS_OK, "ws_connect");
  awaited(h, WS_EVENT_OPEN);
  uint8_t message[64];
  pattern_fill(message, sizeof message);
  pattern_number(message, 0);
  check(ws_put_packet(h, message, sizeof message, WS_BINARY) == WS_OK, "ws_put_packet");
  awaited(h, WS_EVENT_MESSAGE);
  check(ws_close(h, -1, NULL) == WS_OK, "ws_close");
  ws_free(h);
}

static double block_us(const char *port) {
  double start = cpu_us();
  for (int i = 0; i < BLOCK; i++) connect_once(port);
  return (cpu_us() - start) / BLOCK;
}

static int by_size(const void *a, const void *b) {
  double one = *(const double *)a, other = *(const double *)b;
  return (one > other) - (one < other);
}

static double median(double *values) {
  qsort(values, ROUNDS, sizeof *values, by_size);
  return values[ROUNDS / 2];
}

int main(int count, char **words) {
  static char pem[1 << 16];
  double resumed[ROUNDS], full[ROUNDS], ratio[ROUNDS];
  FILE *file = count == 4 ? fopen(words[3], "rb") : NULL;
  check(file && fread(pem, 1, sizeof pem - 1, file) > 0, "usage: reconnect PORT_WITH_TICKETS PORT_WITHOUT CA.pem");
  fclose(file);
  ws_config_init(&config, sizeof config);
  config.ca_pem = pem;
  config.flags = WS_ONLY_CA_PEM;
  block_us(words[1]);
  block_us(words[2]);
  for (int i = 0; i < ROUNDS; i++) {
    resumed[i] = block_us(words[1]);
    full[i] = block_us(words[2]);
    ratio[i] = resumed[i] / full[i];
  }
  double shares = median(ratio);
  printf("CPU of a connection, %d rounds of %d: resumed %.0f us, full handshake %.0f us, resumed / full %.2f\n", ROUNDS,
         BLOCK, median(resumed), median(full), shares);
  return 0;
}
