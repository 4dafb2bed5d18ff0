// What the files of the conformance program in C++ share: the trace, and polling.
#pragma once

#include "wspeer.hpp"

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using wspeer::event_kind;
using std::string;

constexpr const char* localhost = "ws://127.0.0.1:0";

// ---- The trace ----

inline std::map<std::int32_t, string> peer_names = {{1, "host"}};

template <class Result>
bool check(const char* verb, const Result& result) {
  if (result) return true;
  const wspeer::error error = result.error();
  std::printf("failed %s %s: %s\n", verb, error.name(), error.sentence.c_str());
  return false;
}

inline std::uint32_t adler32(wspeer::bytes_view bytes) {
  std::uint32_t a = 1, b = 0;
  for (const std::uint8_t byte : bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

inline string words(std::string_view text) { return string(text); }

inline void begin_line(const string& name) {
  if (!name.empty()) std::printf("%s ", name.c_str());
}

inline void print(const string& name, const wspeer::packet& packet) {
  begin_line(name);
  const bool is_raw = packet.kind() == wspeer::message_kind::replication;
  const char* type = packet.is_text() ? "text" : is_raw ? "replication" : "binary";
  std::printf("%s %zu %08" PRIx32, type, packet.size(), adler32(packet.bytes()));
  if (packet.peer_id()) std::printf(" peer=%s", peer_names[packet.peer_id()].c_str());
  if (packet.is_text() && packet.size() > 0 && packet.size() <= 64) std::printf(" %s", words(packet.text()).c_str());
  std::printf("\n");
}

// What a packet of message_kind::spawn, despawn or sync brings, one line for each node.
void print_nodes(const string& name, const wspeer::packet& packet);

inline void print(const string& name, const wspeer::event& event) {
  const wspeer::client_ref of = event.client();
  switch (event.kind()) {
    case event_kind::message: return print(name, event.packet());
    case event_kind::spawn:
    case event_kind::despawn:
    case event_kind::sync: return print_nodes(name, event.packet());
    case event_kind::open:
      begin_line(name);
      std::printf("open protocol=%s\n", of.subprotocol().c_str());
      return;
    case event_kind::connected:
      begin_line(name);
      std::printf("connected");
      if (!event.peer_id())
        std::printf(" path=%s query=%s protocol=%s", of.path().c_str(), of.query().c_str(), of.subprotocol().c_str());
      break;
    case event_kind::close_request:
      begin_line(name);
      std::printf("close-request code=%d reason=%s", event.close_code(), words(event.text()).c_str());
      break;
    case event_kind::lost:
      begin_line(name);
      std::printf("lost code=%d phase=%d cause=%d status=%d unsent=%u", event.close_code(),
                  static_cast<int>(event.phase()), event.cause(), event.http_status(), event.unsent());
      break;
    case event_kind::resumed:
      begin_line(name);
      std::printf("resumed count=%" PRIu64, event.count());
      break;
    case event_kind::closed:
    case event_kind::disconnected:
      begin_line(name);
      std::printf("%s code=%d clean=%d phase=%d cause=%d status=%d unsent=%u reason=%s error=%s",
                  event.kind() == event_kind::closed ? "closed" : "disconnected", event.close_code(),
                  event.clean() ? 1 : 0, static_cast<int>(event.phase()), event.cause(), event.http_status(),
                  event.unsent(), of.close_reason().c_str(), words(event.text()).c_str());
      break;
    case event_kind::writable:
      begin_line(name);
      std::printf("writable");
      break;
    case event_kind::skipped:
      begin_line(name);
      std::printf("skipped count=%" PRIu64, event.count());
      break;
    case event_kind::error:
      begin_line(name);
      std::printf("error phase=%d cause=%d count=%" PRIu64, static_cast<int>(event.phase()), event.cause(),
                  event.count());
      // A text about a peer has its random id.
      if (!event.peer_id()) std::printf(" error=%s", words(event.text()).c_str());
      break;
    case event_kind::step:
      begin_line(name);
      std::printf("step phase=%d", static_cast<int>(event.phase()));
      break;
    case event_kind::refused: {
      const string text = words(event.text());
      begin_line(name);
      std::printf("refused phase=%d cause=%d status=%d count=%d error=%s", static_cast<int>(event.phase()),
                  event.cause(), event.http_status(), static_cast<int>(event.count()),
                  text.substr(text.find(": ") + 2).c_str());
      break;
    }
    case event_kind::authenticating:
      begin_line(name);
      std::printf("authenticating");
      break;
    case event_kind::auth:
      begin_line(name);
      std::printf("auth %zu %08" PRIx32, event.bytes().size(), adler32(event.bytes()));
      break;
    case event_kind::request:
      begin_line(name);
      std::printf("request");
      break;
  }
  if (event.peer_id()) std::printf(" peer=%s", peer_names[event.peer_id()].c_str());
  std::printf("\n");
}

template <class Link>
void print_header(const string& name, const Link& link, const char* header, std::uint32_t index) {
  const auto value = link.header(header, index);
  begin_line(name);
  if (value) std::printf("header %s %u=%s\n", header, index, value->c_str());
  else std::printf("no header %s %u\n", header, index);
}

// ---- Polling ----

inline std::vector<wspeer::handle*> polled;
// What a scenario does in each round of polling besides.
inline std::function<void()> between_polls;

inline void poll_all() {
  if (between_polls) between_polls();
  for (wspeer::handle* one : polled) one->poll();
  std::this_thread::sleep_for(std::chrono::microseconds(500));
}

// Polls all ends until `done` returns true, for at most 10 s.
template <class Done>
void poll_until(const string& name, Done done) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!done()) {
    if (std::chrono::steady_clock::now() > limit) {
      std::printf("nothing came to '%s' for 10 s\n", name.c_str());
      std::exit(1);
    }
    poll_all();
  }
}

// Passes the next event to `see`. The loop over the events is left at once; the other events stay queued.
template <class Handle, class See>
void next_event(Handle& handle, const string& name, See see) {
  poll_until(name, [&] {
    for (auto& event : handle.events()) {
      see(event);
      return true;
    }
    return false;
  });
}

template <class Handle>
void take(Handle& handle, const string& name, int count) {
  for (int i = 0; i < count; i++) next_event(handle, name, [&](const wspeer::event& event) { print(name, event); });
}

// Prints events up to the first of this kind.
template <class Handle>
void until(Handle& handle, const string& name, event_kind kind) {
  for (bool seen = false; !seen;) {
    next_event(handle, name, [&](const wspeer::event& event) {
      print(name, event);
      seen = event.kind() == kind;
    });
  }
}

// The scenarios of local.cc, by name.
extern const std::map<string, void (*)(const string&)> local_scenarios;
