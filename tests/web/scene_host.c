/* A host of Godot 4's scene controlled by a client. A raw packet "!" with hexadecimal digits is answered with those
   bytes, and "text" with a text message. Every other packet is answered with a raw packet "heard" and its digits;
   authentication data "bye" also with a close, and "ask" with "why". "names" is answered with many peers that come and
   go, of which two stay. Prints its URL. */
#include "wspeer.h"

#include <stdio.h>
#include <string.h>

static uint8_t out[1 << 18];

static size_t bytes_of(const uint8_t *digits, size_t len) {
  size_t count = 0;
  for (unsigned byte; 2 * count + 1 < len && sscanf((const char *)digits + 2 * count, "%2x", &byte) == 1; count++)
    out[count] = (uint8_t)byte;
  return count;
}

static void say_names(ws_handle conn) {
  uint8_t about[6] = {7, 0, 0, 0, 1, 0};
  for (int i = 0; i < 6000; i++) {
    about[2] = (uint8_t)(i % 3 == 2 ? i - 1 : i);
    about[3] = (uint8_t)((i % 3 == 2 ? i - 1 : i) >> 8);
    about[1] = i % 3 == 2 ? 2 : 1;
    if (i % 3 != 0 || i < 6) ws_put_packet(conn, about, sizeof about, WS_BINARY);
  }
}

static void answer(const ws_packet *packet) {
  const uint8_t *data = packet->data;
  if (packet->len > 1 && data[0] == 3 && data[1] == '!') {
    ws_put_packet(packet->conn, out, bytes_of(data + 2, packet->len - 2), WS_BINARY);
  } else if (packet->len == 5 && data[0] == 3 && !memcmp(data + 1, "text", 4)) {
    ws_put_packet(packet->conn, (const uint8_t *)"text", 4, WS_TEXT);
  } else {
    if (packet->len == 6 && !memcmp(data, "\3names", 6)) say_names(packet->conn);
    int len = sprintf((char *)out, "\3heard ");
    for (size_t i = 0; i < packet->len && i < 1000; i++) len += sprintf((char *)out + len, "%02x", data[i]);
    ws_put_packet(packet->conn, out, (size_t)len, WS_BINARY);
    if (packet->len == 5 && !memcmp(data, "\7\0bye", 5)) ws_close(packet->conn, 4001, NULL);
    if (packet->len == 5 && !memcmp(data, "\7\0ask", 5))
      ws_put_packet(packet->conn, (const uint8_t *)"\7\0why", 5, WS_BINARY);
  }
}

int main(void) {
  ws_handle server;
  char url[64];
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.outbound_packets = WS_OFF;
  if (ws_listen("ws://127.0.0.1:0", &config, &server) < 0) return 1;
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
  printf("%s\n", url);
  fflush(stdout);
  for (;; ws_wait(&server, 1, -1)) {
    ws_event event;
    ws_poll(server);
    while (ws_next_event(server, &event) == WS_OK) {
      if (event.type == WS_EVENT_CONNECTED)
        ws_put_packet(event.conn, (const uint8_t *)"\x76\xc9\xa5\x05", 4, WS_BINARY);
      if (event.type == WS_EVENT_MESSAGE) answer(&event.packet);
    }
  }
}
