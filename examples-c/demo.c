/* Run by `make demo`: dots that walk on one field. This program is the server and plays some of the dots; other
 * programs and pages join it, as examples/dots/README.md describes. Every few seconds it cuts the link of each player
 * that has a session, and the game goes on. In the end everything that was sent is counted. On a terminal it draws the
 * field.
 * Usage: demo [--seconds N] [--bots N] [--page DIRECTORY] [--expect N] [--url-file FILE] [--note TEXT]
 *   --seconds N      plays so long from when everybody has joined; 0: until Ctrl-C
 *   --expect N       waits for so many players beside the bots, a minute at most
 *   --url-file FILE  writes the URL for other players into it
 *   --note TEXT      stands below the field */
#include "wspeer.h"

#include <ctype.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_BOTS = 16, MAX_PLAYERS = 64, WIDTH = 1000, HEIGHT = 500, COLUMNS = 50, ROWS = 17 };

/* A player in this process: a client like every other one. */
struct bot {
  ws_handle handle;
  unsigned long sent, seen, last, wrong;
  int open, closed, clean;
};

/* What the server knows about a player. */
struct player {
  ws_handle conn; /* 0: has left */
  char name[16];
  int has_session, x, y, has_said_bye;
  unsigned long moves, wrong, first_field;
  unsigned long said_sent, said_seen, said_wrong;
  unsigned long cuts, resumed;
  double cut_at, lost_at, resumed_at, longest_loss; /* 0: not */
};

static struct bot bots[MAX_BOTS];
static struct player players[MAX_PLAYERS];
static int bot_count = 3, player_count, present, faults;
static ws_handle servers[2]; /* wss:// for the bots, ws:// and http:// for other players and pages */
static unsigned long fields, moves_sent, moves_received, fields_sent, fields_seen, cuts, resumed;
static double longest_loss;
static int over, draws;
static volatile sig_atomic_t stop;

static void on_signal(int number) {
  (void)number;
  stop = stop + 1;
}

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int fail(const char *what) {
  char why[256];
  ws_last_error(why, sizeof why, NULL);
  fprintf(stderr, "%s: %s\n", what, why);
  return 1;
}

/* Whether the player is shown as one whose session has just gone on. */
static int is_back(const struct player *player, double now) { return now - player->resumed_at < 0.7; }

static ws_result put(ws_handle h, const char *text) {
  return ws_put_packet(h, (const uint8_t *)text, strlen(text), WS_TEXT);
}

static struct player *find(ws_handle conn) {
  for (int i = 0; i < player_count; i++)
    if (players[i].conn == conn) return &players[i];
  return NULL;
}

static int is_taken(const char *name) {
  for (int i = 0; i < player_count; i++)
    if (players[i].conn && !strcmp(players[i].name, name)) return 1;
  return 0;
}

/* The letters and digits of the path are the name; a number makes it unique. */
static void name_of(ws_handle conn, char *name, size_t size) {
  char path[64] = "", base[11];
  size_t length = 0;
  ws_get_text(conn, WS_GET_PATH, path, sizeof path, NULL);
  for (const char *c = path; *c && length + 1 < sizeof base; c++)
    if (isalnum((unsigned char)*c)) base[length++] = *c;
  base[length] = 0;
  snprintf(name, size, "%s", length ? base : "guest");
  for (int number = 2; is_taken(name); number++) snprintf(name, size, "%s%d", length ? base : "guest", number);
}

static void join(ws_handle conn, double now) {
  char query[32] = "";
  int place = 0;
  while (place < player_count && players[place].conn) place++;
  if (over || place == MAX_PLAYERS) {
    ws_close(conn, 1013, over ? "the game is over" : "the field is full");
    return;
  }
  if (place == player_count) player_count++;
  struct player *player = &players[place];
  memset(player, 0, sizeof *player);
  name_of(conn, player->name, sizeof player->name);
  ws_get_text(conn, WS_GET_QUERY, query, sizeof query, NULL);
  player->conn = conn;
  player->has_session = !strcmp(query, "session");
  player->x = WIDTH / 2;
  player->y = HEIGHT / 2;
  player->first_field = fields;
  player->cut_at = now + 2 + 0.7 * (place % 4);
  present++;
  if (!draws) printf("%s has joined%s\n", player->name, player->has_session ? "" : ", without a session");
  char text[32];
  snprintf(text, sizeof text, "you %s", player->name);
  put(conn, text);
}

/* A player has left. It had to say goodbye and to have received what was sent, unless it left in the game by a close
 * or has no session. */
