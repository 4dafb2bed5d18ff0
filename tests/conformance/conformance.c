/* The conformance program in C: runs one scenario of docs/conformance.md and prints its trace. The programs in other
   languages must print the same. Usage: conformance SCENARIO [URL [CA.pem]] */
#include "conformance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- The trace ---- */

enum { MAX_ENDS = 5, SHORT = 64 };
/* All ends of the scenario. All are polled while one is waited for. */
static end *ends[MAX_ENDS];
static size_t end_count;

void begin_line(const char *name) {
  if (*name) printf("%s ", name);
}

ws_result check(const char *verb, ws_result result) {
  char why[512];
  if (result < 0) {
    ws_last_error(why, sizeof why, NULL);
    printf("failed %s %s: %s\n", verb, ws_result_name(result), why);
  }
  return result;
}

const char *text_of(ws_handle h, int32_t what) {
  static char texts[4][512];
  static int turn;
  char *text = texts[turn++ % 4];
  if (ws_get_text(h, what, text, sizeof texts[0], NULL) < 0) *text = 0;
  return text;
}

unsigned adler32(const uint8_t *data, size_t len) {
  unsigned a = 1, b = 0;
  for (size_t i = 0; i < len; i++) {
    a = (a + data[i]) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

const char *peer_name(int32_t id) {
  if (id == 1) return "host";
  for (size_t i = 0; i < end_count; i++)
    if (ends[i]->id == id) return ends[i]->name;
  return "nobody";
}

void print_packet(const char *name, const ws_packet *packet) {
  begin_line(name);
  const char *type = packet->type == WS_TEXT ? "text" : packet->type == WS_REPLICATION ? "replication" : "binary";
  printf("%s %zu %08x", type, packet->len, adler32(packet->data, packet->len));
  if (packet->peer_id) printf(" peer=%s", peer_name(packet->peer_id));
  if (packet->type == WS_TEXT && packet->len > 0 && packet->len <= SHORT)
    printf(" %.*s", (int)packet->len, (const char *)packet->data);
  printf("\n");
}

void print_event(const char *name, const ws_event *event) {
  const char *words = (const char *)event->packet.data;
  if (event->type == WS_EVENT_MESSAGE) {
    print_packet(name, &event->packet);
    return;
  }
  if (event->type == WS_EVENT_SPAWN || event->type == WS_EVENT_DESPAWN || event->type == WS_EVENT_SYNC) {
    print_nodes(name, &event->packet);
    return;
  }
  begin_line(name);
  switch (event->type) {
    case WS_EVENT_OPEN: printf("open protocol=%s", text_of(event->conn, WS_GET_SUBPROTOCOL)); break;
    case WS_EVENT_CONNECTED:
      printf("connected");
      if (!event->peer_id) {
        printf(" path=%s query=%s", text_of(event->conn, WS_GET_PATH), text_of(event->conn, WS_GET_QUERY));
        printf(" protocol=%s", text_of(event->conn, WS_GET_SUBPROTOCOL));
      }
      break;
    case WS_EVENT_CLOSE_REQUEST: printf("close-request code=%d reason=%s", event->code, words); break;
    case WS_EVENT_LOST:
      printf("lost code=%d phase=%d cause=%d status=%d unsent=%u", event->code, event->phase, event->cause,
             event->http_status, event->unsent);
      break;
    case WS_EVENT_RESUMED: printf("resumed count=%llu", (unsigned long long)event->count); break;
    case WS_EVENT_CLOSED:
    case WS_EVENT_DISCONNECTED:
      printf("%s code=%d clean=%u phase=%d cause=%d status=%d unsent=%u",
             event->type == WS_EVENT_CLOSED ? "closed" : "disconnected", event->code, event->clean, event->phase,
             event->cause, event->http_status, event->unsent);
      printf(" reason=%s error=%s", text_of(event->conn, WS_GET_CLOSE_REASON), words);
      break;
    case WS_EVENT_WRITABLE: printf("writable"); break;
    case WS_EVENT_SKIPPED: printf("skipped count=%llu", (unsigned long long)event->count); break;
    case WS_EVENT_ERROR:
      printf("error phase=%d cause=%d count=%llu", event->phase, event->cause, (unsigned long long)event->count);
      /* A text about a peer has its random id. */
      if (!event->peer_id) printf(" error=%s", words);
      break;
    case WS_EVENT_REFUSED: {
      const char *why = strstr(words, ": ");
      printf("refused phase=%d cause=%d status=%d count=%d error=%s", event->phase, event->cause, event->http_status,
             (int)event->count, why ? why + 2 : words);
      break;
    }
    case WS_EVENT_AUTHENTICATING: printf("authenticating"); break;
    case WS_EVENT_AUTH: printf("auth %zu %08x", event->packet.len, adler32(event->packet.data, event->packet.len)); break;
    default: printf("event %d", event->type); break;
  }
  if (event->peer_id && event->type != WS_EVENT_OPEN) printf(" peer=%s", peer_name(event->peer_id));
  printf("\n");
}

static void print_header(const char *name, ws_handle h, const char *header, uint32_t index) {
  char value[256];
  begin_line(name);
  if (ws_get_header(h, header, index, value, sizeof value, NULL) == WS_OK)
    printf("header %s %u=%s\n", header, index, value);
  else printf("no header %s %u\n", header, index);
}

/* ---- Polling ---- */

void add_end(end *one) { ends[end_count++] = one; }

void forget_ends(void) { end_count = 0; }

void (*between_polls)(void);

void poll_all(void) {
  const struct timespec rest = {0, 500000};
  if (between_polls) between_polls();
  for (size_t i = 0; i < end_count; i++) ws_poll(ends[i]->h);
  nanosleep(&rest, NULL);
}

ws_event next_event(const end *one) {
  ws_event event;
  for (time_t limit = time(NULL) + 10; ws_next_event(one->h, &event) != WS_OK; poll_all()) {
    if (time(NULL) < limit) continue;
    printf("nothing came to '%s' for 10 s\n", one->name);
    exit(1);
  }
  return event;
}

void take(const end *one, int count) {
  for (int i = 0; i < count; i++) {
    ws_event event = next_event(one);
    print_event(one->name, &event);
  }
}

void until(const end *one, int32_t type) {
  ws_event event;
  do {
    event = next_event(one);
    print_event(one->name, &event);
  } while (event.type != type);
}

ws_result put(ws_handle h, const char *text) {
  return check("put", ws_put_packet(h, (const uint8_t *)text, strlen(text), WS_TEXT));
}

void free_all(void) {
  for (size_t i = 0; i < end_count; i++) ws_free(ends[i]->h);
  end_count = 0;
}

/* ---- Scenarios of a client; each connects to URL, or URL and a path ---- */

static end client = {"", 0, 0};

/* Polls a client until it is open (returns 1) or has ended (0). */
static int open_client(const char *url, const char *path, const ws_config *config) {
  char whole[256];
  snprintf(whole, sizeof whole, "%s%s", url, path);
  free_all();
  if (check("connect", ws_connect(whole, config, &client.h)) < 0) return 0;
  add_end(&client);
  ws_event event = next_event(&client);
  print_event("", &event);
  return event.type == WS_EVENT_OPEN;
}

static void close_client(int32_t code, const char *reason) {
  check("close", ws_close(client.h, code, reason));
  until(&client, WS_EVENT_CLOSED);
}

static void echo(const char *url) {
  open_client(url, "/echo", NULL);
  put(client.h, "hello");
  take(&client, 1);
  put(client.h, "κόσμε 🎮");
  take(&client, 1);
  close_client(1000, "");
}

static void sizes(const char *url) {
  enum { BIG = 1 << 20 };
  static uint8_t bytes[BIG];
  open_client(url, "/echo", NULL);
  for (int type = WS_TEXT; type <= WS_BINARY; type++) {
    for (size_t i = 0; i < BIG; i++) bytes[i] = (uint8_t)(type == WS_TEXT ? 'a' + i % 26 : i % 251);
    static const size_t lengths[] = {0, 1, 125, 126, 65535, 65536, BIG};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
      check("put", ws_put_packet(client.h, bytes, lengths[i], type));
      take(&client, 1);
    }
  }
  close_client(1000, "");
}

static void wss(const char *url, const char *ca) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_ONLY_CA_PEM;
  config.ca_pem = ca;
  open_client(url, "/echo", &config);
  printf("tls %s\n", *text_of(client.h, WS_GET_TLS) ? "yes" : "no");
  put(client.h, "secret");
  take(&client, 1);
  close_client(1000, "");
}

