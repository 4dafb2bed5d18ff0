/* What a page can do beyond the scenarios of docs/conformance.md: sizes, bursts, limits, and loans while memory grows;
   nothing fails silently. Usage: browser ECHO-URL DYING-URL NOBODY-URL */
#include "../c/check.h"

#include <emscripten/heap.h>

static const ws_config *defaults(void) {
  static ws_config config;
  ws_config_init(&config, sizeof config);
  return &config;
}

/* The next event, within 20 s. */
static ws_event next(ws_handle h) {
  ws_event event;
  memset(&event, 0, sizeof event);
  for (double limit = now_s() + 20; ws_next_event(h, &event) != WS_OK && now_s() < limit; emscripten_sleep(1))
    ws_poll(h);
  return event;
}

static ws_handle opened(const char *url, const ws_config *config) {
  ws_handle h = 0;
  if (ws_connect(url, config, &h) < 0) printf("connect: %s\n", why());
  ws_event event = next(h);
  CHECK(event.type == WS_EVENT_OPEN && event.conn == h && event.time_ns > 0, "OPEN is the first event");
  return h;
}

static ws_event closed(ws_handle h, int32_t code, const char *reason) {
  ws_close(h, code, reason);
  ws_event event;
  do event = next(h);
  while (event.type && event.type != WS_EVENT_CLOSED);
  return event;
}

static void layouts(void) {
  CHECK(ws_struct_size(WS_STRUCT_CONFIG) == sizeof(ws_config) && ws_struct_size(WS_STRUCT_STATS) == sizeof(ws_stats),
        "ws_config and ws_stats have the same size as in C");
  CHECK(ws_struct_size(WS_STRUCT_PACKET) == sizeof(ws_packet) && ws_struct_size(WS_STRUCT_EVENT) == sizeof(ws_event),
        "ws_packet and ws_event have the same size as in C");
  CHECK(ws_struct_size(WS_STRUCT_VARIANT) == sizeof(ws_variant) && ws_struct_size(WS_STRUCT_CALL) == sizeof(ws_call) &&
            ws_struct_size(WS_STRUCT_PACKET_OUT) == sizeof(ws_packet_out) && ws_struct_size(WS_STRUCT_SIM) == sizeof(ws_sim) &&
            ws_struct_size(WS_STRUCT_REPLICATED) == sizeof(ws_replicated) && ws_struct_size(10) == 0,
        "the other structs have the same size as in C");
  CHECK(ws_version() == WS_VERSION && ws_abi_version() == WS_ABI_VERSION, "versions");
  CHECK(!strcmp(ws_result_name(WS_OK), "WS_OK") && !strcmp(ws_result_name(WS_ERR_PANIC), "WS_ERR_PANIC") &&
            !strcmp(ws_result_name(WS_TRUNCATED), "WS_TRUNCATED"),
        "names of results");
  CHECK(!strcmp(ws_result_name(5), "WS_UNKNOWN") && !strcmp(ws_result_name(-1000), "WS_UNKNOWN") &&
            ws_result_name(0) == ws_result_name(0),
        "result names are static");
}

/* Messages of every size and type, sent and echoed. */
static void sizes(const char *url) {
  static const size_t lengths[] = {0, 1, 125, 126, 65535, 65536, 1 << 20, 16 << 20};
  ws_config config = *defaults();
  config.outbound_bytes = 64 << 20;
  ws_handle h = opened(url, &config);
  uint8_t *bytes = malloc((16 << 20) + 1);
  uint32_t seed = 1;
  for (int32_t type = WS_TEXT; type <= WS_BINARY; type++) {
    /* Noise, because the browser compresses if the server agrees, and well-compressible data would exceed the inflate
       limit. */
    for (size_t i = 0; i < (16 << 20); i++) {
      seed = seed * 1664525 + 1013904223;
      bytes[i] = (uint8_t)(type == WS_TEXT ? 'a' + (seed >> 24) % 26 : seed >> 24);
    }
    int good = 0;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
      if (ws_put_packet(h, bytes, lengths[i], type) < 0) printf("put: %s\n", why());
      ws_event event = next(h);
      good += event.type == WS_EVENT_MESSAGE && event.packet.type == type && event.packet.len == lengths[i] &&
              event.packet.data && !memcmp(event.packet.data, bytes, lengths[i]);
    }
    CHECK(good == 8,
          type == WS_TEXT ? "text from 0 bytes to 16 MiB comes back" : "binary from 0 bytes to 16 MiB comes back");
  }
  CHECK(ws_put_packet(h, bytes, (16 << 20) + 1, WS_BINARY) == WS_ERR_TOO_BIG, "one byte more is WS_ERR_TOO_BIG");
  free(bytes);
  closed(h, 0, NULL);
  ws_free(h);
}