static void leave(struct player *player, const ws_event *event) {
  unsigned long sent = fields - player->first_field;
  int good = player->has_said_bye ? event->clean && !player->wrong && !player->said_wrong &&
                                        player->moves == player->said_sent && player->said_seen == sent
                                  : !player->has_session || (event->clean && !over);
  if (player->has_said_bye) {
    moves_sent += player->said_sent;
    moves_received += player->moves;
    fields_sent += sent;
    fields_seen += player->said_seen;
  }
  faults += !good;
  present--;
  player->conn = 0;
  if (!good)
    fprintf(stderr, "%s: %lu of %lu moves, %lu of %lu fields, %lu out of order, %s\n", player->name, player->moves,
            player->said_sent, player->said_seen, sent, player->wrong + player->said_wrong,
            (const char *)event->packet.data);
  else if (!over && !draws)
    printf("%s has left: %s\n", player->name, (const char *)event->packet.data);
}

/* at NUMBER X Y: where the player is. bye SENT SEEN WRONG: it has sent so many moves and seen so many fields. */
static void hear(struct player *player, const ws_event *event) {
  char text[64];
  unsigned long number;
  int x, y;
  snprintf(text, sizeof text, "%.*s", (int)event->packet.len, (const char *)event->packet.data);
  if (sscanf(text, "at %9lu %4d %4d", &number, &x, &y) == 3) {
    player->wrong += number != player->moves++;
    player->x = x < 0 ? 0 : x > WIDTH ? WIDTH : x;
    player->y = y < 0 ? 0 : y > HEIGHT ? HEIGHT : y;
  } else if (sscanf(text, "bye %9lu %9lu %9lu", &player->said_sent, &player->said_seen, &player->said_wrong) == 3) {
    player->has_said_bye = 1;
    ws_close(player->conn, 1000, "the game is over");
  }
}

/* The server's part of a frame. */
static void serve(ws_handle server, double now) {
  ws_poll(server);
  ws_event event;
  while (ws_next_event(server, &event) == WS_OK) {
    if (event.type == WS_EVENT_CONNECTED) join(event.conn, now);
    struct player *player = event.conn ? find(event.conn) : NULL;
    if (!player) continue;
    if (event.type == WS_EVENT_MESSAGE) hear(player, &event);
    if (event.type == WS_EVENT_LOST) {
      player->lost_at = now;
      player->cuts++;
      cuts++;
    }
    if (event.type == WS_EVENT_RESUMED) {
      double loss = now - player->lost_at;
      if (loss > player->longest_loss) player->longest_loss = loss;
      if (loss > longest_loss) longest_loss = loss;
      player->lost_at = 0;
      player->resumed_at = now;
      player->cut_at = now + 2.5;
      player->resumed++;
      resumed++;
    }
    if (event.type == WS_EVENT_DISCONNECTED) leave(player, &event);
  }
}

/* Cuts the link of each player whose time has come, in the middle of a message. */
static void cut_links(double now) {
  ws_sim network;
  ws_sim_init(&network, sizeof network, WS_SIM_NONE);
  network.down_cut_bytes = 10;
  for (int i = 0; i < player_count; i++) {
    if (!players[i].conn || !players[i].has_session || now < players[i].cut_at) continue;
    ws_set_sim(players[i].conn, &network);
    players[i].cut_at = now + 60;
  }
}

/* field NUMBER, then NAME X Y STATE of each player, to all. */
static void put_field(double now) {
  char text[64 + MAX_PLAYERS * 40];
  size_t length = (size_t)snprintf(text, sizeof text, "field %lu", fields);
  for (int i = 0; i < player_count; i++) {
    const struct player *player = &players[i];
    if (!player->conn) continue;
    const char *state = player->lost_at > 0 ? "lost" : is_back(player, now) ? "resumed" : "plays";
    length += (size_t)snprintf(text + length, sizeof text - length, " %s %d %d %s", player->name, player->x, player->y,
                               state);
  }
  for (int i = 0; i < 2; i++) put(servers[i], text);
  fields++;
}

