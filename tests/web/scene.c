/* Godot 4's scene and Variants; the output must be the same natively and in a browser. Usage: scene values (each
   recorded value, and invalid bytes and items), scene wire URL (the bytes of a join, as tests/web/scene_host.c receives
   and sends them), scene godot URL (calls of a stock Godot with a value of each type, and back, next to another peer),
   scene auth URL (the authentication of a stock Godot) */
#include "wspeer.h"

#include "../c/values.h"
#include "scene_join.h"

static uint8_t bytes[BYTES], call[BYTES];

/* ---- values ---- */

static void read_value(const char *hex, int shows) {
  size_t len = bytes_of(hex, bytes), count = 0, used = 0, made = 0;
  ws_result result = ws_decode_variant(bytes, len, items, ITEMS, &count, &used);
  printf("%s: %s %u items of %u bytes %s\n", hex, ws_result_name(result), (unsigned)count, (unsigned)used, why(result));
  if (result != WS_OK) return;
  if (shows) show_items(count);
  result = ws_encode_variant(items, count, call, sizeof call, &made);
  printf("  again: %s %d %s\n", ws_result_name(result), result == WS_OK && made == used && !memcmp(bytes, call, made),
         why(result));
  result = ws_encode_call("/root/Game", "hello", items, count, call, sizeof call, &made);
  printf("  call: %s %s\n", ws_result_name(result), hex_of(call, made));
}

static void write_items(size_t count, const char *what) {
  size_t len = 9;
  ws_result result = ws_encode_variant(items, count, call, sizeof call, &len);
  printf("%s: %s %u %s\n", what, ws_result_name(result), (unsigned)len, why(result));
  result = ws_encode_call("Game", "m", items, count, call, sizeof call, &len);
  printf("%s in a call: %s %u %s\n", what, ws_result_name(result), (unsigned)len, why(result));
}

static void read_call(const char *hex) {
  size_t len = bytes_of(hex, call);
  ws_call got = {0};
  ws_result result = ws_decode_call(call, len, &got, items, ITEMS);
  printf("call %s: %s %s\n", hex, ws_result_name(result), why(result));
  if (result == WS_OK)
    printf("  %s.%s %u arguments, %u items\n", got.path, got.method, (unsigned)got.arguments, (unsigned)got.items);
  if (result == WS_OK) show_items(got.items);
}

