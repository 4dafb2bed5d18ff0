/* A peer of a Godot 4 game that is controlled by a test: peer_game host|join URL [CONNECT-TIMEOUT-MS]. Commands and
   events have the format of peer.h. Commands: put (target, hex), kick (id), refuse (on), close. Events have `id` and
   `hex`. It ends with its standard input. */
#include "peer.h"

static ws_handle game;

static int32_t number_of(const char *name) {
  const char *text = value(name);
  return text ? (int32_t)strtol(text, NULL, 10) : 0;
}

static ws_result obey(void) {
  if (!strcmp(fields[0], "put")) {
    static uint8_t bytes[MAX_LINE / 2];
    const char *hex = value("hex");
    size_t len = strlen(hex) / 2;
    for (size_t i = 0; i < len; i++) {
      char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
      bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return ws_put_packet_to(game, number_of("target"), bytes, len, WS_BINARY);
  }
  if (!strcmp(fields[0], "kick")) return ws_disconnect(game, number_of("id"), 0, "kicked");
  if (!strcmp(fields[0], "refuse")) return ws_set_option(game, WS_OPT_REFUSE_NEW, (uint32_t)number_of("on"));
  return ws_close(game, 0, NULL);
}

static void tell(const ws_event *event) {
  static const char *names[] = {
      [WS_EVENT_OPEN] = "open",         [WS_EVENT_MESSAGE] = "packet",      [WS_EVENT_CLOSE_REQUEST] = "close request",
      [WS_EVENT_CLOSED] = "closed",     [WS_EVENT_CONNECTED] = "connected", [WS_EVENT_DISCONNECTED] = "disconnected",
      [WS_EVENT_WRITABLE] = "writable", [WS_EVENT_SKIPPED] = "skipped",     [WS_EVENT_ERROR] = "error"};
  begin(names[event->type]);
  number("id", (uint64_t)event->peer_id);
  printf(",\"hex\":\"");
  for (size_t i = 0; event->type == WS_EVENT_MESSAGE && i < event->packet.len; i++)
    printf("%02x", event->packet.data[i]);
  printf("\"");
  finish();
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  ws_config config;
  ws_config_init(&config, sizeof config);
  if (argc > 3) config.connect_timeout_ms = (uint32_t)strtoul(argv[3], NULL, 10);
  int hosting = !strcmp(argv[1], "host");
  ws_result result = hosting ? ws_host(argv[2], &config, &game) : ws_join(argv[2], &config, &game);
  if (result < 0) {
    failed(argv[1], result);
    return 1;
  }
  if (hosting) {
    begin("hosting");
    text_of("url", game, WS_GET_URL);
    finish();
  }
  for (int reported; (reported = next_command()) >= 0;) {
    if (reported > 0) {
      result = obey();
      if (result != WS_OK) failed(fields[0], result);
    }
    ws_poll(game);
    for (ws_event event; ws_next_event(game, &event) == WS_OK;) tell(&event);
    ws_wait(&game, 1, 2);
  }
  ws_free(game);
  ws_shutdown();
  return 0;
}
