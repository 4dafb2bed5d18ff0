/* Honest players during an attack: each sends 32 bytes 60 times a second and expects them back. Runs until SIGTERM,
   then prints the round-trip times. Usage: honest URL COUNT [CA.pem] */
#include "check.h"

#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static void on_signal(int number) {
  (void)number;
  stop = 1;
}

enum { MOST = 500, MOST_TIMES = 4000000 };

static struct {
  ws_handle handle;
  double next;
  uint64_t sent, got;
} players[MOST];
static float times[MOST_TIMES];
static size_t time_count;

static int by_size(const void *a, const void *b) {
  float left = *(const float *)a, right = *(const float *)b;
  return (left > right) - (left < right);
}

/* `ended` is NULL once the test closes the players. */
static void read_all(int at, uint64_t *lost, uint64_t *ended) {
  ws_event event;
  while (ws_next_event(players[at].handle, &event) == WS_OK) {
    if (event.type == WS_EVENT_CLOSED && ended) {
      fprintf(stderr, "player %d: %s\n", at, (const char *)event.packet.data);
      ++*ended;
    }
    if (event.type != WS_EVENT_MESSAGE) continue;
    double sent_at;
    uint64_t number;
    memcpy(&sent_at, event.packet.data, sizeof sent_at);
    memcpy(&number, event.packet.data + 8, sizeof number);
    *lost += number - players[at].got;
    players[at].got = number + 1;
    if (time_count < MOST_TIMES) times[time_count++] = (float)(now_s() - sent_at);
  }
}

int main(int argc, char **argv) {
  int count = argc > 2 ? atoi(argv[2]) : 0;
  if (count < 1 || count > MOST) return 2;
  signal(SIGTERM, on_signal);
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.connect_timeout_ms = 60000;
  static char ca[1 << 16];
  if (argc > 3) {
    FILE *file = fopen(argv[3], "rb");
    if (!file || !fread(ca, 1, sizeof ca - 1, file)) return 2;
    fclose(file);
    config.ca_pem = ca;
    config.flags |= WS_ONLY_CA_PEM;
  }
  for (int i = 0; i < count; i++) {
    if (ws_connect(argv[1], &config, &players[i].handle) < 0) return 2;
    players[i].next = now_s() + i / 60.0 / count;
  }
  int open = 0;
  uint64_t lost = 0, ended = 0;
  while (!stop) {
    int was = open;
    open = 0;
    for (int i = 0; i < count; i++) {
      ws_handle h = players[i].handle;
      ws_poll(h);
      read_all(i, &lost, &ended);
      if (ws_get_state(h) != WS_OPEN) continue;
      open++;
      double now = now_s();
      if (now < players[i].next) continue;
      uint8_t message[32] = {0};
      memcpy(message, &now, sizeof now);
      memcpy(message + 8, &players[i].sent, sizeof players[i].sent);
      if (ws_put_packet(h, message, sizeof message, WS_BINARY) == WS_OK) players[i].sent++;
      /* A late message is not sent twice to catch up: a game sends only its newest state. */
      players[i].next = players[i].next + 1.0 / 60 > now ? players[i].next + 1.0 / 60 : now + 1.0 / 60;
    }
    if (open == count && was != count) {
      printf("open\n");
      fflush(stdout);
    }
    usleep(500);
  }
  /* Messages in transit come back first; a player that has all of them closes. */
  for (double end = now_s() + 10; now_s() < end && open;) {
    open = 0;
    for (int i = 0; i < count; i++) {
      ws_poll(players[i].handle);
      read_all(i, &lost, NULL);
      if (players[i].got == players[i].sent) ws_close(players[i].handle, 0, NULL);
      open += ws_get_state(players[i].handle) != WS_CLOSED;
    }
    usleep(500);
  }
  uint64_t sent = 0, got = 0;
  for (int i = 0; i < count; i++) {
    sent += players[i].sent;
    got += players[i].got;
  }
  qsort(times, time_count, sizeof *times, by_size);
  if (!time_count) return 1;
  printf("sent=%llu got=%llu lost=%llu ended=%llu p50_us=%.0f p99_us=%.0f max_us=%.0f\n", (unsigned long long)sent,
         (unsigned long long)got, (unsigned long long)lost, (unsigned long long)ended, times[time_count / 2] * 1e6,
         times[time_count * 99 / 100] * 1e6, times[time_count - 1] * 1e6);
  ws_shutdown();
  FINISH();
}
