#include "multiplayer.h"
#include "hints.h"
#include "topics.h"

#include <stdio.h>

static void start(void *place, gd_object *object) {
  game *self = place;
  endpoint_start(&self->base, object, OF_MULTIPLAYER);
  self->transfer_mode = RELIABLE;
}

static void drop(game *self) {
  crowd_end(&self->clients);
  if (self->link) peer_retire(self->link);
  hints_stop(&self->base);
  ws_free(self->base.handle);
  self->base.handle = 0;
  self->status = DISCONNECTED;
  self->is_host = self->has_next = self->full_told = self->has_left = false;
  self->id = 0;
}

static void let_link_go(game *self) {
  gd.ref_set_object(&self->link_ref, NULL);
  self->link = NULL;
}

static void end(void *place) {
  drop(place);
  let_link_go(place);
  endpoint_end(&((game *)place)->base);
}

/* ---- opening ---- */

static bool is_free(game *self) {
  if (self->status == DISCONNECTED && !self->clients.busy) {
    drop(self);
    let_link_go(self);
    return true;
  }
  gd_error("WSMultiplayerPeer", "this multiplayer peer is in use: close() it first, or make another one");
  return false;
}

/* Finishes opening, for create_server() and create_client(). */
static int64_t opened(game *self, int64_t error, int32_t status, int32_t id) {
  if (error != GD_OK) return error;
  self->status = status;
  self->id = id;
  simulate(&self->base);
  ws_set_option(self->base.handle, WS_OPT_TRANSFER_MODE, (uint32_t)self->transfer_mode);
  ws_set_option(self->base.handle, WS_OPT_TRANSFER_CHANNEL, (uint32_t)self->transfer_channel);
  return GD_OK;
}

static void create_server(const gd_call *call) {
  game *self = call->self;
  if (!is_free(self)) {
    gd_return_int(call, GD_ERR_ALREADY_IN_USE);
    return;
  }
  opening how;
  opening_start(&how, &self->base, OF_MULTIPLAYER);
  gd_object *tls = gd_object_at(call, 2);
  int64_t error = opening_tls(&how, tls, true);
  if (error == GD_OK) {
    const char *address = opening_address(&how, &self->base, gd_int32_at(call, 0), gd_string_at(call, 1), tls != NULL);
    error = error_of(ws_host(address, &how.config, &self->base.handle), __func__);
  }
  opening_end(&how);
  self->is_host = error == GD_OK;
  if (error == GD_OK) refuse_new(self);
  gd_return_int(call, opened(self, error, CONNECTED, SERVER_ID));
}

static void create_client(const gd_call *call) {
  game *self = call->self;
  if (!is_free(self)) {
    gd_return_int(call, GD_ERR_ALREADY_IN_USE);
    return;
  }
  opening how;
  opening_start(&how, &self->base, OF_MULTIPLAYER);
  /* As in Godot, one timeout serves both sides. */
  how.config.connect_timeout_ms = how.config.handshake_timeout_ms;
  const char *url = opening_url(&how, gd_string_at(call, 0));
  int64_t error = opening_tls(&how, gd_object_at(call, 1), false);
  if (error == GD_OK) error = error_of(ws_join(url, &how.config, &self->base.handle), __func__);
  opening_end(&how);
  if (error == GD_OK) {
    hints_begin(&self->base);
    self->link = peer_borrow(&self->link_ref, &self->base, self->base.handle);
  }
  gd_return_int(call, opened(self, error, CONNECTING, 0));
}

static void v_close(const gd_call *call) {
  game *self = call->self;
  if (self->base.handle) ws_close(self->base.handle, 0, NULL);
  if (!self->clients.busy) drop(self);
  else self->status = DISCONNECTED;
}

/* ---- polling ---- */

static void tell_peer(game *self, const char *signal, int32_t id) {
  gd_variant args[] = {gd_of_int(id)};
  gd_emit(self->base.object, signal, args, 1);
}

