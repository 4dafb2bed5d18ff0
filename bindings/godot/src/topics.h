/* Topics, and messages that newer ones replace: what WSServer and WSMultiplayerPeer have in common. */
#ifndef WSPEER_GODOT_TOPICS_H
#define WSPEER_GODOT_TOPICS_H

#include "opening.h"

/* Subscribe the connection to the topic that is argument 1, or end that, and return an Error from the call. A handle of 0:
 * an error was printed. */
void topics_return_subscribed(const gd_call *call, ws_handle conn);
void topics_return_unsubscribed(const gd_call *call, ws_handle conn);
/* Ends all subscriptions of the connection. */
void topics_return_left(const gd_call *call, ws_handle conn);
/* Returns the topics of a handle as a PackedStringArray. */
void topics_return_list(const gd_call *call, ws_handle handle);

/* A message for a topic. */
typedef struct {
  const gd_string *topic;
  const uint8_t *bytes;
  size_t len;
  int32_t type;
  /* The id of a client to leave out; 0: none. */
  int64_t except;
  /* The key of a message that newer ones replace; NULL: it stays. */
  const uint32_t *key;
} publication;

/* Sends it from a server or host, and returns Godot's Error. */
int64_t topics_publish(ws_handle handle, const publication *about);
/* Reads the key that is an argument; false: it cannot be one, which is printed. */
bool topics_key_at(const gd_call *call, int index, uint32_t *key);

#endif
