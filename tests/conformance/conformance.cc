// The conformance program in C++: docs/conformance.md. It builds without exceptions and RTTI.
// Usage: conformance SCENARIO [URL [CA.pem]]
#include "conformance.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace {

// ---- Scenarios of a client ----

wspeer::peer client;

bool open_client(const string& url, const wspeer::config& config = {}) {
  polled.clear();
  auto opened = wspeer::peer::connect(url, config);
  if (!check("connect", opened)) return false;
  client = std::move(*opened);
  polled = {&client};
  take(client, "", 1);
  return client.state() == wspeer::state::open;
}

void close_client(std::int32_t code = 1000, const string& reason = {}) {
  check("close", client.close(code, reason));
  until(client, "", event_kind::closed);
}

void put(const wspeer::outgoing& message) { check("put", client.put(message)); }

void echo(const string& url) {
  open_client(url + "/echo");
  put("hello");
  take(client, "", 1);
  put("κόσμε 🎮");
  take(client, "", 1);
  close_client();
}

void sizes(const string& url) {
  constexpr std::size_t lengths[] = {0, 1, 125, 126, 65535, 65536, 1 << 20};
  open_client(url + "/echo");
  for (const std::size_t length : lengths) {
    string text(length, '\0');
    for (std::size_t i = 0; i < length; i++) text[i] = static_cast<char>('a' + i % 26);
    put(text);
    take(client, "", 1);
  }
  for (const std::size_t length : lengths) {
    std::vector<std::uint8_t> bytes(length);
    for (std::size_t i = 0; i < length; i++) bytes[i] = static_cast<std::uint8_t>(i % 251);
    put(bytes);
    take(client, "", 1);
  }
  close_client();
}

void wss(const string& url, const string& ca) {
  open_client(url + "/echo", wspeer::config().flags(WS_ONLY_CA_PEM).ca_pem(ca));
  std::printf("tls %s\n", client.tls().empty() ? "no" : "yes");
  put("secret");
  take(client, "", 1);
  close_client();
}

void subprotocol(const string& url) {
  open_client(url + "/echo", wspeer::config().subprotocols("chat.v3, chat.v2"));
  close_client();
  open_client(url + "/echo", wspeer::config().subprotocols("other"));
}

void headers(const string& url) {
  open_client(url + "/echo?a=1&b=%20", wspeer::config().header("X-Ask", "one").header("X-Ask", "two words"));
  for (std::uint32_t i = 0; i < 3; i++) print_header("", client, "x-answer", i);
  print_header("", client, "x-missing", 0);
  close_client();
}

void certificate(const string& url) { open_client(url + "/echo"); }

void status(const string& url) {
  open_client(url + "/refuse/403");
  print_header("", client, "x-refused", 0);
  std::printf("body %s\n", client.body().c_str());
}

void nobody(const string& url) { open_client(url + "/"); }

// Sentences, and the number of steps, depend on the system.
void diagnose(const string& url) {
  for (const char* path : {"/echo", "/refuse/403"}) {
    auto opened = wspeer::diagnose(url + path);
    if (!check("diagnose", opened)) return;
    client = std::move(*opened);
    polled = {&client};
    put("no message");
    int last = -1;
    for (bool ended = false; !ended;) {
      next_event(client, "", [&](const wspeer::event& event) {
        const int phase = static_cast<int>(event.phase());
        ended = event.kind() != event_kind::step;
        if (ended) {
          std::printf("advice code=%d clean=%d phase=%d cause=%d status=%d\n", event.close_code(), event.clean() ? 1 : 0,
                      phase, event.cause(), event.http_status());
        } else if (phase != last) {
          std::printf("step phase=%d\n", phase);
        }
        last = phase;
      });
    }
  }
}

// The URL is that of the proxy.
void proxy(const string& url) {
  open_client("ws://game.example/echo", wspeer::config().proxy(url));
  put("through");
  take(client, "", 1);
  close_client();
  open_client("ws://refused.example/", wspeer::config().proxy(url));
  print_header("", client, "x-proxy", 0);
  std::printf("body %s\n", client.body().c_str());
  open_client("ws://login.example/", wspeer::config().proxy(url));
  open_client("ws://game.example/", wspeer::config().proxy("ftp://127.0.0.1:1"));
}