/* After close() no signals are emitted. */
static void connected(void *place, client *about) {
  if (((game *)place)->status == CONNECTED) tell_peer(place, "peer_connected", about->id);
}

static void disconnected(void *place, client *about, bool was_clean) {
  (void)was_clean;
  if (((game *)place)->status == CONNECTED) tell_peer(place, "peer_disconnected", about->id);
}

static void lost(void *place, client *about) {
  if (((game *)place)->status == CONNECTED) tell_peer(place, "peer_lost", about->id);
}

static void resumed(void *place, client *about) {
  if (((game *)place)->status == CONNECTED) tell_peer(place, "peer_resumed", about->id);
}

/* Takes the events of a client that has joined, up to the first unread packet. A loss does not wait for packets. */
static void poll_join(game *self) {
  ws_event event;
  peer_change change = self->status == CONNECTED ? peer_look(self->link) : UNCHANGED;
  if (change != UNCHANGED) tell_peer(self, change == LOST ? "peer_lost" : "peer_resumed", SERVER_ID);
  while (self->status != DISCONNECTED && !self->has_next &&
         (self->status == CONNECTING || self->has_left || ws_get_available(self->base.handle) == 0)) {
    if (ws_next_event(self->base.handle, &event) != WS_OK) return;
    if (event.type == WS_EVENT_OPEN) self->id = event.peer_id;
    if (event.type == WS_EVENT_CONNECTED) {
      self->status = CONNECTED;
      tell_peer(self, "peer_connected", event.peer_id);
    }
    if (event.type != WS_EVENT_CLOSED) continue;
    bool was_connected = self->status == CONNECTED;
    if (self->link) peer_retire(self->link);
    self->status = DISCONNECTED;
    if (was_connected) tell_peer(self, "peer_disconnected", SERVER_ID);
  }
}

static void requested(void *place, client *about, const ws_event *request) {
  game *self = place;
  if (self->status == CONNECTED) crowd_emit_request(&self->base, about, request);
}

static void v_poll(const gd_call *call) {
  static const crowd_events events = {connected, NULL, NULL, disconnected, requested, lost, resumed};
  game *self = call->self;
  if (!self->base.handle || self->clients.busy) return;
  /* A signal handler may drop the last reference to this object: keep it until the poll is over. */
  gd_variant keep = gd_of_object(self->base.object);
  ws_poll(self->base.handle);
  if (self->is_host) {
    crowd_tell(&self->clients, &self->base, &events);
  } else {
    self->clients.busy = true;
    poll_join(self);
    self->clients.busy = false;
  }
  /* Closed by a handler, or by the other end. */
  if (self->status == DISCONNECTED) drop(self);
  gd.variant_destroy(&keep);
}

/* ---- packets ---- */

/* Forgets a packet that was taken early if its sender has been disconnected since. */
static void forget_left(game *self) {
  client *about = self->has_next && self->is_host ? crowd_find(&self->clients, self->next.conn) : NULL;
  if (about && about->peer && about->peer->left) self->has_next = false;
}

static bool look_ahead(game *self) {
  forget_left(self);
  if (self->has_left) return false;
  if (!self->has_next) self->has_next = self->base.handle && ws_get_packet(self->base.handle, &self->next) == WS_OK;
  return self->has_next;
}

static void v_get_packet(const gd_call *call) {
  game *self = call->self;
  const uint8_t **bytes = *(const uint8_t **const *)call->args[0];
  int32_t *len = *(int32_t *const *)call->args[1];
  bool got = look_ahead(self);
  *bytes = got ? self->next.data : NULL;
  *len = got ? (int32_t)self->next.len : 0;
  self->has_next = false;
  gd_return_int(call, got ? GD_OK : self->status == CONNECTED ? GD_ERR_UNAVAILABLE : GD_ERR_UNCONFIGURED);
}

static void v_get_packet_peer(const gd_call *call) {
  game *self = call->self;
  gd_return_int(call, look_ahead(self) ? self->next.peer_id : SERVER_ID);
}

