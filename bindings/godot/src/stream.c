/* accept_stream(): the server's end of a connection over any StreamPeer; carries the bytes between it and
 * ws_attach(). */
#include "peer.h"

#include <stdlib.h>
#include <string.h>

/* Status values, equal in StreamPeerTCP, StreamPeerTLS and StreamPeerUDS. */
enum { STATUS_CONNECTING = 1, STATUS_CONNECTED = 2 };
/* Number of bytes carried at a time, and number of rounds in a poll. */
enum { PIECE = 65536, ROUNDS = 8 };

/* The integer that a method of the stream returns, or `otherwise` if it does not exist. */
static int64_t ask(gd_object *stream, const char *method, int64_t otherwise) {
  gd_variant got, none[1];
  if (!gd_has_method(stream, method)) return otherwise;
  int64_t value = gd_call_method(stream, method, none, 0, &got) ? gd_to_int(&got) : otherwise;
  gd.variant_destroy(&got);
  return value;
}

/* A stream without a status counts as connected. */
static int64_t status_of(const ws_peer *self) {
  gd_variant got, none[1];
  if (!self->has_status) return STATUS_CONNECTED;
  int64_t status =
      gd_call_method(self->stream.object, "get_status", none, 0, &got) ? gd_to_int(&got) : STATUS_CONNECTED;
  gd.variant_destroy(&got);
  return status;
}

static void call_method(gd_object *stream, const char *method) {
  ask(stream, method, 0);
}

/* Calls a method that returns [Error, value] and returns the error; the value is copied to `value` and must be
 * destroyed. */
static int64_t ask_pair(gd_object *stream, const char *method, gd_variant argument, gd_variant *value) {
  gd_variant got, args[] = {argument};
  int64_t error = GD_FAILED;
  gd.variant_new_nil(value);
  if (gd_call_method(stream, method, args, 1, &got) && gd.variant_get_type(&got) == GD_ARRAY) {
    gd_array pair;
    gd_to(GD_ARRAY, &pair, &got);
    error = gd_to_int(gd.array_operator_index_const(&pair, 0));
    gd.variant_new_copy(value, gd.array_operator_index_const(&pair, 1));
    gd_free(GD_ARRAY, &pair);
  }
  gd.variant_destroy(&got);
  return error;
}

/* A stream may be a script, whose methods can do anything: call this peer, replace the stream, or drop the last
 * references to both. So both are referenced during such a call, and the functions that make it are not re-entrant. */
typedef struct {
  gd_ref peer, stream;
} hold;

static bool enter(hold *held, ws_peer *self) {
  if (self->busy) return false;
  self->busy = true;
  memset(held, 0, sizeof *held);
  gd.ref_set_object(&held->peer, self->base.object);
  gd.ref_set_object(&held->stream, self->stream.object);
  return true;
}

/* The peer must not be used after this. */
static void leave(hold *held, ws_peer *self) {
  self->busy = false;
  gd.ref_set_object(&held->stream, NULL);
  gd.ref_set_object(&held->peer, NULL);
}

int64_t stream_accept(ws_peer *self, gd_object *stream) {
  if (!stream) {
    gd_error("accept_stream", "the stream is null: give a StreamPeer that is connected");
    return GD_ERR_INVALID_PARAMETER;
  }
  opening how;
  opening_start(&how, &self->base, OF_PEER);
  how.config.handshake_timeout_ms = how.config.connect_timeout_ms;
  int64_t error = error_of(ws_attach(&how.config, WS_ROLE_SERVER, &self->base.handle), "accept_stream");
  opening_end(&how);
  if (error != GD_OK) return error;
  gd.ref_set_object(&self->stream, stream);
  hold held;
  if (enter(&held, self)) {
    self->has_status = gd_has_method(stream, "get_status");
    self->is_secure = gd_is(stream, "StreamPeerTLS");
    leave(&held, self);
  }
  /* Without this the second message of a frame waits for the first one's acknowledgement, which the receiver delays by
   * up to 40 ms. */
  stream_no_delay(self);
  simulate(&self->base);
  return GD_OK;
}

