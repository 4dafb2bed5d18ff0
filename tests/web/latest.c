/* Positions over a slow simulated line, which newer ones replace, and other messages between them: the same lines
 * natively and in a browser. The server sends back what it gets. Usage: latest URL */
#include "wspeer.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { OBJECTS = 50, BYTES = 40, FRAMES = 180, FRAME_MS = 16 };

static ws_handle handle;

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* What came back: the age of the oldest position after the first second, and whether the others came in order. */
static struct {
  double oldest_ms;
  int positions, others, wrong;
} came;

static void hear(double began) {
  ws_event event;
  ws_poll(handle);
  while (ws_next_event(handle, &event) == WS_OK) {
    char words[BYTES] = "";
    int number = -1;
    double at = 0;
    if (event.type != WS_EVENT_MESSAGE) continue;
    memcpy(words, event.packet.data, event.packet.len < BYTES - 1 ? event.packet.len : BYTES - 1);
    if (sscanf(words, "other %d", &number) == 1) {
      came.wrong += number != came.others++;
    } else if (sscanf(words, "at %lf", &at) == 1) {
      came.positions++;
      if (now_ms() - began > 1000 && now_ms() - at > came.oldest_ms) came.oldest_ms = now_ms() - at;
    } else {
      came.wrong++;
    }
  }
}

static ws_result put(int is_latest, uint32_t key, const char *words) {
  uint8_t bytes[BYTES] = {0};
  memcpy(bytes, words, strlen(words));
  return is_latest ? ws_put_latest(handle, 0, key, bytes, sizeof bytes, WS_BINARY)
                   : ws_put_packet(handle, bytes, sizeof bytes, WS_BINARY);
}

static void play(const char *url, int is_latest) {
  const struct timespec frame = {0, FRAME_MS * 1000000};
  ws_config config;
  ws_stats stats;
  ws_sim sim;
  char words[BYTES];
  int refused = 0, others = 0;
  memset(&came, 0, sizeof came);
  ws_config_init(&config, sizeof config);
  config.outbound_packets = WS_OFF;
  ws_sim_init(&sim, sizeof sim, WS_SIM_NONE);
  sim.up_bytes_per_s = 50000;
  sim.up_burst_bytes = 1400;
  ws_connect(url, &config, &handle);
  ws_set_sim(handle, &sim);
  while (ws_get_state(handle) == WS_CONNECTING) {
    ws_poll(handle);
    nanosleep(&frame, NULL);
  }
  const double began = now_ms();
  for (int i = 0; i < FRAMES; i++, nanosleep(&frame, NULL)) {
    for (uint32_t key = 0; key < OBJECTS; key++) {
      snprintf(words, sizeof words, "at %.3f", now_ms());
      refused += put(is_latest, key, words) != WS_OK;
    }
    if (i % 10 == 0) {
      snprintf(words, sizeof words, "other %d", others++);
      refused += put(0, 0, words) != WS_OK;
    }
    hear(began);
  }
  memset(&stats, 0, sizeof stats);
  ws_get_stats(handle, &stats, sizeof stats);
  const double seconds = (now_ms() - began) / 1e3;
  const int in_time = came.positions;
  for (double limit = now_ms() + 20000; came.others < others && now_ms() < limit; nanosleep(&frame, NULL)) hear(0);
  printf("%s: refused %d, replaced %d, waiting %d, others in order %d\n", is_latest ? "latest" : "plain", refused,
         stats.replaced > 1000, stats.queued_packets_out > 2 * OBJECTS, came.others == others && !came.wrong);
  printf("fresh %d, the line is used %d\n", came.oldest_ms < 500, in_time * (BYTES + 6) > 0.6 * 50000 * seconds);
  fflush(stdout);
  fprintf(stderr, "# oldest position %.0f ms, %.0f bytes a second\n", came.oldest_ms,
          in_time * (BYTES + 6) / seconds);
  ws_free(handle);
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  play(argv[1], 0);
  play(argv[1], 1);
  return 0;
}
