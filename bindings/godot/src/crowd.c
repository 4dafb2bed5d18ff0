#include "crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* After this many polls without a read (3 seconds at 60 frames a second) the packets of a client that has gone are
 * discarded. */
enum { PATIENCE = 180 };

/* The place where the search for a handle begins. */
static size_t home_of(const crowd *self, ws_handle conn) {
  return (conn * UINT32_C(2654435769)) & (self->place_count - 1);
}

static size_t place_of(const crowd *self, ws_handle conn) {
  size_t place = home_of(self, conn);
  while (self->places[place] && self->clients[self->places[place] - 1].conn != conn)
    place = (place + 1) & (self->place_count - 1);
  return place;
}

static void place_all(crowd *self) {
  size_t wanted = 16;
  while (wanted < 2 * (self->count + 1)) wanted *= 2;
  if (wanted != self->place_count) {
    free(self->places);
    self->places = calloc(wanted, sizeof *self->places);
    if (!self->places) abort();
    self->place_count = wanted;
  } else {
    memset(self->places, 0, wanted * sizeof *self->places);
  }
  for (size_t i = 0; i < self->count; i++) self->places[place_of(self, self->clients[i].conn)] = (uint32_t)(i + 1);
}

/* Empties a place and moves up later entries that the search would no longer find. */
static void empty_place(crowd *self, size_t hole) {
  size_t mask = self->place_count - 1;
  for (size_t at = (hole + 1) & mask; self->places[at]; at = (at + 1) & mask) {
    size_t home = home_of(self, self->clients[self->places[at] - 1].conn);
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    self->places[hole] = self->places[at];
    hole = at;
  }
  self->places[hole] = 0;
}

client *crowd_find(const crowd *self, ws_handle conn) {
  if (self->count == 0) return NULL;
  uint32_t index = self->places[place_of(self, conn)];
  return index ? &self->clients[index - 1] : NULL;
}

static client *add(crowd *self, ws_handle conn, int32_t id) {
  if (self->count == self->room) {
    self->room = self->room ? 2 * self->room : 16;
    self->clients = realloc(self->clients, self->room * sizeof *self->clients);
    if (!self->clients) abort();
  }
  client *added = &self->clients[self->count++];
  memset(added, 0, sizeof *added);
  added->conn = conn;
  added->id = id;
  if (2 * self->count > self->place_count) place_all(self);
  else self->places[place_of(self, conn)] = (uint32_t)self->count;
  return added;
}

ws_peer *crowd_peer(client *about, const endpoint *owner) {
  if (!about->peer) about->peer = peer_borrow(&about->ref, owner, about->conn);
  return about->peer;
}

void crowd_forget(crowd *self, client *about) {
  if (about->peer) {
    peer_retire(about->peer);
    gd.ref_set_object(&about->ref, NULL);
  }
  empty_place(self, place_of(self, about->conn));
  client *last = &self->clients[self->count - 1];
  if (about != last) {
    self->places[place_of(self, last->conn)] = (uint32_t)(about - self->clients + 1);
    *about = *last;
  }
  self->count--;
}

void crowd_end(crowd *self) {
  while (self->count) crowd_forget(self, &self->clients[self->count - 1]);
  free(self->clients);
  free(self->places);
  free(self->listed);
  memset(self, 0, sizeof *self);
}

/* Writes the handles of the clients with queued events or packets into `listed`. */
static size_t list(crowd *self, ws_handle server) {
  size_t count = 0;
  while (ws_get_waiting(server, self->listed, self->listed_room, &count) == WS_TRUNCATED) {
    self->listed_room = 2 * count;
    self->listed = realloc(self->listed, self->listed_room * sizeof *self->listed);
    if (!self->listed) abort();
  }
  return count;
}

static void tell_close(void *owner, const crowd_events *events, client *about, int32_t code, const char *reason) {
  if (about->close_told) return;
  about->close_told = true;
  if (events->close_requested) events->close_requested(owner, about, code == 1005 ? 1000 : code, reason);
}

/* Reports that the client has gone, and removes it. */
static void tell_end(crowd *self, void *owner, const crowd_events *events, ws_handle conn, bool was_clean) {
  client *about = crowd_find(self, conn);
  if (!about) return;
  if (about->peer) peer_retire(about->peer);
  if (events->disconnected) events->disconnected(owner, about, was_clean);
  about = crowd_find(self, conn);
  if (about) crowd_forget(self, about);
}

