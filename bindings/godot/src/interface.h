/* The part of Godot's GDExtension interface that this extension uses, as of Godot 4.3: a short declaration of our own,
 * so that the build needs no download. tests/suites/gdextension.sh compares it with the header that the engine writes
 * (--dump-gdextension-interface). */
#ifndef WSPEER_GODOT_INTERFACE_H
#define WSPEER_GODOT_INTERFACE_H

#include <stddef.h>
#include <stdint.h>

typedef uint8_t gd_bool;
/* An Object of the engine. */
typedef struct gd_object gd_object;
/* The engine's handle for this extension. */
typedef struct gd_library gd_library;

/* The engine's values as they are in memory. A Variant has 24 bytes, or 40 in engines built with double precision. */
typedef struct {
  uint64_t opaque[5];
} gd_variant;
typedef struct {
  void *opaque;
} gd_string;
typedef struct {
  void *opaque;
} gd_name;
typedef struct {
  void *opaque;
} gd_dictionary;
typedef struct {
  void *opaque;
} gd_array;
typedef struct {
  void *opaque[2];
} gd_callable;
/* Any Packed...Array. */
typedef struct {
  void *opaque[2];
} gd_packed;
/* A counted reference to an object. */
typedef struct {
  gd_object *object;
} gd_ref;

/* Types of Variant. */
enum {
  GD_NIL = 0,
  GD_BOOL = 1,
  GD_INT = 2,
  GD_FLOAT = 3,
  GD_STRING = 4,
  GD_STRING_NAME = 21,
  GD_OBJECT = 24,
  GD_CALLABLE = 25,
  GD_DICTIONARY = 27,
  GD_ARRAY = 28,
  GD_BYTES = 29,
  GD_INTS = 30,
  GD_STRINGS = 34,
  GD_TYPES = 39
};

enum { GD_CALL_OK = 0, GD_CALL_WRONG_ARGUMENT = 2, GD_CALL_TOO_MANY = 3, GD_CALL_TOO_FEW = 4 };
enum { GD_METHOD_NORMAL = 1, GD_METHOD_CONST = 4 };
enum { GD_HINT_RESOURCE_TYPE = 17, GD_USAGE_DEFAULT = 6, GD_USAGE_ENUM = 65536 };
enum { GD_LEVEL_SCENE = 2, GD_LEVEL_EDITOR = 3 };

typedef struct {
  uint32_t error;
  int32_t argument;
  int32_t expected;
} gd_call_error;

typedef struct {
  uint32_t type;
  gd_name *name;
  gd_name *class_name;
  uint32_t hint;
  gd_string *hint_string;
  uint32_t usage;
} gd_property_info;

typedef void (*gd_call_function)(void *data, void *self, const gd_variant *const *args, int64_t count, gd_variant *ret,
                                 gd_call_error *error);
typedef void (*gd_ptrcall_function)(void *data, void *self, const void *const *args, void *ret);

typedef struct {
  gd_name *name;
  void *data;
  gd_call_function call;
  gd_ptrcall_function ptrcall;
  uint32_t flags;
  gd_bool returns;
  gd_property_info *return_info;
  uint32_t return_metadata;
  uint32_t argument_count;
  gd_property_info *argument_info;
  uint32_t *argument_metadata;
  uint32_t default_count;
  gd_variant **defaults;
} gd_method_info;

/* GDExtensionClassCreationInfo3. */
typedef struct {
  gd_bool is_virtual;
  gd_bool is_abstract;
  gd_bool is_exposed;
  gd_bool is_runtime;
  void (*unused[7])(void);
  void (*notification)(void *self, int32_t what, gd_bool reversed);
  void (*unused_too[3])(void);
  gd_object *(*create)(void *data);
  void (*free)(void *data, void *self);
  void (*recreate)(void);
  void (*get_virtual)(void);
  void *(*get_virtual_data)(void *data, const gd_name *name);
  void (*call_virtual)(void *self, const gd_name *name, void *virtual_data, const void *const *args, void *ret);
  void (*get_rid)(void);
  void *data;
} gd_class_info;

/* GDExtensionCallableCustomInfo2. */
typedef struct {
  void *data;
  void *token;
  uint64_t object;
  void (*call)(void *data, const gd_variant *const *args, int64_t count, gd_variant *ret, gd_call_error *error);
  gd_bool (*is_valid)(void *data);
  void (*free)(void *data);
  void (*unused[5])(void);
} gd_callable_info;

typedef void (*gd_function)(void);
typedef gd_function (*gd_get_function)(const char *name);

typedef struct {
  uint32_t minimum_level;
  void *data;
  void (*initialize)(void *data, uint32_t level);
  void (*deinitialize)(void *data, uint32_t level);
} gd_initialization;

typedef void (*gd_from_type)(gd_variant *variant, void *value);
typedef void (*gd_to_type)(void *value, gd_variant *variant);
typedef void (*gd_constructor)(void *value, const void *const *args);
typedef void (*gd_destructor)(void *value);
typedef void (*gd_builtin)(void *value, const void *const *args, void *ret, int32_t count);

