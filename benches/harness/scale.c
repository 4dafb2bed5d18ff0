/* The role `scale`: a server of many clients, which sends their messages back. benches/scale/run.py opens the clients,
 * gives commands on standard input, and reads this process's CPU time and memory from outside. Between commands the
 * server waits for clients. Each command is answered with one line of JSON:
 *   polls N                 N calls of server_poll(0) in a row, with nothing to do
 *   frames HZ SECONDS       a frame loop: what a frame costs in which the server is polled until nothing is left to
 *                           do or the frame is over
 *   put LEN                 one message to all clients
 *   rooms                   makes the rooms
 *   publish ROOMS LEN       one message to the clients of each room
 *   longest                 the longest single call since the last command
 * The end of the input ends the program. */
#include "pattern.h"
#include "run.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { BLOCKS = 20, MOST = 4096 };

/* Weak: a contestant may leave these out. */
__attribute__((weak)) int server_more(void) { return 0; }
__attribute__((weak)) void server_make_rooms(void) {}
__attribute__((weak)) void server_publish(size_t room __attribute__((unused)),
                                          const uint8_t *data __attribute__((unused)),
                                          size_t len __attribute__((unused))) {
  bench_fail("has no topics");
}

static uint64_t thread_ns(void) { return clock_ns(CLOCK_THREAD_CPUTIME_ID); }

static int by_size(const void *a, const void *b) {
  uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
  return (one > other) - (one < other);
}

/* The cheapest of some blocks: other processes only add to the cost. */
static void polls(size_t count) {
  uint64_t best = UINT64_MAX;
  size_t each = count / BLOCKS;
  options.histogram = 0; /* reading the clock costs more than such a poll */
  for (int i = 0; i < BLOCKS; i++) {
    uint64_t took = thread_ns();
    for (size_t n = 0; n < each; n++) server_poll(0);
    took = thread_ns() - took;
    if (took < best) best = took;
  }
  options.histogram = 1;
  printf("{\"poll_ns\": %.1f}\n", (double)best / (double)each);
}

static void frames(double hz, double seconds) {
  size_t count = (size_t)(hz * seconds), polled = 0;
  uint64_t *costs = calloc(count, sizeof *costs), sum = 0, period = (uint64_t)(1e9 / hz), late = 0;
  uint64_t next = clock_ns(CLOCK_MONOTONIC);
  calls_clear();
  for (size_t i = 0; i < count; i++) {
    uint64_t began = thread_ns();
    next += period;
    do {
      server_poll(0);
      polled++;
    } while (server_more() && clock_ns(CLOCK_MONOTONIC) < next);
    costs[i] = thread_ns() - began;
    sum += costs[i];
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    if (now > next) {
      late++;
      next = now;
    }
    struct timespec until = {(time_t)(next / 1000000000u), (long)(next % 1000000000u)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
  }
  qsort(costs, count, sizeof *costs, by_size);
  printf("{\"frames\": %zu, \"late\": %llu, \"polls\": %zu, \"frame_ns\": %.1f, \"median_ns\": %llu, \"p99_ns\": %llu, "
         "\"longest_frame_ns\": %llu, ",
         count, (unsigned long long)late, polled, (double)sum / (double)count, (unsigned long long)costs[count / 2],
         (unsigned long long)costs[count * 99 / 100], (unsigned long long)costs[count - 1]);
  calls_print();
  printf("}\n");
  free(costs);
}

/* One message to all, or one to each room. */
static void put(size_t rooms, size_t len) {
  static uint8_t payload[MOST];
  uint64_t longest = 0, began, sum = 0;
  if (len > sizeof payload) bench_fail("a message that is too long");
  pattern_fill(payload, len);
  calls_clear();
  for (size_t i = 0; i < (rooms ? rooms : 1); i++) {
    began = thread_ns();
    if (rooms) server_publish(i, payload, len);
    else server_put(payload, len);
    began = thread_ns() - began;
    sum += began;
    if (began > longest) longest = began;
  }
  printf("{\"call_ns\": %.1f, \"longest_ns\": %llu}\n", (double)sum / (double)(rooms ? rooms : 1),
         (unsigned long long)longest);
}

static void obey(const char *line) {
  size_t count, len;
  double hz, seconds;
  if (sscanf(line, "polls %zu", &count) == 1) polls(count);
  else if (sscanf(line, "frames %lf %lf", &hz, &seconds) == 2) frames(hz, seconds);
  else if (sscanf(line, "put %zu", &len) == 1) put(0, len);
  else if (sscanf(line, "publish %zu %zu", &count, &len) == 2) put(count, len);
  else if (strncmp(line, "longest", 7) == 0) {
    printf("{");
    calls_print();
    printf("}\n");
  } else if (strncmp(line, "rooms", 5) == 0) {
    uint64_t began = thread_ns();
    server_make_rooms();
    printf("{\"rooms_ns\": %llu}\n", (unsigned long long)(thread_ns() - began));
  } else bench_fail("an unknown command");
}

int run_scale(void) {
  struct rlimit files;
  char line[256];
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  options.histogram = 1;
  setvbuf(stdin, NULL, _IONBF, 0);
  printf("port %d\n", server_open());
  for (;;) {
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, 0) <= 0) server_poll(20);
    else if (fgets(line, sizeof line, stdin)) obey(line);
    else break;
  }
  _Exit(0);
}
