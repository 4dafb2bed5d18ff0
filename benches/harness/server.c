/* The server role: echo or fan-out until SIGTERM. The load program measures it from outside; only the idle poll is
 * measured here, on SIGUSR1. */
#include "pattern.h"
#include "run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static volatile sig_atomic_t stop, probe;

static void on_signal(int number) {
  if (number == SIGUSR1) probe = 1;
  else stop = 1;
}

static void measure_idle_poll(void) {
  for (int i = 0; i < 100; i++) server_poll(0);
  uint64_t polls = 0, began = clock_ns(CLOCK_MONOTONIC), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  for (; clock_ns(CLOCK_MONOTONIC) - began < 300000000u; polls += 100) {
    for (int i = 0; i < 100; i++) server_poll(0);
  }
  cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  printf("{\"idle_poll_ns\": %.1f}\n", (double)cpu / (double)polls);
}

/* Sends one numbered message to every client at each tick. */
static void fan_out(void) {
  uint8_t *payload = malloc(options.fanout);
  pattern_fill(payload, options.fanout);
  uint64_t period = (uint64_t)(1e9 / options.hz), next = clock_ns(CLOCK_MONOTONIC) + period;
  for (uint32_t number = 0; !stop;) {
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    server_poll(now < next ? (int)((next - now + 999999) / 1000000) : 0);
    now = clock_ns(CLOCK_MONOTONIC);
    if (now < next) continue;
    next += period;
    if (next < now) next = now + period; /* late: missing ticks show as a lower rate */
    pattern_number(payload, number++);
    server_put(payload, options.fanout);
  }
}

int run_server(void) {
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGUSR1, &action, NULL);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  printf("port %d\n", server_open());
  if (options.fanout) fan_out();
  while (!stop) {
    if (probe) {
      probe = 0;
      measure_idle_poll();
    }
    server_poll(50);
  }
  if (options.histogram) {
    printf("{");
    calls_print();
    printf("}\n");
    fflush(stdout);
  }
  _Exit(0);
}