/* A bot's part of a frame. */
static void play(struct bot *me, double now, double phase) {
  char text[64];
  if (me->closed) return;
  ws_poll(me->handle);
  ws_event event;
  while (ws_next_event(me->handle, &event) == WS_OK) {
    unsigned long number;
    if (event.type == WS_EVENT_OPEN) me->open = 1;
    if (event.type == WS_EVENT_CLOSED) {
      me->closed = 1;
      me->clean = event.clean != 0;
      if (!event.clean) fprintf(stderr, "a bot: %s\n", (const char *)event.packet.data);
    }
    if (event.type != WS_EVENT_MESSAGE) continue;
    snprintf(text, sizeof text, "%.*s", (int)event.packet.len, (const char *)event.packet.data);
    if (sscanf(text, "field %9lu", &number) == 1) {
      me->wrong += me->seen++ > 0 && number != me->last + 1;
      me->last = number;
    } else if (!strcmp(text, "over")) {
      snprintf(text, sizeof text, "bye %lu %lu %lu", me->sent, me->seen, me->wrong);
      put(me->handle, text);
      me->open = 0;
    }
  }
  if (!me->open) return;
  int x = (int)(WIDTH * (0.5 + 0.47 * sin(now * 0.61 + phase * 2.1)));
  int y = (int)(HEIGHT * (0.5 + 0.45 * sin(now * 0.83 + phase * 1.3)));
  snprintf(text, sizeof text, "at %lu %d %d", me->sent, x, y);
  /* While the link is lost, the session keeps what is put. */
  if (put(me->handle, text) == WS_OK) me->sent++;
  ws_flush(me->handle);
}

static void open_screen(void) { printf("\033[?1049h\033[?25l\033[?7l\033[2J"); }

static void close_screen(void) {
  if (draws) printf("\033[?7h\033[?25h\033[?1049l");
  fflush(stdout);
}

/* The color of a player's dot, and the dot. */
static const char *color_of(const struct player *player, double now) {
  static const char *const colors[] = {"\033[1;36m", "\033[1;33m", "\033[1;35m",
                                       "\033[1;34m", "\033[1;37m", "\033[1;38;5;208m"};
  return player->lost_at > 0 ? "\033[1;31m" : is_back(player, now) ? "\033[1;32m" : colors[(player - players) % 6];
}

static const char *dot_of(const struct player *player, double now) {
  return player->lost_at > 0 ? "\u25cb" : is_back(player, now) ? "\u25c9" : "\u25cf";
}

/* A row of the panel at the side: a player, and how its link is. */
static void draw_player(const struct player *player, double now) {
  ws_stats stats = {0};
  double rtt_ms = ws_get_stats(player->conn, &stats, sizeof stats) == WS_OK ? (double)stats.rtt_us / 1e3 : 0;
  const char *color = color_of(player, now);
  printf(" %s%s\033[0m ", color, dot_of(player, now));
  if (player->lost_at > 0)
    printf("%s%-9s link cut %.1f s\033[0m", color, player->name, now - player->lost_at);
  else if (is_back(player, now))
    printf("%s%-9s resumed\033[0m", color, player->name);
  else if (player->has_session)
    printf("%-9s %3.0f ms  %lu cut%s", player->name, rtt_ms, player->cuts, player->cuts == 1 ? "" : "s");
  else
    printf("%-9s %3.0f ms", player->name, rtt_ms);
}

/* The field is COLUMNS x ROWS cells. Each dot has its name beside it, and leaves a trail for a while. */
static void draw(double now, const char *title, const char *note) {
  static unsigned char trail[ROWS][COLUMNS];
  char sign[ROWS][COLUMNS] = {{0}}; /* '*': a dot; else a letter of a name */
  int owner[ROWS][COLUMNS] = {{0}};
  for (int i = 0; i < player_count; i++) {
    const struct player *player = &players[i];
    if (!player->conn) continue;
    int row = player->y * (ROWS - 1) / HEIGHT, column = player->x * (COLUMNS - 1) / WIDTH;
    int length = (int)strlen(player->name), from = column + 2;
    if (from + length > COLUMNS) from = column - 1 - length;
    sign[row][column] = '*';
    owner[row][column] = i;
    trail[row][column] = 16;
    for (int k = 0; k < length; k++)
      if (sign[row][from + k] != '*') {
        sign[row][from + k] = player->name[k];
        owner[row][from + k] = i;
      }
  }
  printf("\033[H \033[1m%s\033[0m\033[K\n\u250c", title);
  for (int column = 0; column < COLUMNS; column++) printf("\u2500");
  printf("\u2510\033[K\n");
  int next = 0;
  for (int row = 0; row < ROWS; row++) {
    printf("\u2502");
    for (int column = 0; column < COLUMNS; column++) {
      const struct player *player = &players[owner[row][column]];
      if (sign[row][column] == '*')
        printf("%s%s\033[0m", color_of(player, now), dot_of(player, now));
      else if (sign[row][column])
        printf("%s%c\033[0m", color_of(player, now), sign[row][column]);
      else
        printf("%s", trail[row][column] ? "\033[2m\u00b7\033[0m" : " ");
      if (trail[row][column]) trail[row][column]--;
    }
    printf("\u2502");
    while (next < player_count && !players[next].conn) next++;
    if (next < player_count) draw_player(&players[next++], now);
    printf("\033[K\n");
  }
  printf("\u2514");
  for (int column = 0; column < COLUMNS; column++) printf("\u2500");
  printf("\u2518\033[K\n \u25cf plays  \033[1;31m\u25cb its link is cut\033[0m  "
         "\033[1;32m\u25c9 its session goes on\033[0m  (%lu of %lu cuts)\033[K\n %s\033[K\n",
         resumed, cuts, note);
}

