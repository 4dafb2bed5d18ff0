/* The streams of the load program; see stream.h. The contestant wslay is linked with this file too. */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void die(const char *what) {
  fprintf(stderr, "load: %s\n", what);
  exit(1);
}

/* Converts the result of SSL_read() or SSL_write(). ENDED: close_notify or any error. */
static ssize_t tls_result(struct stream *s, int n) {
  if (n > 0) return n;
  switch (SSL_get_error(s->tls, n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return WOULD_BLOCK;
    default: return ENDED;
  }
}

ssize_t stream_read(struct stream *s, void *buf, size_t len) {
  if (s->tls) return tls_result(s, SSL_read(s->tls, buf, (int)len));
  ssize_t n = recv(s->fd, buf, len, 0);
  if (n >= 0) return n;
  return errno == EAGAIN ? WOULD_BLOCK : ENDED;
}

ssize_t stream_write(struct stream *s, const void *buf, size_t len) {
  ssize_t n = s->tls ? tls_result(s, SSL_write(s->tls, buf, (int)len)) : send(s->fd, buf, len, MSG_NOSIGNAL);
  if (n > 0) return n;
  if (s->tls ? n == WOULD_BLOCK : errno == EAGAIN) return WOULD_BLOCK; /* errno is that of send() */
  die("the other end has gone");
}

void stream_prepare(int fd) {
  int one = 1;
  fcntl(fd, F_SETFL, O_NONBLOCK);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

SSL_CTX *stream_tls(const char *cert, const char *key) {
  SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
  if (!tls || SSL_CTX_use_certificate_chain_file(tls, cert) != 1 ||
      SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1) {
    die("the certificate or key cannot be read");
  }
  SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION);
  /* Like send(), a write may take only a part, and the remainder may be passed at another address. */
  SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return tls;
}
