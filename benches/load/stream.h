/* A non-blocking TCP or TLS stream. Errors end the program, as a measurement with a failing load program is
 * worthless. */
#ifndef LOAD_STREAM_H
#define LOAD_STREAM_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct stream {
  int fd;
  SSL *tls; /* NULL: plain */
};

enum { WOULD_BLOCK = -1, ENDED = 0 };

ssize_t stream_read(struct stream *s, void *buf, size_t len);        /* > 0, ENDED or WOULD_BLOCK */
ssize_t stream_write(struct stream *s, const void *buf, size_t len); /* > 0 or WOULD_BLOCK */
void stream_prepare(int fd);                                         /* non-blocking, TCP_NODELAY */
SSL_CTX *stream_tls(const char *cert, const char *key);
void die(const char *what) __attribute__((noreturn));

#endif
