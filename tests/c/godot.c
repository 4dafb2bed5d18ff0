/* Real Godot engines as the remote peer, in both roles: stock multiplayer peers of Godot 4.6 and 3.6, with raw packets
   of the scene API. Usage: godot FORMAT ENGINE PROJECT [CERT KEY], where FORMAT is 3 or 4. With a certificate and its
   key, everything is over wss://. */
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX = 4, TIMEOUT = 25 };

static int format;
/* How a stock engine reports that a stock host disconnected it. */
static const char *kicked;
static const char *engine_path, *project, *cert_path, *key_path;
static char *cert, *key;
static ws_handle handles[MAX];
static int handle_count;

/* ---- engines ---- */

typedef struct {
  pid_t pid;
  int fd;
  char text[16384];
  size_t len;
} engine;

/* Starts an engine with its output in a pipe: as host, or as a join of `url`. timeout(1) ends it at the latest. */
static void start(engine *one, const char *url) {
  int ends[2];
  memset(one, 0, sizeof *one);
  if (pipe(ends)) exit(1);
  fflush(stdout);
  one->pid = fork();
  if (one->pid == 0) {
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    close(ends[0]);
    close(ends[1]);
    const char *args[16] = {"timeout", "-s", "KILL", "40", engine_path, "--path", project, "--script", "peer.gd"};
    int count = 9;
    if (format == 4) args[count++] = "--headless", args[count++] = "--";
    args[count++] = url ? "join" : "host";
    if (url) args[count++] = url;
    if (cert) args[count++] = cert_path;
    if (cert && !url) args[count++] = key_path;
    execvp("timeout", (char *const *)args);
    _exit(127);
  }
  close(ends[1]);
  one->fd = ends[0];
  fcntl(one->fd, F_SETFL, O_NONBLOCK);
}

static void poll_all(void) {
  for (int i = 0; i < handle_count; i++) ws_poll(handles[i]);
}

/* Waits until the engine has printed a line that equals or begins with these words. Copies what follows them to `rest`.
   */
static int said(engine *one, const char *words, char *rest, size_t cap) {
  double end = now_s() + TIMEOUT;
  char line[256];
  snprintf(line, sizeof line, "\n%s", words);
  while (now_s() < end) {
    if (one->len == 0) one->text[one->len++] = '\n';
    ssize_t count = read(one->fd, one->text + one->len, sizeof one->text - 1 - one->len);
    if (count > 0) one->len += (size_t)count;
    one->text[one->len] = 0;
    for (char *at = strstr(one->text, line); at; at = strstr(at + 1, line)) {
      char *after = at + strlen(line), *stop = strchr(after, '\n');
      if (!stop || (!rest && stop != after)) continue;
      if (rest) snprintf(rest, cap, "%.*s", (int)(stop - after), after);
      return 1;
    }
    if (count == 0) break;
    poll_all();
    ws_wait(handles, (size_t)handle_count, 2);
  }
  printf("# never said \"%s\":%s\n", words, one->text);
  return 0;
}

/* Whether the engine has printed these words so far. */
static int has_said(engine *one, const char *words) { return strstr(one->text, words) != NULL; }

/* How it reports the end of its game: "over" or "failed". Godot 3.6 reports the latter between stock peers too. */
static const char *ending_of(engine *one) {
  double end = now_s() + TIMEOUT;
  while (now_s() < end && !has_said(one, "\nover\n") && !has_said(one, "\nfailed\n")) {
    ssize_t count = read(one->fd, one->text + one->len, sizeof one->text - 1 - one->len);
    if (count > 0) one->len += (size_t)count;
    one->text[one->len] = 0;
    poll_all();
    ws_wait(handles, (size_t)handle_count, 2);
  }
  return has_said(one, "\nover\n") ? "over" : has_said(one, "\nfailed\n") ? "failed" : "nothing";
}

