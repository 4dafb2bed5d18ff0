/* Many clients of one server, steered by lines on standard input; crowd.c has the commands. */
#ifndef LOAD_CROWD_H
#define LOAD_CROWD_H

#include <stddef.h>

struct crowd {
  int port, raw, tls, deflate;
  size_t conns, len;    /* len: payload of a message to send */
  const char *from;     /* source address: one has some 28,000 ports for each server */
  const char *payload;  /* compressed payload of the messages to send, in hexadecimal; NULL: not compressed */
};

int run_crowd(const struct crowd *crowd);

#endif
