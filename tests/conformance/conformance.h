/* What the files of the conformance program in C share: the trace, and polling. */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include "wspeer.h"

/* A handle of a scenario, and its name at the start of lines: "" if there is only one. */
typedef struct {
  const char *name;
  ws_handle h;
  int32_t id; /* multiplayer */
} end;

void begin_line(const char *name);
/* A failed call prints a line with its verb, the name of the result and the error message. */
ws_result check(const char *verb, ws_result result);
/* A text WS_GET_*, in one of four buffers that are used in turn. */
const char *text_of(ws_handle h, int32_t what);
unsigned adler32(const uint8_t *data, size_t len);
const char *peer_name(int32_t id);
void print_packet(const char *name, const ws_packet *packet);
void print_event(const char *name, const ws_event *event);
/* What a packet of type WS_SPAWN, WS_DESPAWN or WS_SYNC brings, one line for each node. */
void print_nodes(const char *name, const ws_packet *packet);

/* All ends that were added are polled while one is waited for. */
void add_end(end *one);
void forget_ends(void);
void free_all(void);
void poll_all(void);
/* What a scenario does in each round of polling besides; NULL: nothing. */
extern void (*between_polls)(void);
/* The next event of one end within 10 s; all ends are polled. */
ws_event next_event(const end *one);
void take(const end *one, int count);
/* Prints events up to the first of this type. */
void until(const end *one, int32_t type);
ws_result put(ws_handle h, const char *text);
void listen_here(end *server, const ws_config *config);

/* Runs a scenario whose ends are all in this program. Returns 0 if it has no such scenario. */
int run_local(const char *name);

#endif
