/* The lower limit: the same bytes over TCP without WebSocket. One recv and one send per frame; a server waits with
 * epoll. */
#include "../harness/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct bytes {
  uint8_t *data;
  size_t at, end, room;
};

static void reserve(struct bytes *b, size_t len) {
  if (b->room - b->end >= len) return;
  while (b->room - b->end < len) b->room = b->room ? b->room * 2 : 64 << 10;
  b->data = realloc(b->data, b->room);
}

/* Sends the queued bytes. Returns 0 when the socket takes no more for now. */
static int send_all(int fd, struct bytes *b) {
  while (b->at < b->end) {
    ssize_t n = send(fd, b->data + b->at, b->end - b->at, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n < 0) bench_fail("send");
    b->at += (size_t)n;
  }
  b->at = b->end = 0;
  return 1;
}

static void prepare(int fd) {
  int one = 1;
  fcntl(fd, F_SETFL, O_NONBLOCK);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static struct sockaddr_in loopback(int port) {
  return (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* The client. */

static int sock;
static struct bytes in, out;
static size_t message_len;

void client_open(int port, const char *ca) {
  if (ca) bench_fail("raw has no TLS");
  struct sockaddr_in address = loopback(port);
  sock = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(sock, (struct sockaddr *)&address, sizeof address) < 0) bench_fail("connect");
  prepare(sock);
}

void client_put(const uint8_t *data, size_t len) {
  if (!message_len) {
    uint32_t hello[2];
    memcpy(hello, "RAW!", 4);
    hello[1] = (uint32_t)len;
    message_len = len;
    client_put((uint8_t *)hello, sizeof hello);
    reserve(&in, len < 256 << 10 ? 256 << 10 : len * 2);
  }
  reserve(&out, len);
  memcpy(out.data + out.end, data, len);
  out.end += len;
}

void client_flush(void) {
  send_all(sock, &out);
}

void client_poll(void) {
  client_flush();
  if (!in.room) reserve(&in, 256 << 10);
  for (;;) {
    size_t room = in.room - in.end;
    ssize_t n = recv(sock, in.data + in.end, room, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) bench_fail("recv");
    in.end += (size_t)n;
    for (; in.end - in.at >= message_len; in.at += message_len) bench_got(in.data + in.at, message_len);
    if (in.at == in.end) in.at = in.end = 0;
    else if (in.room - in.at < message_len + 1) {
      memmove(in.data, in.data + in.at, in.end - in.at);
      in.end -= in.at;
      in.at = 0;
    }
    if ((size_t)n < room) return;
  }
}

/* The server. */

struct conn {
  int fd, wants_room;
  struct bytes out; /* bytes that the socket did not take at once */
};

static int listener, poller;
static struct conn **conns;
static size_t count, room;
static int more;
static uint8_t buffer[128 << 10];

int server_open(void) {
  struct sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 4096) < 0) bench_fail("listen");
  getsockname(listener, (struct sockaddr *)&address, &size);
  prepare(listener);
  poller = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  return ntohs(address.sin_port);
}

static void accept_all(void) {
  int fd;
  while ((fd = accept(listener, NULL, NULL)) >= 0) {
    prepare(fd);
    struct conn *c = calloc(1, sizeof *c);
    c->fd = fd;
    if (count == room) {
      room = room ? room * 2 : 64;
      conns = realloc(conns, room * sizeof *conns);
    }
    conns[count++] = c;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  }
}

static void watch(struct conn *c, int wants_room) {
  if (c->wants_room == wants_room) return;
  c->wants_room = wants_room;
  struct epoll_event event = {.events = wants_room ? EPOLLOUT : EPOLLIN, .data.ptr = c};
  epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
}

static void write_or_keep(struct conn *c, const uint8_t *data, size_t len) {
  ssize_t n = c->out.end ? 0 : send(c->fd, data, len, MSG_NOSIGNAL);
  if (n < 0) n = 0;
  if ((size_t)n == len) return;
  reserve(&c->out, len - (size_t)n);
  memcpy(c->out.data + c->out.end, data + n, len - (size_t)n);
  c->out.end += len - (size_t)n;
  watch(c, 1);
}

static void serve(struct conn *c) {
  if (c->wants_room) {
    if (send_all(c->fd, &c->out)) watch(c, 0);
    return;
  }
  ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
  if (n > 0) write_or_keep(c, buffer, (size_t)n);
  else if (n == 0 || errno != EAGAIN) {
    for (size_t i = 0; i < count; i++) {
      if (conns[i] == c) conns[i] = conns[--count];
    }
    close(c->fd);
    free(c->out.data);
    free(c);
  }
}

void server_poll(int wait_ms) {
  struct epoll_event events[256];
  int n = epoll_wait(poller, events, 256, wait_ms);
  more = n == 256;
  for (int i = 0; i < n; i++) {
    if (events[i].data.ptr) serve(events[i].data.ptr);
    else accept_all();
  }
}

int server_more(void) {
  return more;
}

void server_put(const uint8_t *data, size_t len) {
  for (size_t i = 0; i < count; i++) write_or_keep(conns[i], data, len);
}

void server_publish(size_t room, const uint8_t *data, size_t len) {
  for (size_t i = room * 10; i < room * 10 + 10 && i < count; i++) write_or_keep(conns[i], data, len);
}
