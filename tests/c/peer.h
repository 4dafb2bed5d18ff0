/* Shared by peer_client.c and peer_server.c. Commands are lines of standard input: a verb and NAME=VALUE fields,
   separated by tabs. Events are lines of standard output: flat JSON objects. The programs in tests/peers use the same
   format. */
#ifndef PEER_H
#define PEER_H

#include "wspeer.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FIELDS = 24, MAX_HEADERS = 8, MAX_LINE = 8192 };

static char *fields[MAX_FIELDS];
static int field_count;

/* Splits a line in place into `fields`; the verb is fields[0]. */
static inline void split(char *line) {
  field_count = 0;
  for (char *field = strtok(line, "\t"); field && field_count < MAX_FIELDS; field = strtok(NULL, "\t"))
    fields[field_count++] = field;
}

/* Reads the next command into `fields` without waiting. Returns 1, or 0 if there is none yet, or -1 at the end of
   input. */
static inline int next_command(void) {
  static char buffer[MAX_LINE], line[MAX_LINE];
  static size_t length;
  char *end = memchr(buffer, '\n', length);
  struct pollfd input = {STDIN_FILENO, POLLIN, 0};
  if (!end && poll(&input, 1, 0) > 0) {
    ssize_t count = read(STDIN_FILENO, buffer + length, sizeof buffer - length);
    if (count <= 0) return -1;
    length += (size_t)count;
    end = memchr(buffer, '\n', length);
  }
  if (!end) return 0;
  size_t size = (size_t)(end - buffer);
  memcpy(line, buffer, size);
  line[size] = 0;
  length -= size + 1;
  memmove(buffer, end + 1, length);
  split(line);
  return 1;
}

/* The value of the `index`th field of that name, or NULL. */
static inline const char *value_at(const char *name, int index) {
  size_t size = strlen(name);
  for (int i = 0; i < field_count; i++)
    if (!strncmp(fields[i], name, size) && fields[i][size] == '=' && index-- == 0) return fields[i] + size + 1;
  return NULL;
}

static inline const char *value(const char *name) { return value_at(name, 0); }

/* The content of the file named by a field, or NULL; kept until the program ends. */
static inline char *file_of(const char *name) {
  const char *path = value(name);
  FILE *file = path ? fopen(path, "rb") : NULL;
  char *text = file ? calloc(1, 1 << 16) : NULL;
  if (text) (void)fread(text, 1, (1 << 16) - 1, file);
  if (file) fclose(file);
  return text;
}

/* The config of a client or server, from the fields. */
static inline ws_config config_of_fields(void) {
  static const char *headers[MAX_HEADERS];
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.subprotocols = value("subprotocols");
  config.cert_pem = file_of("cert");
  config.key_pem = file_of("key");
  config.ca_pem = file_of("ca");
  config.pin_sha256 = value("pin");
  config.server_name = value("server_name");
  config.proxy = value("proxy");
  if (value("flags")) config.flags = (uint32_t)strtoul(value("flags"), NULL, 0);
  if (value("level")) config.deflate_level = (uint32_t)strtoul(value("level"), NULL, 0);
  if (value("threshold")) config.deflate_threshold_bytes = (uint32_t)strtoul(value("threshold"), NULL, 0);
  if (value("server_bits")) config.server_max_window_bits = (uint32_t)strtoul(value("server_bits"), NULL, 0);
  if (value("client_bits")) config.client_max_window_bits = (uint32_t)strtoul(value("client_bits"), NULL, 0);
  if (value("timeout_ms")) config.connect_timeout_ms = (uint32_t)strtoul(value("timeout_ms"), NULL, 0);
  config.headers = headers;
  while (config.headers_count < MAX_HEADERS &&
         (headers[config.headers_count] = value_at("header", (int)config.headers_count)) != NULL)
    config.headers_count++;
  return config;
}

static inline void json_string(const char *text) {
  putchar('"');
  for (; *text; text++) {
    if (*text == '"' || *text == '\\') putchar('\\');
    if ((unsigned char)*text < 0x20)
      printf("\\u%04x", (unsigned)*text);
    else
      putchar(*text);
  }
  putchar('"');
}

static inline void begin(const char *event) { printf("{\"event\":\"%s\"", event); }

static inline void number(const char *name, uint64_t value) { printf(",\"%s\":%llu", name, (unsigned long long)value); }

static inline void text(const char *name, const char *value) {
  printf(",\"%s\":", name);
  json_string(value);
}

/* A text from ws_get_text(). */
static inline void text_of(const char *name, ws_handle h, int32_t what) {
  char copy[2048] = "";
  ws_get_text(h, what, copy, sizeof copy, NULL);
  text(name, copy);
}

