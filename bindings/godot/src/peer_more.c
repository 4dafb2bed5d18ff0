/* The methods that WSPeer adds to WebSocketPeer. */
#include "peer.h"
#include "topics.h"

#include <stdlib.h>
#include <string.h>

/* ---- as in Godot 3 ---- */

static void set_write_mode(const gd_call *call) {
  ((ws_peer *)call->self)->put_type = gd_int_at(call, 0) == 0 ? WS_TEXT : WS_BINARY;
}

static void get_write_mode(const gd_call *call) {
  gd_return_int(call, ((const ws_peer *)call->self)->put_type == WS_TEXT ? 0 : 1);
}

static void is_connected_to_host(const gd_call *call) {
  ws_handle handle = ((const ws_peer *)call->self)->base.handle;
  int32_t state = handle ? ws_get_state(handle) : WS_CLOSED;
  gd_return_bool(call, state == WS_OPEN || state == WS_LOST);
}

/* ---- sending and events ---- */

static void flush(const gd_call *call) {
  ws_peer *self = call->self;
  ws_flush(self->base.handle);
  if (self->stream.object) stream_flush(self);
}

static void send_latest(const gd_call *call) {
  const gd_packed *message = gd_packed_at(call, 1);
  int32_t type = gd_int_at(call, 2) == 0 ? WS_TEXT : WS_BINARY;
  uint32_t key;
  gd_return_int(call, topics_key_at(call, 0, &key)
                          ? peer_put_latest(call->self, key, gd_bytes_of(message), gd_packed_size(GD_BYTES, message),
                                            type, __func__)
                          : GD_ERR_INVALID_PARAMETER);
}

/* A connection of a server yields only packets: the server takes its other events. */
static ws_result next(ws_peer *self, ws_event *event) {
  if (!self->base.handle) return WS_EMPTY;
  if (!self->borrowed) return ws_next_event(self->base.handle, event);
  memset(event, 0, sizeof *event);
  event->type = WS_EVENT_MESSAGE;
  return ws_get_packet(self->base.handle, &event->packet);
}

static void next_event(const gd_call *call) {
  ws_peer *self = call->self;
  gd_dictionary *reported = gd_return_dictionary(call);
  ws_event event;
  if (next(self, &event) != WS_OK) return;
  gd_set(reported, "type", gd_of_int(event.type));
  if (event.type == WS_EVENT_MESSAGE) {
    self->last_type = event.packet.type;
    self->taken++;
    gd_packed bytes;
    gd_bytes_new(&bytes, event.packet.data, event.packet.len);
    gd_set(reported, "packet", gd_of(GD_BYTES, &bytes));
    gd_set(reported, "is_text", gd_of_bool(event.packet.type == WS_TEXT));
    gd_free(GD_BYTES, &bytes);
    return;
  }
  gd_set(reported, "text", gd_of_text((const char *)event.packet.data, event.packet.len));
  gd_set(reported, "code", gd_of_int(event.code == 1006 ? -1 : event.code));
  gd_set(reported, "phase", gd_of_int(event.phase));
  gd_set(reported, "cause", gd_of_int(event.cause));
  gd_set(reported, "http_status", gd_of_int(event.http_status));
  gd_set(reported, "os_error", gd_of_int(event.os_error));
  gd_set(reported, "unsent", gd_of_int(event.unsent));
  gd_set(reported, "clean", gd_of_bool(event.clean));
  gd_set(reported, "count", gd_of_int((int64_t)event.count));
  gd_set(reported, "time_usec", gd_of_int((int64_t)(event.time_ns / 1000)));
}

static void get_stats(const gd_call *call) {
  return_stats_of(call, ((const ws_peer *)call->self)->base.handle);
}

static void set_sim(const gd_call *call) {
  return_sim_set(call, ((const ws_peer *)call->self)->base.handle);
}

static void advance_time(const gd_call *call) {
  int64_t us = gd_int_at(call, 0);
  ws_handle handle = ((const ws_peer *)call->self)->base.handle;
  gd_return_int(call, us < 0 || us > UINT32_MAX ? GD_ERR_INVALID_PARAMETER
                                               : error_of(ws_advance_time(handle, (uint32_t)us), __func__));
}

