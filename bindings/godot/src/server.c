#include "server.h"
#include "crowd.h"
#include "topics.h"

#include <string.h>

typedef struct {
  endpoint base;
  crowd clients;
  /* The result of is_listening(); stop() clears it while clients are still closing. */
  bool listening;
} server;

static void start(void *place, gd_object *object) {
  endpoint_start(&((server *)place)->base, object, OF_SERVER);
}

static void drop(server *self) {
  crowd_end(&self->clients);
  ws_free(self->base.handle);
  self->base.handle = 0;
  self->listening = false;
}

static void end(void *place) {
  drop(place);
  endpoint_end(&((server *)place)->base);
}

/* ---- listening ---- */

static void listen(const gd_call *call) {
  server *self = call->self;
  if (self->listening || self->clients.busy) {
    gd_error(__func__, "this server listens already: stop() it first, and poll() until its clients have gone");
    gd_return_int(call, GD_ERR_ALREADY_IN_USE);
    return;
  }
  drop(self);
  opening how;
  opening_start(&how, &self->base, OF_SERVER);
  opening_subprotocols(&how, gd_packed_at(call, 1));
  gd_object *tls = gd_object_at(call, 3);
  int64_t error = opening_tls(&how, tls, true);
  if (error == GD_OK) {
    const char *address = opening_address(&how, &self->base, gd_int32_at(call, 0), gd_string_at(call, 2), tls != NULL);
    error = error_of(ws_listen(address, &how.config, &self->base.handle), __func__);
  }
  opening_end(&how);
  self->listening = error == GD_OK;
  if (self->listening) simulate(&self->base);
  gd_return_int(call, error);
}

static void stop(const gd_call *call) {
  server *self = call->self;
  self->listening = false;
  if (self->base.handle) ws_close(self->base.handle, 0, NULL);
}

static void is_listening(const gd_call *call) {
  gd_return_bool(call, ((const server *)call->self)->listening);
}

static void get_local_port(const gd_call *call) {
  uint32_t port = 0;
  ws_get_option(((const server *)call->self)->base.handle, WS_OPT_PORT, &port);
  gd_return_int(call, port);
}

static void get_local_host(const gd_call *call) {
  return_address_of(call, ((const server *)call->self)->base.handle, WS_GET_LOCAL_ADDRESS);
}

/* ---- polling: emits events as signals ---- */

static void connected(void *place, client *about) {
  char protocol[256] = "";
  ws_get_text(about->conn, WS_GET_SUBPROTOCOL, protocol, sizeof protocol, NULL);
  gd_variant args[] = {gd_of_int(about->id), gd_of_text(protocol, strlen(protocol))};
  gd_emit(((server *)place)->base.object, "client_connected", args, 2);
}

static void received(void *place, client *about) {
  gd_variant args[] = {gd_of_int(about->id)};
  gd_emit(((server *)place)->base.object, "data_received", args, 1);
}

static void close_requested(void *place, client *about, int32_t code, const char *reason) {
  gd_variant args[] = {gd_of_int(about->id), gd_of_int(code), gd_of_text(reason, strlen(reason))};
  gd_emit(((server *)place)->base.object, "client_close_request", args, 3);
}

static void disconnected(void *place, client *about, bool was_clean) {
  gd_variant args[] = {gd_of_int(about->id), gd_of_bool(was_clean)};
  gd_emit(((server *)place)->base.object, "client_disconnected", args, 2);
}

/* The server's own events come before those of its clients, so as many as there are can be taken. */
static void tell_refused(server *self) {
  ws_stats stats = {0};
  ws_event event;
  if (ws_get_stats(self->base.handle, &stats, sizeof stats) < 0) return;
  self->clients.busy = true;
  for (uint64_t left = stats.refused_waiting; left > 0 && ws_next_event(self->base.handle, &event) == WS_OK;) {
    if (event.type != WS_EVENT_REFUSED) continue;
    left--;
    const char *text = (const char *)event.packet.data, *why = strstr(text, ": ");
    size_t len = why ? (size_t)(why - text) : 0;
    if (why) text = why + 2;
    gd_variant args[] = {gd_of_text((const char *)event.packet.data, len), gd_of_int(event.cause),
                         gd_of_int(event.http_status), gd_of_text(text, strlen(text)), gd_of_int((int64_t)event.count)};
    gd_emit(self->base.object, "client_refused", args, 5);
  }
  self->clients.busy = false;
}

