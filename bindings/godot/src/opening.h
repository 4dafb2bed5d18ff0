/* A ws_config from an endpoint's properties and Godot's TLSOptions, and the library's results as Godot's. */
#ifndef WSPEER_GODOT_OPENING_H
#define WSPEER_GODOT_OPENING_H

#include "settings.h"

/* Of Godot's enumeration Error. */
enum {
  GD_OK = 0,
  GD_FAILED = 1,
  GD_ERR_UNAVAILABLE = 2,
  GD_ERR_UNCONFIGURED = 3,
  GD_ERR_OUT_OF_MEMORY = 6,
  GD_ERR_CANT_CREATE = 20,
  GD_ERR_ALREADY_IN_USE = 22,
  GD_ERR_INVALID_DATA = 30,
  GD_ERR_INVALID_PARAMETER = 31,
  GD_ERR_DOES_NOT_EXIST = 33,
  GD_ERR_BUG = 47
};

/* What a close frame has room for. */
enum { CLOSE_REASON_BYTES = 123 };

/* A config, and the texts that it points to. */
typedef struct {
  ws_config config;
  void **held;
  size_t held_count;
} opening;

void opening_start(opening *self, const endpoint *from, class_kind kind);
void opening_end(opening *self);
/* Takes the TLSOptions of a client or a server; null is allowed. What is wrong is printed. */
int64_t opening_tls(opening *self, gd_object *options, bool of_server);
/* Takes the subprotocols from another list than the property. */
void opening_subprotocols(opening *self, const gd_packed *list);
/* A copy of a String that lives as long as the opening. */
const char *opening_text(opening *self, const gd_string *string);
/* The same of a URL; one without a scheme is ws://, as Godot has it. */
const char *opening_url(opening *self, const gd_string *string);

/* Godot's Error for a result. A failure is printed with its sentence, if `function` is given. */
int64_t error_of(ws_result result, const char *function);

/* The URL to bind to, as ws_listen() and ws_host() want it; the text lives as long as the opening. */
const char *opening_address(opening *self, const endpoint *from, int32_t port, const gd_string *bind_address, bool tls);

/* The text that ws_get_text() gives, as a call's result. */
void return_text_of(const gd_call *call, ws_handle handle, int32_t what);
/* Prints what the library has logged: what is likely a mistake, and defects. */
void tell_log(void);
/* The sentence of WS_GET_ERROR. */
gd_string error_text_of(ws_handle handle);
/* The address or the port of "1.2.3.4:5" or "[::1]:5", as a call's result. */
void return_address_of(const gd_call *call, ws_handle handle, int32_t what);
void return_port_of(const gd_call *call, ws_handle handle, int32_t what);
/* ws_get_stats() as a Dictionary. */
void return_stats_of(const gd_call *call, ws_handle handle);

#endif
