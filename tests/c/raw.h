/* Raw peers: plain sockets that a test drives byte by byte after the opening handshake. */
#ifndef RAW_H
#define RAW_H

#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static inline int raw_listen(int *port) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address;
  socklen_t len = sizeof address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(listener, (struct sockaddr *)&address, sizeof address);
  listen(listener, 8);
  getsockname(listener, (struct sockaddr *)&address, &len);
  *port = ntohs(address.sin_port);
  return listener;
}

static inline void send_all(int fd, const void *bytes, size_t len) {
  for (size_t at = 0; at < len;) {
    ssize_t count = send(fd, (const char *)bytes + at, len - at, MSG_NOSIGNAL);
    if (count > 0) at += (size_t)count;
    else if (errno != EAGAIN) return;
  }
}

/* Connects a wspeer client to a raw server. Returns the raw socket after the request; the response is not yet sent. */
static inline int accept_client(ws_handle *client, const ws_config *config, char *accept_key) {
  int port, fd = -1;
  int listener = raw_listen(&port);
  char url[64], head[4096];
  size_t len = 0;
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
  if (ws_connect(url, config, client) < 0) exit(1);
  fcntl(listener, F_SETFL, O_NONBLOCK);
  double end = now_s() + 10;
  while (now_s() < end) {
    ws_poll(*client);
    if (fd < 0) fd = accept(listener, NULL, NULL);
    if (fd < 0) continue;
    ssize_t count = recv(fd, head + len, sizeof head - 1 - len, MSG_DONTWAIT);
    if (count > 0) len += (size_t)count;
    head[len] = 0;
    if (strstr(head, "\r\n\r\n")) break;
  }
  close(listener);
  char *key = strstr(head, "Sec-WebSocket-Key: ");
  snprintf(accept_key, 25, "%.24s", key ? key + 19 : "");
  return fd;
}

/* SHA-1, for Sec-WebSocket-Accept. */
static inline void sha1(const char *text, uint8_t out[20]) {
  uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  uint8_t data[128] = {0};
  size_t len = strlen(text), blocks = (len + 9 + 63) / 64;
  memcpy(data, text, len);
  data[len] = 0x80;
  for (int i = 0; i < 8; i++) data[blocks * 64 - 1 - (size_t)i] = (uint8_t)(((uint64_t)len * 8) >> (8 * i));
  for (size_t b = 0; b < blocks; b++) {
    uint32_t w[80], v[5];
    for (int i = 0; i < 16; i++) {
      const uint8_t *p = data + b * 64 + 4 * i;
      w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    }
    for (int i = 16; i < 80; i++) {
      uint32_t x = w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16];
      w[i] = x << 1 | x >> 31;
    }
    memcpy(v, h, sizeof v);
    for (int i = 0; i < 80; i++) {
      uint32_t f = i < 20              ? (v[1] & v[2]) | (~v[1] & v[3])
                   : i < 40 || i >= 60 ? v[1] ^ v[2] ^ v[3]
                                       : (v[1] & v[2]) | (v[1] & v[3]) | (v[2] & v[3]);
      uint32_t k = i < 20 ? 0x5A827999 : i < 40 ? 0x6ED9EBA1 : i < 60 ? 0x8F1BBCDC : 0xCA62C1D6;
      uint32_t t = (v[0] << 5 | v[0] >> 27) + f + v[4] + k + w[i];
      v[4] = v[3];
      v[3] = v[2];
      v[2] = v[1] << 30 | v[1] >> 2;
      v[1] = v[0];
      v[0] = t;
    }
    for (int i = 0; i < 5; i++) h[i] += v[i];
  }
  for (int i = 0; i < 20; i++) out[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static inline size_t answer(char *out, size_t cap, const char *key) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char text[128], base64[32];
  uint8_t hash[21] = {0};
  snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
  sha1(text, hash);
  for (int i = 0, o = 0; i < 21; i += 3) {
    uint32_t v = (uint32_t)hash[i] << 16 | (uint32_t)hash[i + 1] << 8 | hash[i + 2];
    for (int k = 0; k < 4; k++) base64[o++] = digits[v >> (18 - 6 * k) & 63];
  }
  base64[27] = '=';
  base64[28] = 0;
  return (size_t)snprintf(
      out, cap,
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
      base64);
}

/* A raw client of a wspeer server after its opening handshake. */
static inline int open_raw(ws_handle server) {
  uint32_t port;
  ws_get_option(server, WS_OPT_PORT, &port);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  /* A small receive buffer, so that the system does not hold all messages of a test for a peer that does not read. */
  int small = 64 * 1024;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)port);
  if (connect(fd, (struct sockaddr *)&address, sizeof address)) exit(1);
  const char *request =
      "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  send_all(fd, request, strlen(request));
  char head[2048] = "";
  size_t len = 0;
  double end = now_s() + 10;
  while (!strstr(head, "\r\n\r\n") && now_s() < end) {
    ws_poll(server);
    ssize_t count = recv(fd, head + len, sizeof head - 1 - len, MSG_DONTWAIT);
    if (count > 0) len += (size_t)count;
    head[len] = 0;
  }
  return fd;
}

/* One frame, with masking key 0 or without a mask. */
static inline size_t put_frame(uint8_t *out, int first, const void *payload, size_t len, int masked) {
  size_t at = 0;
  out[at++] = (uint8_t)first;
  if (len < 126) {
    out[at++] = (uint8_t)((masked ? 0x80 : 0) | (int)len);
  } else if (len < 65536) {
    out[at++] = (uint8_t)((masked ? 0x80 : 0) | 126);
    out[at++] = (uint8_t)(len >> 8);
    out[at++] = (uint8_t)len;
  } else {
    out[at++] = (uint8_t)((masked ? 0x80 : 0) | 127);
    for (int i = 7; i >= 0; i--) out[at++] = (uint8_t)((uint64_t)len >> (8 * i));
  }
  if (masked) {
    memset(out + at, 0, 4);
    at += 4;
  }
  memcpy(out + at, payload, len);
  return at + len;
}

#endif
