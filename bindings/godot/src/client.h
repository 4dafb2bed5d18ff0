/* WSClient: Godot 3's WebSocketClient, which reports by signals, over a WSPeer. */
#ifndef WSPEER_GODOT_CLIENT_H
#define WSPEER_GODOT_CLIENT_H

#include "bind.h"

extern const gd_class client_class;

#endif