/* Ten thousand messages arrive before the first poll, as in a background tab. */
static void burst(const char *url) {
  enum { COUNT = 10000, BATCH = 64 };
  static ws_event events[BATCH];
  ws_config config = *defaults();
  config.outbound_packets = COUNT;
  ws_handle h = opened(url, &config);
  char text[16];
  int put = 0, taken = 0, in_order = 1;
  for (; put < COUNT; put++) {
    int len = snprintf(text, sizeof text, "message %d", put);
    if (ws_put_packet(h, (const uint8_t *)text, (size_t)len, WS_TEXT) != WS_OK) break;
  }
  CHECK(put == COUNT, "all messages are accepted");
  for (double limit = now_s() + 20; ws_get_available(h) < COUNT && now_s() < limit;) emscripten_sleep(5);
  CHECK(ws_get_available(h) == COUNT, "all messages are queued without a poll");
  size_t count;
  while (ws_next_events(h, events, BATCH, &count) == WS_OK) {
    for (size_t i = 0; i < count; i++, taken++) {
      int len = snprintf(text, sizeof text, "message %d", taken);
      in_order &= events[i].packet.len == (size_t)len && !memcmp(events[i].packet.data, text, (size_t)len);
    }
  }
  CHECK(taken == COUNT && in_order, "all messages are read in order, in batches");
  ws_stats stats;
  CHECK(ws_get_stats(h, &stats, sizeof stats) == WS_OK && stats.messages_in == COUNT && stats.messages_out == COUNT &&
            stats.bytes_in == stats.bytes_out && stats.connections == 1 && stats.queued_packets_in == 0 &&
            stats.queued_packets_out == 0,
        "the counters agree");
  closed(h, 0, NULL);
  ws_free(h);
}

/* A client that does not read is closed with NOT_READING. */
static void inbound_limit(const char *url) {
  ws_config config = *defaults();
  config.inbound_packets = 10;
  ws_handle h = opened(url, &config);
  for (int i = 0; i < 20; i++) ws_put_packet(h, (const uint8_t *)"x", 1, WS_BINARY);
  for (double limit = now_s() + 20; ws_get_state(h) != WS_CLOSED && now_s() < limit;) emscripten_sleep(5);
  ws_event event, end;
  CHECK(ws_get_end(h, &end) == WS_OK && end.type == WS_EVENT_CLOSED && end.cause == WS_CAUSE_NOT_READING &&
            end.packet.len == 0,
        "ws_get_end has the cause");
  int messages = 0;
  while ((event = next(h)).type == WS_EVENT_MESSAGE) messages++;
  CHECK(messages == 10 && event.type == WS_EVENT_CLOSED && event.code == 1008 && event.cause == WS_CAUSE_NOT_READING &&
            !event.clean,
        "the ten messages that fit are readable before CLOSED");
  CHECK(strstr((const char *)event.packet.data, "inbound_packets") != NULL,
        "the error message names the option to raise");
  CHECK(ws_next_event(h, &event) == WS_EMPTY, "CLOSED is the last");
  ws_free(h);
}

