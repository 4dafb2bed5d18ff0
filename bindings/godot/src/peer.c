#include "peer.h"
#include "hints.h"

#include <stdlib.h>
#include <string.h>

static void start(void *place, gd_object *object) {
  ws_peer *self = place;
  endpoint_start(&self->base, object, OF_PEER);
  self->put_type = WS_BINARY;
  gd_new(GD_STRING, &self->requested_url);
  gd_new(GD_STRING, &self->end_reason);
  gd_new(GD_STRING, &self->end_message);
  gd_new(GD_BYTES, &self->unfed);
}

/* Frees the connection. */
static void drop(ws_peer *self) {
  hints_stop(&self->base);
  if (!self->borrowed) ws_free(self->base.handle);
  stream_drop(self);
  self->base.handle = 0;
  self->base.has_pong = self->borrowed = self->gone = self->reported_full = self->lost = self->left = self->opened = false;
  self->host = 0;
  self->last_type = 0;
  self->taken = self->resumed = 0;
}

static void end(void *place) {
  ws_peer *self = place;
  drop(self);
  gd_free(GD_BYTES, &self->unfed);
  gd_free(GD_STRING, &self->end_message);
  gd_free(GD_STRING, &self->end_reason);
  gd_free(GD_STRING, &self->requested_url);
  endpoint_end(&self->base);
}

static int32_t state_of(const ws_peer *self) {
  int32_t state = self->base.handle ? ws_get_state(self->base.handle) : WS_CLOSED;
  return state < 0 ? WS_CLOSED : state;
}

ws_peer *peer_borrow(gd_ref *ref, const endpoint *owner, ws_handle handle) {
  void *place;
  gd.ref_set_object(ref, gd_instantiate(&peer_class, &place));
  ws_peer *self = place;
  for (int i = 0; i < NUMBERS; i++)
    if (owner->numbers[i] >= 0) self->base.numbers[i] = owner->numbers[i];
  self->base.handle = handle;
  self->base.has_pong = self->borrowed = self->opened = true;
  /* The connection of a client of multiplayer has the handle of its owner. */
  if (owner->kind == OF_MULTIPLAYER && owner->handle != handle) self->host = owner->handle;
  self->base.is_simulated = owner->is_simulated;
  return self;
}

void peer_retire(ws_peer *self) {
  if (self->gone) return;
  self->gone = ws_get_end(self->base.handle, &self->end) == WS_OK;
  char reason[CLOSE_REASON_BYTES + 1] = "";
  ws_get_text(self->base.handle, WS_GET_CLOSE_REASON, reason, sizeof reason, NULL);
  gd_free(GD_STRING, &self->end_reason);
  self->end_reason = gd_string_new(reason, strlen(reason));
  gd_free(GD_STRING, &self->end_message);
  self->end_message = error_text_of(self->base.handle);
}

bool peer_end_of(const ws_peer *self, ws_event *event) {
  if (self->gone) *event = self->end;
  return self->gone || (self->base.handle && ws_get_end(self->base.handle, event) == WS_OK);
}

static bool is_connected(const ws_peer *self, const char *function) {
  if (self->base.handle) return true;
  gd_error(function,
           "nothing is connected: call connect_to_url() or accept_stream(), and poll() until the state is STATE_OPEN");
  return false;
}

/* After a packet was put: returns Godot's Error. */
static int64_t put(ws_peer *self, ws_result result, const char *function) {
  bool reports = result != WS_ERR_FULL || !self->reported_full;
  self->reported_full = result == WS_ERR_FULL;
  int64_t error = error_of(result, reports ? function : NULL);
  /* As in the engine, the state comes first. */
  if (result == WS_ERR_TOO_BIG && state_of(self) != WS_OPEN) error = GD_FAILED;
  /* Must be last: a script that the stream runs may drop the last reference to this peer. */
  if (result == WS_OK && self->stream.object && self->base.numbers[COALESCE] == 0) stream_flush(self);
  return error;
}

int64_t peer_put(ws_peer *self, const uint8_t *bytes, size_t len, int32_t type, const char *function) {
  if (!is_connected(self, function)) return GD_FAILED;
  return put(self, ws_put_packet(self->base.handle, bytes, len, type), function);
}

