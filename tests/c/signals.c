/* A host keeps its signal handling: with SIGPIPE at its default, writing to a peer that has ended kills nobody. Usage:
   signals CERT.pem KEY.pem */
#include "check.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static char *read_file(const char *path) {
  FILE *file = path ? fopen(path, "rb") : NULL;
  char *text = file ? calloc(1, 1 << 16) : NULL;
  if (text) (void)fread(text, 1, (1 << 16) - 1, file);
  if (file) fclose(file);
  return text;
}

static ws_handle begin_server(const char *scheme, ws_config config, const char *cert, const char *key, char *url,
                              size_t cap) {
  ws_handle server;
  if (!strcmp(scheme, "wss")) {
    config.cert_pem = cert;
    config.key_pem = key;
  }
  snprintf(url, cap, "%s://127.0.0.1:0", scheme);
  if (ws_listen(url, &config, &server) < 0) exit(1);
  ws_get_text(server, WS_GET_URL, url, cap, NULL);
  return server;
}

/* Opens one end: a server waits for a client, a client connects. Returns the connection's handle, or 0. */
static ws_handle open_end(ws_handle server, const char *url, ws_config config, const char *cert) {
  ws_handle h = server, open = 0;
  config.ca_pem = cert;
  if (!server && ws_connect(url, &config, &h) < 0) return 0;
  ws_event event;
  for (double end = now_s() + 10; !open && now_s() < end;) {
    ws_poll(h);
    while (!open && ws_next_event(h, &event) == WS_OK)
      if (event.type == WS_EVENT_CONNECTED || event.type == WS_EVENT_OPEN) open = event.conn;
    ws_wait(&h, 1, 5);
  }
  return open;
}

/* A child process opens a connection with this one and exits. Puts without a poll in between do not see the end: the
   first write is answered by a reset, and the next would raise SIGPIPE. */
static void talk_to_the_gone(const char *scheme, const char *cert, const char *key, int from_server, uint32_t flags) {
  char url[64] = "", name[96];
  int there[2], back[2];
  if (pipe(there) || pipe(back)) exit(1);
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = flags;
  pid_t child = fork();
  int serves = from_server ? child != 0 : child == 0;
  int in = child ? back[0] : there[0], out = child ? there[1] : back[1];
  close(child ? back[1] : there[1]);
  close(child ? there[0] : back[0]);
  ws_handle server = serves ? begin_server(scheme, config, cert, key, url, sizeof url) : 0;
  if (serves ? write(out, url, sizeof url) < 0 : read(in, url, sizeof url) < 0) exit(1);
  ws_handle left = open_end(server, url, config, cert);
  char go = 0;
  if (!child) {
    /* Once the parent's end is open. */
    if (read(in, &go, 1) < 0) _exit(1);
    _exit(0);
  }
  if (write(out, &go, 1) < 0) exit(1);
  waitpid(child, NULL, 0);
  close(in);
  close(out);
  snprintf(name, sizeof name, "%s, from the %s%s", scheme, from_server ? "server" : "client",
           flags ? ", coalesced" : "");
  int was_open = left && ws_get_state(left) == WS_OPEN;
  for (int i = 0; i < 100; i++) {
    ws_put_packet(left, (const uint8_t *)"are you there?", 14, WS_TEXT);
    ws_put_packet(left, (const uint8_t *)"hello?", 6, WS_BINARY);
    ws_flush(left);
  }
  int reported = 0;
  ws_event event;
  for (double end = now_s() + 5; !reported && now_s() < end;) {
    ws_poll(left);
    while (ws_next_event(left, &event) == WS_OK)
      if (event.type == WS_EVENT_CLOSED || event.type == WS_EVENT_DISCONNECTED) reported = event.code;
  }
  CHECK(was_open && reported == 1006, name);
  ws_free(server ? server : left);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  char *cert = read_file(argv[1]), *key = read_file(argv[2]);
  if (!cert || !key) return 2;
  signal(SIGPIPE, SIG_DFL);
  for (int from_server = 0; from_server < 2; from_server++) {
    for (uint32_t flags = 0; flags <= WS_COALESCE; flags++) {
      talk_to_the_gone("ws", cert, key, from_server, flags);
      talk_to_the_gone("wss", cert, key, from_server, flags);
    }
  }
  struct sigaction now;
  sigaction(SIGPIPE, NULL, &now);
  CHECK_EQUAL(now.sa_handler, SIG_DFL, "the signal action of SIGPIPE is unchanged");
  ws_shutdown();
  free(cert);
  free(key);
  FINISH();
}
