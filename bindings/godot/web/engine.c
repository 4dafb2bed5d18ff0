#include "engine.h"
#include "values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Values of WebSocketPeer.State, equal to the library's. */
enum { CONNECTING = WS_CONNECTING, OPEN = WS_OPEN, CLOSING = WS_CLOSING, CLOSED = WS_CLOSED };
enum { WRITE_MODE_TEXT = 0, WRITE_MODE_BINARY = 1 };
enum { SERVER_ID = 1, ID_BYTES = 4, LOWEST_ID = 2 };
/* Defaults of the header, where a config has 0. */
enum { CONNECT_TIMEOUT_MS = 10000, INBOUND_PACKETS = 65536, OUTBOUND_BYTES = 4194304, MOST_OF_JOIN = 65535 };
/* A handle is an index, with a generation above it. */
enum { INDEX_BITS = 12, INDEX_MASK = (1 << INDEX_BITS) - 1, MOST_LINES = INDEX_MASK };

/* An event or a message that the program has not taken. */
typedef struct item {
  struct item *next;
  ws_event event;
  uint8_t bytes[];
} item;

/* A connection. */
typedef struct {
  uint32_t handle;
  gd_ref peer;
  int32_t state;
  bool is_join;
  /* The opening handshake was completed; for a join also its first message, which is its id. */
  bool was_open, has_id;
  /* This end has called close(). */
  bool closes;
  int32_t peer_id;
  item *first, *last, *lent;
  uint32_t waiting;
  uint32_t most_waiting;
  uint64_t deadline_ns;
  /* The size of the engine's buffers, which it reserves at once, where there is no limit: wspeer's limit of a message. */
  uint32_t longest;
  /* Maximum bytes of a message that is sent. */
  uint32_t most_put;
  ws_event end;
  char reason[124];
  /* The reason with which this end has closed. */
  char own_reason[124];
  char why[256];
  char *url;
  ws_stats stats;
} line;

static line *lines;
static uint32_t line_count;
static uint32_t generation;
static char last_error[256];

ws_result engine_fails(ws_result result, const char *why) {
  snprintf(last_error, sizeof last_error, "%s", why);
  return result;
}

ws_result engine_unsupported(const char *what) {
  snprintf(last_error, sizeof last_error,
           "%s: not there in a web export, where wspeer's classes stand on the engine's WebSocketPeer", what);
  return WS_ERR_UNSUPPORTED;
}

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static line *find(ws_handle h) {
  uint32_t index = h & INDEX_MASK;
  line *found = index && index <= line_count ? &lines[index - 1] : NULL;
  if (found && found->handle == h) return found;
  engine_fails(WS_ERR_HANDLE, "the handle is none, or its connection was freed");
  return NULL;
}

/* ---- calls of the engine's object; arguments are destroyed ---- */

static gd_variant ask(const line *self, const char *method, gd_variant *args, int count) {
  gd_variant got;
  gd_call_method(self->peer.object, method, args, count, &got);
  return got;
}

static int64_t ask_int(const line *self, const char *method, gd_variant *args, int count) {
  gd_variant got = ask(self, method, args, count);
  int64_t number = gd_to_int(&got);
  gd.variant_destroy(&got);
  return number;
}

static void ask_text(const line *self, const char *method, char *text, size_t cap) {
  gd_variant got = ask(self, method, NULL, 0);
  gd_string string;
  gd_utf8 utf8;
  text[0] = 0;
  if (gd.variant_get_type(&got) == GD_STRING) {
    gd_to(GD_STRING, &string, &got);
    gd_utf8_open(&utf8, &string);
    snprintf(text, cap, "%s", utf8.bytes);
    gd_utf8_close(&utf8);
    gd_free(GD_STRING, &string);
  }
  gd.variant_destroy(&got);
}

static void set(const line *self, const char *method, gd_variant value) {
  gd_variant got = ask(self, method, &value, 1);
  gd.variant_destroy(&got);
}

/* ---- the queue of a connection ---- */

static item *push(line *self, int32_t type, const void *bytes, size_t len) {
  item *added = calloc(1, sizeof *added + len + 1);
  if (!added) abort();
  if (len) memcpy(added->bytes, bytes, len);
  added->event.type = type;
  added->event.conn = added->event.packet.conn = self->handle;
  added->event.packet.data = added->bytes;
  added->event.packet.len = len;
  if (self->last) self->last->next = added;
  else self->first = added;
  self->last = added;
  return added;
}

