// The conformance program in C++: scenarios whose ends are all in this program.
#include "conformance.hpp"

#include <regex>

namespace {

// ---- Two ends in memory ----

// What was opened; the program ends if it was not.
template <class Value>
Value opened(const char* verb, wspeer::expected<Value> made) {
  if (!check(verb, made)) std::exit(1);
  return *std::move(made);
}

template <class Handle>
void until_state(Handle& handle, const string& name, wspeer::state state) {
  poll_until(name, [&] { return handle.state() == state; });
}

void pair(const string&) {
  wspeer::config config;
  config.flags(WS_QUEUE_BEFORE_OPEN | WS_COALESCE | WS_DEFLATE | WS_SERVER_NO_CONTEXT_TAKEOVER |
               WS_CLIENT_NO_CONTEXT_TAKEOVER);
  config->owner = 7;
  config->user = reinterpret_cast<void*>(11);
  auto [server, near] = opened("pair", wspeer::peer::pair(config));
  polled = {&server, &near};
  check("put", server.put("early"));
  take(server, "server", 1);
  take(near, "client", 2);
  std::printf("extensions %s\n", near.extensions().c_str());

  const std::vector<std::uint8_t> two = {0, 255};
  const auto done = near.put_many(std::vector<wspeer::addressed>{"one", two, "three"});
  check("put_packets", done.outcome);
  check("flush", near.flush());
  std::printf("taken %zu wait %s\n", done.taken, wspeer::wait(10000, server, near) ? "WS_OK" : "WS_EMPTY");
  poll_until("server", [&server = server] { return server.available() >= 3; });
  for (auto& packet : server.packets()) {
    print("server", packet);
    std::printf("user %" PRIu64 "\n", packet.user());
    break;
  }
  wspeer::event events[8];
  std::size_t count = 0;
  ws_next_events(server.raw(), events[0].out(), 8, &count);
  for (std::size_t i = 0; i < count; i++) print("server", events[i]);
  check("set_user", server.set_user(12));
  check("put", near.put("more"));
  next_event(server, "server", [](const wspeer::event& event) {
    print("server", event);
    std::printf("user %" PRIu64 "\n", event.packet().user());
  });
  std::printf("messages in %" PRIu64 " out %" PRIu64 "\n", server.stats().messages_in, server.stats().messages_out);

  wspeer::event last;
  std::printf("ended %s\n", near.end(last) ? "yes" : "no");
  check("close", near.close(4000, "done"));
  std::printf("state %d\n", static_cast<int>(near.state()));
  until_state(near, "client", wspeer::state::closed);
  std::printf("ended %s", near.end(last) ? "yes" : "no");
  std::printf(" code=%d cause=%d\n", last.close_code(), last.cause());
  until(server, "server", event_kind::closed);
  until(near, "client", event_kind::closed);
  wspeer::free_owner(7);
  check("poll", server.poll());
  polled.clear();
}

// ---- Two connections whose bytes this program carries ----

void carry(wspeer::peer& from, wspeer::peer& to) {
  std::uint8_t bytes[4096];
  while (const std::size_t length = from.take_output(bytes, sizeof bytes))
    for (std::size_t at = 0; at < length;) {
      const auto taken = to.feed({bytes + at, length - at});
      if (!taken || !*taken) return;
      at += *taken;
    }
}

void attach(const string&) {
  const std::vector<std::uint8_t> big(300000);
  wspeer::config config;
  config->outbound_packets = 1;
  auto server = opened("attach", wspeer::peer::attach(WS_ROLE_SERVER, config));
  auto near = opened("attach", wspeer::peer::attach(WS_ROLE_CLIENT, config));
  polled = {&server, &near};
  between_polls = [&] {
    carry(near, server);
    carry(server, near);
  };
  take(near, "client", 1);
  take(server, "server", 1);
  check("put", near.put("hello"));
  take(server, "server", 1);
  // The transport takes a part of the first, and the second does not fit in the queue behind it.
  check("put", near.put(big));
  check("put", near.put(big));
  take(server, "server", 1);
  take(near, "client", 1);
  between_polls = nullptr;
  check("feed", server.feed_end());
  take(server, "server", 1);
  check("feed", server.feed(wspeer::bytes_view(big.data(), 1)));
  polled.clear();
}

// ---- A queue that is full ----

void put_big(wspeer::multiplayer& host) {
  const std::vector<std::uint8_t> big(300000);
  const auto result = host.put(big);
  if (check("put", result)) std::printf("put %s\n", ws_result_name(static_cast<ws_result>(result.code())));
}

void full(const string&) {
  wspeer::config config;
  config->outbound_packets = 1;
  config->on_full = WS_FULL_SKIP;
  auto host = opened("host", wspeer::multiplayer::host(localhost, config));
  auto a = opened("join_local", host.join_local());
  polled = {&host, &a};
  until_state(a, "a", wspeer::state::open);
  peer_names[a.peer_id()] = "a";
  take(host, "host", 1);
  take(a, "a", 2);

  if (const auto conn = host.client(a.peer_id())) std::printf("conn of %s\n", peer_names[conn->peer_id()].c_str());
  ws_handle conn = 0;
  check("get_conn", wspeer::result(ws_get_conn(host.raw(), -1, &conn)));

  // a is not polled, so it does not read.
  polled = {&host};
  put_big(host);
  put_big(host);
  take(host, "host", 1);
  check("set_option", host.set_option(WS_OPT_ON_FULL, WS_FULL_ALL_OR_NONE));
  put_big(host);
  polled = {&host, &a};
  take(a, "a", 1);
  take(host, "host", 1);
  polled = {&host};
  check("set_option", host.set_option(WS_OPT_ON_FULL, WS_FULL_DISCONNECT));
  put_big(host);
  put_big(host);
  polled = {&host, &a};
  next_event(host, "host", [](const wspeer::event& event) {
    std::printf("host event %d code=%d cause=%d\n", static_cast<int>(event.kind()), event.close_code(), event.cause());
  });
  polled.clear();
}

// ---- Options and texts ----

struct named {
  std::int32_t number;
  const char* name;
};

constexpr named OPTIONS[] = {{WS_OPT_NO_DELAY, "NO_DELAY"},
                             {WS_OPT_HEARTBEAT_MS, "HEARTBEAT_MS"},
                             {WS_OPT_PONG_TIMEOUT_MS, "PONG_TIMEOUT_MS"},
                             {WS_OPT_CLOSE_TIMEOUT_MS, "CLOSE_TIMEOUT_MS"},
                             {WS_OPT_POLL_BUDGET_US, "POLL_BUDGET_US"},
                             {WS_OPT_MAX_MESSAGE_BYTES, "MAX_MESSAGE_BYTES"},
                             {WS_OPT_MAX_FRAGMENTS, "MAX_FRAGMENTS"},
                             {WS_OPT_INBOUND_PACKETS, "INBOUND_PACKETS"},
                             {WS_OPT_INBOUND_BYTES, "INBOUND_BYTES"},
                             {WS_OPT_OUTBOUND_PACKETS, "OUTBOUND_PACKETS"},
                             {WS_OPT_OUTBOUND_BYTES, "OUTBOUND_BYTES"},
                             {WS_OPT_MAX_MESSAGES_PER_S, "MAX_MESSAGES_PER_S"},
                             {WS_OPT_MAX_BYTES_PER_S, "MAX_BYTES_PER_S"},
                             {WS_OPT_COALESCE, "COALESCE"},
                             {WS_OPT_REFUSE_NEW, "REFUSE_NEW"},
                             {WS_OPT_MAX_CLIENTS, "MAX_CLIENTS"},
                             {WS_OPT_MAX_CLIENTS_PER_ADDRESS, "MAX_CLIENTS_PER_ADDRESS"},
                             {WS_OPT_MAX_PENDING_HANDSHAKES, "MAX_PENDING_HANDSHAKES"},
                             {WS_OPT_HANDSHAKE_TIMEOUT_MS, "HANDSHAKE_TIMEOUT_MS"},
                             {WS_OPT_ON_FULL, "ON_FULL"},
                             {WS_OPT_PORT, "PORT"},
                             {WS_OPT_DEFLATE_THRESHOLD_BYTES, "DEFLATE_THRESHOLD_BYTES"},
                             {WS_OPT_MAX_INFLATE_RATIO, "MAX_INFLATE_RATIO"},
                             {WS_OPT_TRANSFER_MODE, "TRANSFER_MODE"},
                             {WS_OPT_TRANSFER_CHANNEL, "TRANSFER_CHANNEL"},
                             {WS_OPT_AUTH_TIMEOUT_MS, "AUTH_TIMEOUT_MS"},
                             {WS_OPT_MAX_CALL_BYTES, "MAX_CALL_BYTES"},
                             {WS_OPT_MAX_CALL_ITEMS, "MAX_CALL_ITEMS"},
                             {WS_OPT_MAX_BODY_BYTES, "MAX_BODY_BYTES"},
                             {WS_OPT_REPORT_REFUSED, "REPORT_REFUSED"},
                             {WS_OPT_MAX_DOWNLOADS, "MAX_DOWNLOADS"},
                             {WS_OPT_MAX_DOWNLOADS_PER_ADDRESS, "MAX_DOWNLOADS_PER_ADDRESS"},
                             {WS_OPT_DOWNLOAD_TIMEOUT_MS, "DOWNLOAD_TIMEOUT_MS"},
                             {WS_OPT_RETRY_MIN_MS, "RETRY_MIN_MS"},
                             {WS_OPT_RETRY_MAX_MS, "RETRY_MAX_MS"},
                             {WS_OPT_RETRY_TRIES, "RETRY_TRIES"},
                             {WS_OPT_MAX_LOST, "MAX_LOST"},
                             {WS_OPT_MAX_TOPICS, "MAX_TOPICS"},
                             {WS_OPT_MAX_SERVER_TOPICS, "MAX_SERVER_TOPICS"},
                             {WS_OPT_MAX_TOTAL_MIB, "MAX_TOTAL_MIB"},
                             {WS_OPT_MAX_PUT_BYTES, "MAX_PUT_BYTES"},
                             {WS_OPT_HOLD_NEW, "HOLD_NEW"}};

// Every option of a host: its value, then the value after it was set to 1, or to 0 if it was 1.
void options(const string&) {
  wspeer::config config;
  config->poll_budget_us = 101;
  config->connect_timeout_ms = 102;
  config->handshake_timeout_ms = 103;
  config->close_timeout_ms = 104;
  config->heartbeat_ms = 105;
  config->pong_timeout_ms = 106;
  config->max_message_bytes = 107;
  config->max_fragments = 108;
  config->max_header_bytes = 1090;
  config->inbound_packets = 110;
  config->inbound_bytes = 111;
  config->outbound_packets = 112;
  config->outbound_bytes = 113;
  config->max_messages_per_s = 114;
  config->max_bytes_per_s = 115;
  config->max_clients = 116;
  config->max_clients_per_address = 117;
  config->max_pending_handshakes = 118;
  config->on_full = WS_FULL_ALL_OR_NONE;
  config->no_delay = WS_OFF;
  config->deflate_level = 9;
  config->deflate_threshold_bytes = 119;
  config->server_max_window_bits = 12;
  config->client_max_window_bits = 13;
  config->max_inflate_ratio = 120;
  config->max_call_bytes = 121;
  config->max_call_items = 122;
  config->ipv6_prefix_bits = 56;
  config->max_body_bytes = 123;
  config->max_downloads = 124;
  config->max_downloads_per_address = 125;
  config->retry_min_ms = 126;
  config->retry_max_ms = 127;
  config->retry_tries = 128;
  config->session_bytes = 129;
  config->max_lost = 130;
  config->max_topics = 131;
  config->max_server_topics = 132;
  config->max_total_mib = 133;
  config->max_put_bytes = 134;
  auto host = opened("host", wspeer::multiplayer::host(localhost, config.flags(WS_DEFLATE | WS_SCENE)));
  for (const auto& [number, name] : OPTIONS) {
    const std::uint32_t before = host.option(number).value_or(0);
    if (number == WS_OPT_PORT) {
      std::printf("option %s %s\n", name, before ? "yes" : "no");
      continue;
    }
    check("set_option", host.set_option(number, before != 1));
    std::printf("option %s %u %u\n", name, before, host.option(number).value_or(0));
  }
}

// Every text of a server's client, and the lists of clients. The first client is refused.
void texts(const string&) {
  wspeer::config config;
  config.subprotocols("chat").flags(WS_DEFLATE);
  auto server = opened("listen", wspeer::server::listen(localhost, wspeer::config(config).flags(WS_REFUSE_NEW)));
  const string url = server.url() + "/room?x=1";
  auto near = opened("connect", wspeer::peer::connect(url, config));
  polled = {&server, &near};
  take(near, "client", 1);
  check("set_option", server.set_option(WS_OPT_REFUSE_NEW, 0));
  near = opened("connect", wspeer::peer::connect(url, config));
  take(near, "client", 1);

  poll_until("server", [&] { return !server.waiting().empty(); });
  const auto clients = server.clients();
  std::printf("clients %zu waiting %zu\n", clients.size(), server.waiting().size());
  take(server, "server", 1);
  const auto one = clients.at(0);
  const std::pair<const char*, string> all[] = {{"URL", one.url()},
                                                {"PATH", one.path()},
                                                {"QUERY", one.query()},
                                                {"SUBPROTOCOL", one.subprotocol()},
                                                {"CLOSE_REASON", one.close_reason()},
                                                {"ERROR", one.why()},
                                                {"LOCAL_ADDRESS", one.local_address()},
                                                {"REMOTE_ADDRESS", one.remote_address()},
                                                {"BODY", one.body()},
                                                {"TLS", one.tls()},
                                                {"EXTENSIONS", one.extensions()},
                                                {"PEER_ADDRESS", one.peer_address()},
                                                {"METHOD", one.method()}};
  const std::regex port(":[0-9]+");
  for (const auto& [name, text] : all)
    std::printf("text %s %s\n", name, std::regex_replace(text, port, ":PORT").c_str());
  polled.clear();
}

// ---- The library itself ----

void library(const string&) {
  std::printf("fits %s\n", wspeer::fits() ? "yes" : "no");
  std::printf("version %s\n", ws_version() ? "yes" : "no");
  std::printf("features %u\n", wspeer::features());
  for (std::int32_t level = WS_LOG_OFF; level <= WS_LOG_DEBUG; level++) {
    check("set_log_level", wspeer::set_log_level(level));
    opened("listen", wspeer::server::listen(localhost)).free();
    bool logged = false;
    while (wspeer::next_log()) logged = true;
    std::printf("log %d %s\n", level, logged ? "yes" : "no");
  }
}

// ---- A bad network between two ends in memory, whose time this program advances ----

void simulate(const string&) {
  for (std::int32_t preset = 0; preset <= static_cast<std::int32_t>(wspeer::sim_preset::satellite); preset++) {
    const ws_sim sim = wspeer::sim(static_cast<wspeer::sim_preset>(preset));
    std::printf("preset %d up %u %u %u %u %u", preset, sim.up_lag_us, sim.up_jitter_us, sim.up_bytes_per_s,
                sim.up_stall_for_ms, sim.up_stall_every_ms);
    std::printf(" down %u %u %u %u %u\n", sim.down_lag_us, sim.down_jitter_us, sim.down_bytes_per_s,
                sim.down_stall_for_ms, sim.down_stall_every_ms);
  }
  auto [server, near] = opened("pair", wspeer::peer::pair());
  polled = {&server, &near};
  check("advance_time", near.advance_time(0));
  take(server, "server", 1);
  take(near, "client", 1);

  ws_sim sim = wspeer::sim();
  sim.up_loss_ppm = 1000001;
  check("set_sim", near.set_sim(sim));
  sim.up_loss_ppm = 0;
  sim.up_lag_us = 30000;
  sim.down_loss_ppm = 1000000;
  sim.down_loss_stall_us = 50000;
  check("set_sim", near.set_sim(sim));
  check("put", near.put("up"));
  check("put", server.put("down"));
  std::printf("held %s\n", near.stats().sim_bytes ? "yes" : "no");
  // What one end passes on, the other reads in its next poll.
  const auto poll_both = [&server = server, &near = near] {
    for (int i = 0; i < 2; i++) {
      server.poll();
      near.poll();
    }
  };
  poll_both();
  int server_has = 0, client_has = 0;
  for (int ms = 1; ms <= 60; ms++) {
    check("advance_time", near.advance_time(1000));
    poll_both();
    if (!server_has && server.available() == 1) std::printf("server after %d ms\n", server_has = ms);
    if (!client_has && near.available() == 1) std::printf("client after %d ms\n", client_has = ms);
  }
  take(server, "server", 1);
  take(near, "client", 1);
  std::printf("losses %" PRIu64 "\n", near.stats().sim_losses);

  sim.up_lag_us = 60000000;
  check("set_sim", near.set_sim(sim));
  check("put", near.put("at once"));
  check("set_sim", near.clear_sim());
  take(server, "server", 1);

  auto listening = opened("listen", wspeer::server::listen(localhost));
  check("set_sim", listening.set_sim(sim));
  check("advance_time", listening.advance_time(1));
  polled.clear();
}

// ---- Topics: who receives what a server or host publishes ----

void print_topics(const char* name, const std::vector<string>& topics) {
  std::printf("topics of %s: ", name);
  for (std::size_t i = 0; i < topics.size(); i++) std::printf("%s%s", i ? "," : "", topics[i].c_str());
  std::printf("\n");
}

void topics(const string&) {
  const auto subscribe = [](wspeer::client_ref conn, const string& topic) { check("subscribe", conn.subscribe(topic)); };
  wspeer::config config;
  config.flags(WS_COALESCE | WS_SHARE_PORT);
  config->max_topics = 2;
  config->max_server_topics = 3;
  auto server = opened("listen", wspeer::server::listen(localhost, config));
  polled = {&server};
  const char* const names[] = {"a", "b", "c"};
  wspeer::peer clients[3];
  wspeer::client_ref conns[3];
  for (std::size_t i = 0; i < 3; i++) {
    clients[i] = opened("connect", wspeer::peer::connect(server.url()));
    polled.push_back(&clients[i]);
    take(clients[i], names[i], 1);
    next_event(server, "server", [&](const wspeer::event& event) {
      conns[i] = event.client();
      print("server", event);
    });
  }
  subscribe(conns[0], "red");
  subscribe(conns[0], "blue");
  subscribe(conns[0], "red");
  subscribe(conns[0], "green");
  subscribe(conns[1], "green");
  subscribe(conns[1], "red");
  subscribe(conns[2], "yellow");
  for (std::size_t i = 0; i < 3; i++) print_topics(names[i], conns[i].topics());
  print_topics("server", server.topics());
  std::printf("topics %" PRIu64 " subscriptions %" PRIu64 "\n", server.stats().topics, server.stats().subscriptions);

  const auto publish = [&](const string& topic, const wspeer::outgoing& message, wspeer::client_ref except = {}) {
    check("publish", server.publish(topic, message, except));
  };
  const auto publish_latest = [&](std::uint32_t key, const wspeer::outgoing& message, wspeer::client_ref except = {}) {
    check("publish_latest", server.publish_latest("red", key, message, except));
  };
  const auto take_all = [&](std::initializer_list<int> counts) {
    std::size_t i = 0;
    for (const int count : counts) {
      take(clients[i], names[i], count);
      i++;
    }
  };
  publish("red", "to red");
  publish("red", "to red but a", conns[0]);
  publish("yellow", "to nobody");
  check("put", server.put("to all"));
  take_all({2, 3, 1});
  // With WS_COALESCE only the newest of each key leaves.
  publish_latest(1, "one");
  publish_latest(2, "two");
  publish("red", "between");
  publish_latest(1, "one for a", conns[1]);
  publish_latest(2, "two again");
  take_all({3, 3});
  std::printf("replaced %" PRIu64 "\n", server.stats().replaced);

  publish("red", "before");
  check("unsubscribe", conns[1].unsubscribe("red"));
  check("unsubscribe", conns[1].unsubscribe("red"));
  publish("red", "without b");
  check("unsubscribe", conns[0].unsubscribe_all());
  publish("red", "to nobody");
  check("put", server.put("to all"));
  take_all({3, 2, 1});
  print_topics("server", server.topics());
  subscribe(conns[2], "");
  subscribe(conns[2], "two\nlines");
  publish("", "");
  check("close", clients[1].close(1000));
  until(server, "server", event_kind::disconnected);
  poll_all();
  print_topics("server", server.topics());

  auto host = opened("host", wspeer::multiplayer::host(localhost));
  polled = {&host};
  wspeer::multiplayer joins[2];
  for (std::size_t i = 0; i < 2; i++) {
    joins[i] = opened("join", wspeer::multiplayer::join(host.url()));
    polled.push_back(&joins[i]);
    until_state(joins[i], names[i], wspeer::state::open);
    peer_names[joins[i].peer_id()] = names[i];
    take(host, "host", 1);
    take(joins[i], names[i], 2);
    subscribe(host.client(joins[i].peer_id()).value(), "room");
  }
  check("publish", host.publish("room", "to both"));
  check("publish", host.publish("room", "to b", joins[0].peer_id()));
  check("publish_latest", host.publish_latest("room", 1, "to a", joins[1].peer_id()));
  check("publish", host.publish("room", "", -1));
  for (std::size_t i = 0; i < 2; i++) take(joins[i], names[i], 2);
  print_topics("host", host.topics());
  polled.clear();
}

// ---- Certificates that a client trusts, or not ----

void trust(const string&) {
  const auto made = opened("make_certificate", wspeer::certificate::make("game.example", 30));
  auto server =
      opened("listen", wspeer::server::listen("wss://127.0.0.1:0",
                                              wspeer::config().certificate(made.cert_pem, made.key_pem)));
  const auto trusting = [&](std::uint32_t flags) { return wspeer::config().flags(flags).ca_pem(made.cert_pem); };
  const std::pair<string, wspeer::config> ways[] = {{"strict", trusting(WS_ONLY_CA_PEM)},
                                                    {"named", trusting(WS_ONLY_CA_PEM).server_name("game.example")},
                                                    {"any name", trusting(WS_ONLY_CA_PEM | WS_ANY_NAME)},
                                                    {"insecure", wspeer::config().flags(WS_INSECURE)}};
  wspeer::peer visitors[4];
  polled = {&server};
  for (std::size_t i = 0; i < 4; i++) {
    visitors[i] = opened("connect", wspeer::peer::connect(server.url(), ways[i].second));
    polled.push_back(&visitors[i]);
    take(visitors[i], ways[i].first, 1);
    if (i > 0) take(server, "server", 1);
  }
  polled.clear();
}

// ---- Scenes ----

void settle(wspeer::multiplayer& host, wspeer::multiplayer& one, const string& name) {
  until_state(one, name, wspeer::state::open);
  peer_names[one.peer_id()] = name;
  take(host, "host", 1);
  take(one, name, 2);
}

// Prints a value, and returns the item behind it.
const ws_variant* print_value(const ws_variant* item) {
  const ws_variant* next = item + 1;
  const wspeer::bytes_view bytes(item->data, item->len);
  switch (item->type) {
    case WS_VARIANT_NIL: std::printf("null"); break;
    case WS_VARIANT_BOOL: std::printf(item->integer ? "true" : "false"); break;
    case WS_VARIANT_INT: std::printf("%" PRId64, item->integer); break;
    case WS_VARIANT_FLOAT: std::printf("%g", item->number[0]); break;
    case WS_VARIANT_STRING: std::printf("\"%s\"", words(bytes.text()).c_str()); break;
    case WS_VARIANT_VECTOR2: std::printf("Vector2(%g, %g)", item->number[0], item->number[1]); break;
    case WS_VARIANT_PACKED_BYTE_ARRAY: std::printf("bytes %zu %08" PRIx32, bytes.size(), adler32(bytes)); break;
    case WS_VARIANT_ARRAY:
      std::printf("[");
      for (std::uint32_t i = 0; i < item->count; i++) {
        if (i) std::printf(", ");
        next = print_value(next);
      }
      std::printf("]");
      break;
    case WS_VARIANT_DICTIONARY:
      std::printf("{");
      for (std::uint32_t i = 0; i < item->count; i++) {
        if (i) std::printf(", ");
        next = print_value(next);
        std::printf(": ");
        next = print_value(next);
      }
      std::printf("}");
      break;
    default: std::printf("type %d", item->type);
  }
  return next;
}

// The next event, which must be a call.
void hear_call(wspeer::multiplayer& one, const string& name, std::vector<std::uint8_t>* bytes = nullptr) {
  next_event(one, name, [&](const wspeer::event& event) {
    ws_call call;
    ws_variant items[32];
    if (event.packet().kind() != wspeer::message_kind::call) return print(name, event);
    const wspeer::bytes_view data = event.bytes();
    if (!check("decode_call", wspeer::result(ws_decode_call(data.data(), data.size(), &call, items, 32)))) return;
    std::printf("%s call %s.%s(", name.c_str(), call.path, call.method);
    const ws_variant* next = items;
    for (std::uint32_t i = 0; i < call.arguments; i++) {
      if (i) std::printf(", ");
      next = print_value(next);
    }
    std::printf(") peer=%s\n", peer_names[event.peer_id()].c_str());
    if (bytes) bytes->assign(data.begin(), data.end());
  });
}

void say_call(wspeer::multiplayer& one, std::int32_t target, const char* path, const char* method,
              const std::vector<ws_variant>& items) {
  std::uint8_t call[512];
  std::size_t length = 0;
  const ws_variant none{};
  const ws_variant* first = items.empty() ? &none : items.data();
  const ws_result result = ws_encode_call(path, method, first, items.size(), call, sizeof call, &length);
  if (!check("encode_call", wspeer::result(result))) return;
  check("put_to", one.put_to(target, {wspeer::message_kind::call, wspeer::bytes_view(call, length)}));
}

ws_variant variant(std::int32_t type, std::int64_t integer = 0, std::uint32_t count = 0) {
  ws_variant item{};
  item.type = type;
  item.integer = integer;
  item.count = count;
  return item;
}

ws_variant string_of(std::string_view text) {
  ws_variant item = variant(WS_VARIANT_STRING);
  item.data = wspeer::bytes_view(text).data();
  item.len = text.size();
  return item;
}

void scene(const string&) {
  static const std::uint8_t three[] = {1, 2, 255};
  const auto config = wspeer::config().flags(WS_SCENE);
  auto host = opened("host", wspeer::multiplayer::host(localhost, config));
  auto a = opened("join", wspeer::multiplayer::join(host.url(), config));
  polled = {&host, &a};
  settle(host, a, "a");
  auto b = opened("join_local", host.join_local());
  polled.push_back(&b);
  settle(host, b, "b");
  take(b, "b", 1);
  take(a, "a", 1);
  for (wspeer::multiplayer* one : {&host, &a, &b})
    check("declare_node", one->declare_node("/root/Game", "hello, move"));

  ws_variant number = variant(WS_VARIANT_FLOAT), place = variant(WS_VARIANT_VECTOR2);
  ws_variant bytes = variant(WS_VARIANT_PACKED_BYTE_ARRAY, 0, 3);
  number.number[0] = place.number[0] = 1.5;
  place.number[1] = -2;
  bytes.data = three;
  bytes.len = sizeof three;
  const std::vector<ws_variant> list = {variant(WS_VARIANT_ARRAY, 0, 2), variant(WS_VARIANT_INT, 1), string_of("x")};
  say_call(a, 1, "Game", "hello",
           {variant(WS_VARIANT_NIL), variant(WS_VARIANT_BOOL, 1), variant(WS_VARIANT_INT, -5), number,
            string_of("κόσμε"), list[0], list[1], list[2], variant(WS_VARIANT_DICTIONARY, 0, 1), string_of("k"),
            variant(WS_VARIANT_INT, 2), bytes});
  std::vector<std::uint8_t> heard;
  hear_call(host, "host", &heard);
  // The call goes back as it came.
  check("put_to", host.put_to(a.peer_id(), {wspeer::message_kind::call, heard}));
  hear_call(a, "a");
  say_call(host, 0, "Game", "move", {place});
  hear_call(a, "a");
  hear_call(b, "b");
  say_call(b, a.peer_id(), "Game", "move", {place});
  hear_call(a, "a");

  // A value as the bytes of a packet.
  std::uint8_t value[128];
  std::size_t length = 0;
  check("encode_variant",
        wspeer::result(ws_encode_variant(list.data(), list.size(), value, sizeof value, &length)));
  check("put_to", host.put_to(a.peer_id(), wspeer::bytes_view(value, length)));
  next_event(a, "a", [](const wspeer::event& event) {
    ws_variant items[8];
    std::size_t count = 0;
    print("a", event);
    const wspeer::bytes_view data = event.bytes();
    check("decode_variant", wspeer::result(ws_decode_variant(data.data(), data.size(), items, 8, &count, nullptr)));
    std::printf("a value ");
    print_value(items);
    std::printf("\n");
  });

  // A node that the host has not declared.
  check("declare_node", a.declare_node("Secret", "open"));
  say_call(a, 1, "Secret", "open", {});
  take(host, "host", 1);
  check("declare_node", a.forget_node("Secret"));
  check("close", a.close(4001, "bye"));
  until(host, "host", event_kind::disconnected);
  until(a, "a", event_kind::closed);
  take(b, "b", 1);
  polled.clear();
}

// ---- Authentication; the clients do not learn of each other ----

// Returns the id of the one that joins.
std::int32_t knock(wspeer::multiplayer& host, wspeer::multiplayer& one, const string& name,
                   const wspeer::config& config) {
  std::int32_t id = 0;
  one = opened("join", wspeer::multiplayer::join(host.url(), config));
  polled.push_back(&one);
  next_event(host, "host", [&](const wspeer::event& event) {
    id = event.peer_id();
    peer_names[id] = name;
    print("host", event);
  });
  take(one, name, 1);
  return id;
}

wspeer::bytes_view bytes_of(std::string_view text) { return wspeer::bytes_view(text); }

void auth(const string&) {
  const auto config = wspeer::config().flags(WS_SCENE | WS_AUTH | WS_NO_RELAY);
  auto host = opened("host", wspeer::multiplayer::host(localhost, config));
  polled = {&host};
  const string names[] = {"a", "b"};
  wspeer::multiplayer joins[2], c;
  for (std::size_t i = 0; i < 2; i++) {
    wspeer::multiplayer& one = joins[i];
    const std::int32_t id = knock(host, one, names[i], config);
    check("send_auth", one.send_auth(1, bytes_of("password")));
    take(host, "host", 1);
    check("send_auth", host.send_auth(id, bytes_of("welcome")));
    take(one, names[i], 1);
    check("complete_auth", host.complete_auth(id));
    check("complete_auth", one.complete_auth(1));
    take(host, "host", 1);
    take(one, names[i], 2);
  }
  check("put_to", joins[0].put_to(0, bytes_of("to all")));
  take(host, "host", 1);
  check("put_to", host.put_to(0, bytes_of("to both")));
  for (std::size_t i = 0; i < 2; i++) take(joins[i], names[i], 1);
  const std::int32_t id = knock(host, c, "c", config);
  check("disconnect", host.disconnect(id, 4003, "wrong password"));
  until(c, "c", event_kind::closed);
  until(host, "host", event_kind::disconnected);
  polled.clear();
}

// ---- Replication: nodes that a host and a client spawn and synchronize ----

ws_variant vector2(double x, double y) {
  ws_variant item = variant(WS_VARIANT_VECTOR2);
  item.number[0] = x;
  item.number[1] = y;
  return item;
}

ws_variant int_of(std::int64_t number) { return variant(WS_VARIANT_INT, number); }

// One end of the scenario.
struct player {
  const char* name;
  wspeer::multiplayer ws{};