static void all_values(void) {
  static const char *const none[] = {
      "",
      "27000000",
      "ff000000",
      "0400000001000000ff000000",
      "0400000002000000c0800000",
      "0400000003000000eda08000",
      "0400000004000000f4908080",
      "0400000004000000f09f9880",
      "04000000ffffffff",
      "1d000000ffffffff",
      "23000000ffffffff",
      "26000100ffffff7f",
      "1c000000ffffff7f",
      "1b000000ffffff7f",
      "22000000ffffffff",
      "1600000002000000",
      "160000000200000000000000000000000000",
      "16000000ffffffffffffffff00000000",
      "1c0001002700000000000000",
      "1c0001000000000000000000",
      "170000000000000000000000",
      "18000100a10500f905000000",
      "19000000",
      "1a000000000000000000000000000000",
      "1c0001001800000000000000",
      "1c00020011000000456e636f6465644f626a6563744173494400000000000000",
      "05000100000000000000f83f9a9999999999b9bf",
      "2300010001000000000000000000f83f0000000000000440",
      "030000000000807f",
      "03000000000080ff",
      "02000100000000000000008000",
      "0200010000000080ffffffff",
      "16000000010000800100000003000000010000006100000001000000620000000100000063000000"};
  static const char *const no_calls[] = {"",
                                         "47616d65",
                                         "47616d6500",
                                         "006d0000",
                                         "47616d65000000",
                                         "47616d65006d00",
                                         "47616d65006d000000",
                                         "47616d65006d0001",
                                         "ff006d0000",
                                         "47616d65006d000118000100000000000000000000",
                                         "47616d65006d0003 0205 81 c2000000000000008000",
                                         "47616d65006d0003 0280 42 0080 82 00000080",
                                         "47616d65006d0000"};
  static uint8_t deep[BYTES];
  size_t len, used;
  for (int i = 0; i < VALUES; i++) read_value(values[i], 1);
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) read_value(none[i], 1);
  for (int i = 0; i < VALUES; i++) {
    size_t whole = bytes_of(values[i], bytes), refused = 0;
    for (size_t end = 0; end < whole; end++)
      refused += ws_decode_variant(bytes, end, items, ITEMS, &len, NULL) == WS_ERR_ARG;
    printf("%d of %d cut off\n", (int)refused, (int)whole);
  }
  for (int depth = 64; depth <= 65; depth++) {
    for (int i = 0; i < depth; i++) memcpy(deep + 8 * i, "\x1c\0\0\0\1\0\0\0", 8);
    memset(deep + 8 * depth, 0, 4);
    ws_result result = ws_decode_variant(deep, (size_t)(8 * depth + 4), items, ITEMS, &len, &used);
    printf("%d deep: %s %u %s\n", depth, ws_result_name(result), (unsigned)len, why(result));
    item_of(WS_VARIANT_ARRAY, 1, 0);
    for (int i = 1; i < depth; i++) items[i] = items[0];
    write_items((size_t)depth + 1, "as deep");
  }
  for (int32_t type = 23; type <= 39; type++) item_of(type, 0, 0), write_items(1, "a type");
  item_of(-1, 0, 0), write_items(1, "no type");
  item_of(INT32_MIN, 0, 0), write_items(1, "no type");
  item_of(WS_VARIANT_VECTOR2I, 0, 0)->number[0] = 0.5, write_items(1, "a half");
  item_of(WS_VARIANT_VECTOR2I, 0, 0)->number[1] = 3e9, write_items(1, "too big");
  item_of(WS_VARIANT_NODE_PATH, 1, 0)->number[0] = 2, write_items(1, "sub-names");
  item_of(WS_VARIANT_STRING, 0, 0)->data = (const uint8_t *)"\xe9", items[0].len = 1, write_items(1, "no UTF-8");
  item_of(WS_VARIANT_STRING, 0, 0)->len = 3, write_items(1, "no data");
  item_of(WS_VARIANT_ARRAY, 2, 0), write_items(2, "one lacks");
  item_of(WS_VARIANT_PACKED_STRING_ARRAY, 1, 0), write_items(2, "no String");
  item_of(WS_VARIANT_ARRAY, 0, 24), write_items(1, "of Objects");
  item_of(WS_VARIANT_ARRAY, 0, 256), write_items(1, "of none");
  item_of(WS_VARIANT_DICTIONARY, 0, -1), write_items(1, "of none");
  item_of(WS_VARIANT_PACKED_INT32_ARRAY, 2, 0)->data = deep, items[0].len = 7, write_items(1, "7 bytes");
  item_of(WS_VARIANT_NIL, 0, 0), write_items(2, "two values");
  write_items(0, "no value");
  for (int i = 0; i < 64; i += 7) {
    item_of(WS_VARIANT_INT, 0, i == 63 ? INT64_MIN : -((int64_t)1 << i)), items[1] = items[0],
                                                                          items[1].integer = ~items[0].integer;
    ws_result result = ws_encode_call("Game", "m", items, 2, call, sizeof call, &len);
    printf("integers: %s %s\n", ws_result_name(result), hex_of(call, len));
    read_call(hex_of(call, len));
  }
  for (size_t i = 0; i < sizeof no_calls / sizeof *no_calls; i++) read_call(no_calls[i]);
  ws_result results[] = {ws_encode_call(NULL, "m", NULL, 0, call, 9, &len),
                         ws_encode_call("", "m", NULL, 0, call, 9, &len),
                         ws_encode_call("Game", "\xff", NULL, 0, call, 9, &len),
                         ws_encode_call("Game", "m", NULL, 1, call, 9, &len),
                         ws_encode_call("Game", "m", NULL, 0, NULL, 9, &len),
                         ws_encode_call("Game", "m", NULL, 0, call, 9, NULL),
                         ws_encode_call("Game", "m", NULL, 0, call, 7, &len),
                         ws_encode_call("Game", "m", NULL, 0, call, 8, &len),
                         ws_decode_call(NULL, 1, NULL, items, 1),
                         ws_decode_call(call, 8, NULL, items, 1),
                         ws_decode_variant(call, 8, NULL, 1, &len, NULL),
                         ws_decode_variant((const uint8_t *)"\x1c\0\0\0\1\0\0\0\0\0\0\0", 12, items, 1, &len, NULL)};
  for (size_t i = 0; i < sizeof results / sizeof *results; i++) printf("%s\n", ws_result_name(results[i]));
}

