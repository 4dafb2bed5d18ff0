/* Passes on to all open clients what the engine says of the app: it was suspended, or is shown again. */
#ifndef WSPEER_GODOT_HINTS_H
#define WSPEER_GODOT_HINTS_H

#include "settings.h"

void hints_register(gd_library *library);
void hints_unregister(void);

/* A client or join was opened, and gets hints until hints_stop(). Both functions may be called on any thread, and the
 * second for any endpoint. */
void hints_begin(endpoint *self);
void hints_stop(endpoint *self);

#endif
