/* Put in front of a program that has a loop of its own: where it would rest, the browser goes on with its events (-sASYNCIFY). */
#include "wspeer.h"

#include <emscripten.h>
#include <time.h>

#define ws_wait(handles, n, ms) ((void)(handles), emscripten_sleep(ms))
#define nanosleep(rest, left) ((void)(rest), emscripten_sleep(1))