/* ---- a join ---- */

static ws_result call_of(int32_t target, const char *path, const char *method, size_t count) {
  size_t len;
  ws_result result = ws_encode_call(path, method, items, count, call, sizeof call, &len);
  return result == WS_OK ? ws_put_packet_to(join, target, call, len, WS_CALL) : result;
}

#define SIMPLIFY "013563306561393836326431653934306135386531653130393565656331303734000100000047616d6500"
#define OTHER "565cdc67"

static void wire(const char *url) {
  static char many[2 * 66000 + 2];
  static const char *const breaches[] = {
      "",
      "07",
      "0701010000",
      "070101000000",
      "0704" OTHER,
      "0703" OTHER "0301",
      "0703" OTHER,
      "0703" OTHER "0700",
      "03",
      "02010100",
      "0135",
      "01356330656139383632643165393430613538653165313039356565633130373400010000004761",
      "30",
      "2005000080004100",
      "000100",
      "0001000105",
      "0135633065613938363264316539343061353865316531303935656563313037340001000000"
      "4e6f646500"};
  const char *words = "hello, noargs, raw; configured";
  other = 0x67dc5c56;
  open_join(url, 0);
  reported("declare", ws_declare_node(join, "/root/Game", "raw,hello , noargs"));
  reported("again", ws_declare_node(join, "Game", "hello,noargs,raw"));
  reported("otherwise", ws_declare_node(join, "Game", words));
  reported("twice", ws_declare_node(join, "Node", "a,b;a"));
  reported("no path", ws_declare_node(join, "/root/", "a"));
  reported("code points", ws_declare_node(join, "Sorted", "\xf0\x9f\x98\x80, \xef\xbf\xbd, z, a; q"));
  reported("nothing to forget", ws_declare_node(join, "Other", NULL));
  reported("too early", say(1, "x"));
  reported("too early", call_of(1, "Game", "noargs", 0));
  take(2);
  comes("0701" OTHER);
  take(1);
  reported("to the host", say(1, "abc"));
  reported("to the other", say(other, "d"));
  reported("to all", say(0, "ef"));
  reported("to all but the host", say(-1, "g"));
  reported("to all but the other", say(-other, "h"));
  take(5);
  reported("text", ws_put_packet(join, (const uint8_t *)"x", 1, WS_TEXT));
  reported("empty", say(1, ""));
  reported("to me", say(ws_get_peer_id(join), "x"));
  reported("to nobody", say(77, "x"));
  reported("to none", say(INT32_MIN, "x"));
  reported("no call", ws_put_packet(join, (const uint8_t *)"hello", 5, WS_CALL));
  reported("no node", call_of(1, "None", "m", 0));
  reported("no method", call_of(1, "Game", "m", 0));
  reported("calls nobody", call_of(77, "Game", "noargs", 0));
  reported("calls all", call_of(0, "Game", "noargs", 0));
  take(4);
  comes("020101000000");
  comes("0703" OTHER "020101000000");
  comes("0361");
  take(1);
  reported("calls all by number", call_of(0, "/root/Game", "noargs", 0));
  take(2);
  item_of(WS_VARIANT_PACKED_BYTE_ARRAY, 2, 0)->data = (const uint8_t *)"\xde\xad", items[0].len = 2;
  reported("bytes alone", call_of(1, "Game", "raw", 1));
  item_of(WS_VARIANT_INT, 0, 5), items[1].type = WS_VARIANT_STRING, items[1].data = (const uint8_t *)"hi",
                                 items[1].len = 2;
  reported("two arguments", call_of(other, "Game", "hello", 2));
  reported("sorted", call_of(1, "Sorted", "\xf0\x9f\x98\x80", 0));
  reported("of rpc_config", call_of(1, "Sorted", "q", 0));
  take(5);
  comes("0703" OTHER "0377");
  take(1);
  comes(SIMPLIFY);
  comes("0703" OTHER SIMPLIFY);
  take(2);
  /* Repeating an announcement is harmless. */
  comes(SIMPLIFY);
  take(1);
  comes("0703" OTHER "800102dead");
  comes("8001 01");
  comes("201b00008000020300000000 00c03f050000000000803f0000004047616d6500");
  comes("90010001");
  comes("e0010000000100");
  comes("00010001 81");
  take(6);
  comes("80010100");
  take(1);
  comes("800901");
  comes("a006000080014e616d6500");
  comes("80010a");
  comes("0361");
  settle(1);
  take(2);
  comes("05");
  comes("040102");
  comes("0700");
  comes("07006869");
  comes("0001000118000100a10500f905000000");
  comes("0362");
  settle(1);
  take(2);
  comes("0703" OTHER "000100" "0502");
  comes("0703" OTHER "03");
  comes("0703" OTHER "020163000000");
  comes("0362");
  settle(1);
  take(2);
  comes("01356330656139383632643165393430613538653165313039356565633130373500 0a000000 47616d6500");
  settle(1);
  take(2);
  comes("800a01");
  take(1);
  comes("02000100 0000");
  take(1);
  reported("forget", ws_declare_node(join, "Game", NULL));
  comes("800101");
  take(1);
  comes("0702" OTHER);
  take(1);
  reported("calls one who has gone", call_of(other, "Sorted", "q", 0));
  say(1, "text");
  take(1);
  for (size_t i = 0; i < sizeof breaches / sizeof *breaches; i++) {
    ws_free(join);
    open_join(url, 0);
    ws_declare_node(join, "Game", "hello,noargs,raw");
    take(2);
    comes(SIMPLIFY);
    take(1);
    comes(breaches[i]);
    take(1);
  }
  ws_free(join);
  open_join(url, WS_AUTH);
  take(1);
  reported("data", ws_send_auth(join, 1, (const uint8_t *)"who", 3));
  reported("no data", ws_send_auth(join, 1, NULL, 0));
  reported("too much", ws_send_auth(join, 1, (const uint8_t *)many, 65537));
  reported("of another", ws_send_auth(join, 7, (const uint8_t *)"who", 3));
  reported("too early", say(1, "x"));
  printf("state %d, id %d\n", (int)ws_get_state(join), ws_get_peer_id(join) > 1);
  /* The host reports what it receives as a raw packet, which is held back. */
  reported("complete", ws_complete_auth(join, 1));
  reported("twice", ws_complete_auth(join, 1));
  reported("after", ws_send_auth(join, 1, (const uint8_t *)"who", 3));
  take(4);
  reported("it is over", ws_complete_auth(join, 1));
  ws_free(join);
  open_join(url, WS_AUTH);
  take(1);
  /* AUTH is reported although a held-back raw packet precedes it. */
  reported("ask", ws_send_auth(join, 1, (const uint8_t *)"ask", 3));
  take(1);
  reported("complete", ws_complete_auth(join, 1));
  take(4);
  ws_free(join);
  open_join(url, WS_AUTH);
  ws_set_option(join, WS_OPT_AUTH_TIMEOUT_MS, 60);
  take(2);
  ws_free(join);
  open_join(url, WS_AUTH);
  take(1);
  /* The host's reply and its close are not reported, because the host was not admitted. */
  reported("bye", ws_send_auth(join, 1, (const uint8_t *)"bye", 3));
  take(1);
  ws_stats stats;
  ws_get_stats(join, &stats, sizeof stats);
  printf("%u messages, %u skipped\n", (unsigned)stats.messages_in, (unsigned)stats.skipped);
  ws_free(join);
  open_join(url, 0);
  take(2);
  /* Peers that come and go while nobody reads are counted, and the present ones are reported. */
  say(1, "names");
  settle(1);
  int names = 0, count = 0;
  for (ws_event event = next(); event.type != WS_EVENT_MESSAGE; event = next()) {
    names += event.type == WS_EVENT_CONNECTED ? 1 : event.type == WS_EVENT_DISCONNECTED ? -1 : 0;
    count += event.type == WS_EVENT_SKIPPED ? (int)event.count : 1;
  }
  printf("%d stay of %d events\n", names, count);
  ws_free(join);
  open_join(url, WS_NO_RELAY);
  take(2);
  reported("to all", say(0, "x"));
  reported("to nobody", say(-1, "x"));
  take(1);
  comes("0701" OTHER);
  take(1);
}