static void get_round_trip_time(const gd_call *call) {
  ws_stats stats = {0};
  ws_get_stats(((const ws_peer *)call->self)->base.handle, &stats, sizeof stats);
  gd_return_float(call, (double)stats.rtt_us / 1e6);
}

static void was_clean_close(const gd_call *call) {
  ws_event event;
  gd_return_bool(call, peer_end_of(call->self, &event) && event.clean);
}

/* Returns a number of the last event; the table's row says which. */
static void get_end_number(const gd_call *call) {
  ws_event event;
  int32_t value = 0;
  if (peer_end_of(call->self, &event)) memcpy(&value, (const char *)&event + *(const size_t *)call->data, sizeof value);
  gd_return_int(call, value);
}

static void get_close_message(const gd_call *call) {
  const ws_peer *self = call->self;
  gd_free(GD_STRING, call->ret);
  if (self->gone) gd_copy(GD_STRING, call->ret, &self->end_message);
  else *(gd_string *)call->ret = error_text_of(self->base.handle);
}

/* Returns a text of the connection; the table's row says which. */
static void get_text(const gd_call *call) {
  return_text_of(call, ((const ws_peer *)call->self)->base.handle, *(const int32_t *)call->data);
}

static void get_received_header(const gd_call *call) {
  const ws_peer *self = call->self;
  gd_utf8 name;
  char small[1024], *value = small;
  size_t len = 0;
  int64_t index = gd_int_at(call, 1);
  uint32_t which = index >= 0 && index < UINT32_MAX ? (uint32_t)index : UINT32_MAX;
  gd_utf8_open(&name, gd_string_at(call, 0));
  ws_result result = ws_get_header(self->base.handle, name.bytes, which, small, sizeof small, &len);
  if (result == WS_TRUNCATED && (value = malloc(len + 1)))
    result = ws_get_header(self->base.handle, name.bytes, which, value, len + 1, &len);
  gd_utf8_close(&name);
  gd_return_text(call, value, result == WS_OK && value ? len : 0);
  if (value != small) free(value);
}

static void get_local_host(const gd_call *call) {
  return_address_of(call, ((const ws_peer *)call->self)->base.handle, WS_GET_LOCAL_ADDRESS);
}

static void get_local_port(const gd_call *call) {
  return_port_of(call, ((const ws_peer *)call->self)->base.handle, WS_GET_LOCAL_ADDRESS);
}

/* ---- what the next try of a connection that reconnects requests ---- */

static void set_url(const gd_call *call) {
  gd_utf8 url;
  gd_utf8_open(&url, gd_string_at(call, 0));
  gd_return_int(call, error_of(ws_set_url(((const ws_peer *)call->self)->base.handle, url.bytes), __func__));
  gd_utf8_close(&url);
}

static void set_header(const gd_call *call) {
  gd_utf8 name, value;
  gd_utf8_open(&name, gd_string_at(call, 0));
  gd_utf8_open(&value, gd_string_at(call, 1));
  ws_result result = ws_set_header(((const ws_peer *)call->self)->base.handle, name.bytes, value.bytes);
  gd_return_int(call, error_of(result, __func__));
  gd_utf8_close(&value);
  gd_utf8_close(&name);
}

static void remove_header(const gd_call *call) {
  gd_utf8 name;
  gd_utf8_open(&name, gd_string_at(call, 0));
  gd_return_int(call, error_of(ws_set_header(((const ws_peer *)call->self)->base.handle, name.bytes, NULL), __func__));
  gd_utf8_close(&name);
}

static void hint(const gd_call *call) {
  return_hinted(call, &((const ws_peer *)call->self)->base);
}

/* ---- a request that waits for an answer ---- */

