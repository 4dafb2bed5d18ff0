/* The engine's functions, and conversions between its values and C. */
#ifndef WSPEER_GODOT_VALUES_H
#define WSPEER_GODOT_VALUES_H

#include "interface.h"

#include <stdbool.h>

/* The engine's functions, by name. */
typedef struct {
#define GD_FIELD(result, name, arguments) result(*name) arguments;
  GD_INTERFACE(GD_FIELD)
#undef GD_FIELD
} gd_interface;

extern gd_interface gd;

/* Looks up all of them; false when the engine is older than 4.3 and lacks one. */
bool gd_load(gd_get_function get);

/* Prints an error or a warning with the engine's functions. */
void gd_error(const char *function, const char *sentence);
void gd_warning(const char *function, const char *sentence);

/* Names. A name must be freed. */
gd_name gd_name_new(const char *text);
void gd_name_free(gd_name *name);

/* Construct, copy and free values by type; copies share what the engine shares. */
void gd_new(uint32_t type, void *value);
void gd_copy(uint32_t type, void *value, const void *from);
void gd_free(uint32_t type, void *value);

/* Texts. */
gd_string gd_string_new(const char *bytes, size_t len);

/* A String of the engine as UTF-8, with a NUL after it. */
typedef struct {
  char *bytes;
  size_t len;
  char small[256];
} gd_utf8;

void gd_utf8_open(gd_utf8 *utf8, const gd_string *string);
void gd_utf8_close(gd_utf8 *utf8);
/* Shortens it to at most `most` bytes, at a character boundary. */
void gd_utf8_cut(gd_utf8 *utf8, size_t most);

/* Packed arrays. */
size_t gd_packed_size(uint32_t type, const gd_packed *packed);
void gd_packed_resize(uint32_t type, gd_packed *packed, size_t size);
/* NULL when it is empty. */
const uint8_t *gd_bytes_of(const gd_packed *packed);
/* Makes a PackedByteArray; the place must not hold a value. */
void gd_bytes_new(gd_packed *packed, const uint8_t *bytes, size_t len);

/* Variants. Each must be destroyed (gd.variant_destroy). */
gd_variant gd_of_bool(bool value);
gd_variant gd_of_int(int64_t value);
gd_variant gd_of_float(double value);
gd_variant gd_of_text(const char *text, size_t len);
gd_variant gd_of_object(gd_object *object);
gd_variant gd_of(uint32_t type, const void *value);
/* Converts the value of a variant; the result must be freed. */
void gd_to(uint32_t type, void *value, const gd_variant *variant);
int64_t gd_to_int(const gd_variant *variant);

/* Sets an entry of a Dictionary; destroys the value. */
void gd_set(gd_dictionary *dictionary, const char *key, gd_variant value);

/* Calls a method of an object with `count` variants, which are destroyed. `ret` must be destroyed, even when false is
 * returned because there is no such method. */
bool gd_call_method(gd_object *object, const char *method, gd_variant *args, int count, gd_variant *ret);
/* Whether an object has a method, in its class or its script. */
bool gd_has_method(gd_object *object, const char *method);
/* Whether an object is of a class or a subclass of it. */
bool gd_is(const gd_object *object, const char *class_name);
/* Emits a signal of an object. Destroys the variants. */
void gd_emit(gd_object *object, const char *signal, gd_variant *args, int count);

#endif
