/* The command line of every contestant:
 *   NAME client --port P [--ca PEM] [--variant V] --mode frame|tight|idle --len L --burst B --sleep-us U
 *        (--count N | --seconds S [--warm S]) [--histogram]
 *   NAME server [--variant V] [--fanout LEN --hz N] [--histogram]
 *   NAME scale [--variant V] [--cert PEM --key PEM]: see scale.c
 * A client prints one line of JSON. A server prints "port N" and serves until SIGTERM; on SIGUSR1 it measures idle
 * polls. */
#include "run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void parse(int count, char **words) {
  for (int i = 2; i < count; i++) {
    const char *name = words[i];
    if (strcmp(name, "--histogram") == 0) {
      options.histogram = 1;
      continue;
    }
    if (++i == count) bench_fail("an option without its value");
    const char *value = words[i];
    if (strcmp(name, "--variant") == 0) options.variant = value;
    else if (strcmp(name, "--port") == 0) options.port = atoi(value);
    else if (strcmp(name, "--ca") == 0) options.ca = value;
    else if (strcmp(name, "--cert") == 0) options.cert = value;
    else if (strcmp(name, "--key") == 0) options.key = value;
    else if (strcmp(name, "--mode") == 0) options.mode = value;
    else if (strcmp(name, "--len") == 0) options.len = strtoul(value, NULL, 10);
    else if (strcmp(name, "--burst") == 0) options.burst = strtoul(value, NULL, 10);
    else if (strcmp(name, "--sleep-us") == 0) options.sleep_us = strtoul(value, NULL, 10);
    else if (strcmp(name, "--count") == 0) options.count = strtoul(value, NULL, 10);
    else if (strcmp(name, "--seconds") == 0) options.seconds = atof(value);
    else if (strcmp(name, "--warm") == 0) options.warm = atof(value);
    else if (strcmp(name, "--fanout") == 0) options.fanout = strtoul(value, NULL, 10);
    else if (strcmp(name, "--hz") == 0) options.hz = atof(value);
    else bench_fail("an unknown option");
  }
}

/* A contestant with only one role leaves out the functions of the other. */
#define WITHOUT(role, type, name, arguments) \
  __attribute__((weak)) type name arguments { \
    bench_fail("has no " role " role"); \
    abort(); \
  }
WITHOUT("client", void, client_open, (int port __attribute__((unused)), const char *ca __attribute__((unused))))
WITHOUT("client", void, client_put, (const uint8_t *data __attribute__((unused)), size_t len __attribute__((unused))))
WITHOUT("client", void, client_flush, (void))
WITHOUT("client", void, client_poll, (void))
WITHOUT("server", int, server_open, (void))
WITHOUT("server", void, server_poll, (int wait_ms __attribute__((unused))))
WITHOUT("server", void, server_put, (const uint8_t *data __attribute__((unused)), size_t len __attribute__((unused))))

/* Not named main, because the contestants in Rust have their own. */
int bench_main(int count, char **words) {
  parse(count, words);
  signal(SIGPIPE, SIG_IGN);
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (count > 1 && strcmp(words[1], "client") == 0) return run_client();
  if (count > 1 && strcmp(words[1], "server") == 0) return run_server();
  if (count > 1 && strcmp(words[1], "scale") == 0) return run_scale();
  bench_fail("usage: NAME client|server|scale ...");
  return 2;
}

#ifndef BENCH_NO_MAIN
int main(int count, char **words) {
  return bench_main(count, words);
}
#endif