/* Lends the item behind `before` to the program, or the first one. */
static item *lend(line *self, item *before) {
  item *taken = before ? before->next : self->first;
  if (before) before->next = taken->next;
  else self->first = taken->next;
  if (self->last == taken) self->last = before;
  free(self->lent);
  self->lent = taken;
  if (taken->event.type == WS_EVENT_MESSAGE) self->waiting--;
  return taken;
}

static void end_queue(line *self) {
  while (self->first) lend(self, NULL);
  free(self->lent);
  self->lent = NULL;
}

/* ---- opening ---- */

/* What a config asks for that a page cannot do; NULL: nothing. */
static const char *unsupported(const ws_config *config) {
  if (config->ca_pem || config->pin_sha256 || config->flags & (WS_INSECURE | WS_ANY_NAME | WS_ONLY_CA_PEM))
    return "TLSOptions and certificate_pin (the browser verifies certificates itself)";
  if (config->proxy) return "proxy (the browser chooses its proxy itself)";
  if (config->session_ms) return "session_timeout";
  if (config->flags & WS_RECONNECT) return "reconnect";
  if (config->flags & WS_QUEUE_BEFORE_OPEN) return "queue_before_open";
  return NULL;
}

/* A PackedStringArray as a variant. */
static gd_variant strings_of(const char *const *texts, size_t count) {
  gd_packed list;
  gd_new(GD_STRINGS, &list);
  gd_packed_resize(GD_STRINGS, &list, count);
  for (size_t i = 0; i < count; i++) {
    gd_string *place = gd.packed_string_array_operator_index(&list, (int64_t)i);
    gd_free(GD_STRING, place);
    *place = gd_string_new(texts[i], strlen(texts[i]));
  }
  gd_variant variant = gd_of(GD_STRINGS, &list);
  gd_free(GD_STRINGS, &list);
  return variant;
}

/* The names of a list such as "chat, echo". */
static void set_protocols(const line *self, const char *list) {
  enum { MOST = 32 };
  const char *names[MOST];
  size_t count = 0;
  char *copy = malloc(strlen(list) + 1);
  if (!copy) abort();
  strcpy(copy, list);
  for (char *at = copy; at && count < MOST;) {
    at += strspn(at, " ");
    names[count++] = at;
    at = strchr(at, ',');
    if (at) *at++ = 0;
  }
  set(self, "set_supported_protocols", strings_of(names, count));
  free(copy);
}

static void set_outbound(const line *self, uint32_t bytes) {
  set(self, "set_outbound_buffer_size", gd_of_int(bytes == WS_OFF ? self->longest : bytes));
}

static void set_heartbeat(const line *self, uint32_t interval_ms) {
  set(self, "set_heartbeat_interval", gd_of_float(interval_ms == WS_OFF ? 0 : (double)interval_ms / 1000));
}

static void configure(line *self, const ws_config *config) {
  uint32_t in = config->inbound_bytes;
  bool is_limited = config->max_message_bytes && config->max_message_bytes != WS_OFF;
  self->longest = is_limited ? config->max_message_bytes : 16777216;
  if (in == 0 || in == WS_OFF) in = self->longest;
  set(self, "set_inbound_buffer_size", gd_of_int(in));
  set_outbound(self, config->outbound_bytes ? config->outbound_bytes : OUTBOUND_BYTES);
  self->most_put = config->max_put_bytes ? config->max_put_bytes : self->is_join ? MOST_OF_JOIN : WS_OFF;
  if (config->subprotocols) set_protocols(self, config->subprotocols);
  if (config->headers_count) set(self, "set_handshake_headers", strings_of(config->headers, config->headers_count));
  if (config->heartbeat_ms) set_heartbeat(self, config->heartbeat_ms);
  self->most_waiting = config->inbound_packets ? config->inbound_packets : INBOUND_PACKETS;
  uint32_t timeout_ms = config->connect_timeout_ms ? config->connect_timeout_ms : CONNECT_TIMEOUT_MS;
  self->deadline_ns = timeout_ms == WS_OFF ? UINT64_MAX : now_ns() + timeout_ms * UINT64_C(1000000);
}

