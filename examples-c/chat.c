/* A chat in a terminal.
 * Usage: chat server [PORT]            prints every line and sends it to all clients
 *        chat client URL NAME          type a line to say it; end of input leaves */
#include "wspeer.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ws_handle handle;

/* Reads typed lines without blocking. Returns 1 with a line in `line`, 0 at the end of input, -1 if no line is
 * complete. */
static int typed(char *line, size_t cap) {
  static char buffer[1024];
  static size_t length;
  char *end = memchr(buffer, '\n', length);
  struct pollfd input = {STDIN_FILENO, POLLIN, 0};
  if (!end && poll(&input, 1, 0) > 0) {
    ssize_t count = read(STDIN_FILENO, buffer + length, sizeof buffer - length);
    if (count <= 0) return 0;
    length += (size_t)count;
    end = memchr(buffer, '\n', length);
    if (!end && length == sizeof buffer) end = buffer + length - 1;
  }
  if (!end) return -1;
  size_t size = (size_t)(end - buffer);
  snprintf(line, cap, "%.*s", (int)size, buffer);
  length -= size + 1;
  memmove(buffer, end + 1, length);
  return 1;
}

static void say_to_all(const char *text) {
  printf("%s\n", text);
  ws_put_packet(handle, (const uint8_t *)text, strlen(text), WS_TEXT);
}

/* Decodes application/x-www-form-urlencoded text of a URL. */
static void decode(char *text) {
  char *out = text;
  for (unsigned code; *text; text++) {
    *out++ = *text == '+' ? ' ' : *text;
    if (*text != '%' || sscanf(text + 1, "%2x", &code) != 1 || code < ' ') continue;
    out[-1] = (char)code;
    text += 2;
  }
  *out = 0;
}

/* A client sends its name in a header, or in the query like a page, which cannot set headers: ?name=Ada */
static void name_of(ws_handle conn, char *name, size_t cap) {
  char query[512] = "", *found;
  name[0] = 0;
  if (ws_get_header(conn, "X-Chat-Name", 0, name, cap, NULL) != WS_EMPTY) return;
  ws_get_text(conn, WS_GET_QUERY, query, sizeof query, NULL);
  found = strstr(query, "name=");
  if (!found) return;
  found[strcspn(found, "&")] = 0;
  decode(found);
  snprintf(name, cap, "%s", found + 5);
}

static int serve(const char *port) {
  char url[64], text[1600];
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_APP_HEARTBEAT;
  snprintf(url, sizeof url, "ws://*:%s", port);
  if (ws_listen(url, &config, &handle) < 0) return -1;
  ws_get_text(handle, WS_GET_URL, url, sizeof url, NULL);
  printf("Chat on %s\n", url);
  int open = 1, input = 1;
  while (open) {
    char line[1024];
    int got = input ? typed(line, sizeof line) : -1;
    if (got == 1) {
      snprintf(text, sizeof text, "server: %s", line);
      say_to_all(text);
    } else if (got == 0) {
      input = 0;
      ws_close(handle, 0, "the server goes");
    }
    ws_poll(handle);
    ws_event event;
    while (ws_next_event(handle, &event) == WS_OK) {
      char name[64] = "";
      if (event.type != WS_EVENT_CLOSED) name_of(event.conn, name, sizeof name);
      if (event.type == WS_EVENT_CONNECTED) {
        snprintf(text, sizeof text, "%s is here", name);
        say_to_all(text);
      } else if (event.type == WS_EVENT_MESSAGE) {
        snprintf(text, sizeof text, "%s: %.*s", name, (int)event.packet.len, (const char *)event.packet.data);
        say_to_all(text);
      } else if (event.type == WS_EVENT_DISCONNECTED) {
        snprintf(text, sizeof text, "%s has left", name);
        say_to_all(text);
      } else if (event.type == WS_EVENT_CLOSED) {
        open = 0;
      }
    }
    fflush(stdout);
    ws_wait(&handle, 1, 16);
  }
  return 0;
}

static int join(const char *url, const char *name) {
  char header[128];
  snprintf(header, sizeof header, "X-Chat-Name: %s", name);
  const char *headers[] = {header};
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.headers = headers;
  config.headers_count = 1;
  config.flags = WS_QUEUE_BEFORE_OPEN;
  if (ws_connect(url, &config, &handle) < 0) return -1;
  int open = 1, input = 1, clean = 0;
  while (open) {
    char line[1024];
    int got = input ? typed(line, sizeof line) : -1;
    if (got == 1) {
      ws_put_packet(handle, (const uint8_t *)line, strlen(line), WS_TEXT);
    } else if (got == 0 && ws_get_state(handle) != WS_CONNECTING) {
      input = 0;
      ws_close(handle, 1000, "");
    }
    ws_poll(handle);
    ws_event event;
    while (ws_next_event(handle, &event) == WS_OK) {
      if (event.type == WS_EVENT_MESSAGE) printf("%.*s\n", (int)event.packet.len, (const char *)event.packet.data);
      if (event.type == WS_EVENT_CLOSED) {
        printf("(%s)\n", (const char *)event.packet.data);
        clean = event.clean != 0;
        open = 0;
      }
    }
    fflush(stdout);
    ws_wait(&handle, 1, 16);
  }
  return clean ? 0 : 1;
}

int main(int argc, char **argv) {
  int result = 2;
  if (argc >= 2 && !strcmp(argv[1], "server")) {
    result = serve(argc > 2 ? argv[2] : "9080");
  } else if (argc == 4 && !strcmp(argv[1], "client")) {
    result = join(argv[2], argv[3]);
  } else {
    fprintf(stderr, "usage: %s server [PORT] | client URL NAME\n", argv[0]);
  }
  if (result < 0) {
    char why[256];
    ws_last_error(why, sizeof why, NULL);
    fprintf(stderr, "%s\n", why);
  }
  ws_free(handle);
  ws_shutdown();
  return result ? 1 : 0;
}
