/* Returns what the library reports about a handle as results of calls. */
#include "opening.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void return_text_of(const gd_call *call, ws_handle handle, int32_t what) {
  char small[512], *text = small;
  size_t len = 0;
  ws_result result = ws_get_text(handle, what, small, sizeof small, &len);
  if (result == WS_TRUNCATED && (text = malloc(len + 1))) result = ws_get_text(handle, what, text, len + 1, &len);
  if (result < 0 || !text) len = 0;
  gd_return_text(call, text, len);
  if (text != small) free(text);
}

gd_string error_text_of(ws_handle handle) {
  char text[1024];
  bool has = ws_get_text(handle, WS_GET_ERROR, text, sizeof text, NULL) >= 0;
  return gd_string_new(text, has ? strlen(text) : 0);
}

void tell_log(void) {
  char line[1024];
  while (ws_get_log(line, sizeof line, NULL) == WS_OK) {
    if (strncmp(line, "error", 5) == 0) gd_error("wspeer", line);
    else gd_warning("wspeer", line);
  }
}

/* Cuts off the port; NULL when there is none. */
static char *cut(ws_handle handle, int32_t what, char *text, size_t cap) {
  char *colon = ws_get_text(handle, what, text, cap, NULL) == WS_OK ? strrchr(text, ':') : NULL;
  if (!colon) return NULL;
  *colon = 0;
  return colon + 1;
}

/* An IPv6 address as the engine writes it: eight groups, and no interface. One that stands for an IPv4 address becomes
 * that address. */
static void write_ipv6(char *text, size_t cap) {
  unsigned groups[8] = {0};
  int count = 0, gap = -1;
  text[strcspn(text, "%")] = 0;
  const char *dotted = strchr(text, '.') ? strrchr(text, ':') : NULL;
  if (dotted) {
    memmove(text, dotted + 1, strlen(dotted));
    return;
  }
  for (const char *at = text; *at && count < 8;) {
    if (at[0] == ':' && at[1] == ':') {
      gap = count;
      at += 2;
      continue;
    }
    if (*at == ':') at++;
    char *end;
    groups[count++] = (unsigned)strtol(at, &end, 16);
    if (end == at) return;
    at = end;
  }
  unsigned all[8] = {0};
  for (int i = 0; i < count; i++) all[gap >= 0 && i >= gap ? 8 - count + i : i] = groups[i];
  snprintf(text, cap, "%x:%x:%x:%x:%x:%x:%x:%x", all[0], all[1], all[2], all[3], all[4], all[5], all[6], all[7]);
}

void return_address_of(const gd_call *call, ws_handle handle, int32_t what) {
  char text[128];
  if (!cut(handle, what, text, sizeof text)) text[0] = 0;
  size_t len = strlen(text);
  if (text[0] == '[') {
    memmove(text, text + 1, len - 1);
    text[len - 2] = 0;
    write_ipv6(text, sizeof text);
  }
  gd_return_text(call, text, strlen(text));
}

void return_port_of(const gd_call *call, ws_handle handle, int32_t what) {
  char text[128], *port = cut(handle, what, text, sizeof text);
  gd_return_int(call, port ? atoi(port) : 0);
}

void return_stats_of(const gd_call *call, ws_handle handle) {
  static const struct {
    const char *name;
    size_t place;
  } counters[] = {
#define COUNTER(name) {#name, offsetof(ws_stats, name)}
      COUNTER(messages_in),
      COUNTER(messages_out),
      COUNTER(bytes_in),
      COUNTER(bytes_out),
      COUNTER(wire_bytes_in),
      COUNTER(wire_bytes_out),
      COUNTER(queued_packets_in),
      COUNTER(queued_bytes_in),
      COUNTER(queued_packets_out),
      COUNTER(queued_bytes_out),
      COUNTER(skipped),
      COUNTER(inbound_stalls),
      COUNTER(rtt_us),
      COUNTER(last_poll_us),
      COUNTER(longest_poll_us),
      COUNTER(accepted),
      COUNTER(refused),
      COUNTER(pending_handshakes),
      COUNTER(compressed_in),
      COUNTER(compressed_out),
      COUNTER(deflate_memory_bytes),
      COUNTER(kept_bytes),
      COUNTER(downloads),
      COUNTER(served),
      COUNTER(refused_limit),
      COUNTER(refused_request),
      COUNTER(refused_tls),
      COUNTER(refused_proxy),
      COUNTER(refused_timeout),
      COUNTER(refused_gone),
      COUNTER(refused_waiting),
      COUNTER(pending_requests),
      COUNTER(lost),
      COUNTER(losses),
      COUNTER(resumed),
      COUNTER(sent_again),
      COUNTER(unacknowledged_packets),
      COUNTER(unacknowledged_bytes),
      COUNTER(sim_bytes),
      COUNTER(sim_losses),
      COUNTER(topics),
      COUNTER(subscriptions),
      COUNTER(replaced),
#undef COUNTER
  };
  gd_dictionary *reported = gd_return_dictionary(call);
  ws_stats stats = {0};
  if (ws_get_stats(handle, &stats, sizeof stats) < 0) return;
  gd_set(reported, "connections", gd_of_int(stats.connections));
  for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
    uint64_t value;
    memcpy(&value, (const char *)&stats + counters[i].place, sizeof value);
    gd_set(reported, counters[i].name, gd_of_int((int64_t)value));
  }
}
