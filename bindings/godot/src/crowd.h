/* The clients of a server or a multiplayer host: who is there, and what happened to whom, in order, without taking packets that a script has not read. */
#ifndef WSPEER_GODOT_CROWD_H
#define WSPEER_GODOT_CROWD_H

#include "peer.h"

typedef struct {
  ws_handle conn;
  /* As scripts know it: its handle on a server, its peer id on a host. */
  int32_t id;
  /* Made when it is asked for. */
  gd_ref ref;
  ws_peer *peer;
  /* Packets that were announced. */
  uint64_t announced;
  /* Its end has come while packets wait: how many did at the last poll, and for how many polls nobody has read. */
  int32_t unread;
  int patience;
  bool close_told;
  /* Its full queue was told; not again before it has room. */
  bool full_told;
} client;

typedef struct {
  client *clients;
  size_t count;
  size_t room;
  /* Index + 1 of a client by its handle, open addressing; a power of two. */
  uint32_t *places;
  size_t place_count;
  ws_handle *listed;
  size_t listed_room;
  /* A poll is under way: what its signals call must not poll again. */
  bool busy;
} crowd;

/* What an owner does about it. `self` is the owner; the client is valid during the call. Any may be NULL. */
typedef struct {
  void (*connected)(void *self, client *about);
  void (*received)(void *self, client *about);
  void (*close_requested)(void *self, client *about, int32_t code, const char *reason);
  void (*disconnected)(void *self, client *about, bool was_clean);
} crowd_events;

/* After ws_poll(): tells what happened. The owner must live on meanwhile. */
void crowd_tell(crowd *self, endpoint *owner, const crowd_events *events);
/* The client with that handle; NULL: there is none. */
client *crowd_find(const crowd *self, ws_handle conn);
/* Its WSPeer. */
ws_peer *crowd_peer(client *about, const endpoint *owner);
/* Forgets one, as its handle is about to be freed. */
void crowd_forget(crowd *self, client *about);
/* Forgets all. */
void crowd_end(crowd *self);

#endif
