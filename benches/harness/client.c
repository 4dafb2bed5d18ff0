/* The client role: frames, the tight loop and idle polls, and their cost. */
#include "pattern.h"
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint8_t *payload, *expected;
static uint64_t put, got;
static uint64_t in_call; /* thread CPU time inside put, flush and poll */
static uint64_t polls;   /* idle polls */

/* Pause of a frame whose messages are not all back. */
enum { WAIT_US = 200 };

uint64_t bench_outstanding(void) {
  return put - got;
}

/* Checks length, number, and first and last bytes, and every 64th message completely. */
void bench_got(const uint8_t *data, size_t len) {
  if (len != options.len) bench_fail("a message of another length came back");
  uint32_t number;
  memcpy(&number, data, SEQ);
  if (number != (uint32_t)got) bench_fail("a message came back out of order");
  size_t tail = len - SEQ < 8 ? len - SEQ : 8;
  if (memcmp(data + len - tail, expected + len - tail, tail) != 0) bench_fail("a message came back with another end");
  if (got % 64 == 0 && memcmp(data + SEQ, expected + SEQ, len - SEQ) != 0) bench_fail("a message came back changed");
  got++;
}

static void put_some(size_t count) {
  for (size_t i = 0; i < count; i++) {
    pattern_number(payload, (uint32_t)put++);
    client_put(payload, options.len);
  }
}

static void pause_us(uint64_t us) {
  struct timespec time = {.tv_sec = 0, .tv_nsec = (long)us * 1000};
  nanosleep(&time, NULL);
}

static void poll_once(void) {
  uint64_t began = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  client_poll();
  in_call += clock_ns(CLOCK_THREAD_CPUTIME_ID) - began;
}

/* Between polls that do not bring the last message it sleeps, so that the time is that of the work, not of the wait for
 * the other side. */
static void frame(void) {
  uint64_t began = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  put_some(options.burst);
  client_flush();
  in_call += clock_ns(CLOCK_THREAD_CPUTIME_ID) - began;
  if (options.sleep_us) pause_us(options.sleep_us);
  uint64_t limit = clock_ns(CLOCK_MONOTONIC) + 20000000000u;
  while (poll_once(), got < put) {
    pause_us(WAIT_US);
    if (clock_ns(CLOCK_MONOTONIC) > limit) bench_fail("messages did not come back within 20 s");
  }
}

/* Keeps a window of messages outstanding. Half of it is sent at a time; otherwise the window would degenerate into
 * single messages. */
static void tight(void) {
  for (int turn = 0; turn < 64; turn++) {
    if (put - got <= options.burst / 2) {
      put_some(options.burst - (size_t)(put - got));
      client_flush();
    }
    client_poll();
  }
}

static void idle(void) {
  for (int turn = 0; turn < 1000; turn++) client_poll();
  polls += 1000;
}

static void wait_until_idle(void) {
  uint64_t limit = clock_ns(CLOCK_MONOTONIC) + 20000000000u;
  while (got < put) {
    client_poll();
    if (clock_ns(CLOCK_MONOTONIC) > limit) bench_fail("messages did not come back within 20 s");
  }
}

static void run_for(void (*step)(void), double seconds) {
  uint64_t end = clock_ns(CLOCK_MONOTONIC) + (uint64_t)(seconds * 1e9);
  do step();
  while (clock_ns(CLOCK_MONOTONIC) < end);
}

int run_client(void) {
  if (options.len < SEQ || options.len > LONGEST) bench_fail("--len is out of range");
  payload = malloc(options.len);
  expected = malloc(options.len);
  pattern_fill(payload, options.len);
  pattern_fill(expected, options.len);
  void (*step)(void) = strcmp(options.mode, "frame") == 0 ? frame : strcmp(options.mode, "tight") == 0 ? tight : idle;
  client_open(options.port, options.ca);
  if (!options.count) run_for(step, options.warm);

  in_call = polls = 0;
  calls_clear();
  uint64_t before = got, wall = clock_ns(CLOCK_MONOTONIC), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  if (options.count) while ((step == idle ? polls : got) < options.count) step();
  else run_for(step, options.seconds);
  cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  wall = clock_ns(CLOCK_MONOTONIC) - wall;
  uint64_t messages = got - before;
  wait_until_idle();
  if (step != idle && messages == 0) bench_fail("no message came back");

  double each = step == idle ? (double)polls : (double)messages;
  printf("{\"messages\": %llu, \"wall_ns\": %llu, \"cpu_ns\": %.1f", (unsigned long long)messages,
         (unsigned long long)wall, (double)cpu / each);
  if (step == frame) printf(", \"in_call_ns\": %.1f", (double)in_call / each);
  if (options.histogram) {
    printf(", ");
    calls_print();
  }
  printf("}\n");
  fflush(stdout);
  _Exit(0);
}
