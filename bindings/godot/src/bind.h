/* Registers classes with the engine from tables, whose rows are written like GDScript. */
#ifndef WSPEER_GODOT_BIND_H
#define WSPEER_GODOT_BIND_H

#include "values.h"

/* A call of a method. args[i] points to a value of the argument's type: `*(const int64_t *)args[0]`. `ret` points to a
 * value of the result's type. */
typedef struct {
  void *self;
  const void *const *args;
  void *ret;
  const void *data;
} gd_call;

typedef void (*gd_method_function)(const gd_call *call);

/* A method: {"send(message: PackedByteArray, write_mode: WSPeer.WriteMode = 1) -> Error", function}; `const` goes
 * before the arrow; defaults are numbers, true, false, null, "" or []. */
typedef struct {
  const char *signature;
  gd_method_function function;
  const void *data;
} gd_method;

/* A property: {"inbound_buffer_size: int", "set_inbound_buffer_size", "get_inbound_buffer_size"}. */
typedef struct {
  const char *signature;
  const char *setter;
  const char *getter;
} gd_property;

/* A constant of a named enumeration. */
typedef struct {
  const char *enumeration;
  const char *name;
  int64_t value;
} gd_constant;

/* A class. Each table ends with a row of zeros; any table may be NULL. */
typedef struct {
  const char *name;
  const char *parent;
  size_t size;
  void (*start)(void *self, gd_object *object);
  void (*end)(void *self);
  const gd_method *virtuals;
  const gd_method *methods;
  const gd_property *properties;
  const gd_constant *constants;
  const char *const *signals;
  /* Makes the class internal: scripts and the help do not show it. NULL for the others. */
  void (*notification)(void *self, int32_t what, gd_bool reversed);
} gd_class;

void gd_register(gd_library *library, const gd_class *about);
void gd_unregister(gd_library *library, const gd_class *about);
/* Adds methods, properties and constants to a registered class. */
void gd_register_methods(gd_library *library, const char *class_name, const gd_method *methods);
void gd_register_constants(gd_library *library, const char *class_name, const gd_constant *constants);
void gd_register_properties(gd_library *library, const char *class_name, const gd_property *properties);
/* The properties that are added after this, and whose names begin with the prefix, are a group in the editor. */
void gd_register_group(gd_library *library, const char *class_name, const char *title, const char *prefix);

/* Creates an object of a registered class; *self becomes the struct that `start` initialized for it. */
gd_object *gd_instantiate(const gd_class *about, void **self);

/* Arguments and results of a call. */
int64_t gd_int_at(const gd_call *call, int index);
/* Numbers out of range become the nearest in range. */
int32_t gd_int32_at(const gd_call *call, int index);
double gd_float_at(const gd_call *call, int index);
bool gd_bool_at(const gd_call *call, int index);
gd_object *gd_object_at(const gd_call *call, int index);
const gd_string *gd_string_at(const gd_call *call, int index);
const gd_packed *gd_packed_at(const gd_call *call, int index);
void gd_return_int(const gd_call *call, int64_t value);
void gd_return_float(const gd_call *call, double value);
void gd_return_bool(const gd_call *call, bool value);
void gd_return_text(const gd_call *call, const char *text, size_t len);
void gd_return_object(const gd_call *call, gd_object *object);
/* The result, an empty Dictionary to fill. */
gd_dictionary *gd_return_dictionary(const gd_call *call);

#endif