static void v_available(const gd_call *call) {
  game *self = call->self;
  forget_left(self);
  int32_t count = self->base.handle && !self->has_left ? ws_get_available(self->base.handle) : 0;
  gd_return_int(call, (count < 0 ? 0 : count) + self->has_next);
}

/* The handle of the connection to a peer, or 0. */
static ws_handle conn_of(const game *self, int64_t id) {
  ws_handle conn = 0;
  bool has =
      self->base.handle && id > 0 && id <= INT32_MAX && ws_get_conn(self->base.handle, (int32_t)id, &conn) == WS_OK;
  return has ? conn : 0;
}

/* The SceneMultiplayer ignores the result of put_packet(), so a full queue is also reported in the log, once. */
static void tell_full(game *self, int32_t target) {
  char text[200], whose[40] = "of some peers are";
  client *about = target > 0 && self->is_host ? crowd_find(&self->clients, conn_of(self, target)) : NULL;
  bool *reported = about ? &about->full_told : &self->full_told;
  if (*reported) return;
  *reported = true;
  if (target > 0) snprintf(whose, sizeof whose, "of peer %d is", (int)target);
  snprintf(
      text, sizeof text,
      "the outbound queue %s full and the packet was not taken: poll before sending more, or raise outbound_buffer_size",
      whose);
  gd_error("put_packet", text);
}

/* Puts a packet for the target peer; `key` may be NULL. */
static int64_t put(game *self, const uint8_t *bytes, size_t len, const uint32_t *key) {
  if (self->status != CONNECTED) {
    gd_error("put_packet",
             "this multiplayer peer is not connected: call create_server() or create_client(), and wait for "
             "CONNECTION_CONNECTED");
    return GD_ERR_UNCONFIGURED;
  }
  /* As in Godot, a client sends all packets to the server. */
  int32_t target = self->is_host ? self->target : SERVER_ID;
  ws_result result = key ? ws_put_latest(self->base.handle, target, *key, bytes, len, WS_BINARY)
                         : ws_put_packet_to(self->base.handle, target, bytes, len, WS_BINARY);
  if (result == WS_OK) self->full_told = false;
  if (result == WS_ERR_FULL && target > 0 && self->is_host &&
      self->base.numbers[FULL_QUEUE_POLICY] == WS_FULL_DISCONNECT)
    ws_disconnect(self->base.handle, target, 1008, "its outbound queue is full");
  if (result == WS_ERR_FULL || result == WS_PARTIAL) {
    tell_full(self, target);
    return GD_ERR_OUT_OF_MEMORY;
  }
  /* A packet for a closing connection is not worth a log line. */
  return error_of(result, result == WS_ERR_STATE ? NULL : "put_packet");
}

static void v_put_packet(const gd_call *call) {
  const uint8_t *bytes = *(const uint8_t *const *)call->args[0];
  gd_return_int(call, put(call->self, bytes, (size_t)gd_int_at(call, 1), NULL));
}

static void put_latest(const gd_call *call) {
  const gd_packed *packet = gd_packed_at(call, 1);
  uint32_t key;
  gd_return_int(call, topics_key_at(call, 0, &key)
                          ? put(call->self, gd_bytes_of(packet), gd_packed_size(GD_BYTES, packet), &key)
                          : GD_ERR_INVALID_PARAMETER);
}

static void v_max_packet_size(const gd_call *call) {
  uint32_t most = settings_max_message(call->self);
  gd_return_int(call, most > INT32_MAX ? INT32_MAX : most);
}

/* WebSockets are reliable and ordered, and have one channel. */
static void v_get_packet_mode(const gd_call *call) {
  gd_return_int(call, RELIABLE);
}

static void v_get_packet_channel(const gd_call *call) {
  gd_return_int(call, 0);
}

/* ---- peers ---- */

/* Like conn_of(), but logs an error if there is none. */
static ws_handle conn_at(const gd_call *call) {
  ws_handle conn = conn_of(call->self, gd_int_at(call, 0));
  if (!conn)
    gd_error(
        "WSMultiplayerPeer",
        "there is no connection to a peer with this id: a client is connected to the server alone, which is peer 1");
  return conn;
}

