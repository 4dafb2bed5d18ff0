/* fork() while other threads poll, wait, log and open: the child inherits no held lock, its new handles work, and the
   parent continues. */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORKS = 400 };

static atomic_int stop;
static atomic_ullong echoed, waits;
static ws_handle server;
static char url[64];

static void drain_log(void) {
  char line[512];
  while (ws_get_log(line, sizeof line, NULL) != WS_EMPTY) {
  }
}

/* A server, and clients that connect, send and leave. */
static void *play(void *unused) {
  ws_handle clients[4] = {0};
  ws_event event;
  while (!stop) {
    for (int i = 0; i < 4; i++) {
      if (!clients[i] && ws_connect(url, NULL, &clients[i]) < 0) clients[i] = 0;
      ws_poll(clients[i]);
      ws_put_packet(clients[i], (const uint8_t *)"hello", 5, WS_TEXT);
      while (ws_next_event(clients[i], &event) == WS_OK)
        if (event.type == WS_EVENT_MESSAGE && ++echoed % 50 == 0) ws_close(clients[i], 0, NULL);
      if (ws_get_state(clients[i]) == WS_CLOSED) {
        ws_free(clients[i]);
        clients[i] = 0;
      }
    }
    ws_poll(server);
    while (ws_next_event(server, &event) == WS_OK)
      if (event.type == WS_EVENT_MESSAGE) ws_put_packet(event.conn, event.packet.data, event.packet.len, WS_TEXT);
  }
  for (int i = 0; i < 4; i++) ws_free(clients[i]);
  return unused;
}

static void *wait_and_log(void *unused) {
  while (!stop) {
    ws_handle s, c;
    ws_wait(&server, 1, 1);
    ++waits;
    if (ws_pair(NULL, &s, &c) == WS_OK) {
      ws_poll(c);
      ws_poll(s);
      ws_free(s);
      ws_free(c);
    }
    drain_log();
  }
  return unused;
}

/* Uses the library in the child; SIGALRM ends it if a call hangs. */
static int live_as_child(void) {
  ws_handle own, client = 0, s, c;
  ws_event event;
  char own_url[64];
  alarm(20);
  if (ws_poll(server) != WS_ERR_HANDLE || ws_get_state(server) != WS_ERR_HANDLE ||
      ws_wait(&server, 1, 0) != WS_ERR_HANDLE)
    return 1;
  ws_free(server);
  if (ws_set_log_level(WS_LOG_DEBUG) < 0) return 2;
  drain_log();
  open_pair(NULL, &s, &c);
  if (ws_get_state(s) != WS_OPEN || s == server || c == server) return 3;
  if (ws_listen("ws://127.0.0.1:0", NULL, &own) < 0) return 4;
  ws_get_text(own, WS_GET_URL, own_url, sizeof own_url, NULL);
  if (ws_connect(own_url, NULL, &client) < 0) return 5;
  ws_handle both[2] = {own, client};
  for (int got = 0; got < 2;) {
    if (ws_wait(both, 2, 10000) != WS_OK) return 6;
    ws_poll(client);
    ws_poll(own);
    while (ws_next_event(client, &event) == WS_OK) {
      if (event.type == WS_EVENT_OPEN) got++, ws_put_packet(client, (const uint8_t *)"hello", 5, WS_TEXT);
      if (event.type == WS_EVENT_CLOSED) return 7;
    }
    while (ws_next_event(own, &event) == WS_OK) got += event.type == WS_EVENT_MESSAGE;
  }
  drain_log();
  ws_shutdown();
  return 0;
}

int main(void) {
  pthread_t threads[2];
  ws_set_log_level(WS_LOG_DEBUG);
  if (ws_listen("ws://127.0.0.1:0", NULL, &server) < 0) return 1;
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
  ws_wait(&server, 1, 0);
  pthread_create(&threads[0], NULL, play, NULL);
  pthread_create(&threads[1], NULL, wait_and_log, NULL);
  int well = 0, last = 0;
  double end = now_s() + 120;
  for (int i = 0; i < FORKS && now_s() < end; i++) {
    pid_t child = fork();
    if (!child) _exit(live_as_child());
    int status = 1;
    waitpid(child, &status, 0);
    well += status == 0;
    if (status) last = status;
    /* Varies the moment of the fork. */
    for (double next = now_s() + (i % 37) * 2e-5; now_s() < next;) {
    }
  }
  printf("%d of %d children ended well, the last other one with %x; %llu messages, %llu waits meanwhile\n", well, FORKS,
         (unsigned)last, echoed, waits);
  CHECK_EQUAL(well, FORKS, "no child hangs or fails");
  unsigned long long before = echoed, before_waits = waits;
  for (end = now_s() + 20; (echoed == before || waits == before_waits) && now_s() < end;) {
  }
  CHECK(echoed > before && waits > before_waits, "the parent continues");
  stop = 1;
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  ws_shutdown();
  FINISH();
}