/* Waits until the engine ends. */
static int ends(engine *one) {
  double end = now_s() + TIMEOUT;
  int status;
  char drop[4096];
  while (now_s() < end) {
    if (waitpid(one->pid, &status, WNOHANG) == one->pid) {
      one->pid = 0;
      close(one->fd);
      return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    while (read(one->fd, drop, sizeof drop) > 0) {
    }
    poll_all();
    ws_wait(handles, (size_t)handle_count, 2);
  }
  return 0;
}

static int32_t number_said(engine *one, const char *words) {
  char rest[64] = "";
  return said(one, words, rest, sizeof rest) ? (int32_t)strtol(rest, NULL, 10) : 0;
}

/* ---- our side ---- */

static ws_config config_of(void) {
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = (format == 3 ? WS_GODOT3 : 0) | (cert ? WS_ONLY_CA_PEM : 0);
  config.ca_pem = cert;
  return config;
}

static ws_config host_config(void) {
  ws_config config = config_of();
  config.flags &= ~(uint32_t)WS_ONLY_CA_PEM;
  config.ca_pem = NULL;
  config.cert_pem = cert;
  config.key_pem = key;
  return config;
}

/* The next event of that type. Messages of the scene's own protocol are skipped. */
static ws_event event_of(ws_handle h, int32_t type) {
  ws_event event;
  double end = now_s() + TIMEOUT;
  while (now_s() < end) {
    if (ws_next_event(h, &event) == WS_OK) {
      int raw = event.type == WS_EVENT_MESSAGE && event.packet.len > 0 && event.packet.data[0] == (format == 4 ? 3 : 4);
      if (event.type == type && (type != WS_EVENT_MESSAGE || raw)) return event;
    } else {
      poll_all();
      ws_wait(handles, (size_t)handle_count, 2);
    }
  }
  memset(&event, 0, sizeof event);
  return event;
}

/* The next raw packet equals `words` and comes from this peer. */
static int hears(ws_handle h, int32_t from, const char *words) {
  ws_event event = event_of(h, WS_EVENT_MESSAGE);
  int good = event.peer_id == from && event.packet.len == strlen(words) + 1 &&
             !memcmp(event.packet.data + 1, words, strlen(words));
  if (!good) printf("# heard from %d: %.*s\n", event.peer_id, (int)event.packet.len, (const char *)event.packet.data);
  return good;
}

/* Sends a packet like send_bytes of the scene API: the command RAW and the bytes. */
static ws_result say(ws_handle h, int32_t target, const char *words) {
  uint8_t bytes[256];
  bytes[0] = format == 4 ? 3 : 4;
  memcpy(bytes + 1, words, strlen(words));
  return ws_put_packet_to(h, target, bytes, strlen(words) + 1, WS_BINARY);
}

static const char *print(const char *words, int32_t number, const char *more) {
  static char text[4][128];
  static int turn;
  turn = (turn + 1) % 4;
  snprintf(text[turn], sizeof text[turn], "%s%d%s", words, number, more);
  return text[turn];
}

static int is_encrypted(ws_handle conn) {
  char tls[128] = "";
  ws_get_text(conn, WS_GET_TLS, tls, sizeof tls, NULL);
  if (tls[0]) printf("figure: %s\n", tls);
  return tls[0] != 0;
}

/* ---- games ---- */

static void in_a_game_of_godot(void) {
  engine godot;
  handle_count = 0;
  start(&godot, NULL);
  int32_t port = number_said(&godot, "listening "), ids[2];
  char url[64];
  /* By name, because Godot 3 does not match IP addresses in certificates. */
  snprintf(url, sizeof url, cert ? "wss://localhost:%d" : "ws://127.0.0.1:%d", port);
  ws_config config = config_of();
  for (int i = 0; i < 2; i++) {
    ws_join(url, &config, &handles[i]);
    handle_count = i + 1;
    ids[i] = event_of(handles[i], WS_EVENT_OPEN).peer_id;
    CHECK(ids[i] >= 2 && ids[i] == ws_get_peer_id(handles[i]) && event_of(handles[i], WS_EVENT_CONNECTED).peer_id == 1,
          "Godot assigns an id");
    CHECK(said(&godot, print("connected ", ids[i], ""), NULL, 0), "Godot reports peer_connected");
  }
  ws_handle a = handles[0], b = handles[1];
  CHECK_EQUAL(is_encrypted(a), (cert != NULL), "the connection uses TLS if configured");
  if (format == 3)
    CHECK(event_of(a, WS_EVENT_CONNECTED).peer_id == ids[1] && event_of(b, WS_EVENT_CONNECTED).peer_id == ids[0],
          "both joins learn of each other");
  CHECK(say(a, 1, "hello") == WS_OK && said(&godot, print("packet ", ids[0], " hello"), NULL, 0), "a packet to Godot");
  CHECK(say(a, 1, "say 0 all") == WS_OK && hears(a, 1, "all") && hears(b, 1, "all"), "a packet from Godot to all");
  CHECK(say(a, 1, print("say ", ids[1], " one")) == WS_OK && hears(b, 1, "one"), "a packet from Godot to one");
  CHECK(say(a, 1, print("say ", -ids[1], " but")) == WS_OK && hears(a, 1, "but"), "a packet from Godot to all but one");
  if (format == 3) {
    CHECK(say(a, ids[1], "by way of Godot") == WS_OK && hears(b, ids[0], "by way of Godot"),
          "a packet relayed by Godot to another join");
    CHECK(say(b, 0, "everyone") == WS_OK && hears(a, ids[1], "everyone") &&
              said(&godot, print("packet ", ids[1], " everyone"), NULL, 0),
          "a packet relayed by Godot to everyone");
  }
  engine other;
  start(&other, url);
  int32_t its = number_said(&other, "joined ");
  CHECK(its >= 2 && said(&godot, print("connected ", its, ""), NULL, 0) && say(b, 1, print("kick ", its, "")) == WS_OK,
        "a Godot host disconnects a Godot client");
  kicked = ending_of(&other);
  CHECK(strcmp(kicked, "nothing") && ends(&other), "the disconnected Godot client reports its end");
  if (format == 3)
    CHECK(event_of(a, WS_EVENT_CONNECTED).peer_id == its && event_of(a, WS_EVENT_DISCONNECTED).peer_id == its &&
              event_of(b, WS_EVENT_DISCONNECTED).peer_id == its,
          "our joins see it connect and disconnect");
  CHECK_EQUAL(say(b, 1, print("kick ", ids[0], "")), WS_OK, "Godot is asked to disconnect a join");
  ws_event event = event_of(a, WS_EVENT_CLOSED);
  CHECK(event.type == WS_EVENT_CLOSED && event.code == 1000, "the disconnected join is closed with 1000");
  CHECK(said(&godot, print("disconnected ", ids[0], ""), NULL, 0), "Godot reports peer_disconnected");
  if (format == 3) {
    CHECK_EQUAL(event_of(b, WS_EVENT_DISCONNECTED).peer_id, ids[0], "the other join sees it disconnect");
  }
  ws_join(url, &config, &handles[2]);
  handle_count = 3;
  int32_t third = event_of(handles[2], WS_EVENT_OPEN).peer_id;
  CHECK(said(&godot, print("connected ", third, ""), NULL, 0), "another join connects");
  CHECK(say(handles[2], 1, "last words") == WS_OK && ws_close(handles[2], 0, NULL) == WS_OK &&
            said(&godot, print("disconnected ", third, ""), NULL, 0),
        "Godot sees it leave");
  CHECK(say(b, 1, "quit") == WS_OK && event_of(b, WS_EVENT_CLOSED).type == WS_EVENT_CLOSED && ends(&godot),
        "Godot ends the game");
  for (int i = 0; i < handle_count; i++) ws_free(handles[i]);
}

static void with_godot_in_our_game(void) {
  engine godot[3];
  int32_t ids[3];
  char url[64];
  ws_config config = config_of(), hosting = host_config();
  ws_host(cert ? "wss://localhost:0" : "ws://127.0.0.1:0", &hosting, &handles[0]);
  handle_count = 1;
  ws_handle host = handles[0];
  ws_get_text(host, WS_GET_URL, url, sizeof url, NULL);
  for (int i = 0; i < 2; i++) {
    start(&godot[i], url);
    ids[i] = event_of(host, WS_EVENT_CONNECTED).peer_id;
    CHECK(said(&godot[i], print("joined ", ids[i], ""), NULL, 0) && said(&godot[i], "connected 1", NULL, 0),
          "Godot reports its id, and peer_connected of the host");
  }
  if (format == 3) {
    CHECK(said(&godot[0], print("connected ", ids[1], ""), NULL, 0) &&
              said(&godot[1], print("connected ", ids[0], ""), NULL, 0),
          "both Godot clients learn of each other");
  }
  ws_handle conn = 0;
  CHECK(ws_get_conn(host, ids[0], &conn) == WS_OK && is_encrypted(conn) == (cert != NULL),
        "the connection uses TLS if configured");
  CHECK(say(host, ids[0], "say 1 hello") == WS_OK && hears(host, ids[0], "hello"), "a packet to one, and back");
  CHECK(say(host, 0, "to all") == WS_OK && said(&godot[0], "packet 1 to all", NULL, 0) &&
            said(&godot[1], "packet 1 to all", NULL, 0),
        "a packet to all");
  CHECK(say(host, -ids[0], "but one") == WS_OK && said(&godot[1], "packet 1 but one", NULL, 0),
        "a packet to all but one");
  CHECK(say(host, ids[0], "marker") == WS_OK && said(&godot[0], "packet 1 marker", NULL, 0) &&
            !has_said(&godot[0], "but one"),
        "the excluded client does not receive it");
  if (format == 3) {
    CHECK(say(host, ids[0], print("say ", ids[1], " to B")) == WS_OK &&
              said(&godot[1], print("packet ", ids[0], " to B"), NULL, 0),
          "a packet between Godot clients relayed by our host");
    CHECK(say(host, ids[1], "say 0 everyone") == WS_OK && hears(host, ids[1], "everyone") &&
              said(&godot[0], print("packet ", ids[1], " everyone"), NULL, 0),
          "a packet from Godot to everyone");
    CHECK(say(host, ids[1], "say -1 not the host") == WS_OK &&
              said(&godot[0], print("packet ", ids[1], " not the host"), NULL, 0),
          "a packet from Godot to all but the host");
    CHECK(say(host, ids[0], print("say ", -ids[1], " not B")) == WS_OK && hears(host, ids[0], "not B"),
          "a packet from Godot to all but one");
    ws_join(url, &config, &handles[1]);
    handle_count = 2;
    int32_t ours = event_of(handles[1], WS_EVENT_OPEN).peer_id;
    CHECK(said(&godot[0], print("connected ", ours, ""), NULL, 0), "Godot sees a join of ours connect");
    event_of(handles[1], WS_EVENT_CONNECTED);
    event_of(handles[1], WS_EVENT_CONNECTED);
    event_of(handles[1], WS_EVENT_CONNECTED);
    CHECK(say(handles[1], ids[0], print("say ", ours, " heard you")) == WS_OK && hears(handles[1], ids[0], "heard you"),
          "our join and Godot exchange packets through our host");
    ws_close(handles[1], 0, NULL);
    CHECK(said(&godot[1], print("disconnected ", ours, ""), NULL, 0), "Godot sees our join disconnect");
  } else {
    CHECK_EQUAL(ws_join_local(host, NULL, &handles[1]), WS_OK, "a local player joins");
    handle_count = 2;
    event_of(handles[1], WS_EVENT_OPEN);
    CHECK(say(host, 0, "all three") == WS_OK && hears(handles[1], 1, "all three") &&
              said(&godot[0], "packet 1 all three", NULL, 0),
          "the local player receives the same packets as Godot");
  }
  static const uint8_t big[70000];
  CHECK(ws_put_packet(host, big, sizeof big, WS_BINARY) == WS_ERR_TOO_BIG && say(host, 0, "still here") == WS_OK &&
            said(&godot[0], "packet 1 still here", NULL, 0) && said(&godot[1], "packet 1 still here", NULL, 0),
        "a packet at which Godot would leave is refused");
  ws_set_option(host, WS_OPT_REFUSE_NEW, 1);
  start(&godot[2], url);
  CHECK(said(&godot[2], "failed", NULL, 0) && ends(&godot[2]), "a refused Godot client reports connection_failed");
  CHECK(ws_disconnect(host, ids[0], 0, "kicked") == WS_OK && !strcmp(ending_of(&godot[0]), kicked) && ends(&godot[0]),
        "a kicked Godot client reports the same as with a stock host");
  ws_event event;
  do event = event_of(host, WS_EVENT_DISCONNECTED);
  while (event.type && event.peer_id != ids[0]);
  CHECK(event.peer_id == ids[0] && event.code == 1000, "our host sees the kicked client disconnect");
  if (format == 3)
    CHECK(said(&godot[1], print("disconnected ", ids[0], ""), NULL, 0), "the other Godot client sees it disconnect");
  CHECK(ws_close(host, 0, NULL) == WS_OK && !strcmp(ending_of(&godot[1]), kicked) && ends(&godot[1]),
        "our host ends the game");
  CHECK_EQUAL(event_of(host, WS_EVENT_CLOSED).conn, host, "our host reports CLOSED");
  for (int i = 0; i < handle_count; i++) ws_free(handles[i]);
}

static char *read_file(const char *path) {
  static char text[2][8192];
  static int turn;
  FILE *file = fopen(path, "rb");
  if (!file) exit(2);
  turn = !turn;
  text[turn][fread(text[turn], 1, sizeof text[turn] - 1, file)] = 0;
  fclose(file);
  return text[turn];
}

int main(int argc, char **argv) {
  if (argc != 4 && argc != 6) return 2;
  format = atoi(argv[1]);
  engine_path = argv[2];
  project = argv[3];
  if (argc == 6) {
    cert = read_file(cert_path = argv[4]);
    key = read_file(key_path = argv[5]);
  }
  signal(SIGPIPE, SIG_IGN);
  in_a_game_of_godot();
  printf("figure: over %s a disconnected Godot says \"%s\"\n", cert ? "wss://" : "ws://", kicked);
  with_godot_in_our_game();
  ws_shutdown();
  FINISH();
}
