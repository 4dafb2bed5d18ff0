/* The properties that configure a connection or a server, for all three classes. */
#ifndef WSPEER_GODOT_SETTINGS_H
#define WSPEER_GODOT_SETTINGS_H

#include "bind.h"
#include "settings_names.h"
#include "wspeer.h"

/* The class, which selects the defaults. */
typedef enum { OF_PEER, OF_SERVER, OF_MULTIPLAYER, CLASSES_WITH_SETTINGS } class_kind;

/* The first member of each object of the three classes. */
typedef struct endpoint {
  gd_object *object;
  class_kind kind;
  /* A WSPeer: a ping of its connection has been answered, or another object polls it. */
  bool has_pong;
  /* 0: nothing is open. */
  ws_handle handle;
  double numbers[NUMBERS];
  gd_packed supported_protocols;
  gd_packed handshake_headers;
  gd_string certificate_pin;
  gd_string proxy;
  gd_string session_node;
  gd_string request_path;
  gd_packed trusted_proxies;
  gd_packed allowed_hosts;
  gd_packed allowed_origins;
  /* The properties sim_* have been applied to the handle. */
  bool is_simulated;
  /* The list of hints.c; `place` points to the pointer to this one, and is NULL when it is in no list. */
  struct endpoint *next;
  struct endpoint **place;
} endpoint;

void endpoint_start(endpoint *self, gd_object *object, class_kind kind);
void endpoint_end(endpoint *self);

/* Sets a number, for the open handle and for later ones. */
void settings_set(endpoint *self, int setting, double value);
/* The number in the library's form, where 0 means off or unlimited here. */
uint32_t settings_raw(const endpoint *self, int setting);
/* Maximum message size: larger buffers raise it. */
uint32_t settings_max_message(const endpoint *self);

/* Applies the properties sim_* to the open handle, if one is set or was. */
void simulate(endpoint *self);

/* Registers the properties of a class with the engine. */
void settings_register(gd_library *library, const char *class_name, class_kind kind);

/* Writes all numbers and flags into a config. */
void settings_fill(const endpoint *self, class_kind kind, ws_config *config);

#endif