static void subprotocol(const char *url) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.subprotocols = "chat.v3, chat.v2";
  open_client(url, "/echo", &config);
  close_client(1000, "");
  config.subprotocols = "other";
  open_client(url, "/echo", &config);
}

static void headers(const char *url) {
  const char *lines[] = {"X-Ask: one", "X-Ask: two words"};
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.headers = lines;
  config.headers_count = 2;
  open_client(url, "/echo?a=1&b=%20", &config);
  for (uint32_t i = 0; i < 3; i++) print_header("", client.h, "x-answer", i);
  print_header("", client.h, "x-missing", 0);
  close_client(1000, "");
}

static void certificate(const char *url) { open_client(url, "/echo", NULL); }

static void status(const char *url) {
  open_client(url, "/refuse/403", NULL);
  print_header("", client.h, "x-refused", 0);
  printf("body %s\n", text_of(client.h, WS_GET_BODY));
}

static void nobody(const char *url) { open_client(url, "/", NULL); }

/* Sentences, and the number of steps, depend on the system. */
static void diagnose(const char *url) {
  static const char *const paths[] = {"/echo", "/refuse/403"};
  for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
    char whole[256];
    snprintf(whole, sizeof whole, "%s%s", url, paths[i]);
    free_all();
    if (check("diagnose", ws_diagnose(whole, NULL, &client.h)) < 0) return;
    add_end(&client);
    put(client.h, "no message");
    ws_event event;
    for (int32_t phase = -1; (event = next_event(&client)).type == WS_EVENT_STEP; phase = event.phase)
      if (event.phase != phase) printf("step phase=%d\n", event.phase);
    printf("advice code=%d clean=%u phase=%d cause=%d status=%d\n", event.code, event.clean, event.phase, event.cause,
           event.http_status);
  }
}

