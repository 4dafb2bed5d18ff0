/* Prints the size and field offsets of every struct in the header, for comparison with other languages. */
#include "wspeer.h"

#include <stdio.h>

#define FIELD(type, field) printf(#type " " #field " %zu %zu\n", offsetof(type, field), sizeof(((type *)0)->field))

int main(void) {
  printf("ws_packet size %zu 0\nws_event size %zu 0\nws_config size %zu 0\nws_stats size %zu 0\n", sizeof(ws_packet),
         sizeof(ws_event), sizeof(ws_config), sizeof(ws_stats));
  printf("ws_variant size %zu 0\nws_call size %zu 0\nws_packet_out size %zu 0\n", sizeof(ws_variant), sizeof(ws_call),
         sizeof(ws_packet_out));
  printf("ws_sim size %zu 0\nws_replicated size %zu 0\n", sizeof(ws_sim), sizeof(ws_replicated));
#include "layout_fields.h"
  return 0;
}
