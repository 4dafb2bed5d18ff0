/* Many clients of one server in one thread, for measurements of a server with thousands of connections. Each command on
 * standard input is answered with one line of JSON, except `send`:
 *   connect              opens all connections, at most DIALS at a time
 *   send COUNT HZ        the first COUNT clients each send HZ messages a second, spread evenly
 *   stop                 they stop
 *   await MESSAGES BYTES waits until at least so many messages and payload bytes have been received since `connect`
 * The end of the input ends the program, which resets all connections. */
#include "crowd.h"

#include "stream.h"

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

enum { DIALS = 32, ANSWER = 1024, CONTROL = 125, PATIENCE_S = 60 };
enum state { IDLE, DIALLING, ASKING, OPEN };

struct conn {
  struct stream stream;
  enum state state;
  char *answer;         /* to the opening handshake, while it arrives */
  size_t answer_len;
  uint8_t header[10];   /* of the frame that arrives */
  uint8_t control[CONTROL];
  size_t have, at, len; /* bytes of the header and of the payload that have arrived; length of the payload */
};

static const struct crowd *crowd;
static struct conn *conns;
static int poller;
static SSL_CTX *tls;
static size_t dialled, opened;
static uint64_t messages, bytes, sent;
static uint8_t buffer[256 << 10], frame[14 + 64 + 4096];
static size_t frame_len;

static size_t senders, next_sender;
static double rate; /* messages a second of all senders */
static uint64_t began_ns, begun_with;

static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void watch(struct conn *c, int how, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  if (epoll_ctl(poller, how, c->stream.fd, &event) < 0) die("epoll_ctl");
}

/* ---- Messages to the server ---- */

static size_t write_frame(uint8_t *out, uint8_t first, const uint8_t *payload, size_t len) {
  size_t n = 2;
  out[0] = first;
  out[1] = (uint8_t)(0x80 | (len < 126 ? len : 126));
  if (len >= 126) {
    out[n++] = (uint8_t)(len >> 8);
    out[n++] = (uint8_t)len;
  }
  memcpy(out + n, key, 4);
  n += 4;
  for (size_t i = 0; i < len; i++) out[n++] = payload[i] ^ key[i % 4];
  return n;
}

static void make_frame(void) {
  uint8_t payload[4096];
  size_t len = crowd->payload ? strlen(crowd->payload) / 2 : crowd->len;
  if (len > sizeof payload) die("a payload that is too long");
  for (size_t i = 0; i < len; i++) {
    unsigned byte = (unsigned)i;
    if (crowd->payload && sscanf(crowd->payload + 2 * i, "%2x", &byte) != 1) die("a payload that is not hexadecimal");
    payload[i] = (uint8_t)byte;
  }
  frame_len = crowd->raw ? len : write_frame(frame, crowd->payload ? 0xc2 : 0x82, payload, len);
  if (crowd->raw) memcpy(frame, payload, len);
}

/* Short messages at a modest rate: a socket that is full means that the server does not read. */
static void send_whole(struct conn *c, const uint8_t *data, size_t len) {
  if (stream_write(&c->stream, data, len) != (ssize_t)len) die("a message was not taken at once");
}

static void send_due(void) {
  if (rate <= 0) return;
  uint64_t due = begun_with + (uint64_t)((double)(now_ns() - began_ns) * 1e-9 * rate);
  for (; sent < due; sent++) {
    send_whole(&conns[next_sender], frame, frame_len);
    next_sender = (next_sender + 1) % senders;
  }
}

/* ---- Messages from the server ---- */

static void end_of_frame(struct conn *c) {
  uint8_t pong[CONTROL + 14];
  switch (c->header[0] & 0x0f) {
    case 1:
    case 2:
      messages++;
      bytes += c->len;
      break;
    case 8: die("the server has closed a connection");
    case 9: send_whole(c, pong, write_frame(pong, 0x8a, c->control, c->len)); break;
    default: die("an unexpected frame");
  }
  c->have = c->at = 0;
}

static size_t header_size(const struct conn *c) {
  if (c->have < 2 || c->header[1] < 126) return 2;
  return c->header[1] == 126 ? 4 : 10;
}

static void take(struct conn *c, const uint8_t *data, size_t n) {
  if (crowd->raw) {
    bytes += n;
    return;
  }
  while (n) {
    if (c->have < header_size(c)) {
      c->header[c->have++] = *data++;
      n--;
      size_t size = header_size(c);
      if (c->have < size) continue;
      c->len = size == 2 ? c->header[1] : 0;
      for (size_t i = 2; i < size; i++) c->len = c->len << 8 | c->header[i];
      if ((c->header[0] & 8) && c->len > CONTROL) die("a control frame that is too long");
      if (!c->len) end_of_frame(c);
      continue;
    }
    size_t piece = c->len - c->at < n ? c->len - c->at : n;
    if (c->header[0] & 8) memcpy(c->control + c->at, data, piece);
    c->at += piece;
    data += piece;
    n -= piece;
    if (c->at == c->len) end_of_frame(c);
  }
}

/* ---- Opening ---- */

static void dial(struct conn *c) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)crowd->port)};
  struct sockaddr_in from = {.sin_family = AF_INET};
  struct linger drop = {.l_onoff = 1}; /* thousands of ports must not stay in TIME_WAIT after a run */
  int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0) die(strerror(errno));
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &drop, sizeof drop);
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  if (inet_pton(AF_INET, crowd->from, &from.sin_addr) != 1 || bind(fd, (struct sockaddr *)&from, sizeof from) < 0)
    die("the source address cannot be used");
  stream_prepare(fd);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) die(strerror(errno));
  c->stream.fd = fd;
  c->state = DIALLING;
  watch(c, EPOLL_CTL_ADD, EPOLLOUT);
  dialled++;
}