/* A free line with a new handle; NULL: there are too many. */
static line *reserve(void) {
  uint32_t index = 0;
  while (index < line_count && lines[index].handle) index++;
  if (index == MOST_LINES) return NULL;
  if (index == line_count) {
    lines = realloc(lines, (line_count + 1) * sizeof *lines);
    if (!lines) abort();
    line_count++;
  }
  line *self = &lines[index];
  memset(self, 0, sizeof *self);
  generation = (generation + 1) & ((1u << (31 - INDEX_BITS)) - 1);
  self->handle = generation << INDEX_BITS | (index + 1);
  gd_name name = gd_name_new("WebSocketPeer");
  gd.ref_set_object(&self->peer, gd.classdb_construct_object(&name));
  gd_name_free(&name);
  return self;
}

/* Bytes of a URL without its #fragment, which a browser refuses. */
static size_t url_size(const char *url) {
  size_t size = strcspn(url, "#");
  for (const char *at = url + size; *at; at++)
    if ((unsigned char)*at <= ' ' || *at == 0x7f) return strlen(url);
  return size;
}

static ws_result open(const char *url, const ws_config *config, ws_handle *out, bool is_join) {
  const char *missing = unsupported(config);
  if (missing) return engine_unsupported(missing);
  line *self = reserve();
  if (!self) return engine_fails(WS_ERR_LIMIT, "there are too many connections");
  self->is_join = is_join;
  size_t size = url_size(url);
  self->url = calloc(1, size + 1);
  if (!self->url) abort();
  memcpy(self->url, url, size);
  configure(self, config);
  gd_variant args[] = {gd_of_text(self->url, size)};
  if (ask_int(self, "connect_to_url", args, 1) != 0) {
    ws_free(self->handle);
    return engine_fails(WS_ERR_URL, "the engine refuses this URL: it begins with ws:// or wss://");
  }
  *out = self->handle;
  return WS_OK;
}

ws_result ws_connect(const char *url, const ws_config *config, ws_handle *out) {
  return open(url, config, out, false);
}

ws_result ws_join(const char *url, const ws_config *config, ws_handle *out) {
  return open(url, config, out, true);
}

void ws_free(ws_handle h) {
  line *self = h ? find(h) : NULL;
  if (!self) return;
  if (self->state != CLOSED) ws_close(h, 1000, NULL);
  end_queue(self);
  gd.ref_set_object(&self->peer, NULL);
  free(self->url);
  self->handle = 0;
}

void ws_shutdown(void) {
  for (uint32_t i = 0; i < line_count; i++) ws_free(lines[i].handle);
  free(lines);
  lines = NULL;
  line_count = 0;
}

/* ---- polling ---- */

static void opened(line *self) {
  self->was_open = true;
  self->state = OPEN;
  push(self, WS_EVENT_OPEN, NULL, 0)->event.peer_id = self->peer_id;
  if (self->is_join) push(self, WS_EVENT_CONNECTED, NULL, 0)->event.peer_id = SERVER_ID;
}

/* The connection has ended. */
static void ended(line *self, int32_t cause, const char *why) {
  int32_t code = (int32_t)ask_int(self, "get_close_code", NULL, 0);
  ask_text(self, "get_close_reason", self->reason, sizeof self->reason);
  /* An answer to our close does not have to repeat its reason. */
  if (!self->reason[0]) memcpy(self->reason, self->own_reason, sizeof self->reason);
  bool is_clean = code >= 0 && cause == WS_CAUSE_NONE;
  code = !is_clean ? 1006 : code == 0 ? 1005 : code;
  if (cause == WS_CAUSE_NONE)
    cause = is_clean && self->closes ? WS_CAUSE_CLOSED_BY_HOST
            : is_clean               ? WS_CAUSE_CLOSED_BY_PEER
            : self->closes           ? WS_CAUSE_DROPPED
            : self->was_open         ? WS_CAUSE_PEER_GONE
                                     : WS_CAUSE_NONE;
  if (cause == WS_CAUSE_CLOSED_BY_PEER)
    push(self, WS_EVENT_CLOSE_REQUEST, self->reason, strlen(self->reason))->event.code = code;
  if (!why)
    why = is_clean         ? "the connection was closed"
          : self->was_open ? "the connection was lost"
                           : "the connection could not be opened; a browser does not say why";
  snprintf(self->why, sizeof self->why, "%s", why);
  item *last = push(self, WS_EVENT_CLOSED, why, strlen(why));
  last->event.code = code;
  last->event.cause = cause;
  last->event.clean = is_clean;
  last->event.time_ns = now_ns();
  self->end = last->event;
  self->end.packet.data = (const uint8_t *)"";
  self->end.packet.len = 0;
  self->state = CLOSED;
}

