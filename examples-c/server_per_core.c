/* A server for each core, all on one port: the system gives each new client to one of them (WS_SHARE_PORT). Each thread
 * polls its own server, so that no lock is shared. Clients of different servers do not share topics or broadcasts: a
 * room belongs to one server, or the servers pass messages on. Sends every message back; on SIGTERM or Ctrl+C prints how
 * many clients and messages each had.
 * Usage: server_per_core [PORT [SERVERS]]     port 0 takes any free one; by default one server for each core */
#include "wspeer.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static void on_signal(int number) {
  (void)number;
  stop = 1;
}

struct core {
  pthread_t thread;
  ws_handle server;
  uint64_t messages;
  double cpu_s;
};

static void *run(void *argument) {
  struct core *core = argument;
  struct timespec cpu;
  while (!stop) {
    ws_event event;
    ws_wait(&core->server, 1, 100);
    ws_poll(core->server);
    while (ws_next_event(core->server, &event) == WS_OK) {
      if (event.type != WS_EVENT_MESSAGE) continue;
      core->messages++;
      if (ws_put_packet(event.conn, event.packet.data, event.packet.len, event.packet.type) == WS_ERR_FULL)
        ws_close(event.conn, 1013, "read faster");
    }
    ws_flush(core->server);
  }
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
  core->cpu_s = (double)cpu.tv_sec + (double)cpu.tv_nsec * 1e-9;
  return NULL;
}

int main(int argc, char **argv) {
  enum { MOST = 256 };
  static struct core cores[MOST];
  uint32_t port = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 9080;
  long count = argc > 2 ? strtol(argv[2], NULL, 10) : sysconf(_SC_NPROCESSORS_ONLN);
  if (count < 1 || count > MOST) count = 1;
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_SHARE_PORT | WS_COALESCE;
  signal(SIGTERM, on_signal);
  signal(SIGINT, on_signal);
  for (long i = 0; i < count; i++) {
    char url[64];
    snprintf(url, sizeof url, "ws://*:%u", port);
    if (ws_listen(url, &config, &cores[i].server) < 0) {
      char why[512];
      ws_last_error(why, sizeof why, NULL);
      fprintf(stderr, "%s\n", why);
      return 1;
    }
    /* The first one chose the port, if any was free. */
    ws_get_option(cores[i].server, WS_OPT_PORT, &port);
  }
  printf("%ld servers listen on port %u\n", count, port);
  fflush(stdout);
  for (long i = 0; i < count; i++)
    if (pthread_create(&cores[i].thread, NULL, run, &cores[i])) return 1;
  for (long i = 0; i < count; i++) {
    ws_stats stats;
    pthread_join(cores[i].thread, NULL);
    ws_get_stats(cores[i].server, &stats, sizeof stats);
    printf("server %ld: %llu clients, %llu messages, %.3f s of CPU\n", i, (unsigned long long)stats.accepted,
           (unsigned long long)cores[i].messages, cores[i].cpu_s);
  }
  ws_shutdown();
  return 0;
}
