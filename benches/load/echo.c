/* The server for clients under test: checks their messages and sends as many back. */
#include "echo.h"

#include "handshake.h"
#include "wire.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn {
  struct stream stream;
  struct hello hello;
  int open, wants_room;
  struct receiver in;
  struct sender out;
};

static int poller;
static uint8_t buffer[256 << 10];

static void watch(struct conn *c, int wants_room) {
  if (c->wants_room == wants_room) return;
  c->wants_room = wants_room;
  struct epoll_event event = {.events = EPOLLIN | (wants_room ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(poller, EPOLL_CTL_MOD, c->stream.fd, &event);
}

static void echo(struct conn *c) {
  if (!c->out.frame && c->in.received)
    c->out.frame = wire_template(c->in.flavour == RAW ? RAW : FROM_SERVER, c->in.len);
  c->out.queued = c->in.received;
  watch(c, !wire_send(&c->out, &c->stream));
}

/* Reads the opening handshake; bytes after it already belong to messages. */
static void greet(struct conn *c, const uint8_t *bytes, size_t n) {
  size_t room = sizeof c->hello.text - c->hello.have, part = n < room ? n : room;
  memcpy(c->hello.text + c->hello.have, bytes, part);
  size_t before = c->hello.have;
  c->hello.have += part;
  size_t end = hello_end(&c->hello);
  if (!end) return;
  char answer[256];
  size_t len = hello_answer(&c->hello, answer);
  if (len && stream_write(&c->stream, answer, len) != (ssize_t)len) die("the answer was not taken at once");
  c->in.len = hello_raw_length(&c->hello);
  c->in.flavour = c->in.len ? RAW : FROM_CLIENT;
  c->open = 1;
  wire_take(&c->in, bytes + (end - before), n - (end - before));
}

static void serve(struct conn *c) {
  for (;;) {
    ssize_t n = stream_read(&c->stream, buffer, sizeof buffer);
    if (n == WOULD_BLOCK) break;
    if (n == ENDED) {
      if (c->stream.tls) SSL_free(c->stream.tls);
      close(c->stream.fd);
      free(c);
      return;
    }
    if (c->open) wire_take(&c->in, buffer, (size_t)n);
    else greet(c, buffer, (size_t)n);
    if (c->open) echo(c);
    if (!c->stream.tls && (size_t)n < sizeof buffer) break;
  }
  if (c->open) echo(c);
}

static void accept_one(int listener, SSL_CTX *tls) {
  struct conn *c = calloc(1, sizeof *c);
  c->stream.fd = accept(listener, NULL, NULL);
  stream_prepare(c->stream.fd);
  if (tls) {
    c->stream.tls = SSL_new(tls);
    SSL_set_fd(c->stream.tls, c->stream.fd);
    SSL_set_accept_state(c->stream.tls);
  }
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(poller, EPOLL_CTL_ADD, c->stream.fd, &event);
}

int run_echo(const char *cert, const char *key, int tickets) {
  SSL_CTX *tls = cert ? stream_tls(cert, key) : NULL;
  if (tls && !tickets) SSL_CTX_set_num_tickets(tls, 0);
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 128) < 0) die("cannot listen");
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);

  poller = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN}, events[64];
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int count = epoll_wait(poller, events, 64, -1);
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr) serve(events[i].data.ptr);
      else accept_one(listener, tls);
    }
  }
}
