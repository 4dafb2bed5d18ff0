/* permessage-deflate with many clients: a broadcast is compressed once if possible, a client that does not read costs
   the others nothing, and no call blocks. */
#include "deflate.h"

#include <sys/resource.h>

enum { CROWD = 100 };

static ws_handle crowd_of(ws_handle *clients, uint32_t server_flags, ws_config *client_configs, int kinds) {
  ws_config config = config_of(server_flags);
  config.outbound_bytes = 64u << 20;
  ws_handle server;
  if (ws_listen("ws://127.0.0.1:0", &config, &server) < 0) exit(1);
  char url[64];
  ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
  for (int i = 0; i < CROWD; i++)
    if (ws_connect(url, &client_configs[i % kinds], &clients[i]) < 0) exit(1);
  for (double end = now_s() + 20; now_s() < end;) {
    ws_poll(server);
    int open = 0;
    for (int i = 0; i < CROWD; i++) {
      ws_poll(clients[i]);
      open += ws_get_state(clients[i]) == WS_OPEN;
    }
    if (open == CROWD && stats_of(server).connections == CROWD) break;
  }
  return server;
}

/* Sends a message to all clients, and polls until each has it. Returns the CPU time of the server's calls. */
static double broadcast(ws_handle server, ws_handle *clients, const uint8_t *data, size_t size, int *arrived) {
  double cpu = cpu_now(), spent;
  TIMED(ws_put_packet(server, data, size, WS_BINARY));
  spent = cpu_now() - cpu;
  int got[CROWD] = {0};
  *arrived = 0;
  for (double end = now_s() + 20; *arrived < CROWD && now_s() < end;) {
    cpu = cpu_now();
    TIMED(ws_poll(server));
    spent += cpu_now() - cpu;
    for (int i = 0; i < CROWD; i++) {
      ws_packet packet;
      ws_poll(clients[i]);
      while (ws_get_packet(clients[i], &packet) == WS_OK)
        if (packet.len == size && !memcmp(packet.data, data, size) && !got[i]) got[i] = 1, ++*arrived;
    }
  }
  return spent;
}

static void free_crowd(ws_handle server, ws_handle *clients) {
  for (int i = 0; i < CROWD; i++) ws_free(clients[i]);
  ws_free(server);
}

static double broadcasts(const char *name, uint32_t flags, int kinds, size_t size, uint64_t compressed) {
  ws_handle clients[CROWD];
  ws_config configs[3] = {config_of(0), config_of(WS_SERVER_NO_CONTEXT_TAKEOVER), config_of(0)};
  if (kinds == 3) configs[2].flags = 0;
  for (int i = 0; i < 3; i++) configs[i].poll_budget_us = 100000;
  ws_handle server = crowd_of(clients, flags, configs, kinds);
  longest = 0;
  int arrived = 0;
  ws_stats before = stats_of(server);
  double spent = broadcast(server, clients, text, size, &arrived);
  ws_stats after = stats_of(server);
  printf("figure: %s of %zu B to %d: %.2f ms CPU, %llu compressed, %llu B each on the wire, contexts %llu KiB\n", name,
         size, CROWD, spent * 1e3, (unsigned long long)(after.compressed_out - before.compressed_out),
         (unsigned long long)(after.wire_bytes_out - before.wire_bytes_out) / CROWD,
         (unsigned long long)after.deflate_memory_bytes >> 10);
  if (attempt <= 1) {
    CHECK_EQUAL(arrived, CROWD, name);
    CHECK_EQUAL(after.compressed_out - before.compressed_out, compressed,
                "every client that negotiated compression received it compressed");
    CHECK(after.messages_out - before.messages_out == CROWD && after.queued_packets_out == 0,
          "the broadcast was sent to all clients");
    if (flags & WS_SERVER_NO_CONTEXT_TAKEOVER)
      CHECK(after.deflate_memory_bytes < 1u << 20, "all clients share one compression context");
  }
  free_crowd(server, clients);
  return spent;
}

static void crowds(void) {
  double shared[2], own[2];
  size_t sizes[] = {16000, 1u << 20};
  for (int i = 0; i < 2; i++) {
    attempt = 1;
    shared[i] = broadcasts("a broadcast without takeover", WS_SERVER_NO_CONTEXT_TAKEOVER, 1, sizes[i], CROWD);
    own[i] = broadcasts("a broadcast with takeover", 0, 1, sizes[i], CROWD);
    broadcasts("a broadcast to mixed clients", 0, 3, sizes[i], 67);
  }
  CHECK(shared[1] * 3 < own[1], "without context takeover a broadcast is compressed once");
  MEASURE(broadcasts("with takeover, 16 000 B", 0, 1, 16000, CROWD); report("broadcast with takeover, 16 000 B"))
  MEASURE(broadcasts("with takeover, 1 MiB", 0, 1, 1u << 20, CROWD); report("broadcast with takeover, 1 MiB"))
  MEASURE(broadcasts("without takeover, 1 MiB", WS_SERVER_NO_CONTEXT_TAKEOVER, 1, 1u << 20, CROWD);
          report("broadcast without takeover, 1 MiB"))
}

