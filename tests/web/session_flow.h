/* Numbered messages of both ends, for tests/web/session.c and session_server.c. */
#ifndef SESSION_FLOW_H
#define SESSION_FLOW_H

/* wrong: messages that are not the next one, or have other bytes. full: puts that were refused. */
struct flow {
  int total, sent, received, wrong, full;
};

/* Writes message `number`; returns its length. Some are long, some are short. */
static size_t flow_fill(char *out, int number) {
  const size_t len = number % 50 == 49 ? 3000 : 10 + (size_t)number * 37 % 150;
  memset(out, 'a' + number % 26, len);
  out[(size_t)snprintf(out, 10, "#%d", number)] = '.';
  return len;
}

static void flow_take(struct flow *flow, const ws_packet *packet) {
  char expected[3001];
  const size_t len = flow_fill(expected, flow->received);
  if (packet->len != len || memcmp(packet->data, expected, len)) flow->wrong++;
  if (packet->type != (flow->received % 3 ? WS_BINARY : WS_TEXT)) flow->wrong++;
  flow->received++;
}

/* Puts messages, a few for each call, until one is refused. */
static void flow_send(struct flow *flow, ws_handle to) {
  char message[3001];
  for (int i = 0; i < 3 && flow->sent < flow->total; i++) {
    const size_t len = flow_fill(message, flow->sent);
    const ws_result result =
        ws_put_packet(to, (const uint8_t *)message, len, flow->sent % 3 ? WS_BINARY : WS_TEXT);
    if (result == WS_ERR_FULL) flow->full++;
    if (result != WS_OK) break;
    flow->sent++;
  }
}

#endif
