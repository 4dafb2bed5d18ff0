#include "signature.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *name;
  uint32_t type;
} types[] = {{"bool", GD_BOOL},           {"int", GD_INT},           {"float", GD_FLOAT},
             {"String", GD_STRING},       {"Array", GD_ARRAY},       {"Dictionary", GD_DICTIONARY},
             {"PackedByteArray", GD_BYTES}, {"PackedInt32Array", GD_INTS}, {"PackedStringArray", GD_STRINGS}};

static const char *skip(const char *at, const char *wanted) {
  while (*at == ' ') at++;
  size_t len = strlen(wanted);
  return strncmp(at, wanted, len) == 0 ? at + len : NULL;
}

/* Reads a word of letters, digits, underscores and dots. */
static const char *word(const char *at, char *out, size_t cap) {
  size_t len = 0;
  while (*at == ' ') at++;
  while (isalnum((unsigned char)at[len]) || at[len] == '_' || at[len] == '.') len++;
  size_t kept = len < cap ? len : cap - 1;
  memcpy(out, at, kept);
  out[kept] = 0;
  return at + len;
}

static const char *read_type(const char *at, gd_type *type) {
  char name[40];
  at = word(at, name, sizeof name);
  memset(type, 0, sizeof *type);
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strcmp(types[i].name, name) == 0) type->type = types[i].type;
  if (type->type) return at;
  type->is_enum = strchr(name, '.') || strcmp(name, "Error") == 0;
  type->type = type->is_enum ? GD_INT : GD_OBJECT;
  strcpy(type->class_name, name);
  return at;
}

static const char *read_default(const char *at, gd_argument *argument) {
  const char *end;
  uint32_t type = argument->type.type;
  argument->has_default = true;
  if ((end = skip(at, "\"*\""))) argument->fallback = gd_of_text("*", 1);
  else if ((end = skip(at, "\"\""))) argument->fallback = gd_of_text("", 0);
  else if ((end = skip(at, "true"))) argument->fallback = gd_of_bool(true);
  else if ((end = skip(at, "false"))) argument->fallback = gd_of_bool(false);
  else if ((end = skip(at, "null"))) argument->fallback = gd_of_object(NULL);
  else if ((end = skip(at, "[]"))) {
    gd_packed none;
    gd_new(type, &none);
    argument->fallback = gd_of(type, &none);
    gd_free(type, &none);
  } else {
    double number = strtod(at, (char **)&end);
    argument->fallback = type == GD_FLOAT ? gd_of_float(number) : gd_of_int((int64_t)number);
  }
  return end;
}

void gd_argument_open(gd_argument *argument, const char *text) {
  text = word(text, argument->name, sizeof argument->name);
  argument->has_default = false;
  read_type(skip(text, ":"), &argument->type);
}

void gd_signature_open(gd_signature *signature, const char *text) {
  memset(signature, 0, sizeof *signature);
  const char *at = skip(word(text, signature->name, sizeof signature->name), "("), *next;
  while (!(next = skip(at, ")"))) {
    gd_argument *argument = &signature->arguments[signature->count++];
    at = word(at, argument->name, sizeof argument->name);
    at = read_type(skip(at, ":"), &argument->type);
    if ((next = skip(at, "="))) at = read_default(next, argument);
    else signature->required = signature->count;
    if ((next = skip(at, ","))) at = next;
  }
  at = next;
  if ((next = skip(at, "const"))) {
    signature->is_const = true;
    at = next;
  }
  if ((next = skip(at, "->"))) {
    signature->returns = true;
    read_type(next, &signature->result);
  }
}

void gd_signature_close(gd_signature *signature) {
  for (int i = 0; i < signature->count; i++)
    if (signature->arguments[i].has_default) gd.variant_destroy(&signature->arguments[i].fallback);
}
