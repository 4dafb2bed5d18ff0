/* Joins an unchanged Godot 4 game, calls a method of one of its nodes with a text, and prints the calls that it
 * receives, until the game ends.
 * Usage: godot_rpc URL NODE RPCS METHOD TEXT
 * RPCS are all functions of the node's script that are annotated @rpc. With a Godot server that has this script at
 * /root/Game:
 *
 *   extends Node
 *   @rpc("any_peer") func hello(text): print(text); answer.rpc_id(multiplayer.get_remote_sender_id(), "Hello, " + text)
 *   @rpc("any_peer") func answer(text): print(text)
 *
 *   godot_rpc ws://127.0.0.1:9080 /root/Game "hello, answer" hello "a program in C" */
#include "wspeer.h"

#include <stdio.h>
#include <string.h>

static void print_call(int32_t peer_id, const ws_packet *packet) {
  ws_call call;
  ws_variant items[16];
  if (ws_decode_call(packet->data, packet->len, &call, items, 16) != WS_OK) return;
  printf("peer %d calls %s.%s(", (int)peer_id, call.path, call.method);
  for (uint32_t i = 0; i < call.items; i++) {
    if (i > 0) printf(", ");
    if (items[i].type == WS_VARIANT_STRING) printf("\"%.*s\"", (int)items[i].len, (const char *)items[i].data);
    else if (items[i].type == WS_VARIANT_INT) printf("%lld", (long long)items[i].integer);
    else printf("a value of type %d", (int)items[i].type);
  }
  printf(")\n");
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: %s URL NODE RPCS METHOD TEXT\n", argv[0]);
    return 2;
  }
  ws_config config;
  ws_handle h;
  ws_event event;
  ws_variant text = {0};
  uint8_t bytes[1024];
  size_t len;
  char why[256];
  ws_config_init(&config, sizeof config);
  config.flags = WS_SCENE;
  text.type = WS_VARIANT_STRING;
  text.data = (const uint8_t *)argv[5];
  text.len = strlen(argv[5]);
  ws_result result = ws_join(argv[1], &config, &h);
  if (result == WS_OK) result = ws_declare_node(h, argv[2], argv[3]);
  if (result == WS_OK) result = ws_encode_call(argv[2], argv[4], &text, 1, bytes, sizeof bytes, &len);
  for (int running = result == WS_OK; running;) {
    ws_wait(&h, 1, 16); /* a game would draw its frame here instead */
    ws_poll(h);
    while (ws_next_event(h, &event) == WS_OK) {
      if (event.type == WS_EVENT_CONNECTED) printf("peer %d is there\n", (int)event.peer_id);
      if (event.type == WS_EVENT_CONNECTED && event.peer_id == 1) result = ws_put_packet_to(h, 1, bytes, len, WS_CALL);
      if (event.type == WS_EVENT_MESSAGE && event.packet.type == WS_CALL) print_call(event.peer_id, &event.packet);
      if (event.type == WS_EVENT_ERROR || event.type == WS_EVENT_CLOSED)
        printf("%s\n", (const char *)event.packet.data);
      if (event.type == WS_EVENT_CLOSED || result != WS_OK) running = 0;
    }
    fflush(stdout);
  }
  if (result != WS_OK) {
    ws_last_error(why, sizeof why, NULL);
    fprintf(stderr, "%s\n", why);
  }
  ws_shutdown();
  return result != WS_OK;
}
