/* The durations of single calls in thread CPU time, as a histogram by powers of two. */
#include "run.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t began, longest, calls, buckets[64];

void bench_call_begins(void) {
  if (options.histogram) began = clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

void bench_call_ends(void) {
  if (!options.histogram) return;
  uint64_t took = clock_ns(CLOCK_THREAD_CPUTIME_ID) - began;
  buckets[64 - __builtin_clzll(took | 1)]++;
  if (took > longest) longest = took;
  calls++;
}

void calls_clear(void) {
  longest = calls = 0;
  memset(buckets, 0, sizeof buckets);
}

void calls_print(void) {
  printf("\"calls\": %llu, \"longest_ns\": %llu, \"below_2_to\": [", (unsigned long long)calls,
         (unsigned long long)longest);
  for (int i = 0; i < 40; i++) printf("%s%llu", i ? ", " : "", (unsigned long long)buckets[i]);
  printf("]");
}