/* WS_ERR_FULL, and WRITABLE once. */
static void outbound_limit(const char *url) {
  enum { SIZE = 256 << 10 };
  static uint8_t bytes[SIZE];
  ws_config config = *defaults();
  config.outbound_bytes = 1 << 20;
  ws_handle h = opened(url, &config);
  int taken = 0, back = 0, writable = 0;
  while (ws_put_packet(h, bytes, SIZE, WS_BINARY) == WS_OK && taken < 100) taken++;
  CHECK(taken == 4 && ws_put_packet(h, bytes, SIZE, WS_BINARY) == WS_ERR_FULL && strstr(why(), "WRITABLE"),
        "a full queue refuses messages");
  CHECK(strstr(why(), "or raise outbound_bytes or") && ws_set_name("outbound_bytes", "the room") == WS_OK,
        "the error message names the option");
  CHECK(ws_put_packet(h, bytes, SIZE, WS_BINARY) == WS_ERR_FULL && strstr(why(), "or raise the room or"),
        "the error message uses the name that was set");
  CHECK(ws_set_name("outbound_bytes", NULL) == WS_OK && ws_set_name(NULL, "x") == WS_ERR_NULL &&
            ws_set_name("\xFF", "x") == WS_ERR_UTF8,
        "the name is removed, and invalid names are refused");
  while (back < taken || !writable) {
    ws_event event = next(h);
    if (!event.type) break;
    back += event.type == WS_EVENT_MESSAGE;
    writable += event.type == WS_EVENT_WRITABLE;
  }
  CHECK(back == taken && writable == 1 && ws_put_packet(h, bytes, SIZE, WS_BINARY) == WS_OK &&
            next(h).packet.len == SIZE,
        "WRITABLE is reported once, and the next message is accepted");
  closed(h, 0, NULL);
  ws_free(h);
}

/* ws_put_packets: the messages before the first that is not accepted. */
static void many(const char *url) {
  static uint8_t bytes[500];
  ws_config config = *defaults();
  config.outbound_packets = 3;
  ws_handle h = opened(url, &config);
  ws_packet_out packets[5];
  size_t taken = 99;
  for (size_t i = 0; i < 5; i++)
    packets[i] = (ws_packet_out){.data = bytes, .len = 100 * i + 100, .type = i % 2 ? WS_TEXT : WS_BINARY};
  CHECK(ws_put_packets(h, packets, 5, &taken) == WS_ERR_FULL && taken == 3 && strstr(why(), "WRITABLE"),
        "a batch ends when the queue is full");
  for (size_t i = 0; i < 3; i++) {
    ws_event event = next(h);
    while (event.type == WS_EVENT_WRITABLE) event = next(h);
    CHECK(event.type == WS_EVENT_MESSAGE && event.packet.len == packets[i].len && event.packet.type == packets[i].type,
          "what was taken arrives in order");
  }
  packets[1].target = 7;
  CHECK(ws_put_packets(h, packets, 2, &taken) == WS_ERR_KIND && taken == 1, "a client has no targets");
  packets[0] = (ws_packet_out){.data = (const uint8_t *)"\xff", .len = 1, .type = WS_TEXT};
  CHECK(ws_put_packets(h, packets, 2, &taken) == WS_ERR_UTF8 && taken == 0, "a text that is not UTF-8");
  CHECK(ws_put_packets(h, NULL, 0, &taken) == WS_OK && taken == 0 && ws_put_packets(h, NULL, 1, &taken) == WS_ERR_NULL &&
            ws_put_packets(h, packets, 1, NULL) == WS_ERR_NULL && ws_put_packets(0, packets, 1, &taken) == WS_ERR_HANDLE,
        "wrong arguments of ws_put_packets");
  closed(h, 0, NULL);
  ws_free(h);
}