  void take(int count) { ::take(ws, name, count); }
  void declare_scene(const char* spawner, std::int32_t authority, std::uint32_t scene, const char* synchronizers) {
    check("declare_scene", ws.declare_scene(spawner, authority, scene, synchronizers));
  }
  void forget_scene(const char* spawner, std::uint32_t scene) {
    check("declare_scene", ws.forget_scene(spawner, scene));
  }
  std::uint32_t declare_synchronizer(const char* path, std::int32_t authority, const char* properties) {
    const auto node = ws.declare_synchronizer(path, authority, properties);
    return check("declare_synchronizer", node) ? *node : 0;
  }
  std::uint32_t spawn(const char* spawner, std::uint32_t scene, const char* node_name,
                      const std::vector<ws_variant>& items) {
    const auto node = ws.spawn(spawner, scene, node_name, items);
    if (!check("spawn", node)) return 0;
    std::printf("%s spawned %s %u\n", name, node_name, *node);
    return *node;
  }
  void despawn(std::uint32_t node) { check("despawn", ws.despawn(node)); }
  void sync(std::uint32_t node, const std::vector<ws_variant>& items) { check("sync", ws.sync(node, items)); }
  void set_visible(std::uint32_t node, bool visible, std::int32_t peer_id = 0) {
    check("set_visible", ws.set_visible(node, visible, peer_id));
  }
};

void bad_replication(player& host) {
  const std::vector<ws_variant> x = {string_of(".:x"), int_of(5)};
  host.declare_scene("", 0, 0, "");
  host.declare_scene("Bad", -1, 0, "");
  host.declare_scene("Bad", 0, WS_NO_SCENE, "");
  host.declare_scene("Bad", 0, 0, ".:x always change");
  host.declare_scene("Bad", 0, 0, ".:x, .:x");
  host.forget_scene("Bad", 0);
  check("declare_synchronizer", host.ws.forget_synchronizer("Bad"));
  host.declare_scene("Bad", 0, 0, ".:x");
  host.declare_scene("Bad", 0, 0, ".:y");
  host.declare_scene("Bad", 5, 1, "");
  host.declare_scene("Theirs", 5, 0, ".:x");
  host.spawn("Bad", 1, "One", x);
  host.spawn("Theirs", 0, "One", x);
  host.spawn("Bad", 0, "a/b", x);
  host.spawn("Bad", 0, "One", {});
  host.spawn("Bad", 0, "One", {x[0], x[1], string_of(".:y"), x[1]});
  host.spawn("Bad", 0, "One", {x[1], x[0]});
  host.despawn(99);
  host.sync(99, x);
  host.set_visible(99, true);
  host.forget_scene("Bad", 0);
  host.forget_scene("Theirs", 0);
}

void replicate_scenes(player& host, player& a, player& b) {
  const char* const mob = ".:position, .:skin spawn, .:health spawn change; Body:aim always";
  const char* const spawner = "Game/Spawner";
  const char* const clock_values = ".:time spawn change, .:day always";
  const auto config = wspeer::config().flags(WS_SCENE);
  host.ws = opened("host", wspeer::multiplayer::host(localhost, config));
  polled = {&host.ws};
  bad_replication(host);
  host.declare_scene("/root/Game/Spawner", 1, 0, mob);
  host.declare_scene(spawner, 0, WS_CUSTOM_SCENE, "");
  a.ws = opened("join", wspeer::multiplayer::join(host.ws.url(), config));
  polled.push_back(&a.ws);
  a.declare_scene(spawner, 1, 0, mob);
  a.declare_scene(spawner, 1, WS_CUSTOM_SCENE, "");
  settle(host.ws, a.ws, "a");

  const std::uint32_t one = host.spawn(spawner, 0, "Mob",
                                       {string_of(".:position"), vector2(1.5, -2), string_of(".:skin"),
                                        string_of("red"), string_of(".:health"), int_of(5)});
  a.take(2);
  // Each synchronizer with a property that is given sends all it sends always.
  host.sync(one, {string_of(".:position"), vector2(2, 3)});
  a.take(1);
  ws_variant half = variant(WS_VARIANT_FLOAT);
  half.number[0] = 0.5;
  host.sync(one, {string_of("Body:aim"), half, string_of(".:position"), vector2(4, 5)});
  a.take(1);
  // The same value again is no change, and a spawn alone brings the skin.
  host.sync(one, {string_of(".:health"), int_of(4)});
  host.sync(one, {string_of(".:health"), int_of(4)});
  host.sync(one, {string_of(".:skin"), string_of("blue")});
  host.sync(one, {string_of(".:health"), int_of(3)});
  a.take(2);

  // A late one gets what is there.
  b.ws = opened("join_local", host.ws.join_local());
  polled.push_back(&b.ws);
  b.declare_scene(spawner, 1, 0, mob);
  b.declare_scene(spawner, 1, WS_CUSTOM_SCENE, "");
  settle(host.ws, b.ws, "b");
  b.take(3);
  a.take(1);
  const std::uint32_t item = host.spawn(spawner, WS_CUSTOM_SCENE, "Item",
                                        {variant(WS_VARIANT_DICTIONARY, 0, 1), string_of("k"), int_of(2)});
  a.take(1);
  b.take(1);

  // Hidden from all, shown to one, shown to all.
  host.set_visible(item, true, 5);
  host.set_visible(item, false);
  a.take(1);
  b.take(1);
  host.set_visible(item, true, b.ws.peer_id());
  b.take(1);
  host.set_visible(item, true);
  a.take(1);
  host.set_visible(item, false, b.ws.peer_id());
  host.despawn(one);
  host.despawn(one);
  a.take(1);
  b.take(1);

  // A client is the authority of another spawner.
  a.declare_scene("Players", 0, 0, ".:position");
  host.declare_scene("Players", a.ws.peer_id(), 0, ".:position");
  b.declare_scene("Players", a.ws.peer_id(), 0, ".:position");
  const std::vector<ws_variant> position = {string_of(".:position"), vector2(0, 1)};
  const std::uint32_t other = a.spawn("Players", 0, "A", position);
  host.take(1);
  b.take(1);
  a.sync(other, {string_of(".:position"), vector2(0, 2)});
  host.take(1);
  b.take(1);

  // A synchronizer by its path.
  const std::uint32_t clock_node = host.declare_synchronizer("Game/Clock", 0, clock_values);
  std::printf("host synchronizer %u\n", clock_node);
  std::printf("b synchronizer %u\n", b.declare_synchronizer("/root/Game/Clock", 1, clock_values));
  a.declare_synchronizer("Game/Clock", 1, clock_values);
  host.sync(clock_node, {string_of(".:time"), int_of(1)});
  a.take(1);
  b.take(1);
  host.sync(clock_node, {string_of(".:day"), int_of(2)});
  a.take(1);
  b.take(1);
  host.set_visible(clock_node, false);
  host.set_visible(clock_node, true, a.ws.peer_id());
  host.sync(clock_node, {string_of(".:day"), int_of(3)});
  a.take(2);
  host.despawn(clock_node);
  check("declare_synchronizer", host.ws.forget_synchronizer("Game/Clock"));

  // The nodes of one that leaves are gone with it.
  check("close", a.ws.close(1000));
  until(a.ws, "a", event_kind::closed);
  until(host.ws, "host", event_kind::disconnected);
  b.take(1);

  // What is not declared, of another authority, or with other properties does not arrive.
  b.declare_scene("Secret", 0, 0, "");
  b.spawn("Secret", 0, "One", {});
  host.take(1);
  b.declare_scene("Game/Other", 0, 0, "");
  host.declare_scene("Game/Other", 1, 0, "");
  b.spawn("Game/Other", 0, "One", {});
  host.take(1);
  b.declare_scene("Mine", 0, 0, ".:position");
  host.declare_scene("Mine", b.ws.peer_id(), 0, ".:position, .:skin");
  const std::uint32_t mine = b.spawn("Mine", 0, "One", position);
  host.take(1);
  b.despawn(mine);
  host.take(1);

  // As packets, without the events.
  host.despawn(item);
  poll_until("b", [&] {
    for (const wspeer::packet& packet : b.ws.packets()) {
      print_nodes("b", packet);
      return true;
    }
    return false;
  });
  polled.clear();
}

void replication(const string&) {
  {
    player host{"host"}, a{"a"}, b{"b"};
    replicate_scenes(host, a, b);
  }

  // Packets as they are on the wire.
  const auto raw = wspeer::config().flags(WS_SCENE | WS_RAW_REPLICATION);
  const std::vector<std::uint8_t> gone = {5, 1, 0, 0, 0};
  player host{"host", opened("host", wspeer::multiplayer::host(localhost, raw))};
  player a{"a", opened("join", wspeer::multiplayer::join(host.ws.url(), raw))};
  polled = {&host.ws, &a.ws};
  settle(host.ws, a.ws, "a");
  host.declare_scene("Game/Spawner", 0, 0, "");
  check("put", host.ws.put({wspeer::message_kind::replication, gone}));
  a.take(1);
  check("put_to", a.ws.put_to(1, {wspeer::message_kind::replication, gone}));
  host.take(1);
  check("put_to", a.ws.put_to(1, {wspeer::message_kind::replication, bytes_of("\x03hello")}));
  polled.clear();

  wspeer::replication none(gone);
  if (!none.next()) check("decode_replication", wspeer::expected<int>(none.error()));
  player plain{"host", opened("host", wspeer::multiplayer::host(localhost))};
  plain.declare_scene("Game/Spawner", 0, 0, "");
}

}  // namespace

