/* A simulated network from a client's side, against an echo server: the same lines natively and in a browser.
 * Usage: sim URL */
#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static ws_handle handle;

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void rest(void) {
  const struct timespec moment = {0, 1000000};
  ws_poll(handle);
  nanosleep(&moment, NULL);
}

static ws_event next(void) {
  ws_event event;
  memset(&event, 0, sizeof event);
  for (double limit = now_ms() + 15000; ws_next_event(handle, &event) != WS_OK; rest()) {
    if (now_ms() < limit) continue;
    printf("nothing came\n");
    exit(1);
  }
  return event;
}

static void say(char first, size_t len) {
  static uint8_t bytes[40000];
  memset(bytes, first, sizeof bytes);
  const ws_result result = ws_put_packet(handle, bytes, len, WS_BINARY);
  if (result != WS_OK) printf("put: %s\n", ws_result_name(result));
}

/* The echoes of `count` messages whose first bytes are 'a', 'b' and so on. */
static void hear(int count) {
  for (int i = 0; i < count; i++) {
    const ws_event event = next();
    if (event.type != WS_EVENT_MESSAGE || !event.packet.len || event.packet.data[0] != 'a' + i)
      printf("event %d instead of message %c\n", (int)event.type, 'a' + i);
  }
}

static ws_stats stats(void) {
  ws_stats stats;
  memset(&stats, 0, sizeof stats);
  ws_get_stats(handle, &stats, sizeof stats);
  return stats;
}

static ws_sim none(void) {
  ws_sim sim;
  ws_sim_init(&sim, sizeof sim, WS_SIM_NONE);
  return sim;
}

static void set(const ws_sim *sim) {
  char why[200] = "";
  const ws_result result = ws_set_sim(handle, sim);
  if (result < 0) ws_last_error(why, sizeof why, NULL);
  printf("set: %s %s\n", ws_result_name(result), why);
}

static void arguments(void) {
  ws_sim sim;
  for (int32_t preset = -1; preset <= WS_SIM_SATELLITE + 1; preset++) {
    memset(&sim, 0, sizeof sim);
    const ws_result result = ws_sim_init(&sim, sizeof sim, preset);
    printf("preset %d: %s %u %u %u %u\n", (int)preset, ws_result_name(result), (unsigned)sim.struct_size,
           (unsigned)sim.up_lag_us, (unsigned)sim.down_bytes_per_s, (unsigned)sim.down_stall_every_ms);
  }
  printf("%s %s\n", ws_result_name(ws_sim_init(NULL, sizeof sim, 0)), ws_result_name(ws_sim_init(&sim, 4, 0)));
  sim = none();
  sim.up_lag_us = 60000001;
  set(&sim);
  sim = none();
  sim.down_stall_for_ms = sim.down_stall_every_ms = 9;
  set(&sim);
  sim = none();
  sim.struct_size = 8;
  set(&sim);
  printf("no handle: %s\n", ws_result_name(ws_set_sim(0, NULL)));
}

int main(int argc, char **argv) {
  ws_sim sim = none();
  double began;
  if (argc < 2) return 2;
  printf("connects: %s\n", ws_result_name(ws_connect(argv[1], NULL, &handle)));
  arguments();
  /* Before OPEN: it applies from then on. */
  sim.up_lag_us = sim.down_lag_us = 60000;
  set(&sim);
  printf("open: %s\n", next().type == WS_EVENT_OPEN ? "yes" : "no");
  began = now_ms();
  say('a', 100);
  printf("held: %llu\n", (unsigned long long)stats().sim_bytes);
  hear(1);
  printf("lag: %s\n", now_ms() - began >= 120 ? "yes" : "too early");

  sim = none();
  sim.up_jitter_us = sim.down_jitter_us = 20000;
  sim.up_loss_ppm = 1000000;
  sim.up_loss_stall_us = 30000;
  set(&sim);
  for (int i = 0; i < 20; i++) say((char)('a' + i), (size_t)(100 + 200 * i));
  hear(20);
  /* 39 packets of at most 1400 bytes: the longer messages take two or three. */
  printf("losses: %llu\n", (unsigned long long)stats().sim_losses);

  sim = none();
  sim.up_bytes_per_s = 40000;
  sim.up_burst_bytes = 4000;
  set(&sim);
  began = now_ms();
  say('a', 20000);
  hear(1);
  printf("bandwidth: %s\n", now_ms() - began >= 400 ? "yes" : "too early");

  sim = none();
  sim.up_half_open_bytes = 300;
  set(&sim);
  for (int i = 0; i < 4; i++) say((char)('a' + i), 100);
  hear(2);
  for (int i = 0; i < 100; i++) rest();
  printf("half-open: %d\n", (int)ws_get_available(handle));
  set(NULL);
  say('e', 5);
  for (int i = 2; i < 5; i++) {
    const ws_event event = next();
    printf("released: %c\n", event.type == WS_EVENT_MESSAGE ? event.packet.data[0] : '?');
  }
  printf("held: %llu\n", (unsigned long long)stats().sim_bytes);

  /* Another network, or none, before a cut has arrived. */
  for (int round = 0; round < 2; round++) {
    sim = none();
    sim.down_cut_bytes = 150;
    sim.down_lag_us = 10000000;
    set(&sim);
    for (int i = 0; i < 4; i++) say((char)('a' + i), 100);
    for (double limit = now_ms() + 15000; stats().sim_bytes < 408 && now_ms() < limit;) rest();
    sim = none();
    sim.down_lag_us = 1000;
    if (round) set(&sim);
    set(NULL);
    hear(4);
    printf("before a cut: held %llu\n", (unsigned long long)stats().sim_bytes);
  }

  sim = none();
  sim.down_cut_bytes = 210;
  sim.down_lag_us = 10000;
  set(&sim);
  for (int i = 0; i < 4; i++) say((char)('a' + i), 100);
  hear(2);
  const ws_event end = next();
  printf("cut: %d code=%d clean=%u\n", (int)end.type, (int)end.code, (unsigned)end.clean);
  ws_free(handle);

  /* A close behind what is held. */
  ws_connect(argv[1], NULL, &handle);
  next();
  sim = none();
  sim.up_lag_us = sim.down_lag_us = 100000;
  set(&sim);
  began = now_ms();
  ws_close(handle, 4001, "bye");
  const ws_event last = next();
  printf("closed: %d code=%d clean=%u unsent=%u %s\n", (int)last.type, (int)last.code, (unsigned)last.clean,
         (unsigned)last.unsent, now_ms() - began >= 200 ? "in time" : "too early");
  ws_free(handle);
  return 0;
}
