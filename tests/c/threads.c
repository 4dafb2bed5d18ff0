/* Several threads on one handle and on many: putting, polling, reading, closing and freeing at once. */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ROUNDS = 300, PUTS = 2000 };
static ws_handle shared_server, shared_client, server, clients[4];
static atomic_int done;
static atomic_ulong received;

static void *polls(void *handle) {
  ws_handle h = *(ws_handle *)handle;
  while (!done) {
    ws_poll(h);
    ws_packet packet;
    while (ws_get_packet(h, &packet) == WS_OK) {
      if (packet.len != 8) exit(3);
      received++;
    }
  }
  return NULL;
}

static void *puts_many(void *handle) {
  ws_handle h = *(ws_handle *)handle;
  uint8_t message[8] = {0};
  for (int i = 0; i < PUTS; i++) {
    double end = now_s() + 20;
    while (ws_put_packet(h, message, sizeof message, WS_BINARY) == WS_ERR_FULL && now_s() < end) ws_poll(h);
  }
  return NULL;
}

static void *frees(void *nothing) {
  (void)nothing;
  for (int i = 0; i < ROUNDS; i++) {
    ws_handle s, c, l;
    ws_pair(NULL, &s, &c);
    ws_listen("ws://127.0.0.1:0", NULL, &l);
    ws_poll(s);
    ws_poll(c);
    ws_poll(l);
    ws_close(c, 0, NULL);
    ws_free(s);
    ws_free(l);
    ws_poll(c);
    ws_free(c);
  }
  return NULL;
}

static void *frees_one(void *handle) {
  ws_free(*(ws_handle *)handle);
  return NULL;
}

int main(void) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  open_pair(&config, &shared_server, &shared_client);
  server = open_server(NULL, NULL, clients, 4);
  pthread_t readers[6], writers[8], makers[2];
  pthread_create(&readers[0], NULL, polls, &shared_server);
  pthread_create(&readers[1], NULL, polls, &server);
  for (int i = 0; i < 4; i++) pthread_create(&readers[2 + i], NULL, polls, &clients[i]);
  pthread_create(&writers[0], NULL, puts_many, &shared_client);
  pthread_create(&writers[1], NULL, puts_many, &shared_client);
  for (int i = 0; i < 4; i++) pthread_create(&writers[2 + i], NULL, puts_many, &clients[i]);
  for (int i = 0; i < 2; i++) pthread_create(&makers[i], NULL, frees, NULL);
  for (int i = 0; i < 6; i++) pthread_join(writers[i], NULL);
  for (int i = 0; i < 2; i++) pthread_join(makers[i], NULL);
  double end = now_s() + 20;
  while (received < 6 * PUTS && now_s() < end) ws_poll(shared_client);
  done = 1;
  for (int i = 0; i < 6; i++) pthread_join(readers[i], NULL);
  CHECK_EQUAL(received, 6 * PUTS, "every message of every thread arrived");

  /* One thread frees the handle while others use it. */
  for (int i = 0; i < 200; i++) {
    ws_handle s, c;
    open_pair(NULL, &s, &c);
    pthread_t threads[3];
    done = 0;
    pthread_create(&threads[0], NULL, frees_one, &c);
    pthread_create(&threads[1], NULL, frees_one, &c);
    pthread_create(&threads[2], NULL, puts_many, &c);
    for (int k = 0; k < 3; k++) pthread_join(threads[k], NULL);
    if (ws_get_state(c) != WS_ERR_HANDLE) failures++;
    ws_free(s);
  }
  CHECK_EQUAL(failures, 0, "handles freed while other threads use them become invalid");
  ws_shutdown();
  FINISH();
}
