/* Included before a program that has a loop: where the loop would sleep, the browser handles its events (-sASYNCIFY).
   */
#include "wspeer.h"

#include <emscripten.h>
#include <time.h>

static inline ws_result browser_wait(const ws_handle *handles, size_t n, int32_t ms) {
  (void)handles;
  (void)n;
  emscripten_sleep((unsigned)ms);
  return WS_OK;
}

#define ws_wait(handles, n, ms) browser_wait(handles, n, ms)
#define nanosleep(rest, left) ((void)(rest), emscripten_sleep(1))