// The server has no application heartbeat.
void heartbeat(const string& url) {
  open_client(url + "/echo", wspeer::config().flags(WS_APP_HEARTBEAT));
  put("hello");
  take(client, "", 2);
  close_client();
}

void reconnect(const string& url) {
  wspeer::config config;
  config.flags(WS_RECONNECT);
  config->retry_min_ms = 1;
  config->retry_max_ms = WS_OFF;
  open_client(url + "/echo?try=1", config);
  config->retry_max_ms = 20;
  open_client(url + "/echo?try=1", config);
  take(client, "", 2);
  std::printf("state %d\n", static_cast<int>(client.state()));
  put("too early");
  check("set_url", client.set_url("http://localhost"));
  check("set_url", client.set_url(url + "/echo?try=2"));
  check("set_header", client.set_header("X-Ask", "again"));
  take(client, "", 2);
  put("back");
  take(client, "", 1);
  close_client();
}

void put_latest(std::uint32_t key, const wspeer::outgoing& message) {
  check("put_latest", client.put_latest(key, message));
}

// Before OPEN, and with WS_COALESCE until it is flushed, only the newest message of each key waits.
void latest(const string& url) {
  wspeer::config config;
  config.flags(WS_COALESCE | WS_QUEUE_BEFORE_OPEN);
  config->max_message_bytes = 1000;
  auto opened = wspeer::peer::connect(url + "/echo", config);
  if (!check("connect", opened)) return;
  client = std::move(*opened);
  polled = {&client};
  put_latest(1, "first");
  put("plain");
  put_latest(1, "second");
  take(client, "", 3);
  put_latest(1, "one");
  put_latest(UINT32_MAX, std::vector<std::uint8_t>{0});
  put("between");
  put_latest(1, "a longer one");
  put_latest(UINT32_MAX, std::vector<std::uint8_t>{0, 255});
  put_latest(2, "");
  check("flush", client.flush());
  put_latest(1, "after");
  take(client, "", 5);
  std::printf("replaced %" PRIu64 " out %" PRIu64 "\n", client.stats().replaced, client.stats().messages_out);
  put_latest(1, std::vector<std::uint8_t>(1001));
  close_client();
  put_latest(1, "too late");
}

void close_here(const string& url) {
  const std::pair<std::int32_t, string> closes[] = {
      {0, ""}, {1000, "bye"}, {1001, ""}, {3000, "κόσμε"}, {4999, string(123, 'r')}};
  for (const auto& [code, reason] : closes) {
    open_client(url + "/sink");
    put("last");
    close_client(code, reason);
  }
  open_client(url + "/echo");
  close_client(-1);
}

void close_there(const string& url) {
  for (const char* path : {"/close/1000/", "/close/1001/going", "/close/4001/bye"}) {
    open_client(url + path);
    until(client, "", event_kind::closed);
  }
}

void burst(const string& url) {
  open_client(url + "/burst");
  poll_until("", [] { return client.state() == wspeer::state::closed; });
  std::printf("state %d available %d\n", static_cast<int>(client.state()), client.available());
  wspeer::batch<32> batch;
  while (client.read(batch))
    for (auto& packet : batch) print("", packet);
  until(client, "", event_kind::closed);
}

wspeer::config limited() {
  wspeer::config config;
  config->max_message_bytes = 1000;
  return config;
}

// The texts have the program's own name for a word of the header.
void own_names(const string& url) {
  const std::vector<std::byte> zeros(1001);
  open_client(url + "/echo", limited());
  check("set_name", wspeer::set_name("max_message_bytes", "Longest"));
  put(zeros);
  ws_set_name("max_message_bytes", nullptr);
  put(zeros);
  close_client();
}

void bad_peer(const string& url) {
  for (const char* path : {"/close/none", "/close/drop", "/bad/utf8", "/bad/reserved", "/bad/big"}) {
    open_client(url + path, limited());
    until(client, "", event_kind::closed);
  }
}

