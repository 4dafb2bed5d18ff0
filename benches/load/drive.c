/* Drives a server: many clients in one thread. It also reads the server's CPU clock, so that a server needs no code for
 * it. */
#include "drive.h"

#include "handshake.h"
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct conn {
  struct stream stream;
  struct receiver in;
  struct sender out;
  int wants_room;
};

static const struct plan *plan;
static struct conn *conns;
static int poller;
static uint64_t received;
static uint8_t buffer[256 << 10];

static uint64_t now_ns(clockid_t clock) {
  struct timespec now;
  if (clock_gettime(clock, &now) < 0) die("the server has gone");
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void dial(struct conn *c) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)plan->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct timeval limit = {.tv_sec = 10};
  struct linger drop = {.l_onoff = 1}; /* thousands of ports must not stay in TIME_WAIT after a run */
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &drop, sizeof drop);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) die(strerror(errno));
  if (!plan->raw) handshake_connect(fd, plan->port);
  stream_prepare(fd);
  c->stream.fd = fd;
  c->in = (struct receiver){
      .flavour = plan->raw ? RAW : FROM_SERVER, .len = plan->len, .any_start = strcmp(plan->mode, "fanout") == 0};
  c->out.frame = wire_template(plan->raw ? RAW : FROM_CLIENT, plan->len);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

static void push(struct conn *c) {
  int wants_room = !wire_send(&c->out, &c->stream);
  if (wants_room == c->wants_room) return;
  c->wants_room = wants_room;
  struct epoll_event event = {.events = EPOLLIN | (wants_room ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(poller, EPOLL_CTL_MOD, c->stream.fd, &event);
}

/* Queues one new message for each reply, or a new burst when the last reply is back. */
static void refill(struct conn *c) {
  if (strcmp(plan->mode, "window") == 0) c->out.queued = c->in.received + plan->window;
  else if (strcmp(plan->mode, "burst") == 0 && c->in.received == c->out.queued) c->out.queued += plan->window;
}

static void pull(struct conn *c) {
  uint64_t before = c->in.received;
  for (;;) {
    ssize_t n = stream_read(&c->stream, buffer, sizeof buffer);
    if (n == ENDED) die("the server has ended a connection");
    if (n == WOULD_BLOCK) break;
    wire_take(&c->in, buffer, (size_t)n);
    if ((size_t)n < sizeof buffer) break;
  }
  received += c->in.received - before;
  refill(c);
  push(c);
}

static void turn(int wait_ms) {
  struct epoll_event events[256];
  int count = epoll_wait(poller, events, 256, wait_ms);
  for (int i = 0; i < count; i++) pull(events[i].data.ptr);
}

static void run_until(uint64_t end) {
  while (now_ns(CLOCK_MONOTONIC) < end) turn(1);
}

static void run_messages(uint64_t target) {
  uint64_t limit = now_ns(CLOCK_MONOTONIC) + 60000000000u;
  while (received < target) {
    turn(100);
    if (now_ns(CLOCK_MONOTONIC) > limit) die("messages did not come back within 60 s");
  }
}

static void measure(void) {
  clockid_t clock;
  if (clock_getcpuclockid(plan->pid, &clock) != 0) die("no clock of the server");
  run_until(now_ns(CLOCK_MONOTONIC) + (uint64_t)(plan->warm * 1e9));
  uint64_t before = received, cpu = now_ns(clock), wall = now_ns(CLOCK_MONOTONIC);
  run_until(wall + (uint64_t)(plan->seconds * 1e9));
  cpu = now_ns(clock) - cpu;
  wall = now_ns(CLOCK_MONOTONIC) - wall;
  uint64_t messages = received - before;
  if (!messages) die("no message came");
  printf("{\"messages\": %llu, \"wall_ns\": %llu, \"cpu_ns\": %.1f}\n", (unsigned long long)messages,
         (unsigned long long)wall, (double)cpu / (double)messages);
}

/* Sends one message on each connection (unless the window is 0), then nothing until standard input ends. */
static void hold(void) {
  printf("connected\n");
  fflush(stdout);
  getchar();
  for (size_t i = 0; i < plan->conns; i++) {
    conns[i].out.queued = plan->window;
    push(&conns[i]);
  }
  run_messages(plan->conns * plan->window);
  printf("idle\n");
  fflush(stdout);
  while (getchar() != EOF) continue;
}

int run_drive(const struct plan *given) {
  plan = given;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  poller = epoll_create1(0);
  conns = calloc(plan->conns, sizeof *conns);
  for (size_t i = 0; i < plan->conns; i++) dial(&conns[i]);
  if (strcmp(plan->mode, "hold") == 0) {
    hold();
    return 0;
  }
  for (size_t i = 0; i < plan->conns; i++) {
    refill(&conns[i]);
    push(&conns[i]);
  }
  if (plan->count) run_messages(plan->count);
  else measure();
  return 0;
}
