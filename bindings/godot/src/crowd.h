/* The clients of a server or a multiplayer host: takes their events in order, but not the packets that a script has not
 * read. */
#ifndef WSPEER_GODOT_CROWD_H
#define WSPEER_GODOT_CROWD_H

#include "peer.h"

typedef struct {
  ws_handle conn;
  /* The id that scripts use: the handle on a server, the peer id on a host. */
  int32_t id;
  /* Created on first use. */
  gd_ref ref;
  ws_peer *peer;
  /* Number of packets that were announced by a signal. */
  uint64_t announced;
  /* The client has gone and packets are unread: their number at the last poll, and the number of polls without a
   * read. */
  int32_t unread;
  int patience;
  /* Its request waits for an answer: it is no client yet. */
  bool waits;
  bool close_told;
  /* The full queue was reported; it is not reported again until the queue has room. */
  bool full_told;
} client;

typedef struct {
  client *clients;
  size_t count;
  size_t room;
  /* Open-addressing table from handle to client index + 1; its size is a power of two. */
  uint32_t *places;
  size_t place_count;
  ws_handle *listed;
  size_t listed_room;
  /* A poll is running: handlers of its signals must not poll again. */
  bool busy;
} crowd;

/* The owner's callbacks. `self` is the owner; the client is valid during the call. Any may be NULL. */
typedef struct {
  void (*connected)(void *self, client *about);
  void (*received)(void *self, client *about);
  void (*close_requested)(void *self, client *about, int32_t code, const char *reason);
  void (*disconnected)(void *self, client *about, bool was_clean);
  void (*requested)(void *self, client *about, const ws_event *request);
  /* Its link was lost, or another one continues its session. */
  void (*lost)(void *self, client *about);
  void (*resumed)(void *self, client *about);
} crowd_events;

/* The signal of a request that waits for an answer. */
#define REQUEST_SIGNAL "request_received(request: WSPeer, is_websocket: bool, body: PackedByteArray)"

/* After ws_poll(): reports what happened. The owner must live until this returns. */
void crowd_tell(crowd *self, endpoint *owner, const crowd_events *events);
/* Emits the signal request_received of the owner, for the callback `requested`. */
void crowd_emit_request(endpoint *owner, client *about, const ws_event *request);
/* The client with that handle, or NULL. */
client *crowd_find(const crowd *self, ws_handle conn);
/* The WSPeer of a client. */
ws_peer *crowd_peer(client *about, const endpoint *owner);
/* Removes a client whose handle is about to be freed. */
void crowd_forget(crowd *self, client *about);
/* Removes all clients. */
void crowd_end(crowd *self);

#endif
