// The minimal server: sends every message back and prints who connects and disconnects.
// Usage: echo_server [PORT [CERT.pem KEY.pem]]     port 0 takes any free one
#include <wspeer.hpp>

#include <csignal>
#include <fstream>
#include <iostream>
#include <sstream>
#include <unordered_map>

using wspeer::event_kind;

static volatile std::sig_atomic_t stop;

static std::string read_file(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// Messages that did not fit the full queue of their client.
static std::unordered_map<wspeer::client_ref, wspeer::message> held;

// Sends a held message again; false while it must be kept.
static bool let_go(wspeer::client_ref client) {
  const auto waiting = held.find(client);
  if (waiting == held.end()) return true;
  if (client.put(waiting->second).is(wspeer::code::err_full)) return false;
  held.erase(waiting);
  return true;
}

// Serves one client through its own handle. While a message is held, the client is not read: its sending slows down,
// the other clients are not affected, and nothing is lost.
static void serve(wspeer::client_ref client) {
  if (!let_go(client)) return;
  for (auto& event : client.events()) {
    if (event.kind() == event_kind::connected) {
      std::cout << "+ " << client.raw() << " connected from " << client.remote_address() << '\n';
    } else if (event.kind() == event_kind::message) {
      if (!client.put(event.packet()).is(wspeer::code::err_full)) continue;
      held[client] = event.packet().copy();
      break;
    } else if (event.kind() == event_kind::close_request) {
      std::cout << "~ " << client.raw() << " asks to close with code " << event.close_code() << ": " << event.text()
                << '\n';
    } else if (event.kind() == event_kind::disconnected) {
      std::cout << "- " << client.raw() << " disconnected with code " << event.close_code()
                << (event.clean() ? ", clean: " : ", unclean: ") << event.text() << '\n';
      held.erase(client);
    }
  }
}

int main(int argc, char** argv) {
  std::signal(SIGINT, [](int) { stop = 1; });
  std::signal(SIGTERM, [](int) { stop = 1; });
  wspeer::config config;
  config.flags(WS_DEFLATE);  // compress for clients that offer it
  if (argc > 3) config.certificate(read_file(argv[2]), read_file(argv[3]));
  auto server =
      wspeer::server::listen((argc > 3 ? "wss://*:" : "ws://*:") + std::string(argc > 1 ? argv[1] : "9080"), config);
  if (!server) {
    std::cerr << server.error().name() << ": " << server.error().sentence << '\n';
    return 1;
  }
  std::cout << "Listening on " << server->url() << std::endl;

  for (bool closing = false; server->state() != wspeer::state::closed;) {
    if (stop && !closing) {
      closing = true;
      server->close();
    }
    server->poll();
    for (auto client : server->clients()) serve(client);
    std::cout.flush();
    wspeer::wait(16, *server);  // a game would draw its frame here
  }
  return 0;
}