static void requested(void *place, client *about, const ws_event *request) {
  crowd_emit_request(&((server *)place)->base, about, request);
}

static void lost(void *place, client *about) {
  gd_variant args[] = {gd_of_int(about->id)};
  gd_emit(((server *)place)->base.object, "client_lost", args, 1);
}

static void resumed(void *place, client *about) {
  gd_variant args[] = {gd_of_int(about->id)};
  gd_emit(((server *)place)->base.object, "client_resumed", args, 1);
}

static void poll(const gd_call *call) {
  static const crowd_events events = {connected, received, close_requested, disconnected, requested, lost, resumed};
  server *self = call->self;
  if (!self->base.handle || self->clients.busy) return;
  /* A signal handler may drop the last reference to this object: keep it until the poll is over. */
  gd_variant keep = gd_of_object(self->base.object);
  ws_poll(self->base.handle);
  if (self->base.numbers[REPORT_REFUSED] != 0) tell_refused(self);
  crowd_tell(&self->clients, &self->base, &events);
  if (!self->listening && ws_get_state(self->base.handle) == WS_CLOSED && self->clients.count == 0) drop(self);
  gd.variant_destroy(&keep);
}

/* ---- clients ---- */

/* The client whose id is an argument, or NULL after an error. */
static client *client_at(const gd_call *call) {
  server *self = call->self;
  int64_t id = gd_int_at(call, 0);
  client *found = id > 0 && id <= INT32_MAX ? crowd_find(&self->clients, (ws_handle)id) : NULL;
  if (!found)
    gd_error("WSServer",
             "there is no client with this id: it has gone, or client_connected has not been emitted for it yet");
  return found;
}

static void has_peer(const gd_call *call) {
  const server *self = call->self;
  int64_t id = gd_int_at(call, 0);
  const client *about = id > 0 && id <= INT32_MAX ? crowd_find(&self->clients, (ws_handle)id) : NULL;
  gd_return_bool(call, about && !about->waits);
}

static void get_peer(const gd_call *call) {
  client *about = client_at(call);
  gd_return_object(call, about ? crowd_peer(about, call->self)->base.object : NULL);
}

static void get_peers(const gd_call *call) {
  const server *self = call->self;
  gd_free(GD_INTS, call->ret);
  gd_new(GD_INTS, call->ret);
  size_t count = 0;
  for (size_t i = 0; i < self->clients.count; i++) count += !self->clients.clients[i].waits;
  gd_packed_resize(GD_INTS, call->ret, count);
  for (size_t i = 0, at = 0; i < self->clients.count; i++) {
    const client *about = &self->clients.clients[i];
    if (!about->waits) *gd.packed_int32_array_operator_index(call->ret, (int64_t)at++) = about->id;
  }
}

static void get_peer_address(const gd_call *call) {
  client *about = client_at(call);
  return_address_of(call, about ? about->conn : 0, WS_GET_REMOTE_ADDRESS);
}

static void get_peer_port(const gd_call *call) {
  client *about = client_at(call);
  return_port_of(call, about ? about->conn : 0, WS_GET_REMOTE_ADDRESS);
}

static void disconnect_peer(const gd_call *call) {
  if (!client_at(call)) return;
  gd_utf8 reason;
  gd_utf8_open(&reason, gd_string_at(call, 2));
  gd_utf8_cut(&reason, CLOSE_REASON_BYTES);
  int32_t code = close_code_of(gd_int_at(call, 1));
  error_of(ws_disconnect(((server *)call->self)->base.handle, gd_int32_at(call, 0), code, reason.bytes), __func__);
  gd_utf8_close(&reason);
}