void stream_drop(ws_peer *self) {
  if (!self->stream.object) return;
  gd.ref_set_object(&self->stream, NULL);
  gd_free(GD_BYTES, &self->unfed);
  gd_new(GD_BYTES, &self->unfed);
  free(self->unput);
  self->unput = NULL;
  self->fed = self->unput_start = self->unput_end = 0;
  self->hung_up = self->is_secure = false;
}

/* Feeds received bytes to the library, as far as it takes them. Returns whether bytes moved. A stream that has ended
 * yields no more. */
static bool feed(ws_peer *self, bool is_connected) {
  gd_object *stream = self->stream.object;
  size_t size = gd_packed_size(GD_BYTES, &self->unfed), taken = 0;
  if (self->fed == size) {
    if (!is_connected) return false;
    int64_t available = ask(stream, "get_available_bytes", 0);
    if (available <= 0) return false;
    gd_variant bytes;
    int64_t error = ask_pair(stream, "get_partial_data", gd_of_int(available < PIECE ? available : PIECE), &bytes);
    if (error == GD_OK && gd.variant_get_type(&bytes) == GD_BYTES) {
      gd_free(GD_BYTES, &self->unfed);
      gd_to(GD_BYTES, &self->unfed, &bytes);
      self->fed = 0;
      size = gd_packed_size(GD_BYTES, &self->unfed);
    }
    gd.variant_destroy(&bytes);
    if (self->fed == size) return false;
  }
  if (ws_feed(self->base.handle, gd_bytes_of(&self->unfed) + self->fed, size - self->fed, &taken) < 0)
    taken = size - self->fed;
  self->fed += taken;
  return taken > 0;
}

/* Takes the library's output. Returns whether there is any. */
static bool take(ws_peer *self) {
  if (self->unput_start < self->unput_end) return true;
  if (!self->unput && !(self->unput = malloc(PIECE))) return false;
  self->unput_start = self->unput_end = 0;
  if (ws_take_output(self->base.handle, self->unput, PIECE, &self->unput_end) != WS_OK) self->unput_end = 0;
  return self->unput_end > 0;
}

/* Writes output to the stream, as far as it takes it. Returns whether bytes moved. */
static bool put(ws_peer *self) {
  if (!take(self)) return false;
  gd_packed bytes;
  gd_variant sent;
  gd_bytes_new(&bytes, self->unput + self->unput_start, self->unput_end - self->unput_start);
  int64_t error = ask_pair(self->stream.object, "put_partial_data", gd_of(GD_BYTES, &bytes), &sent);
  gd_free(GD_BYTES, &bytes);
  int64_t count = error == GD_OK ? gd_to_int(&sent) : 0;
  gd.variant_destroy(&sent);
  if (count <= 0) return false;
  self->unput_start += (size_t)count;
  return true;
}

/* Writes what is queued now; what a script adds meanwhile is written the next time. Returns whether bytes moved. */
static bool put_all(ws_peer *self) {
  ws_stats stats = {0};
  ws_get_stats(self->base.handle, &stats, sizeof stats);
  bool moved = false;
  for (uint64_t left = stats.queued_bytes_out / PIECE + ROUNDS; left > 0 && put(self); left--) moved = true;
  return moved;
}

/* Closes the stream in the way of its class. */
static void hang_up(ws_peer *self) {
  gd_object *stream = self->stream.object;
  self->hung_up = true;
  if (gd_has_method(stream, "disconnect_from_stream")) call_method(stream, "disconnect_from_stream");
  else if (gd_has_method(stream, "disconnect_from_host")) call_method(stream, "disconnect_from_host");
}

static void flush(ws_peer *self) {
  if (self->hung_up) return;
  if (take(self) && status_of(self) == STATUS_CONNECTED) put_all(self);
  if (ws_get_state(self->base.handle) == WS_CLOSED && self->unput_start == self->unput_end) hang_up(self);
}

