#ifndef LOAD_DRIVE_H
#define LOAD_DRIVE_H

#include <stddef.h>
#include <stdint.h>

struct plan {
  int port, pid, raw;
  const char *mode; /* window, burst, fanout, hold */
  size_t conns, window, len;
  uint64_t count; /* end after this many messages; 0: after warm and seconds */
  double warm, seconds;
};

int run_drive(const struct plan *plan);

#endif
