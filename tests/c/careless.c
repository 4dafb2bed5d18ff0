/* A careless host: it polls every 5 s or never, shuts down while other threads use handles or on a signal, survives
   jumps of the clock, and talks to a peer that resets the connection while its message is being inflated. Usage:
   careless CASE... */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static ws_handle listen_at(const ws_config *config, char *url, size_t cap) {
  ws_handle server;
  if (ws_listen("ws://127.0.0.1:0", config, &server) < 0) exit(1);
  ws_get_text(server, WS_GET_URL, url, cap, NULL);
  return server;
}

static void rest_ms(long ms) {
  struct timespec time = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&time, NULL);
}

/* Echoes messages; returns the number of clients that have ended. */
static int echo(ws_handle server) {
  ws_event event;
  int ended = 0;
  ws_poll(server);
  while (ws_next_event(server, &event) == WS_OK) {
    if (event.type == WS_EVENT_MESSAGE)
      ws_put_packet(event.conn, event.packet.data, event.packet.len, event.packet.type);
    ended += event.type == WS_EVENT_DISCONNECTED;
  }
  return ended;
}

static void polls_every_5_s(void) {
  ws_config config;
  ws_handle client;
  ws_config_init(&config, sizeof config);
  config.heartbeat_ms = 500;
  ws_handle server = open_server(&config, NULL, &client, 1);
  echo(server);
  int got = 0, sent = 0, ended = 0;
  ws_event event;
  for (double end = now_s() + 11, next = now_s() + 5; now_s() < end;) {
    ws_poll(client);
    if (ws_put_packet(client, (const uint8_t *)"hello", 5, WS_TEXT) == WS_OK) sent++;
    while (ws_next_event(client, &event) == WS_OK) {
      got += event.type == WS_EVENT_MESSAGE;
      ended += event.type == WS_EVENT_CLOSED;
    }
    if (now_s() >= next) {
      next = now_s() + 5;
      ended += echo(server);
    }
    rest_ms(16);
  }
  for (double end = now_s() + 5; got < sent && now_s() < end;) {
    ended += echo(server);
    ws_poll(client);
    while (ws_next_event(client, &event) == WS_OK) got += event.type == WS_EVENT_MESSAGE;
  }
  printf("%d messages, %d ends\n", sent, ended);
  CHECK(sent > 100 && got == sent && !ended, "all messages come back, and the heartbeat drops nobody");
}

static void never_polls(void) {
  ws_config config;
  ws_handle clients[20];
  char url[64];
  ws_config_init(&config, sizeof config);
  config.connect_timeout_ms = 300;
  ws_handle server = listen_at(NULL, url, sizeof url);
  for (int i = 0; i < 20; i++)
    if (ws_connect(url, &config, &clients[i]) < 0) exit(1);
  int reported = 0;
  /* Half of the clients are never polled either. */
  for (double end = now_s() + 10; reported < 10 && now_s() < end; rest_ms(5)) {
    ws_event event;
    for (int i = 0; i < 10; i++) {
      ws_poll(clients[i]);
      while (ws_next_event(clients[i], &event) == WS_OK)
        reported +=
            event.type == WS_EVENT_CLOSED && event.cause == WS_CAUSE_CONNECT_TIMEOUT && event.phase == WS_PHASE_HTTP;
    }
  }
  CHECK_EQUAL(reported, 10, "clients of a server that is never polled report CONNECT_TIMEOUT");
  struct rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  rest_ms(300);
  getrusage(RUSAGE_SELF, &after);
  double used = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
                (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) * 1e-6;
  CHECK(used < 0.05, "no CPU time is used while nobody polls");
  ws_free(server);
  for (int i = 0; i < 20; i++) ws_free(clients[i]);
}

static atomic_int handles_at[8];
static atomic_int going, lost_handles;

/* Uses all handles of `handles_at`. */
static void *uses(void *unused) {
  ws_event event;
  while (going) {
    for (int i = 0; i < 8; i++) {
      ws_handle h = (ws_handle)handles_at[i];
      if (ws_poll(h) == WS_ERR_HANDLE && h) lost_handles++;
      while (ws_next_event(h, &event) == WS_OK) {
      }
      ws_put_packet(h, (const uint8_t *)"hello", 5, WS_TEXT);
      ws_flush(h);
    }
    ws_wait((const ws_handle[]){(ws_handle)handles_at[0]}, 1, 1);
  }
  return unused;
}

static void shuts_down_under_others(void) {
  pthread_t threads[3];
  going = 1;
  for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, uses, NULL);
  double longest = 0;
  for (int round = 0; round < 100; round++) {
    char url[64];
    ws_handle server = listen_at(NULL, url, sizeof url), client;
    handles_at[0] = (int)server;
    for (int i = 1; i < 8; i++)
      if (ws_connect(url, NULL, &client) == WS_OK) handles_at[i] = (int)client;
    rest_ms(round % 10);
    double began = now_s();
    ws_shutdown();
    longest = now_s() - began > longest ? now_s() - began : longest;
    if (ws_get_state(server) != WS_ERR_HANDLE) failures++;
  }
  going = 0;
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  printf("the longest ws_shutdown took %.1f ms\n", longest * 1e3);
  CHECK(!failures, "all handles are invalid after ws_shutdown, on every thread");
  CHECK(lost_handles > 0, "the threads see WS_ERR_HANDLE");
}