/* The remote peer loses the first link, refuses the second, and keeps the third. */
static void reconnect(const char *url) {
  char next[256];
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_RECONNECT;
  config.retry_min_ms = 1;
  config.retry_max_ms = WS_OFF;
  open_client(url, "/echo?try=1", &config);
  config.retry_max_ms = 20;
  open_client(url, "/echo?try=1", &config);
  take(&client, 2);
  printf("state %d\n", ws_get_state(client.h));
  put(client.h, "too early");
  check("set_url", ws_set_url(client.h, "http://localhost"));
  snprintf(next, sizeof next, "%s/echo?try=2", url);
  check("set_url", ws_set_url(client.h, next));
  check("set_header", ws_set_header(client.h, "X-Ask", "again"));
  take(&client, 2);
  put(client.h, "back");
  take(&client, 1);
  close_client(1000, "");
}

/* The URL is that of the proxy. */
static void proxy(const char *url) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.proxy = url;
  open_client("ws://game.example", "/echo", &config);
  put(client.h, "through");
  take(&client, 1);
  close_client(1000, "");
  open_client("ws://refused.example", "/", &config);
  print_header("", client.h, "x-proxy", 0);
  printf("body %s\n", text_of(client.h, WS_GET_BODY));
  open_client("ws://login.example", "/", &config);
  config.proxy = "ftp://127.0.0.1:1";
  open_client("ws://game.example", "/", &config);
}

/* The server has no application heartbeat. */
static void heartbeat(const char *url) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_APP_HEARTBEAT;
  open_client(url, "/echo", &config);
  put(client.h, "hello");
  take(&client, 2);
  close_client(1000, "");
}

static void put_latest(uint32_t key, const char *text) {
  check("put_latest", ws_put_latest(client.h, 0, key, (const uint8_t *)text, strlen(text), WS_TEXT));
}

/* Before OPEN, and with WS_COALESCE until it is flushed, only the newest message of each key waits. */
static void latest(const char *url) {
  static const uint8_t bytes[] = {0, 255};
  char whole[256];
  ws_stats stats;
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_COALESCE | WS_QUEUE_BEFORE_OPEN;
  config.max_message_bytes = 1000;
  snprintf(whole, sizeof whole, "%s/echo", url);
  if (check("connect", ws_connect(whole, &config, &client.h)) < 0) return;
  add_end(&client);
  put_latest(1, "first");
  put(client.h, "plain");
  put_latest(1, "second");
  take(&client, 3);
  put_latest(1, "one");
  check("put_latest", ws_put_latest(client.h, 0, 0xFFFFFFFF, bytes, 1, WS_BINARY));
  put(client.h, "between");
  put_latest(1, "a longer one");
  check("put_latest", ws_put_latest(client.h, 0, 0xFFFFFFFF, bytes, 2, WS_BINARY));
  put_latest(2, "");
  check("flush", ws_flush(client.h));
  put_latest(1, "after");
  take(&client, 5);
  ws_get_stats(client.h, &stats, sizeof stats);
  printf("replaced %llu out %llu\n", (unsigned long long)stats.replaced, (unsigned long long)stats.messages_out);
  static const uint8_t zeros[1001];
  check("put_latest", ws_put_latest(client.h, 0, 1, zeros, sizeof zeros, WS_BINARY));
  close_client(1000, "");
  put_latest(1, "too late");
}

/* The texts have the program's own name for a word of the header. */
static void own_names(const char *url) {
  static const uint8_t zeros[1001];
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.max_message_bytes = 1000;
  open_client(url, "/echo", &config);
  check("set_name", ws_set_name("max_message_bytes", "Longest"));
  check("put", ws_put_packet(client.h, zeros, sizeof zeros, WS_BINARY));
  check("set_name", ws_set_name("max_message_bytes", NULL));
  check("put", ws_put_packet(client.h, zeros, sizeof zeros, WS_BINARY));
  close_client(1000, "");
}

static void close_here(const char *url) {
  static const struct {
    int32_t code;
    const char *reason;
  } closes[] = {
      {0, ""},
      {1000, "bye"},
      {1001, ""},
      {3000, "κόσμε"},
      {4999,
       "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"}};
  for (size_t i = 0; i < sizeof closes / sizeof closes[0]; i++) {
    open_client(url, "/sink", NULL);
    put(client.h, "last");
    close_client(closes[i].code, closes[i].reason);
  }
  open_client(url, "/echo", NULL);
  close_client(-1, "");
}

