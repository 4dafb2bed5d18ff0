#include "opening.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program when memory for a few bytes runs out, as the engine does. */
static void *must(void *memory) {
  if (!memory) abort();
  return memory;
}

/* Memory that lives as long as the opening. */
static void *reserve(opening *self, size_t size) {
  self->held = must(realloc(self->held, (self->held_count + 1) * sizeof *self->held));
  return self->held[self->held_count++] = must(malloc(size));
}

static char *hold(opening *self, const char *bytes, size_t len) {
  char *copy = reserve(self, len + 1);
  memcpy(copy, bytes, len);
  copy[len] = 0;
  return copy;
}

const char *opening_text(opening *self, const gd_string *string) {
  gd_utf8 text;
  gd_utf8_open(&text, string);
  const char *held = text.len ? hold(self, text.bytes, text.len) : NULL;
  gd_utf8_close(&text);
  return held;
}

const char *opening_url(opening *self, const gd_string *string) {
  gd_utf8 text;
  gd_utf8_open(&text, string);
  char *held = reserve(self, text.len + sizeof "ws://");
  snprintf(held, text.len + sizeof "ws://", "%s%s", strstr(text.bytes, "://") ? "" : "ws://", text.bytes);
  gd_utf8_close(&text);
  return held;
}

const char *opening_joined(opening *self, const gd_packed *list) {
  size_t count = gd_packed_size(GD_STRINGS, list), len = 0;
  char *joined = NULL;
  for (size_t i = 0; i < count; i++) {
    gd_utf8 text;
    gd_utf8_open(&text, gd.packed_string_array_operator_index_const(list, (int64_t)i));
    joined = must(realloc(joined, len + text.len + 3));
    len += (size_t)sprintf(joined + len, "%s%s", len ? ", " : "", text.bytes);
    gd_utf8_close(&text);
  }
  const char *held = joined ? hold(self, joined, len) : NULL;
  free(joined);
  return held;
}

const char *const *opening_lines(opening *self, const gd_packed *list, size_t *count) {
  *count = gd_packed_size(GD_STRINGS, list);
  if (*count == 0) return NULL;
  const char **lines = reserve(self, *count * sizeof *lines);
  for (size_t i = 0; i < *count; i++) {
    const char *line = opening_text(self, gd.packed_string_array_operator_index_const(list, (int64_t)i));
    lines[i] = line ? line : "";
  }
  return lines;
}

void opening_subprotocols(opening *self, const gd_packed *list) {
  self->config.subprotocols = opening_joined(self, list);
}

void opening_start(opening *self, const endpoint *from, class_kind kind) {
  memset(self, 0, sizeof *self);
  ws_config_init(&self->config, sizeof self->config);
  settings_fill(from, kind, &self->config);
  opening_subprotocols(self, &from->supported_protocols);
  self->config.pin_sha256 = opening_text(self, &from->certificate_pin);
  self->config.trusted_proxies = opening_joined(self, &from->trusted_proxies);
  self->config.allowed_hosts = opening_joined(self, &from->allowed_hosts);
  self->config.allowed_origins = opening_joined(self, &from->allowed_origins);
  self->config.proxy = opening_text(self, &from->proxy);
  self->config.node = opening_text(self, &from->session_node);
  size_t count = 0;
  self->config.headers = opening_lines(self, &from->handshake_headers, &count);
  self->config.headers_count = (uint32_t)count;
}

void opening_end(opening *self) {
  tell_log();
  for (size_t i = 0; i < self->held_count; i++) free(self->held[i]);
  free(self->held);
}

/* The PEM text of a certificate or key; NULL when it has none. */
static const char *pem_text(opening *self, gd_object *held) {
  gd_variant text, none[1];
  const char *pem = NULL;
  if (gd_call_method(held, "save_to_string", none, 0, &text) && gd.variant_get_type(&text) == GD_STRING) {
    gd_string string;
    gd_to(GD_STRING, &string, &text);
    pem = opening_text(self, &string);
    gd_free(GD_STRING, &string);
  }
  gd.variant_destroy(&text);
  return pem;
}

/* The PEM text of a certificate or key from a getter of the TLSOptions; NULL when there is none. */
static const char *pem_of(opening *self, gd_object *options, const char *method) {
  gd_variant got, none[1];
  gd_object *held = NULL;
  if (gd_call_method(options, method, none, 0, &got) && gd.variant_get_type(&got) == GD_OBJECT)
    gd_to(GD_OBJECT, &held, &got);
  const char *pem = held ? pem_text(self, held) : NULL;
  gd.variant_destroy(&got);
  return pem;
}

void opening_trust(opening *self, gd_object *certificate, bool verifies) {
  if (certificate) self->config.ca_pem = pem_text(self, certificate);
  if (self->config.ca_pem) self->config.flags |= WS_ONLY_CA_PEM;
  if (!verifies) self->config.flags |= self->config.ca_pem ? WS_ANY_NAME : WS_INSECURE;
}

static bool asks(gd_object *options, const char *method) {
  gd_variant got, none[1];
  gd_bool is = 0;
  if (gd_call_method(options, method, none, 0, &got) && gd.variant_get_type(&got) == GD_BOOL) gd_to(GD_BOOL, &is, &got);
  gd.variant_destroy(&got);
  return is != 0;
}

