/* Run by `make demo`: one process hosts a server and plays several clients, over wss://, at 60 frames a second. Every
 * client sends a few messages a frame, the server sends each back and broadcasts the time, and at the end all messages
 * are counted.
 * Usage: demo --cert CERT.pem --key KEY.pem [--seconds N] [--clients N] */
#include "wspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_CLIENTS = 64, PER_FRAME = 4, MAX_SAMPLES = 1 << 20 };

struct client {
  ws_handle handle;
  int open, closed, clean;
  unsigned long sent, echoed, ticks;
};

static struct client clients[MAX_CLIENTS];
static double samples[MAX_SAMPLES];
static size_t sample_count;

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static char *read_file(const char *path) {
  FILE *file = path ? fopen(path, "rb") : NULL;
  if (!file) return NULL;
  char *text = calloc(1, 1 << 20);
  if (text) (void)fread(text, 1, (1 << 20) - 1, file);
  fclose(file);
  return text;
}

static int by_size(const void *one, const void *two) {
  double a = *(const double *)one, b = *(const double *)two;
  return (a > b) - (a < b);
}

static int fail(const char *what) {
  char why[256];
  ws_last_error(why, sizeof why, NULL);
  fprintf(stderr, "%s: %s\n", what, why);
  return 1;
}

int main(int argc, char **argv) {
  const char *cert_path = NULL, *key_path = NULL;
  double length = 5;
  int count = 8;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!strcmp(argv[i], "--cert")) cert_path = argv[i + 1];
    if (!strcmp(argv[i], "--key")) key_path = argv[i + 1];
    if (!strcmp(argv[i], "--seconds")) length = atof(argv[i + 1]);
    if (!strcmp(argv[i], "--clients")) count = atoi(argv[i + 1]);
  }
  if (count < 1 || count > MAX_CLIENTS) count = 8;

  /* The server, on any free port. */
  char *cert = read_file(cert_path), *key = read_file(key_path);
  const char *scheme = cert && key ? "wss" : "ws";
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_COALESCE; /* one write per frame, at ws_flush() */
  config.cert_pem = cert;
  config.key_pem = key;
  char url[64];
  snprintf(url, sizeof url, "%s://localhost:0", scheme);
  ws_handle server;
  if (ws_listen(url, &config, &server) < 0) return fail("listen");
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);

  /* The clients, which trust only that certificate. */
  ws_config_init(&config, sizeof config);
  config.flags = WS_COALESCE;
  config.ca_pem = cert;
  for (int i = 0; i < count; i++)
    if (ws_connect(url, &config, &clients[i].handle) < 0) return fail("connect");
  free(cert);
  free(key);
  printf("hosting %s, %d clients join, %g seconds at 60 frames a second\n", url, count, length);

  unsigned long received = 0, broadcasts = 0, frames = 0;
  double start = seconds_now(), next_tick = start;
  int left = count, connected = 0, closing = 0;
  while (left > 0 && seconds_now() - start < length + 15) {
    double frame_start = seconds_now();
    frames++;

    /* The server's part of the frame. */
    ws_poll(server);
    ws_event event;
    while (ws_next_event(server, &event) == WS_OK) {
      if (event.type == WS_EVENT_CONNECTED) connected++;
      if (event.type == WS_EVENT_MESSAGE) {
        received++;
        if (ws_put_packet(event.conn, event.packet.data, event.packet.len, event.packet.type) < 0) return fail("echo");
      }
    }
    if (!closing && connected == count && frame_start >= next_tick) {
      next_tick = frame_start + 0.1;
      if (ws_put_packet(server, (const uint8_t *)"tick", 4, WS_TEXT) != WS_OK) return fail("broadcast");
      broadcasts++;
    }
    ws_flush(server);

    /* The clients' part of the frame. */
    if (!closing && frame_start - start > length) closing = 1;
    for (int i = 0; i < count; i++) {
      struct client *me = &clients[i];
      if (me->closed) continue;
      ws_poll(me->handle);
      while (ws_next_event(me->handle, &event) == WS_OK) {
        if (event.type == WS_EVENT_OPEN) me->open = 1;
        if (event.type == WS_EVENT_MESSAGE && event.packet.type == WS_TEXT) me->ticks++;
        if (event.type == WS_EVENT_MESSAGE && event.packet.type == WS_BINARY) {
          double then;
          memcpy(&then, event.packet.data, sizeof then);
          if (sample_count < MAX_SAMPLES) samples[sample_count++] = seconds_now() - then;
          me->echoed++;
        }
        if (event.type == WS_EVENT_CLOSED) {
          me->closed = 1;
          me->clean = event.clean != 0;
          left--;
          if (!event.clean) printf("client %d: %s\n", i, (const char *)event.packet.data);
        }
      }
      if (me->open && !closing && connected == count) {
        for (int n = 0; n < PER_FRAME; n++) {
          uint8_t message[64] = {0};
          double now = seconds_now();
          memcpy(message, &now, sizeof now);
          if (ws_put_packet(me->handle, message, sizeof message, WS_BINARY) == WS_OK) me->sent++;
        }
        ws_flush(me->handle);
      } else if (closing == 1 && me->open && me->echoed == me->sent) {
        ws_close(me->handle, 1000, "the demo is over");
      }
    }

    /* Sleep until the next frame. */
    double rest = 1.0 / 60 - (seconds_now() - frame_start);
    if (rest > 0) {
      struct timespec nap = {0, (long)(rest * 1e9)};
      nanosleep(&nap, NULL);
    }
  }

  unsigned long sent = 0, echoed = 0, ticks = 0, clean = 0;
  uint64_t longest_client = 0;
  ws_stats stats;
  for (int i = 0; i < count; i++) {
    sent += clients[i].sent;
    echoed += clients[i].echoed;
    ticks += clients[i].ticks;
    clean += (unsigned long)clients[i].clean;
    if (ws_get_stats(clients[i].handle, &stats, sizeof stats) == WS_OK && stats.longest_poll_us > longest_client)
      longest_client = stats.longest_poll_us;
  }
  ws_get_stats(server, &stats, sizeof stats);
  qsort(samples, sample_count, sizeof samples[0], by_size);
  printf("%lu frames; %lu messages sent, %lu received by the server, %lu echoed back; %lu broadcasts, %lu received\n",
         frames, sent, received, echoed, broadcasts, ticks);
  if (sample_count > 0)
    printf("round trip, frames included: min %.2f ms, median %.2f ms, 99%% %.2f ms, max %.2f ms\n", samples[0] * 1e3,
           samples[sample_count / 2] * 1e3, samples[sample_count * 99 / 100] * 1e3, samples[sample_count - 1] * 1e3);
  printf("longest ws_poll: server %llu us, clients %llu us\n", (unsigned long long)stats.longest_poll_us,
         (unsigned long long)longest_client);
  int good = sent > 0 && sent == received && sent == echoed && ticks == broadcasts * (unsigned long)count &&
             clean == (unsigned long)count;
  printf("%s\n", good ? "nothing was lost and every close was clean" : "SOMETHING IS MISSING");
  ws_shutdown();
  return good ? 0 : 1;
}