void stream_flush(ws_peer *self) {
  hold held;
  if (!enter(&held, self)) return;
  flush(self);
  leave(&held, self);
}

static void move_on(ws_peer *self) {
  gd_object *stream = self->stream.object;
  if (self->hung_up) return;
  if (gd_has_method(stream, "poll")) call_method(stream, "poll");
  int64_t status = status_of(self);
  if (status == STATUS_CONNECTING) {
    /* The timeout of the opening handshake runs while the stream connects. */
    ws_poll(self->base.handle);
    return;
  }
  for (int round = 0, moved = 1; moved && round < ROUNDS; round++) {
    moved = feed(self, status == STATUS_CONNECTED);
    ws_poll(self->base.handle);
    if (status == STATUS_CONNECTED && put_all(self)) moved = 1;
  }
  if (status != STATUS_CONNECTED && self->fed == gd_packed_size(GD_BYTES, &self->unfed)) {
    /* Nothing more arrives, and nothing can be sent. */
    ws_feed(self->base.handle, NULL, 0, NULL);
    ws_poll(self->base.handle);
    self->unput_start = self->unput_end = 0;
  }
  peer_note_open(self);
  flush(self);
}

void stream_poll(ws_peer *self) {
  hold held;
  if (!enter(&held, self)) return;
  move_on(self);
  leave(&held, self);
}

/* The stream, or the one below it (under TLS), that has a method; `below` must be destroyed. */
static gd_object *who_has(const ws_peer *self, const char *method, gd_variant *below) {
  gd_variant none[1];
  gd_object *stream = self->stream.object;
  gd.variant_new_nil(below);
  if (gd_has_method(stream, method)) return stream;
  gd_object *inner = NULL;
  if (gd_has_method(stream, "get_stream") && gd_call_method(stream, "get_stream", none, 0, below) &&
      gd.variant_get_type(below) == GD_OBJECT)
    gd_to(GD_OBJECT, &inner, below);
  return inner && gd_has_method(inner, method) ? inner : NULL;
}

void stream_no_delay(ws_peer *self) {
  hold held;
  if (!enter(&held, self)) return;
  gd_variant below, none, on[] = {gd_of_bool(self->base.numbers[NO_DELAY] != 0)};
  gd_object *stream = who_has(self, "set_no_delay", &below);
  if (stream) {
    gd_call_method(stream, "set_no_delay", on, 1, &none);
    gd.variant_destroy(&none);
  }
  gd.variant_destroy(&below);
  leave(&held, self);
}

void stream_return_url(const gd_call *call, const ws_peer *self) {
  char url[4096] = "";
  size_t len = 0;
  ws_result result = ws_get_text(self->base.handle, WS_GET_URL, url + 1, sizeof url - 1, &len);
  bool is_whole = result == WS_OK && strncmp(url + 1, "ws://", 5) == 0;
  if (!self->is_secure || !is_whole) {
    return_text_of(call, self->base.handle, WS_GET_URL);
    return;
  }
  memcpy(url, "wss", 3);
  gd_return_text(call, url, len + 1);
}

void stream_return_host(const gd_call *call, ws_peer *self) {
  hold held;
  if (!enter(&held, self)) return;
  gd_variant below, got, none[1];
  gd_object *stream = who_has(self, "get_connected_host", &below);
  if (stream && gd_call_method(stream, "get_connected_host", none, 0, &got) && gd.variant_get_type(&got) == GD_STRING) {
    gd_free(GD_STRING, call->ret);
    gd_to(GD_STRING, call->ret, &got);
  }
  if (stream) gd.variant_destroy(&got);
  gd.variant_destroy(&below);
  leave(&held, self);
}

void stream_return_port(const gd_call *call, ws_peer *self) {
  hold held;
  gd_variant below;
  if (!enter(&held, self)) {
    gd_return_int(call, 0);
    return;
  }
  gd_object *stream = who_has(self, "get_connected_port", &below);
  gd_return_int(call, stream ? ask(stream, "get_connected_port", 0) : 0);
  gd.variant_destroy(&below);
  leave(&held, self);
}