int64_t peer_put_latest(ws_peer *self, uint32_t key, const uint8_t *bytes, size_t len, int32_t type,
                        const char *function) {
  if (!is_connected(self, function)) return GD_FAILED;
  return put(self, ws_put_latest(self->base.handle, 0, key, bytes, len, type), function);
}

ws_result peer_take(ws_peer *self, ws_packet *packet) {
  ws_result result = self->base.handle ? ws_get_packet(self->base.handle, packet) : WS_EMPTY;
  if (result != WS_OK) return WS_EMPTY;
  self->last_type = packet->type;
  self->taken++;
  return WS_OK;
}

/* ---- PacketPeerExtension ---- */

static void v_get_packet(const gd_call *call) {
  const uint8_t **bytes = *(const uint8_t **const *)call->args[0];
  int32_t *len = *(int32_t *const *)call->args[1];
  ws_packet packet;
  bool got = peer_take(call->self, &packet) == WS_OK;
  *bytes = got ? packet.data : NULL;
  *len = got ? (int32_t)packet.len : 0;
  gd_return_int(call, got ? GD_OK : state_of(call->self) == WS_OPEN ? GD_ERR_UNAVAILABLE : GD_FAILED);
}

static void v_put_packet(const gd_call *call) {
  const uint8_t *bytes = *(const uint8_t *const *)call->args[0];
  ws_peer *self = call->self;
  gd_return_int(call, peer_put(self, bytes, (size_t)gd_int_at(call, 1), self->put_type, "put_packet"));
}

static void v_available(const gd_call *call) {
  const ws_peer *self = call->self;
  int32_t count = self->base.handle ? ws_get_available(self->base.handle) : 0;
  gd_return_int(call, count < 0 ? 0 : count);
}

static void v_max_packet_size(const gd_call *call) {
  uint32_t most = settings_max_message(call->self);
  gd_return_int(call, most > INT32_MAX ? INT32_MAX : most);
}

/* ---- WebSocketPeer ---- */

static bool is_free(ws_peer *self) {
  if (self->busy) {
    gd_error("WSPeer", "this peer is calling its stream: open the next connection when that call has returned");
    return false;
  }
  int32_t state = state_of(self);
  if (!self->borrowed && (state == WS_CLOSED || state == WS_CLOSING)) return true;
  gd_error("WSPeer", "this peer has a connection already: close() it first, or make another WSPeer");
  return false;
}

/* Opens a connection to the URL of a call by a function of the library. */
static void open_url(const gd_call *call, ws_result (*open)(const char *, const ws_config *, ws_handle *),
                     const char *function) {
  ws_peer *self = call->self;
  if (!is_free(self)) {
    gd_return_int(call, GD_ERR_ALREADY_IN_USE);
    return;
  }
  drop(self);
  opening how;
  opening_start(&how, &self->base, OF_PEER);
  const char *url = opening_url(&how, gd_string_at(call, 0));
  int64_t error = opening_tls(&how, gd_object_at(call, 1), false);
  if (error == GD_OK) error = error_of(open(url, &how.config, &self->base.handle), function);
  opening_end(&how);
  if (error == GD_OK) {
    hints_begin(&self->base);
    simulate(&self->base);
  }
  gd_free(GD_STRING, &self->requested_url);
  gd_copy(GD_STRING, &self->requested_url, gd_string_at(call, 0));
  gd_return_int(call, error);
}

static void connect_to_url(const gd_call *call) {
  open_url(call, ws_connect, __func__);
}

static void diagnose(const gd_call *call) {
  open_url(call, ws_diagnose, __func__);
}

static void accept_stream(const gd_call *call) {
  ws_peer *self = call->self;
  if (!is_free(self)) {
    gd_return_int(call, GD_ERR_ALREADY_IN_USE);
    return;
  }
  drop(self);
  gd_free(GD_STRING, &self->requested_url);
  gd_new(GD_STRING, &self->requested_url);
  gd_return_int(call, stream_accept(self, gd_object_at(call, 0)));
}