// ---- Bad input ----

void bad_open(const string&) {
  for (const char* url : {"", "game.example:9080", "http://127.0.0.1/", "ws://127.0.0.1:99999", "ws://"})
    check("connect", wspeer::peer::connect(url));
  for (const char* url : {"nothing", "ws://game.example:0", "wss://127.0.0.1:0"})
    check("listen", wspeer::server::listen(url));
  check("connect", wspeer::peer::connect("ws://127.0.0.1:1", wspeer::config().header("X-Bad", "one\r\nX-Worse: two")));
  const char* no_colon = "no colon";
  wspeer::config config;
  config->headers = &no_colon;
  config->headers_count = 1;
  check("connect", wspeer::peer::connect("ws://127.0.0.1:1", config));
  check("connect", wspeer::peer::connect("wss://127.0.0.1:1", wspeer::config().ca_pem("no certificate")));
  wspeer::config deflate;
  deflate->flags = WS_DEFLATE;
  deflate->deflate_level = 10;
  check("connect", wspeer::peer::connect("ws://127.0.0.1:1", deflate));
}

void bad_put(const string& url) {
  const std::vector<std::byte> zeros(1001);
  auto early = wspeer::peer::connect(url, limited());
  if (!check("connect", early)) return;
  check("put", early->put("too early"));
  open_client(url + "/echo", limited());
  put(zeros);
  put({wspeer::message_kind::binary, wspeer::bytes_view(reinterpret_cast<const std::uint8_t*>(zeros.data()), 1000)});
  take(client, "", 1);
  close_client();
  put("too late");
}

void bad_text(const string& url) {
  open_client(url + "/echo");
  put("a\xCE");
  put("good");
  take(client, "", 1);
  close_client();
}

void bad_close(const string& url) {
  open_client(url + "/echo");
  check("close", client.close(1000, string(124, 'r')));
  for (const std::int32_t code : {999, 1005, 5000}) check("close", client.close(code));
  close_client();
}

// ---- Handles that have ended ----

void stale(const string& url) {
  open_client(url + "/echo");
  client.free();
  put("to nobody");
  check("close", client.close(1000));
  check("poll", client.poll());
  client.free();

  auto server = wspeer::server::listen("ws://127.0.0.1:0");
  if (!check("listen", server)) return;
  auto connected = wspeer::peer::connect(server->url());
  if (!check("connect", connected)) return;
  polled = {&*server, &*connected};
  take(*connected, "client", 1);
  wspeer::client_ref gone;
  next_event(*server, "server", [&](const wspeer::event& event) {
    gone = event.client();
    print("server", event);
  });
  check("close", connected->close(-1));
  until(*server, "server", event_kind::disconnected);
  check("put", gone.put("just gone"));
  server->poll();
  check("put", gone.put("to nobody"));
  check("put_to", server->put_to(wspeer::client_ref(12345), wspeer::bytes_view()));
  polled.clear();
}

// ---- A session. The remote peer is a relay, which cuts the first link in the place of the server's "cut" ----