/* Drops the connection, which then ends with this cause. */
static void drop(line *self, int32_t code, int32_t cause, const char *why) {
  gd_variant args[] = {gd_of_int(code), gd_of_text("", 0)}, got = ask(self, "close", args, 2);
  gd.variant_destroy(&got);
  ended(self, cause, why);
}

/* A join's first message is its id. False: it is none, and the connection has ended. */
static bool greeted(line *self, const uint8_t *bytes, size_t len) {
  uint32_t id = 0;
  for (size_t i = 0; i < ID_BYTES && len == ID_BYTES; i++) id |= (uint32_t)bytes[i] << (8 * i);
  self->has_id = id >= LOWEST_ID && id <= INT32_MAX;
  self->peer_id = self->has_id ? (int32_t)id : 0;
  if (self->has_id) opened(self);
  else drop(self, 1002, WS_CAUSE_MULTIPLAYER, "the first message is no id: this is no server of Godot's multiplayer");
  return self->has_id;
}

/* Takes the engine's packets while the queue has room. The engine forgets them when its state is no longer OPEN. */
static void take_packets(line *self) {
  while (self->state != CLOSED && self->waiting < self->most_waiting &&
         ask_int(self, "get_available_packet_count", NULL, 0) > 0) {
    gd_variant got = ask(self, "get_packet", NULL, 0);
    gd_packed bytes;
    gd_to(GD_BYTES, &bytes, &got);
    size_t len = gd_packed_size(GD_BYTES, &bytes);
    const uint8_t *data = gd_bytes_of(&bytes);
    if (self->is_join && !self->has_id) {
      greeted(self, data, len);
    } else {
      bool is_text = ask_int(self, "was_string_packet", NULL, 0) != 0;
      ws_packet *packet = &push(self, WS_EVENT_MESSAGE, data, len)->event.packet;
      packet->type = is_text ? WS_TEXT : WS_BINARY;
      packet->peer_id = self->is_join ? SERVER_ID : 0;
      self->waiting++;
      self->stats.messages_in++;
      self->stats.bytes_in += len;
    }
    gd_free(GD_BYTES, &bytes);
    gd.variant_destroy(&got);
  }
}

ws_result ws_poll(ws_handle h) {
  line *self = find(h);
  if (!self) return WS_ERR_HANDLE;
  if (self->state == CLOSED) return WS_OK;
  gd_variant got = ask(self, "poll", NULL, 0);
  gd.variant_destroy(&got);
  int32_t state = (int32_t)ask_int(self, "get_ready_state", NULL, 0);
  if (state == OPEN && !self->is_join && !self->was_open) opened(self);
  take_packets(self);
  if (self->state == CLOSED) return WS_OK;
  if (state == CLOSED) ended(self, WS_CAUSE_NONE, NULL);
  else if (state == CLOSING) self->state = CLOSING;
  else if (!self->was_open && now_ns() > self->deadline_ns)
    drop(self, -1, WS_CAUSE_CONNECT_TIMEOUT, "not open within connect_timeout: the server does not answer");
  return WS_OK;
}

ws_result ws_flush(ws_handle h) {
  return find(h) ? WS_OK : WS_ERR_HANDLE;
}

ws_result ws_hint(ws_handle h, int32_t hint) {
  (void)hint;
  return find(h) ? WS_OK : WS_ERR_HANDLE;
}