static void send(const gd_call *call) {
  const gd_packed *message = gd_packed_at(call, 0);
  int32_t type = gd_int_at(call, 1) == 0 ? WS_TEXT : WS_BINARY;
  gd_return_int(call, peer_put(call->self, gd_bytes_of(message), gd_packed_size(GD_BYTES, message), type, __func__));
}

static void send_text(const gd_call *call) {
  gd_utf8 text;
  gd_utf8_open(&text, gd_string_at(call, 0));
  gd_return_int(call, peer_put(call->self, (const uint8_t *)text.bytes, text.len, WS_TEXT, __func__));
  gd_utf8_close(&text);
}

static void was_string_packet(const gd_call *call) {
  gd_return_bool(call, ((const ws_peer *)call->self)->last_type == WS_TEXT);
}

peer_change peer_look(ws_peer *self) {
  bool is_lost = ws_get_state(self->base.handle) == WS_LOST;
  if (is_lost == self->lost) return UNCHANGED;
  self->lost = is_lost;
  if (is_lost) return LOST;
  ws_stats stats = {0};
  ws_get_stats(self->base.handle, &stats, sizeof stats);
  bool is_resumed = stats.resumed > self->resumed;
  self->resumed = stats.resumed;
  return is_resumed ? RESUMED : UNCHANGED;
}

/* Emits `lost` or `resumed`. A handler may drop the last reference to the peer. */
static void tell_loss(ws_peer *self) {
  peer_change change = peer_look(self);
  if (change == UNCHANGED) return;
  gd_variant keep = gd_of_object(self->base.object);
  gd_emit(self->base.object, change == LOST ? "lost" : "resumed", NULL, 0);
  gd.variant_destroy(&keep);
}

/* As in the engine, the heartbeat begins with a ping: it is switched on once the connection is open. */
void peer_note_open(ws_peer *self) {
  if (self->opened ? self->base.has_pong : ws_get_state(self->base.handle) != WS_OPEN) return;
  double interval = self->base.numbers[HEARTBEAT_INTERVAL];
  if (interval > 0 && self->opened) {
    ws_stats stats = {0};
    ws_get_stats(self->base.handle, &stats, sizeof stats);
    self->base.has_pong = stats.rtt_us > 0;
  }
  if (interval > 0 && (!self->opened || self->base.has_pong)) settings_set(&self->base, HEARTBEAT_INTERVAL, interval);
  self->opened = true;
}

void peer_poll(ws_peer *self) {
  if (!self->base.handle || self->borrowed) return;
  if (self->stream.object) {
    stream_poll(self);
    return;
  }
  ws_poll(self->base.handle);
  peer_note_open(self);
  tell_loss(self);
}

static void poll(const gd_call *call) {
  peer_poll(call->self);
}

static void close(const gd_call *call) {
  ws_peer *self = call->self;
  if (!self->base.handle || self->gone) return;
  gd_utf8 reason;
  gd_utf8_open(&reason, gd_string_at(call, 1));
  gd_utf8_cut(&reason, CLOSE_REASON_BYTES);
  int32_t code = close_code_of(gd_int_at(call, 0));
  int32_t id = self->host ? ws_get_peer_id(self->base.handle) : 0;
  if (id > 0) {
    /* As in the engine, its multiplayer peer forgets it with the next poll. */
    self->left = true;
    error_of(ws_disconnect(self->host, id, code, reason.bytes), NULL);
  } else {
    error_of(ws_close(self->base.handle, code, reason.bytes), __func__);
  }
  gd_utf8_close(&reason);
  if (self->stream.object) stream_flush(self);
}

static void get_connected_host(const gd_call *call) {
  ws_peer *self = call->self;
  if (self->stream.object) stream_return_host(call, self);
  else return_address_of(call, self->base.handle, WS_GET_REMOTE_ADDRESS);
}

static void get_connected_port(const gd_call *call) {
  ws_peer *self = call->self;
  if (self->stream.object) stream_return_port(call, self);
  else return_port_of(call, self->base.handle, WS_GET_REMOTE_ADDRESS);
}

