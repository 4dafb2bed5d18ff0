#include "names.h"
#include "wspeer.h"

#include <stddef.h>

void names_set(void) {
  static const struct {
    const char *word;
    const char *name;
  } names[] = {
#include "names_rows.h"
      {"outbound_packets", "max_queued_packets"},
      {"pin_sha256", "certificate_pin"},
      {"node", "session_node"},
      {"server_name", "the common name override of TLSOptions"},
      {"ca_pem", "the trusted chain of TLSOptions"},
      {"cert_pem", "the certificate of TLSOptions"},
      {"key_pem", "the key of TLSOptions"},
  };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) ws_set_name(names[i].word, names[i].name);
}
