// What bindings/cpp/wspeer.hpp guarantees: types that cannot be mixed up or copied by mistake, lifetimes, errors with
// and without exceptions.
#include "wspeer.hpp"

#include <array>
#include <cstdio>
#include <string>
#include <unordered_map>
#include <vector>
#if __has_include(<span>)
#include <span>
#endif

namespace {

int failures = 0;

void check(bool good, const char* what) {
  if (!good) failures++;
  std::printf("%s - c++: %s\n", good ? "ok" : "not ok", what);
}

using namespace wspeer;

template <class A, class B>
constexpr bool mixes = std::is_constructible_v<A, B> || std::is_assignable_v<A&, B>;
static_assert(!mixes<peer, server&&> && !mixes<server, multiplayer&&> && !mixes<multiplayer, peer&&> &&
              !mixes<client_ref, peer&>);
static_assert(!std::is_copy_constructible_v<peer> && std::is_nothrow_move_constructible_v<server> &&
              std::is_nothrow_move_assignable_v<multiplayer>);
static_assert(!std::is_copy_constructible_v<packet> && !std::is_copy_constructible_v<event> &&
              !std::is_move_constructible_v<event>);
static_assert(!std::is_copy_constructible_v<event_range> && !std::is_move_constructible_v<packet_range>);
static_assert(std::is_trivially_copyable_v<client_ref> && sizeof(client_ref) == sizeof(ws_handle) &&
              sizeof(peer) == sizeof(ws_handle));
static_assert(!std::is_invocable_v<decltype(&server::put_to), server&, const peer&, const outgoing&>);
static_assert(!std::is_invocable_v<decltype(&server::put_to), server&, ws_handle, const outgoing&>);
static_assert(std::is_invocable_v<decltype(&server::put_to), server&, client_ref, const outgoing&>);
static_assert(!std::is_convertible_v<ws_handle, client_ref> && !std::is_convertible_v<std::string, bytes_view> &&
              !std::is_convertible_v<std::vector<int>, bytes_view>);
static_assert(std::is_convertible_v<std::array<std::byte, 4>, bytes_view> &&
              std::is_convertible_v<std::vector<std::uint8_t>, outgoing>);
#if defined(__cpp_lib_span)
static_assert(std::is_convertible_v<bytes_view, std::span<const std::uint8_t>> &&
              std::is_convertible_v<std::span<const std::byte>, bytes_view>);
#endif

#if defined(__cpp_lib_expected)
void expected_of_the_standard() {
  const std::expected<server, error> listens = server::listen("ws://127.0.0.1:0");
  check(listens && listens->state() == state::open, "what opens becomes a std::expected");
  const std::expected<server, error> fails = server::listen("http://127.0.0.1");
  check(!fails && fails.error().code == code::err_url && !fails.error().sentence.empty(), "an error does too");
}
#endif

std::pair<peer, peer> open_pair(const config& config = {}) {
  auto made = peer::pair(config);
  if (!made) std::abort();
  auto& [server_end, client_end] = *made;
  for (int i = 0; i < 100 && (server_end.state() != state::open || client_end.state() != state::open); i++) {
    client_end.poll();
    server_end.poll();
  }
  return std::move(*made);
}

void what_is_put() {
  auto [a, b] = open_pair();
  const std::string text = "a text";
  const std::vector<std::uint8_t> bytes = {1, 2, 3};
  bool good = a.put("literal") && a.put(text) && a.put(std::string_view(text)) && a.put(bytes) &&
              a.put(std::array<std::byte, 2>{}) && a.put(bytes_view()) && a.put(binary(text)) &&
              a.put(wspeer::text(bytes)) && a.put(message{message_kind::text, {'m'}}) && a.put("");
  check(good, "all messages are accepted");
  b.poll();
  std::string seen;
  for (auto& packet : b.packets()) {
    seen += packet.is_text() ? "t" : "b";
    seen += std::to_string(packet.size());
    good = good && bool(b.put(packet));
  }
  check(seen == "t7t6t6b3b2b0b6t3t1t0",
        "strings are sent as text, bytes as binary, and text() and binary() override it");
  a.poll();
  std::string back;
  for (auto& packet : a.packets()) back += (packet.is_text() ? "t" : "b") + std::to_string(packet.size());
  check(good && back == seen, "a packet is echoed with its type");
}

void many_at_once() {
  auto [a, b] = open_pair();
  const std::vector<std::uint8_t> bytes = {1, 2, 3};
  const std::vector<addressed> list = {"literal", bytes, binary("text"), ""};
  const auto all = a.put_many(list);
  check(all.outcome && all.taken == 4, "all messages of a list are accepted");
  check(a.put_many(list.data(), 2).taken == 2 && a.put_many(nullptr, 0).outcome, "a pointer and a count");
  const std::array<addressed, 3> targets = {addressed("x"), addressed(7, "y"), addressed("z")};
  const auto some = a.put_many(targets);
  check(some.outcome.is(code::err_kind) && some.taken == 1, "it ends at the first that is not accepted");
  b.poll();
  std::string seen;
  for (auto& packet : b.packets()) seen += (packet.is_text() ? "t" : "b") + std::to_string(packet.size());
  check(seen == "t7b3b4t0t7b3t1", "they arrive in order, each with its type");
  const std::array<addressed, 1> none = {addressed(client_ref(), "nobody")};
  check(a.put_many(none).outcome.is(code::err_kind) && none[0].raw().target == INT32_MAX,
        "an empty client does not mean all clients");
}

void reading_and_keeping() {
  auto [a, b] = open_pair();
  for (int i = 0; i < 100; i++)
    if (!a.put("message " + std::to_string(i))) std::abort();
  b.poll();
  int seen = 0;
  for (auto& event : b.events()) {
    if (event.kind() == event_kind::message && ++seen == 10) break;
  }
  std::vector<message> kept;
  for (auto& packet : b.packets()) {
    kept.push_back(packet.copy());
    if (kept.size() == 10) break;
  }
  check(kept.size() == 10 && bytes_view(kept[0].bytes).text() == "message 10",
        "leaving a loop loses no message, and a copied event stays valid");
  batch<64> batch;
  check(b.read(batch) && batch.size() == 64 && batch[0].text() == "message 20" && batch[63].text() == "message 83",
        "a batch reads many packets, valid together");
  std::size_t count = 0;
  for (auto& packet : batch) count += packet.is_text();
  check(count == 64 && b.read(batch) && batch.size() == 16 && !b.read(batch) && batch.empty(),
        "the next batches read the rest, then none");
  check(b.available() == 0 && b.events().begin() == b.events().end(), "no message is left");
}

void owning() {
  auto ends = open_pair();
  peer& a = ends.first;
  const ws_handle raw = a.raw();
  {
    peer moved = std::move(a);
    check(moved.raw() == raw && moved.state() == state::open, "a move transfers the handle");
    check(a.poll().is(code::err_handle) && a.put("x").is(code::err_handle), "a moved-from object returns an error");
    peer other;
    other = std::move(moved);
    other = std::move(*&other);
    check(other.raw() == raw && ws_get_state(raw) == WS_OPEN, "assignment transfers the handle, also to itself");
  }
  check(ws_get_state(raw) == WS_ERR_HANDLE, "the destructor frees the handle");
  peer& b = ends.second;
  const ws_handle second = b.raw();
  b = peer();
  check(ws_get_state(second) == WS_ERR_HANDLE, "assignment frees the previous handle");
  peer nothing;
  nothing.free();
  check(nothing.state() == state::stale && nothing.url().empty() && !nothing.header("X"),
        "an empty handle can be queried");
}

void mistakes() {
  auto refused = peer::connect("nothing");
  check(!refused && refused.error().code == code::err_url &&
            refused.error().sentence.find("ws://") != std::string::npos,
        "a failed opening has an error message");
  check(std::string(refused.error().name()) == "WS_ERR_URL", "a failed opening has the result's name");
  auto [a, b] = open_pair();
  const result bad = a.put("a\xFF");
  check(!bad && bad.is(code::err_utf8) && bad.error().sentence.find("UTF-8") != std::string::npos,
        "a failed call has an error message");
  config secret;
  secret.header("X", "marked\r\n").subprotocols("marked, marked");
  for (const char* url : {"ws://marked:marked@h:99999/?marked", "ws://localhost/"}) {
    auto opened = peer::connect(url, secret);
    check(!opened && opened.error().sentence.find("marked") == std::string::npos, "error messages contain no secret");
  }
  check(bool(a.put("good")) && a.put("good").error().sentence.empty(), "a successful call has no error message");
#if defined(__cpp_exceptions)
  std::string caught;
  try {
    (void)peer::connect("nothing").value();
  } catch (const exception& error) {
    caught = error.what();
  }
  check(caught.rfind("WS_ERR_URL: ", 0) == 0, "value() throws with the result's name and message");
  try {
    a.close(999).or_throw();
    caught = "";
  } catch (const exception& error) {
    caught = error.error().code == code::err_arg ? error.error().sentence : "";
  }
  check(caught.find("999") != std::string::npos, "or_throw() throws");
  peer good = peer::connect("ws://127.0.0.1:1").value();
  check(good.state() == state::connecting, "value() moves the object out");
#endif
}

void texts_and_clients() {
  const std::string long_value(1000, 'v');
  auto server = server::listen("ws://127.0.0.1:0", config().header("X-Long", long_value));
  if (!server) std::abort();
  config asks;
  asks.header("X-Ask", "one");
  asks->owner = 7;
  const config copied = asks;
  auto a = peer::connect(server->url(), copied), b = peer::connect(server->url(), asks);
  if (!a || !b) std::abort();
  std::unordered_map<client_ref, int> seen;
  while (seen.size() < 2) {
    wait(10, *server, *a, *b);
    server->poll();
    a->poll();
    b->poll();
    for (auto& event : server->events())
      if (event.kind() == event_kind::connected) seen[event.client()]++;
  }
  check(a->header("x-long") == long_value && !a->header("x-long", 1), "a long header is returned whole, once");
  check(server->clients().size() == 2 && seen.count(server->clients()[0]) == 1 &&
            server->clients()[1].header("X-Ask") == "one",
        "clients are listed with their headers");
  const client_ref first = server->clients()[0], second = server->clients()[1];
  check(server->port() != 0 && server->url().find(std::to_string(server->port())) != std::string::npos,
        "the port is in the URL");
  check(bool(server->put_except(first, "x")) && server->stats().messages_out == 1, "a message to all but one");
  check(server->put_to(client_ref(), "x").is(code::err_target) && server->disconnect(client_ref()).is(code::err_target),
        "an empty client_ref is not a target, and does not mean all");
  check(server->set_option(WS_OPT_COALESCE, 1) && server->option(WS_OPT_COALESCE) == 1U && !server->option(9999),
        "options are set and read");
  event end;
  check(server->waiting().empty() && a->put("x") && !a->end(end), "no client is waiting, and none has ended");
  for (int i = 0; i < 1000 && server->waiting().empty(); i++) {
    wait(10, *server);
    server->poll();
  }
  check(server->waiting().size() == 1 && server->waiting()[0].available() == 1, "a client with a message is waiting");
  free_owner(7);
  check(a->state() == state::stale && b->state() == state::stale && server->state() == state::open,
        "free_owner frees the handles of that owner");
  for (int i = 0; i < 1000 && (first.state() != state::closed || second.state() != state::closed); i++) {
    wait(10, *server);
    server->poll();
  }
  check(first.end(end) && end.kind() == event_kind::disconnected && end.close_code() == 1001,
        "the end of a client is available before its events are read");
  int gone = 0;
  for (int i = 0; i < 1000 && gone < 2; i++) {
    wait(10, *server);
    server->poll();
    for (auto& event : server->events())
      gone += event.kind() == event_kind::disconnected && (event.client() == first || event.client() == second);
  }
  server->poll();
  check(gone == 2 && server->clients().empty() && client_ref(first).put("x").is(code::err_handle),
        "a client_ref of an ended client returns an error");
}

void own_transport() {
  auto client = peer::attach(WS_ROLE_CLIENT), server = peer::attach(WS_ROLE_SERVER);
  if (!client || !server) std::abort();
  const auto carry = [](peer& from, peer& to) {
    std::array<std::uint8_t, 512> buffer;
    from.poll();
    for (std::size_t size; (size = from.take_output(buffer.data(), buffer.size())) > 0;) {
      const auto fed = to.feed(bytes_view(buffer.data(), size));
      if (!fed || *fed != size) std::abort();
    }
    to.poll();
  };
  for (int i = 0; i < 10; i++) {
    carry(*client, *server);
    carry(*server, *client);
  }
  bool said = client->state() == state::open && client->put("carried");
  carry(*client, *server);
  std::string heard;
  for (auto& packet : server->packets()) heard = packet.text();
  check(said && heard == "carried", "bytes carried by the program");
  server->feed_end();
  server->poll();
  check(server->state() == state::closed, "the end of the transport closes the connection");
}

// Polls a host and its local player until both are idle. Returns the texts of their events of one kind.
std::string scene_until(multiplayer& host, multiplayer& player, event_kind kind) {
  std::string brought;
  for (int i = 0; i < 100; i++) {
    for (multiplayer* side : {&host, &player}) {
      side->poll();
      for (auto& event : side->events()) {
        if (event.kind() == kind) brought.append(event.text());
        if (event.kind() == event_kind::authenticating)
          side->send_auth(event.peer_id(), bytes_view(std::string_view(side == &host ? "host" : "player")));
        if (event.kind() == event_kind::auth) side->complete_auth(event.peer_id());
        if (event.kind() != event_kind::message || event.packet().kind() != message_kind::call) continue;
        ws_call call;
        if (ws_decode_call(event.bytes().data(), event.bytes().size(), &call, nullptr, 0) == WS_OK)
          brought.append(call.method);
      }
    }
  }
  return brought;
}

void a_scene() {
  auto host = multiplayer::host("ws://127.0.0.1:0", config().flags(WS_SCENE | WS_AUTH));
  if (!host) std::abort();
  auto player = host->join_local();
  if (!player) std::abort();
  check(host->declare_node("Game", "hello") && player->declare_node("Game", "hello"), "a node is declared");
  check(!host->forget_node("Other"), "forgetting an undeclared node fails");
  check(scene_until(*host, *player, event_kind::auth) == "hostplayer", "both sides report authentication data");
  std::array<std::uint8_t, 64> room;
  std::size_t size = 0;
  const bool made = ws_encode_call("Game", "hello", nullptr, 0, room.data(), room.size(), &size) == WS_OK;
  check(made && player->put_to(1, {message_kind::call, {room.data(), size}}), "a call is accepted");
  check(scene_until(*host, *player, event_kind::error) == "hello", "a call arrives");
}

// Polls both until the player has an event of this kind, which `see` gets.
template <class See>
bool hear(multiplayer& host, multiplayer& player, event_kind kind, See see) {
  for (int i = 0; i < 100; i++) {
    host.poll();
    player.poll();
    for (auto& event : player.events()) {
      if (event.kind() != kind) continue;
      see(event);
      return true;
    }
  }
  return false;
}

void replicating() {
  const auto text = [](std::string_view words) {
    ws_variant item{};
    item.type = WS_VARIANT_STRING;
    item.data = bytes_view(words).data();
    item.len = words.size();
    return item;
  };
  const auto number = [](std::int64_t value) {
    ws_variant item{};
    item.type = WS_VARIANT_INT;
    item.integer = value;
    return item;
  };
  auto host = multiplayer::host("ws://127.0.0.1:0", config().flags(WS_SCENE));
  if (!host) std::abort();
  auto player = host->join_local();
  if (!player) std::abort();
  check(host->declare_scene("Spawner", 0, 0, ".:a, .:b spawn change") &&
            player->declare_scene("Spawner", 1, 0, ".:a, .:b spawn change") &&
            host->declare_scene("Spawner", 0, WS_CUSTOM_SCENE, "") &&
            player->declare_scene("Spawner", 1, WS_CUSTOM_SCENE, ""),
        "scenes are declared");
  check(!host->forget_scene("Spawner", 7) && !host->forget_synchronizer("Clock"), "what is not declared stays so");

  const ws_variant items[] = {text(".:a"), number(1), text(".:b"), number(2)};
  const auto node = host->spawn("Spawner", 0, "Mob", items);
  check(bool(node), "a node is spawned");
  std::int64_t sum = 0;
  check(hear(*host, *player, event_kind::spawn,
             [&](const event& event) {
               check(event.packet().kind() == message_kind::spawn, "the packet is a spawn");
               replication found(event.bytes());
               while (const replicated* one = found.next()) {
                 check(one->path() == "Spawner" && one->name() == "Mob" && one->scene() == 0, "of that scene");
                 check(one->node() == *node && one->data().empty() && one->properties().size() == 4, "as it was sent");
                 sum += one->properties()[1].integer + one->properties()[3].integer;
               }
               check(found.error().code == code::ok && found.error().sentence.empty(), "the end is no error");
             }) &&
            sum == 3,
        "and comes with its properties");
  check(bool(host->sync(*node, std::vector<ws_variant>{text(".:a"), number(5)})), "a property is synchronized");
  check(hear(*host, *player, event_kind::sync, [&](const event&) {}), "and comes");
  check(!host->sync(*node, std::array<ws_variant, 2>{text(".:c"), number(5)}), "an unknown one is refused");
  check(bool(host->set_visible(*node, false)), "a node is hidden");
  check(hear(*host, *player, event_kind::despawn,
             [&](const event& event) {
               replication found(event.bytes());
               const replicated* one = found.next();
               check(one && one->node() == *node && one->name().empty() && one->properties().empty(), "by its number");
             }),
        "which is a despawn");
  check(host->despawn(*node) && !host->despawn(*node), "a node is despawned once");

  // More items than a reader has room for at first.
  std::vector<ws_variant> many(101, number(7));
  many[0] = ws_variant{};
  many[0].type = WS_VARIANT_ARRAY;
  many[0].count = 100;
  check(bool(host->spawn("Spawner", WS_CUSTOM_SCENE, "List", many)), "a node with much data is spawned");
  check(hear(*host, *player, event_kind::spawn,
             [&](const event& event) {
               replication found(event.bytes());
               const replicated* one = found.next();
               check(one && one->data().size() == 101 && one->data()[100].integer == 7, "and comes whole");
               check(one->properties().empty() && !found.next(), "alone");
             }),
        "the player has it");
  replication none{bytes_view(std::string_view("nothing"))};
  check(!none.next() && none.error().code == code::err_arg && !none.error().sentence.empty(), "other bytes are an error");
  check(!replication(bytes_view()).next(), "no bytes, too");

  const auto clock = host->declare_synchronizer("Clock", 0, "time");
  check(clock && *clock != 0, "a synchronizer has a number");
  const auto theirs = player->declare_synchronizer("Clock", 1, "time");
  check(theirs && *theirs == 0, "that of another peer has none");
  check(bool(host->forget_synchronizer("Clock")), "it is forgotten");
  check(!host->declare_synchronizer("Clock", 0, "x,x"), "properties of one name are refused");
  check(host->spawn("Nobody", 0, "N").error().code == code::err_arg, "an undeclared spawner is an error");
  const std::vector<std::uint8_t> raw = {5, 1, 0, 0, 0};
  check(bool(host->put({message_kind::replication, raw})), "a packet of replication is put as it is");
}

void log_and_library() {
  check(fits() && (features() & WS_FEATURE_MULTIPLAYER) != 0, "the library matches the header");
  set_log_level(WS_LOG_INFO);
  {
    auto ends = open_pair();
    ends.first.close();
    for (int i = 0; i < 10; i++) {
      ends.first.poll();
      ends.second.poll();
    }
  }
  check(next_log().has_value(), "the log has lines");
  while (next_log()) {
  }
  check(!next_log(), "the log is empty after it was read");
}

}  // namespace

int main() {
#if defined(__cpp_lib_expected)
  expected_of_the_standard();
#endif
  what_is_put();
  many_at_once();
  reading_and_keeping();
  owning();
  mistakes();
  texts_and_clients();
  own_transport();
  a_scene();
  replicating();
  log_and_library();
  shutdown();
  return failures ? 1 : 0;
}