/* A loan stays in place while the program's memory grows. */
static void growth(const char *url) {
  ws_handle h = opened(url, NULL);
  ws_put_packet(h, (const uint8_t *)"lent", 4, WS_TEXT);
  ws_event event = next(h);
  size_t before = emscripten_get_heap_size();
  uint8_t *volatile more = malloc(before);
  if (more) memset(more, 7, before);
  CHECK(more && emscripten_get_heap_size() > before, "the memory grows");
  ws_poll(h);
  CHECK(event.packet.len == 4 && !memcmp(event.packet.data, "lent", 4), "the loan is unchanged");
  CHECK(ws_put_packet(h, event.packet.data, event.packet.len, WS_BINARY) == WS_OK, "lent bytes can be put again");
  event = next(h);
  CHECK(event.packet.type == WS_BINARY && event.packet.len == 4 && !memcmp(event.packet.data, "lent", 4),
        "the lent bytes are echoed");
  CHECK(closed(h, 0, NULL).code == 1000, "the connection closes normally");
  ws_free(h);
  free(more);
}

/* Many messages need no further memory once the buffer has grown. */
static void memory(const char *url) {
  enum { SIZE = 100000 };
  static uint8_t bytes[SIZE];
  ws_handle h = opened(url, NULL);
  const uint8_t *place = NULL;
  int moved = -1, good = 0;
  for (int i = 0; i < 200; i++) {
    ws_put_packet(h, bytes, SIZE, WS_BINARY);
    ws_event event = next(h);
    good += event.packet.len == SIZE;
    moved += event.packet.data != place;
    place = event.packet.data;
  }
  CHECK(good == 200 && moved == 0, "every loan uses the same buffer");
  closed(h, 0, NULL);
  ws_free(h);
}

static void close_codes(const char *url) {
  static const int32_t codes[] = {0, 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1014, 3000, 4000, 4999};
  int good = 0;
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    ws_handle h = 0;
    ws_connect(url, NULL, &h);
    next(h);
    ws_event event = closed(h, codes[i], "bye");
    good += event.code == (codes[i] ? codes[i] : 1000) && event.clean && event.cause == WS_CAUSE_CLOSED_BY_HOST &&
            event.http_status == 101;
    ws_free(h);
  }
  CHECK(good == 13, "every close code is reported as requested");
  ws_handle h = opened(url, NULL);
  ws_close(h, -1, NULL);
  ws_event event;
  CHECK(ws_get_state(h) == WS_CLOSED && ws_next_event(h, &event) == WS_OK && event.type == WS_EVENT_CLOSED &&
            event.code == 1006 && event.cause == WS_CAUSE_DROPPED,
        "a close with -1 ends at once");
  ws_free(h);
}

static void failures_of_peers(const char *dying, const char *nobody) {
  ws_handle h = opened(dying, NULL);
  ws_put_packet(h, (const uint8_t *)"die", 3, WS_TEXT);
  ws_event event = next(h);
  CHECK(event.type == WS_EVENT_CLOSED && event.code == 1006 && !event.clean && event.cause == WS_CAUSE_PEER_GONE &&
            event.packet.len > 0,
        "a server that dies leads to PEER_GONE");
  ws_free(h);
  ws_connect(nobody, NULL, &h);
  event = next(h);
  CHECK(event.type == WS_EVENT_CLOSED && event.code == 1006 && event.http_status == 0 &&
            strstr((const char *)event.packet.data, "does not say why"),
        "a refused connection is reported without a cause");
  CHECK(ws_get_state(h) == WS_CLOSED && ws_put_packet(h, NULL, 0, WS_TEXT) == WS_ERR_STATE,
        "a refused connection accepts no message");
  ws_free(h);
  ws_config config = *defaults();
  config.connect_timeout_ms = 1;
  ws_connect(dying, &config, &h);
  for (double until = now_s() + 0.02; now_s() < until;) {
  }
  ws_poll(h);
  CHECK(ws_next_event(h, &event) == WS_OK && event.cause == WS_CAUSE_CONNECT_TIMEOUT,
        "the connect timeout is checked in the poll");
  ws_free(h);
}

