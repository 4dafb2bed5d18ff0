#include "settings.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  const char *name;
  const char *type;
  /* Default by class_kind; NONE: the class does not have the property. */
  double defaults[CLASSES_WITH_SETTINGS];
  /* Offset in ws_config; 0: none. */
  size_t field;
  /* WS_OPT_*; 0: cannot be changed while open. */
  int32_t option;
  /* Factor from the property's unit to the library's. */
  double scale;
  /* The library's value for 0. */
  uint32_t zero;
  /* Bit in ws_config.flags. */
  uint32_t flag;
} setting;

#define NONE -1.0
#define FIELD(name) offsetof(ws_config, name)

#include "settings_rows.h"

/* Properties that are texts or lists. */
typedef struct {
  const char *name;
  const char *type;
  uint32_t type_number;
  size_t place;
  bool has[CLASSES_WITH_SETTINGS];
} list;

static const list lists[] = {
    {"supported_protocols",
     "PackedStringArray",
     GD_STRINGS,
     offsetof(endpoint, supported_protocols),
     {true, false, true}},
    {"handshake_headers", "PackedStringArray", GD_STRINGS, offsetof(endpoint, handshake_headers), {true, true, true}},
    {"certificate_pin", "String", GD_STRING, offsetof(endpoint, certificate_pin), {true, false, true}},
    {"trusted_proxies", "PackedStringArray", GD_STRINGS, offsetof(endpoint, trusted_proxies), {false, true, true}},
    {"allowed_hosts", "PackedStringArray", GD_STRINGS, offsetof(endpoint, allowed_hosts), {false, true, true}},
    {"allowed_origins", "PackedStringArray", GD_STRINGS, offsetof(endpoint, allowed_origins), {false, true, true}},
    {"proxy", "String", GD_STRING, offsetof(endpoint, proxy), {true, false, true}},
    {"request_path", "String", GD_STRING, offsetof(endpoint, request_path), {false, true, true}},
    {"session_node", "String", GD_STRING, offsetof(endpoint, session_node), {false, true, true}},
};
enum { LISTS = sizeof lists / sizeof *lists };

static bool has(const setting *row, class_kind kind) {
  return row->name && row->defaults[kind] >= 0;
}

void endpoint_start(endpoint *self, gd_object *object, class_kind kind) {
  self->object = object;
  self->kind = kind;
  for (int i = 0; i < NUMBERS; i++) self->numbers[i] = settings[i].defaults[kind];
  for (int i = 0; i < LISTS; i++) gd_new(lists[i].type_number, (char *)self + lists[i].place);
}

void endpoint_end(endpoint *self) {
  for (int i = 0; i < LISTS; i++) gd_free(lists[i].type_number, (char *)self + lists[i].place);
}

uint32_t settings_raw(const endpoint *self, int index) {
  const setting *row = &settings[index];
  double value = ceil(self->numbers[index] * row->scale);
  if (!(value > 0)) return row->zero;
  return value < (double)WS_OFF ? (uint32_t)value : WS_OFF;
}

/* An unanswered ping of a WSPeer ends its connection after one interval, as in the engine: so many after the last byte
 * that came, which is the answer to the ping before. */
static uint32_t pong_timeout(const endpoint *self) {
  uint32_t own = settings_raw(self, PONG_TIMEOUT), interval = settings_raw(self, HEARTBEAT_INTERVAL);
  if (own || self->kind != OF_PEER || interval == WS_OFF) return own;
  return self->has_pong && interval < WS_OFF / 2 ? 2 * interval : interval;
}

uint32_t settings_max_message(const endpoint *self) {
  uint32_t most = settings_raw(self, MAX_MESSAGE_SIZE), in = settings_raw(self, INBOUND_BUFFER_SIZE),
           out = settings_raw(self, OUTBOUND_BUFFER_SIZE);
  if (in != WS_OFF && in > most) most = in;
  if (out != WS_OFF && out > most) most = out;
  return most;
}

void settings_set(endpoint *self, int index, double value) {
  const setting *row = &settings[index];
  self->numbers[index] = value;
  if (index >= SIM_NETWORK && index <= SIM_SEED) simulate(self);
  if (!self->handle || !row->option || ws_get_state(self->handle) == WS_CLOSED) return;
  ws_result result = ws_set_option(self->handle, row->option, settings_raw(self, index));
  if (index == HEARTBEAT_INTERVAL || index == PONG_TIMEOUT)
    ws_set_option(self->handle, WS_OPT_PONG_TIMEOUT_MS, pong_timeout(self));
  if (index == OUTBOUND_BUFFER_SIZE)
    ws_set_option(self->handle, WS_OPT_MAX_PUT_BYTES, settings_raw(self, OUTBOUND_BUFFER_SIZE));
  if (index == MAX_QUEUED_PACKETS) ws_set_option(self->handle, WS_OPT_OUTBOUND_PACKETS, settings_raw(self, index));
  if (index <= MAX_MESSAGE_SIZE) ws_set_option(self->handle, WS_OPT_MAX_MESSAGE_BYTES, settings_max_message(self));
  /* Setting a server option on a client is not an error. */
  if (result >= 0 || result == WS_ERR_HANDLE || result == WS_ERR_KIND) return;
  char why[1024];
  ws_last_error(why, sizeof why, NULL);
  gd_error(row->name, why);
}