/* The remote peer closes as the path requests. */
static void close_there(const char *url) {
  static const char *paths[] = {"/close/1000/", "/close/1001/going", "/close/4001/bye"};
  for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
    open_client(url, paths[i], NULL);
    until(&client, WS_EVENT_CLOSED);
  }
}

/* 100 messages and a close arrive at once, and are read after the connection has ended; in batches where the language
   has them. */
static void burst(const char *url) {
  ws_packet packets[32];
  size_t count;
  open_client(url, "/burst", NULL);
  for (time_t limit = time(NULL) + 10; ws_get_state(client.h) != WS_CLOSED && time(NULL) < limit;) poll_all();
  printf("state %d available %d\n", ws_get_state(client.h), ws_get_available(client.h));
  while (ws_get_packets(client.h, packets, 32, &count) == WS_OK)
    for (size_t i = 0; i < count; i++) print_packet("", &packets[i]);
  until(&client, WS_EVENT_CLOSED);
}

/* The remote peer closes without a code, drops the connection, violates the protocol, or exceeds a limit. */
static void bad_peer(const char *url) {
  static const char *paths[] = {"/close/none", "/close/drop", "/bad/utf8", "/bad/reserved", "/bad/big"};
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.max_message_bytes = 1000;
  for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
    open_client(url, paths[i], &config);
    until(&client, WS_EVENT_CLOSED);
  }
}

/* ---- Bad input ---- */

static void bad_open(void) {
  static const char *urls[] = {"", "game.example:9080", "http://127.0.0.1/", "ws://127.0.0.1:99999", "ws://"};
  static const char *addresses[] = {"nothing", "ws://game.example:0", "wss://127.0.0.1:0"};
  const char *injected = "X-Bad: one\r\nX-Worse: two", *no_colon = "no colon";
  ws_handle h;
  ws_config config;
  for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) check("connect", ws_connect(urls[i], NULL, &h));
  for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
    check("listen", ws_listen(addresses[i], NULL, &h));
  ws_config_init(&config, sizeof config);
  config.headers_count = 1;
  config.headers = &injected;
  check("connect", ws_connect("ws://127.0.0.1:1", &config, &h));
  config.headers = &no_colon;
  check("connect", ws_connect("ws://127.0.0.1:1", &config, &h));
  ws_config_init(&config, sizeof config);
  config.ca_pem = "no certificate";
  check("connect", ws_connect("wss://127.0.0.1:1", &config, &h));
  ws_config_init(&config, sizeof config);
  config.deflate_level = 10;
  config.flags = WS_DEFLATE;
  check("connect", ws_connect("ws://127.0.0.1:1", &config, &h));
}

static void bad_put(const char *url) {
  static const uint8_t zeros[1001];
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.max_message_bytes = 1000;
  if (check("connect", ws_connect(url, &config, &client.h)) < 0) return;
  put(client.h, "too early");
  open_client(url, "/echo", &config);
  check("put", ws_put_packet(client.h, zeros, sizeof zeros, WS_BINARY));
  check("put", ws_put_packet(client.h, zeros, sizeof zeros - 1, WS_BINARY));
  take(&client, 1);
  close_client(1000, "");
  put(client.h, "too late");
}

static void bad_text(const char *url) {
  static const uint8_t cut[] = {'a', 0xCE};
  open_client(url, "/echo", NULL);
  check("put", ws_put_packet(client.h, cut, sizeof cut, WS_TEXT));
  put(client.h, "good");
  take(&client, 1);
  close_client(1000, "");
}

static void bad_close(const char *url) {
  char reason[125] = "";
  memset(reason, 'r', 124);
  open_client(url, "/echo", NULL);
  check("close", ws_close(client.h, 1000, reason));
  check("close", ws_close(client.h, 999, ""));
  check("close", ws_close(client.h, 1005, ""));
  check("close", ws_close(client.h, 5000, ""));
  close_client(1000, "");
}

/* ---- Handles that have ended ---- */

void listen_here(end *server, const ws_config *config) {
  if (check("listen", ws_listen("ws://127.0.0.1:0", config, &server->h)) < 0) exit(1);
  add_end(server);
}

static void stale(const char *url) {
  end server = {"server", 0, 0};
  open_client(url, "/echo", NULL);
  ws_free(client.h);
  put(client.h, "to nobody");
  check("close", ws_close(client.h, 1000, ""));
  check("poll", ws_poll(client.h));
  ws_free(client.h);

  /* A server's client retires in the poll after its DISCONNECTED. */
  end_count = 0;
  listen_here(&server, NULL);
  if (check("connect", ws_connect(text_of(server.h, WS_GET_URL), NULL, &client.h)) < 0) return;
  client.name = "client";
  add_end(&client);
  take(&client, 1);
  ws_event event = next_event(&server);
  ws_handle conn = event.conn;
  print_event("server", &event);
  check("close", ws_close(client.h, -1, ""));
  until(&server, WS_EVENT_DISCONNECTED);
  put(conn, "just gone");
  ws_poll(server.h);
  put(conn, "to nobody");
  check("put_to", ws_put_packet_to(server.h, 12345, (const uint8_t *)"", 0, WS_BINARY));
  free_all();
}