void session(const string& url) {
  wspeer::config config;
  config->session_ms = 60000;
  auto server = wspeer::server::listen("ws://127.0.0.1:0", wspeer::config(config).node("node-1"));
  if (!check("listen", server)) return;
  config->retry_min_ms = 1;
  config->retry_max_ms = 20;
  auto near = wspeer::peer::connect(url + "/" + std::to_string(server->port()) + "/room", config);
  if (!check("connect", near)) return;
  polled = {&*server, &*near};
  take(*near, "client", 1);
  wspeer::client_ref seat;
  next_event(*server, "server", [&](const wspeer::event& event) {
    seat = event.client();
    print("server", event);
  });
  const auto print_states = [&] {
    std::printf("state %d %d\n", static_cast<int>(near->state()), static_cast<int>(seat.state()));
  };
  check("put", near->put("one"));
  take(*server, "server", 1);
  check("put", seat.put("cut"));
  take(*near, "client", 1);
  // The client is not polled, so it does not come back before both have put.
  polled = {&*server};
  take(*server, "server", 1);
  print_states();
  check("put", near->put("two"));
  check("put", near->put("three"));
  check("put", seat.put("four"));
  polled = {&*server, &*near};
  take(*server, "server", 3);
  take(*near, "client", 3);
  print_states();
  std::printf("losses %" PRIu64 " resumed %" PRIu64 "\n", server->stats().losses, server->stats().resumed);
  check("put", seat.put("five"));
  take(*near, "client", 1);
  check("close", near->close(4000, "bye"));
  until(*near, "client", event_kind::closed);
  until(*server, "server", event_kind::disconnected);

  // A server without sessions.
  server = wspeer::server::listen("ws://127.0.0.1:0");
  if (!check("listen", server)) return;
  near = wspeer::peer::connect(server->url(), config);
  if (!check("connect", near)) return;
  polled = {&*server, &*near};
  take(*near, "client", 2);
  take(*server, "server", 1);
  check("put", near->put("without"));
  take(*server, "server", 1);
  for (const std::int32_t hint : {WS_HINT_SUSPEND, WS_HINT_RESUME, WS_HINT_NETWORK_CHANGED})
    check("hint", near->hint(hint));
  check("drain", server->drain(5000, 0, "http://localhost"));
  check("drain", server->drain(5000));
  until(*near, "client", event_kind::closed);
  until(*server, "server", event_kind::disconnected);
  next_event(*server, "server", [](const wspeer::event& event) {
    std::printf("server event %d\n", static_cast<int>(event.kind()));
  });
  polled.clear();
}

// ---- A certificate that is replaced while the server runs ----

void renew(const string&) {
  check("make_certificate", wspeer::certificate::make("", 30));
  check("make_certificate", wspeer::certificate::make("localhost:443", 30));
  check("make_certificate", wspeer::certificate::make("localhost", 0));
  const auto first = wspeer::certificate::make("localhost, 127.0.0.1, ::1", 30);
  const auto second = wspeer::certificate::make("localhost, 127.0.0.1, ::1", 30);
  if (!check("make_certificate", first) || !check("make_certificate", second)) return;
  std::printf("sha256 %zu\n", first->sha256.size());
  auto plain = wspeer::server::listen("ws://127.0.0.1:0");
  if (!check("listen", plain)) return;
  check("set_certificate", plain->set_certificate(first->cert_pem, first->key_pem));
  plain->free();

  auto server = wspeer::server::listen("wss://127.0.0.1:0",
                                       wspeer::config().certificate(first->cert_pem, first->key_pem));
  if (!check("listen", server)) return;
  const string url = server->url();
  std::map<string, wspeer::peer> clients;
  polled = {&*server};
  const auto visit = [&](const string& name, const wspeer::config& config) {
    auto opened = wspeer::peer::connect(url, config);
    if (!check("connect", opened)) std::exit(1);
    wspeer::peer& one = clients[name] = std::move(*opened);
    polled.push_back(&one);
    take(one, name, 1);
  };
  visit("a", wspeer::config().pin_sha256(first->sha256));
  take(*server, "server", 1);
  check("set_certificate", server->set_certificate(second->cert_pem, second->key_pem));
  visit("b", wspeer::config().pin_sha256(second->sha256));
  take(*server, "server", 1);
  check("put", clients["a"].put("still here"));
  take(*server, "server", 1);
  visit("c", wspeer::config().flags(WS_ONLY_CA_PEM).ca_pem(first->cert_pem));
  check("set_certificate", server->set_certificate(first->cert_pem, second->key_pem));
  check("set_certificate", server->set_certificate("no certificate", second->key_pem));
  visit("d", wspeer::config().flags(WS_ONLY_CA_PEM).ca_pem(second->cert_pem));
  take(*server, "server", 1);
  polled.clear();
}

// ---- A client behind a proxy, which is this program ----

