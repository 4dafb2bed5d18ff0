/* The functions of the header that a web export lacks. Each returns WS_ERR_UNSUPPORTED, and ws_last_error() says why. */
#include "engine.h"

/* ABSENT(name, arguments, what): a function, and what is missing. */
#define ABSENT(name, arguments, what)                                                                                  \
  ws_result name arguments {                                                                                           \
    return engine_unsupported(what);                                                                                   \
  }

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-parameter"
#endif

#define A_SERVER "a page cannot listen: servers and hosts"

ABSENT(ws_listen, (const char *url, const ws_config *config, ws_handle *out), A_SERVER)
ABSENT(ws_host, (const char *url, const ws_config *config, ws_handle *out), A_SERVER)
ABSENT(ws_attach, (const ws_config *config, int32_t role, ws_handle *out), "accept_stream()")
ABSENT(ws_pair, (const ws_config *config, ws_handle *client, ws_handle *server), "pairs")
ABSENT(ws_feed, (ws_handle h, const uint8_t *bytes, size_t len, size_t *taken), "accept_stream()")
ABSENT(ws_take_output, (ws_handle h, uint8_t *buf, size_t cap, size_t *len), "accept_stream()")
ABSENT(ws_accept, (ws_handle conn, const char *subprotocol, const char *const *headers, size_t n), A_SERVER)
ABSENT(ws_reply,
       (ws_handle conn, int32_t status, const char *const *headers, size_t n, const uint8_t *body, size_t len), A_SERVER)
ABSENT(ws_serve, (ws_handle server, const char *prefix, const char *directory, uint32_t flags), A_SERVER)
ABSENT(ws_set_certificate, (ws_handle server, const char *cert_pem, const char *key_pem), A_SERVER)
ABSENT(ws_make_certificate,
       (const char *names, uint32_t days, char *cert, size_t cert_cap, char *key, size_t key_cap, char *sha256,
        size_t sha256_cap),
       "making certificates")
ABSENT(ws_drain, (ws_handle server, uint32_t window_ms, uint32_t retry_ms, const char *url), A_SERVER)
ABSENT(ws_disconnect, (ws_handle h, int32_t target, int32_t code, const char *reason), A_SERVER)
ABSENT(ws_get_waiting, (ws_handle h, ws_handle *out, size_t cap, size_t *count), A_SERVER)
ABSENT(ws_get_topics, (ws_handle h, char *buf, size_t cap, size_t *len), A_SERVER)
ABSENT(ws_subscribe, (ws_handle conn, const char *topic), A_SERVER)
ABSENT(ws_unsubscribe, (ws_handle conn, const char *topic), A_SERVER)
ABSENT(ws_publish, (ws_handle h, const char *topic, int32_t except, const uint8_t *data, size_t len, int32_t type),
       A_SERVER)
ABSENT(ws_publish_latest,
       (ws_handle h, const char *topic, int32_t except, uint32_t key, const uint8_t *data, size_t len, int32_t type),
       A_SERVER)
ABSENT(ws_get_header, (ws_handle h, const char *name, uint32_t index, char *buf, size_t cap, size_t *len),
       "headers of the answer")
ABSENT(ws_set_url, (ws_handle h, const char *url), "reconnect")
ABSENT(ws_set_header, (ws_handle h, const char *name, const char *value), "reconnect")
ABSENT(ws_diagnose, (const char *url, const ws_config *config, ws_handle *out), "diagnose()")
ABSENT(ws_advance_time, (ws_handle h, uint32_t us), "advance_time()")
ABSENT(ws_sim_init, (ws_sim *sim, size_t size, int32_t preset), "simulated networks")
ABSENT(ws_set_sim, (ws_handle h, const ws_sim *sim), "simulated networks")
