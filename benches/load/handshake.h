/* A minimal opening handshake (RFC 6455, section 4), and the hello of the raw contestant: "RAW!" and the length of its
 * messages. */
#ifndef LOAD_HANDSHAKE_H
#define LOAD_HANDSHAKE_H

#include "stream.h"

struct hello {
  char text[4096];
  size_t have;
};

size_t hello_end(struct hello *h);                           /* its length once it is complete, else 0 */
size_t hello_answer(const struct hello *h, char out[256]);   /* the 101 response; 0 for raw */
size_t hello_raw_length(const struct hello *h);              /* 0: not raw */
void handshake_connect(int fd, int port);                    /* as a client, on a blocking socket */

#endif
