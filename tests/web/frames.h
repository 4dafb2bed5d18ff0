/* Included before a program that has a loop: where the loop would sleep, the browser handles its events (-sASYNCIFY).
   */
#include "wspeer.h"

#include <emscripten.h>
#include <time.h>

#define ws_wait(handles, n, ms) ((void)(handles), emscripten_sleep(ms))
#define nanosleep(rest, left) ((void)(rest), emscripten_sleep(1))
