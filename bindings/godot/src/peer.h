/* WSPeer: one connection, with the methods of Godot's WebSocketPeer and those that wspeer adds. */
#ifndef WSPEER_GODOT_PEER_H
#define WSPEER_GODOT_PEER_H

#include "opening.h"

typedef struct {
  endpoint base;
  /* The connection belongs to a server or a multiplayer peer, which polls it, frees it and takes its events. */
  bool borrowed;
  /* The multiplayer host whose client it is, or 0. */
  ws_handle host;
  /* A script has closed it as the client of a host: nothing that it sent is delivered any more. */
  bool left;
  /* It has been OPEN. */
  bool opened;
  /* Type of the last packet that was taken: WS_TEXT or WS_BINARY. */
  int32_t last_type;
  /* Type of the packets of put_packet() and put_var(). */
  int32_t put_type;
  /* Number of packets that were taken. */
  uint64_t taken;
  /* A full queue was reported; it is not reported again until a packet is accepted. */
  bool reported_full;
  /* It was LOST at the last peer_look(). */
  bool lost;
  /* Number of times that its session has been resumed. */
  uint64_t resumed;
  /* The argument of connect_to_url(). */
  gd_string requested_url;
  /* The stream of accept_stream(), its pending bytes in both directions, and the address of its other end. */
  gd_ref stream;
  bool has_status;
  /* The stream is TLS. */
  bool is_secure;
  gd_packed unfed;
  size_t fed;
  uint8_t *unput;
  size_t unput_start;
  size_t unput_end;
  bool hung_up;
  /* A method of the stream is running. */
  bool busy;
  /* How a borrowed connection ended, kept after its handle was freed: the event and its texts. */
  bool gone;
  ws_event end;
  gd_string end_reason;
  gd_string end_message;
} ws_peer;

extern const gd_class peer_class;
/* The methods that wspeer adds to WebSocketPeer. */
extern const gd_method peer_more_methods[];
extern const gd_constant peer_more_constants[];

/* Makes a WSPeer for a connection that belongs to another object; the caller owns the reference. */
ws_peer *peer_borrow(gd_ref *ref, const endpoint *owner, ws_handle handle);
/* The connection has ended: stores what scripts can ask about its end. Call it before the handle is freed. */
void peer_retire(ws_peer *self);

/* Queues a packet and returns Godot's Error. Prints failures; a full queue only once. */
int64_t peer_put(ws_peer *self, const uint8_t *bytes, size_t len, int32_t type, const char *function);
/* The same with a packet that newer ones with its key replace. */
int64_t peer_put_latest(ws_peer *self, uint32_t key, const uint8_t *bytes, size_t len, int32_t type,
                        const char *function);
/* Takes a packet: WS_OK or WS_EMPTY. The bytes are lent until the next call. */
ws_result peer_take(ws_peer *self, ws_packet *packet);
/* What the last poll did with the link: it is LOST, or another one continues the session. */
typedef enum { UNCHANGED, LOST, RESUMED } peer_change;
peer_change peer_look(ws_peer *self);
/* Polls a connection that this peer owns, and emits `lost` or `resumed`. */
void peer_poll(ws_peer *self);
/* How the connection ended; false while it is open. */
bool peer_end_of(const ws_peer *self, ws_event *end);

/* After a poll: the connection may have opened. */
void peer_note_open(ws_peer *self);

/* accept_stream(): the bytes go through any StreamPeer. */
int64_t stream_accept(ws_peer *self, gd_object *stream);
void stream_poll(ws_peer *self);
/* Writes the library's output to the stream, and closes the stream when the connection has ended. */
void stream_flush(ws_peer *self);
void stream_drop(ws_peer *self);
/* Sets no-delay as set_no_delay() did, on the TCP stream or on the one below TLS. */
void stream_no_delay(ws_peer *self);
/* Returns the requested URL of an accepted stream: wss:// over TLS. */
void stream_return_url(const gd_call *call, const ws_peer *self);
/* Return the address and port of the stream's other end, if it has them. */
void stream_return_host(const gd_call *call, ws_peer *self);
void stream_return_port(const gd_call *call, ws_peer *self);

#endif
