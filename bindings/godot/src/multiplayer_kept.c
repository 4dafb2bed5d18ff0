/* The stored values of a WSMultiplayerPeer: transfer mode and channel, target, status, refusal of new peers. */
#include "multiplayer.h"

void v_set_transfer_channel(const gd_call *call) {
  game *self = call->self;
  self->transfer_channel = gd_int32_at(call, 0);
  if (self->base.handle) ws_set_option(self->base.handle, WS_OPT_TRANSFER_CHANNEL, (uint32_t)self->transfer_channel);
}

void v_get_transfer_channel(const gd_call *call) {
  gd_return_int(call, ((const game *)call->self)->transfer_channel);
}

void v_set_transfer_mode(const gd_call *call) {
  game *self = call->self;
  self->transfer_mode = gd_int32_at(call, 0);
  if (self->base.handle) ws_set_option(self->base.handle, WS_OPT_TRANSFER_MODE, (uint32_t)self->transfer_mode);
}

void v_get_transfer_mode(const gd_call *call) {
  gd_return_int(call, ((const game *)call->self)->transfer_mode);
}

void v_set_target_peer(const gd_call *call) {
  ((game *)call->self)->target = gd_int32_at(call, 0);
}

void v_is_server(const gd_call *call) {
  gd_return_bool(call, ((const game *)call->self)->is_host);
}

void v_get_unique_id(const gd_call *call) {
  gd_return_int(call, ((const game *)call->self)->id);
}

void v_get_connection_status(const gd_call *call) {
  gd_return_int(call, ((const game *)call->self)->status);
}

void v_set_refuse_new_connections(const gd_call *call) {
  game *self = call->self;
  self->refuses = gd_bool_at(call, 0);
  if (self->is_host) refuse_new(self);
}

/* As in the engine, new connections are not accepted, and wait. With sessions, who has lost his link has to be let in. */
void refuse_new(const game *self) {
  bool has_sessions = self->base.numbers[SESSION_TIMEOUT] > 0;
  ws_set_option(self->base.handle, has_sessions ? WS_OPT_REFUSE_NEW : WS_OPT_HOLD_NEW, self->refuses);
}

void v_is_refusing_new_connections(const gd_call *call) {
  gd_return_bool(call, ((const game *)call->self)->refuses);
}

void v_is_server_relay_supported(const gd_call *call) {
  gd_return_bool(call, true);
}
