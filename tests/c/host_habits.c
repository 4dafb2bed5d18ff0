/* Hosts that do not read, do not poll for a while, read only packets, or read each client by its handle. Raw peers are
   in raw.h. */
#include "raw.h"

static void full_inbox(void) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.inbound_packets = 10;
  ws_handle server, conn;
  size_t count;
  if (ws_listen("ws://127.0.0.1:0", &config, &server) < 0) exit(1);
  int fd = open_raw(server);
  ws_get_conns(server, &conn, 1, &count);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  static uint8_t frames[2000], payload[1000];
  /* 40 messages, then a ping: more than the queue holds, but within the 64 KiB that may be read beyond it. */
  for (uint32_t i = 0; i < 40; i++) {
    memcpy(payload, &i, 4);
    send_all(fd, frames, put_frame(frames, 0x82, payload, sizeof payload, 1));
  }
  send_all(fd, frames, put_frame(frames, 0x89, "alive?", 6, 1));
  char pong[64] = "";
  double end = now_s() + 10;
  while (recv(fd, pong, sizeof pong, 0) < 8 && now_s() < end) ws_poll(server);
  CHECK(!memcmp(pong, "\x8a\x06" "alive?", 8), "a ping behind a full queue is answered");
  uint32_t sent = 40;
  size_t at = 0, len = 0;
  for (int blocked = 0; blocked < 200 && sent < 200000;) {
    if (at == len) {
      memcpy(payload, &sent, 4);
      len = put_frame(frames, 0x82, payload, sizeof payload, 1);
      at = 0;
      sent++;
    }
    ssize_t n = send(fd, frames + at, len - at, MSG_NOSIGNAL);
    if (n > 0) at += (size_t)n, blocked = 0;
    else blocked++, ws_poll(server);
  }
  ws_stats stats;
  ws_get_stats(conn, &stats, sizeof stats);
  CHECK(sent < 200000 && stats.queued_packets_in <= 10 + 140 && stats.inbound_stalls > 0,
        "a host that does not read: TCP slows the sender, and the queue is bounded");
  uint32_t next = 0;
  int wrong = 0;
  ws_packet packet;
  end = now_s() + 20;
  while (next < sent && now_s() < end) {
    if (at < len) {
      ssize_t n = send(fd, frames + at, len - at, MSG_NOSIGNAL);
      if (n > 0) at += (size_t)n;
    }
    ws_poll(server);
    while (ws_get_packet(conn, &packet) == WS_OK) wrong += memcmp(packet.data, &next, 4) != 0, next++;
  }
  CHECK(next == sent && wrong == 0, "once the host reads, all messages arrive in order");
  close(fd);
  ws_free(server);
}

static void gap(void) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.heartbeat_ms = 200;
  config.pong_timeout_ms = 600;
  ws_handle server, client;
  server = open_server(&config, &config, &client, 1);
  struct timespec nap = {2, 500000000};
  nanosleep(&nap, NULL); /* like a loading screen */
  for (double end = now_s() + 0.5; now_s() < end;) {
    ws_poll(server);
    ws_poll(client);
  }
  CHECK_EQUAL(ws_get_state(client), WS_OPEN,
              "a polling gap of 2.5 s with a pong timeout of 0.6 s does not end the connection");
  ws_stats stats;
  ws_get_stats(client, &stats, sizeof stats);
  CHECK(stats.rtt_us > 0, "the round-trip time is measured");
  ws_free(client);
  ws_event event;
  int cause = 0;
  for (double end = now_s() + 5; !cause && now_s() < end;) {
    ws_poll(server);
    while (ws_next_event(server, &event) == WS_OK)
      if (event.type == WS_EVENT_DISCONNECTED) cause = event.cause;
  }
  CHECK(cause != 0, "the server sees a freed client end");
  int fd = open_raw(server);
  cause = 0;
  double began = now_s();
  while (!cause && now_s() < began + 5) {
    ws_poll(server);
    while (ws_next_event(server, &event) == WS_OK)
      if (event.type == WS_EVENT_DISCONNECTED) cause = event.cause;
  }
  CHECK(cause == WS_CAUSE_PONG_TIMEOUT && now_s() - began < 2,
        "a peer that answers no ping is dropped after the pong timeout");
  close(fd);
  ws_free(server);
}