int64_t opening_tls(opening *self, gd_object *options, bool of_server) {
  if (!options) return GD_OK;
  if (asks(options, "is_server") != of_server) {
    gd_error(__func__, of_server ? "these TLS options are a client's: use TLSOptions.server()"
                                 : "these TLS options are a server's: use TLSOptions.client()");
    return GD_ERR_INVALID_PARAMETER;
  }
  if (of_server) {
    self->config.key_pem = pem_of(self, options, "get_private_key");
    self->config.cert_pem = pem_of(self, options, "get_own_certificate");
    return GD_OK;
  }
  /* As in Godot, a given chain replaces all other trusted certificates. */
  self->config.ca_pem = pem_of(self, options, "get_trusted_ca_chain");
  opening_trust(self, NULL, !asks(options, "is_unsafe_client"));
  gd_variant name, none[1];
  if (gd_call_method(options, "get_common_name_override", none, 0, &name) && gd.variant_get_type(&name) == GD_STRING) {
    gd_string string;
    gd_to(GD_STRING, &string, &name);
    self->config.server_name = opening_text(self, &string);
    gd_free(GD_STRING, &string);
  }
  gd.variant_destroy(&name);
  return GD_OK;
}

void return_buffers_set(const gd_call *call, endpoint *self) {
  enum { KIB = 1024 };
  int64_t given[4];
  for (int i = 0; i < 4; i++) {
    given[i] = gd_int_at(call, i);
    if (given[i] > 0 && given[i] <= INT32_MAX) continue;
    gd_error("set_buffers", "a size or a number of packets is not from 1 to 2147483647");
    gd_return_int(call, GD_ERR_INVALID_PARAMETER);
    return;
  }
  settings_set(self, INBOUND_BUFFER_SIZE, (double)(given[0] * KIB));
  settings_set(self, OUTBOUND_BUFFER_SIZE, (double)(given[2] * KIB));
  /* One limit serves both directions. */
  settings_set(self, MAX_QUEUED_PACKETS, (double)(given[1] > given[3] ? given[1] : given[3]));
  gd_return_int(call, GD_OK);
}

void return_certificate_set(const gd_call *call, endpoint *base) {
  opening how = {0};
  gd_object *options = gd_object_at(call, 0);
  int64_t error = GD_ERR_INVALID_PARAMETER;
  if (options) error = opening_tls(&how, options, true);
  else gd_error("set_certificate", "there are no TLS options: give TLSOptions.server()");
  if (error == GD_OK)
    error = error_of(ws_set_certificate(base->handle, how.config.cert_pem, how.config.key_pem), "set_certificate");
  opening_end(&how);
  gd_return_int(call, error);
}

static uint32_t milliseconds(double time) {
  return !(time > 0) ? 0 : time < (double)UINT32_MAX ? (uint32_t)time : UINT32_MAX;
}

void return_served(const gd_call *call, endpoint *base, bool serves) {
  gd_utf8 prefix, directory;
  gd_utf8_open(&prefix, gd_string_at(call, 0));
  if (serves) gd_utf8_open(&directory, gd_string_at(call, 1));
  uint32_t flags = serves && gd_bool_at(call, 2) ? WS_SERVE_ISOLATED : 0;
  ws_result result = ws_serve(base->handle, prefix.bytes, serves ? directory.bytes : NULL, flags);
  gd_return_int(call, error_of(result, serves ? "serve" : "stop_serving"));
  if (serves) gd_utf8_close(&directory);
  gd_utf8_close(&prefix);
}

void return_drained(const gd_call *call, endpoint *base) {
  double window = gd_float_at(call, 0) * 1000, wait = gd_float_at(call, 1) * 1000;
  gd_utf8 url;
  gd_utf8_open(&url, gd_string_at(call, 2));
  ws_result result = ws_drain(base->handle, milliseconds(window), milliseconds(wait), url.bytes);
  gd_return_int(call, error_of(result, "drain"));
  gd_utf8_close(&url);
}

void return_hinted(const gd_call *call, const endpoint *base) {
  gd_return_int(call, error_of(ws_hint(base->handle, gd_int32_at(call, 0)), "hint"));
}

const char *opening_address(opening *self, const endpoint *from, int32_t port, const gd_string *bind_address,
                            bool tls) {
  gd_utf8 host, path;
  gd_utf8_open(&host, bind_address);
  gd_utf8_open(&path, &from->request_path);
  size_t cap = host.len + path.len + 40;
  char *url = reserve(self, cap);
  bool is_ipv6 = strchr(host.bytes, ':') != NULL;
  snprintf(url, cap, "%s://%s%s%s:%d%s%s", tls ? "wss" : "ws", is_ipv6 ? "[" : "", host.len ? host.bytes : "*",
           is_ipv6 ? "]" : "", (int)port, path.len && path.bytes[0] != '/' ? "/" : "", path.bytes);
  gd_utf8_close(&path);
  gd_utf8_close(&host);
  return url;
}

int32_t close_code_of(int64_t code) {
  if (code < 0) return -1;
  bool may_be_sent = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
  return may_be_sent ? (int32_t)code : 1000;
}

int64_t error_of(ws_result result, const char *function) {
  if (result >= 0) return GD_OK;
  if (result == WS_ERR_PANIC) tell_log();
  if (function) {
    char why[1024];
    ws_last_error(why, sizeof why, NULL);
    gd_error(function, why);
  }
  switch (result) {
    case WS_ERR_FULL:
    case WS_ERR_TOO_BIG: return GD_ERR_OUT_OF_MEMORY;
    case WS_ERR_UTF8: return GD_ERR_INVALID_DATA;
    case WS_ERR_ADDRESS: return GD_ERR_ALREADY_IN_USE;
    case WS_ERR_DIRECTORY: return GD_ERR_FILE_NOT_FOUND;
    case WS_ERR_UNSUPPORTED: return GD_ERR_UNAVAILABLE;
    case WS_ERR_LIMIT: return GD_ERR_CANT_CREATE;
    case WS_ERR_PANIC: return GD_ERR_BUG;
    case WS_ERR_HANDLE:
    case WS_ERR_KIND:
    case WS_ERR_STATE: return GD_FAILED;
    default: return GD_ERR_INVALID_PARAMETER;
  }
}
