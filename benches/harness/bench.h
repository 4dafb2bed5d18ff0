/* The functions that a contestant implements, and those that the harness provides. The harness has main(): a contestant
 * is one file with these functions. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The client role. A frame is: put some messages, flush, later poll. */

/* ws://127.0.0.1:port, or with the PEM file `ca` wss://localhost:port; returns when it is open */
void client_open(int port, const char *ca);
void client_put(const uint8_t *data, size_t len);
void client_flush(void);
void client_poll(void); /* never waits; passes every received message to bench_got() */

/* The server role. */

int server_open(void); /* listens on a free port of 127.0.0.1 and returns it */
/* waits up to wait_ms (0: not at all) for something to do, then accepts, reads and sends every message back */
void server_poll(int wait_ms);
void server_put(const uint8_t *data, size_t len); /* to every client */

/* Only for the role `scale`, and optional. */
int server_more(void); /* 1: server_poll(0) has left something to do; default: 0 */
/* makes rooms: the first ten clients that connected are room 0, the next ten room 1 */
void server_make_rooms(void);
void server_publish(size_t room, const uint8_t *data, size_t len); /* to the clients of a room */

/* Provided by the harness. */
void bench_got(const uint8_t *data, size_t len);
int bench_variant(const char *name); /* 1 when the command line asks for this variant, or for several and this one */
const char *bench_cert(void);        /* the PEM files of a server with TLS; NULL: without */
const char *bench_key(void);
uint64_t bench_outstanding(void);    /* number of messages that have not come back */
void bench_call_begins(void);        /* before the one call whose duration --histogram counts */
void bench_call_ends(void);
void bench_fail(const char *why);    /* ends the run; it does not return */

#ifdef __cplusplus
}
#endif
#endif