/* ---- A session. The remote peer is a relay, which cuts the first link in the place of the server's "cut" ---- */

static void session(const char *url) {
  end server = {"server", 0, 0};
  char through[256];
  uint32_t port = 0;
  ws_stats stats;
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.session_ms = 60000;
  config.node = "node-1";
  listen_here(&server, &config);
  ws_get_option(server.h, WS_OPT_PORT, &port);
  snprintf(through, sizeof through, "%s/%u/room", url, port);
  config.node = NULL;
  config.retry_min_ms = 1;
  config.retry_max_ms = 20;
  if (check("connect", ws_connect(through, &config, &client.h)) < 0) return;
  client.name = "client";
  add_end(&client);
  take(&client, 1);
  ws_event event = next_event(&server);
  const ws_handle conn = event.conn, lost = client.h;
  print_event("server", &event);
  put(client.h, "one");
  take(&server, 1);
  put(conn, "cut");
  take(&client, 1);
  /* Without its handle the client is not polled, so it does not come back before both have put. */
  client.h = 0;
  take(&server, 1);
  printf("state %d %d\n", ws_get_state(lost), ws_get_state(conn));
  put(lost, "two");
  put(lost, "three");
  put(conn, "four");
  client.h = lost;
  take(&server, 3);
  take(&client, 3);
  printf("state %d %d\n", ws_get_state(client.h), ws_get_state(conn));
  ws_get_stats(server.h, &stats, sizeof stats);
  printf("losses %llu resumed %llu\n", (unsigned long long)stats.losses, (unsigned long long)stats.resumed);
  put(conn, "five");
  take(&client, 1);
  check("close", ws_close(client.h, 4000, "bye"));
  until(&client, WS_EVENT_CLOSED);
  until(&server, WS_EVENT_DISCONNECTED);
  free_all();

  /* A server without sessions. */
  listen_here(&server, NULL);
  if (check("connect", ws_connect(text_of(server.h, WS_GET_URL), &config, &client.h)) < 0) return;
  add_end(&client);
  take(&client, 2);
  take(&server, 1);
  put(client.h, "without");
  take(&server, 1);
  check("hint", ws_hint(client.h, WS_HINT_SUSPEND));
  check("hint", ws_hint(client.h, WS_HINT_RESUME));
  check("hint", ws_hint(client.h, WS_HINT_NETWORK_CHANGED));
  check("drain", ws_drain(server.h, 5000, 0, "http://localhost"));
  check("drain", ws_drain(server.h, 5000, 0, NULL));
  until(&client, WS_EVENT_CLOSED);
  until(&server, WS_EVENT_DISCONNECTED);
  printf("server event %d\n", next_event(&server).type);
}

/* ---- A certificate that is replaced while the server runs ---- */

typedef struct {
  char cert[4096], key[512], sha256[65];
} made_certificate;

static ws_result make_certificate(const char *names, uint32_t days, made_certificate *made) {
  return check("make_certificate", ws_make_certificate(names, days, made->cert, sizeof made->cert, made->key,
                                                       sizeof made->key, made->sha256, sizeof made->sha256));
}

/* A client that trusts only this certificate, by its fingerprint or as ca_pem. */
static void visit(end *one, const char *url, const char *pin, const char *ca) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = ca ? WS_ONLY_CA_PEM : 0;
  config.ca_pem = ca;
  config.pin_sha256 = pin;
  if (check("connect", ws_connect(url, &config, &one->h)) < 0) exit(1);
  add_end(one);
  take(one, 1);
}

static void renew(void) {
  static made_certificate first, second;
  end server = {"server", 0, 0}, clients[] = {{"a", 0, 0}, {"b", 0, 0}, {"c", 0, 0}, {"d", 0, 0}};
  ws_handle plain;
  make_certificate("", 30, &first);
  make_certificate("localhost:443", 30, &first);
  make_certificate("localhost", 0, &first);
  if (make_certificate("localhost, 127.0.0.1, ::1", 30, &first) < 0) return;
  if (make_certificate("localhost, 127.0.0.1, ::1", 30, &second) < 0) return;
  printf("sha256 %zu\n", strlen(first.sha256));
  if (check("listen", ws_listen("ws://127.0.0.1:0", NULL, &plain)) < 0) return;
  check("set_certificate", ws_set_certificate(plain, first.cert, first.key));
  ws_free(plain);

  ws_config config;
  ws_config_init(&config, sizeof config);
  config.cert_pem = first.cert;
  config.key_pem = first.key;
  if (check("listen", ws_listen("wss://127.0.0.1:0", &config, &server.h)) < 0) return;
  add_end(&server);
  char url[64];
  snprintf(url, sizeof url, "%s", text_of(server.h, WS_GET_URL));
  visit(&clients[0], url, first.sha256, NULL);
  take(&server, 1);
  check("set_certificate", ws_set_certificate(server.h, second.cert, second.key));
  visit(&clients[1], url, second.sha256, NULL);
  take(&server, 1);
  put(clients[0].h, "still here");
  take(&server, 1);
  visit(&clients[2], url, NULL, first.cert);
  check("set_certificate", ws_set_certificate(server.h, first.cert, second.key));
  check("set_certificate", ws_set_certificate(server.h, "no certificate", second.key));
  visit(&clients[3], url, NULL, second.cert);
  take(&server, 1);
  free_all();
}

