/* For `make tsan`: proves that a race is detected if the library's code is one side of it. A thread changes the bytes
   that another thread puts. With the argument "guarded" both hold a lock, and nothing may be reported. */
#include "check.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint8_t bytes[256];
static int guarded;

static void *changes(void *unused) {
  for (int i = 0; i < 100; i++) {
    if (guarded) pthread_mutex_lock(&lock);
    for (size_t k = 0; k < sizeof bytes; k++) bytes[k] = (uint8_t)i;
    if (guarded) pthread_mutex_unlock(&lock);
  }
  return unused;
}

int main(int argc, char **argv) {
  ws_handle server, client;
  ws_packet packet;
  pthread_t thread;
  guarded = argc > 1 && !strcmp(argv[1], "guarded");
  open_pair(NULL, &server, &client);
  pthread_create(&thread, NULL, changes, NULL);
  for (int i = 0; i < 100; i++) {
    if (guarded) pthread_mutex_lock(&lock);
    ws_put_packet(client, bytes, sizeof bytes, WS_BINARY);
    if (guarded) pthread_mutex_unlock(&lock);
    ws_poll(client);
    ws_poll(server);
    while (ws_get_packet(server, &packet) == WS_OK) {
    }
  }
  pthread_join(thread, NULL);
  ws_free(server);
  ws_free(client);
  ws_shutdown();
  FINISH();
}
