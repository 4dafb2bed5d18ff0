/* The contents of every message: its number in the first 4 bytes, then a pattern that both sides know. */
#ifndef BENCH_PATTERN_H
#define BENCH_PATTERN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SEQ = 4, LONGEST = 4 << 20 };

static inline void pattern_fill(uint8_t *payload, size_t len) {
  for (size_t i = 0; i < len; i++) payload[i] = (uint8_t)(i * 31 + (i >> 8) * 7 + 5);
}

static inline void pattern_number(uint8_t *payload, uint32_t number) {
  memcpy(payload, &number, SEQ);
}

#endif
