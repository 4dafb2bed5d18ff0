// The same in C++.
#include <wspeer.hpp>

#include <iostream>

int main() {
  auto ends = wspeer::peer::pair();
  if (!wspeer::fits() || !ends) return 1;
  auto& [server, client] = *ends;
  while (client.state() != wspeer::state::open || server.state() != wspeer::state::open) {
    client.poll();
    server.poll();
  }
  if (!client.put("hello")) return 2;
  client.poll();
  server.poll();
  for (auto& packet : server.packets()) std::cout << packet.text() << '\n';
}