void settings_fill(const endpoint *self, class_kind kind, ws_config *config) {
  for (int i = 0; i < NUMBERS; i++) {
    const setting *row = &settings[i];
    if (row->defaults[kind] < 0) continue;
    uint32_t raw = settings_raw(self, i);
    if (row->field) memcpy((char *)config + row->field, &raw, sizeof raw);
    if (row->flag && raw && i != SERVER_CONTEXT_TAKEOVER && i != CLIENT_CONTEXT_TAKEOVER) config->flags |= row->flag;
  }
  config->outbound_packets = config->inbound_packets;
  config->max_put_bytes = settings_raw(self, OUTBOUND_BUFFER_SIZE);
  config->pong_timeout_ms = pong_timeout(self);
  config->max_message_bytes = settings_max_message(self);
  config->no_delay = settings_raw(self, NO_DELAY) ? 0 : WS_OFF;
  if (kind == OF_PEER) {
    bool is_needed = config->session_ms || config->flags & WS_APP_HEARTBEAT;
    /* The library's default, as a session needs a heartbeat. */
    if (config->session_ms && config->heartbeat_ms == WS_OFF) config->heartbeat_ms = 0;
    /* peer_note_open() switches it on, which begins with a ping. */
    if (!is_needed) config->heartbeat_ms = WS_OFF;
  }
  if (!(config->flags & WS_DEFLATE)) return;
  if (!settings_raw(self, SERVER_CONTEXT_TAKEOVER)) config->flags |= WS_SERVER_NO_CONTEXT_TAKEOVER;
  if (!settings_raw(self, CLIENT_CONTEXT_TAKEOVER)) config->flags |= WS_CLIENT_NO_CONTEXT_TAKEOVER;
}

static void set_number(const gd_call *call) {
  const setting *row = call->data;
  bool is_float = row->type[0] == 'f', is_bool = row->type[0] == 'b';
  double value = is_float ? gd_float_at(call, 0) : is_bool ? gd_bool_at(call, 0) : (double)gd_int_at(call, 0);
  if (is_float && !(value >= 0)) {
    char why[120];
    snprintf(why, sizeof why, "%s is %g: a time cannot be negative", row->name, value);
    gd_error(row->name, why);
    return;
  }
  settings_set(call->self, (int)(row - settings), value);
}

static void get_number(const gd_call *call) {
  const setting *row = call->data;
  double value = ((const endpoint *)call->self)->numbers[row - settings];
  if (row->type[0] == 'f') gd_return_float(call, value);
  else if (row->type[0] == 'b') gd_return_bool(call, value != 0);
  else gd_return_int(call, value < 9e18 ? (int64_t)value : INT64_MAX);
}

static void set_list(const gd_call *call) {
  const list *row = call->data;
  void *place = (char *)call->self + row->place;
  gd_free(row->type_number, place);
  gd_copy(row->type_number, place, call->args[0]);
}

static void get_list(const gd_call *call) {
  const list *row = call->data;
  gd_free(row->type_number, call->ret);
  gd_copy(row->type_number, call->ret, (const char *)call->self + row->place);
}

/* What the engine's classes declare in another way: the name of a setter's argument, and the type of a property. */
typedef struct {
  const char *property;
  const char *argument;
  /* NULL: that of the setter and getter. */
  const char *type;
  bool is_of[CLASSES_WITH_SETTINGS];
} declaration;

static const declaration *declaration_of(const char *name, class_kind kind) {
  static const declaration of_engine[] = {
      {"supported_protocols", "protocols", NULL, {true, false, true}},
      {"handshake_headers", "protocols", NULL, {true, false, true}},
      {"inbound_buffer_size", "buffer_size", NULL, {true, false, true}},
      {"outbound_buffer_size", "buffer_size", NULL, {true, false, true}},
      {"max_queued_packets", "buffer_size", NULL, {true, false, false}},
      {"max_queued_packets", "max_queued_packets", NULL, {false, false, true}},
      {"heartbeat_interval", "interval", "int", {true, false, false}},
      {"handshake_timeout", "timeout", NULL, {false, false, true}},
  };
  static const declaration own = {NULL, "value", NULL, {false, false, false}};
  for (size_t i = 0; i < sizeof of_engine / sizeof *of_engine; i++)
    if (of_engine[i].is_of[kind] && strcmp(of_engine[i].property, name) == 0) return &of_engine[i];
  return &own;
}

static void register_one(gd_library *library, const char *class_name, class_kind kind, const char *name,
                         const char *type, gd_method_function set, gd_method_function get, const void *data) {
  char set_text[160], get_text[160], property[120], setter[64], getter[64];
  snprintf(setter, sizeof setter, "set_%s", name);
  snprintf(getter, sizeof getter, "get_%s", name);
  const declaration *declared = declaration_of(name, kind);
  snprintf(set_text, sizeof set_text, "%s(%s: %s)", setter, declared->argument, type);
  snprintf(get_text, sizeof get_text, "%s() const -> %s", getter, type);
  snprintf(property, sizeof property, "%s: %s", name, declared->type ? declared->type : type);
  const gd_method methods[] = {{set_text, set, data}, {get_text, get, data}, {0}};
  const gd_property properties[] = {{property, setter, getter}, {0}};
  gd_register_methods(library, class_name, methods);
  gd_register_properties(library, class_name, properties);
}

void settings_register(gd_library *library, const char *class_name, class_kind kind) {
  for (int i = 0; i < LISTS; i++)
    if (lists[i].has[kind])
      register_one(library, class_name, kind, lists[i].name, lists[i].type, set_list, get_list, &lists[i]);
  for (int i = 0; i < NUMBERS; i++) {
    if (i == SIM_NETWORK) gd_register_group(library, class_name, "Simulated Network", "sim_");
    if (has(&settings[i], kind))
      register_one(library, class_name, kind, settings[i].name, settings[i].type, set_number, get_number,
                   &settings[i]);
  }
}