void print_nodes(const string& name, const wspeer::packet& packet) {
  const auto kind = packet.kind();
  const char* verb = kind == wspeer::message_kind::spawn     ? "spawn"
                     : kind == wspeer::message_kind::despawn ? "despawn"
                                                             : "sync";
  wspeer::replication found(packet.bytes());
  while (const wspeer::replicated* node = found.next()) {
    begin_line(name);
    std::printf("%s path=%s name=%s node=%u scene=%u", verb, words(node->path()).c_str(), words(node->name()).c_str(),
                node->node(), node->scene());
    if (!node->data().empty()) {
      std::printf(" data=");
      print_value(node->data().data());
    }
    const wspeer::items_view pairs = node->properties();
    for (const ws_variant* next = pairs.begin(); next != pairs.end();) {
      std::printf(" %s=", words(wspeer::bytes_view(next->data, next->len).text()).c_str());
      next = print_value(next + 1);
    }
    std::printf(" peer=%s\n", peer_names[packet.peer_id()].c_str());
  }
}

const std::map<string, void (*)(const string&)> local_scenarios = {
    {"pair", pair},       {"attach", attach}, {"full", full},   {"options", options}, {"texts", texts},
    {"library", library}, {"trust", trust},   {"scene", scene}, {"auth", auth},       {"simulate", simulate},
    {"topics", topics},   {"replication", replication}};