static void declare(void) {
  reported("declare",
           ws_declare_node(join, "/root/Game", "echo, back, noargs, raw, three, only_authority; configured"));
}

static void godot(const char *url) {
  size_t count, used;
  open_join(url, 0);
  declare();
  take(2);
  ws_event event = next();
  other = event.peer_id;
  show(&event);
  for (int i = 0; i < VALUES; i++) {
    ws_decode_variant(bytes, bytes_of(values[i], bytes), items, ITEMS, &count, &used);
    reported(values[i], call_of(1, "Game", "echo", count));
    take(1);
    size_t len = 0;
    /* The returned value is the same. */
    ws_encode_variant(items, count, call, sizeof call, &len);
    printf("  %s\n", !strcmp(hex_of(call, len), values[i]) ? "the same" : hex_of(call, len));
  }
  item_of(WS_VARIANT_STRING, 0, 0)->data = (const uint8_t *)"word", items[0].len = 4;
  reported("of the other by way of the host", call_of(other, "Game", "echo", 1));
  take(1);
  reported("the host shall call", say(1, "call %d three [5, \"hi\", [1.5, true]]", (int)ws_get_peer_id(join)));
  take(1);
  reported("and configured", say(1, "call 0 configured [\"all\"]"));
  take(1);
  reported("the other shall call", say(other, "call %d noargs", (int)ws_get_peer_id(join)));
  take(1);
  reported("and say", say(other, "say %d well met", (int)ws_get_peer_id(join)));
  take(1);
  reported("it shall quit", say(other, "quit"));
  take(1);
  reported("the host shall disconnect me", say(1, "kick %d", (int)ws_get_peer_id(join)));
  for (event = next(); event.type != WS_EVENT_CLOSED; event = next()) {
  }
  printf("closed with %d\n", (int)event.code);
}

static void authenticate(const char *url) {
  open_join(url, WS_AUTH);
  declare();
  take(1);
  reported("the secret", ws_send_auth(join, 1, (const uint8_t *)"secret good", 11));
  take(1);
  reported("complete", ws_complete_auth(join, 1));
  take(2);
  item_of(WS_VARIANT_INT, 0, 300);
  reported("a call", call_of(1, "Game", "echo", 1));
  take(1);
  ws_free(join);
  open_join(url, WS_AUTH);
  take(1);
  reported("no secret", ws_send_auth(join, 1, (const uint8_t *)"secret bad", 10));
  ws_event event = next();
  while (event.type != WS_EVENT_CLOSED) event = next();
  printf("closed, state %d\n", (int)ws_get_state(join));
}

int main(int argc, char **argv) {
  if (argc < 2 || (argc < 3 && strcmp(argv[1], "values"))) return 2;
  if (!strcmp(argv[1], "values")) all_values();
  else if (!strcmp(argv[1], "wire")) wire(argv[2]);
  else if (!strcmp(argv[1], "godot")) godot(argv[2]);
  else authenticate(argv[2]);
  ws_shutdown();
  return 0;
}