static void get_packet(const gd_call *call) {
  client *about = client_at(call);
  ws_packet packet;
  gd_free(GD_BYTES, call->ret);
  if (about && peer_take(crowd_peer(about, call->self), &packet) == WS_OK)
    gd_bytes_new(call->ret, packet.data, packet.len);
  else gd_new(GD_BYTES, call->ret);
}

static void was_string_packet(const gd_call *call) {
  client *about = client_at(call);
  gd_return_bool(call, about && about->peer && about->peer->last_type == WS_TEXT);
}

static void get_available_packet_count(const gd_call *call) {
  client *about = client_at(call);
  int32_t count = about ? ws_get_available(about->conn) : 0;
  gd_return_int(call, count < 0 ? 0 : count);
}

/* ---- sending ---- */

static int64_t send_to(const gd_call *call, const uint8_t *bytes, size_t len, int32_t type) {
  client *about = client_at(call);
  return about ? peer_put(crowd_peer(about, call->self), bytes, len, type, "send") : GD_ERR_DOES_NOT_EXIST;
}

static void send(const gd_call *call) {
  const gd_packed *message = gd_packed_at(call, 1);
  int32_t type = gd_int_at(call, 2) == 0 ? WS_TEXT : WS_BINARY;
  gd_return_int(call, send_to(call, gd_bytes_of(message), gd_packed_size(GD_BYTES, message), type));
}

static void send_text(const gd_call *call) {
  gd_utf8 text;
  gd_utf8_open(&text, gd_string_at(call, 1));
  gd_return_int(call, send_to(call, (const uint8_t *)text.bytes, text.len, WS_TEXT));
  gd_utf8_close(&text);
}

static int64_t send_all(const gd_call *call, const uint8_t *bytes, size_t len, int32_t type, int64_t but) {
  const server *self = call->self;
  if (!self->base.handle) {
    gd_error("broadcast", "this server does not listen: call listen() first");
    return GD_ERR_UNCONFIGURED;
  }
  if (but < 0 || but > INT32_MAX) {
    gd_error("broadcast", "the client to leave out has no valid id: give 0 or the id of a client");
    return GD_ERR_INVALID_PARAMETER;
  }
  ws_result result = ws_put_packet_to(self->base.handle, (int32_t)-but, bytes, len, type);
  /* Some queues were full: the other clients got the packet. */
  return result == WS_PARTIAL ? GD_ERR_OUT_OF_MEMORY : error_of(result, "broadcast");
}

static void broadcast(const gd_call *call) {
  const gd_packed *message = gd_packed_at(call, 0);
  int32_t type = gd_int_at(call, 1) == 0 ? WS_TEXT : WS_BINARY;
  gd_return_int(call,
                send_all(call, gd_bytes_of(message), gd_packed_size(GD_BYTES, message), type, gd_int_at(call, 2)));
}

static void broadcast_text(const gd_call *call) {
  gd_utf8 text;
  gd_utf8_open(&text, gd_string_at(call, 0));
  gd_return_int(call, send_all(call, (const uint8_t *)text.bytes, text.len, WS_TEXT, gd_int_at(call, 1)));
  gd_utf8_close(&text);
}

static void send_latest(const gd_call *call) {
  const gd_packed *message = gd_packed_at(call, 2);
  int32_t type = gd_int_at(call, 3) == 0 ? WS_TEXT : WS_BINARY;
  client *about = client_at(call);
  uint32_t key;
  int64_t error = about ? GD_ERR_INVALID_PARAMETER : GD_ERR_DOES_NOT_EXIST;
  if (about && topics_key_at(call, 1, &key))
    error = peer_put_latest(crowd_peer(about, call->self), key, gd_bytes_of(message),
                            gd_packed_size(GD_BYTES, message), type, __func__);
  gd_return_int(call, error);
}

/* ---- topics ---- */

static void subscribe(const gd_call *call) {
  client *about = client_at(call);
  topics_return_subscribed(call, about ? about->conn : 0);
}

static void unsubscribe(const gd_call *call) {
  client *about = client_at(call);
  topics_return_unsubscribed(call, about ? about->conn : 0);
}

static void unsubscribe_all(const gd_call *call) {
  client *about = client_at(call);
  topics_return_left(call, about ? about->conn : 0);
}

