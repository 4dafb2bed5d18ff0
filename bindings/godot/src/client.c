#include "client.h"
#include "hints.h"
#include "peer.h"

#include <stdio.h>
#include <string.h>

/* Constants of MultiplayerPeer.ConnectionStatus. */
enum { DISCONNECTED = 0, CONNECTING = 1, CONNECTED = 2 };
/* The id of the server, for get_peer(). */
enum { SERVER = 1 };
/* After this many polls without a read (3 seconds at 60 frames a second) the packets of a connection that has ended are
 * discarded. */
enum { PATIENCE = 180 };

typedef struct {
  /* The properties. Its handle is that of the peer, which frees it. */
  endpoint base;
  /* get_peer(1); NULL before the first use. */
  gd_ref peer_ref;
  ws_peer *peer;
  bool verifies;
  gd_ref certificate;
  /* connect_to_url() has opened the peer, and its end was not reported yet. */
  bool in_use;
  bool established;
  bool close_told;
  /* A poll is running: handlers of its signals must not poll again. */
  bool busy;
  /* Number of packets that were announced by a signal. */
  uint64_t announced;
  /* The connection has ended and packets are unread: their number at the last poll, and the number of polls without a
   * read. */
  int32_t unread;
  int patience;
} ws_client;

static void start(void *place, gd_object *object) {
  ws_client *self = place;
  endpoint_start(&self->base, object, OF_PEER);
  self->verifies = true;
}

static void end(void *place) {
  ws_client *self = place;
  gd.ref_set_object(&self->peer_ref, NULL);
  gd.ref_set_object(&self->certificate, NULL);
  endpoint_end(&self->base);
}

/* Replaces the peer by a new one. */
static ws_peer *renew(ws_client *self) {
  void *place;
  gd.ref_set_object(&self->peer_ref, gd_instantiate(&peer_class, &place));
  self->peer = place;
  memcpy(self->peer->base.numbers, self->base.numbers, sizeof self->base.numbers);
  return self->peer;
}

/* ---- opening and closing ---- */

static bool is_free(const ws_client *self, bool gd_mp_api) {
  if (gd_mp_api) {
    gd_error("connect_to_url",
             "WSClient does not speak Godot 3's multiplayer format: use WSMultiplayerPeer at both ends, or give false");
    return false;
  }
  int32_t state = ws_get_state(self->base.handle);
  /* No state: the script has used the peer for another connection. */
  if (!self->in_use || state == WS_CLOSED || state < 0) return true;
  gd_error("connect_to_url",
           "this client is connected: call disconnect_from_host() and wait for connection_closed, or make another one");
  return false;
}

static int64_t open(ws_client *self, const gd_call *call) {
  const gd_packed *protocols = gd_packed_at(call, 1), *headers = gd_packed_at(call, 3);
  gd_object *options = gd_object_at(call, 4);
  ws_peer *peer = renew(self);
  opening how;
  opening_start(&how, &self->base, OF_PEER);
  if (gd_packed_size(GD_STRINGS, protocols)) opening_subprotocols(&how, protocols);
  if (gd_packed_size(GD_STRINGS, headers)) {
    size_t count = 0;
    how.config.headers = opening_lines(&how, headers, &count);
    how.config.headers_count = (uint32_t)count;
  }
  const char *url = opening_url(&how, gd_string_at(call, 0));
  int64_t error = GD_OK;
  if (options) error = opening_tls(&how, options, false);
  else opening_trust(&how, self->certificate.object, self->verifies);
  if (error == GD_OK) error = error_of(ws_connect(url, &how.config, &peer->base.handle), "connect_to_url");
  opening_end(&how);
  gd_free(GD_STRING, &peer->requested_url);
  gd_copy(GD_STRING, &peer->requested_url, gd_string_at(call, 0));
  self->base.handle = peer->base.handle;
  self->in_use = error == GD_OK;
  if (error != GD_OK) return error;
  hints_begin(&peer->base);
  simulate(&self->base);
  return GD_OK;
}

static void connect_to_url(const gd_call *call) {
  ws_client *self = call->self;
  bool gd_mp_api = gd_bool_at(call, 2);
  if (!is_free(self, gd_mp_api)) {
    gd_return_int(call, gd_mp_api ? GD_ERR_UNAVAILABLE : GD_ERR_ALREADY_IN_USE);
    return;
  }
  self->established = self->close_told = false;
  self->announced = 0;
  self->unread = self->patience = 0;
  gd_return_int(call, open(self, call));
}

