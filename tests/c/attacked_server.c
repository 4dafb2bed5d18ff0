/* A server to be attacked, configured as SECURITY.md advises. It echoes messages, keeps sending to clients that request
   /deaf, and accepts the pages of a single origin only. Prints its port and, on SIGTERM, its statistics. Usage: attacked_server FLAGS HANDSHAKE_TIMEOUT_MS [CERT.pem KEY.pem], where 0 is the default. With MAX_TOTAL_MIB in the environment that is the only limit of what clients make it hold. */
#include "check.h"

#include <signal.h>

static volatile sig_atomic_t stop;

static void on_signal(int number) {
  (void)number;
  stop = 1;
}

static char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  char *text = calloc(1, 1 << 16);
  if (!file || !text) exit(1);
  if (!fread(text, 1, (1 << 16) - 1, file)) exit(1);
  fclose(file);
  return text;
}

enum { MOST = 4096 };
static ws_handle deaf[MOST];
static int deaf_count;

/* CPU time of this thread, which other processes on the machine do not affect. */
static double cpu_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* An echo that is refused as full is counted and dropped. */
static void serve(ws_handle server, uint64_t *skipped) {
  ws_event event;
  while (ws_next_event(server, &event) == WS_OK) {
    char path[64] = "";
    if (event.type == WS_EVENT_MESSAGE &&
        ws_put_packet(event.conn, event.packet.data, event.packet.len, event.packet.type) == WS_ERR_FULL)
      ++*skipped;
    if (event.type != WS_EVENT_CONNECTED) continue;
    ws_get_text(event.conn, WS_GET_PATH, path, sizeof path, NULL);
    if (!strcmp(path, "/deaf") && deaf_count < MOST) deaf[deaf_count++] = event.conn;
  }
}

int main(int argc, char **argv) {
  static uint8_t news[16384];
  ws_config config;
  ws_handle server;
  uint32_t port;
  uint64_t skipped = 0, refused_puts = 0;
  ws_config_init(&config, sizeof config);
  config.flags = WS_COALESCE | (argc > 1 ? (uint32_t)atoi(argv[1]) : 0);
  config.allowed_origins = "https://game.example";
  config.max_clients = 8192;
  config.max_messages_per_s = 500;
  config.max_bytes_per_s = 4 << 20;
  config.outbound_bytes = 1 << 20;
  config.handshake_timeout_ms = argc > 2 ? (uint32_t)atoi(argv[2]) : 0;
  if (getenv("MAX_TOTAL_MIB")) {
    config.max_total_mib = (uint32_t)atoi(getenv("MAX_TOTAL_MIB"));
    config.max_messages_per_s = config.max_bytes_per_s = config.outbound_bytes = config.outbound_packets = WS_OFF;
    config.max_pending_handshakes = WS_OFF;
    config.max_clients = WS_OFF;
  }
  int tls = argc > 4;
  if (tls) {
    config.cert_pem = read_file(argv[3]);
    config.key_pem = read_file(argv[4]);
  }
  if (ws_listen(tls ? "wss://127.0.0.1:0" : "ws://127.0.0.1:0", &config, &server) < 0) {
    fprintf(stderr, "%s\n", why());
    return 1;
  }
  signal(SIGTERM, on_signal);
  ws_get_option(server, WS_OPT_PORT, &port);
  printf("%u\n", port);
  fflush(stdout);
  double next_news = now_s(), longest_cpu = 0;
  while (!stop) {
    ws_wait(&server, 1, 10);
    double began = cpu_s();
    ws_poll(server);
    double took = cpu_s() - began;
    if (took > longest_cpu) longest_cpu = took;
    serve(server, &skipped);
    if (deaf_count && now_s() >= next_news) {
      next_news = now_s() + 1.0 / 60;
      for (int i = 0; i < deaf_count; i++)
        if (ws_put_packet(deaf[i], news, sizeof news, WS_BINARY) == WS_ERR_FULL) refused_puts++;
        else if (ws_get_state(deaf[i]) == WS_ERR_HANDLE) deaf[i--] = deaf[--deaf_count];
    }
    ws_flush(server);
  }
  ws_stats stats;
  ws_get_stats(server, &stats, sizeof stats);
  printf(
      "longest_poll_cpu_us=%.0f longest_poll_us=%llu accepted=%llu refused=%llu not_sent_back=%llu refused_puts=%llu clients=%u most_held_kb=%llu ceiling_ended=%llu\n",
      longest_cpu * 1e6, (unsigned long long)stats.longest_poll_us, (unsigned long long)stats.accepted,
      (unsigned long long)stats.refused, (unsigned long long)skipped, (unsigned long long)refused_puts,
      stats.connections, (unsigned long long)(stats.most_held_bytes >> 10), (unsigned long long)stats.ceiling_ended);
  ws_shutdown();
  FINISH();
}
