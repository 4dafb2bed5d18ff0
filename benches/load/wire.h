/* Messages as they stand on the wire: sent from frames made beforehand, and checked as they arrive, without keeping them. */
#ifndef LOAD_WIRE_H
#define LOAD_WIRE_H

#include "stream.h"

/* Who has sent the bytes: a server's frames are not masked, a client's are, and RAW has no frames at all. */
enum flavour { RAW, FROM_SERVER, FROM_CLIENT };

/* A frame of one length; the message's number is written into it before it is sent. */
struct template {
  enum flavour flavour;
  size_t header, len, total;
  uint8_t *bytes;
};

struct sender {
  const struct template *frame;
  uint64_t queued, sent; /* messages to send in all, and those that have left whole */
  size_t offset;         /* of the message under way */
};

struct receiver {
  enum flavour flavour;
  size_t len;         /* of each message; 0: the first one's */
  uint64_t received;  /* whole messages */
  uint32_t number;    /* of the next message */
  int any_start;      /* the first message may have any number */
  uint8_t header[14]; /* as far as it has come */
  size_t have;
  int in_payload;
  size_t at; /* bytes of the payload that have come */
};

const struct template *wire_template(enum flavour flavour, size_t len);
int wire_send(struct sender *s, struct stream *stream); /* 0 when the stream takes no more for now */
void wire_take(struct receiver *r, const uint8_t *bytes, size_t n);

#endif