/* Diagnoses a URL with a secret in its query. Returns the end; `words` is set if a step has these words. */
static ws_event diagnosed(const char *base, const char *words, int *found) {
  char url[256];
  ws_handle h = 0;
  ws_event event;
  int shown = 0, open = 0;
  *found = 0;
  snprintf(url, sizeof url, "%s?token=topsecret", base);
  CHECK(ws_diagnose(url, NULL, &h) == WS_OK && ws_put_packet(h, (const uint8_t *)"x", 1, WS_TEXT) == WS_ERR_STATE,
        "a diagnosis sends no messages");
  for (event = next(h); event.type == WS_EVENT_STEP; event = next(h)) {
    const char *text = (const char *)event.packet.data;
    *found |= strstr(text, words) != NULL;
    shown |= strstr(text, "topsecret") != NULL || !*text;
    open |= ws_get_state(h) == WS_OPEN;
  }
  static char advice[1100];
  snprintf(advice, sizeof advice, "%s", (const char *)event.packet.data);
  char same[1100];
  CHECK(!shown && !strstr(advice, "topsecret") && !open, "no text of a diagnosis has the query, and it is never OPEN");
  CHECK(ws_get_text(h, WS_GET_ERROR, same, sizeof same, NULL) == WS_OK && !strcmp(same, advice),
        "WS_GET_ERROR is the advice");
  event.packet.data = (const uint8_t *)advice;
  ws_free(h);
  return event;
}

static void diagnoses(const char *url, const char *nobody) {
  int found;
  ws_event end = diagnosed(url, "a browser hides name lookup", &found);
  CHECK(found && end.type == WS_EVENT_CLOSED && end.cause == WS_CAUSE_NONE && end.phase == WS_PHASE_NONE &&
            end.code == 1000 && strstr((const char *)end.packet.data, "works"),
        "a diagnosis of a working server says so, and what a browser hides");
  /* The pages of these tests are isolated, so that threads can share memory. */
  end = diagnosed(nobody, "cannot ask by HTTP", &found);
  CHECK(found && end.type == WS_EVENT_CLOSED && end.cause == WS_CAUSE_TCP_FAILED && end.phase == WS_PHASE_TCP &&
            strstr((const char *)end.packet.data, "check host and port"),
        "a diagnosis of a port without a server says what to check");
}

