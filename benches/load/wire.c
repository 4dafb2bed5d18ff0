#include "wire.h"

#include "../harness/pattern.h"

#include <stdlib.h>

enum { STAGED = 256 << 10, SMALL = 8 << 10 };
static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};
static uint8_t staging[STAGED];
static uint8_t *pattern;

static size_t write_header(uint8_t *out, enum flavour flavour, size_t len) {
  if (flavour == RAW) return 0;
  size_t n = 2;
  out[0] = 0x82;
  if (len < 126) out[1] = (uint8_t)len;
  else {
    size_t wide = len < 65536 ? 2 : 8;
    out[1] = wide == 2 ? 126 : 127;
    for (size_t i = 0; i < wide; i++) out[n++] = (uint8_t)((uint64_t)len >> 8 * (wide - 1 - i));
  }
  if (flavour == FROM_SERVER) return n;
  out[1] |= 0x80;
  memcpy(out + n, key, 4);
  return n + 4;
}

const struct template *wire_template(enum flavour flavour, size_t len) {
  static struct template made[16];
  static int count;
  for (int i = 0; i < count; i++) {
    if (made[i].flavour == flavour && made[i].len == len) return &made[i];
  }
  if (count == 16 || len < SEQ || len > LONGEST) die("a message of a length that is not in the plan");
  struct template *t = &made[count++];
  *t = (struct template){.flavour = flavour, .len = len, .bytes = malloc(len + 14)};
  t->header = write_header(t->bytes, flavour, len);
  t->total = t->header + len;
  uint8_t *payload = t->bytes + t->header;
  pattern_fill(payload, len);
  if (flavour == FROM_CLIENT) {
    for (size_t i = 0; i < len; i++) payload[i] ^= key[i % 4];
  }
  return t;
}

static void number(const struct template *t, uint8_t *frame, uint64_t n) {
  uint32_t bits = (uint32_t)n, mask;
  memcpy(&mask, key, 4);
  pattern_number(frame + t->header, t->flavour == FROM_CLIENT ? bits ^ mask : bits);
}

int wire_send(struct sender *s, struct stream *stream) {
  const struct template *t = s->frame;
  while (s->sent < s->queued) {
    uint8_t *from = t->bytes;
    size_t n = t->total;
    if (t->total > SMALL) number(t, t->bytes, s->sent);
    else {
      from = staging;
      n = 0;
      for (uint64_t i = s->sent; i < s->queued && n + t->total <= STAGED; i++, n += t->total) {
        memcpy(staging + n, t->bytes, t->total);
        number(t, staging + n, i);
      }
    }
    ssize_t wrote = stream_write(stream, from + s->offset, n - s->offset);
    if (wrote == WOULD_BLOCK) return 0;
    s->offset += (size_t)wrote;
    s->sent += s->offset / t->total;
    s->offset %= t->total;
  }
  return 1;
}

/* Number of header bytes of the frame, as far as it is known. */
static size_t header_size(const struct receiver *r) {
  if (r->have < 2) return 2;
  size_t wide = (r->header[1] & 0x7f) == 127 ? 8 : (r->header[1] & 0x7f) == 126 ? 2 : 0;
  return 2 + wide + (r->flavour == FROM_CLIENT ? 4 : 0);
}

static void read_header(struct receiver *r) {
  if (r->header[0] != 0x82) die("not a whole binary message in one frame");
  if (r->header[1] >> 7 != (r->flavour == FROM_CLIENT)) die("masked wrongly");
  size_t len = r->header[1] & 0x7f, wide = len == 127 ? 8 : len == 126 ? 2 : 0;
  if (wide) len = 0;
  for (size_t i = 0; i < wide; i++) len = len << 8 | r->header[2 + i];
  if (!r->len) r->len = len;
  if (len != r->len || len < SEQ) die("a message of another length");
}

static uint8_t mask_at(const struct receiver *r, size_t i) {
  return r->flavour == FROM_CLIENT ? r->header[r->have - 4 + i % 4] : 0;
}

static void check(struct receiver *r, const uint8_t *bytes, size_t from, size_t to) {
  for (size_t i = from; i < to; i++) {
    uint8_t want = i < SEQ ? (uint8_t)(r->number >> 8 * i) : pattern[i];
    if ((bytes[i - r->at] ^ mask_at(r, i)) != want) die("a message came changed or out of order");
  }
}

/* Checks the first and last bytes of every piece that arrives, and every 64th message completely. */
static void check_piece(struct receiver *r, const uint8_t *bytes, size_t n) {
  if (r->any_start && r->received == 0 && r->at == 0 && n >= SEQ) {
    uint8_t first[SEQ];
    for (size_t i = 0; i < SEQ; i++) first[i] = bytes[i] ^ mask_at(r, i);
    memcpy(&r->number, first, SEQ);
  }
  size_t end = r->at + n;
  if (r->received % 64 == 0 || n <= 16) check(r, bytes, r->at, end);
  else {
    check(r, bytes, r->at, r->at + 8);
    check(r, bytes, end - 8, end);
  }
}

void wire_take(struct receiver *r, const uint8_t *bytes, size_t n) {
  if (!pattern) {
    pattern = malloc(LONGEST);
    pattern_fill(pattern, LONGEST);
  }
  while (n) {
    if (r->flavour != RAW && !r->in_payload) {
      r->header[r->have++] = *bytes++;
      n--;
      if (r->have < header_size(r)) continue;
      read_header(r);
      r->in_payload = 1;
    }
    size_t piece = r->len - r->at < n ? r->len - r->at : n;
    if (piece) check_piece(r, bytes, piece);
    r->at += piece;
    bytes += piece;
    n -= piece;
    if (r->at < r->len) continue;
    r->at = 0;
    r->have = 0;
    r->in_payload = 0;
    r->received++;
    r->number++;
  }
}
