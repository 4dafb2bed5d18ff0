/* wspeer's header over the engine's WebSocketPeer, for web exports: there the browser's WebSocket is below it. */
#ifndef WSPEER_GODOT_WEB_ENGINE_H
#define WSPEER_GODOT_WEB_ENGINE_H

#include "wspeer.h"

/* Sets the text of ws_last_error() and returns the result. */
ws_result engine_fails(ws_result result, const char *why);
/* WS_ERR_UNSUPPORTED: what is not there in a web export. */
ws_result engine_unsupported(const char *what);

#endif
