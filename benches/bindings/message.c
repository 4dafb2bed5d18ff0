/* Measures the cost of one 64 B message in C; run.py describes the method.
 * Usage: message single|frame SECONDS     prints the CPU time per message in ns */
#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIZE = 64, FRAME = 32, CHUNK = 100 };

static ws_handle server, client;
static uint8_t message[SIZE];

static double cpu_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void need(int good) {
  if (good) return;
  fprintf(stderr, "a message was lost or changed\n");
  exit(1);
}

static void single(unsigned number) {
  ws_packet packet;
  message[0] = (uint8_t)number;
  need(ws_put_packet(client, message, SIZE, WS_BINARY) == WS_OK);
  ws_poll(server);
  need(ws_get_packet(server, &packet) == WS_OK && packet.len == SIZE && packet.data[0] == message[0]);
}

static void frame(unsigned number) {
  ws_packet packets[FRAME];
  size_t count;
  for (unsigned i = 0; i < FRAME; i++) {
    message[0] = (uint8_t)(number + i);
    need(ws_put_packet(client, message, SIZE, WS_BINARY) == WS_OK);
  }
  ws_poll(server);
  need(ws_get_packets(server, packets, FRAME, &count) == WS_OK && count == FRAME);
  for (unsigned i = 0; i < FRAME; i++) need(packets[i].len == SIZE && packets[i].data[0] == (uint8_t)(number + i));
}

static unsigned long chunks_until(int frames, double limit) {
  unsigned long done = 0;
  while (cpu_s() < limit) {
    for (unsigned i = 0; i < CHUNK; i++) {
      if (frames) frame(i);
      else single(i);
    }
    done += frames ? CHUNK * FRAME : CHUNK;
  }
  return done;
}

int main(int argc, char **argv) {
  int frames = argc > 2 && !strcmp(argv[1], "frame");
  double seconds = argc > 2 ? atof(argv[2]) : 1;
  need(ws_pair(NULL, &server, &client) == WS_OK);
  while (ws_get_state(server) != WS_OPEN || ws_get_state(client) != WS_OPEN) {
    ws_poll(client);
    ws_poll(server);
  }
  chunks_until(frames, cpu_s() + seconds / 10); /* warm-up */
  double began = cpu_s();
  unsigned long done = chunks_until(frames, began + seconds);
  printf("%.1f\n", (cpu_s() - began) / (double)done * 1e9);
  ws_shutdown();
  return 0;
}
