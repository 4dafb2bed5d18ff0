/* Programs started with their output in a pipe; the test waits for lines that they print. */
#ifndef ENGINE_H
#define ENGINE_H

#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
  pid_t pid;
  int fd;
  size_t len;
  char text[1 << 16];
} engine;

/* Polls the test's handles during a wait, for at most some milliseconds. */
static void move_on(void);

/* Starts a program. timeout(1) ends it after 40 s at the latest. The arguments end with NULL. */
static void launch(engine *one, const char *const *arguments) {
  int ends[2];
  const char *args[24] = {"timeout", "-s", "KILL", "40"};
  for (int i = 0; arguments[i] && i < 19; i++) args[4 + i] = arguments[i];
  memset(one, 0, sizeof *one);
  if (pipe(ends)) exit(1);
  fflush(stdout);
  one->pid = fork();
  if (one->pid == 0) {
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    close(ends[0]);
    close(ends[1]);
    execvp(args[0], (char *const *)args);
    _exit(127);
  }
  close(ends[1]);
  one->fd = ends[0];
  fcntl(one->fd, F_SETFL, O_NONBLOCK);
  one->text[one->len++] = '\n';
}

/* Reads what the program has printed. Returns 0 once it has ended. */
static int listen_to(engine *one) {
  ssize_t count = read(one->fd, one->text + one->len, sizeof one->text - 1 - one->len);
  if (count > 0) one->len += (size_t)count;
  one->text[one->len] = 0;
  return count != 0;
}

/* The rest of the first printed line that begins with these words, or with `whole` equals them; NULL if there is none
   yet. */
static const char *line_of(engine *one, const char *words, int whole) {
  static char rest[8192];
  char line[4096];
  snprintf(line, sizeof line, "\n%s", words);
  for (const char *at = strstr(one->text, line); at; at = strstr(at + 1, line)) {
    const char *after = at + strlen(line), *stop = strchr(after, '\n');
    if (!stop || (whole && stop != after)) continue;
    snprintf(rest, sizeof rest, "%.*s", (int)(stop - after), after);
    return rest;
  }
  return NULL;
}

/* Like line_of(), but waits for the line. */
static const char *said(engine *one, const char *words, int whole) {
  double end = now_s() + 25;
  for (int lives = 1; now_s() < end && lives;) {
    lives = listen_to(one);
    const char *rest = line_of(one, words, whole);
    if (rest) return rest;
    move_on();
  }
  printf("# never said \"%s\":%s\n", words, one->text);
  return NULL;
}

/* Waits for exactly this line. */
static int says(engine *one, const char *format, ...) {
  char line[4096];
  va_list list;
  va_start(list, format);
  vsnprintf(line, sizeof line, format, list);
  va_end(list);
  return said(one, line, 1) != NULL;
}

static int32_t number_said(engine *one, const char *words) {
  const char *rest = said(one, words, 0);
  return rest ? (int32_t)strtol(rest, NULL, 10) : 0;
}

/* Waits until the program ends with success. */
static int ends(engine *one) {
  double end = now_s() + 25;
  int status;
  while (now_s() < end) {
    listen_to(one);
    if (waitpid(one->pid, &status, WNOHANG) == one->pid) {
      close(one->fd);
      return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    move_on();
  }
  return 0;
}

#endif
