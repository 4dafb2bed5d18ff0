/* WSMultiplayerPeer: as Godot's WebSocketMultiplayerPeer, for multiplayer.multiplayer_peer. */
#ifndef WSPEER_GODOT_MULTIPLAYER_H
#define WSPEER_GODOT_MULTIPLAYER_H

#include "crowd.h"

/* Of MultiplayerPeer. */
enum { DISCONNECTED = 0, CONNECTING = 1, CONNECTED = 2 };
enum { SERVER_ID = 1, RELIABLE = 2 };

typedef struct {
  endpoint base;
  bool is_host;
  /* As the scene has been told; a join's end only when its packets are read. */
  int32_t status;
  int32_t id;
  int32_t target;
  int32_t transfer_mode;
  int32_t transfer_channel;
  bool refuses;
  /* Taken ahead, as its sender was asked for. */
  bool has_next;
  ws_packet next;
  /* Of a host. */
  crowd clients;
  /* Of a join: the WSPeer of its connection, which tells how it ended too. */
  gd_ref link_ref;
  ws_peer *link;
  /* Of a put to several, or of a join. */
  bool full_told;
} game;

extern const gd_class multiplayer_class;

/* Virtuals that only keep and tell. */
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
