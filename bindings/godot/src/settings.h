/* The properties that say how a connection or a server is opened, for all three classes. */
#ifndef WSPEER_GODOT_SETTINGS_H
#define WSPEER_GODOT_SETTINGS_H

#include "bind.h"
#include "settings_names.h"
#include "wspeer.h"

/* Whose defaults. */
typedef enum { OF_PEER, OF_SERVER, OF_MULTIPLAYER, CLASSES_WITH_SETTINGS } class_kind;

/* What each object of the three classes begins with. */
typedef struct {
  gd_object *object;
  /* 0: nothing was opened. */
  ws_handle handle;
  double numbers[NUMBERS];
  gd_packed supported_protocols;
  gd_packed handshake_headers;
  gd_string certificate_pin;
  gd_string request_path;
} endpoint;

void endpoint_start(endpoint *self, gd_object *object, class_kind kind);
void endpoint_end(endpoint *self);

/* Sets a number, for what is opened later and for what is open. */
void settings_set(endpoint *self, int setting, double value);
/* The number as the library wants it: 0 means off or unlimited here. */
uint32_t settings_raw(const endpoint *self, int setting);
/* The longest message: buffers that are larger lift it. */
uint32_t settings_max_message(const endpoint *self);

/* Tells the engine the properties of a class. */
void settings_register(gd_library *library, const char *class_name, class_kind kind);

/* Puts all numbers and flags into a config. */
void settings_fill(const endpoint *self, class_kind kind, ws_config *config);

#endif
