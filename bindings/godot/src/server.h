/* WSServer: many clients on one port, as Godot 3's WebSocketServer was, in Godot 4's style. */
#ifndef WSPEER_GODOT_SERVER_H
#define WSPEER_GODOT_SERVER_H

#include "bind.h"

extern const gd_class server_class;

#endif