/* A host that reads only packets leaks nothing, and its unread events collapse into one count. */
static void only_packets(void) {
  ws_handle server;
  if (ws_listen("ws://127.0.0.1:0", NULL, &server) < 0) exit(1);
  for (int i = 0; i < 3000; i++) {
    int fd = open_raw(server);
    struct linger reset = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    ws_poll(server);
  }
  static ws_handle conns[8192];
  size_t count;
  for (int i = 0; i < 20; i++) ws_poll(server);
  ws_get_conns(server, conns, 8192, &count);
  CHECK(count < 2200, "clients with unread events retire");
  ws_event event;
  uint64_t reported = 0;
  while (ws_next_event(server, &event) == WS_OK) reported += event.type == WS_EVENT_SKIPPED ? event.count : 1;
  CHECK_EQUAL(reported, 6000, "every event was reported or counted");
  /* Retiring clients takes part of each poll's budget. */
  for (double end = now_s() + 10; count > 0 && now_s() < end;) {
    ws_poll(server);
    ws_get_conns(server, conns, 8192, &count);
  }
  CHECK_EQUAL(count, 0, "all clients retire");
  ws_free(server);
}

/* ws_get_waiting tells a host that reads each client by its handle which clients have something to read. */
static void by_client(void) {
  ws_handle clients[8], waiting[8], server = open_server(NULL, NULL, clients, 8);
  size_t count = 0;
  ws_event event;
  CHECK(ws_get_waiting(server, waiting, 4, &count) == WS_TRUNCATED && count == 8,
        "ws_get_waiting counts all new clients when truncated");
  CHECK(ws_get_waiting(server, waiting, 8, &count) == WS_OK && count == 8, "ws_get_waiting lists all new clients");
  for (int i = 0; i < 8; i++)
    CHECK(ws_next_event(waiting[i], &event) == WS_OK && event.type == WS_EVENT_CONNECTED,
          "each new client has a CONNECTED event");
  CHECK(ws_get_waiting(server, waiting, 8, &count) == WS_OK && count == 0,
        "no client is listed after its events were read");
  ws_put_packet(clients[2], (const uint8_t *)"a", 1, WS_TEXT);
  ws_put_packet(clients[2], (const uint8_t *)"b", 1, WS_TEXT);
  ws_put_packet(clients[5], (const uint8_t *)"c", 1, WS_TEXT);
  ws_close(clients[7], 0, NULL);
  double end = now_s() + 5;
  while (count < 3 && now_s() < end) {
    ws_poll(server);
    for (int i = 0; i < 8; i++) ws_poll(clients[i]);
    ws_get_waiting(server, waiting, 8, &count);
  }
  CHECK_EQUAL(count, 3, "clients with messages or an end are listed");
  int messages = 0, ends = 0;
  for (int i = 0; i < 3; i++) {
    while (ws_next_event(waiting[i], &event) == WS_OK)
      messages += event.type == WS_EVENT_MESSAGE, ends += event.type == WS_EVENT_DISCONNECTED;
  }
  CHECK_EQUAL(messages, 3, "the listed clients have the messages");
  while (ends == 0 && now_s() < end) {
    ws_poll(server);
    for (int i = 0; i < 8; i++) ws_poll(clients[i]);
    ws_get_waiting(server, waiting, 8, &count);
    for (size_t i = 0; i < count; i++)
      while (ws_next_event(waiting[i], &event) == WS_OK) ends += event.type == WS_EVENT_DISCONNECTED;
  }
  ws_poll(server);
  CHECK(ends == 1 && ws_get_waiting(server, waiting, 8, &count) == WS_OK && count == 0,
        "no client is listed after its messages were read");
  CHECK(ws_get_conns(server, waiting, 8, &count) == WS_OK && count == 7, "the closed client is gone");
  ws_put_packet(clients[0], (const uint8_t *)"d", 1, WS_TEXT);
  while (ws_next_event(server, &event) != WS_OK && now_s() < end) ws_poll(server);
  CHECK(event.type == WS_EVENT_MESSAGE && event.packet.data[0] == 'd', "the server's handle still delivers events");
  for (int i = 0; i < 8; i++) ws_free(clients[i]);
  ws_free(server);
}

int main(void) {
  full_inbox();
  gap();
  only_packets();
  by_client();
  ws_shutdown();
  FINISH();
}
