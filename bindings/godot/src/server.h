/* WSServer: many clients on one port, like Godot 3's WebSocketServer, in the style of Godot 4. */
#ifndef WSPEER_GODOT_SERVER_H
#define WSPEER_GODOT_SERVER_H

#include "bind.h"

extern const gd_class server_class;

#endif
