/* Shared by the tests of permessage-deflate: payloads, and the longest call in CPU time of the thread. */
#ifndef DEFLATE_H
#define DEFLATE_H

#include "check.h"

/* The budget of 1 ms, plus half a millisecond of tolerance for the slice in progress when it is exhausted: the slowest
   machine measured took 1.25 ms. */
static const double CPU_LIMIT_S = 0.0015;
static const size_t LONG_BYTES = 16u << 20;

static uint8_t *zeros, *text, *noise;
static double longest;

static inline double cpu_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#define TIMED(call)                                  \
  do {                                               \
    double cpu_ = cpu_now();                         \
    (void)(call);                                    \
    cpu_ = cpu_now() - cpu_;                         \
    if (cpu_ > longest) longest = cpu_;              \
  } while (0)

/* Other processes can only lengthen a measurement: a call over the limit is measured again, up to five times. */
static int attempt, over;

#define MEASURE(scenario)                                        \
  for (attempt = 1, over = 1; over && attempt <= 5; attempt++) { \
    longest = 0;                                                 \
    scenario;                                                    \
  }

static inline void report(const char *name) {
  over = longest >= CPU_LIMIT_S;
  printf("figure: %-44s longest call %7.1f us CPU\n", name, longest * 1e6);
  if (!over || attempt == 5) CHECK(!over, name);
}

static inline ws_config config_of(uint32_t flags) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_DEFLATE | flags;
  return config;
}

static inline ws_stats stats_of(ws_handle h) {
  ws_stats stats = {0};
  ws_get_stats(h, &stats, sizeof stats);
  return stats;
}

static inline ws_result put(ws_handle h, const uint8_t *data, size_t len) {
  return ws_put_packet(h, data, len, WS_BINARY);
}

/* Takes the messages of `h`: their lengths must be those of `lengths` from *next on, and their bytes those of `data`.
   */
static inline int take(ws_handle h, const uint8_t *const *data, const size_t *lengths, int count, int *next) {
  ws_packet packet;
  int good = 1;
  while (ws_get_packet(h, &packet) == WS_OK) {
    good &= *next < count && packet.len == lengths[*next] &&
            (packet.len == 0 || !memcmp(packet.data, data[*next], packet.len));
    ++*next;
  }
  return good;
}

/* Payloads: zeros, JSON-like text, and noise. */
static inline void make_payloads(void) {
  zeros = calloc(1, LONG_BYTES);
  text = malloc(LONG_BYTES);
  noise = malloc(LONG_BYTES);
  uint32_t state = 1;
  for (size_t i = 0; i < LONG_BYTES; i++) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    noise[i] = (uint8_t)(state >> 24);
    text[i] = (uint8_t)(i % 64 < 50 ? "{\"entity\": 17, \"position\": [1.0, 2.5, 3.25], \"name\":"[i % 64]
                                    : 'a' + noise[i] % 16);
  }
}

static inline void free_payloads(void) {
  free(zeros);
  free(text);
  free(noise);
}

#endif