/* Messages before OPEN, packets without events, texts, options and user values. */
static void small_things(const char *url) {
  ws_config config = *defaults();
  config.flags = WS_QUEUE_BEFORE_OPEN;
  config.user = (void *)4711;
  config.owner = 5;
  ws_handle h, other;
  char text[8];
  size_t len;
  uint32_t value = 0;
  ws_packet packet;
  ws_connect(url, &config, &h);
  CHECK(ws_get_state(h) == WS_CONNECTING && ws_put_packet(h, (const uint8_t *)"early", 5, WS_TEXT) == WS_OK,
        "a message is accepted before OPEN");
  for (double limit = now_s() + 20; !ws_get_available(h) && now_s() < limit; emscripten_sleep(1)) ws_poll(h);
  CHECK(ws_get_packet(h, &packet) == WS_OK && packet.len == 5 && packet.user == 4711 && packet.conn == h,
        "ws_get_packet takes only messages");
  ws_event event;
  CHECK(ws_next_event(h, &event) == WS_OK && event.type == WS_EVENT_OPEN && event.packet.user == 4711 &&
            event.packet.data && !event.packet.len,
        "OPEN stays queued");
  CHECK(ws_get_text(h, WS_GET_URL, text, sizeof text, &len) == WS_TRUNCATED && !strncmp(text, "ws://", 5) && !text[7] &&
            len > 7,
        "texts are truncated and their length is returned");
  CHECK(ws_get_option(h, WS_OPT_CLOSE_TIMEOUT_MS, &value) == WS_OK && value == 3000 &&
            ws_set_option(h, WS_OPT_CLOSE_TIMEOUT_MS, 0) == WS_ERR_ARG,
        "options");
  CHECK(ws_set_option(h, WS_OPT_NO_DELAY, 0) == WS_ERR_UNSUPPORTED &&
            ws_get_option(h, WS_OPT_MAX_CLIENTS, &value) == WS_ERR_KIND && ws_get_option(h, 99, &value) == WS_ERR_ARG,
        "invalid options");
  CHECK(ws_set_user(h, 42) == WS_OK && ws_put_packet(h, (const uint8_t *)"x", 1, WS_TEXT) == WS_OK &&
            next(h).packet.user == 42,
        "the user value can be changed");
  CHECK(ws_put_packet_to(h, 1, NULL, 0, WS_TEXT) == WS_ERR_KIND && ws_disconnect(h, 1, 0, NULL) == WS_ERR_KIND &&
            ws_get_peer_id(h) == WS_ERR_KIND,
        "calls for other kinds of handle");
  char made[64];
  CHECK(ws_accept(h, NULL, NULL, 0) == WS_ERR_UNSUPPORTED && ws_reply(h, 200, NULL, 0, NULL, 0) == WS_ERR_UNSUPPORTED,
        "a page has no requests to answer");
  CHECK(ws_set_certificate(h, "", "") == WS_ERR_UNSUPPORTED &&
            ws_make_certificate("a", 1, made, sizeof made, made, sizeof made, NULL, 0) == WS_ERR_UNSUPPORTED,
        "a page has no certificate");
  CHECK(ws_serve(h, "/", ".", 0) == WS_ERR_UNSUPPORTED, "a page serves no files");
  CHECK(ws_next_event(h, NULL) == WS_ERR_NULL && ws_get_packets(h, &packet, 0, &len) == WS_ERR_ARG &&
            ws_put_packet(h, NULL, 1, WS_TEXT) == WS_ERR_NULL && ws_put_packet(h, NULL, 0, 9) == WS_ERR_ARG,
        "wrong arguments");
  ws_connect(url, NULL, &other);
  ws_free_owner(5);
  CHECK(ws_get_state(h) == WS_ERR_HANDLE && strstr(why(), "freed") && ws_get_state(other) == WS_CONNECTING &&
            ws_poll(0) == WS_ERR_HANDLE,
        "ws_free_owner frees only its owner's handles");
  ws_shutdown();
  CHECK(ws_get_state(other) == WS_ERR_HANDLE, "ws_shutdown frees all handles");
  ws_set_log_level(WS_LOG_INFO);
  h = opened(url, NULL);
  closed(h, 0, NULL);
  char line[256];
  CHECK(ws_get_log(line, 4, &len) == WS_TRUNCATED && ws_get_log(line, sizeof line, NULL) == WS_OK &&
            !strncmp(line, "info: ws://", 11),
        "a line of the log");
  ws_free(h);
  while (ws_get_log(line, sizeof line, NULL) == WS_OK) {}
  char with_query[256];
  snprintf(with_query, sizeof with_query, "%s%smarked=marked", url, strchr(url, '?') ? "&" : "?");
  h = opened(with_query, NULL);
  closed(h, 0, NULL);
  ws_free(h);
  EM_ASM({
    globalThis['WSPEER_LOG'] = 'INFO';
    globalThis.told = [];
    globalThis.before = console.info;
    console.info = function (line) { globalThis.told.push(line); };
  });
  ws_set_log_level(WS_LOG_ERROR);
  h = opened(with_query, NULL);
  closed(h, 0, NULL);
  ws_free(h);
  ws_set_log_level(WS_LOG_INFO);
  CHECK(EM_ASM_INT({
          console.info = globalThis.before;
          delete globalThis['WSPEER_LOG'];
          return globalThis.told.length >= 2 && globalThis.told.every(line =>
            /^wspeer [0-9]+[.][0-9]{3} info: ws:/.test(line) && !line.includes('marked'));
        }),
        "WSPEER_LOG writes to the console, without the query");
  int lines = 0, secret = 0;
  for (; ws_get_log(line, sizeof line, NULL) == WS_OK; lines++) secret |= strstr(line, "marked") != NULL;
  CHECK(lines >= 2 && !secret, "the log does not contain the query");
  config = *defaults();
  config.subprotocols = "marked/1";
  CHECK(ws_connect(url, &config, &h) == WS_ERR_CONFIG && !strstr(why(), "marked"),
        "an invalid subprotocol is not quoted");
  CHECK(ws_connect("ws://marked:marked@127.0.0.1:1/?marked", NULL, &h) < 0 && !strstr(why(), "marked"),
        "user name, password and query are not quoted");
}