static void get_selected_protocol(const gd_call *call) {
  return_text_of(call, ((const ws_peer *)call->self)->base.handle, WS_GET_SUBPROTOCOL);
}

static void get_requested_url(const gd_call *call) {
  const ws_peer *self = call->self;
  if (self->borrowed) {
    return_text_of(call, self->base.handle, WS_GET_URL);
    return;
  }
  if (self->stream.object) {
    stream_return_url(call, self);
    return;
  }
  gd_free(GD_STRING, call->ret);
  gd_copy(GD_STRING, call->ret, &self->requested_url);
}

static void set_no_delay(const gd_call *call) {
  ws_peer *self = call->self;
  settings_set(&self->base, NO_DELAY, gd_bool_at(call, 0));
  if (self->stream.object) stream_no_delay(self);
}

static void get_current_outbound_buffered_amount(const gd_call *call) {
  const ws_peer *self = call->self;
  ws_stats stats = {0};
  ws_get_stats(self->base.handle, &stats, sizeof stats);
  gd_return_int(call, (int64_t)(stats.queued_bytes_out + self->unput_end - self->unput_start));
}

static void get_ready_state(const gd_call *call) {
  gd_return_int(call, state_of(call->self));
}

static void get_close_code(const gd_call *call) {
  ws_event event;
  gd_return_int(call, peer_end_of(call->self, &event) && event.code != 1006 ? event.code : -1);
}

static void get_close_reason(const gd_call *call) {
  const ws_peer *self = call->self;
  if (!self->gone) {
    return_text_of(call, self->base.handle, WS_GET_CLOSE_REASON);
    return;
  }
  gd_free(GD_STRING, call->ret);
  gd_copy(GD_STRING, call->ret, &self->end_reason);
}

static const gd_method virtuals[] = {
    {"_get_packet", v_get_packet, NULL},
    {"_put_packet", v_put_packet, NULL},
    {"_get_available_packet_count", v_available, NULL},
    {"_get_max_packet_size", v_max_packet_size, NULL},
    {0},
};

static const gd_method methods[] = {
    {"connect_to_url(url: String, tls_client_options: TLSOptions = null) -> Error", connect_to_url, NULL},
    {"diagnose(url: String, tls_client_options: TLSOptions = null) -> Error", diagnose, NULL},
    {"accept_stream(stream: StreamPeer) -> Error", accept_stream, NULL},
    {"send(message: PackedByteArray, write_mode: WSPeer.WriteMode = 1) -> Error", send, NULL},
    {"send_text(message: String) -> Error", send_text, NULL},
    {"was_string_packet() const -> bool", was_string_packet, NULL},
    {"poll()", poll, NULL},
    {"close(code: int = 1000, reason: String = \"\")", close, NULL},
    {"get_connected_host() const -> String", get_connected_host, NULL},
    {"get_connected_port() const -> int", get_connected_port, NULL},
    {"get_selected_protocol() const -> String", get_selected_protocol, NULL},
    {"get_requested_url() const -> String", get_requested_url, NULL},
    {"set_no_delay(enabled: bool)", set_no_delay, NULL},
    {"get_current_outbound_buffered_amount() const -> int", get_current_outbound_buffered_amount, NULL},
    {"get_ready_state() const -> WSPeer.State", get_ready_state, NULL},
    {"get_close_code() const -> int", get_close_code, NULL},
    {"get_close_reason() const -> String", get_close_reason, NULL},
    {0},
};

static const gd_constant constants[] = {
    {"WriteMode", "WRITE_MODE_TEXT", 0},
    {"WriteMode", "WRITE_MODE_BINARY", 1},
    {"State", "STATE_CONNECTING", 0},
    {"State", "STATE_OPEN", 1},
    {"State", "STATE_CLOSING", 2},
    {"State", "STATE_CLOSED", 3},
    {"State", "STATE_LOST", WS_LOST},
    {0},
};

static const char *const signals[] = {"lost()", "resumed()", NULL};

const gd_class peer_class = {
    "WSPeer", "PacketPeerExtension", sizeof(ws_peer), start, end, virtuals, methods, NULL, constants, signals, NULL};
