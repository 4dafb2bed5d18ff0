// Measures the cost of one 64 B message in C++, like message.c.
#include "wspeer.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

constexpr unsigned size = 64, in_frame = 32, in_chunk = 100;
wspeer::peer server, client;
std::array<std::uint8_t, size> message{};

double cpu_s() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void need(bool good) {
  if (good) return;
  std::fprintf(stderr, "a message was lost or changed\n");
  std::exit(1);
}

void single(unsigned number) {
  unsigned seen = 0;
  message[0] = static_cast<std::uint8_t>(number);
  need(bool(client.put(message)));
  server.poll();
  for (auto& packet : server.packets()) {
    need(packet.size() == size && packet.bytes()[0] == message[0]);
    if (++seen == 1) break;
  }
  need(seen == 1);
}

void frame(unsigned number) {
  for (unsigned i = 0; i < in_frame; i++) {
    message[0] = static_cast<std::uint8_t>(number + i);
    need(bool(client.put(message)));
  }
  server.poll();
  wspeer::batch<in_frame> batch;
  need(server.read(batch) && batch.size() == in_frame);
  unsigned i = number;
  for (auto& packet : batch) need(packet.size() == size && packet.bytes()[0] == static_cast<std::uint8_t>(i++));
}

unsigned long chunks_until(bool frames, double limit) {
  unsigned long done = 0;
  for (; cpu_s() < limit; done += frames ? in_chunk * in_frame : in_chunk) {
    for (unsigned i = 0; i < in_chunk; i++) frames ? frame(i) : single(i);
  }
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  const bool frames = argc > 2 && !std::strcmp(argv[1], "frame");
  const double seconds = argc > 2 ? std::atof(argv[2]) : 1;
  auto ends = wspeer::peer::pair();
  need(bool(ends));
  server = std::move(ends->first);
  client = std::move(ends->second);
  while (server.state() != wspeer::state::open || client.state() != wspeer::state::open) {
    client.poll();
    server.poll();
  }
  chunks_until(frames, cpu_s() + seconds / 10);  // warm-up
  const double began = cpu_s();
  const unsigned long done = chunks_until(frames, began + seconds);
  std::printf("%.1f\n", (cpu_s() - began) / static_cast<double>(done) * 1e9);
}