static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
  (void)number;
  interrupted = 1;
}

static void ends_at_a_signal(void) {
  int lines[2];
  char url[64] = "";
  if (pipe(lines)) exit(1);
  pid_t child = fork();
  if (!child) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, NULL);
    alarm(20);
    ws_handle server = listen_at(NULL, url, sizeof url);
    if (write(lines[1], url, sizeof url) < 0) _exit(1);
    /* The server does not end by itself: the signal interrupts the wait. */
    while (!interrupted) {
      ws_wait(&server, 1, -1);
      echo(server);
    }
    ws_close(server, 0, "a signal interrupts ws_wait");
    for (double end = now_s() + 5; ws_get_state(server) != WS_CLOSED && now_s() < end;) {
      ws_wait(&server, 1, 10);
      echo(server);
    }
    int well = ws_get_state(server) == WS_CLOSED;
    ws_shutdown();
    _exit(well ? 0 : 2);
  }
  if (read(lines[0], url, sizeof url) < 0) exit(1);
  ws_handle client;
  ws_event event;
  int code = 0, sent = 0, status = 1;
  if (ws_connect(url, NULL, &client) < 0) exit(1);
  for (double end = now_s() + 15; !code && now_s() < end;) {
    ws_wait(&client, 1, 10);
    ws_poll(client);
    while (ws_next_event(client, &event) == WS_OK) {
      if (event.type == WS_EVENT_OPEN) ws_put_packet(client, (const uint8_t *)"hello", 5, WS_TEXT);
      if (event.type == WS_EVENT_MESSAGE && !sent++) kill(child, SIGINT);
      if (event.type == WS_EVENT_CLOSED) code = event.code;
    }
  }
  waitpid(child, &status, 0);
  CHECK(status == 0 && code == 1001, "a server interrupted in ws_wait closes its clients with 1001 and ends");
  ws_free(client);
}

/* Run with a preloaded library that makes the wall clock jump by hours at every call. */
static void clock_jumps(void) {
  ws_config config;
  ws_handle clients[3], none;
  ws_event event;
  struct timespec first, second;
  clock_gettime(CLOCK_REALTIME, &first);
  clock_gettime(CLOCK_REALTIME, &second);
  CHECK(first.tv_sec - second.tv_sec > 1000 || second.tv_sec - first.tv_sec > 1000, "the wall clock jumps");
  ws_config_init(&config, sizeof config);
  config.heartbeat_ms = 50;
  config.pong_timeout_ms = 1000;
  config.connect_timeout_ms = 1500;
  ws_handle server = open_server(&config, &config, clients, 3);
  int got = 0, sent = 0, ended = 0, timed_out = 0;
  /* A server that does not answer. */
  int silent = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof address;
  char url[64];
  if (bind(silent, (struct sockaddr *)&address, len) || listen(silent, 5) ||
      getsockname(silent, (struct sockaddr *)&address, &len))
    exit(1);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d", ntohs(address.sin_port));
  double began = now_s(), timed_out_after = 0;
  if (ws_connect(url, &config, &none) < 0) exit(1);
  while (now_s() < began + 2.5) {
    ended += echo(server);
    for (int i = 0; i < 3; i++) {
      ws_poll(clients[i]);
      sent += ws_put_packet(clients[i], (const uint8_t *)"hello", 5, WS_TEXT) == WS_OK;
      while (ws_next_event(clients[i], &event) == WS_OK) {
        got += event.type == WS_EVENT_MESSAGE;
        ended += event.type == WS_EVENT_CLOSED;
      }
    }
    ws_poll(none);
    while (ws_next_event(none, &event) == WS_OK)
      if (event.type == WS_EVENT_CLOSED && event.cause == WS_CAUSE_CONNECT_TIMEOUT)
        timed_out++, timed_out_after = now_s() - began;
    rest_ms(5);
  }
  CHECK(!ended && got > sent / 2, "jumps of the clock end no connection");
  CHECK(timed_out == 1 && timed_out_after > 1.4 && timed_out_after < 2.4, "jumps of the clock do not change a timeout");
  close(silent);
}