static int report(unsigned long frames, int missing, int expected) {
  ws_stats stats;
  uint64_t again = 0, longest_server = 0, longest_bot = 0;
  int clean = 0;
  for (int i = 0; i < 2; i++) {
    ws_get_stats(servers[i], &stats, sizeof stats);
    again += stats.sent_again;
    if (stats.longest_poll_us > longest_server) longest_server = stats.longest_poll_us;
  }
  for (int i = 0; i < bot_count; i++) {
    ws_get_stats(bots[i].handle, &stats, sizeof stats);
    again += stats.sent_again;
    if (stats.longest_poll_us > longest_bot) longest_bot = stats.longest_poll_us;
    clean += bots[i].clean;
  }
  printf("\n%-15s %15s %15s %5s %8s %13s\n", "player", "moves received", "fields seen", "cuts", "resumed",
         "longest loss");
  for (int i = 0; i < player_count; i++) {
    const struct player *player = &players[i];
    if (!player->has_said_bye) continue;
    printf("%-15s %7lu/%-7lu %7lu/%-7lu", player->name, player->moves, player->said_sent, player->said_seen,
           fields - player->first_field);
    if (player->has_session)
      printf(" %5lu %8lu %10.0f ms\n", player->cuts, player->resumed, player->longest_loss * 1e3);
    else
      printf(" %28s\n", "no session: link not cut");
  }
  printf("%lu frames; %lu moves sent, %lu received; %lu fields sent, %lu seen\n", frames, moves_sent, moves_received,
         fields_sent, fields_seen);
  printf("%lu links were cut, %lu sessions resumed; %llu messages were sent again; longest loss %.0f ms\n", cuts,
         resumed, (unsigned long long)again, longest_loss * 1e3);
  printf("longest ws_poll: server %llu us, bots %llu us\n", (unsigned long long)longest_server,
         (unsigned long long)longest_bot);
  if (missing > 0) printf("%d of %d expected players did not join\n", missing, expected);
  int good = !faults && missing <= 0 && present == 0 && clean == bot_count && moves_sent > 0 &&
             moves_sent == moves_received && fields_sent == fields_seen && cuts == resumed;
  printf("%s\n", good ? "nothing was lost, doubled or reordered, and every close was clean" : "SOMETHING IS MISSING");
  return good ? 0 : 1;
}

