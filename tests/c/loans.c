/* Lent bytes are unchanged until the next read through the same handle or its ws_free, whatever else happens. Also
   reused slots, forks and user values. */
#include "check.h"

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

static int same(const ws_packet *packet, uint8_t value, size_t len) {
  if (packet->len != len) return 0;
  for (size_t i = 0; i < len; i++)
    if (packet->data[i] != (uint8_t)(value + i)) return 0;
  return 1;
}

static void send_pattern(ws_handle h, uint8_t value, size_t len) {
  uint8_t *bytes = malloc(len + 1);
  for (size_t i = 0; i < len; i++) bytes[i] = (uint8_t)(value + i);
  ws_put_packet(h, bytes, len, WS_BINARY);
  memset(bytes, 0, len);
  free(bytes);
}

static void over_polls(void) {
  ws_handle s, c;
  size_t sizes[] = {1, 100, 5000, 70000, 200000};
  open_pair(NULL, &s, &c);
  for (size_t n = 0; n < 5; n++) {
    send_pattern(c, 7, sizes[n]);
    ws_packet kept;
    double end = now_s() + 10;
    while (ws_get_packet(s, &kept) != WS_OK && now_s() < end) {
      ws_poll(c);
      ws_poll(s);
    }
    CHECK(same(&kept, 7, sizes[n]), "the message arrives");
    for (int i = 0; i < 50; i++) {
      send_pattern(c, (uint8_t)i, 300);
      ws_poll(c);
      ws_poll(s);
      ws_poll(s);
    }
    CHECK(same(&kept, 7, sizes[n]), "a loan is unchanged by polls that receive more");
    CHECK_EQUAL(ws_put_packet(s, kept.data, kept.len, WS_BINARY), WS_OK, "lent bytes can be put again");
    ws_packet packet, echo = {0};
    int got = 0, right = 1;
    while (ws_get_packet(s, &packet) == WS_OK) right &= same(&packet, (uint8_t)got++, 300);
    CHECK(got == 50 && right, "messages received during the loan are whole and in order");
    end = now_s() + 10;
    while (ws_get_packet(c, &echo) != WS_OK && now_s() < end) {
      ws_poll(s);
      ws_poll(c);
    }
    CHECK(same(&echo, 7, sizes[n]), "the echo arrives unchanged");
  }
  send_pattern(c, 3, 1000);
  ws_poll(c);
  ws_poll(s);
  ws_packet kept;
  CHECK(ws_get_packet(s, &kept) == WS_OK && same(&kept, 3, 1000), "the last message is lent");
  ws_free(c);
  CHECK(same(&kept, 3, 1000), "a loan is unchanged when the other end is freed");
  ws_free(s);
}

static void batches(void) {
  ws_handle s, c;
  open_pair(NULL, &s, &c);
  ws_packet packets[40];
  size_t count = 0;
  for (int i = 0; i < 30; i++) send_pattern(c, (uint8_t)i, 100 + (size_t)i);
  ws_poll(c);
  ws_poll(s);
  ws_poll(c);
  for (int i = 30; i < 40; i++) send_pattern(c, (uint8_t)i, 100 + (size_t)i);
  ws_poll(s);
  CHECK(ws_get_packets(s, packets, 40, &count) == WS_OK && count == 40,
        "ws_get_packets returns all messages in one call");
  ws_poll(s);
  int right = 1;
  for (size_t i = 0; i < count; i++) right &= same(&packets[i], (uint8_t)i, 100 + i);
  CHECK(right, "all packets of a batch are valid together");
  CHECK(ws_get_packets(s, packets, 40, &count) == WS_EMPTY && count == 0, "then no message is left");
  ws_free(s);
  ws_free(c);
}

