#include "topics.h"

#include <stdlib.h>
#include <string.h>

void topics_return_subscribed(const gd_call *call, ws_handle conn) {
  gd_utf8 topic;
  gd_utf8_open(&topic, gd_string_at(call, 1));
  gd_return_int(call, conn ? error_of(ws_subscribe(conn, topic.bytes), "subscribe") : GD_ERR_DOES_NOT_EXIST);
  gd_utf8_close(&topic);
}

void topics_return_unsubscribed(const gd_call *call, ws_handle conn) {
  gd_utf8 topic;
  gd_utf8_open(&topic, gd_string_at(call, 1));
  gd_return_int(call, conn ? error_of(ws_unsubscribe(conn, topic.bytes), "unsubscribe") : GD_ERR_DOES_NOT_EXIST);
  gd_utf8_close(&topic);
}

void topics_return_left(const gd_call *call, ws_handle conn) {
  gd_return_int(call, conn ? error_of(ws_unsubscribe(conn, NULL), "unsubscribe_all") : GD_ERR_DOES_NOT_EXIST);
}

/* The topics of a handle, one a line; must be freed. NULL: it has none. */
static char *lines_of(ws_handle handle) {
  char *lines = NULL;
  size_t len = 0, cap = 0;
  while (handle && ws_get_topics(handle, lines, cap, &len) == WS_TRUNCATED) {
    cap = len + 1;
    lines = realloc(lines, cap);
    if (!lines) abort();
  }
  if (lines && len) return lines;
  free(lines);
  return NULL;
}

void topics_return_list(const gd_call *call, ws_handle handle) {
  gd_free(GD_STRINGS, call->ret);
  gd_new(GD_STRINGS, call->ret);
  char *lines = lines_of(handle);
  if (!lines) return;
  size_t count = 1;
  for (const char *at = lines; (at = strchr(at, '\n')) != NULL; at++) count++;
  gd_packed_resize(GD_STRINGS, call->ret, count);
  const char *at = lines;
  for (size_t i = 0; i < count; i++) {
    size_t len = strcspn(at, "\n");
    gd_string *place = gd.packed_string_array_operator_index(call->ret, (int64_t)i);
    gd_free(GD_STRING, place);
    *place = gd_string_new(at, len);
    at += len + 1;
  }
  free(lines);
}

int64_t topics_publish(ws_handle handle, const publication *about) {
  if (!handle) {
    gd_error("publish", "nothing listens: call listen() or create_server() first");
    return GD_ERR_UNCONFIGURED;
  }
  if (about->except < 0 || about->except > INT32_MAX) {
    gd_error("publish", "the client to leave out has no valid id: give 0 or the id of a client");
    return GD_ERR_INVALID_PARAMETER;
  }
  gd_utf8 topic;
  gd_utf8_open(&topic, about->topic);
  int32_t except = (int32_t)about->except;
  ws_result result =
      about->key
          ? ws_publish_latest(handle, topic.bytes, except, *about->key, about->bytes, about->len, about->type)
          : ws_publish(handle, topic.bytes, except, about->bytes, about->len, about->type);
  gd_utf8_close(&topic);
  /* Some queues were full: the other clients got the message. */
  return result == WS_PARTIAL ? GD_ERR_OUT_OF_MEMORY : error_of(result, "publish");
}

bool topics_key_at(const gd_call *call, int index, uint32_t *key) {
  int64_t number = gd_int_at(call, index);
  *key = (uint32_t)number;
  if (number == (int64_t)*key) return true;
  gd_error("key", "a key is a number from 0 to 4294967295");
  return false;
}
