#include "values.h"

#include <stdlib.h>
#include <string.h>

gd_interface gd;

/* Converters by type; NULL where none is needed. */
static gd_from_type from_type[GD_TYPES];
static gd_to_type to_type[GD_TYPES];
static gd_constructor empty[GD_TYPES];
static gd_constructor copy[GD_TYPES];
static gd_destructor destroy[GD_TYPES];
static gd_builtin size_of[GD_TYPES];
static gd_builtin resize[GD_TYPES];

/* The engine's hash of the signatures of size() and resize(). */
static const int64_t SIZE_HASH = 3173160232;
static const int64_t RESIZE_HASH = 848867239;

bool gd_load(gd_get_function get) {
  bool found = true;
#define GD_FIND(result, name, arguments) found &= (gd.name = (result(*) arguments)get(#name)) != NULL;
  GD_INTERFACE(GD_FIND)
#undef GD_FIND
  if (!found) return false;
  static const uint32_t used[] = {GD_STRING_NAME, GD_BOOL,       GD_INT,   GD_FLOAT, GD_STRING, GD_OBJECT,
                                  GD_CALLABLE,    GD_DICTIONARY, GD_ARRAY, GD_BYTES, GD_INTS,   GD_STRINGS};
  gd_name size = gd_name_new("size"), resize_name = gd_name_new("resize");
  for (size_t i = 0; i < sizeof used / sizeof *used; i++) {
    uint32_t type = used[i];
    from_type[type] = gd.get_variant_from_type_constructor(type);
    to_type[type] = gd.get_variant_to_type_constructor(type);
    if (type == GD_OBJECT) continue;
    empty[type] = gd.variant_get_ptr_constructor(type, 0);
    copy[type] = gd.variant_get_ptr_constructor(type, 1);
    destroy[type] = gd.variant_get_ptr_destructor(type);
    if (type < GD_BYTES) continue;
    size_of[type] = gd.variant_get_ptr_builtin_method(type, &size, SIZE_HASH);
    resize[type] = gd.variant_get_ptr_builtin_method(type, &resize_name, RESIZE_HASH);
    found &= size_of[type] && resize[type];
  }
  gd_name_free(&size);
  gd_name_free(&resize_name);
  return found;
}

void gd_error(const char *function, const char *sentence) {
  gd.print_error_with_message(sentence, "", function, "wspeer", 0, 0);
}

void gd_warning(const char *function, const char *sentence) {
  gd.print_warning_with_message(sentence, "", function, "wspeer", 0, 0);
}

gd_name gd_name_new(const char *text) {
  gd_name name;
  gd.string_name_new_with_latin1_chars(&name, text, 0);
  return name;
}

void gd_name_free(gd_name *name) {
  gd_free(GD_STRING_NAME, name);
}

void gd_new(uint32_t type, void *value) {
  if (empty[type]) empty[type](value, NULL);
  else if (type == GD_OBJECT) ((gd_ref *)value)->object = NULL;
}

void gd_copy(uint32_t type, void *value, const void *from) {
  copy[type](value, &from);
}

void gd_free(uint32_t type, void *value) {
  if (destroy[type]) destroy[type](value);
}

gd_string gd_string_new(const char *bytes, size_t len) {
  gd_string string;
  gd.string_new_with_utf8_chars_and_len(&string, bytes, (int64_t)len);
  return string;
}

void gd_utf8_open(gd_utf8 *utf8, const gd_string *string) {
  /* One byte of `small` is reserved for the NUL. */
  int64_t len = gd.string_to_utf8_chars(string, utf8->small, sizeof utf8->small - 1);
  utf8->bytes = utf8->small;
  utf8->len = len > 0 ? (size_t)len : 0;
  if (utf8->len >= sizeof utf8->small) {
    char *bytes = malloc(utf8->len + 1);
    if (bytes) gd.string_to_utf8_chars(string, bytes, len);
    else utf8->len = 0;
    utf8->bytes = bytes ? bytes : utf8->small;
  }
  utf8->bytes[utf8->len] = 0;
}

void gd_utf8_close(gd_utf8 *utf8) {
  if (utf8->bytes != utf8->small) free(utf8->bytes);
}

void gd_utf8_cut(gd_utf8 *utf8, size_t most) {
  if (utf8->len <= most) return;
  while (most > 0 && (utf8->bytes[most] & 0xC0) == 0x80) most--;
  utf8->bytes[most] = 0;
  utf8->len = most;
}

