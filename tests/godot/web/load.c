/* Loads the library of web exports as Godot's export template does, and calls its entry point with an engine that has no
 * functions: it refuses to start. Prints how many functions it has asked for. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>

typedef void (*function)(void);
typedef struct {
  uint32_t minimum_level;
  void *data;
  void (*initialize)(void *data, uint32_t level);
  void (*deinitialize)(void *data, uint32_t level);
} initialization;

static int asked;

static function get(const char *name) {
  (void)name;
  asked++;
  return NULL;
}

int main(void) {
  initialization how = {0};
  void *library = dlopen("/library.wasm", RTLD_NOW);
  if (!library) {
    printf("%s\n", dlerror());
    return 1;
  }
  uint8_t (*init)(function (*)(const char *), void *, initialization *) = dlsym(library, "wspeer_godot_init");
  if (!init) {
    printf("%s\n", dlerror());
    return 1;
  }
  uint8_t result = init(get, &how, &how);
  printf("result %d, asked for %s\n", result, asked > 30 ? "functions" : "nothing");
  return 0;
}