/* A client leaves its server. By force: at once, without a signal. */
static void leave(game *self, bool by_force) {
  ws_close(self->base.handle, 1000, NULL);
  self->has_left = true;
  if (!by_force) return;
  if (!self->clients.busy) drop(self);
  else self->status = DISCONNECTED;
}

static void v_disconnect_peer(const gd_call *call) {
  game *self = call->self;
  ws_handle conn = conn_at(call);
  bool by_force = gd_bool_at(call, 1);
  if (!conn) return;
  if (self->has_next && self->next.conn == conn) self->has_next = false;
  if (!self->is_host) {
    leave(self, by_force);
    return;
  }
  ws_disconnect(self->base.handle, gd_int32_at(call, 0), 1000, NULL);
  client *about = crowd_find(&self->clients, conn);
  if (!by_force || !about) return;
  /* By force: no signal is emitted for it. */
  crowd_forget(&self->clients, about);
  ws_free(conn);
}

static void get_peer(const gd_call *call) {
  game *self = call->self;
  if (self->link && gd_int_at(call, 0) == SERVER_ID) {
    gd_return_object(call, self->link->base.object);
    return;
  }
  client *about = self->is_host ? crowd_find(&self->clients, conn_at(call)) : NULL;
  gd_return_object(call, about ? crowd_peer(about, &self->base)->base.object : NULL);
}

static void get_peer_address(const gd_call *call) {
  return_address_of(call, conn_at(call), WS_GET_REMOTE_ADDRESS);
}

static void get_peer_port(const gd_call *call) {
  return_port_of(call, conn_at(call), WS_GET_REMOTE_ADDRESS);
}

static void get_local_port(const gd_call *call) {
  uint32_t port = 0;
  ws_get_option(((const game *)call->self)->base.handle, WS_OPT_PORT, &port);
  gd_return_int(call, port);
}

static void flush(const gd_call *call) {
  ws_flush(((const game *)call->self)->base.handle);
}

static void get_stats(const gd_call *call) {
  return_stats_of(call, ((const game *)call->self)->base.handle);
}

static void set_sim(const gd_call *call) {
  return_sim_set(call, ((const game *)call->self)->base.handle);
}

static const gd_method virtuals[] = {
    {"_get_packet", v_get_packet, NULL},
    {"_put_packet", v_put_packet, NULL},
    {"_get_available_packet_count", v_available, NULL},
    {"_get_max_packet_size", v_max_packet_size, NULL},
    {"_get_packet_channel", v_get_packet_channel, NULL},
    {"_get_packet_mode", v_get_packet_mode, NULL},
    {"_get_packet_peer", v_get_packet_peer, NULL},
    {"_set_transfer_channel", v_set_transfer_channel, NULL},
    {"_get_transfer_channel", v_get_transfer_channel, NULL},
    {"_set_transfer_mode", v_set_transfer_mode, NULL},
    {"_get_transfer_mode", v_get_transfer_mode, NULL},
    {"_set_target_peer", v_set_target_peer, NULL},
    {"_is_server", v_is_server, NULL},
    {"_poll", v_poll, NULL},
    {"_close", v_close, NULL},
    {"_disconnect_peer", v_disconnect_peer, NULL},
    {"_get_unique_id", v_get_unique_id, NULL},
    {"_set_refuse_new_connections", v_set_refuse_new_connections, NULL},
    {"_is_refusing_new_connections", v_is_refusing_new_connections, NULL},
    {"_is_server_relay_supported", v_is_server_relay_supported, NULL},
    {"_get_connection_status", v_get_connection_status, NULL},
    {0},
};

static void set_certificate(const gd_call *call) {
  return_certificate_set(call, &((game *)call->self)->base);
}

static void serve(const gd_call *call) {
  return_served(call, &((game *)call->self)->base, true);
}

