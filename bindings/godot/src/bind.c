#include "bind.h"
#include "signature.h"

#include <stdlib.h>
#include <string.h>

/* A method as the engine calls it: the parsed row of its table. */
typedef struct bound {
  struct bound *next;
  const char *class_name;
  gd_method_function function;
  const void *data;
  int count;
  int required;
  gd_variant defaults[GD_ARGUMENTS];
  uint32_t types[GD_ARGUMENTS];
  char classes[GD_ARGUMENTS][40];
  bool returns;
  uint32_t result;
} bound;

/* All of them, freed when the class is unregistered. */
static bound *all_bound;

/* A virtual method of a class. Its name is interned, so that equal names are equal pointers. */
typedef struct {
  const gd_class *about;
  gd_name *names;
} registered;

enum { CLASSES = 8 };
static registered classes[CLASSES];

/* Space for a value of any type that is used here. */
typedef union {
  int64_t number;
  double real;
  gd_packed packed;
  gd_ref ref;
} place;

static void ptrcall(void *data, void *self, const void *const *args, void *ret) {
  const bound *method = data;
  gd_call call = {self, args, ret, method->data};
  method->function(&call);
}

/* Whether a variant can be passed as the argument; an object must be null or of the argument's class. */
static bool fits(const bound *method, int index, const gd_variant *argument) {
  uint32_t given = gd.variant_get_type(argument);
  if (method->types[index] != GD_OBJECT)
    return given == method->types[index] || gd.variant_can_convert_strict(given, method->types[index]);
  if (given == GD_NIL) return true;
  if (given != GD_OBJECT) return false;
  gd_object *object = NULL;
  gd_to(GD_OBJECT, &object, argument);
  return !object || gd_is(object, method->classes[index]);
}

static void call_variants(void *data, void *self, const gd_variant *const *given, int64_t count, gd_variant *ret,
                          gd_call_error *error) {
  const bound *method = data;
  const gd_variant *args[GD_ARGUMENTS];
  place values[GD_ARGUMENTS], result;
  const void *pointers[GD_ARGUMENTS];
  if (count < method->required || count > method->count) {
    error->error = count < method->required ? GD_CALL_TOO_FEW : GD_CALL_TOO_MANY;
    error->expected = count < method->required ? method->required : method->count;
    return;
  }
  for (int i = 0; i < method->count; i++) {
    args[i] = i < count ? given[i] : &method->defaults[i];
    if (fits(method, i, args[i])) continue;
    error->error = GD_CALL_WRONG_ARGUMENT;
    error->argument = i;
    error->expected = (int32_t)method->types[i];
    return;
  }
  for (int i = 0; i < method->count; i++) {
    values[i].ref.object = NULL;
    if (gd.variant_get_type(args[i]) != GD_NIL) gd_to(method->types[i], &values[i], args[i]);
    pointers[i] = &values[i];
  }
  memset(&result, 0, sizeof result);
  if (method->returns) gd_new(method->result, &result);
  gd_call call = {self, pointers, &result, method->data};
  method->function(&call);
  if (method->returns) {
    /* The engine passes an empty variant for the result. */
    gd_variant reported = gd_of(method->result, &result);
    gd.variant_new_copy(ret, &reported);
    gd.variant_destroy(&reported);
    if (method->result == GD_OBJECT) gd.ref_set_object(&result.ref, NULL);
    else gd_free(method->result, &result);
  }
  for (int i = 0; i < method->count; i++)
    if (method->types[i] != GD_OBJECT) gd_free(method->types[i], &values[i]);
  error->error = GD_CALL_OK;
}

static void *get_virtual_data(void *data, const gd_name *name) {
  const registered *class_of = data;
  for (int i = 0; class_of->names && class_of->about->virtuals[i].signature; i++)
    if (class_of->names[i].opaque == name->opaque) return (void *)&class_of->about->virtuals[i];
  return NULL;
}

static void call_virtual(void *self, const gd_name *name, void *data, const void *const *args, void *ret) {
  const gd_method *row = data;
  gd_call call = {self, args, ret, row->data};
  (void)name;
  row->function(&call);
}

static gd_object *create(void *data) {
  const registered *class_of = data;
  void *self;
  return gd_instantiate(class_of->about, &self);
}

static void release(void *data, void *self) {
  const registered *class_of = data;
  class_of->about->end(self);
  free(self);
}

gd_object *gd_instantiate(const gd_class *about, void **self) {
  gd_name name = gd_name_new(about->name), parent = gd_name_new(about->parent);
  gd_object *object = gd.classdb_construct_object(&parent);
  *self = calloc(1, about->size);
  about->start(*self, object);
  gd.object_set_instance(object, &name, *self);
  gd_name_free(&parent);
  gd_name_free(&name);
  return object;
}

