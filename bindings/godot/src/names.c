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
      {"max_put_bytes", "outbound_buffer_size"},
      {"headers", "handshake_headers"},
      {"headers_count", "the number of handshake_headers"},
      {"subprotocols", "supported_protocols"},
      {"max_fragments", "a limit of the library"},
      {"max_header_bytes", "a limit of the library"},
      {"retry_ms", "retry_delay"},
      {"WS_INSECURE", "TLSOptions.client_unsafe()"},
      {"WS_ANY_NAME", "TLSOptions.client_unsafe() with a trusted chain"},
      {"WS_ONLY_CA_PEM", "TLSOptions.client() with a trusted chain"},
      {"WS_BINARY", "WRITE_MODE_BINARY"},
      {"WS_FULL_*", "WSPeer.FullQueuePolicy"},
      {"WS_FULL_DISCONNECT", "FULL_QUEUE_DISCONNECT"},
      {"WS_GET_BODY", "get_received_body()"},
      {"WS_HINT_*", "WSPeer.Hint"},
      {"WS_SIM_*", "WSPeer.SimPreset"},
      {"event.conn of REQUEST", "the peer of request_received"},
      {"ws_accept", "accept_request()"},
      {"ws_connect", "connect_to_url()"},
      {"ws_get_header", "get_received_header()"},
      {"ws_get_log", "the engine's log"},
      {"ws_join_local", "create_client() of another WSMultiplayerPeer"},
      {"ws_pair() and ws_attach()", "accept_stream()"},
      {"ws_reply", "reply_to_request()"},
      {"ws_reply()", "reply_to_request()"},
      {"ws_set_certificate", "set_certificate()"},
      {"pin_sha256", "certificate_pin"},
      {"node", "session_node"},
      {"server_name", "the common name override of TLSOptions"},
      {"ca_pem", "the trusted chain of TLSOptions"},
      {"cert_pem", "the certificate of TLSOptions"},
      {"key_pem", "the key of TLSOptions"},
  };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) ws_set_name(names[i].word, names[i].name);
}