static void get_topics(const gd_call *call) {
  client *about = gd_int_at(call, 0) ? client_at(call) : NULL;
  topics_return_list(call, about                ? about->conn
                           : gd_int_at(call, 0) ? 0
                                                : ((const server *)call->self)->base.handle);
}

/* Publishes the bytes that are an argument. `key` may be NULL. */
static int64_t publish_bytes(const gd_call *call, int index, const uint32_t *key) {
  const gd_packed *message = gd_packed_at(call, index);
  publication about = {gd_string_at(call, 0),
                       gd_bytes_of(message),
                       gd_packed_size(GD_BYTES, message),
                       gd_int_at(call, index + 1) == 0 ? WS_TEXT : WS_BINARY,
                       gd_int_at(call, index + 2),
                       key};
  return topics_publish(((const server *)call->self)->base.handle, &about);
}

static void publish(const gd_call *call) {
  gd_return_int(call, publish_bytes(call, 1, NULL));
}

static void publish_text(const gd_call *call) {
  gd_utf8 text;
  gd_utf8_open(&text, gd_string_at(call, 1));
  publication about = {gd_string_at(call, 0), (const uint8_t *)text.bytes, text.len, WS_TEXT, gd_int_at(call, 2), NULL};
  gd_return_int(call, topics_publish(((const server *)call->self)->base.handle, &about));
  gd_utf8_close(&text);
}

static void publish_latest(const gd_call *call) {
  uint32_t key;
  gd_return_int(call, topics_key_at(call, 1, &key) ? publish_bytes(call, 2, &key) : GD_ERR_INVALID_PARAMETER);
}

static void flush(const gd_call *call) {
  ws_flush(((server *)call->self)->base.handle);
}

/* As in Godot 3. */
static void set_buffers(const gd_call *call) {
  return_buffers_set(call, &((server *)call->self)->base);
}

/* As in Godot 3: the same as handshake_headers. */
static void set_extra_headers(const gd_call *call) {
  gd_packed *headers = &((server *)call->self)->base.handshake_headers;
  gd_free(GD_STRINGS, headers);
  gd_copy(GD_STRINGS, headers, gd_packed_at(call, 0));
}

static void set_certificate(const gd_call *call) {
  return_certificate_set(call, &((server *)call->self)->base);
}

static void make_certificate(const gd_call *call) {
  enum { CERT = 65536, KEY = 4096, SHA256 = 65 }; /* any certificate fits */
  char cert[CERT], key[KEY], sha256[SHA256];
  opening how = {0};
  const char *names = opening_joined(&how, gd_packed_at(call, 0));
  int64_t days = gd_int_at(call, 1);
  uint32_t valid = days < 0 || days > INT32_MAX ? 0 : (uint32_t)days;
  ws_result made = ws_make_certificate(names ? names : "", valid, cert, CERT, key, KEY, sha256, SHA256);
  opening_end(&how);
  gd_free(GD_DICTIONARY, call->ret);
  gd_new(GD_DICTIONARY, call->ret);
  if (error_of(made, __func__) != GD_OK) return;
  gd_set(call->ret, "certificate", gd_of_text(cert, strlen(cert)));
  gd_set(call->ret, "key", gd_of_text(key, strlen(key)));
  gd_set(call->ret, "sha256", gd_of_text(sha256, strlen(sha256)));
}

static void get_stats(const gd_call *call) {
  return_stats_of(call, ((const server *)call->self)->base.handle);
}

static void set_sim(const gd_call *call) {
  return_sim_set(call, ((const server *)call->self)->base.handle);
}

static void serve(const gd_call *call) {
  return_served(call, &((server *)call->self)->base, true);
}

static void stop_serving(const gd_call *call) {
  return_served(call, &((server *)call->self)->base, false);
}

static void drain(const gd_call *call) {
  return_drained(call, &((server *)call->self)->base);
}

