/* Shared by the files of the harness: the options of the command line, the clocks, the end of a failed run. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct options options = {.mode = "frame", .len = 64, .burst = 32, .seconds = 1, .warm = 0.2, .hz = 60};

uint64_t clock_ns(int clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int bench_variant(const char *name) {
  size_t len = strlen(name);
  for (const char *at = options.variant; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
    if (strcspn(at, ",") == len && strncmp(at, name, len) == 0) return 1;
  }
  return 0;
}

const char *bench_cert(void) {
  return options.cert;
}

const char *bench_key(void) {
  return options.key;
}

void bench_fail(const char *why) {
  fprintf(stderr, "broken: %s\n", why);
  exit(1);
}