static void is_open(struct conn *c) {
  free(c->answer);
  c->answer = NULL;
  c->state = OPEN;
  opened++;
  watch(c, EPOLL_CTL_MOD, EPOLLIN);
  if (dialled < crowd->conns) dial(&conns[dialled]);
}

static void ask(struct conn *c) {
  char text[512];
  int n = snprintf(text, sizeof text,
                   "GET / HTTP/1.1\r\nHost: localhost:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                   crowd->port, crowd->deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
  send_whole(c, (uint8_t *)text, (size_t)n);
  c->answer = malloc(ANSWER);
  c->answer_len = 0;
  c->state = ASKING;
  watch(c, EPOLL_CTL_MOD, EPOLLIN);
}

static void go_on_dialling(struct conn *c) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(c->stream.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error) die(strerror(error));
  if (crowd->raw) {
    is_open(c);
    return;
  }
  if (crowd->tls && !c->stream.tls) {
    c->stream.tls = SSL_new(tls);
    SSL_set_fd(c->stream.tls, c->stream.fd);
    SSL_set_connect_state(c->stream.tls);
    SSL_set_tlsext_host_name(c->stream.tls, "localhost");
  }
  if (!c->stream.tls) {
    ask(c);
    return;
  }
  int n = SSL_do_handshake(c->stream.tls);
  if (n == 1) ask(c);
  else if (SSL_get_error(c->stream.tls, n) == SSL_ERROR_WANT_READ) watch(c, EPOLL_CTL_MOD, EPOLLIN);
  else if (SSL_get_error(c->stream.tls, n) == SSL_ERROR_WANT_WRITE) watch(c, EPOLL_CTL_MOD, EPOLLOUT);
  else die("the TLS handshake failed");
}

/* Returns the number of bytes that belong to the answer. */
static size_t take_answer(struct conn *c, const uint8_t *data, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (c->answer_len == ANSWER - 1) die("an answer that is too long");
    c->answer[c->answer_len++] = (char)data[i];
    if (c->answer_len < 4 || memcmp(c->answer + c->answer_len - 4, "\r\n\r\n", 4) != 0) continue;
    c->answer[c->answer_len] = 0;
    if (strncmp(c->answer, "HTTP/1.1 101", 12) != 0) die("the server did not open a WebSocket");
    if (crowd->deflate && !strcasestr(c->answer, "permessage-deflate")) die("the server did not agree to compress");
    is_open(c);
    return i + 1;
  }
  return n;
}

static void read_all(struct conn *c) {
  for (;;) {
    ssize_t n = stream_read(&c->stream, buffer, sizeof buffer);
    if (n == ENDED) die("the server has ended a connection");
    if (n == WOULD_BLOCK) return;
    size_t used = c->state == ASKING ? take_answer(c, buffer, (size_t)n) : 0;
    take(c, buffer + used, (size_t)n - used);
    if (!c->stream.tls && (size_t)n < sizeof buffer) return;
  }
}

/* ---- Commands ---- */

/* Sleeps until something arrives or, with senders, for a millisecond. */
static void turn(void) {
  struct epoll_event events[256];
  int count = epoll_wait(poller, events, 256, rate > 0 ? 1 : 100);
  for (int i = 0; i < count; i++) {
    struct conn *c = events[i].data.ptr;
    if (!c) continue; /* standard input */
    if (c->state == DIALLING) go_on_dialling(c);
    else read_all(c);
  }
  send_due();
}

static void answer_progress(void) {
  printf("{\"open\": %zu, \"messages\": %llu, \"bytes\": %llu, \"sent\": %llu}\n", opened, (unsigned long long)messages,
         (unsigned long long)bytes, (unsigned long long)sent);
  fflush(stdout);
}

static int is_patient(uint64_t since) {
  if (now_ns() - since < PATIENCE_S * 1000000000ull) return 1;
  fprintf(stderr, "load: %zu open, %llu messages, %llu bytes\n", opened, (unsigned long long)messages,
          (unsigned long long)bytes);
  die("the server is too slow");
}

static void connect_all(void) {
  uint64_t since = now_ns();
  for (int i = 0; i < DIALS && dialled < crowd->conns; i++) dial(&conns[dialled]);
  while (opened < crowd->conns && is_patient(since)) turn();
}

static void obey(const char *line) {
  unsigned long long a = 0, b = 0;
  uint64_t since = now_ns();
  if (strncmp(line, "connect", 7) == 0) {
    connect_all();
  } else if (sscanf(line, "send %llu %llu", &a, &b) == 2) {
    senders = a;
    next_sender = 0;
    rate = (double)a * (double)b;
    began_ns = now_ns();
    begun_with = sent;
    return;
  } else if (strncmp(line, "stop", 4) == 0) {
    rate = 0;
  } else if (sscanf(line, "await %llu %llu", &a, &b) == 2) {
    while ((messages < a || bytes < b) && is_patient(since)) turn();
  } else {
    die("an unknown command");
  }
  answer_progress();
}

int run_crowd(const struct crowd *given) {
  crowd = given;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (crowd->tls) {
    tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS); /* less memory for idle connections */
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
  }
  make_frame();
  poller = epoll_create1(0);
  conns = calloc(crowd->conns, sizeof *conns);
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
  char line[256];
  setvbuf(stdin, NULL, _IONBF, 0);
  for (;;) {
    struct timeval none = {0};
    fd_set input;
    FD_ZERO(&input);
    FD_SET(STDIN_FILENO, &input);
    if (select(STDIN_FILENO + 1, &input, NULL, NULL, &none) <= 0) {
      turn();
      continue;
    }
    if (!fgets(line, sizeof line, stdin)) return 0;
    obey(line);
  }
}