ws_result ws_close(ws_handle h, int32_t code, const char *reason) {
  line *self = find(h);
  if (!self) return WS_ERR_HANDLE;
  if (self->state == CLOSED || self->closes) return WS_OK;
  const char *text = reason ? reason : "";
  gd_variant args[] = {gd_of_int(code == 0 ? 1000 : code), gd_of_text(text, strlen(text))};
  self->closes = true;
  snprintf(self->own_reason, sizeof self->own_reason, "%s", code < 0 ? "" : text);
  gd_variant got = ask(self, "close", args, 2);
  gd.variant_destroy(&got);
  if (ask_int(self, "get_ready_state", NULL, 0) == CLOSED) ended(self, WS_CAUSE_NONE, NULL);
  else self->state = CLOSING;
  return WS_OK;
}

/* ---- messages and events ---- */

static ws_result put(line *self, const uint8_t *data, size_t len, int32_t type) {
  enum { ENGINE_OUT_OF_MEMORY = 6 };
  if (self->state != OPEN) return engine_fails(WS_ERR_STATE, "not open: poll until the state is STATE_OPEN");
  if (self->most_put != WS_OFF && len > self->most_put) {
    char why[160];
    snprintf(why, sizeof why,
             "the message has %zu bytes and at most %u are allowed: split it, or raise outbound_buffer_size if the "
             "other end takes more",
             len, (unsigned)self->most_put);
    return engine_fails(WS_ERR_TOO_BIG, why);
  }
  gd_packed bytes;
  gd_bytes_new(&bytes, data, len);
  gd_variant args[] = {gd_of(GD_BYTES, &bytes), gd_of_int(type == WS_TEXT ? WRITE_MODE_TEXT : WRITE_MODE_BINARY)};
  gd_free(GD_BYTES, &bytes);
  int64_t error = ask_int(self, "send", args, 2);
  if (error == ENGINE_OUT_OF_MEMORY)
    return engine_fails(WS_ERR_FULL, "the outbound queue is full: send less, or raise outbound_buffer_size");
  if (error != 0) return engine_fails(WS_ERR_STATE, "the engine could not send the packet");
  self->stats.messages_out++;
  self->stats.bytes_out += len;
  return WS_OK;
}

ws_result ws_put_packet(ws_handle h, const uint8_t *data, size_t len, int32_t type) {
  line *self = find(h);
  return self ? put(self, data, len, type) : WS_ERR_HANDLE;
}

ws_result ws_put_packet_to(ws_handle h, int32_t target, const uint8_t *data, size_t len, int32_t type) {
  line *self = find(h);
  if (!self) return WS_ERR_HANDLE;
  if (!self->is_join) return engine_fails(WS_ERR_KIND, "not a server, host or join");
  if (target != SERVER_ID) return engine_fails(WS_ERR_TARGET, "a client can send only to the host (target 1)");
  return put(self, data, len, type);
}

/* Without replacing the one before: what the browser has taken cannot be taken back. */
ws_result ws_put_latest(ws_handle h, int32_t target, uint32_t key, const uint8_t *data, size_t len, int32_t type) {
  line *self = find(h);
  (void)key;
  if (self && self->is_join) return ws_put_packet_to(h, target, data, len, type);
  return self ? put(self, data, len, type) : WS_ERR_HANDLE;
}

ws_result ws_next_event(ws_handle h, ws_event *out) {
  line *self = find(h);
  if (!self) return WS_ERR_HANDLE;
  if (!self->first) return WS_EMPTY;
  *out = lend(self, NULL)->event;
  return WS_OK;
}

ws_result ws_get_packet(ws_handle h, ws_packet *out) {
  line *self = find(h);
  if (!self) return WS_ERR_HANDLE;
  item *before = NULL;
  for (item *at = self->first; at; before = at, at = at->next) {
    if (at->event.type != WS_EVENT_MESSAGE) continue;
    *out = lend(self, before)->event.packet;
    return WS_OK;
  }
  return WS_EMPTY;
}

int32_t ws_get_available(ws_handle h) {
  line *self = find(h);
  return self ? (int32_t)self->waiting : WS_ERR_HANDLE;
}

int32_t ws_get_state(ws_handle h) {
  line *self = find(h);
  return self ? self->state : WS_ERR_HANDLE;
}

/* A client of a game is connected to the server alone. */
ws_result ws_get_conn(ws_handle h, int32_t peer_id, ws_handle *out) {
  line *self = find(h);
  if (!self) return WS_ERR_HANDLE;
  if (!self->is_join || !self->has_id || peer_id != SERVER_ID)
    return engine_fails(WS_ERR_TARGET, "there is no connection to a peer with this id");
  *out = h;
  return WS_OK;
}

