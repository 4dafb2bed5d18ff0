/* The properties that say how a connection or a server is opened, for all three classes. */
#ifndef WSPEER_GODOT_SETTINGS_H
#define WSPEER_GODOT_SETTINGS_H

#include "bind.h"
#include "wspeer.h"

/* Whose defaults. */
typedef enum { OF_PEER, OF_SERVER, OF_MULTIPLAYER, CLASSES_WITH_SETTINGS } class_kind;

enum {
  INBOUND_BUFFER_SIZE,
  OUTBOUND_BUFFER_SIZE,
  MAX_QUEUED_PACKETS,
  MAX_MESSAGE_SIZE,
  HEARTBEAT_INTERVAL,
  PONG_TIMEOUT,
  CONNECT_TIMEOUT,
  HANDSHAKE_TIMEOUT,
  CLOSE_TIMEOUT,
  POLL_BUDGET_USEC,
  MAX_CLIENTS,
  MAX_CLIENTS_PER_ADDRESS,
  MAX_PENDING_HANDSHAKES,
  MAX_MESSAGES_PER_SECOND,
  MAX_BYTES_PER_SECOND,
  FULL_QUEUE_POLICY,
  REFUSE_NEW_CONNECTIONS,
  COALESCE,
  QUEUE_BEFORE_OPEN,
  APPLICATION_HEARTBEAT,
  COMPRESSION_ENABLED,
  COMPRESSION_LEVEL,
  COMPRESSION_THRESHOLD,
  SERVER_CONTEXT_TAKEOVER,
  CLIENT_CONTEXT_TAKEOVER,
  MAX_INFLATE_RATIO,
  NO_DELAY,
  NUMBERS
};

/* What each object of the three classes begins with. */
typedef struct {
  gd_object *object;
  /* 0: nothing was opened. */
  ws_handle handle;
  double numbers[NUMBERS];
  gd_packed supported_protocols;
  gd_packed handshake_headers;
  gd_string certificate_pin;
  gd_string request_path;
} endpoint;

void endpoint_start(endpoint *self, gd_object *object, class_kind kind);
void endpoint_end(endpoint *self);

/* Sets a number, for what is opened later and for what is open. */
void settings_set(endpoint *self, int setting, double value);
/* The number as the library wants it: 0 means off or unlimited here. */
uint32_t settings_raw(const endpoint *self, int setting);
/* The longest message: buffers that are larger lift it. */
uint32_t settings_max_message(const endpoint *self);

/* Tells the engine the properties of a class. */
void settings_register(gd_library *library, const char *class_name, class_kind kind);

/* Puts all numbers and flags into a config. */
void settings_fill(const endpoint *self, class_kind kind, ws_config *config);

#endif
