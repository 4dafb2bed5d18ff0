/* libwebsockets: messages are queued here; the writeable callback sends as many as the socket takes. Variant uv: libuv
 * waits for the sockets instead of poll(). */
#include "../harness/bench.h"

#include <libwebsockets.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { CHUNK = 64 << 10 };

struct message {
  struct message *next;
  size_t len;
  uint8_t bytes[]; /* LWS_PRE bytes of headroom, then the payload */
};

/* One connection; lws allocates it with its own data. */
struct session {
  struct lws *wsi;
  struct session *next, *before;
  struct message *first, *last;
  uint8_t *whole; /* a message that arrives in fragments */
  size_t have, room;
};

static struct lws_context *context;
static struct session *sessions, *peer;
static uv_loop_t loop;

static void queue(struct session *s, const uint8_t *data, size_t len) {
  struct message *m = malloc(sizeof *m + LWS_PRE + len);
  m->next = NULL;
  m->len = len;
  memcpy(m->bytes + LWS_PRE, data, len);
  if (s->last) s->last->next = m;
  else s->first = m;
  s->last = m;
}

static int write_some(struct session *s) {
  while (s->first && !lws_send_pipe_choked(s->wsi)) {
    struct message *m = s->first;
    if (lws_write(s->wsi, m->bytes + LWS_PRE, m->len, LWS_WRITE_BINARY) < (int)m->len) return -1;
    s->first = m->next;
    if (!s->first) s->last = NULL;
    free(m);
  }
  if (s->first) lws_callback_on_writable(s->wsi);
  return 0;
}

static void deliver(struct session *s, const uint8_t *data, size_t len, int echo) {
  if (!echo) {
    bench_got(data, len);
    return;
  }
  queue(s, data, len);
  lws_callback_on_writable(s->wsi);
}

static void receive(struct session *s, const uint8_t *data, size_t len, int echo) {
  int last = lws_is_final_fragment(s->wsi) && lws_remaining_packet_payload(s->wsi) == 0;
  if (last && s->have == 0) {
    deliver(s, data, len, echo);
    return;
  }
  if (s->have + len > s->room) {
    s->room = (s->have + len) * 2;
    s->whole = realloc(s->whole, s->room);
  }
  memcpy(s->whole + s->have, data, len);
  s->have += len;
  if (!last) return;
  deliver(s, s->whole, s->have, echo);
  s->have = 0;
}

static void begin(struct session *s, struct lws *wsi) {
  memset(s, 0, sizeof *s);
  s->wsi = wsi;
  s->next = sessions;
  if (sessions) sessions->before = s;
  sessions = s;
}

static void end(struct session *s) {
  if (s->before) s->before->next = s->next;
  else sessions = s->next;
  if (s->next) s->next->before = s->before;
  while (s->first) {
    struct message *m = s->first;
    s->first = m->next;
    free(m);
  }
  free(s->whole);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
  struct session *s = user;
  switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED: peer = s;
    /* fall through */
    case LWS_CALLBACK_ESTABLISHED: begin(s, wsi); return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE: receive(s, in, len, 0); return 0;
    case LWS_CALLBACK_RECEIVE: receive(s, in, len, 1); return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
    case LWS_CALLBACK_SERVER_WRITEABLE: return write_some(s);
    case LWS_CALLBACK_CLOSED: end(s); return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR: bench_fail(in ? in : "no connection"); return -1;
    default: return 0;
  }
}

static const struct lws_protocols protocols[] = {
    {.name = "bench", .callback = on_event, .per_session_data_size = sizeof(struct session), .rx_buffer_size = CHUNK},
    {.name = NULL}};

static void create(int port) {
  lws_set_log_level(0, NULL);
  struct lws_context_creation_info info = {
      .port = port, .protocols = protocols, .pt_serv_buf_size = CHUNK, .iface = "127.0.0.1", .gid = -1, .uid = -1};
  void *loops[] = {&loop};
  if (bench_variant("uv")) {
    uv_loop_init(&loop);
    info.options |= LWS_SERVER_OPTION_LIBUV;
    info.foreign_loops = loops;
  }
  if (bench_cert()) {
    info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.ssl_cert_filepath = bench_cert();
    info.ssl_private_key_filepath = bench_key();
  }
  context = lws_create_context(&info);
  if (!context) bench_fail("lws_create_context");
}

static void no_delay(struct lws *wsi) {
  int one = 1;
  setsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* The client. */

void client_open(int port, const char *ca) {
  if (ca) bench_fail("not measured over TLS");
  create(CONTEXT_PORT_NO_LISTEN);
  struct lws_client_connect_info info = {.context = context,
                                         .address = "127.0.0.1",
                                         .port = port,
                                         .path = "/",
                                         .host = "127.0.0.1",
                                         .origin = "127.0.0.1",
                                         .local_protocol_name = "bench"};
  if (!lws_client_connect_via_info(&info)) bench_fail("lws_client_connect_via_info");
  while (!peer) lws_service(context, 0);
  no_delay(peer->wsi);
}

void client_put(const uint8_t *data, size_t len) {
  queue(peer, data, len);
}

void client_flush(void) {
  lws_callback_on_writable(peer->wsi);
  lws_service(context, -1);
}

/* One service call handles one piece of the received data; -1 means that it does not wait. */
void client_poll(void) {
  lws_service(context, -1);
}

/* The server. */

int server_open(void) {
  create(0);
  struct lws_vhost *vhost = lws_get_vhost_by_name(context, "default");
  return lws_get_vhost_listen_port(vhost);
}

static void on_time(lws_sorted_usec_list_t *timer) {
  (void)timer;
}

void server_poll(int wait_ms) {
  static lws_sorted_usec_list_t timer; /* lws_service() ignores a wait time: a timer ends it */
  if (bench_variant("uv")) {
    struct pollfd sockets = {uv_backend_fd(&loop), POLLIN, 0};
    if (wait_ms) poll(&sockets, 1, wait_ms);
    uv_run(&loop, UV_RUN_NOWAIT);
    return;
  }
  if (wait_ms) lws_sul_schedule(context, 0, &timer, on_time, (lws_usec_t)wait_ms * 1000);
  lws_service(context, wait_ms ? 0 : -1);
}

void server_put(const uint8_t *data, size_t len) {
  for (struct session *s = sessions; s; s = s->next) {
    queue(s, data, len);
    lws_callback_on_writable(s->wsi);
  }
}
