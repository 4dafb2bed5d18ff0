/* WSPeer: one connection, as Godot's WebSocketPeer and with what wspeer adds. */
#ifndef WSPEER_GODOT_PEER_H
#define WSPEER_GODOT_PEER_H

#include "opening.h"

typedef struct {
  endpoint base;
  /* It belongs to a server or a multiplayer peer, which polls it, frees it and takes its events. */
  bool borrowed;
  /* WS_TEXT or WS_BINARY, of the last packet that was taken. */
  int32_t last_type;
  /* Packets taken. */
  uint64_t taken;
  /* A full queue was told; not again before a packet was accepted. */
  bool told_full;
  /* As connect_to_url() was given it. */
  gd_string requested_url;
  /* The stream of accept_stream(), its pending bytes in both directions, and who is at its other end. */
  gd_ref stream;
  bool has_status;
  gd_packed unfed;
  size_t fed;
  uint8_t *unput;
  size_t unput_start;
  size_t unput_end;
  bool hung_up;
  /* A method of the stream is being called. */
  bool busy;
  /* How a borrowed connection ended, as its handle is gone: the event, and its texts. */
  bool gone;
  ws_event end;
  gd_string end_reason;
  gd_string end_message;
} ws_peer;

extern const gd_class peer_class;
/* What wspeer adds to WebSocketPeer. */
extern const gd_method peer_more_methods[];
extern const gd_constant peer_more_constants[];

/* Makes a WSPeer of a connection that belongs to another object; the reference is the caller's. */
ws_peer *peer_borrow(gd_ref *ref, const endpoint *owner, ws_handle handle);
/* Its connection has ended: keeps what can be asked about that. Call it while the handle still answers. */
void peer_retire(ws_peer *self);

/* Puts a packet; Godot's Error. What fails is printed, a full queue once. */
int64_t peer_put(ws_peer *self, const uint8_t *bytes, size_t len, int32_t type, const char *function);
/* Takes a packet: WS_OK or WS_EMPTY. The bytes are lent until the next. */
ws_result peer_take(ws_peer *self, ws_packet *packet);
/* How it ended; false while it lives. */
bool peer_end_of(const ws_peer *self, ws_event *end);

/* accept_stream(): the bytes go through any StreamPeer. */
int64_t stream_accept(ws_peer *self, gd_object *stream);
void stream_poll(ws_peer *self);
/* Carries away what the library wants to send, and ends the stream where the connection has ended. */
void stream_flush(ws_peer *self);
void stream_drop(ws_peer *self);
/* Tells the TCP stream, or the one below TLS, what set_no_delay() was told. */
void stream_no_delay(ws_peer *self);
/* The address and port at the other end of the stream, where it tells. */
void stream_return_host(const gd_call *call, ws_peer *self);
void stream_return_port(const gd_call *call, ws_peer *self);

#endif
