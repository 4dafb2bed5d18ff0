#include "words.h"

#include <string.h>

static const struct {
  const char *field;
  const char *name;
} words[] = {
    {"the OPEN event", "STATE_OPEN"},
    {"WS_QUEUE_BEFORE_OPEN", "queue_before_open"},
    {"WS_APP_HEARTBEAT", "application_heartbeat"},
    {"max_message_bytes", "max_message_size"},
    {"max_messages_per_s", "max_messages_per_second"},
    {"max_bytes_per_s", "max_bytes_per_second"},
    {"inbound_bytes", "inbound_buffer_size"},
    {"inbound_packets", "max_queued_packets"},
    {"outbound_bytes", "outbound_buffer_size"},
    {"outbound_packets", "max_queued_packets"},
    {"close_timeout_ms", "close_timeout"},
    {"connect_timeout_ms", "connect_timeout"},
    {"handshake_timeout_ms", "handshake_timeout"},
    {"heartbeat_ms", "heartbeat_interval"},
    {"pong_timeout_ms", "pong_timeout"},
    {"poll_budget_us", "poll_budget_usec"},
    {"deflate_threshold_bytes", "compression_threshold"},
    {"pin_sha256", "certificate_pin"},
    {"server_name", "the common name override of TLSOptions"},
    {"ca_pem", "the trusted chain of TLSOptions"},
    {"cert_pem", "the certificate of TLSOptions"},
    {"key_pem", "the key of TLSOptions"},
};

size_t in_words(char to[WORDS], const char *sentence, size_t len) {
  size_t used = 0;
  for (size_t at = 0; at < len;) {
    size_t taken = 1, given = 1;
    const char *piece = sentence + at;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
      size_t field = strlen(words[i].field);
      if (field > len - at || memcmp(sentence + at, words[i].field, field) != 0) continue;
      taken = field;
      given = strlen(words[i].name);
      piece = words[i].name;
      break;
    }
    if (used + given >= WORDS) break;
    memcpy(to + used, piece, given);
    used += given;
    at += taken;
  }
  to[used] = 0;
  return used;
}
