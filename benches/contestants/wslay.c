/* wslay as Godot's WebSocketPeer uses it: every message is queued and sent at once; callbacks call send and recv. Godot
 * copies each message once more into its packet buffer, which is left out here. wslay has no handshake, so this uses
 * the load program's. */
#include "../harness/bench.h"
#include "../load/handshake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wslay/wslay.h>

struct conn {
  int fd, echoes, wants_room;
  struct hello *hello; /* while the request arrives */
  wslay_event_context_ptr ctx;
};

static ssize_t on_recv(wslay_event_context_ptr ctx, uint8_t *data, size_t len, int flags, void *user) {
  (void)flags;
  ssize_t n = recv(((struct conn *)user)->fd, data, len, 0);
  if (n > 0) return n;
  wslay_event_set_error(ctx, n < 0 && errno == EAGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
  return -1;
}

static ssize_t on_send(wslay_event_context_ptr ctx, const uint8_t *data, size_t len, int flags, void *user) {
  (void)flags;
  ssize_t n = send(((struct conn *)user)->fd, data, len, MSG_NOSIGNAL);
  if (n >= 0) return n;
  wslay_event_set_error(ctx, errno == EAGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
  return -1;
}

static int on_mask(wslay_event_context_ptr ctx, uint8_t *key, size_t len, void *user) {
  (void)ctx, (void)user;
  static uint8_t pool[256];
  static size_t at = sizeof pool;
  if (at + len > sizeof pool) {
    if (getrandom(pool, sizeof pool, 0) != sizeof pool) return -1;
    at = 0;
  }
  memcpy(key, pool + at, len);
  at += len;
  return 0;
}

static void put(wslay_event_context_ptr ctx, const uint8_t *data, size_t len) {
  struct wslay_event_msg message = {.opcode = WSLAY_BINARY_FRAME, .msg = data, .msg_length = len};
  if (wslay_event_queue_msg(ctx, &message) != 0) bench_fail("wslay_event_queue_msg");
}

static void on_message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *message, void *user) {
  if (message->opcode != WSLAY_BINARY_FRAME) return;
  if (((struct conn *)user)->echoes) put(ctx, message->msg, message->msg_length);
  else bench_got(message->msg, message->msg_length);
}

static const struct wslay_event_callbacks callbacks = {.recv_callback = on_recv,
                                                       .send_callback = on_send,
                                                       .genmask_callback = on_mask,
                                                       .on_msg_recv_callback = on_message};

static struct sockaddr_in loopback(int port) {
  return (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* The client. */

static struct conn peer;

void client_open(int port, const char *ca) {
  if (ca) bench_fail("wslay has no TLS");
  struct sockaddr_in address = loopback(port);
  peer.fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(peer.fd, (struct sockaddr *)&address, sizeof address) < 0) bench_fail("connect");
  handshake_connect(peer.fd, port);
  stream_prepare(peer.fd);
  wslay_event_context_client_init(&peer.ctx, &callbacks, &peer);
}

void client_put(const uint8_t *data, size_t len) {
  put(peer.ctx, data, len);
  if (wslay_event_send(peer.ctx) != 0) bench_fail("wslay_event_send");
}

void client_flush(void) {
}

void client_poll(void) {
  if (wslay_event_recv(peer.ctx) != 0 || wslay_event_send(peer.ctx) != 0) bench_fail("wslay_event_recv");
}

/* The server. */

static int listener, poller;
static struct conn **conns;
static size_t count, room;

int server_open(void) {
  struct sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 4096) < 0) bench_fail("listen");
  getsockname(listener, (struct sockaddr *)&address, &size);
  stream_prepare(listener);
  poller = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  return ntohs(address.sin_port);
}

static void accept_all(void) {
  int fd;
  while ((fd = accept(listener, NULL, NULL)) >= 0) {
    stream_prepare(fd);
    struct conn *c = calloc(1, sizeof *c);
    c->fd = fd;
    c->echoes = 1;
    c->hello = calloc(1, sizeof *c->hello);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  }
}

static void greet(struct conn *c) {
  struct hello *hello = c->hello;
  ssize_t n = recv(c->fd, hello->text + hello->have, sizeof hello->text - hello->have, 0);
  if (n <= 0) return;
  hello->have += (size_t)n;
  if (!hello_end(hello)) return;
  char answer[256];
  size_t len = hello_answer(hello, answer);
  free(hello);
  c->hello = NULL;
  if (send(c->fd, answer, len, MSG_NOSIGNAL) != (ssize_t)len) bench_fail("send");
  wslay_event_context_server_init(&c->ctx, &callbacks, c);
  if (count == room) {
    room = room ? room * 2 : 64;
    conns = realloc(conns, room * sizeof *conns);
  }
  conns[count++] = c;
}

static void drop(struct conn *c) {
  for (size_t i = 0; i < count; i++) {
    if (conns[i] == c) conns[i] = conns[--count];
  }
  close(c->fd);
  wslay_event_context_free(c->ctx);
  free(c);
}

static void move(struct conn *c) {
  if (wslay_event_recv(c->ctx) != 0 || wslay_event_send(c->ctx) != 0 || !wslay_event_want_read(c->ctx)) {
    drop(c);
    return;
  }
  int wants_room = wslay_event_want_write(c->ctx);
  if (wants_room == c->wants_room) return;
  c->wants_room = wants_room;
  struct epoll_event event = {.events = EPOLLIN | (wants_room ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
}

void server_poll(int wait_ms) {
  struct epoll_event events[256];
  int n = epoll_wait(poller, events, 256, wait_ms);
  for (int i = 0; i < n; i++) {
    struct conn *c = events[i].data.ptr;
    if (!c) accept_all();
    else if (c->hello) greet(c);
    else move(c);
  }
}

void server_put(const uint8_t *data, size_t len) {
  for (size_t i = 0; i < count; i++) {
    put(conns[i]->ctx, data, len);
    if (wslay_event_send(conns[i]->ctx) != 0) bench_fail("wslay_event_send");
  }
}