int main(int argc, char **argv) {
  double length = 10;
  int expected = 0, most = 0;
  const char *page = "examples/dots/page", *url_file = NULL, *note = "";
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!strcmp(argv[i], "--seconds")) length = atof(argv[i + 1]);
    if (!strcmp(argv[i], "--bots")) bot_count = atoi(argv[i + 1]);
    if (!strcmp(argv[i], "--page")) page = argv[i + 1];
    if (!strcmp(argv[i], "--expect")) expected = atoi(argv[i + 1]);
    if (!strcmp(argv[i], "--url-file")) url_file = argv[i + 1];
    if (!strcmp(argv[i], "--note")) note = argv[i + 1];
  }
  if (bot_count < 0 || bot_count > MAX_BOTS) bot_count = 3;
  static char buffer[1 << 16];
  setvbuf(stdout, buffer, _IOFBF, sizeof buffer); /* a picture in one write */
  signal(SIGINT, on_signal);
  signal(SIGTERM, on_signal);

  /* Two servers, on any free ports, with sessions. */
  static char cert[2048], key[512];
  if (ws_make_certificate("localhost", 1, cert, sizeof cert, key, sizeof key, NULL, 0) < 0) return fail("certificate");
  ws_config config;
  ws_config_init(&config, sizeof config);
  config.flags = WS_COALESCE; /* one write per frame, at ws_flush() */
  config.session_ms = 30000;  /* keep the seat of a player that has lost its link */
  config.heartbeat_ms = 500;  /* measures the round trip */
  /* Links are to be lost only when they are cut, however busy the machine is. */
  config.pong_timeout_ms = config.close_timeout_ms = config.handshake_timeout_ms = 30000;
  if (ws_listen("ws://localhost:0", &config, &servers[1]) < 0) return fail("listen");
  config.cert_pem = cert;
  config.key_pem = key;
  if (ws_listen("wss://localhost:0", &config, &servers[0]) < 0) return fail("listen");
  int has_page = ws_serve(servers[1], "/", page, 0) == WS_OK;
  char secure[64];
  uint32_t port = 0;
  ws_get_text(servers[0], WS_GET_URL, secure, sizeof secure, NULL);
  ws_get_option(servers[1], WS_OPT_PORT, &port);

  /* The bots, which trust only that certificate. */
  for (int i = 0; i < bot_count; i++) {
    char url[96];
    snprintf(url, sizeof url, "%s/C%d?session", secure, i + 1);
    ws_config_init(&config, sizeof config);
    config.flags = WS_COALESCE;
    config.ca_pem = cert;
    config.session_ms = 30000;
    if (ws_connect(url, &config, &bots[i].handle) < 0) return fail("connect");
  }
  printf("hosting %s for %d players in C\n", secure, bot_count);
  if (has_page)
    printf("open http://localhost:%u/ to play; examples/dots/README.md describes other players\n", (unsigned)port);
  else
    printf("other players: ws://localhost:%u/; no page: %s is missing\n", (unsigned)port, page);
  fflush(stdout);
  FILE *file = url_file ? fopen(url_file, "w") : NULL;
  if (file) {
    fprintf(file, "localhost:%u\n", (unsigned)port);
    fclose(file);
  }
#ifndef _WIN32
  const char *term = getenv("TERM");
  draws = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
#endif
  if (draws) open_screen();

  unsigned long frames = 0;
  double start = seconds_now(), began = 0, over_at = 0, shown_at = draws ? 0 : start;
  while (!over || (present > 0 && stop < 2 && seconds_now() - over_at < 60)) {
    double now = seconds_now();
    frames++;
    for (int i = 0; i < 2; i++) serve(servers[i], now);
    if (!over) {
      if (present > most) most = present;
      if (!(began > 0) && (most >= bot_count + expected || now - start > 60)) began = now;
      cut_links(now);
      put_field(now);
      if (stop || (length > 0 && began > 0 && now - began > length)) {
        over = 1;
        over_at = now;
        for (int i = 0; i < 2; i++) put(servers[i], "over");
      }
    }
    for (int i = 0; i < player_count; i++) /* a player that does not answer */
      if (over && now - over_at > 10 && players[i].conn && !players[i].has_session) ws_close(players[i].conn, 1001, "");
    for (int i = 0; i < 2; i++) ws_flush(servers[i]);
    for (int i = 0; i < bot_count; i++) play(&bots[i], now, i);
    if (draws && now - shown_at > 0.05) {
      char title[128], end[32] = "Ctrl-C ends it";
      if (length > 0 && !over) snprintf(end, sizeof end, "%.0f s left", began > 0 ? length - (now - began) : length);
      snprintf(title, sizeof title, "%d players on one field. Join: http://localhost:%u/  %s", present, (unsigned)port,
               end);
      draw(now, title, note);
      shown_at = now;
    } else if (!draws && now - shown_at > 1) {
      printf("%3.0f s: %d players, %lu fields, %lu links cut, %lu resumed\n", now - start, present, fields, cuts,
             resumed);
      shown_at = now;
    }
    fflush(stdout);
    double rest = 1.0 / 60 - (seconds_now() - now); /* until the next frame */
    if (rest > 0) {
      struct timespec nap = {0, (long)(rest * 1e9)};
      nanosleep(&nap, NULL);
    }
  }
  /* The bots see the end of their connections. */
  for (int i = 0; i < bot_count; i++)
    for (int tries = 0; tries < 1000 && !bots[i].closed; tries++) {
      play(&bots[i], seconds_now(), i);
      for (int k = 0; k < 2; k++) ws_poll(servers[k]);
      ws_wait(&bots[i].handle, 1, 10);
    }
  close_screen();
  int result = report(frames, bot_count + expected - most, expected);
  ws_shutdown();
  return result;
}