/* What the engine learns about an argument, a result or a property; names and texts live as long as this struct. */
typedef struct {
  gd_property_info info;
  gd_name name;
  gd_name class_name;
  gd_string hint;
} property_info;

static void fill_info(property_info *about, const char *name, const gd_type *type) {
  about->name = gd_name_new(name);
  about->class_name = gd_name_new(type->class_name);
  bool is_object = type->type == GD_OBJECT;
  about->hint = gd_string_new(type->class_name, is_object ? strlen(type->class_name) : 0);
  uint32_t usage = GD_USAGE_DEFAULT | (type->is_enum ? GD_USAGE_ENUM : 0);
  gd_property_info info = {type->type,   &about->name, &about->class_name, is_object ? GD_HINT_RESOURCE_TYPE : 0,
                           &about->hint, usage};
  about->info = info;
}

static void free_info(property_info *about) {
  gd_free(GD_STRING, &about->hint);
  gd_name_free(&about->class_name);
  gd_name_free(&about->name);
}

static void register_method(gd_library *library, const char *class_name, const gd_method *row) {
  gd_signature signature;
  gd_signature_open(&signature, row->signature);
  bound *method = calloc(1, sizeof *method);
  method->next = all_bound;
  all_bound = method;
  method->class_name = class_name;
  method->function = row->function;
  method->data = row->data;
  method->count = signature.count;
  method->required = signature.required;
  method->returns = signature.returns;
  method->result = signature.result.type;

  property_info result, arguments[GD_ARGUMENTS];
  gd_property_info infos[GD_ARGUMENTS];
  uint32_t metadata[GD_ARGUMENTS] = {0};
  gd_variant *defaults[GD_ARGUMENTS];
  uint32_t default_count = 0;
  fill_info(&result, "", &signature.result);
  for (int i = 0; i < signature.count; i++) {
    gd_argument *argument = &signature.arguments[i];
    fill_info(&arguments[i], argument->name, &argument->type);
    infos[i] = arguments[i].info;
    method->types[i] = argument->type.type;
    strcpy(method->classes[i], argument->type.class_name);
    if (!argument->has_default) continue;
    gd.variant_new_copy(&method->defaults[i], &argument->fallback);
    defaults[default_count++] = &method->defaults[i];
  }
  gd_name owner = gd_name_new(class_name), name = gd_name_new(signature.name);
  gd_method_info info = {0};
  info.name = &name;
  info.data = method;
  info.call = call_variants;
  info.ptrcall = ptrcall;
  info.flags = GD_METHOD_NORMAL | (signature.is_const ? GD_METHOD_CONST : 0);
  info.returns = signature.returns;
  info.return_info = &result.info;
  info.argument_count = (uint32_t)signature.count;
  info.argument_info = infos;
  info.argument_metadata = metadata;
  info.default_count = default_count;
  info.defaults = defaults;
  gd.classdb_register_extension_class_method(library, &owner, &info);
  gd_name_free(&name);
  gd_name_free(&owner);
  for (int i = 0; i < signature.count; i++) free_info(&arguments[i]);
  free_info(&result);
  gd_signature_close(&signature);
}

void gd_register_methods(gd_library *library, const char *class_name, const gd_method *methods) {
  for (; methods && methods->signature; methods++) register_method(library, class_name, methods);
}

void gd_register_properties(gd_library *library, const char *class_name, const gd_property *properties) {
  for (; properties && properties->signature; properties++) {
    gd_argument argument;
    property_info about;
    gd_argument_open(&argument, properties->signature);
    fill_info(&about, argument.name, &argument.type);
    gd_name owner = gd_name_new(class_name), setter = gd_name_new(properties->setter),
            getter = gd_name_new(properties->getter);
    gd.classdb_register_extension_class_property(library, &owner, &about.info, &setter, &getter);
    gd_name_free(&getter);
    gd_name_free(&setter);
    gd_name_free(&owner);
    free_info(&about);
  }
}

void gd_register_group(gd_library *library, const char *class_name, const char *title, const char *prefix) {
  gd_name owner = gd_name_new(class_name);
  gd_string name = gd_string_new(title, strlen(title)), start = gd_string_new(prefix, strlen(prefix));
  gd.classdb_register_extension_class_property_group(library, &owner, &name, &start);
  gd_free(GD_STRING, &start);
  gd_free(GD_STRING, &name);
  gd_name_free(&owner);
}

