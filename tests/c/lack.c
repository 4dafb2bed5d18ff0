/* Too little memory for one huge message: the call or the connection fails, others and the process continue. Each case
   runs in a separate process, whose address space is limited once the message is allocated. */
#include "check.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HUGE_BYTES = 300 << 20, LEFT_BYTES = 100 << 20 };

static uint8_t *huge;

static rlim_t address_space(void) {
  char line[128];
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || !fgets(line, sizeof line, file)) exit(3);
  fclose(file);
  return (rlim_t)strtoul(line, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* Limits further allocations to about this many bytes. */
static void leave_memory(size_t bytes) {
  struct rlimit limit;
  limit.rlim_cur = limit.rlim_max = address_space() + bytes;
  if (setrlimit(RLIMIT_AS, &limit)) exit(3);
}

/* Makes further allocations of 300 MB fail. */
static void bound_memory(void) {
  leave_memory(LEFT_BYTES);
  void *more = malloc(HUGE_BYTES);
  if (more) exit(3);
}

static void fill(ws_config *config, uint32_t flags) {
  ws_config_init(config, sizeof *config);
  config->flags = flags;
  config->max_message_bytes = 1u << 30;
  config->outbound_bytes = WS_OFF;
  config->max_inflate_ratio = WS_OFF;
}

static int talks(ws_handle from, ws_handle to) {
  ws_event event;
  ws_handle all[2] = {from, to};
  if (ws_put_packet(from, (const uint8_t *)"still", 5, WS_BINARY) != WS_OK) return 0;
  for (double end = now_s() + 10; now_s() < end;) {
    for (int i = 0; i < 2; i++) ws_poll(all[i]);
    while (ws_next_event(to, &event) == WS_OK)
      if (event.type == WS_EVENT_MESSAGE && event.packet.len == 5) return 1;
  }
  return 0;
}

/* Polls until `h` has ended, and returns its end event. */
static ws_event end_of(ws_handle h) {
  ws_event event = {0};
  for (double end = now_s() + 10; now_s() < end;) {
    ws_poll(h);
    while (ws_next_event(h, &event) == WS_OK)
      if (event.type == WS_EVENT_CLOSED || event.type == WS_EVENT_DISCONNECTED) return event;
  }
  event.type = 0;
  return event;
}

static void put_direct(void) {
  ws_config config;
  ws_handle s, c, s2, c2;
  fill(&config, 0);
  open_pair(&config, &s, &c);
  open_pair(&config, &s2, &c2);
  bound_memory();
  CHECK_EQUAL(ws_put_packet(c, huge, HUGE_BYTES, WS_BINARY), WS_OK,
              "a message that the transport cannot take whole is accepted");
  ws_event event = end_of(c);
  CHECK(event.type == WS_EVENT_CLOSED && event.cause == WS_CAUSE_RESOURCES && event.unsent == 1,
        "the end reports it as unsent, with the cause RESOURCES");
  CHECK(talks(c2, s2), "other connections continue");
}

static void put_queued(uint32_t flags) {
  ws_config config;
  ws_handle s, c;
  fill(&config, flags);
  open_pair(&config, &s, &c);
  /* The peer does not read, so the transport fills up. */
  for (int i = 0; i < 20; i++) ws_put_packet(c, huge, 200000, WS_BINARY);
  bound_memory();
  CHECK_EQUAL(ws_put_packet(c, huge, HUGE_BYTES, WS_BINARY), WS_ERR_LIMIT, "a put that cannot be queued is refused");
  CHECK(strstr(why(), "memory"), "the error message says that memory is lacking");
  int got = 0;
  ws_event event;
  for (double end = now_s() + 20; got < 20 && now_s() < end;) {
    ws_poll(c);
    ws_poll(s);
    while (ws_next_event(s, &event) == WS_OK) got += event.type == WS_EVENT_MESSAGE && event.packet.len == 200000;
  }
  CHECK_EQUAL(got, 20, "earlier queued messages arrive");
  CHECK(talks(c, s), "the connection continues");
}

static void put_behind(void) { put_queued(0); }
static void put_to_be_compressed(void) { put_queued(WS_DEFLATE); }

static void put_early(void) {
  ws_config config;
  ws_handle s, c;
  fill(&config, WS_QUEUE_BEFORE_OPEN);
  if (ws_pair(&config, &s, &c) < 0) exit(1);
  bound_memory();
  CHECK_EQUAL(ws_put_packet(c, huge, HUGE_BYTES, WS_BINARY), WS_ERR_LIMIT, "a put before OPEN is refused");
  CHECK(talks(c, s), "the connection opens and works");
}

static void broadcast_with(uint32_t flags) {
  ws_config config;
  ws_handle clients[3];
  fill(&config, flags);
  ws_handle server = open_server(&config, &config, clients, 3);
  bound_memory();
  CHECK_EQUAL(ws_put_packet(server, huge, HUGE_BYTES, WS_BINARY), WS_ERR_LIMIT, "a broadcast is refused");
  CHECK_EQUAL(ws_put_packet_to(server, 0, (const uint8_t *)"still", 5, WS_BINARY), WS_OK,
              "a short broadcast is accepted");
  int got = 0;
  ws_event event;
  for (double end = now_s() + 10; got < 3 && now_s() < end;) {
    ws_poll(server);
    for (int i = 0; i < 3; i++) {
      ws_poll(clients[i]);
      while (ws_next_event(clients[i], &event) == WS_OK) got += event.type == WS_EVENT_MESSAGE;
    }
  }
  CHECK_EQUAL(got, 3, "the short broadcast reaches all clients");
}

static void broadcast(void) { broadcast_with(0); }
static void broadcast_compressed(void) { broadcast_with(WS_DEFLATE | WS_SERVER_NO_CONTEXT_TAKEOVER); }

/* There is memory for the frame of the client without compression, but not for the copy to be compressed for the other:
   neither receives anything. */
static void broadcast_mixed_with(uint32_t flags) {
  ws_config config, plain;
  ws_handle deflating, other = 0;
  ws_event event;
  char url[64];
  fill(&config, flags);
  fill(&plain, 0);
  ws_handle server = open_server(&config, &plain, &other, 1);
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
  if (ws_connect(url, &config, &deflating) < 0) exit(1);
  for (double end = now_s() + 10; ws_get_state(deflating) != WS_OPEN && now_s() < end;) {
    ws_poll(server);
    ws_poll(deflating);
  }
  while (ws_next_event(server, &event) == WS_OK) {
  }
  leave_memory(HUGE_BYTES + LEFT_BYTES);
  CHECK_EQUAL(ws_put_packet(server, huge, HUGE_BYTES, WS_BINARY), WS_ERR_LIMIT,
              "a broadcast without memory for one client is refused for both");
  CHECK_EQUAL(ws_put_packet(server, (const uint8_t *)"still", 5, WS_BINARY), WS_OK, "a short broadcast is accepted");
  int got = 0, others = 0;
  ws_handle all[3] = {server, deflating, other};
  for (double end = now_s() + 10; got < 2 && now_s() < end;)
    for (int i = 0; i < 3; i++) {
      ws_poll(all[i]);
      while (ws_next_event(all[i], &event) == WS_OK) {
        got += event.type == WS_EVENT_MESSAGE && event.packet.len == 5;
        others += event.type == WS_EVENT_SKIPPED || (event.type == WS_EVENT_MESSAGE && event.packet.len != 5);
      }
    }
  CHECK(got == 2 && others == 0, "both receive only the short broadcast, and none is skipped");
}

static void broadcast_mixed(void) { broadcast_mixed_with(WS_DEFLATE); }
static void broadcast_mixed_shared(void) { broadcast_mixed_with(WS_DEFLATE | WS_SERVER_NO_CONTEXT_TAKEOVER); }

static void games(uint32_t flags) {
  ws_config config;
  ws_handle host, join;
  fill(&config, flags);
  if (ws_host("ws://127.0.0.1:0", &config, &host) < 0 || ws_join_local(host, &config, &join) < 0) exit(1);
  for (double end = now_s() + 10; ws_get_state(join) != WS_OPEN && now_s() < end;) {
    ws_poll(host);
    ws_poll(join);
  }
  bound_memory();
  CHECK_EQUAL(ws_put_packet(host, huge, HUGE_BYTES, WS_BINARY), WS_ERR_LIMIT, "a host's broadcast is refused");
  ws_result sent = ws_put_packet(join, huge, HUGE_BYTES, WS_BINARY);
  CHECK_EQUAL(sent, WS_ERR_LIMIT, "a join's broadcast is refused");
  CHECK(talks(join, host), "host and join continue");
}

static void game_of_godot3(void) { games(WS_GODOT3); }
static void game_of_scene(void) { games(WS_SCENE); }

/* Opens two attached ends, whose bytes the test carries. */
static void open_attached(const ws_config *config, ws_handle *server, ws_handle *client) {
  static uint8_t bytes[65536];
  if (ws_attach(config, WS_ROLE_SERVER, server) < 0 || ws_attach(config, WS_ROLE_CLIENT, client) < 0) exit(1);
  ws_handle ends[2] = {*client, *server};
  for (int i = 0; i < 20; i++) {
    size_t len = 0;
    ws_poll(ends[i % 2]);
    ws_take_output(ends[i % 2], bytes, sizeof bytes, &len);
    if (len) ws_feed(ends[1 - i % 2], bytes, len, NULL);
    ws_poll(ends[1 - i % 2]);
  }
  if (ws_get_state(*server) != WS_OPEN || ws_get_state(*client) != WS_OPEN) exit(1);
}

/* Feeds bytes until the connection has closed. Returns its end event. */
static ws_event feed_until_closed(ws_handle h, const uint8_t *head, size_t head_len, size_t head_every) {
  static uint8_t zeros[65536];
  ws_event event = {0};
  double end = now_s() + 60;
  for (size_t fed = 0; fed < HUGE_BYTES && now_s() < end;) {
    size_t taken = 0;
    if (fed % head_every == 0 && ws_feed(h, head, head_len, &taken) != WS_OK) break;
    for (size_t done = 0; done < 65536 && ws_get_state(h) == WS_OPEN && now_s() < end; done += taken) {
      if (ws_feed(h, zeros, 65536 - done, &taken) != WS_OK) break;
      ws_poll(h);
    }
    fed += 65536;
    if (ws_get_state(h) != WS_OPEN) break;
  }
  /* Takes the close frame, then ends the transport. */
  size_t len = 1;
  while (len && ws_take_output(h, zeros, sizeof zeros, &len) == WS_OK) ws_poll(h);
  memset(zeros, 0, sizeof zeros);
  ws_feed(h, NULL, 0, NULL);
  event = end_of(h);
  return event;
}

static void receive(int in_fragments) {
  ws_config config;
  ws_handle s, c, s2, c2;
  fill(&config, 0);
  open_attached(&config, &s, &c);
  open_pair(&config, &s2, &c2);
  bound_memory();
  /* With masking key 0: one frame of 300 MB, or fragments of 64 KiB. */
  uint8_t whole[14] = {0x82, 0xFF, 0, 0, 0, 0, HUGE_BYTES >> 24 & 0xFF, HUGE_BYTES >> 16 & 0xFF, 0, 0, 0, 0, 0, 0};
  uint8_t piece[14] = {0x00, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  uint8_t first[6] = {0x02, 0x80, 0, 0, 0, 0};
  if (in_fragments) ws_feed(s, first, sizeof first, NULL);
  ws_event event = in_fragments ? feed_until_closed(s, piece, sizeof piece, 65536)
                                : feed_until_closed(s, whole, sizeof whole, HUGE_BYTES);
  CHECK(event.type == WS_EVENT_CLOSED && event.code == 1009 && event.cause == WS_CAUSE_RESOURCES,
        "the connection is closed with 1009 and the cause RESOURCES");
  CHECK(talks(c2, s2), "other connections continue");
}

static void receive_whole(void) { receive(0); }
static void receive_fragments(void) { receive(1); }

static void inflate(void) {
  ws_config config;
  ws_handle s, c, s2, c2;
  fill(&config, WS_DEFLATE);
  open_attached(&config, &s, &c);
  open_pair(&config, &s2, &c2);
  static uint8_t bytes[4 << 20];
  size_t filled = 0, len;
  rlim_t before = address_space();
  ws_put_packet(c, huge, HUGE_BYTES, WS_BINARY);
  double end = now_s() + 120;
  ws_stats stats;
  do {
    ws_poll(c);
    ws_take_output(c, bytes + filled, sizeof bytes - filled, &len);
    filled += len;
    ws_get_stats(c, &stats, sizeof stats);
  } while ((len || stats.queued_packets_out) && now_s() < end);
  /* Another thread frees the compressed message. */
  while (address_space() > before + LEFT_BYTES && now_s() < end) sched_yield();
  bound_memory();
  for (size_t fed = 0, taken; fed < filled && ws_get_state(s) == WS_OPEN && now_s() < end; fed += taken) {
    if (ws_feed(s, bytes + fed, filled - fed, &taken) != WS_OK) break;
    ws_poll(s);
  }
  while (ws_get_state(s) == WS_OPEN && now_s() < end) ws_poll(s);
  ws_take_output(s, bytes, sizeof bytes, &len);
  ws_feed(s, NULL, 0, NULL);
  ws_event event = end_of(s);
  CHECK(event.type == WS_EVENT_CLOSED && event.code == 1009 && event.cause == WS_CAUSE_RESOURCES,
        "a message that inflates beyond memory is closed with 1009 and RESOURCES");
  CHECK(talks(c2, s2), "other connections continue");
}

int main(void) {
  static const struct {
    const char *name;
    void (*run)(void);
  } cases[] = {{"put_direct", put_direct},
               {"put_behind", put_behind},
               {"put_to_be_compressed", put_to_be_compressed},
               {"put_early", put_early},
               {"broadcast", broadcast},
               {"broadcast_compressed", broadcast_compressed},
               {"broadcast_mixed", broadcast_mixed},
               {"broadcast_mixed_shared", broadcast_mixed_shared},
               {"game_of_godot3", game_of_godot3},
               {"game_of_scene", game_of_scene},
               {"receive_whole", receive_whole},
               {"receive_fragments", receive_fragments},
               {"inflate", inflate}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
      /* calloc() maps zero pages, which use no memory until written. */
      huge = calloc(1, HUGE_BYTES);
      if (!huge) _exit(3);
      failures = 0;
      cases[i].run();
      ws_shutdown();
      fflush(stdout);
      _exit(failures);
    }
    waitpid(child, &status, 0);
    printf("%s - lack: %s lives to its end (%d)\n", WIFEXITED(status) ? "ok" : "not ok", cases[i].name, status);
    failures += status != 0;
  }
  FINISH();
}