/* Takes the remaining events of a client whose packets have been read. */
static void tell_events(crowd *self, void *owner, const crowd_events *events, ws_handle conn) {
  ws_event event;
  while (ws_next_event(conn, &event) == WS_OK) {
    client *about = crowd_find(self, conn);
    if (!about) return;
    if (event.type == WS_EVENT_CLOSE_REQUEST)
      tell_close(owner, events, about, event.code, (const char *)event.packet.data);
    if (event.type == WS_EVENT_WRITABLE) about->full_told = false;
    if (event.type == WS_EVENT_LOST) events->lost(owner, about);
    if (event.type == WS_EVENT_RESUMED) events->resumed(owner, about);
    if (event.type != WS_EVENT_DISCONNECTED) continue;
    tell_end(self, owner, events, conn, event.clean != 0);
    return;
  }
}

/* Discards the unread packets of a client that has gone, with a warning. */
static void give_up(crowd *self, void *owner, const crowd_events *events, ws_handle conn) {
  client *about = crowd_find(self, conn);
  ws_event event = {0};
  char text[160];
  ws_get_end(conn, &event);
  if (event.cause == WS_CAUSE_CLOSED_BY_PEER) {
    ws_get_text(conn, WS_GET_CLOSE_REASON, text, sizeof text, NULL);
    tell_close(owner, events, about, event.code, text);
  }
  snprintf(text, sizeof text, "%d packets of client %d, which has gone, were never read: take them with get_packet()",
           (int)about->unread, (int)about->id);
  gd_warning("poll", text);
  tell_end(self, owner, events, conn, event.clean != 0);
  ws_free(conn);
}

/* Takes the events of a client up to CONNECTED. False: that has not come. */
static bool tell_of_request(crowd *self, void *owner, const crowd_events *events, ws_handle conn) {
  ws_event event;
  while (ws_next_event(conn, &event) == WS_OK) {
    client *about = crowd_find(self, conn);
    if (event.type == WS_EVENT_REQUEST) {
      if (!about) about = add(self, conn, (int32_t)conn);
      about->waits = true;
      if (events->requested) events->requested(owner, about, &event);
    } else if (event.type == WS_EVENT_DISCONNECTED) {
      if (about) crowd_forget(self, about);
      return false;
    } else if (event.type == WS_EVENT_CONNECTED) {
      if (!about) about = add(self, conn, 0);
      about->waits = false;
      about->id = event.peer_id ? event.peer_id : (int32_t)conn;
      if (events->connected) events->connected(owner, about);
      return true;
    }
  }
  return false;
}

static void tell_of(crowd *self, void *owner, const crowd_events *events, ws_handle conn) {
  client *about = crowd_find(self, conn);
  if (!about || about->waits) {
    if (!tell_of_request(self, owner, events, conn)) return;
    about = crowd_find(self, conn);
  }
  while (events->received && about) {
    int32_t waiting = ws_get_available(conn);
    uint64_t arrived = (about->peer ? about->peer->taken : 0) + (waiting > 0 ? (uint64_t)waiting : 0);
    if (about->announced >= arrived) break;
    about->announced++;
    events->received(owner, about);
    about = crowd_find(self, conn);
  }
  if (!about) return;
  int32_t waiting = ws_get_available(conn);
  if (waiting <= 0) {
    tell_events(self, owner, events, conn);
  } else if (ws_get_state(conn) == WS_CLOSED) {
    about->patience = waiting == about->unread ? about->patience + 1 : 0;
    about->unread = waiting;
    if (about->patience > PATIENCE) give_up(self, owner, events, conn);
  }
}

void crowd_emit_request(endpoint *owner, client *about, const ws_event *request) {
  gd_packed body;
  gd_bytes_new(&body, request->packet.data, request->packet.len);
  gd_variant args[] = {gd_of_object(crowd_peer(about, owner)->base.object), gd_of_bool(request->count != 0),
                       gd_of(GD_BYTES, &body)};
  gd_free(GD_BYTES, &body);
  gd_emit(owner->object, "request_received", args, 3);
}

void crowd_tell(crowd *self, endpoint *owner, const crowd_events *events) {
  self->busy = true;
  size_t count = list(self, owner->handle);
  for (size_t i = 0; i < count; i++) tell_of(self, owner, events, self->listed[i]);
  self->busy = false;
}
