/* Makes a ws_config from an endpoint's properties and Godot's TLSOptions, and Godot errors from the library's
 * results. */
#ifndef WSPEER_GODOT_OPENING_H
#define WSPEER_GODOT_OPENING_H

#include "settings.h"

/* Values of Godot's enumeration Error. */
enum {
  GD_OK = 0,
  GD_FAILED = 1,
  GD_ERR_UNAVAILABLE = 2,
  GD_ERR_UNCONFIGURED = 3,
  GD_ERR_OUT_OF_MEMORY = 6,
  GD_ERR_FILE_NOT_FOUND = 7,
  GD_ERR_CANT_CREATE = 20,
  GD_ERR_ALREADY_IN_USE = 22,
  GD_ERR_INVALID_DATA = 30,
  GD_ERR_INVALID_PARAMETER = 31,
  GD_ERR_DOES_NOT_EXIST = 33,
  GD_ERR_BUG = 47
};

/* The code with which the library closes for a code from a script: as in the engine, below 0 drops the connection, and
 * one that no close frame may have becomes 1000. */
int32_t close_code_of(int64_t code);

/* Maximum length of the reason in a close frame, in bytes. */
enum { CLOSE_REASON_BYTES = 123 };

/* A config and the texts that it points to. */
typedef struct {
  ws_config config;
  void **held;
  size_t held_count;
} opening;

void opening_start(opening *self, const endpoint *from, class_kind kind);
void opening_end(opening *self);
/* Takes the TLSOptions of a client or a server; null is allowed. Prints what is wrong. */
int64_t opening_tls(opening *self, gd_object *options, bool of_server);
/* What a client trusts, as Godot 3 says it: this X509Certificate alone unless it is null, or any if it does not
 * verify. */
void opening_trust(opening *self, gd_object *certificate, bool verifies);
/* Sets the queue limits that are arguments, as Godot 3's set_buffers() does, and returns an Error from the call. */
void return_buffers_set(const gd_call *call, endpoint *self);
/* Replaces the certificate of a server by that of its TLSOptions, and returns an Error from the call. */
void return_certificate_set(const gd_call *call, endpoint *base);
/* Serves the files of a directory from a server, or no more, and returns an Error from the call. */
void return_served(const gd_call *call, endpoint *base, bool serves);
/* drain() of a server, and hint() of a client, which return Godot's Error. */
void return_drained(const gd_call *call, endpoint *base);
void return_hinted(const gd_call *call, const endpoint *base);
/* Takes the subprotocols from this list instead of the property. */
void opening_subprotocols(opening *self, const gd_packed *list);
/* The texts of a PackedStringArray with ", " between them; NULL when it is empty. */
const char *opening_joined(opening *self, const gd_packed *list);
/* The texts of a PackedStringArray, which live as long as the opening; NULL when it is empty. */
const char *const *opening_lines(opening *self, const gd_packed *list, size_t *count);
/* A copy of a String that lives as long as the opening. */
const char *opening_text(opening *self, const gd_string *string);
/* The same for a URL; as in Godot, one without a scheme gets ws://. */
const char *opening_url(opening *self, const gd_string *string);

/* Godot's Error for a result. A failure is printed with its error text if `function` is given. */
int64_t error_of(ws_result result, const char *function);

/* The URL to bind to, for ws_listen() and ws_host(); the text lives as long as the opening. */
const char *opening_address(opening *self, const endpoint *from, int32_t port, const gd_string *bind_address, bool tls);

/* Returns a text of ws_get_text() from a call. */
void return_text_of(const gd_call *call, ws_handle handle, int32_t what);
/* Prints the library's log lines: likely mistakes and defects. */
void tell_log(void);
/* The text of WS_GET_ERROR. */
gd_string error_text_of(ws_handle handle);
/* Returns the address or the port of "1.2.3.4:5" or "[::1]:5" from a call. */
void return_address_of(const gd_call *call, ws_handle handle, int32_t what);
void return_port_of(const gd_call *call, ws_handle handle, int32_t what);
/* Returns ws_get_stats() as a Dictionary. */
void return_stats_of(const gd_call *call, ws_handle handle);
/* Returns the figures of a preset as a Dictionary. */
void return_sim_preset(const gd_call *call);
/* Sets the simulated network of a handle from a Dictionary, and returns an Error from the call. */
void return_sim_set(const gd_call *call, ws_handle handle);

#endif
