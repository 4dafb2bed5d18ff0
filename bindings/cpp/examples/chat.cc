// A chat in a terminal.
// Usage: chat server [PORT]            prints every line and sends it to all clients
//        chat client URL NAME          type a line to say it; end of input leaves
#include <wspeer.hpp>

#include <iostream>
#include <optional>
#include <poll.h>
#include <unistd.h>

using wspeer::event_kind;

namespace {

// Reads typed lines without blocking.
class input {
 public:
  // The next line, if one is complete.
  std::optional<std::string> line() {
    auto end = typed_.find('\n');
    if (pollfd ready{STDIN_FILENO, POLLIN, 0}; end == std::string::npos && !over_ && ::poll(&ready, 1, 0) > 0) {
      char buffer[1024];
      const ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
      if (count <= 0) over_ = true;
      else typed_.append(buffer, static_cast<std::size_t>(count));
      end = typed_.find('\n');
    }
    if (end == std::string::npos) return std::nullopt;
    std::string line = typed_.substr(0, end);
    typed_.erase(0, end + 1);
    return line;
  }
  bool over() const { return over_; }

 private:
  std::string typed_;
  bool over_ = false;
};

int fail(const wspeer::error& error) {
  std::cerr << error.sentence << '\n';
  return 1;
}

int serve(const std::string& port) {
  auto server = wspeer::server::listen("ws://*:" + port);
  if (!server) return fail(server.error());
  std::cout << "Chat on " << server->url() << std::endl;
  const auto say = [&](const std::string& text) {
    std::cout << text << std::endl;
    if (server->state() != wspeer::state::open) return;
    if (auto said = server->put(text); !said) std::cerr << said.error().sentence << '\n';
  };
  input typed;
  for (bool closing = false; server->state() != wspeer::state::closed;) {
    if (auto line = typed.line()) say("server: " + *line);
    if (typed.over() && !closing) {
      closing = true;
      server->close(0, "the server goes");
    }
    server->poll();
    for (auto& event : server->events()) {
      const std::string name = event.client().header("X-Chat-Name").value_or("");
      if (event.kind() == event_kind::connected) say(name + " is here");
      else if (event.kind() == event_kind::message) say(name + ": " + std::string(event.text()));
      else if (event.kind() == event_kind::disconnected) say(name + " has left");
    }
    wspeer::wait(16, *server);
  }
  return 0;
}

int join(const std::string& url, const std::string& name) {
  auto client = wspeer::peer::connect(url, wspeer::config().header("X-Chat-Name", name).flags(WS_QUEUE_BEFORE_OPEN));
  if (!client) return fail(client.error());
  input typed;
  bool clean = false;
  for (bool closing = false, running = true; running;) {
    if (auto line = typed.line()) {
      if (auto said = client->put(*line); !said) std::cerr << said.error().sentence << '\n';
    } else if (typed.over() && !closing && client->state() != wspeer::state::connecting) {
      closing = true;
      client->close(1000);
    }
    client->poll();
    for (auto& event : client->events()) {
      if (event.kind() == event_kind::message) std::cout << event.text() << std::endl;
      if (event.kind() != event_kind::closed) continue;
      std::cout << '(' << event.text() << ')' << std::endl;
      clean = event.clean();
      running = false;
    }
    wspeer::wait(16, *client);
  }
  return clean ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "server") return serve(argc > 2 ? argv[2] : "9080");
  if (what == "client" && argc == 4) return join(argv[2], argv[3]);
  std::cerr << "usage: " << argv[0] << " server [PORT] | client URL NAME\n";
  return 2;
}