/* A client whose bytes the test carries over a plain socket, which it can reset at any time. */
static int open_by_hand(const ws_config *config, const char *url, ws_handle server, ws_handle *client) {
  static uint8_t bytes[65536];
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1))};
  if (connect(fd, (struct sockaddr *)&address, sizeof address) || fcntl(fd, F_SETFL, O_NONBLOCK)) exit(1);
  if (ws_attach(config, WS_ROLE_CLIENT, client) < 0) exit(1);
  for (double end = now_s() + 10; ws_get_state(*client) != WS_OPEN && now_s() < end;) {
    size_t len = 0;
    ws_poll(*client);
    ws_take_output(*client, bytes, sizeof bytes, &len);
    if (len && send(fd, bytes, len, 0) != (ssize_t)len) exit(1);
    ws_poll(server);
    ssize_t count = recv(fd, bytes, sizeof bytes, 0);
    if (count > 0) ws_feed(*client, bytes, (size_t)count, NULL);
  }
  return fd;
}

static void resets_while_inflating(void) {
  enum { LONG = 12 << 20 };
  static uint8_t wire[8 << 20], text[LONG];
  ws_config config;
  ws_handle other, client;
  ws_event event;
  char url[64];
  uint32_t random = 7;
  ws_config_init(&config, sizeof config);
  config.flags = WS_DEFLATE;
  config.poll_budget_us = 100;
  for (size_t i = 0; i < LONG; i++) {
    random = random * 1664525 + 1013904223;
    text[i] = (uint8_t)("etaoin shrdlu"[(random >> 24) % 13]);
  }
  int inflating = 0, reported = 0, wrong = 0, messages = 0;
  for (int round = 0; round < 20; round++) {
    ws_handle server = open_server(&config, &config, &other, 1), conn = 0;
    ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
    while (ws_next_event(server, &event) == WS_OK) {
    }
    int fd = open_by_hand(&config, url, server, &client);
    for (double end = now_s() + 10; !conn && now_s() < end; ws_poll(server))
      while (ws_next_event(server, &event) == WS_OK)
        if (event.type == WS_EVENT_CONNECTED) conn = event.conn;
    size_t filled = 0, len = 1, sent = 0;
    ws_put_packet(client, (const uint8_t *)"first", 5, WS_TEXT);
    ws_put_packet(client, text, LONG, WS_TEXT);
    for (int quiet = 0; quiet < 100; quiet = len ? 0 : quiet + 1) {
      ws_poll(client);
      ws_take_output(client, wire + filled, sizeof wire - filled, &len);
      filled += len;
    }
    /* Sends a part of the message, of a different length in each round, so that the server is inflating it. */
    size_t part = filled / 25 * (size_t)(round + 1);
    ws_stats stats;
    for (double end = now_s() + 10; sent < part && now_s() < end;) {
      ssize_t count = send(fd, wire + sent, part - sent, 0);
      if (count > 0) sent += (size_t)count;
      ws_poll(server);
    }
    ws_result more = ws_poll(server);
    struct linger now = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
    inflating += more == WS_MORE;
    /* The server's writes fail while the message is still being inflated. */
    int ends = 0, first = 0, echoed = 0;
    for (double end = now_s() + 10; (!ends || !echoed) && now_s() < end;) {
      ws_put_packet(conn, (const uint8_t *)"are you there?", 14, WS_TEXT);
      ws_put_packet(other, (const uint8_t *)"hello", 5, WS_TEXT);
      ws_poll(server);
      while (ws_next_event(server, &event) == WS_OK) {
        if (event.type == WS_EVENT_MESSAGE && event.conn == conn)
          first += event.packet.len == 5 && !memcmp(event.packet.data, "first", 5), wrong += event.packet.len != 5;
        else if (event.type == WS_EVENT_MESSAGE)
          ws_put_packet(event.conn, event.packet.data, event.packet.len, WS_TEXT);
        if (event.type == WS_EVENT_DISCONNECTED && event.conn == conn)
          ends++,
              reported += event.code == 1006 && (event.cause == WS_CAUSE_RESET || event.cause == WS_CAUSE_PEER_GONE);
      }
      ws_poll(other);
      while (ws_next_event(other, &event) == WS_OK) echoed += event.type == WS_EVENT_MESSAGE;
    }
    messages += first;
    wrong += ends != 1 || !echoed;
    ws_get_stats(server, &stats, sizeof stats);
    ws_free(client);
    ws_free(other);
    ws_free(server);
  }
  printf("%d of 20 were reset with bytes left to inflate\n", inflating);
  CHECK(reported == 20 && !wrong, "each lost client is reported once, and others continue");
  CHECK(messages <= 20 && inflating > 5, "the connections were lost while a message was being inflated");
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*run)(void);
  } cases[] = {{"polls_every_5_s", polls_every_5_s},
               {"never_polls", never_polls},
               {"shuts_down_under_others", shuts_down_under_others},
               {"ends_at_a_signal", ends_at_a_signal},
               {"clock_jumps", clock_jumps},
               {"resets_while_inflating", resets_while_inflating}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (int at = 1; at < argc; at++)
      if (!strcmp(argv[at], cases[i].name)) cases[i].run();
  ws_shutdown();
  FINISH();
}
