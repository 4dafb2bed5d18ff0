/* Shared by the files of the harness. */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include "bench.h"

extern struct options {
  const char *variant, *ca, *cert, *key, *mode;
  int port, histogram;
  size_t len, burst, sleep_us, count, fanout;
  double seconds, warm, hz;
} options;

uint64_t clock_ns(int clock);
void calls_clear(void);
void calls_print(void); /* as members of a JSON object */
int run_client(void);
int run_server(void);
int run_scale(void);

#endif
