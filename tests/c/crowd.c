/* A game of many players with sessions. Each player puts one numbered message a frame to the server, and the server one
   to each player, 60 times a second. Both ends check that every number comes once and in order, whatever happens to the
   links. tests/players/run.py breaks the links and steers both ends by lines on standard input:

     report      prints counters on one line
     times       prints how long the players were away
     mark        a fault begins: peaks and times are measured from now on
     back TIME   the fault has ended, at this time of the monotonic clock
     hint        tells each player's connection that the network has changed
     end         each end puts one last message with its number of messages, and no more
     close       the players close; at the server: it expects them to

   The words of a command are separated by tabs. The end of the input ends the program.
   Usage: crowd server URL | crowd players URL COUNT HEARTBEAT_MS (0: the default) */
#include "check.h"
#include "peer.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>

enum { MAX_SEATS = 4096, MAX_WAITS = 65536, LEAST_BYTES = 32, MOST_BYTES = 64, LAST = 1 };
static const double FRAME_S = 1.0 / 60;

typedef struct message {
  uint32_t player;
  uint32_t flags; /* LAST */
  uint64_t number; /* from 1 */
} message;

/* One end of a player's session: at the server, or in the players' program. */
typedef struct seat {
  ws_handle conn;
  uint32_t player;
  uint64_t sent, received;
  uint64_t received_at_back;
  uint64_t total; /* messages that the other end has put, as its last message says; 0: it has not come */
  int open, closed, last_sent;
  double lost_at;    /* 0: not lost */
  double resumed_at; /* the last time; 0: not since the mark */
  double again_at;   /* first message after the fault; 0: none yet */
} seat;

static seat seats[MAX_SEATS];
static int seat_count;
static double waits[MAX_WAITS]; /* from LOST to RESUMED, of each loss since the mark */
static int wait_count;
static double back_at;
static int is_server, ending, closing;
static uint64_t losses, resumed, sent_again, wrong, full, failed_tries, frames, late_frames, unacked_peak, unacked_most;
static ws_handle server;
static double longest_poll_s; /* of the server, in CPU time: it does not depend on other work of the machine */

/* Says on standard error, which is the suite's log, what must not happen. The first ones are enough. */
static void complain(const seat *s, const char *what, const char *details) {
  wrong++;
  if (wrong <= 10)
    fprintf(stderr, "%s: player %u (sent %llu, received %llu): %s %s\n", is_server ? "server" : "players", s->player,
            (unsigned long long)s->sent, (unsigned long long)s->received, what, details);
}

static uint64_t kilobytes_of(const char *name) {
  char line[256];
  unsigned long long size = 0;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    if (!strncmp(line, name, strlen(name))) sscanf(line + strlen(name), ": %llu", &size);
  if (status) fclose(status);
  return size;
}

/* Lets VmHWM begin at the memory in use now. */
static void reset_peak(void) {
  FILE *file = fopen("/proc/self/clear_refs", "w");
  if (!file || fputs("5", file) < 0 || fclose(file)) fprintf(stderr, "VmHWM cannot be reset\n");
}

static uint8_t filler(uint64_t number, size_t at) { return (uint8_t)(number * 31 + at); }

static size_t length_of(uint64_t number) { return LEAST_BYTES + number % (MOST_BYTES - LEAST_BYTES + 1); }

static void put_next(seat *s) {
  uint8_t data[MOST_BYTES];
  message head = {s->player, ending ? LAST : 0, s->sent + 1};
  size_t len = length_of(head.number);
  if (!s->open || s->closed || s->last_sent) return;
  if (is_server && !s->received) return; /* the first message says which player it is */
  memcpy(data, &head, sizeof head);
  for (size_t i = sizeof head; i < len; i++) data[i] = filler(head.number, i);
  ws_result result = ws_put_packet(s->conn, data, len, WS_BINARY);
  if (result == WS_OK) {
    s->sent++;
    s->last_sent = ending;
  } else if (result == WS_ERR_FULL) {
    full++; /* the same number is put in the next frame */
  } else {
    complain(s, "put:", why());
  }
}

static void take(seat *s, const ws_packet *packet) {
  message head;
  char details[128];
  if (packet->len < sizeof head) {
    complain(s, "a short message", "");
    return;
  }
  memcpy(&head, packet->data, sizeof head);
  if (is_server && !s->received) s->player = head.player;
  int good = head.number == s->received + 1 && head.player == s->player && packet->len == length_of(head.number) &&
             !s->total;
  for (size_t i = sizeof head; good && i < packet->len; i++) good = packet->data[i] == filler(head.number, i);
  if (!good) {
    snprintf(details, sizeof details, "%llu of player %u with %zu bytes", (unsigned long long)head.number, head.player,
             packet->len);
    complain(s, "got message", details);
  }
  s->received = head.number; /* one gap is one complaint */
  if (head.flags & LAST) s->total = head.number;
  if (back_at > 0 && s->again_at <= 0) s->again_at = now_s();
}

