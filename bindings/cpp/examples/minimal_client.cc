// The minimal client: connects to a ws:// or wss:// URL, sends "Test packet", prints what it receives, and closes
// cleanly on Ctrl-C.
// Usage: minimal_client URL [SUBPROTOCOL [CA.pem]]
#include <wspeer.hpp>

#include <csignal>
#include <fstream>
#include <iostream>
#include <sstream>

using wspeer::event_kind;

static volatile std::sig_atomic_t stop;

static std::string read_file(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: " << argv[0] << " URL [SUBPROTOCOL [CA.pem]]\n";
    return 2;
  }
  std::signal(SIGINT, [](int) { stop = 1; });
  std::signal(SIGTERM, [](int) { stop = 1; });

  wspeer::config config;
  if (argc > 2 && *argv[2]) config.subprotocols(argv[2]);
  if (argc > 3) config.ca_pem(read_file(argv[3]));
  auto client = wspeer::peer::connect(argv[1], config);
  if (!client) {
    std::cerr << client.error().name() << ": " << client.error().sentence << '\n';
    return 1;
  }

  bool clean = false;
  for (bool running = true, closing = false; running;) {
    if (stop && !closing) {
      closing = true;
      client->close(1000, "bye");
    }
    client->poll();
    for (auto& event : client->events()) {
      if (event.kind() == event_kind::open) {
        std::cout << "Connected\n";
        if (auto sent = client->put("Test packet"); !sent) std::cerr << sent.error().sentence << '\n';
      } else if (event.kind() == event_kind::message) {
        if (event.packet().is_text()) std::cout << "< Got text data from server: " << event.text() << '\n';
        else std::cout << "< Got binary data from server: " << event.bytes().size() << " bytes\n";
      } else if (event.kind() == event_kind::closed) {
        std::cout << "Closed with code " << event.close_code() << ": " << event.text() << '\n';
        clean = event.clean();
        running = false;
      }
    }
    std::cout.flush();
    wspeer::wait(16, *client);  // a game would draw its frame here
  }
  return clean ? 0 : 1;
}
