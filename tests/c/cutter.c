/* A TCP proxy on loopback or between network namespaces for tests/players/run.py. Killed, it resets all its
   connections. Lines on standard input steer it:

     swallow     from now on all bytes are read and discarded, also those of new connections
     reset       all connections are reset, and new ones are forwarded again

   It prints "ready PORT". The end of the input ends it. Usage: cutter LISTEN_HOST PORT (0: any) HOST PORT */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 16384, EVENTS = 256 };

typedef struct pair pair;

/* One socket of a pair, and the bytes that are to be written to it. */
typedef struct side {
  pair *both;
  int fd;
  int ended;   /* it sends no more */
  int told;    /* the other side's end was passed on to it */
  uint32_t interest;
  size_t from, len;
  char bytes[BUFFER];
} side;

struct pair {
  side sides[2];
  pair *previous, *next;
  int swallows, dead;
};

static int queue, swallowing;
static pair *pairs;

/* The kernel resets such a connection at close(), and when this process is killed. */
static void reset_at_close(int fd, int on) {
  struct linger linger = {on, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

static void end_pair(pair *p, int reset) {
  if (p->dead) return;
  p->dead = 1; /* freed behind the events of this round */
  for (int i = 0; i < 2; i++) {
    reset_at_close(p->sides[i].fd, reset);
    close(p->sides[i].fd);
  }
}

/* Moves what one side sends to the other. Returns 0 when the pair has to be reset. */
static int move(side *source, side *target) {
  for (;;) {
    if (!target->len && !source->ended) {
      ssize_t count = recv(source->fd, target->bytes, BUFFER, MSG_DONTWAIT);
      if (count < 0) return errno == EAGAIN || errno == EINTR;
      if (count == 0) source->ended = 1;
      target->from = 0;
      target->len = source->both->swallows ? 0 : (size_t)count;
      if (source->both->swallows && count > 0) continue;
    }
    if (!target->len) break;
    ssize_t count = send(target->fd, target->bytes + target->from, target->len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0) return errno == EAGAIN || errno == EINTR || errno == ENOTCONN;
    target->from += (size_t)count;
    target->len -= (size_t)count;
    if (target->len) return 1;
  }
  if (source->ended && !target->told && !source->both->swallows) {
    target->told = 1;
    shutdown(target->fd, SHUT_WR);
  }
  return 1;
}

static void watch(side *one, side *other, int operation) {
  uint32_t interest = (!other->len && !one->ended ? EPOLLIN : 0u) | (one->len ? EPOLLOUT : 0u);
  struct epoll_event event = {interest, {.ptr = one}};
  if (operation == EPOLL_CTL_MOD && interest == one->interest) return;
  one->interest = interest;
  epoll_ctl(queue, operation, one->fd, &event);
}

static void serve(pair *p) {
  side *a = &p->sides[0], *b = &p->sides[1];
  if (p->dead) return;
  if (!move(a, b) || !move(b, a)) {
    end_pair(p, 1);
  } else if (a->ended && b->ended && !a->len && !b->len) {
    end_pair(p, 0);
  } else {
    watch(a, b, EPOLL_CTL_MOD);
    watch(b, a, EPOLL_CTL_MOD);
  }
}

static void accept_all(int listener, const struct sockaddr_in *target) {
  for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
    pair *p = calloc(1, sizeof *p);
    int on = 1;
    if (!p) exit(1);
    p->swallows = swallowing;
    p->sides[0].fd = fd;
    p->sides[1].fd = socket(AF_INET, SOCK_STREAM, 0);
    p->next = pairs;
    if (pairs) pairs->previous = p;
    pairs = p;
    for (int i = 0; i < 2; i++) {
      p->sides[i].both = p;
      reset_at_close(p->sides[i].fd, 1);
      fcntl(p->sides[i].fd, F_SETFL, O_NONBLOCK);
      setsockopt(p->sides[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      watch(&p->sides[i], &p->sides[1 - i], EPOLL_CTL_ADD);
    }
    if (connect(p->sides[1].fd, (const struct sockaddr *)target, sizeof *target) < 0 && errno != EINPROGRESS)
      end_pair(p, 1);
  }
}

static void free_dead(void) {
  for (pair *p = pairs, *next; p; p = next) {
    next = p->next;
    if (!p->dead) continue;
    if (p->previous) p->previous->next = next;
    else pairs = next;
    if (next) next->previous = p->previous;
    free(p);
  }
}

/* Returns 0 at the end of input. A command comes in one read. */
static int obey(void) {
  char line[64];
  ssize_t count = read(STDIN_FILENO, line, sizeof line - 1);
  if (count <= 0) return 0;
  swallowing = !strncmp(line, "swallow", 7);
  for (pair *p = pairs; p; p = p->next) {
    if (swallowing) p->swallows = 1;
    else end_pair(p, 1);
  }
  return 1;
}

static struct sockaddr_in address_of(const char *host, const char *port) {
  struct sockaddr_in address = {0};
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)atoi(port));
  inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  struct sockaddr_in own = address_of(argv[1], argv[2]), target = address_of(argv[3], argv[4]);
  int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  socklen_t size = sizeof own;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&own, sizeof own) || listen(listener, 4096)) {
    perror("cutter");
    return 1;
  }
  getsockname(listener, (struct sockaddr *)&own, &size);
  fcntl(listener, F_SETFL, O_NONBLOCK);
  queue = epoll_create1(0);
  static int input;
  struct epoll_event events[EVENTS], event = {EPOLLIN, {.ptr = &listener}}, commands = {EPOLLIN, {.ptr = &input}};
  epoll_ctl(queue, EPOLL_CTL_ADD, listener, &event);
  epoll_ctl(queue, EPOLL_CTL_ADD, STDIN_FILENO, &commands);
  printf("ready %u\n", ntohs(own.sin_port));
  fflush(stdout);
  for (int running = 1; running;) {
    int count = epoll_wait(queue, events, EVENTS, -1);
    int ended = 0;
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr == &input) running = obey(), ended = 1;
      else if (events[i].data.ptr == &listener) accept_all(listener, &target);
      else {
        pair *p = ((side *)events[i].data.ptr)->both;
        serve(p);
        ended += p->dead;
      }
    }
    if (ended) free_dead();
  }
  return 0;
}