/* One of three clients does not read: on_full decides what happens to a broadcast. */
static void on_full(uint32_t policy, uint32_t flags) {
  ws_handle clients[3];
  ws_config config = config_of(flags), client_config = config_of(0);
  config.on_full = policy;
  config.outbound_bytes = 1 << 20;
  client_config.inbound_packets = 1;
  ws_handle server = open_server(&config, &client_config, clients, 3);
  ws_event event;
  while (ws_next_event(server, &event) == WS_OK) {
  }
  ws_result result = WS_OK;
  int skipped = 0, dropped = 0, writable = 0, rounds = 0, got = 0, sent = 0;
  for (double end = now_s() + 20; result == WS_OK && now_s() < end; rounds++) {
    result = ws_put_packet(server, noise, 200000, WS_BINARY);
    sent += result == WS_OK || result == WS_PARTIAL;
    for (int k = 0; k < 50; k++) {
      ws_packet packet;
      ws_poll(server);
      for (int i = 0; i < 3; i++) ws_poll(clients[i]);
      for (int i = 0; i < 2; i++)
        while (ws_get_packet(clients[i], &packet) == WS_OK) got += i == 0;
    }
  }
  if (policy == WS_FULL_ALL_OR_NONE) CHECK_EQUAL(result, WS_ERR_FULL, "WS_FULL_ALL_OR_NONE: WS_ERR_FULL");
  else CHECK_EQUAL(result, WS_PARTIAL, "one of three queues is full: WS_PARTIAL");
  ws_packet packet;
  int third = 0;
  for (double end = now_s() + 20; now_s() < end && !(writable || dropped) ;) {
    ws_poll(server);
    for (int i = 0; i < 3; i++) {
      ws_poll(clients[i]);
      while (ws_get_packet(clients[i], &packet) == WS_OK) got += i == 0, third += i == 2;
    }
    while (ws_next_event(server, &event) == WS_OK) {
      skipped += event.type == WS_EVENT_SKIPPED;
      dropped += event.type == WS_EVENT_DISCONNECTED && event.code == 1008 && event.cause == WS_CAUSE_FULL;
      writable += event.type == WS_EVENT_WRITABLE;
    }
  }
  for (double end = now_s() + 10; now_s() < end && got < sent;) {
    ws_poll(server);
    ws_poll(clients[0]);
    while (ws_get_packet(clients[0], &packet) == WS_OK) got++;
  }
  CHECK_EQUAL(got, sent, "a client that reads receives all messages");
  CHECK(policy == WS_FULL_SKIP         ? skipped == 1 && writable == 1
        : policy == WS_FULL_DISCONNECT ? dropped == 1
                                       : writable == 1,
        "the events report what happened to the stalled client");
  for (int i = 0; i < 3; i++) ws_free(clients[i]);
  ws_free(server);
}

/* Disconnecting clients with long queued messages does not compress all of them in one call. */
static void disconnects(void) {
  ws_handle clients[CROWD];
  ws_config configs[1] = {config_of(0)};
  ws_handle server = crowd_of(clients, 0, configs, 1);
  longest = 0;
  ws_put_packet(server, zeros, 4u << 20, WS_BINARY);
  TIMED(ws_disconnect(server, 0, 4001, "bye"));
  int good = 0, ended = 0;
  for (double end = now_s() + 30; ended < CROWD && now_s() < end;) {
    TIMED(ws_poll(server));
    ws_event event;
    for (int i = 0; i < CROWD; i++) {
      ws_poll(clients[i]);
      while (ws_next_event(clients[i], &event) == WS_OK) {
        good += event.type == WS_EVENT_MESSAGE && event.packet.len == 4u << 20;
        ended += event.type == WS_EVENT_CLOSED;
        good += event.type == WS_EVENT_CLOSED && event.code == 4001 && event.clean;
      }
    }
  }
  if (attempt <= 1) CHECK_EQUAL(good, 2 * CROWD, "each client receives the message, then the close");
  free_crowd(server, clients);
  report("100 disconnects behind 4 MiB");
}

int main(void) {
  struct rlimit files = {4096, 4096};
  setrlimit(RLIMIT_NOFILE, &files);
  make_payloads();
  crowds();
  for (uint32_t policy = WS_FULL_SKIP; policy <= WS_FULL_ALL_OR_NONE; policy++) {
    on_full(policy, 0);
    on_full(policy, WS_SERVER_NO_CONTEXT_TAKEOVER);
  }
  MEASURE(disconnects())
  free_payloads();
  ws_shutdown();
  FINISH();
}
