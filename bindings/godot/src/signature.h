/* Parses the signatures of gd_method, gd_property and signals. */
#ifndef WSPEER_GODOT_SIGNATURE_H
#define WSPEER_GODOT_SIGNATURE_H

#include "values.h"

enum { GD_ARGUMENTS = 6 };

/* A type: the Variant type, and the class or enumeration. */
typedef struct {
  uint32_t type;
  bool is_enum;
  char class_name[40];
} gd_type;

typedef struct {
  char name[40];
  gd_type type;
  bool has_default;
  gd_variant fallback;
} gd_argument;

typedef struct {
  char name[48];
  gd_argument arguments[GD_ARGUMENTS];
  int count;
  int required;
  bool is_const;
  bool returns;
  gd_type result;
} gd_signature;

/* Parses "name(argument: Type = default, ...) const -> Type". Defaults are variants: free it. */
void gd_signature_open(gd_signature *signature, const char *text);
void gd_signature_close(gd_signature *signature);
/* Parses "name: Type" into an argument without a default. */
void gd_argument_open(gd_argument *argument, const char *text);

#endif