static void disconnect_from_host(const gd_call *call) {
  ws_client *self = call->self;
  if (!self->in_use) return;
  gd_variant none, args[] = {gd_of_int(gd_int_at(call, 0)), gd_of(GD_STRING, call->args[1])};
  gd_call_method(self->peer->base.object, "close", args, 2, &none);
  gd.variant_destroy(&none);
}

/* ---- polling: emits events as signals ---- */

static void tell_open(ws_client *self) {
  char protocol[256] = "";
  ws_get_text(self->base.handle, WS_GET_SUBPROTOCOL, protocol, sizeof protocol, NULL);
  gd_variant args[] = {gd_of_text(protocol, strlen(protocol))};
  self->established = true;
  gd_emit(self->base.object, "connection_established", args, 1);
}

static void tell_close(ws_client *self, int32_t code, const char *reason) {
  if (self->close_told) return;
  self->close_told = true;
  gd_variant args[] = {gd_of_int(code == 1005 ? 1000 : code), gd_of_text(reason, strlen(reason))};
  gd_emit(self->base.object, "server_close_request", args, 2);
}

/* The handler may connect again. */
static void tell_end(ws_client *self, bool was_clean) {
  gd_variant args[] = {gd_of_bool(was_clean)};
  self->in_use = false;
  if (self->established) gd_emit(self->base.object, "connection_closed", args, 1);
  else gd_emit(self->base.object, "connection_error", NULL, 0);
}

/* Takes an event; false: there is none. Only when no packet is in front of it, as it would be taken too. */
static bool tell_event(ws_client *self) {
  ws_event event;
  if (ws_next_event(self->base.handle, &event) != WS_OK) return false;
  if (event.type == WS_EVENT_OPEN) tell_open(self);
  if (event.type == WS_EVENT_CLOSE_REQUEST) tell_close(self, event.code, (const char *)event.packet.data);
  if (event.type == WS_EVENT_CLOSED) tell_end(self, event.clean != 0);
  return true;
}

/* The connection may have ended with unread packets: discards them in the end, with a warning. */
static void wait_for_reads(ws_client *self, int32_t waiting) {
  if (ws_get_state(self->base.handle) != WS_CLOSED) return;
  self->patience = waiting == self->unread ? self->patience + 1 : 0;
  self->unread = waiting;
  if (self->patience <= PATIENCE) return;
  char text[160];
  snprintf(text, sizeof text,
           "%d packets of the connection, which has ended, were never read: take them with get_peer(1).get_packet()",
           (int)waiting);
  gd_warning("poll", text);
  ws_packet packet;
  while (peer_take(self->peer, &packet) == WS_OK) self->announced = self->peer->taken;
}

static void tell(ws_client *self) {
  const ws_peer *peer = self->peer;
  while (self->in_use && self->peer == peer) {
    int32_t waiting = self->established ? ws_get_available(self->base.handle) : 0;
    if (waiting > 0 && self->announced < peer->taken + (uint64_t)waiting) {
      self->announced++;
      gd_emit(self->base.object, "data_received", NULL, 0);
      continue;
    }
    if (waiting > 0) {
      wait_for_reads(self, waiting);
      if (ws_get_available(self->base.handle) > 0) return;
    }
    if (!tell_event(self)) return;
  }
}

static void poll(const gd_call *call) {
  ws_client *self = call->self;
  if (!self->in_use || self->busy) return;
  /* A signal handler may drop the last reference to this object, and connect_to_url() replaces the peer. */
  gd_variant keep = gd_of_object(self->base.object), keep_peer = gd_of_object(self->peer->base.object);
  ws_peer *peer = self->peer;
  bool was_lost = peer->lost;
  uint64_t resumed = peer->resumed;
  self->busy = true;
  peer_poll(peer);
  if (peer->lost && !was_lost) gd_emit(self->base.object, "lost", NULL, 0);
  if (peer->resumed != resumed) gd_emit(self->base.object, "resumed", NULL, 0);
  if (self->in_use && self->peer == peer && peer->base.handle != self->base.handle) tell_end(self, false);
  tell(self);
  self->busy = false;
  gd.variant_destroy(&keep_peer);
  gd.variant_destroy(&keep);
}