static void of_servers(void) {
  ws_handle clients[3], conns[3];
  size_t count;
  ws_handle server = open_server(NULL, NULL, clients, 3);
  CHECK(ws_get_conns(server, conns, 3, &count) == WS_OK && count == 3, "three clients");
  for (int i = 0; i < 3; i++) send_pattern(clients[i], (uint8_t)(10 * i), 500);
  ws_packet through_server, through_client;
  double end = now_s() + 10;
  while (ws_get_available(server) < 3 && now_s() < end) {
    for (int i = 0; i < 3; i++) ws_poll(clients[i]);
    ws_poll(server);
  }
  CHECK_EQUAL(ws_get_packet(server, &through_server), WS_OK, "a packet lent through the server");
  ws_handle other = through_server.conn == conns[0] ? conns[1] : conns[0];
  CHECK(ws_get_packet(other, &through_client) == WS_OK && through_client.conn == other,
        "a packet lent through a client's handle");
  uint8_t first = through_server.data[0], second = through_client.data[0];
  ws_free(through_server.conn);
  for (int i = 0; i < 3; i++) send_pattern(clients[i], 99, 500);
  for (int i = 0; i < 20; i++) {
    for (int k = 0; k < 3; k++) ws_poll(clients[k]);
    ws_poll(server);
  }
  CHECK(same(&through_server, first, 500), "the server's loan is unchanged when its client is freed");
  CHECK(same(&through_client, second, 500), "the other client's loan is unchanged");
  ws_free(server);
  for (int i = 0; i < 3; i++) ws_free(clients[i]);
}

static long resident_kb(void) {
  FILE *file = fopen("/proc/self/statm", "r");
  long size = 0, resident = 0;
  if (file && fscanf(file, "%ld %ld", &size, &resident) != 2) resident = 0;
  if (file) fclose(file);
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void slots(void) {
  ws_handle first, other, s, c;
  ws_pair(NULL, &first, &other);
  ws_free(first);
  ws_free(other);
  long before = 0;
  long rounds = 0;
  int wrong = 0;
  for (double end = now_s() + 8; now_s() < end && rounds < 2000000;) {
    for (int i = 0; i < 1000; i++, rounds++) {
      if (ws_pair(NULL, &s, &c) < 0) wrong++;
      if (s == first || c == first || s == c) wrong++;
      ws_free(s);
      ws_free(c);
      if (ws_get_state(s) != WS_ERR_HANDLE || ws_get_state(first) != WS_ERR_HANDLE) wrong++;
    }
    if (rounds == 10000) before = resident_kb();
    /* A slot's generation repeats after 2,047 uses; only then may an old number be valid again. */
    if (rounds % 1000000 == 0) first = s;
  }
  long grown = resident_kb() - before;
  printf("figure: %ld handles opened and freed, memory grew by %ld KiB\n", 2 * rounds, grown);
  CHECK(wrong == 0 && rounds >= 100000, "stale handles stay invalid");
  CHECK(grown < 4096, "memory use does not grow");
}

static void forks(void) {
  ws_handle s, c;
  open_pair(NULL, &s, &c);
  pid_t child = fork();
  if (child == 0) {
    int stale = ws_get_state(s) == WS_ERR_HANDLE && ws_poll(c) == WS_ERR_HANDLE;
    ws_handle s2, c2;
    open_pair(NULL, &s2, &c2);
    int works = ws_get_state(c2) == WS_OPEN && s2 != s;
    ws_shutdown();
    _exit(stale && works ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  CHECK_EQUAL(status, 0, "a forked child sees stale handles and can open its own");
  send_pattern(c, 1, 10);
  ws_poll(c);
  ws_poll(s);
  ws_packet packet;
  CHECK(ws_get_packet(s, &packet) == WS_OK && same(&packet, 1, 10), "the parent continues after a fork");
  ws_free(s);
  ws_free(c);
}

static void users(void) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  int mine;
  config.user = &mine;
  config.owner = 77;
  ws_handle s, c, s2, c2;
  open_pair(&config, &s, &c);
  open_pair(NULL, &s2, &c2);
  send_pattern(c, 1, 10);
  ws_poll(c);
  ws_poll(s);
  ws_packet packet;
  CHECK(ws_get_packet(s, &packet) == WS_OK && packet.user == (uint64_t)(uintptr_t)&mine && packet.conn == s,
        "a packet has the user value");
  ws_set_user(s, 5);
  send_pattern(c, 1, 10);
  ws_poll(c);
  ws_poll(s);
  CHECK(ws_get_packet(s, &packet) == WS_OK && packet.user == 5, "a changed user value applies to later packets");
  ws_free_owner(77);
  CHECK(ws_get_state(s) == WS_ERR_HANDLE && ws_get_state(c) == WS_ERR_HANDLE,
        "ws_free_owner frees the handles of the owner");
  CHECK_EQUAL(ws_get_state(s2), WS_OPEN, "ws_free_owner keeps the handles of others");
  ws_free(s2);
  ws_free(c2);
}

int main(void) {
  over_polls();
  batches();
  of_servers();
  users();
  slots();
  forks();
  ws_shutdown();
  FINISH();
}