wspeer::expected<wspeer::server> listen_behind(std::uint32_t flags, const char* trusted) {
  wspeer::config config;
  config.flags(flags);
  if (trusted) config.trusted_proxies(trusted);
  auto opened = wspeer::server::listen(localhost, config);
  check("listen", opened);
  return opened;
}

// A server with these settings, and a client that sends both headers.
void visit_behind(std::uint32_t flag, const char* trusted) {
  auto server = listen_behind(flag, trusted);
  if (!server) return;
  auto connected = wspeer::peer::connect(server->url(), wspeer::config()
                                                            .header("X-Forwarded-For", "198.51.100.1, 203.0.113.7")
                                                            .header("Forwarded", "for=198.51.100.2"));
  if (!check("connect", connected)) return;
  polled = {&*server, &*connected};
  take(*connected, "client", 1);
  next_event(*server, "server", [](const wspeer::event& event) {
    print("server", event);
    const string remote = event.client().remote_address(), peer = event.client().peer_address();
    std::printf("remote %s\n", remote.substr(0, remote.find(':')).c_str());
    std::printf("peer %s\n", peer.substr(0, peer.find(':')).c_str());
  });
  polled.clear();
}

void proxied(const string&) {
  (void)listen_behind(WS_FORWARDED, nullptr);
  (void)listen_behind(WS_FORWARDED, "127.0.0.1/33");
  (void)listen_behind(WS_FORWARDED | WS_X_FORWARDED_FOR, "127.0.0.0/8, ::1");
  visit_behind(WS_X_FORWARDED_FOR, "127.0.0.0/8, ::1");
  visit_behind(WS_FORWARDED, "127.0.0.0/8, ::1");
  // The client is none of the proxies, so it sends no header of the PROXY protocol.
  visit_behind(WS_PROXY_PROTOCOL, "192.0.2.0/24");
}

// ---- Clients that a server turns away ----

void refused(const string&) {
  (void)check("listen", wspeer::server::listen("ws://127.0.0.1:0",
                                               wspeer::config().allowed_hosts("localhost, game.example/")));
  (void)check("listen", wspeer::server::listen("ws://127.0.0.1:0", wspeer::config()
                                                                       .allowed_hosts("localhost, 127.0.0.1")
                                                                       .allowed_origins("game.example")));
  auto server = wspeer::server::listen("ws://127.0.0.1:0",
                                       wspeer::config()
                                           .allowed_hosts("localhost, 127.0.0.1")
                                           .allowed_origins("https://game.example, https://*.game.example")
                                           .flags(WS_REPORT_REFUSED));
  if (!check("listen", server)) return;
  std::vector<wspeer::peer> clients;
  clients.reserve(3);
  const auto knock = [&](const char* origin) {
    auto opened = wspeer::peer::connect(server->url(), wspeer::config().header("Origin", origin));
    if (!check("connect", opened)) return;
    clients.push_back(std::move(*opened));
    polled = {&*server, &clients.back()};
    take(clients.back(), "client", 1);
    take(*server, "server", 1);
  };
  knock("https://evil.example");
  knock("https://www.game.example");
  check("set_option", server->set_option(WS_OPT_REFUSE_NEW, 1));
  knock("https://game.example");
  const ws_stats stats = server->stats();
  std::printf("refused %d request %d limit %d\n", static_cast<int>(stats.refused),
              static_cast<int>(stats.refused_request), static_cast<int>(stats.refused_limit));
  polled.clear();
}

// ---- A server ----