/* ---- A client behind a proxy, which is this program ---- */

/* A server with these settings, and a client that sends both headers. */
static void visit_behind(uint32_t flag, const char *trusted) {
  static const char *const lines[] = {"X-Forwarded-For: 198.51.100.1, 203.0.113.7", "Forwarded: for=198.51.100.2"};
  end server = {"server", 0, 0};
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = flag;
  config.trusted_proxies = trusted;
  listen_here(&server, &config);
  ws_config_init(&config, sizeof config);
  config.headers = lines;
  config.headers_count = 2;
  client.name = "client";
  if (check("connect", ws_connect(text_of(server.h, WS_GET_URL), &config, &client.h)) < 0) exit(1);
  add_end(&client);
  take(&client, 1);
  ws_event event = next_event(&server);
  print_event("server", &event);
  /* Without the port. */
  const char *remote = text_of(event.conn, WS_GET_REMOTE_ADDRESS), *peer = text_of(event.conn, WS_GET_PEER_ADDRESS);
  printf("remote %.*s\n", (int)strcspn(remote, ":"), remote);
  printf("peer %.*s\n", (int)strcspn(peer, ":"), peer);
  free_all();
}

static void proxied(void) {
  ws_handle h;
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_FORWARDED;
  check("listen", ws_listen("ws://127.0.0.1:0", &config, &h));
  config.trusted_proxies = "127.0.0.1/33";
  check("listen", ws_listen("ws://127.0.0.1:0", &config, &h));
  config.flags = WS_FORWARDED | WS_X_FORWARDED_FOR;
  config.trusted_proxies = "127.0.0.0/8, ::1";
  check("listen", ws_listen("ws://127.0.0.1:0", &config, &h));
  visit_behind(WS_X_FORWARDED_FOR, "127.0.0.0/8, ::1");
  visit_behind(WS_FORWARDED, "127.0.0.0/8, ::1");
  /* The client is none of the proxies, so it sends no header of the PROXY protocol. */
  visit_behind(WS_PROXY_PROTOCOL, "192.0.2.0/24");
}

/* ---- Clients that a server turns away ---- */

static void knock(const char *url, const char *origin) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.headers = &origin;
  config.headers_count = 1;
  if (check("connect", ws_connect(url, &config, &client.h)) >= 0) take(&client, 1);
}

static void refused(void) {
  end server = {"server", 0, 0};
  ws_stats stats;
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.allowed_hosts = "localhost, game.example/";
  check("listen", ws_listen("ws://127.0.0.1:0", &config, &server.h));
  config.allowed_hosts = "localhost, 127.0.0.1";
  config.allowed_origins = "game.example";
  check("listen", ws_listen("ws://127.0.0.1:0", &config, &server.h));
  config.allowed_origins = "https://game.example, https://*.game.example";
  config.flags = WS_REPORT_REFUSED;
  listen_here(&server, &config);
  client.name = "client";
  add_end(&client);
  char url[64];
  snprintf(url, sizeof url, "%s", text_of(server.h, WS_GET_URL));
  knock(url, "Origin: https://evil.example");
  take(&server, 1);
  knock(url, "Origin: https://www.game.example");
  take(&server, 1);
  check("set_option", ws_set_option(server.h, WS_OPT_REFUSE_NEW, 1));
  knock(url, "Origin: https://game.example");
  take(&server, 1);
  check("get_stats", ws_get_stats(server.h, &stats, sizeof stats));
  printf("refused %d request %d limit %d\n", (int)stats.refused, (int)stats.refused_request, (int)stats.refused_limit);
  free_all();
}

/* ---- A server. The driver's clients connect one by one, and their messages say what to do ---- */

static ws_result reply(ws_handle server, int32_t target, const ws_packet *packet) {
  return check("put_to", ws_put_packet_to(server, target, packet->data, packet->len, packet->type));
}

static int says(const ws_packet *packet, const char *word) {
  return packet->len == strlen(word) && !memcmp(packet->data, word, packet->len);
}

