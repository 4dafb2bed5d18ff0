/* CPU cost of a client of a wss server: with a full handshake, and with a session that a ticket resumes.
 *   accept CERT.pem KEY.pem
 * A client, in a process of its own and with OpenSSL: connects, TLS 1.3, the opening handshake, and is gone. CPU is that
 * of the server's process, the library's worker included. Blocks alternate; the first of each does not count. Prints
 * medians, accepts a second of one core, and the median of the ratios within a round. */
#define _POSIX_C_SOURCE 200809L
#include "wspeer.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 15, BLOCK = 40 };

static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

static void check(int ok, const char *what) {
  if (ok) return;
  fprintf(stderr, "accept: %s\n", what);
  exit(1);
}

static char *read_file(const char *path) {
  static char texts[2][1 << 16];
  static int count;
  FILE *file = fopen(path, "rb");
  check(file && fread(texts[count], 1, sizeof texts[0] - 1, file) > 0, path);
  fclose(file);
  return texts[count++];
}

static double cpu_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

/* ---- The process of clients ---- */

/* One client, which resumes `session` if there is one. Returns its own session. */
static SSL_SESSION *visit(SSL_CTX *context, uint16_t port, SSL_SESSION *session) {
  char answer[1024];
  int reads = 0, got = 0;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  check(connect(descriptor, (struct sockaddr *)&to, sizeof to) == 0, "connect");
  SSL *tls = SSL_new(context);
  SSL_set_fd(tls, descriptor);
  if (session) SSL_set_session(tls, session);
  check(SSL_connect(tls) == 1, "the TLS handshake");
  check(SSL_session_reused(tls) == (session != NULL), "whether the session is resumed");
  check(SSL_write(tls, request, sizeof request - 1) > 0, "the request");
  while (got < 4 || memcmp(answer + got - 4, "\r\n\r\n", 4) != 0) {
    reads = SSL_read(tls, answer + got, (int)sizeof answer - got);
    check(reads > 0, "the answer");
    got += reads;
  }
  /* The tickets have come before the answer. */
  SSL_SESSION *own = SSL_get1_session(tls);
  /* Without this OpenSSL takes the session for one that failed. */
  SSL_set_shutdown(tls, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(tls);
  close(descriptor);
  return own;
}

/* Each byte of the input is a block: 'f' of full handshakes, 'r' of resumed ones. Writes a byte behind each. */
static void visit_all(uint16_t port, int in, int out) {
  char kind;
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_SESSION *last = visit(context, port, NULL);
  while (read(in, &kind, 1) == 1) {
    for (int i = 0; i < BLOCK; i++) {
      SSL_SESSION *next = visit(context, port, kind == 'r' ? last : NULL);
      SSL_SESSION_free(last);
      last = next;
    }
    check(write(out, &kind, 1) == 1, "write");
  }
}

/* ---- The server ---- */

static ws_handle server;
static int to_clients, from_clients;

static double block_us(char kind) {
  ws_event event;
  struct timeval none = {0, 0};
  char done = 0;
  double start = cpu_us();
  check(write(to_clients, &kind, 1) == 1, "write");
  while (!done) {
    fd_set readable;
    ws_wait(&server, 1, 50);
    ws_poll(server);
    while (ws_next_event(server, &event) == WS_OK) {}
    FD_ZERO(&readable);
    FD_SET(from_clients, &readable);
    if (select(from_clients + 1, &readable, NULL, NULL, &none) == 1) check(read(from_clients, &done, 1) == 1, "read");
  }
  return (cpu_us() - start) / BLOCK;
}

static int by_size(const void *a, const void *b) {
  double one = *(const double *)a, other = *(const double *)b;
  return (one > other) - (one < other);
}

static double median(double *values) {
  qsort(values, ROUNDS, sizeof *values, by_size);
  return values[ROUNDS / 2];
}

int main(int count, char **words) {
  double full[ROUNDS], resumed[ROUNDS], ratio[ROUNDS];
  uint32_t port = 0;
  int there[2], back[2];
  ws_config config;
  check(count == 3, "usage: accept CERT.pem KEY.pem");
  ws_config_init(&config, sizeof config);
  config.cert_pem = read_file(words[1]);
  config.key_pem = read_file(words[2]);
  check(ws_listen("wss://127.0.0.1:0", &config, &server) == WS_OK, "ws_listen");
  ws_get_option(server, WS_OPT_PORT, &port);
  check(pipe(there) == 0 && pipe(back) == 0, "pipe");
  pid_t clients = fork();
  if (clients == 0) {
    close(there[1]);
    visit_all((uint16_t)port, there[0], back[1]);
    _exit(0);
  }
  close(there[0]);
  to_clients = there[1];
  from_clients = back[0];
  block_us('f');
  block_us('r');
  for (int i = 0; i < ROUNDS; i++) {
    full[i] = block_us('f');
    resumed[i] = block_us('r');
    ratio[i] = resumed[i] / full[i];
  }
  close(to_clients);
  waitpid(clients, NULL, 0);
  double share = median(ratio), of_full = median(full), of_resumed = median(resumed);
  printf("CPU of the server for a client, %d rounds of %d: full handshake %.0f us (%.0f accepts a second), resumed %.0f us"
         " (%.0f), resumed / full %.2f\n",
         ROUNDS, BLOCK, of_full, 1e6 / of_full, of_resumed, 1e6 / of_resumed, share);
  return 0;
}