/* X(result, name, arguments): the functions that are looked up by name. */
#define GD_INTERFACE(X)                                                                                                \
  X(void, print_error_with_message,                                                                                    \
    (const char *what, const char *message, const char *function, const char *file, int32_t line,                      \
      gd_bool editor_notify))                                                                                          \
  X(void, print_warning_with_message,                                                                                  \
    (const char *what, const char *message, const char *function, const char *file, int32_t line,                      \
      gd_bool editor_notify))                                                                                          \
  X(void, variant_new_nil, (gd_variant * variant))                                                                     \
  X(void, variant_new_copy, (gd_variant * variant, const gd_variant *from))                                            \
  X(void, variant_destroy, (gd_variant * variant))                                                                     \
  X(void, variant_call,                                                                                                \
    (gd_variant * self, const gd_name *method, const gd_variant *const *args, int64_t count, gd_variant *ret,          \
      gd_call_error *error))                                                                                           \
  X(uint32_t, variant_get_type, (const gd_variant *variant))                                                           \
  X(gd_bool, variant_has_method, (const gd_variant *variant, const gd_name *method))                                   \
  X(gd_bool, variant_can_convert_strict, (uint32_t from, uint32_t to))                                                 \
  X(gd_from_type, get_variant_from_type_constructor, (uint32_t type))                                                  \
  X(gd_to_type, get_variant_to_type_constructor, (uint32_t type))                                                      \
  X(gd_constructor, variant_get_ptr_constructor, (uint32_t type, int32_t which))                                       \
  X(gd_destructor, variant_get_ptr_destructor, (uint32_t type))                                                        \
  X(gd_builtin, variant_get_ptr_builtin_method, (uint32_t type, const gd_name *name, int64_t hash))                    \
  X(void, string_new_with_utf8_chars_and_len, (gd_string * string, const char *bytes, int64_t len))                    \
  X(int64_t, string_to_utf8_chars, (const gd_string *string, char *bytes, int64_t cap))                                \
  X(void, string_name_new_with_latin1_chars, (gd_name * name, const char *chars, gd_bool is_static))                   \
  X(uint8_t *, packed_byte_array_operator_index, (gd_packed * bytes, int64_t index))                                   \
  X(const uint8_t *, packed_byte_array_operator_index_const, (const gd_packed *bytes, int64_t index))                  \
  X(int32_t *, packed_int32_array_operator_index, (gd_packed * ints, int64_t index))                                   \
  X(gd_string *, packed_string_array_operator_index, (gd_packed * strings, int64_t index))                             \
  X(const gd_string *, packed_string_array_operator_index_const, (const gd_packed *strings, int64_t index))            \
  X(gd_variant *, array_operator_index_const, (const gd_array *array, int64_t index))                                  \
  X(gd_variant *, dictionary_operator_index, (gd_dictionary * dictionary, const gd_variant *key))                      \
  X(gd_object *, global_get_singleton, (const gd_name *name))                                                          \
  X(void, callable_custom_create2, (gd_callable * callable, gd_callable_info * info))                                  \
  X(void, object_destroy, (gd_object * object))                                                                        \
  X(void, ref_set_object, (gd_ref * ref, gd_object *object))                                                           \
  X(gd_object *, object_cast_to, (const gd_object *object, void *tag))                                                 \
  X(void, object_set_instance, (gd_object * object, const gd_name *class_name, void *self))                            \
  X(gd_object *, classdb_construct_object, (const gd_name *class_name))                                                \
  X(void *, classdb_get_class_tag, (const gd_name *class_name))                                                        \
  X(void, classdb_register_extension_class3,                                                                           \
    (gd_library * library, const gd_name *name, const gd_name *parent, const gd_class_info *info))                     \
  X(void, classdb_register_extension_class_method, (gd_library * library, const gd_name *class_name,                   \
    const gd_method_info *info))                                                                                       \
  X(void, classdb_register_extension_class_integer_constant,                                                           \
    (gd_library * library, const gd_name *class_name, const gd_name *enum_name, const gd_name *name, int64_t value,    \
      gd_bool is_bitfield))                                                                                            \
  X(void, classdb_register_extension_class_property,                                                                   \
    (gd_library * library, const gd_name *class_name, const gd_property_info *info, const gd_name *setter,             \
      const gd_name *getter))                                                                                          \
  X(void, classdb_register_extension_class_property_group,                                                             \
    (gd_library * library, const gd_name *class_name, const gd_string *title, const gd_string *prefix))                \
  X(void, classdb_register_extension_class_signal,                                                                     \
    (gd_library * library, const gd_name *class_name, const gd_name *name, const gd_property_info *args,               \
      int64_t count))                                                                                                  \
  X(void, classdb_unregister_extension_class, (gd_library * library, const gd_name *class_name))

/* Since 4.3 in the editor. */
typedef void (*gd_load_help)(const char *xml);

#endif