int32_t ws_get_peer_id(ws_handle h) {
  line *self = find(h);
  return self ? self->peer_id : WS_ERR_HANDLE;
}

ws_result ws_get_end(ws_handle h, ws_event *out) {
  line *self = find(h);
  if (!self) return WS_ERR_HANDLE;
  if (self->state != CLOSED) return WS_EMPTY;
  *out = self->end;
  return WS_OK;
}

/* ---- texts and numbers ---- */

static ws_result copied(const char *text, char *buf, size_t cap, size_t *len) {
  size_t size = strlen(text);
  if (len) *len = size;
  if (cap) snprintf(buf, cap, "%s", text);
  return size < cap ? WS_OK : WS_TRUNCATED;
}

ws_result ws_get_text(ws_handle h, int32_t what, char *buf, size_t cap, size_t *len) {
  line *self = find(h);
  char text[512] = "", host[256];
  if (!self) return WS_ERR_HANDLE;
  switch (what) {
    case WS_GET_URL: return copied(self->url, buf, cap, len);
    case WS_GET_CLOSE_REASON: return copied(self->reason, buf, cap, len);
    case WS_GET_ERROR: return copied(self->why, buf, cap, len);
    case WS_GET_SUBPROTOCOL:
      if (self->was_open) ask_text(self, "get_selected_protocol", text, sizeof text);
      return copied(text, buf, cap, len);
    case WS_GET_REMOTE_ADDRESS:
      if (!self->was_open) return engine_fails(WS_ERR_STATE, "not open");
      ask_text(self, "get_connected_host", host, sizeof host);
      snprintf(text, sizeof text, "%s:%d", host, (int)ask_int(self, "get_connected_port", NULL, 0));
      return copied(text, buf, cap, len);
    default: return engine_unsupported("this text of a connection");
  }
}

ws_result ws_last_error(char *buf, size_t cap, size_t *len) {
  return copied(last_error, buf, cap, len);
}

ws_result ws_get_log(char *buf, size_t cap, size_t *len) {
  (void)buf, (void)cap, (void)len;
  return WS_EMPTY;
}

ws_result ws_get_stats(ws_handle h, ws_stats *out, size_t size) {
  line *self = find(h);
  memset(out, 0, size);
  if (!self) return WS_ERR_HANDLE;
  self->stats.struct_size = sizeof self->stats;
  self->stats.connections = self->state == OPEN;
  self->stats.queued_packets_in = self->waiting;
  self->stats.queued_bytes_out = (uint64_t)ask_int(self, "get_current_outbound_buffered_amount", NULL, 0);
  memcpy(out, &self->stats, size < sizeof self->stats ? size : sizeof self->stats);
  return WS_OK;
}

/* ---- what the engine's object has no setting for stays as it is ---- */

ws_result ws_set_option(ws_handle h, int32_t option, uint32_t value) {
  line *self = find(h);
  if (!self) return WS_ERR_HANDLE;
  if (option == WS_OPT_NO_DELAY && self->state == OPEN) set(self, "set_no_delay", gd_of_bool(value != 0));
  if (option == WS_OPT_INBOUND_PACKETS) self->most_waiting = value;
  if (option == WS_OPT_OUTBOUND_BYTES) set_outbound(self, value);
  if (option == WS_OPT_MAX_PUT_BYTES) self->most_put = value;
  /* A WSPeer switches it on once it is open. */
  if (option == WS_OPT_HEARTBEAT_MS) set_heartbeat(self, value);
  return WS_OK;
}

ws_result ws_get_option(ws_handle h, int32_t option, uint32_t *out) {
  (void)option, (void)out;
  return find(h) ? WS_ERR_KIND : WS_ERR_HANDLE;
}

ws_result ws_config_init(ws_config *config, size_t size) {
  memset(config, 0, size);
  config->struct_size = (uint32_t)size;
  return WS_OK;
}

ws_result ws_set_name(const char *word, const char *name) {
  (void)word, (void)name;
  return WS_OK;
}

uint32_t ws_abi_version(void) {
  return WS_ABI_VERSION;
}
