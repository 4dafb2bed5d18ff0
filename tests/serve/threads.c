/* A program with threads, which needs an isolated page: a thread counts, and the main thread joins the game on the port
 * of its page. */
#include "wspeer.h"

#include <emscripten.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static atomic_int counted;

static void *count(void *unused) {
  for (int i = 0; i < 1000; i++) atomic_fetch_add(&counted, 1);
  return unused;
}

int main(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, count, NULL)) {
    printf("no thread\n");
    return 1;
  }
  ws_handle conn;
  if (ws_connect("/game", NULL, &conn) < 0) return 2;
  for (int i = 0; i < 2000; i++) {
    ws_event event;
    ws_poll(conn);
    while (ws_next_event(conn, &event) == WS_OK) {
      if (event.type == WS_EVENT_OPEN) ws_put_packet(conn, (const uint8_t *)"from a thread", 13, WS_TEXT);
      if (event.type == WS_EVENT_CLOSED) printf("closed: %s\n", (const char *)event.packet.data);
      if (event.type != WS_EVENT_MESSAGE) continue;
      printf("echo %.*s, counted %d\n", (int)event.packet.len, (const char *)event.packet.data, atomic_load(&counted));
      ws_free(conn);
      return 0;
    }
    emscripten_sleep(5);
  }
  printf("no answer\n");
  return 3;
}
