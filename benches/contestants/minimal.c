/* A minimal WebSocket server in C, to show what the protocol itself costs: epoll, one read buffer, unmasking, framing.
 * It expects unfragmented messages, answers no pings and checks nothing. */
#include "../harness/bench.h"
#include "../load/handshake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ = 128 << 10, HEADER = 10, SHORT = 8 << 10 };

struct bytes {
  uint8_t *data;
  size_t at, end, room;
};

struct conn {
  int fd, open, wants_room;
  struct bytes in;  /* the start of a frame whose end has not come */
  struct bytes out; /* what the socket did not take */
};

static int listener, poller;
static struct conn **conns;
static size_t count, room;
static int more;
static uint8_t buffer[READ];
static struct bytes answers;

static void reserve(struct bytes *b, size_t len) {
  if (b->room - b->end >= len) return;
  size_t wanted = b->end + len, doubled = b->room * 2;
  b->room = wanted > doubled ? wanted : doubled;
  b->data = realloc(b->data, b->room);
}

static void append(struct bytes *b, const uint8_t *data, size_t len) {
  reserve(b, len);
  memcpy(b->data + b->end, data, len);
  b->end += len;
}

static void drop(struct conn *c) {
  for (size_t i = 0; i < count; i++) {
    if (conns[i] == c) conns[i] = conns[--count];
  }
  close(c->fd);
  free(c->in.data);
  free(c->out.data);
  free(c);
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
  append(&c->out, data + n, len - (size_t)n);
  watch(c, 1);
}

static void write_kept(struct conn *c) {
  while (c->out.at < c->out.end) {
    ssize_t n = send(c->fd, c->out.data + c->out.at, c->out.end - c->out.at, MSG_NOSIGNAL);
    if (n < 0) return;
    c->out.at += (size_t)n;
  }
  c->out.at = c->out.end = 0;
  watch(c, 0);
}

static size_t write_header(uint8_t *out, uint8_t first, size_t len) {
  out[0] = first;
  out[1] = (uint8_t)(len < 126 ? len : len < 65536 ? 126 : 127);
  size_t wide = len < 126 ? 0 : len < 65536 ? 2 : 8;
  for (size_t i = 0; i < wide; i++) out[2 + i] = (uint8_t)((uint64_t)len >> 8 * (wide - 1 - i));
  return 2 + wide;
}

static void unmask(uint8_t *out, const uint8_t *in, size_t len, const uint8_t key[4]) {
  uint64_t eight, mask;
  size_t i = 0;
  memcpy(&mask, key, 4);
  memcpy((uint8_t *)&mask + 4, key, 4);
  for (; i + 8 <= len; i += 8) {
    memcpy(&eight, in + i, 8);
    eight ^= mask;
    memcpy(out + i, &eight, 8);
  }
  for (; i < len; i++) out[i] = in[i] ^ key[i % 4];
}

/* The length of the frame that `data` begins with, header included; 0: not known yet. */
static size_t frame_length(const uint8_t *data, size_t have, size_t *header, size_t *len) {
  if (have < 2) return 0;
  *len = data[1] & 0x7f;
  size_t wide = *len == 127 ? 8 : *len == 126 ? 2 : 0;
  *header = 2 + wide + 4;
  if (have < *header) return 0;
  if (wide) *len = 0;
  for (size_t i = 0; i < wide; i++) *len = *len << 8 | data[2 + i];
  return *header + *len;
}

static void send_answers(struct conn *c) {
  if (answers.end) write_or_keep(c, answers.data, answers.end);
  answers.end = 0;
}

/* Echoes every complete frame: short ones together, long ones from where they are, as the new header is shorter than
 * the old one. Returns the bytes used; *missing: how many more the next frame needs, 0 if its header is incomplete. */
static size_t answer_frames(struct conn *c, uint8_t *data, size_t have, size_t *missing) {
  size_t used = 0, header, len;
  for (;;) {
    uint8_t *frame = data + used;
    size_t total = frame_length(frame, have - used, &header, &len);
    if (total == 0 || total > have - used) {
      *missing = total ? total - (have - used) : 0;
      return used;
    }
    used += total;
    if (len <= SHORT) {
      reserve(&answers, HEADER + len);
      answers.end += write_header(answers.data + answers.end, frame[0], len);
      unmask(answers.data + answers.end, frame + header, len, frame + header - 4);
      answers.end += len;
    } else {
      send_answers(c);
      unmask(frame + header, frame + header, len, frame + header - 4);
      write_header(frame + 4, frame[0], len);
      write_or_keep(c, frame + 4, total - 4);
    }
  }
}

static void take(struct conn *c, uint8_t *data, size_t have) {
  size_t missing, used = answer_frames(c, data, have, &missing);
  send_answers(c);
  if (data == buffer) append(&c->in, data + used, have - used);
  else if (used) {
    memmove(c->in.data, data + used, have - used);
    c->in.end = have - used;
  }
  if (missing) reserve(&c->in, missing);
}

static void shake_hands(struct conn *c) {
  struct hello hello = {.have = c->in.end};
  char answer[256];
  if (hello.have >= sizeof hello.text) bench_fail("a request that is too long");
  memcpy(hello.text, c->in.data, hello.have);
  size_t end = hello_end(&hello);
  if (!end) return;
  write_or_keep(c, (const uint8_t *)answer, hello_answer(&hello, answer));
  c->open = 1;
  memmove(c->in.data, c->in.data + end, c->in.end - end);
  c->in.end -= end;
  if (c->in.end) take(c, c->in.data, c->in.end);
}

static void serve(struct conn *c) {
  if (c->wants_room) {
    write_kept(c);
    return;
  }
  if (c->in.end) reserve(&c->in, READ / 2);
  uint8_t *into = c->in.end ? c->in.data + c->in.end : buffer;
  ssize_t n = recv(c->fd, into, c->in.end ? c->in.room - c->in.end : sizeof buffer, 0);
  if (n == 0 || (n < 0 && errno != EAGAIN)) drop(c);
  if (n <= 0) return;
  if (!c->open) {
    if (into == buffer) append(&c->in, buffer, (size_t)n);
    else c->in.end += (size_t)n;
    shake_hands(c);
  } else if (into == buffer) {
    take(c, buffer, (size_t)n);
  } else {
    c->in.end += (size_t)n;
    take(c, c->in.data, c->in.end);
  }
}

static void accept_all(void) {
  int fd;
  while ((fd = accept(listener, NULL, NULL)) >= 0) {
    stream_prepare(fd);
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

int server_open(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
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

static void put_to(size_t first, size_t end, const uint8_t *data, size_t len) {
  reserve(&answers, HEADER + len);
  answers.end = write_header(answers.data, 0x82, len);
  append(&answers, data, len);
  for (size_t i = first; i < end && i < count; i++) {
    if (conns[i]->open) write_or_keep(conns[i], answers.data, answers.end);
  }
  answers.end = 0;
}

void server_put(const uint8_t *data, size_t len) {
  put_to(0, count, data, len);
}

void server_publish(size_t room, const uint8_t *data, size_t len) {
  put_to(room * 10, room * 10 + 10, data, len);
}
