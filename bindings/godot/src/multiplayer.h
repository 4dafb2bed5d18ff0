/* WSMultiplayerPeer: replaces Godot's WebSocketMultiplayerPeer as multiplayer.multiplayer_peer. */
#ifndef WSPEER_GODOT_MULTIPLAYER_H
#define WSPEER_GODOT_MULTIPLAYER_H

#include "crowd.h"

/* Constants of MultiplayerPeer.ConnectionStatus. */
enum { DISCONNECTED = 0, CONNECTING = 1, CONNECTED = 2 };
enum { SERVER_ID = 1, RELIABLE = 2 };

typedef struct {
  endpoint base;
  bool is_host;
  /* The status as reported to the scene; the end of a client's connection is reported only after its packets are
   * read. */
  int32_t status;
  int32_t id;
  int32_t target;
  int32_t transfer_mode;
  int32_t transfer_channel;
  bool refuses;
  /* `next` holds a packet that was taken early, because the scene asked for its sender first. */
  bool has_next;
  ws_packet next;
  /* Host only. */
  crowd clients;
  /* Client only: disconnect_peer() was called, so nothing of the server is delivered any more. */
  bool has_left;
  /* Client only: the WSPeer of its connection, which also reports how it ended. */
  gd_ref link_ref;
  ws_peer *link;
  /* A full queue was reported, for a packet to several peers or from a client. */
  bool full_told;
} game;

extern const gd_class multiplayer_class;

/* Passes on whether new peers are refused. */
void refuse_new(const game *self);

/* Virtual methods that only store or return a value. */
void v_set_transfer_channel(const gd_call *call);
void v_get_transfer_channel(const gd_call *call);
void v_set_transfer_mode(const gd_call *call);
void v_get_transfer_mode(const gd_call *call);
void v_set_target_peer(const gd_call *call);
void v_is_server(const gd_call *call);
void v_get_unique_id(const gd_call *call);
void v_get_connection_status(const gd_call *call);
void v_set_refuse_new_connections(const gd_call *call);
void v_is_refusing_new_connections(const gd_call *call);
void v_is_server_relay_supported(const gd_call *call);

#endif