/* ---- the connection ---- */

static void get_connection_status(const gd_call *call) {
  const ws_client *self = call->self;
  gd_return_int(call, !self->in_use ? DISCONNECTED : self->established ? CONNECTED : CONNECTING);
}

static void get_peer(const gd_call *call) {
  ws_client *self = call->self;
  if (gd_int_at(call, 0) != SERVER) {
    gd_error("get_peer", "a client has only the server as its peer: give 1");
    gd_return_object(call, NULL);
    return;
  }
  gd_return_object(call, (self->peer ? self->peer : renew(self))->base.object);
}

static void get_connected_host(const gd_call *call) {
  return_address_of(call, ((const ws_client *)call->self)->base.handle, WS_GET_REMOTE_ADDRESS);
}

static void get_connected_port(const gd_call *call) {
  return_port_of(call, ((const ws_client *)call->self)->base.handle, WS_GET_REMOTE_ADDRESS);
}

/* ---- settings ---- */

static void set_buffers(const gd_call *call) {
  return_buffers_set(call, &((ws_client *)call->self)->base);
}

static void set_verify_ssl_enabled(const gd_call *call) {
  ((ws_client *)call->self)->verifies = gd_bool_at(call, 0);
}

static void is_verify_ssl_enabled(const gd_call *call) {
  gd_return_bool(call, ((const ws_client *)call->self)->verifies);
}

static void set_trusted_ssl_certificate(const gd_call *call) {
  gd.ref_set_object(&((ws_client *)call->self)->certificate, gd_object_at(call, 0));
}

static void get_trusted_ssl_certificate(const gd_call *call) {
  gd_return_object(call, ((const ws_client *)call->self)->certificate.object);
}

static const gd_method methods[] = {
    {"connect_to_url(url: String, protocols: PackedStringArray = [], gd_mp_api: bool = false, custom_headers: PackedStringArray = [], tls_client_options: TLSOptions = null) -> Error",
     connect_to_url, NULL},
    {"disconnect_from_host(code: int = 1000, reason: String = \"\")", disconnect_from_host, NULL},
    {"poll()", poll, NULL},
    {"get_connection_status() const -> WSClient.ConnectionStatus", get_connection_status, NULL},
    {"get_peer(id: int) -> WSPeer", get_peer, NULL},
    {"get_connected_host() const -> String", get_connected_host, NULL},
    {"get_connected_port() const -> int", get_connected_port, NULL},
    {"set_buffers(input_buffer_size_kb: int, input_max_packets: int, output_buffer_size_kb: int, output_max_packets: int) -> Error",
     set_buffers, NULL},
    {"set_verify_ssl_enabled(enabled: bool)", set_verify_ssl_enabled, NULL},
    {"is_verify_ssl_enabled() const -> bool", is_verify_ssl_enabled, NULL},
    {"set_trusted_ssl_certificate(certificate: X509Certificate)", set_trusted_ssl_certificate, NULL},
    {"get_trusted_ssl_certificate() const -> X509Certificate", get_trusted_ssl_certificate, NULL},
    {0},
};

static const gd_property properties[] = {
    {"verify_ssl: bool", "set_verify_ssl_enabled", "is_verify_ssl_enabled"},
    {"trusted_ssl_certificate: X509Certificate", "set_trusted_ssl_certificate", "get_trusted_ssl_certificate"},
    {0},
};

static const gd_constant constants[] = {
    {"ConnectionStatus", "CONNECTION_DISCONNECTED", DISCONNECTED},
    {"ConnectionStatus", "CONNECTION_CONNECTING", CONNECTING},
    {"ConnectionStatus", "CONNECTION_CONNECTED", CONNECTED},
    {0},
};

static const char *const signals[] = {
    "connection_established(protocol: String)",
    "connection_closed(was_clean: bool)",
    "connection_error()",
    "data_received()",
    "server_close_request(code: int, reason: String)",
    "lost()",
    "resumed()",
    NULL,
};

const gd_class client_class = {"WSClient", "RefCounted", sizeof(ws_client), start,   end, NULL,
                               methods,    properties,   constants,         signals, NULL};