void serve(const string&) {
  auto opened =
      wspeer::server::listen("ws://127.0.0.1:0", wspeer::config().subprotocols("chat").header("X-Answer", "yes"));
  if (!check("listen", opened)) return;
  wspeer::server& server = *opened;
  polled = {&server};
  std::printf("port %u\n", unsigned{server.port()});
  std::fflush(stdout);
  std::vector<wspeer::client_ref> clients;
  for (bool running = true; running;) {
    next_event(server, "", [&](const wspeer::event& event) {
      if (event.kind() == event_kind::closed) {
        running = false;
        return;
      }
      wspeer::client_ref client_of = event.client();
      if (event.kind() == event_kind::connected) clients.push_back(client_of);
      const string number = std::to_string(std::find(clients.begin(), clients.end(), client_of) - clients.begin() + 1);
      print(number, event);
      if (event.kind() == event_kind::connected) {
        print_header(number, client_of, "x-name", 0);
        check("put", client_of.put("welcome " + number));
      } else if (event.kind() == event_kind::message) {
        const std::string_view said = event.text();
        if (said == "me") check("put_to", server.put_to(client_of, event.packet()));
        else if (said == "others") check("put_to", server.put_except(client_of, event.packet()));
        else if (said == "end") check("disconnect", server.disconnect(client_of, 4004, "as you wish"));
        else if (said == "stop") check("close", server.close(4100, "over"));
        else check("put", server.put(event.packet()));
      } else if (event.kind() == event_kind::disconnected && server.state() == wspeer::state::open) {
        check("put", server.put(number + " has left"));
      }
    });
  }
  std::printf("server closed\n");
  polled.clear();
}

// ---- A server that serves a directory. The driver's client asks for files, then joins and says "stop" ----

void files(const string& directory) {
  auto opened = wspeer::server::listen("ws://127.0.0.1:0");
  if (!check("listen", opened)) return;
  wspeer::server& server = *opened;
  polled = {&server};
  std::printf("port %u\n", unsigned{server.port()});
  std::fflush(stdout);
  check("serve", server.serve("page", directory));
  check("serve", server.serve("/.git", directory));
  check("serve", server.serve("/", "no such directory"));
  check("stop_serving", server.stop_serving("/threads"));
  check("serve", server.serve("/", directory));
  check("serve", server.serve("/threads", directory, WS_SERVE_ISOLATED));
  wspeer::client_ref visitor;
  next_event(server, "server", [&](const wspeer::event& event) {
    print("server", event);
    visitor = event.client();
  });
  take(server, "server", 1);
  check("stop_serving", server.stop_serving("/threads"));
  check("put", visitor.put("stopped"));
  take(server, "server", 2);
  std::printf("served %d\n", static_cast<int>(server.stats().served));
  polled.clear();
}

// ---- A server that decides on requests ----

void decide(const wspeer::event& event) {
  wspeer::client_ref of = event.client();
  const string query = of.query();
  std::printf("request websocket=%d method=%s path=%s query=%s body=%s\n", static_cast<int>(event.count()),
              of.method().c_str(), of.path().c_str(), query.c_str(), words(event.text()).c_str());
  if (event.count() == 0) {
    check("accept", of.accept());
    check("reply", of.reply(200, event.text(), {"Content-Type: text/html"}));
  } else if (query == "token=good") {
    check("accept", of.accept("chat.v9"));
    check("accept", of.accept("chat.v2", {"X-Room: 7\r\nX-Other: 8"}));
    check("accept", of.accept("chat.v2", {"X-Room: 7"}));
    check("reply", of.reply(200, "no"));
  } else {
    check("reply", of.reply(101, "no"));
    check("reply", of.reply(401, "no", {"WWW-Authenticate: Bearer"}));
  }
}

void requests(const string&) {
  auto opened = wspeer::server::listen("ws://127.0.0.1:0", wspeer::config().flags(WS_ASK));
  if (!check("listen", opened)) return;
  polled = {&*opened};
  std::printf("port %u\n", unsigned{opened->port()});
  std::fflush(stdout);
  bool connected = false;
  for (bool running = true; running;) {
    next_event(*opened, "", [&](const wspeer::event& event) {
      if (event.kind() == event_kind::request) return decide(event);
      connected |= event.kind() == event_kind::connected;
      print("", event);
      running = !connected || event.kind() != event_kind::disconnected;
    });
  }
  polled.clear();
}

// ---- A game ----