static void stop_serving(const gd_call *call) {
  return_served(call, &((game *)call->self)->base, false);
}

static void drain(const gd_call *call) {
  return_drained(call, &((game *)call->self)->base);
}

/* ---- topics ---- */

static void subscribe(const gd_call *call) {
  topics_return_subscribed(call, conn_at(call));
}

static void unsubscribe(const gd_call *call) {
  topics_return_unsubscribed(call, conn_at(call));
}

static void unsubscribe_all(const gd_call *call) {
  topics_return_left(call, conn_at(call));
}

static void get_topics(const gd_call *call) {
  topics_return_list(call, gd_int_at(call, 0) ? conn_at(call) : ((const game *)call->self)->base.handle);
}

/* Publishes the packet that is an argument. `key` may be NULL. */
static int64_t published(const gd_call *call, int index, const uint32_t *key) {
  const gd_packed *packet = gd_packed_at(call, index);
  publication about = {gd_string_at(call, 0), gd_bytes_of(packet), gd_packed_size(GD_BYTES, packet),
                       WS_BINARY,             gd_int_at(call, index + 1), key};
  return topics_publish(((const game *)call->self)->base.handle, &about);
}

static void publish(const gd_call *call) {
  gd_return_int(call, published(call, 1, NULL));
}

static void publish_latest(const gd_call *call) {
  uint32_t key;
  gd_return_int(call, topics_key_at(call, 1, &key) ? published(call, 2, &key) : GD_ERR_INVALID_PARAMETER);
}

static void hint(const gd_call *call) {
  return_hinted(call, &((const game *)call->self)->base);
}

static const gd_method methods[] = {
    {"create_client(url: String, tls_client_options: TLSOptions = null) -> Error", create_client, NULL},
    {"create_server(port: int, bind_address: String = \"*\", tls_server_options: TLSOptions = null) -> Error",
     create_server, NULL},
    {"get_peer(peer_id: int) const -> WSPeer", get_peer, NULL},
    {"get_peer_address(id: int) const -> String", get_peer_address, NULL},
    {"get_peer_port(id: int) const -> int", get_peer_port, NULL},
    {"get_local_port() const -> int", get_local_port, NULL},
    {"flush()", flush, NULL},
    {"get_stats() const -> Dictionary", get_stats, NULL},
    {"set_sim(figures: Dictionary) -> Error", set_sim, NULL},
    {"sim_preset(preset: WSPeer.SimPreset = 0) const -> Dictionary", return_sim_preset, NULL},
    {"set_certificate(tls_server_options: TLSOptions) -> Error", set_certificate, NULL},
    {"serve(prefix: String, directory: String, isolated: bool = false) -> Error", serve, NULL},
    {"stop_serving(prefix: String) -> Error", stop_serving, NULL},
    {"drain(window: float, retry_delay: float = 0, url: String = \"\") -> Error", drain, NULL},
    {"hint(hint: WSPeer.Hint) -> Error", hint, NULL},
    {"put_latest(key: int, packet: PackedByteArray) -> Error", put_latest, NULL},
    {"subscribe(id: int, topic: String) -> Error", subscribe, NULL},
    {"unsubscribe(id: int, topic: String) -> Error", unsubscribe, NULL},
    {"unsubscribe_all(id: int) -> Error", unsubscribe_all, NULL},
    {"get_topics(id: int = 0) const -> PackedStringArray", get_topics, NULL},
    {"publish(topic: String, packet: PackedByteArray, except_id: int = 0) -> Error", publish, NULL},
    {"publish_latest(topic: String, key: int, packet: PackedByteArray, except_id: int = 0) -> Error", publish_latest,
     NULL},
    {0},
};

static const char *const signals[] = {REQUEST_SIGNAL, "peer_lost(id: int)", "peer_resumed(id: int)", NULL};

const gd_class multiplayer_class = {
    "WSMultiplayerPeer", "MultiplayerPeerExtension", sizeof(game), start, end, virtuals, methods, NULL, NULL, signals,
    NULL};