static const gd_method methods[] = {
    {"listen(port: int, protocols: PackedStringArray = [], bind_address: String = \"*\", tls_server_options: TLSOptions = null) -> Error",
     listen, NULL},
    {"stop()", stop, NULL},
    {"is_listening() const -> bool", is_listening, NULL},
    {"poll()", poll, NULL},
    {"has_peer(id: int) const -> bool", has_peer, NULL},
    {"get_peer(id: int) -> WSPeer", get_peer, NULL},
    {"get_peers() const -> PackedInt32Array", get_peers, NULL},
    {"get_peer_address(id: int) const -> String", get_peer_address, NULL},
    {"get_peer_port(id: int) const -> int", get_peer_port, NULL},
    {"disconnect_peer(id: int, code: int = 1000, reason: String = \"\")", disconnect_peer, NULL},
    {"get_packet(id: int) -> PackedByteArray", get_packet, NULL},
    {"was_string_packet(id: int) const -> bool", was_string_packet, NULL},
    {"get_available_packet_count(id: int) const -> int", get_available_packet_count, NULL},
    {"send(id: int, message: PackedByteArray, write_mode: WSPeer.WriteMode = 1) -> Error", send, NULL},
    {"send_text(id: int, message: String) -> Error", send_text, NULL},
    {"broadcast(message: PackedByteArray, write_mode: WSPeer.WriteMode = 1, except_id: int = 0) -> Error", broadcast,
     NULL},
    {"broadcast_text(message: String, except_id: int = 0) -> Error", broadcast_text, NULL},
    {"send_latest(id: int, key: int, message: PackedByteArray, write_mode: WSPeer.WriteMode = 1) -> Error", send_latest,
     NULL},
    {"subscribe(id: int, topic: String) -> Error", subscribe, NULL},
    {"unsubscribe(id: int, topic: String) -> Error", unsubscribe, NULL},
    {"unsubscribe_all(id: int) -> Error", unsubscribe_all, NULL},
    {"get_topics(id: int = 0) const -> PackedStringArray", get_topics, NULL},
    {"publish(topic: String, message: PackedByteArray, write_mode: WSPeer.WriteMode = 1, except_id: int = 0) -> Error",
     publish, NULL},
    {"publish_text(topic: String, message: String, except_id: int = 0) -> Error", publish_text, NULL},
    {"publish_latest(topic: String, key: int, message: PackedByteArray, write_mode: WSPeer.WriteMode = 1, except_id: int = 0) -> Error",
     publish_latest, NULL},
    {"flush()", flush, NULL},
    {"get_local_host() const -> String", get_local_host, NULL},
    {"get_local_port() const -> int", get_local_port, NULL},
    {"get_stats() const -> Dictionary", get_stats, NULL},
    {"set_sim(figures: Dictionary) -> Error", set_sim, NULL},
    {"sim_preset(preset: WSPeer.SimPreset = 0) const -> Dictionary", return_sim_preset, NULL},
    {"set_buffers(input_buffer_size_kb: int, input_max_packets: int, output_buffer_size_kb: int, output_max_packets: int) -> Error",
     set_buffers, NULL},
    {"set_extra_headers(headers: PackedStringArray = [])", set_extra_headers, NULL},
    {"set_certificate(tls_server_options: TLSOptions) -> Error", set_certificate, NULL},
    {"serve(prefix: String, directory: String, isolated: bool = false) -> Error", serve, NULL},
    {"stop_serving(prefix: String) -> Error", stop_serving, NULL},
    {"drain(window: float, retry_delay: float = 0, url: String = \"\") -> Error", drain, NULL},
    {"make_certificate(names: PackedStringArray, days: int = 365) const -> Dictionary", make_certificate, NULL},
    {0},
};

static const char *const signals[] = {
    "client_connected(id: int, protocol: String)",
    "client_disconnected(id: int, was_clean: bool)",
    "client_close_request(id: int, code: int, reason: String)",
    "client_lost(id: int)",
    "client_resumed(id: int)",
    "client_refused(address: String, cause: int, http_status: int, reason: String, count: int)",
    "data_received(id: int)",
    REQUEST_SIGNAL,
    NULL,
};

const gd_class server_class = {"WSServer", "RefCounted", sizeof(server), start, end,
                               NULL,       methods,      NULL,           NULL,  signals, NULL};
