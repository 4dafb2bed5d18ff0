#include "handshake.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* The key of RFC 6455's example, and the Sec-WebSocket-Accept for it. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

size_t hello_end(struct hello *h) {
  if (h->have >= 8 && memcmp(h->text, "RAW!", 4) == 0) return 8;
  char *end = memmem(h->text, h->have, "\r\n\r\n", 4);
  if (!end && h->have == sizeof h->text) die("a request that is too long");
  return end ? (size_t)(end - h->text) + 4 : 0;
}

size_t hello_raw_length(const struct hello *h) {
  uint32_t len;
  memcpy(&len, h->text + 4, sizeof len);
  return memcmp(h->text, "RAW!", 4) == 0 ? len : 0;
}

size_t hello_answer(const struct hello *h, char out[256]) {
  if (hello_raw_length(h)) return 0;
  const char *line = strcasestr(h->text, "\r\nsec-websocket-key:");
  char joined[128];
  if (!line || sscanf(line + 20, " %64[^\r\n ]", joined) != 1) die("a request without a key");
  strcat(joined, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  uint8_t digest[20];
  char accept[32];
  SHA1((const uint8_t *)joined, strlen(joined), digest);
  EVP_EncodeBlock((uint8_t *)accept, digest, sizeof digest);
  return (size_t)snprintf(
      out, 256,
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
      accept);
}

void handshake_connect(int fd, int port) {
  char text[1024];
  int n = snprintf(
      text, sizeof text,
      "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " KEY
      "\r\nSec-WebSocket-Version: 13\r\n\r\n",
      port);
  if (send(fd, text, (size_t)n, 0) != n) die("the request could not be sent");
  size_t have = 0;
  do { /* one byte at a time, so that no bytes after the response are consumed */
    if (have == sizeof text - 1 || recv(fd, text + have, 1, 0) != 1) die("no answer to the request");
    text[++have] = 0;
  } while (have < 4 || memcmp(text + have - 4, "\r\n\r\n", 4) != 0);
  if (strncmp(text, "HTTP/1.1 101", 12) != 0 || !strstr(text, ACCEPT)) die("not the right answer to the request");
}
