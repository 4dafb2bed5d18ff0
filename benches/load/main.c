/* The load program:
 *   load echo [--cert PEM --key PEM [--no-tickets]]   prints "port N", serves clients; without tickets no TLS session
 *   is resumed
 *   load drive --port P --pid PID [--raw] --mode window|burst|fanout|hold --conns N --window W --len L
 *              (--count N | --seconds S --warm S)
 *   load crowd --port P --conns N [--from IP] [--len L] [--raw] [--tls] [--deflate [--payload HEX]]: see crowd.c */
#include "crowd.h"
#include "drive.h"
#include "echo.h"
#include "stream.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **words) {
  struct plan plan = {.mode = "window", .conns = 1, .window = 1, .len = 64, .seconds = 1, .warm = 0.2};
  struct crowd crowd = {.from = "127.0.0.1"};
  const char *cert = NULL, *key = NULL;
  int tickets = 1;
  signal(SIGPIPE, SIG_IGN);
  for (int i = 2; i < count; i++) {
    const char *name = words[i], *value = i + 1 < count ? words[i + 1] : "";
    if (strcmp(name, "--raw") == 0) {
      plan.raw = 1;
      continue;
    }
    if (strcmp(name, "--no-tickets") == 0) {
      tickets = 0;
      continue;
    }
    if (strcmp(name, "--tls") == 0) {
      crowd.tls = 1;
      continue;
    }
    if (strcmp(name, "--deflate") == 0) {
      crowd.deflate = 1;
      continue;
    }
    i++;
    if (strcmp(name, "--port") == 0) plan.port = atoi(value);
    else if (strcmp(name, "--pid") == 0) plan.pid = atoi(value);
    else if (strcmp(name, "--mode") == 0) plan.mode = value;
    else if (strcmp(name, "--conns") == 0) plan.conns = strtoul(value, NULL, 10);
    else if (strcmp(name, "--window") == 0) plan.window = strtoul(value, NULL, 10);
    else if (strcmp(name, "--len") == 0) plan.len = strtoul(value, NULL, 10);
    else if (strcmp(name, "--count") == 0) plan.count = strtoul(value, NULL, 10);
    else if (strcmp(name, "--seconds") == 0) plan.seconds = atof(value);
    else if (strcmp(name, "--warm") == 0) plan.warm = atof(value);
    else if (strcmp(name, "--cert") == 0) cert = value;
    else if (strcmp(name, "--key") == 0) key = value;
    else if (strcmp(name, "--from") == 0) crowd.from = value;
    else if (strcmp(name, "--payload") == 0) crowd.payload = value;
    else die("an unknown option");
  }
  if (count > 1 && strcmp(words[1], "echo") == 0) return run_echo(cert, key, tickets);
  if (count > 1 && strcmp(words[1], "drive") == 0) return run_drive(&plan);
  if (count > 1 && strcmp(words[1], "crowd") == 0) {
    crowd.port = plan.port;
    crowd.raw = plan.raw;
    crowd.conns = plan.conns;
    crowd.len = plan.len;
    return run_crowd(&crowd);
  }
  die("usage: load echo|drive|crowd ...");
}
