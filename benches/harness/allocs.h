/* The counters of allocs.so. They have this layout in the file $BENCH_ALLOCS too. */
#ifndef BENCH_ALLOCS_H
#define BENCH_ALLOCS_H

#include <stdint.h>

struct counters {
  uint64_t allocations;
  int64_t live_bytes;
  uint64_t clock_reads; /* calls of clock_gettime */
};

/* For the program itself. NULL unless allocs.so is loaded. */
void allocs_read(struct counters *out) __attribute__((weak));
void allocs_pass_time(uint64_t ns) __attribute__((weak)); /* moves all clocks forward */

#endif
