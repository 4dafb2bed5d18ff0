/* Messages on the wire: sent from prebuilt frames, and checked as they arrive, without storing them. */
#ifndef LOAD_WIRE_H
#define LOAD_WIRE_H

#include "stream.h"

/* The sender of the bytes: a server's frames are not masked, a client's are, and RAW has no frames. */
enum flavour { RAW, FROM_SERVER, FROM_CLIENT };

/* A frame of one length; the number of the message is written into it before it is sent. */
struct template {
  enum flavour flavour;
  size_t header, len, total;
  uint8_t *bytes;
};

struct sender {
  const struct template *frame;
  uint64_t queued, sent; /* total messages to send, and those that have been sent completely */
  size_t offset;         /* in the message that is being sent */
};

struct receiver {
  enum flavour flavour;
  size_t len;         /* of each message; 0: that of the first one */
  uint64_t received;  /* complete messages */
  uint32_t number;    /* of the next message */
  int any_start;      /* the first message may have any number */
  uint8_t header[14]; /* the bytes that have arrived */
  size_t have;
  int in_payload;
  size_t at; /* number of payload bytes that have arrived */
};

const struct template *wire_template(enum flavour flavour, size_t len);
int wire_send(struct sender *s, struct stream *stream); /* 0 when the stream takes no more for now */
void wire_take(struct receiver *r, const uint8_t *bytes, size_t n);

#endif