/* All values of a header. */
static inline void shown(ws_handle h, const char *name) {
  char copy[512];
  printf(",\"shown\":[");
  for (uint32_t index = 0; *name && ws_get_header(h, name, index, copy, sizeof copy, NULL) == WS_OK; index++) {
    if (index) putchar(',');
    json_string(copy);
  }
  putchar(']');
}

static inline void finish(void) {
  printf("}\n");
  fflush(stdout);
}

/* Reports a failed call. */
static inline void failed(const char *call, ws_result result) {
  char sentence[512];
  ws_last_error(sentence, sizeof sentence, NULL);
  begin("failed");
  text("call", call);
  text("result", ws_result_name(result));
  text("sentence", sentence);
  finish();
}

static inline uint32_t crc32_of(const uint8_t *data, size_t len) {
  static uint32_t table[256];
  if (!table[1])
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t bits = i;
      for (int k = 0; k < 8; k++) bits = bits & 1 ? 0xEDB88320u ^ bits >> 1 : bits >> 1;
      table[i] = bits;
    }
  uint32_t crc = 0xFFFFFFFFu;
  for (size_t i = 0; i < len; i++) crc = table[(crc ^ data[i]) & 0xFF] ^ crc >> 8;
  return ~crc;
}

/* The message requested by "put TYPE SIZE": binary repeats the bytes 0 to 250, text repeats characters of 1 to 4 bytes
   and is padded with x, random (binary) has the high bytes of a xorshift generator. */
static inline uint8_t *pattern(int32_t type, size_t size, int random) {
  static const char unit[] = "ab\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\xAE";
  size_t period = sizeof unit - 1, whole = size - size % period;
  uint8_t *data = malloc(size + 1);
  uint32_t state = 1;
  for (size_t i = 0; data && random && i < size; i++) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    data[i] = (uint8_t)(state >> 24);
  }
  if (random) return data;
  for (size_t i = 0; data && i < size; i++)
    data[i] = type == WS_BINARY ? (uint8_t)(i % 251) : i < whole ? (uint8_t)unit[i % period] : (uint8_t)'x';
  return data;
}

/* The command "put": to one connection, or to all clients of a server. */
static inline void put(ws_handle h) {
  const char *words = value("text");
  int32_t type = words || (value("type") && !strcmp(value("type"), "text")) ? WS_TEXT : WS_BINARY;
  size_t size = words ? strlen(words) : value("size") ? strtoul(value("size"), NULL, 10) : 0;
  uint8_t *data = words ? NULL : pattern(type, size, value("type") && !strcmp(value("type"), "random"));
  ws_result result = ws_put_packet(h, words ? (const uint8_t *)words : data, size, type);
  if (result != WS_OK) failed("ws_put_packet", result);
  free(data);
}

/* The command "stats". */
static inline void print_stats(ws_handle h) {
  ws_stats stats = {0};
  ws_get_stats(h, &stats, sizeof stats);
  begin("stats");
  number("messages_in", stats.messages_in);
  number("messages_out", stats.messages_out);
  number("compressed_in", stats.compressed_in);
  number("compressed_out", stats.compressed_out);
  number("bytes_in", stats.bytes_in);
  number("bytes_out", stats.bytes_out);
  number("wire_in", stats.wire_bytes_in);
  number("wire_out", stats.wire_bytes_out);
  finish();
}

/* The events that client and server print in the same form: MESSAGE, CLOSE_REQUEST, CLOSED and DISCONNECTED. */
static inline void print_event(const ws_event *event, const char *header_shown) {
  const char *sentence = (const char *)event->packet.data;
  if (event->type == WS_EVENT_MESSAGE) {
    begin("message");
    text("type", event->packet.type == WS_TEXT ? "text" : event->packet.type == WS_BINARY ? "binary" : "?");
    number("size", event->packet.len);
    number("crc", crc32_of(event->packet.data, event->packet.len));
    finish();
  } else if (event->type == WS_EVENT_CLOSE_REQUEST) {
    begin("close_request");
    number("code", (uint64_t)event->code);
    text("reason", sentence);
    finish();
  } else if (event->type == WS_EVENT_CLOSED || event->type == WS_EVENT_DISCONNECTED) {
    begin("closed");
    number("code", (uint64_t)event->code);
    text_of("reason", event->conn, WS_GET_CLOSE_REASON);
    number("clean", event->clean);
    number("phase", (uint64_t)event->phase);
    number("cause", (uint64_t)event->cause);
    number("status", (uint64_t)event->http_status);
    number("unsent", event->unsent);
    text_of("body", event->conn, WS_GET_BODY);
    text("sentence", sentence);
    shown(event->conn, header_shown);
    finish();
  }
}

#endif
