/* A host that loads and unloads the library repeatedly, with open connections and pending lookups. Usage: reload
   LIBRARY */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef int32_t (*opens)(const char *, const void *, uint32_t *);
typedef int32_t (*polls)(uint32_t);

/* Converts a symbol to a function pointer, for which ISO C has no cast. */
#define LOAD(library, name, variable)                \
  do {                                               \
    void *symbol_ = dlsym(library, name);            \
    memcpy(&(variable), &symbol_, sizeof symbol_);   \
  } while (0)

int main(int argc, char **argv) {
  int rounds = 0;
  for (; argc > 1 && rounds < 50; rounds++) {
    void *library = dlopen(argv[1], RTLD_NOW);
    if (!library) break;
    opens connect_to, listen_on;
    polls poll_once;
    LOAD(library, "ws_connect", connect_to);
    LOAD(library, "ws_listen", listen_on);
    LOAD(library, "ws_poll", poll_once);
    uint32_t server, client, lost;
    if (listen_on("ws://127.0.0.1:0", NULL, &server) || connect_to("ws://127.0.0.1:9/", NULL, &client) ||
        connect_to("wss://nowhere.invalid/", NULL, &lost))
      break;
    poll_once(server);
    poll_once(client);
    poll_once(lost);
    if (rounds % 2) {
      void (*shut_down)(void);
      LOAD(library, "ws_shutdown", shut_down);
      shut_down();
    }
    dlclose(library);
  }
  printf("%s - reload: 50 loads and unloads\n", rounds == 50 ? "ok" : "not ok");
  return rounds == 50 ? 0 : 1;
}