static void accept_request(const gd_call *call) {
  opening how = {0};
  size_t count = 0;
  const char *protocol = opening_text(&how, gd_string_at(call, 0));
  const char *const *headers = opening_lines(&how, gd_packed_at(call, 1), &count);
  ws_result result =
      ws_accept(((const ws_peer *)call->self)->base.handle, protocol && *protocol ? protocol : NULL, headers, count);
  gd_return_int(call, error_of(result, __func__));
  opening_end(&how);
}

static void reply_to_request(const gd_call *call) {
  opening how = {0};
  size_t count = 0;
  const gd_packed *body = gd_packed_at(call, 1);
  const char *const *headers = opening_lines(&how, gd_packed_at(call, 2), &count);
  ws_result result = ws_reply(((const ws_peer *)call->self)->base.handle, gd_int32_at(call, 0), headers, count,
                              gd_bytes_of(body), gd_packed_size(GD_BYTES, body));
  gd_return_int(call, error_of(result, __func__));
  opening_end(&how);
}

static const size_t phase = offsetof(ws_event, phase), cause = offsetof(ws_event, cause),
                    http_status = offsetof(ws_event, http_status), os_error = offsetof(ws_event, os_error),
                    unsent = offsetof(ws_event, unsent);
static const int32_t body = WS_GET_BODY, tls = WS_GET_TLS, extensions = WS_GET_EXTENSIONS, path = WS_GET_PATH,
                     query = WS_GET_QUERY, method = WS_GET_METHOD, peer_address = WS_GET_PEER_ADDRESS;

const gd_method peer_more_methods[] = {
    {"next_event() -> Dictionary", next_event, NULL},
    {"set_write_mode(mode: WSPeer.WriteMode)", set_write_mode, NULL},
    {"get_write_mode() const -> WSPeer.WriteMode", get_write_mode, NULL},
    {"is_connected_to_host() const -> bool", is_connected_to_host, NULL},
    {"flush()", flush, NULL},
    {"send_latest(key: int, message: PackedByteArray, write_mode: WSPeer.WriteMode = 1) -> Error", send_latest, NULL},
    {"set_url(url: String) -> Error", set_url, NULL},
    {"set_header(name: String, value: String) -> Error", set_header, NULL},
    {"remove_header(name: String) -> Error", remove_header, NULL},
    {"hint(hint: WSPeer.Hint) -> Error", hint, NULL},
    {"get_stats() const -> Dictionary", get_stats, NULL},
    {"set_sim(figures: Dictionary) -> Error", set_sim, NULL},
    {"sim_preset(preset: WSPeer.SimPreset = 0) const -> Dictionary", return_sim_preset, NULL},
    {"advance_time(usec: int) -> Error", advance_time, NULL},
    {"get_round_trip_time() const -> float", get_round_trip_time, NULL},
    {"was_clean_close() const -> bool", was_clean_close, NULL},
    {"get_close_phase() const -> WSPeer.Phase", get_end_number, &phase},
    {"get_close_cause() const -> WSPeer.Cause", get_end_number, &cause},
    {"get_close_message() const -> String", get_close_message, NULL},
    {"get_close_http_status() const -> int", get_end_number, &http_status},
    {"get_close_os_error() const -> int", get_end_number, &os_error},
    {"get_unsent_packet_count() const -> int", get_end_number, &unsent},
    {"get_received_header(name: String, index: int = 0) const -> String", get_received_header, NULL},
    {"get_received_body() const -> String", get_text, &body},
    {"get_requested_method() const -> String", get_text, &method},
    {"get_requested_path() const -> String", get_text, &path},
    {"get_requested_query() const -> String", get_text, &query},
    {"get_selected_extensions() const -> String", get_text, &extensions},
    {"get_tls_info() const -> String", get_text, &tls},
    {"get_proxy_address() const -> String", get_text, &peer_address},
    {"get_local_host() const -> String", get_local_host, NULL},
    {"get_local_port() const -> int", get_local_port, NULL},
    {"accept_request(protocol: String = \"\", headers: PackedStringArray = []) -> Error", accept_request, NULL},
    {"reply_to_request(status: int, body: PackedByteArray = [], headers: PackedStringArray = []) -> Error",
     reply_to_request, NULL},
    {0},
};