static void on_event(seat *s, const ws_event *event) {
  const char *text = (const char *)event->packet.data;
  char details[512];
  snprintf(details, sizeof details, "phase=%d cause=%d code=%d unsent=%u: %s", event->phase, event->cause, event->code,
           event->unsent, text);
  switch (event->type) {
  case WS_EVENT_OPEN:
  case WS_EVENT_CONNECTED: s->open = 1; break;
  case WS_EVENT_LOST:
    losses++;
    s->lost_at = now_s();
    break;
  case WS_EVENT_RESUMED:
    resumed++;
    sent_again += event->count;
    if (s->lost_at <= 0) complain(s, "RESUMED without LOST", "");
    s->resumed_at = now_s();
    if (wait_count < MAX_WAITS) waits[wait_count++] = s->resumed_at - s->lost_at;
    s->lost_at = 0;
    break;
  case WS_EVENT_CLOSED:
  case WS_EVENT_DISCONNECTED:
    s->closed = 1;
    if (!closing || !event->clean || event->unsent) complain(s, "ended:", details);
    break;
  case WS_EVENT_ERROR:
    failed_tries++;
    if (event->cause == WS_CAUSE_SESSION) complain(s, "no session:", details);
    break;
  case WS_EVENT_SKIPPED: complain(s, "SKIPPED", details); break;
  default: break;
  }
}

static void take_items(ws_handle h, seat *own) {
  ws_event event;
  while (ws_next_event(h, &event) == WS_OK) {
    seat *s = own;
    if (is_server) {
      if (event.type == WS_EVENT_CONNECTED && seat_count < MAX_SEATS) {
        seats[seat_count].conn = event.conn;
        ws_set_user(event.conn, (size_t)++seat_count);
        event.packet.user = (uint64_t)seat_count;
      }
      if (!event.packet.user) continue;
      s = &seats[event.packet.user - 1];
    }
    if (event.type == WS_EVENT_MESSAGE) take(s, &event.packet);
    else on_event(s, &event);
  }
}

static void measure(void) {
  ws_stats stats;
  uint64_t sum = 0;
  for (int i = 0; i < seat_count; i++) {
    if (ws_get_stats(seats[i].conn, &stats, sizeof stats) != WS_OK) continue;
    sum += stats.unacknowledged_bytes;
    if (stats.unacknowledged_bytes > unacked_most) unacked_most = stats.unacknowledged_bytes;
  }
  if (sum > unacked_peak) unacked_peak = sum;
}

static double cpu_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void play_frame(double until) {
  if (is_server) {
    /* A server of so many players gives its polls more of the frame than the default budget. */
    ws_result result;
    do {
      double began = cpu_s();
      result = ws_poll(server);
      double took = cpu_s() - began;
      if (took > longest_poll_s) longest_poll_s = took;
      take_items(server, NULL);
    } while (result == WS_MORE && now_s() < until);
  } else {
    for (int i = 0; i < seat_count; i++) {
      ws_poll(seats[i].conn);
      take_items(seats[i].conn, &seats[i]);
    }
  }
  for (int i = 0; i < seat_count; i++) put_next(&seats[i]);
  if (frames++ % 6 == 0) measure();
}

static void print_report(void) {
  uint64_t sent = 0, received = 0, least = UINT64_MAX, least_since = UINT64_MAX;
  int open = 0, lost = 0, closed = 0, complete = 0;
  for (int i = 0; i < seat_count; i++) {
    const seat *s = &seats[i];
    uint64_t since = s->received - s->received_at_back;
    sent += s->sent;
    received += s->received;
    if (s->received < least) least = s->received;
    if (since < least_since) least_since = since;
    open += s->open && !s->closed;
    closed += s->closed;
    lost += s->lost_at > 0;
    complete += s->total && s->total == s->received && s->last_sent;
  }
  printf("report open=%d lost=%d closed=%d complete=%d losses=%llu resumed=%llu sent_again=%llu failed_tries=%llu "
         "sent=%llu received=%llu least=%llu least_since=%llu wrong=%llu full=%llu frames=%llu late=%llu rss_kb=%llu "
         "peak_kb=%llu unacked_peak=%llu unacked_most=%llu longest_poll_us=%llu\n",
         open, lost, closed, complete, (unsigned long long)losses, (unsigned long long)resumed,
         (unsigned long long)sent_again, (unsigned long long)failed_tries, (unsigned long long)sent,
         (unsigned long long)received, (unsigned long long)(seat_count ? least : 0),
         (unsigned long long)(seat_count ? least_since : 0), (unsigned long long)wrong, (unsigned long long)full,
         (unsigned long long)frames, (unsigned long long)late_frames, (unsigned long long)kilobytes_of("VmRSS"),
         (unsigned long long)kilobytes_of("VmHWM"), (unsigned long long)unacked_peak, (unsigned long long)unacked_most,
         (unsigned long long)(longest_poll_s * 1e6));
}

