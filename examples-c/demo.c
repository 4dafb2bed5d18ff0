/* Run by `make demo`: one process hosts a server and plays several clients, over wss://, at 60 frames a second. Every
 * client sends a few messages a frame, the server sends each back and broadcasts the time. The link of every client is
 * cut every few seconds, and its session goes on over another one. At the end all messages are counted.
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
  unsigned long sent, echoed, ticks, wrong;
  double lost_at; /* 0: it has a link */
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

/* Cuts the client's link when it has received so many bytes more. */
static int cut_after(const struct client *me, uint32_t bytes) {
  ws_sim network;
  ws_sim_init(&network, sizeof network, WS_SIM_NONE);
  network.down_cut_bytes = bytes;
  return ws_set_sim(me->handle, &network);
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
  config.session_ms = 30000;  /* keep the seat of a client that has lost its link */
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
  config.session_ms = 30000;
  config.retry_min_ms = 100;
  for (int i = 0; i < count; i++)
    if (ws_connect(url, &config, &clients[i].handle) < 0) return fail("connect");
  free(cert);
  free(key);
  printf("hosting %s, %d clients join, %g seconds at 60 frames a second; their links are cut every second or so\n", url,
         count, length);

  unsigned long received = 0, broadcasts = 0, frames = 0;
  double longest_loss = 0;
  double start = seconds_now(), next_tick = start;
  int left = count, connected = 0, closing = 0;
  while (left > 0 && seconds_now() - start < length + 60) {
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
        int is_link = event.type == WS_EVENT_OPEN || event.type == WS_EVENT_RESUMED;
        if (is_link && cut_after(me, 15000 + 1000 * (uint32_t)i) < 0) return fail("simulate");
        if (event.type == WS_EVENT_LOST) me->lost_at = seconds_now();
        if (event.type == WS_EVENT_RESUMED) {
          if (seconds_now() - me->lost_at > longest_loss) longest_loss = seconds_now() - me->lost_at;
          me->lost_at = 0;
        }
        if (event.type == WS_EVENT_MESSAGE && event.packet.type == WS_TEXT) me->ticks++;
        if (event.type == WS_EVENT_MESSAGE && event.packet.type == WS_BINARY) {
          double then;
          unsigned long number;
          memcpy(&then, event.packet.data, sizeof then);
          memcpy(&number, event.packet.data + sizeof then, sizeof number);
          if (sample_count < MAX_SAMPLES) samples[sample_count++] = seconds_now() - then;
          me->wrong += number != me->echoed++;
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
          memcpy(message + sizeof now, &me->sent, sizeof me->sent);
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

  unsigned long sent = 0, echoed = 0, ticks = 0, clean = 0, wrong = 0;
  uint64_t longest_client = 0, losses = 0, resumed = 0, sent_again = 0;
  ws_stats stats;
  for (int i = 0; i < count; i++) {
    sent += clients[i].sent;
    echoed += clients[i].echoed;
    ticks += clients[i].ticks;
    clean += (unsigned long)clients[i].clean;
    wrong += clients[i].wrong;
    if (ws_get_stats(clients[i].handle, &stats, sizeof stats) < 0) return fail("stats");
    if (stats.longest_poll_us > longest_client) longest_client = stats.longest_poll_us;
    losses += stats.losses;
    resumed += stats.resumed;
    sent_again += stats.sent_again;
  }
  ws_get_stats(server, &stats, sizeof stats);
  sent_again += stats.sent_again;
  qsort(samples, sample_count, sizeof samples[0], by_size);
  printf("%lu frames; %lu messages sent, %lu received by the server, %lu echoed back; %lu broadcasts, %lu received\n",
         frames, sent, received, echoed, broadcasts, ticks);
  printf("%llu links were cut, %llu sessions resumed; %llu messages were sent again; longest loss %.0f ms\n",
         (unsigned long long)losses, (unsigned long long)resumed, (unsigned long long)sent_again, longest_loss * 1e3);
  if (sample_count > 0)
    printf("round trip, frames included: min %.2f ms, median %.2f ms, 99%% %.2f ms, max %.2f ms\n", samples[0] * 1e3,
           samples[sample_count / 2] * 1e3, samples[sample_count * 99 / 100] * 1e3, samples[sample_count - 1] * 1e3);
  printf("longest ws_poll: server %llu us, clients %llu us\n", (unsigned long long)stats.longest_poll_us,
         (unsigned long long)longest_client);
  int good = sent > 0 && sent == received && sent == echoed && ticks == broadcasts * (unsigned long)count && !wrong &&
             clean == (unsigned long)count;
  printf("%s\n", good ? "nothing was lost, doubled or reordered, and every close was clean" : "SOMETHING IS MISSING");
  ws_shutdown();
  return good ? 0 : 1;
}