static void register_signal(gd_library *library, const char *class_name, const char *text) {
  gd_signature signature;
  property_info arguments[GD_ARGUMENTS];
  gd_property_info infos[GD_ARGUMENTS];
  gd_signature_open(&signature, text);
  for (int i = 0; i < signature.count; i++) {
    fill_info(&arguments[i], signature.arguments[i].name, &signature.arguments[i].type);
    infos[i] = arguments[i].info;
  }
  gd_name owner = gd_name_new(class_name), name = gd_name_new(signature.name);
  gd.classdb_register_extension_class_signal(library, &owner, &name, infos, signature.count);
  gd_name_free(&name);
  gd_name_free(&owner);
  for (int i = 0; i < signature.count; i++) free_info(&arguments[i]);
  gd_signature_close(&signature);
}

void gd_register_constants(gd_library *library, const char *class_name, const gd_constant *constants) {
  for (; constants && constants->name; constants++) {
    gd_name owner = gd_name_new(class_name), enumeration = gd_name_new(constants->enumeration),
            name = gd_name_new(constants->name);
    gd.classdb_register_extension_class_integer_constant(library, &owner, &enumeration, &name, constants->value, 0);
    gd_name_free(&name);
    gd_name_free(&enumeration);
    gd_name_free(&owner);
  }
}

void gd_register(gd_library *library, const gd_class *about) {
  registered *entry = classes;
  while (entry->about && entry->about != about) entry++;
  entry->about = about;
  size_t count = 0;
  while (about->virtuals && about->virtuals[count].signature) count++;
  entry->names = count ? calloc(count, sizeof *entry->names) : NULL;
  for (size_t i = 0; i < count; i++) entry->names[i] = gd_name_new(about->virtuals[i].signature);

  gd_name name = gd_name_new(about->name), parent = gd_name_new(about->parent);
  gd_class_info info = {0};
  info.is_exposed = !about->notification;
  info.notification = about->notification;
  info.create = create;
  info.free = release;
  info.get_virtual_data = get_virtual_data;
  info.call_virtual = call_virtual;
  info.data = entry;
  gd.classdb_register_extension_class3(library, &name, &parent, &info);
  gd_name_free(&parent);
  gd_name_free(&name);

  gd_register_constants(library, about->name, about->constants);
  gd_register_methods(library, about->name, about->methods);
  gd_register_properties(library, about->name, about->properties);
  for (const char *const *signal = about->signals; signal && *signal; signal++)
    register_signal(library, about->name, *signal);
}

void gd_unregister(gd_library *library, const gd_class *about) {
  gd_name name = gd_name_new(about->name);
  gd.classdb_unregister_extension_class(library, &name);
  gd_name_free(&name);
  for (bound **at = &all_bound; *at;) {
    bound *method = *at;
    if (strcmp(method->class_name, about->name) != 0) {
      at = &method->next;
      continue;
    }
    *at = method->next;
    for (int i = method->required; i < method->count; i++) gd.variant_destroy(&method->defaults[i]);
    free(method);
  }
  registered *entry = classes;
  while (entry->about != about) entry++;
  for (size_t i = 0; entry->names && about->virtuals[i].signature; i++) gd_name_free(&entry->names[i]);
  free(entry->names);
  entry->names = NULL;
}

int64_t gd_int_at(const gd_call *call, int index) {
  return *(const int64_t *)call->args[index];
}

int32_t gd_int32_at(const gd_call *call, int index) {
  int64_t value = gd_int_at(call, index);
  return value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
}

double gd_float_at(const gd_call *call, int index) {
  return *(const double *)call->args[index];
}

bool gd_bool_at(const gd_call *call, int index) {
  return *(const gd_bool *)call->args[index] != 0;
}

gd_object *gd_object_at(const gd_call *call, int index) {
  /* The engine may pass a null pointer for a null reference. */
  return call->args[index] ? *(gd_object *const *)call->args[index] : NULL;
}

const gd_string *gd_string_at(const gd_call *call, int index) {
  return call->args[index];
}

const gd_packed *gd_packed_at(const gd_call *call, int index) {
  return call->args[index];
}

void gd_return_int(const gd_call *call, int64_t value) {
  *(int64_t *)call->ret = value;
}

void gd_return_float(const gd_call *call, double value) {
  *(double *)call->ret = value;
}

void gd_return_bool(const gd_call *call, bool value) {
  *(gd_bool *)call->ret = value;
}

void gd_return_text(const gd_call *call, const char *text, size_t len) {
  gd_free(GD_STRING, call->ret);
  *(gd_string *)call->ret = gd_string_new(text, len);
}

void gd_return_object(const gd_call *call, gd_object *object) {
  gd.ref_set_object(call->ret, object);
}

gd_dictionary *gd_return_dictionary(const gd_call *call) {
  gd_free(GD_DICTIONARY, call->ret);
  gd_new(GD_DICTIONARY, call->ret);
  return call->ret;
}