/* In milliseconds; "-" stands for an empty list. */
static void print_times(void) {
  printf("times lost=");
  for (int i = 0; i < wait_count; i++) printf("%.1f,", waits[i] * 1e3);
  printf("- back=");
  for (int i = 0; i < seat_count; i++)
    if (seats[i].resumed_at > 0) printf("%.1f,", (seats[i].resumed_at - back_at) * 1e3);
  printf("- again=");
  for (int i = 0; i < seat_count; i++)
    if (seats[i].again_at > 0) printf("%.1f,", (seats[i].again_at - back_at) * 1e3);
  printf("-\n");
}

static void obey(const char *verb) {
  if (!strcmp(verb, "report")) print_report();
  if (!strcmp(verb, "times")) print_times();
  if (!strcmp(verb, "mark")) {
    wait_count = 0;
    unacked_peak = unacked_most = 0;
    longest_poll_s = 0;
    for (int i = 0; i < seat_count; i++) seats[i].resumed_at = 0;
    reset_peak();
  }
  if (!strcmp(verb, "back") && field_count == 2) {
    back_at = strtod(fields[1], NULL);
    for (int i = 0; i < seat_count; i++) {
      seats[i].again_at = 0;
      seats[i].received_at_back = seats[i].received;
    }
  }
  if (!strcmp(verb, "hint"))
    for (int i = 0; i < seat_count; i++) ws_hint(seats[i].conn, WS_HINT_NETWORK_CHANGED);
  if (!strcmp(verb, "end")) ending = 1;
  if (!strcmp(verb, "close")) {
    closing = 1;
    for (int i = 0; !is_server && i < seat_count; i++) ws_close(seats[i].conn, 1000, NULL);
  }
  fflush(stdout);
}

/* Obeys commands until the next frame is due. Returns 0 at the end of input. */
static int obey_until(double due) {
  for (;;) {
    int got = next_command();
    if (got < 0) return 0;
    if (got) {
      obey(fields[0]);
      continue;
    }
    double left = due - now_s();
    if (left <= 0) return 1;
    struct timespec timeout = {0, (long)(left * 1e9)};
    fd_set input;
    FD_ZERO(&input);
    FD_SET(STDIN_FILENO, &input);
    pselect(STDIN_FILENO + 1, &input, NULL, NULL, &timeout, NULL);
  }
}

int main(int argc, char **argv) {
  struct rlimit limit;
  ws_config config;
  char url[128];
  if (argc < 3) return 2;
  is_server = !strcmp(argv[1], "server");
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* a stopped server must not outlive a test that was ended */
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  ws_config_init(&config, sizeof config);
  config.session_ms = 600000; /* also where a slow machine makes a fault last longer */
  if (is_server) {
    config.poll_budget_us = 8000;
    config.max_lost = MAX_SEATS; /* a fault loses all players at once */
    if (ws_listen(argv[2], &config, &server) < 0) {
      fprintf(stderr, "listen: %s\n", why());
      return 1;
    }
    ws_get_text(server, WS_GET_URL, url, sizeof url, NULL);
    printf("ready %s\n", url);
    fflush(stdout);
  } else {
    if (argc < 5) return 2;
    seat_count = atoi(argv[3]);
    config.heartbeat_ms = (uint32_t)atoi(argv[4]);
    if (seat_count < 1 || seat_count > MAX_SEATS) return 2;
    for (int i = 0; i < seat_count; i++) {
      seats[i].player = (uint32_t)i;
      if (ws_connect(argv[2], &config, &seats[i].conn) < 0) {
        fprintf(stderr, "connect: %s\n", why());
        return 1;
      }
    }
  }
  double due = now_s() + FRAME_S;
  do {
    play_frame(due);
    due += FRAME_S;
    double behind = now_s() - due;
    if (behind > 0) {
      /* Frames that the machine has no time for are left out. */
      late_frames += (uint64_t)(behind / FRAME_S) + 1;
      due = now_s();
    }
  } while (obey_until(due));
  ws_shutdown();
  return 0;
}