void play(std::uint32_t format) {
  const bool godot3 = format == WS_GODOT3;
  const string names[] = {"a", "b", "c"};
  const auto words_of = [&](std::string_view text) { return godot3 ? wspeer::binary(text) : wspeer::outgoing(text); };
  const auto config = wspeer::config().flags(format);
  auto opened = wspeer::multiplayer::host("ws://127.0.0.1:0", config);
  if (!check("host", opened)) return;
  wspeer::multiplayer& host = *opened;
  polled = {&host};
  wspeer::multiplayer joins[3];
  std::int32_t ids[3];
  for (std::size_t i = 0; i < 3; i++) {
    auto joined = wspeer::multiplayer::join(host.url(), config);
    if (!check("join", joined)) return;
    joins[i] = std::move(*joined);
    polled.push_back(&joins[i]);
    poll_until(names[i], [&] { return joins[i].state() != wspeer::state::connecting; });
    ids[i] = joins[i].peer_id();
    peer_names[ids[i]] = names[i];
    take(host, "host", 1);
    take(joins[i], names[i], godot3 ? 2 + static_cast<int>(i) : 2);
    for (std::size_t there = 0; godot3 && there < i; there++) take(joins[there], names[there], 1);
  }
  auto& [a, b, c] = joins;
  const auto hears = [&](std::size_t who) { take(joins[who], names[who], 1); };

  check("put", host.put(words_of("to all")));
  for (std::size_t i = 0; i < 3; i++) hears(i);
  check("put_to", host.put_to(ids[1], words_of("to b")));
  hears(1);
  check("put_to", host.put_to(-ids[2], words_of("not to c")));
  hears(0);
  hears(1);
  check("put_to", host.put_to(1, words_of("to myself")));
  for (std::size_t i = 0; i < 3; i++) {
    check("put", joins[i].put(words_of("from me")));
    take(host, "host", 1);
    for (std::size_t other = 0; godot3 && other < 3; other++)
      if (other != i) hears(other);
  }
  check("put_to", a.put_to(1, words_of("to the host")));
  take(host, "host", 1);
  check("put_to", a.put_to(ids[2], words_of("to c")));
  if (godot3) hears(2);

  check("disconnect", host.disconnect(ids[1], 4003, "kicked"));
  until(host, "host", event_kind::disconnected);
  until(b, "b", event_kind::closed);
  if (godot3) hears(0);
  if (godot3) hears(2);
  check("close", c.close(4005, "leaving"));
  until(host, "host", event_kind::disconnected);
  until(c, "c", event_kind::closed);
  if (godot3) hears(0);
  check("close", host.close(0, "the game is over"));
  until(host, "host", event_kind::disconnected);
  until(a, "a", event_kind::closed);
  polled.clear();
}

string read_file(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<string, void (*)(const string&)> scenarios = {
      {"echo", echo},
      {"sizes", sizes},
      {"subprotocol", subprotocol},
      {"headers", headers},
      {"certificate", certificate},
      {"status", status},
      {"nobody", nobody},
      {"diagnose", diagnose},
      {"proxy", proxy},
      {"reconnect", reconnect},
      {"session", session},
      {"close-here", close_here},
      {"close-there", close_there},
      {"burst", burst},
      {"bad-peer", bad_peer},
      {"bad-open", bad_open},
      {"bad-put", bad_put},
      {"bad-text", bad_text},
      {"bad-close", bad_close},
      {"stale", stale},
      {"requests", requests},
      {"renew", renew},
      {"proxied", proxied},
      {"refused", refused},
      {"server", serve},
      {"files", files},
      {"heartbeat", heartbeat},
      {"names", own_names},
      {"latest", latest},
      {"multiplayer", [](const string&) { play(0); }},
      {"multiplayer3", [](const string&) { play(WS_GODOT3); }}};
  const string name = argc > 1 ? argv[1] : "", url = argc > 2 ? argv[2] : "";
  if (name == "wss" && argc > 3) {
    wss(url, read_file(argv[3]));
  } else if (const auto found = scenarios.find(name); found != scenarios.end()) {
    found->second(url);
  } else if (const auto local = local_scenarios.find(name); local != local_scenarios.end()) {
    local->second(url);
  } else {
    std::fprintf(stderr, "usage: %s SCENARIO [URL [CA.pem]]\n", argv[0]);
    return 2;
  }
  client.free();
  wspeer::shutdown();
  return 0;
}