static void serve(void) {
  enum { MAX_CLIENTS = 8 };
  ws_handle clients[MAX_CLIENTS];
  int count = 0;
  const char *answer = "X-Answer: yes";
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.subprotocols = "chat";
  config.headers = &answer;
  config.headers_count = 1;
  end server = {"", 0, 0};
  listen_here(&server, &config);
  uint32_t port = 0;
  ws_get_option(server.h, WS_OPT_PORT, &port);
  printf("port %u\n", port);
  fflush(stdout);

  for (;;) {
    ws_event event = next_event(&server);
    if (event.conn == server.h) break;
    if (event.type == WS_EVENT_CONNECTED && count < MAX_CLIENTS) clients[count++] = event.conn;
    int number = 1;
    while (number < count && clients[number - 1] != event.conn) number++;
    int32_t target = (int32_t)event.conn;
    char name[16], words[64];
    snprintf(name, sizeof name, "%d", number);
    print_event(name, &event);
    switch (event.type) {
      case WS_EVENT_CONNECTED:
        print_header(name, event.conn, "x-name", 0);
        snprintf(words, sizeof words, "welcome %d", number);
        put(event.conn, words);
        break;
      case WS_EVENT_MESSAGE:
        if (says(&event.packet, "me")) reply(server.h, target, &event.packet);
        else if (says(&event.packet, "others")) reply(server.h, -target, &event.packet);
        else if (says(&event.packet, "end")) check("disconnect", ws_disconnect(server.h, target, 4004, "as you wish"));
        else if (says(&event.packet, "stop")) check("close", ws_close(server.h, 4100, "over"));
        else check("put", ws_put_packet(server.h, event.packet.data, event.packet.len, event.packet.type));
        break;
      case WS_EVENT_DISCONNECTED:
        if (ws_get_state(server.h) != WS_OPEN) break;
        snprintf(words, sizeof words, "%d has left", number);
        put(server.h, words);
        break;
      default: break;
    }
  }
  printf("server closed\n");
}

/* ---- A server that serves a directory. The driver's client asks for files, then joins and says "stop" ---- */

static void files(const char *directory) {
  end server = {"server", 0, 0};
  ws_config config;
  ws_config_init(&config, sizeof config);
  listen_here(&server, &config);
  uint32_t port = 0;
  ws_get_option(server.h, WS_OPT_PORT, &port);
  printf("port %u\n", port);
  fflush(stdout);
  check("serve", ws_serve(server.h, "page", directory, 0));
  check("serve", ws_serve(server.h, "/.git", directory, 0));
  check("serve", ws_serve(server.h, "/", "no such directory", 0));
  check("stop_serving", ws_serve(server.h, "/threads", NULL, 0));
  check("serve", ws_serve(server.h, "/", directory, 0));
  check("serve", ws_serve(server.h, "/threads", directory, WS_SERVE_ISOLATED));
  ws_event event = next_event(&server);
  print_event("server", &event);
  take(&server, 1);
  check("stop_serving", ws_serve(server.h, "/threads", NULL, 0));
  put(event.conn, "stopped");
  take(&server, 2);
  ws_stats stats;
  ws_get_stats(server.h, &stats, sizeof stats);
  printf("served %d\n", (int)stats.served);
}

/* ---- A server that decides on requests. The driver's clients come one by one ---- */

static void decide(const ws_event *event) {
  static const char *const bad = "X-Room: 7\r\nX-Other: 8", *const room = "X-Room: 7";
  static const char *const login = "WWW-Authenticate: Bearer", *const kind = "Content-Type: text/html";
  const ws_handle conn = event->conn;
  const uint8_t *const no = (const uint8_t *)"no";
  printf("request websocket=%d method=%s path=%s query=%s body=%.*s\n", (int)event->count,
         text_of(conn, WS_GET_METHOD), text_of(conn, WS_GET_PATH), text_of(conn, WS_GET_QUERY), (int)event->packet.len,
         (const char *)event->packet.data);
  if (event->count == 0) {
    check("accept", ws_accept(conn, NULL, NULL, 0));
    check("reply", ws_reply(conn, 200, &kind, 1, event->packet.data, event->packet.len));
  } else if (!strcmp(text_of(conn, WS_GET_QUERY), "token=good")) {
    check("accept", ws_accept(conn, "chat.v9", NULL, 0));
    check("accept", ws_accept(conn, "chat.v2", &bad, 1));
    check("accept", ws_accept(conn, "chat.v2", &room, 1));
    check("reply", ws_reply(conn, 200, NULL, 0, no, 2));
  } else {
    check("reply", ws_reply(conn, 101, NULL, 0, no, 2));
    check("reply", ws_reply(conn, 401, &login, 1, no, 2));
  }
}

static void requests(void) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_ASK;
  end server = {"", 0, 0};
  listen_here(&server, &config);
  uint32_t port = 0;
  ws_get_option(server.h, WS_OPT_PORT, &port);
  printf("port %u\n", port);
  fflush(stdout);
  for (int connected = 0;;) {
    ws_event event = next_event(&server);
    if (event.type == WS_EVENT_REQUEST) {
      decide(&event);
      continue;
    }
    connected |= event.type == WS_EVENT_CONNECTED;
    print_event("", &event);
    if (event.type == WS_EVENT_DISCONNECTED && connected) break;
  }
  free_all();
}

/* ---- A game: a host and three joins, in either format ---- */