/* What a browser cannot do returns WS_ERR_UNSUPPORTED. */
static void unsupported(const char *url) {
  ws_handle h = 0, two = 0;
  ws_config config = *defaults();
  size_t len;
  const char *header = "X-One: 1";
  CHECK(ws_get_features() == (WS_FEATURE_CLIENT | WS_FEATURE_TLS | WS_FEATURE_MULTIPLAYER | WS_FEATURE_SCENE),
        "ws_get_features");
  CHECK(ws_listen("ws://*:0", NULL, &h) == WS_ERR_UNSUPPORTED && ws_host("ws://*:0", NULL, &h) == WS_ERR_UNSUPPORTED &&
            strlen(why()) > 20,
        "servers and hosts");
  CHECK(ws_pair(NULL, &h, &two) == WS_ERR_UNSUPPORTED && ws_attach(NULL, WS_ROLE_CLIENT, &h) == WS_ERR_UNSUPPORTED &&
            ws_join_local(1, NULL, &h) == WS_ERR_UNSUPPORTED,
        "ends in memory");
  CHECK(ws_feed(1, NULL, 0, NULL) == WS_ERR_UNSUPPORTED && ws_take_output(1, NULL, 0, &len) == WS_ERR_UNSUPPORTED &&
            (ws_wait)(&h, 1, 0) == WS_ERR_UNSUPPORTED,
        "attached transports and waiting");
  config.headers = &header;
  config.headers_count = 1;
  CHECK(ws_connect(url, &config, &h) == WS_ERR_UNSUPPORTED && strstr(why(), "headers"), "headers");
  config = *defaults();
  config.pin_sha256 = "00";
  CHECK(ws_connect(url, &config, &h) == WS_ERR_UNSUPPORTED && strstr(why(), "pin_sha256"), "TLS options");
  config = *defaults();
  config.proxy = "env";
  CHECK(ws_connect(url, &config, &h) == WS_ERR_UNSUPPORTED && strstr(why(), "proxy"), "a proxy");
  config = *defaults();
  config.heartbeat_ms = 1000;
  CHECK(ws_connect(url, &config, &h) == WS_ERR_UNSUPPORTED && strstr(why(), "heartbeat_ms"), "heartbeats");
  config = *defaults();
  config.flags = WS_INSECURE;
  CHECK(ws_connect(url, &config, &h) == WS_ERR_UNSUPPORTED &&
            ws_connect("ws://user:word@127.0.0.1/", NULL, &h) == WS_ERR_UNSUPPORTED,
        "trust and passwords");
  config = *defaults();
  config.flags = 1u << 30;
  CHECK(ws_connect(url, &config, &h) == WS_ERR_CONFIG && ws_config_init(&config, 4) == WS_ERR_CONFIG,
        "unknown flags and sizes are WS_ERR_CONFIG, not unsupported");
  h = opened(url, NULL);
  char text[8];
  CHECK(ws_get_header(h, "server", 0, text, sizeof text, NULL) == WS_ERR_UNSUPPORTED &&
            ws_get_text(h, WS_GET_REMOTE_ADDRESS, text, sizeof text, NULL) == WS_ERR_UNSUPPORTED &&
            ws_get_text(h, WS_GET_PEER_ADDRESS, text, sizeof text, NULL) == WS_ERR_UNSUPPORTED &&
            ws_get_text(h, WS_GET_TLS, text, sizeof text, NULL) == WS_ERR_UNSUPPORTED,
        "headers of the answer, addresses, TLS");
  ws_free(h);
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  layouts();
  sizes(argv[1]);
  burst(argv[1]);
  inbound_limit(argv[1]);
  outbound_limit(argv[1]);
  many(argv[1]);
  growth(argv[1]);
  memory(argv[1]);
  close_codes(argv[1]);
  failures_of_peers(argv[2], argv[3]);
  diagnoses(argv[1], argv[3]);
  small_things(argv[1]);
  unsupported(argv[1]);
  ws_shutdown();
  FINISH();
}
