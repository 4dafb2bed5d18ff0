/* Streams bytes from a client to a server, or measures round trips, for tests/sim/run.py.
 * Usage: flow server URL            prints "ready", then "NANOSECONDS BYTES" for each poll that has read something, and
 *                                   echoes messages of 64 bytes
 *        flow stream URL FIRST PAUSE_MS SECOND RATE BURST
 *                                   sends FIRST bytes, pauses, sends SECOND bytes; RATE above 0: over a simulated line
 *        flow trips URL COUNT LAG_US JITTER_US LOSS_PPM
 *                                   prints COUNT round trips in microseconds, one every 20 ms */
#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint32_t number(const char *text) { return (uint32_t)strtoul(text, NULL, 10); }

static int serve(const char *url) {
  ws_handle server;
  uint64_t seen = 0;
  if (ws_listen(url, NULL, &server) < 0) return 1;
  printf("ready\n");
  fflush(stdout);
  for (int over = 0; !over; ws_wait(&server, 1, 100)) {
    ws_stats stats;
    ws_event event;
    ws_poll(server);
    ws_get_stats(server, &stats, sizeof stats);
    if (stats.wire_bytes_in != seen) {
      seen = stats.wire_bytes_in;
      printf("%llu %llu\n", (unsigned long long)now_ns(), (unsigned long long)seen);
    }
    while (ws_next_event(server, &event) == WS_OK) {
      over |= event.type == WS_EVENT_DISCONNECTED;
      if (event.type == WS_EVENT_MESSAGE && event.packet.len == 64)
        ws_put_packet(event.conn, event.packet.data, 64, WS_BINARY);
    }
  }
  ws_free(server);
  return 0;
}

static ws_handle connected(const char *url, const ws_sim *sim) {
  ws_handle client;
  ws_event event;
  if (ws_connect(url, NULL, &client) < 0) exit(1);
  do {
    ws_wait(&client, 1, 10000);
    ws_poll(client);
    if (ws_get_state(client) == WS_CLOSED) exit(1);
  } while (ws_get_state(client) != WS_OPEN);
  while (ws_next_event(client, &event) == WS_OK) continue;
  if (sim && ws_set_sim(client, sim) < 0) exit(1);
  return client;
}

static void finish(ws_handle client) {
  ws_close(client, 1000, NULL);
  while (ws_get_state(client) != WS_CLOSED) {
    ws_poll(client);
    ws_wait(&client, 1, 1000);
  }
  ws_free(client);
}

static void send_all(ws_handle client, uint32_t bytes) {
  static const uint8_t block[8000];
  while (bytes) {
    const uint32_t count = bytes < sizeof block ? bytes : (uint32_t)sizeof block;
    if (ws_put_packet(client, block, count, WS_BINARY) == WS_OK) {
      bytes -= count;
      continue;
    }
    ws_wait(&client, 1, 1000);
    ws_poll(client);
  }
}

static int stream(char **of) {
  ws_sim sim;
  ws_sim_init(&sim, sizeof sim, WS_SIM_NONE);
  sim.up_bytes_per_s = number(of[6]);
  sim.up_burst_bytes = number(of[7]);
  const ws_handle client = connected(of[2], sim.up_bytes_per_s ? &sim : NULL);
  send_all(client, number(of[3]));
  for (const uint64_t until = now_ns() + number(of[4]) * 1000000u; now_ns() < until; ws_wait(&client, 1, 5))
    ws_poll(client);
  send_all(client, number(of[5]));
  finish(client);
  return 0;
}

static int trips(char **of) {
  ws_sim sim;
  ws_sim_init(&sim, sizeof sim, WS_SIM_NONE);
  sim.up_lag_us = sim.down_lag_us = number(of[4]);
  sim.up_jitter_us = sim.down_jitter_us = number(of[5]);
  sim.up_loss_ppm = sim.down_loss_ppm = number(of[6]);
  const ws_handle client = connected(of[2], &sim);
  const uint32_t count = number(of[3]);
  const uint64_t began = now_ns();
  for (uint32_t sent = 0, heard = 0; heard < count;) {
    uint8_t message[64] = {0};
    ws_event event;
    uint64_t at = now_ns();
    if (sent < count && at >= began + sent * 20000000ull) {
      memcpy(message, &at, sizeof at);
      if (ws_put_packet(client, message, sizeof message, WS_BINARY) == WS_OK) sent++;
    }
    ws_wait(&client, 1, 1);
    ws_poll(client);
    while (ws_next_event(client, &event) == WS_OK) {
      if (event.type != WS_EVENT_MESSAGE) return 1;
      memcpy(&at, event.packet.data, sizeof at);
      printf("%llu\n", (unsigned long long)((now_ns() - at) / 1000));
      heard++;
    }
  }
  finish(client);
  return 0;
}

int main(int count, char **of) {
  if (count == 3 && !strcmp(of[1], "server")) return serve(of[2]);
  if (count == 8 && !strcmp(of[1], "stream")) return stream(of);
  if (count == 7 && !strcmp(of[1], "trips")) return trips(of);
  return 2;
}