static void say(ws_handle h, int32_t type, const char *words) {
  check("put", ws_put_packet(h, (const uint8_t *)words, strlen(words), type));
}

static void say_to(ws_handle h, int32_t target, int32_t type, const char *words) {
  check("put_to", ws_put_packet_to(h, target, (const uint8_t *)words, strlen(words), type));
}

static void multiplayer(uint32_t format) {
  end host = {"host", 0, 1}, joins[] = {{"a", 0, 0}, {"b", 0, 0}, {"c", 0, 0}};
  end *a = &joins[0], *b = &joins[1], *c = &joins[2];
  const int godot3 = format == WS_GODOT3;
  const int32_t type = godot3 ? WS_BINARY : WS_TEXT;
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = format;
  if (check("host", ws_host("ws://127.0.0.1:0", &config, &host.h)) < 0) return;
  add_end(&host);
  const char *url = text_of(host.h, WS_GET_URL);
  for (int i = 0; i < 3; i++) {
    if (check("join", ws_join(url, &config, &joins[i].h)) < 0) return;
    add_end(&joins[i]);
    for (time_t limit = time(NULL) + 10; ws_get_state(joins[i].h) == WS_CONNECTING && time(NULL) < limit;) poll_all();
    joins[i].id = ws_get_peer_id(joins[i].h);
    take(&host, 1);
    take(&joins[i], godot3 ? 2 + i : 2);
    for (int there = 0; godot3 && there < i; there++) take(&joins[there], 1);
  }

  say(host.h, type, "to all");
  for (int i = 0; i < 3; i++) take(&joins[i], 1);
  say_to(host.h, b->id, type, "to b");
  take(b, 1);
  say_to(host.h, -c->id, type, "not to c");
  take(a, 1);
  take(b, 1);
  say_to(host.h, 1, type, "to myself");
  for (int i = 0; i < 3; i++) {
    say(joins[i].h, type, "from me");
    take(&host, 1);
    for (int other = 0; godot3 && other < 3; other++)
      if (other != i) take(&joins[other], 1);
  }
  say_to(a->h, 1, type, "to the host");
  take(&host, 1);
  say_to(a->h, c->id, type, "to c");
  if (godot3) take(c, 1);

  check("disconnect", ws_disconnect(host.h, b->id, 4003, "kicked"));
  until(&host, WS_EVENT_DISCONNECTED);
  until(b, WS_EVENT_CLOSED);
  if (godot3) take(a, 1);
  if (godot3) take(c, 1);
  check("close", ws_close(c->h, 4005, "leaving"));
  until(&host, WS_EVENT_DISCONNECTED);
  until(c, WS_EVENT_CLOSED);
  if (godot3) take(a, 1);
  check("close", ws_close(host.h, 0, "the game is over"));
  until(&host, WS_EVENT_DISCONNECTED);
  until(a, WS_EVENT_CLOSED);
  free_all();
}

static char *read_file(const char *path) {
  static char text[1 << 16];
  FILE *file = fopen(path, "rb");
  if (file) {
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
  }
  return text;
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*run)(const char *url);
  } clients[] = {{"echo", echo},
                 {"sizes", sizes},
                 {"subprotocol", subprotocol},
                 {"headers", headers},
                 {"certificate", certificate},
                 {"status", status},
                 {"nobody", nobody},
                 {"diagnose", diagnose},
                 {"proxy", proxy},
                 {"heartbeat", heartbeat},
                 {"names", own_names},
                 {"latest", latest},
                 {"reconnect", reconnect},
                 {"session", session},
                 {"close-here", close_here},
                 {"close-there", close_there},
                 {"burst", burst},
                 {"bad-peer", bad_peer},
                 {"bad-put", bad_put},
                 {"bad-text", bad_text},
                 {"bad-close", bad_close},
                 {"stale", stale},
                 {"files", files}};
  const char *name = argc > 1 ? argv[1] : "", *url = argc > 2 ? argv[2] : "";
  int known = 1;
  if (!strcmp(name, "wss") && argc > 3) wss(url, read_file(argv[3]));
  else if (!strcmp(name, "bad-open")) bad_open();
  else if (!strcmp(name, "server")) serve();
  else if (!strcmp(name, "requests")) requests();
  else if (!strcmp(name, "renew")) renew();
  else if (!strcmp(name, "proxied")) proxied();
  else if (!strcmp(name, "refused")) refused();
  else if (!strcmp(name, "multiplayer")) multiplayer(0);
  else if (!strcmp(name, "multiplayer3")) multiplayer(WS_GODOT3);
  else known = run_local(name);
  for (size_t i = 0; !known && i < sizeof clients / sizeof clients[0]; i++) {
    if (strcmp(name, clients[i].name)) continue;
    clients[i].run(url);
    known = 1;
  }
  if (!known) fprintf(stderr, "usage: %s SCENARIO [URL [CA.pem]]\n", argv[0]);
  free_all();
  ws_shutdown();
  return known ? 0 : 2;
}