size_t gd_packed_size(uint32_t type, const gd_packed *packed) {
  int64_t size = 0;
  size_of[type]((gd_packed *)packed, NULL, &size, 0);
  return (size_t)size;
}

void gd_packed_resize(uint32_t type, gd_packed *packed, size_t size) {
  int64_t wanted = (int64_t)size, error = 0;
  const void *args[] = {&wanted};
  resize[type](packed, args, &error, 1);
}

const uint8_t *gd_bytes_of(const gd_packed *packed) {
  return gd_packed_size(GD_BYTES, packed) ? gd.packed_byte_array_operator_index_const(packed, 0) : NULL;
}

void gd_bytes_new(gd_packed *packed, const uint8_t *bytes, size_t len) {
  gd_new(GD_BYTES, packed);
  if (len == 0) return;
  gd_packed_resize(GD_BYTES, packed, len);
  memcpy(gd.packed_byte_array_operator_index(packed, 0), bytes, len);
}

gd_variant gd_of(uint32_t type, const void *value) {
  gd_variant variant;
  from_type[type](&variant, (void *)value);
  return variant;
}

gd_variant gd_of_bool(bool value) {
  gd_bool plain = value;
  return gd_of(GD_BOOL, &plain);
}

gd_variant gd_of_int(int64_t value) {
  return gd_of(GD_INT, &value);
}

gd_variant gd_of_float(double value) {
  return gd_of(GD_FLOAT, &value);
}

gd_variant gd_of_text(const char *text, size_t len) {
  gd_string string = gd_string_new(text, len);
  gd_variant variant = gd_of(GD_STRING, &string);
  gd_free(GD_STRING, &string);
  return variant;
}

gd_variant gd_of_object(gd_object *object) {
  return gd_of(GD_OBJECT, &object);
}

void gd_to(uint32_t type, void *value, const gd_variant *variant) {
  to_type[type](value, (gd_variant *)variant);
}

int64_t gd_to_int(const gd_variant *variant) {
  int64_t value = 0;
  gd_to(GD_INT, &value, variant);
  return value;
}

void gd_set(gd_dictionary *dictionary, const char *key, gd_variant value) {
  gd_variant name = gd_of_text(key, strlen(key));
  gd_variant *place = gd.dictionary_operator_index(dictionary, &name);
  /* The engine's variants may be shorter than ours: never assign them in C. */
  gd.variant_destroy(place);
  gd.variant_new_copy(place, &value);
  gd.variant_destroy(&value);
  gd.variant_destroy(&name);
}

bool gd_call_method(gd_object *object, const char *method, gd_variant *args, int count, gd_variant *ret) {
  enum { MOST = 8 };
  const gd_variant *list[MOST];
  for (int i = 0; i < count; i++) list[i] = &args[i];
  gd_name name = gd_name_new(method);
  gd_variant self = gd_of_object(object);
  gd_call_error error = {GD_CALL_OK, 0, 0};
  gd.variant_call(&self, &name, list, count, ret, &error);
  gd.variant_destroy(&self);
  gd_name_free(&name);
  for (int i = 0; i < count; i++) gd.variant_destroy(&args[i]);
  return error.error == GD_CALL_OK;
}

bool gd_has_method(gd_object *object, const char *method) {
  gd_name name = gd_name_new(method);
  gd_variant self = gd_of_object(object);
  bool has = gd.variant_has_method(&self, &name);
  gd.variant_destroy(&self);
  gd_name_free(&name);
  return has;
}

bool gd_is(const gd_object *object, const char *class_name) {
  gd_name name = gd_name_new(class_name);
  void *tag = gd.classdb_get_class_tag(&name);
  gd_name_free(&name);
  return object && tag && gd.object_cast_to(object, tag);
}

void gd_emit(gd_object *object, const char *signal, gd_variant *args, int count) {
  enum { MOST = 7 };
  gd_variant all[MOST + 1], ret;
  gd_name name = gd_name_new(signal);
  all[0] = gd_of(GD_STRING_NAME, &name);
  gd_name_free(&name);
  for (int i = 0; i < count; i++) all[i + 1] = args[i];
  gd_call_method(object, "emit_signal", all, count + 1, &ret);
  gd.variant_destroy(&ret);
}
