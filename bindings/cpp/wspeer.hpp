// wspeer.hpp: wspeer.h for C++17. WebSockets that a game polls from its frame loop; nothing blocks and there are no
// callbacks.
//
//   #include <wspeer.hpp>
//   #include <iostream>
//
//   int main() {
//     auto peer = wspeer::peer::connect("ws://127.0.0.1:9080");
//     if (!peer) { std::cerr << peer.error().sentence << '\n'; return 1; }
//     while (peer->state() != wspeer::state::closed) {                  // the game's loop
//       peer->poll();
//       for (auto& event : peer->events()) {
//         if (event.kind() == wspeer::event_kind::open && !peer->put("hello")) return 1;
//         if (event.kind() == wspeer::event_kind::message) { std::cout << event.text() << '\n'; peer->close(); }
//         if (event.kind() == wspeer::event_kind::closed) std::cout << event.text() << '\n';
//       }
//       // update, draw, wait for the next frame
//     }
//   }
//
// OWNING. peer, server and multiplayer own their handle: they can be moved, not copied, and the destructor frees it.
// client_ref, a client of a server, is a number that may be copied and kept: once the client has been freed, its calls
// return code::err_handle.
//
// LOANS. The bytes of a packet or event are lent by the library until the next read through the same handle, or its
// end. Packets and events cannot be copied, and live in the loop that reads them: to keep one, take packet.copy(), or a
// std::string of text().
//
// ERRORS. Calls return a result, functions that open something an expected. Nothing throws on its own; with exceptions,
// or_throw() and value() throw wspeer::exception.
//
// wspeer.h documents what a call means, which threads may make it, and all limits; raw() returns the handle for its
// functions.
#ifndef WSPEER_HPP
#define WSPEER_HPP

#include "wspeer.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>
#if defined(__cpp_exceptions)
#include <stdexcept>
#endif
#if __has_include(<version>)
#include <version>
#endif
#if defined(__cpp_lib_expected)
#include <expected>
#endif

namespace wspeer {

static_assert(WS_ABI_VERSION == 1, "this wspeer.hpp belongs to another wspeer.h");

// <generated: enums> by `make generate`
// The result of a call. 0 and above: success.
enum class code : std::int32_t {
  // The call succeeded.
  ok = WS_OK,
  // The call succeeded, but there is nothing to return. Ask again in the next frame.
  empty = WS_EMPTY,
  // ws_poll(): the time budget is exhausted and work is left. Nothing is lost: the next poll continues. A program with
  // time left may poll again at once.
  more = WS_MORE,
  // Some of several targets could not take the message. SKIPPED events name them.
  partial = WS_PARTIAL,
  // The output did not fit, and the buffer holds its beginning: a text is cut at a code point and NUL-terminated. The
  // call's length or count output is the whole size.
  truncated = WS_TRUNCATED,
  // An argument is out of range.
  err_arg = WS_ERR_ARG,
  // A required pointer is NULL.
  err_null = WS_ERR_NULL,
  // The handle is invalid: it is 0, stale (freed or retired), or was never issued.
  err_handle = WS_ERR_HANDLE,
  // The call does not apply to this type of handle; see the tables at the top of this header.
  err_kind = WS_ERR_KIND,
  // The handle is in the wrong state for the call. Messages can be sent only while OPEN, or before that with
  // WS_QUEUE_BEFORE_OPEN.
  err_state = WS_ERR_STATE,
  // The outbound queue is full, and the message was not accepted. Poll, and send it again after the WRITABLE event.
  err_full = WS_ERR_FULL,
  // A length is too large: a message exceeds max_message_bytes, a call or value does not fit the buffer, or memory
  // cannot hold it.
  err_too_big = WS_ERR_TOO_BIG,
  // A text is not valid UTF-8.
  err_utf8 = WS_ERR_UTF8,
  // The target does not exist, or cannot be reached from this handle.
  err_target = WS_ERR_TARGET,
  // The ws_config is invalid: its size, its flags, or the value of a field. ws_last_error() names the field.
  err_config = WS_ERR_CONFIG,
  // The URL is invalid, or has a part that the call does not allow.
  err_url = WS_ERR_URL,
  // A certificate, a key or pin_sha256 in the config cannot be used.
  err_tls = WS_ERR_TLS,
  // ws_listen() and ws_host(): the address cannot be bound. ws_last_error() has the reason.
  err_address = WS_ERR_ADDRESS,
  // This build or platform does not support the call or the option; see ws_get_features(). ws_decode_call() and
  // ws_decode_variant(): a value has a type that only Godot can read.
  err_unsupported = WS_ERR_UNSUPPORTED,
  // A limit of the library or the system is reached: no handle, descriptor, thread or memory is left.
  err_limit = WS_ERR_LIMIT,
  // A defect in wspeer was caught. The handle is retired, and with it those that share its lock; the program continues.
  // ws_get_log() has the details.
  err_panic = WS_ERR_PANIC,
  // ws_serve(): the directory does not exist or cannot be opened. ws_last_error() has the reason.
  err_directory = WS_ERR_DIRECTORY
};

// The state of a connection or server (RFC 6455). `stale`: the handle was freed or has retired.
enum class state : std::int32_t {
  // Name lookup, TCP, TLS or the opening handshake (RFC 6455 section 4) is in progress; with WS_ASK the request of a
  // client waits for the program.
  connecting = WS_CONNECTING,
  // Messages can be sent and received. A server is OPEN while it listens.
  open = WS_OPEN,
  // The closing handshake (RFC 6455 section 7.1.2) is in progress. Messages that arrive are still delivered.
  closing = WS_CLOSING,
  // The connection has ended. Messages received before can still be read.
  closed = WS_CLOSED,
  // With WS_RECONNECT: the link was lost, and the next one is not open yet. Messages received before can still be read.
  // With session_ms, of a client of a server too: messages are accepted.
  lost = WS_LOST,
  stale = WS_ERR_HANDLE
};

// The type of an event.
enum class event_kind : std::int32_t {
  // A connection of ws_connect(), ws_pair() or ws_attach() is OPEN. A join: it has received its id, event.peer_id, and
  // with WS_AUTH it has been admitted.
  open = WS_EVENT_OPEN,
  // A message was received: event.packet.
  message = WS_EVENT_MESSAGE,
  // The peer has started the closing handshake (RFC 6455 section 7.1.3). event.code is its status code, 1005 if it sent
  // none; event.packet.data is its reason. wspeer answers by itself.
  close_request = WS_EVENT_CLOSE_REQUEST,
  // The connection, or the server itself, has ended. This is the last event of its handle.
  closed = WS_EVENT_CLOSED,
  // Server, host: a client has completed its opening handshake. event.conn is its handle; on a host event.peer_id is
  // its id. Join: peer event.peer_id is present. Peer 1 is the host. The others are reported with WS_SCENE and
  // WS_GODOT3 only.
  connected = WS_EVENT_CONNECTED,
  // Server, host: a client's connection has ended. This is the last event of the client's handle, which retires in the
  // server's next ws_poll(). Join with WS_SCENE or WS_GODOT3: peer event.peer_id has left. When the join's own
  // connection ends, CLOSED stands for all peers.
  disconnected = WS_EVENT_DISCONNECTED,
  // The outbound queue has room again, after it refused a message.
  writable = WS_EVENT_WRITABLE,
  // event.count messages or events were left out because a queue was full. event.conn is a client of a server: its
  // outbound queue had no room for messages to several targets. Reported once until there is room again. event.conn is
  // the server's own handle, a join, a client that reconnects, or a client of a server whose link was lost more than 8
  // times: the program did not read its events, so lifecycle events, and on a join errors about other peers, were
  // dropped.
  skipped = WS_EVENT_SKIPPED,
  // A failure that does not end the connection. event.cause and the text in event.packet.data describe it. The text of
  // any event has at most 1024 bytes, and quotes at most 256 bytes of a path or name.
  error = WS_EVENT_ERROR,
  // With WS_AUTH: peer event.peer_id has to be authenticated. Answer with ws_send_auth() and ws_complete_auth(), or
  // refuse it with ws_disconnect(), on a join ws_close(). AUTH events report the data that it sends. CONNECTED follows
  // as ws_complete_auth() describes.
  authenticating = WS_EVENT_AUTHENTICATING,
  // With WS_AUTH: event.packet holds data that peer event.peer_id sent for its authentication.
  auth = WS_EVENT_AUTH,
  // ws_diagnose(): a step of opening the connection. event.packet.data is a sentence about it, event.phase the phase
  // that it belongs to, event.cause what is wrong (WS_CAUSE_NONE: the step succeeded), event.time_ns when it happened.
  step = WS_EVENT_STEP,
  // Server, host, with WS_REPORT_REFUSED: a client failed before CONNECTED. event.phase, event.cause and
  // event.http_status say why; event.packet.data is its address and port, a colon and a space, and the reason as a
  // sentence. event.conn is the server. event.count is 1; when 256 of them wait to be read, further clients only add to
  // the count of the last.
  refused = WS_EVENT_REFUSED,
  // Server, host with WS_ASK: a client has sent a request on which the program decides: ws_accept() or ws_reply().
  // event.conn is its handle, which is CONNECTING and has the texts and headers of the request. event.count is 1 for a
  // request to open a WebSocket, 0 for plain HTTP; event.packet is the body of the request. Either CONNECTED follows or
  // DISCONNECTED.
  request = WS_EVENT_REQUEST,
  // Client, join with WS_RECONNECT: the link was lost, and another is opened. The fields are those of CLOSED;
  // event.unsent is the number of accepted messages that had not left. OPEN follows, or CLOSED. On a join it stands for
  // DISCONNECTED of all peers. With session_ms, also of a server's client: nothing is lost, peers stay, and RESUMED
  // follows, or CLOSED or DISCONNECTED.
  lost = WS_EVENT_LOST,
  // With session_ms: another link continues the session, and nothing was lost. event.count is the number of messages
  // that are sent again.
  resumed = WS_EVENT_RESUMED,
  // With WS_SCENE: peer event.peer_id has spawned a node of a scene that was declared with ws_declare_scene().
  // event.packet is for ws_decode_replication(). The peer's nodes are gone with its DISCONNECTED; on a join also with
  // CLOSED, and with LOST if there is no session.
  spawn = WS_EVENT_SPAWN,
  // With WS_SCENE: peer event.peer_id has despawned such a node, or shows it no more to this one.
  despawn = WS_EVENT_DESPAWN,
  // With WS_SCENE: peer event.peer_id has synchronized properties of one node or more.
  sync = WS_EVENT_SYNC
};

// The type of a message.
enum class message_kind : std::int32_t {
  // A text message, always valid UTF-8 (RFC 6455 section 5.6).
  text = WS_TEXT,
  // A binary message (RFC 6455 section 5.6).
  binary = WS_BINARY,
  // A remote call, with WS_SCENE only. ws_encode_call() makes one to send, ws_decode_call() reads a received one.
  call = WS_CALL,
  // With WS_SCENE: a packet of Godot's MultiplayerSpawner or MultiplayerSynchronizer, as it is on the wire. Received
  // with WS_RAW_REPLICATION only.
  replication = WS_REPLICATION,
  // Received, with WS_SCENE: SPAWN, for ws_decode_replication().
  spawn = WS_SPAWN,
  // Received, with WS_SCENE: DESPAWN, for ws_decode_replication().
  despawn = WS_DESPAWN,
  // Received, with WS_SCENE: SYNC, for ws_decode_replication().
  sync = WS_SYNC
};

// How far a connection had come when it ended.
enum class phase : std::int32_t {
  // The event has no phase.
  none = WS_PHASE_NONE,
  // Name lookup.
  dns = WS_PHASE_DNS,
  // Establishing the TCP connection.
  tcp = WS_PHASE_TCP,
  // With ws_config.proxy: TLS to the proxy, and what it is asked and answers. The phases before it are those of the
  // proxy's name and address, the phases after it those of the server.
  proxy = WS_PHASE_PROXY,
  // The TLS handshake, or a later failure of TLS.
  tls = WS_PHASE_TLS,
  // The opening handshake over HTTP (RFC 6455 section 4).
  http = WS_PHASE_HTTP,
  // The WebSocket protocol, after the opening handshake.
  websocket = WS_PHASE_WEBSOCKET,
  // The application: a closing handshake that either side requested, a drop by the program, or a failure in the
  // protocol above WebSocket, such as an authentication.
  app = WS_PHASE_APP
};

// A bad network with a name.
enum class sim_preset : std::int32_t {
  // A perfect network.
  none = WS_SIM_NONE,
  // A busy Wi-Fi: a tenth of the packets takes more than 100 ms there and back.
  wifi = WS_SIM_WIFI,
  // 4G (LTE) of somebody who moves.
  mobile_4g = WS_SIM_4G,
  // A train or a car between cells: nothing arrives for two seconds every half minute.
  train = WS_SIM_TRAIN,
  // A geostationary satellite: 630 ms there and back.
  satellite = WS_SIM_SATELLITE
};
// </generated>

// Why a call failed; `sentence` says what to do about it.
struct error {
  wspeer::code code = code::ok;
  std::string sentence;

  const char* name() const { return ws_result_name(static_cast<ws_result>(code)); }
};

#if defined(__cpp_exceptions)
class exception : public std::runtime_error {
 public:
  explicit exception(wspeer::error why)
      : std::runtime_error(std::string(why.name()) + ": " + why.sentence), why_(std::move(why)) {}
  const wspeer::error& error() const { return why_; }

 private:
  wspeer::error why_;
};
#endif

namespace detail {

// Copies a text of any length: `get(buffer, capacity, length)` is a function of the library.
template <class Get>
std::optional<std::string> copy_text(Get get) {
  char small[256];
  std::size_t length = 0;
  ws_result result = get(small, sizeof small, &length);
  if (result == WS_OK) return std::string(small, length);
  // Repeat: the text may have grown between two calls.
  while (result == WS_TRUNCATED) {
    std::string whole(length + 1, '\0');
    result = get(whole.data(), whole.size(), &length);
    if (result != WS_OK) continue;
    whole.resize(length);
    return whole;
  }
  return std::nullopt;
}

// The topics of a handle, sorted; empty if it has none.
inline std::vector<std::string> topics_of(ws_handle handle) {
  std::vector<std::string> topics;
  const auto lines = copy_text([&](char* buffer, std::size_t capacity, std::size_t* length) {
    return ws_get_topics(handle, buffer, capacity, length);
  });
  if (!lines || lines->empty()) return topics;
  for (std::size_t at = 0, end = 0; end != std::string::npos; at = end + 1) {
    end = lines->find('\n', at);
    topics.push_back(lines->substr(at, end - at));
  }
  return topics;
}

inline error last_error(ws_result result) { return {static_cast<code>(result), copy_text(ws_last_error).value_or("")}; }

}  // namespace detail

// The result of a call: true if it succeeded.
class result {
 public:
  explicit result(ws_result value) : value_(value) {}

  explicit operator bool() const { return value_ >= 0; }
  wspeer::code code() const { return static_cast<wspeer::code>(value_); }
  bool is(wspeer::code other) const { return code() == other; }
  // The text is that of this thread's last failure: call this before another call that may fail.
  wspeer::error error() const { return value_ < 0 ? detail::last_error(value_) : wspeer::error{code(), ""}; }
#if defined(__cpp_exceptions)
  result or_throw() const {
    if (value_ < 0) throw exception(error());
    return *this;
  }
#endif

 private:
  ws_result value_;
};

// A value, or an error. * and -> require a value. Converts to std::expected in C++23.
template <class Value>
class [[nodiscard]] expected {
 public:
  expected(Value value) : value_(std::move(value)) {}
  expected(wspeer::error why) : error_(std::move(why)) {}

  explicit operator bool() const { return value_.has_value(); }
  Value& operator*() & { return *value_; }
  const Value& operator*() const& { return *value_; }
  Value&& operator*() && { return *std::move(value_); }
  Value* operator->() { return &*value_; }
  const Value* operator->() const { return &*value_; }
  const wspeer::error& error() const { return error_; }
#if defined(__cpp_exceptions)
  Value& value() & {
    check();
    return *value_;
  }
  Value value() && {
    check();
    return *std::move(value_);
  }
#endif
#if defined(__cpp_lib_expected)
  operator std::expected<Value, wspeer::error>() && {
    if (value_) return *std::move(value_);
    return std::unexpected(std::move(error_));
  }
#endif

 private:
#if defined(__cpp_exceptions)
  void check() const {
    if (!value_) throw exception(error_);
  }
#endif
  std::optional<Value> value_;
  wspeer::error error_;
};

// A view of bytes that it does not own. Converts to std::span<const std::uint8_t> in C++20.
class bytes_view {
 public:
  using value_type = std::uint8_t;
  using iterator = const std::uint8_t*;

  constexpr bytes_view() = default;
  constexpr bytes_view(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  // From a vector, array, span or similar of bytes.
  template <class Bytes,
            class Element = std::remove_cv_t<std::remove_pointer_t<decltype(std::declval<const Bytes&>().data())>>,
            class = std::enable_if_t<std::is_same_v<Element, std::uint8_t> || std::is_same_v<Element, std::byte>>>
  bytes_view(const Bytes& bytes) : data_(reinterpret_cast<const std::uint8_t*>(bytes.data())), size_(bytes.size()) {}
  explicit bytes_view(std::string_view text)
      : data_(reinterpret_cast<const std::uint8_t*>(text.data())), size_(text.size()) {}

  constexpr const std::uint8_t* data() const { return data_; }
  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr iterator begin() const { return data_; }
  constexpr iterator end() const { return data_ + size_; }
  constexpr const std::uint8_t& operator[](std::size_t index) const { return data_[index]; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// A view of Godot's values that it does not own, each with the items that belong to it.
class items_view {
 public:
  using value_type = ws_variant;
  using iterator = const ws_variant*;

  constexpr items_view() = default;
  constexpr items_view(const ws_variant* data, std::size_t size) : data_(data), size_(size) {}
  template <std::size_t Size>
  constexpr items_view(const ws_variant (&items)[Size]) : items_view(items, Size) {}
  // From a vector, array, span or similar of items.
  template <class Items, class Element = std::remove_cv_t<
                             std::remove_pointer_t<decltype(std::declval<const Items&>().data())>>,
            class = std::enable_if_t<std::is_same_v<Element, ws_variant>>>
  items_view(const Items& items) : items_view(items.data(), items.size()) {}

  constexpr const ws_variant* data() const { return data_; }
  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr iterator begin() const { return data_; }
  constexpr iterator end() const { return data_ + size_; }
  constexpr const ws_variant& operator[](std::size_t index) const { return data_[index]; }

 private:
  const ws_variant* data_ = nullptr;
  std::size_t size_ = 0;
};

// A message that owns its bytes.
struct message {
  message_kind kind = message_kind::binary;
  std::vector<std::uint8_t> bytes;
};

class packet;

// The argument of put: a string is sent as text, bytes as binary, a packet or message with its own type. text() and
// binary() override this.
class outgoing {
 public:
  outgoing(const char* text) : outgoing(std::string_view(text)) {}
  outgoing(std::string_view text) : kind_(message_kind::text), bytes_(text) {}
  outgoing(const std::string& text) : outgoing(std::string_view(text)) {}
  outgoing(bytes_view bytes) : kind_(message_kind::binary), bytes_(bytes) {}
  template <class Bytes, class = decltype(bytes_view(std::declval<const Bytes&>())),
            class = std::enable_if_t<!std::is_convertible_v<const Bytes&, std::string_view>>>
  outgoing(const Bytes& bytes) : outgoing(bytes_view(bytes)) {}
  outgoing(const message& message) : kind_(message.kind), bytes_(message.bytes) {}
  outgoing(const packet& packet);
  outgoing(message_kind kind, bytes_view bytes) : kind_(kind), bytes_(bytes) {}

  std::int32_t type() const { return static_cast<std::int32_t>(kind_); }
  // Never NULL, which the library would report as an error.
  const std::uint8_t* data() const { return bytes_.data() ? bytes_.data() : &nothing_; }
  std::size_t size() const { return bytes_.size(); }

 private:
  static constexpr std::uint8_t nothing_ = 0;
  message_kind kind_;
  bytes_view bytes_;
};

inline outgoing text(bytes_view bytes) { return {message_kind::text, bytes}; }
inline outgoing binary(std::string_view bytes) { return {message_kind::binary, bytes_view(bytes)}; }

class client_ref;

// A message for put_many(). Its bytes are read by that call. Without a target it goes where put() sends it; a target is
// one of put_to(): a server's client, or in multiplayer a number.
class addressed {
 public:
  template <class Message, class = std::enable_if_t<std::is_convertible_v<const Message&, outgoing>>>
  addressed(const Message& message) : addressed(0, message) {}
  addressed(std::int32_t target, const outgoing& message) : raw_{message.data(), message.size(), message.type(), target} {}
  addressed(client_ref client, const outgoing& message);

  const ws_packet_out& raw() const { return raw_; }

 private:
  ws_packet_out raw_{};
};
static_assert(sizeof(addressed) == sizeof(ws_packet_out), "an array of one is an array of the other");

// A received message. It cannot be copied, as its bytes are lent until the next read through the same handle; copy()
// makes a message that owns them.
class packet {
 public:
  packet() = default;
  explicit packet(const ws_packet& raw) : raw_(raw) {}
  packet(const packet&) = delete;
  packet& operator=(const packet&) = delete;

  message_kind kind() const { return static_cast<message_kind>(raw_.type); }
  bool is_text() const { return raw_.type == WS_TEXT; }
  bytes_view bytes() const { return {raw_.data, raw_.len}; }
  std::string_view text() const { return bytes().text(); }
  std::size_t size() const { return raw_.len; }
  // Multiplayer: the sender.
  std::int32_t peer_id() const { return raw_.peer_id; }
  // On a server: the client that sent it.
  client_ref client() const;
  std::uint64_t user() const { return raw_.user; }
  message copy() const { return {kind(), {raw_.data, raw_.data + raw_.len}}; }
  const ws_packet& raw() const { return raw_; }
  ws_packet* out() { return &raw_; }

 private:
  ws_packet raw_{};
};

static_assert(sizeof(packet) == sizeof(ws_packet) && std::is_standard_layout_v<packet>,
              "an array of them is one of ws_packet");

inline outgoing::outgoing(const packet& packet) : kind_(packet.kind()), bytes_(packet.bytes()) {}

// An event. It cannot be copied, as its bytes are lent until the next read through the same handle.
class event {
 public:
  event() = default;
  event(const event&) = delete;
  event& operator=(const event&) = delete;

  event_kind kind() const { return static_cast<event_kind>(raw_.type); }
  // The message of event_kind::message, spawn, despawn or sync.
  wspeer::packet packet() const { return wspeer::packet(raw_.packet); }
  bytes_view bytes() const { return {raw_.packet.data, raw_.packet.len}; }
  // message: its text; close_request: the reason; closed, disconnected, error: what happened and what to do about it;
  // step: what happened.
  std::string_view text() const { return bytes().text(); }
  // On a server or host: the client that the event is about.
  client_ref client() const;
  std::int32_t peer_id() const { return raw_.peer_id; }
  std::int32_t close_code() const { return raw_.code; }
  bool clean() const { return raw_.clean != 0; }
  wspeer::phase phase() const { return static_cast<wspeer::phase>(raw_.phase); }
  // WS_CAUSE_*.
  std::int32_t cause() const { return raw_.cause; }
  std::int32_t http_status() const { return raw_.http_status; }
  std::int32_t os_error() const { return raw_.os_error; }
  std::uint32_t unsent() const { return raw_.unsent; }
  std::uint64_t count() const { return raw_.count; }
  std::uint64_t time_ns() const { return raw_.time_ns; }
  const ws_event& raw() const { return raw_; }
  ws_event* out() { return &raw_; }

 private:
  ws_event raw_{};
};

// A node that a peer has spawned, despawned or synchronized. It is lent: replication has it until the next one.
class replicated {
 public:
  replicated() = default;
  replicated(const replicated&) = delete;
  replicated& operator=(const replicated&) = delete;

  // The path of the spawner as it was declared, without "/root/"; scene() is WS_NO_SCENE: that of the synchronizer.
  std::string_view path() const { return raw_.path; }
  // spawn: the node's name below the spawner's spawn path. Else "".
  std::string_view name() const { return raw_.name; }
  // Its number among the nodes of the peer, which is used again only after its despawn.
  std::uint32_t node() const { return raw_.node; }
  // The index of the scene in the spawner's list, WS_CUSTOM_SCENE or WS_NO_SCENE.
  std::uint32_t scene() const { return raw_.scene; }
  // spawn of a WS_CUSTOM_SCENE: its data, one value. Else empty.
  items_view data() const { return {items_.data(), raw_.data_items}; }
  // spawn, sync: pairs of a STRING, the name of a property, and its value.
  items_view properties() const { return {items_.data() + raw_.data_items, raw_.items - raw_.data_items}; }
  const ws_replicated& raw() const { return raw_; }

 private:
  friend class replication;
  ws_replicated raw_{"", "", 0, WS_NO_SCENE, 0, 0};
  std::vector<ws_variant> items_ = std::vector<ws_variant>(16);
};

// Reads the nodes in the bytes of event_kind::spawn, despawn or sync, which must stay valid:
//
//   wspeer::replication found(event.bytes());
//   while (const wspeer::replicated* node = found.next()) update(event.peer_id(), *node);
class replication {
 public:
  explicit replication(bytes_view packet) : packet_(packet) {}

  // The next node; nullptr: there is no other, or error() says why the bytes cannot be read.
  const replicated* next() {
    const std::size_t from = at_;
    ws_result result = WS_TRUNCATED;
    // Repeat: there may be more items than room.
    while (result == WS_TRUNCATED) {
      at_ = from;
      if (node_.raw_.items > node_.items_.size()) node_.items_.resize(node_.raw_.items);
      result = ws_decode_replication(packet_.data(), packet_.size(), &at_, &node_.raw_, node_.items_.data(),
                                     node_.items_.size());
    }
    if (result < 0) error_ = detail::last_error(result);
    return result == WS_OK ? &node_ : nullptr;
  }
  const wspeer::error& error() const { return error_; }

 private:
  bytes_view packet_;
  std::size_t at_ = 0;
  replicated node_;
  wspeer::error error_;
};

namespace detail {

inline bool next(ws_handle handle, packet& into) { return ws_get_packet(handle, into.out()) == WS_OK; }
inline bool next(ws_handle handle, event& into) { return ws_next_event(handle, into.out()) == WS_OK; }

// The range of a range-for. It reads one item at a time, so that leaving the loop early loses none.
template <class Item>
class [[nodiscard]] reading {
 public:
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Item;
    using difference_type = std::ptrdiff_t;
    using pointer = const Item*;
    using reference = const Item&;

    explicit iterator(reading* from) : from_(from) { ++*this; }
    iterator() = default;
    reference operator*() const { return from_->item_; }
    pointer operator->() const { return &from_->item_; }
    iterator& operator++() {
      if (!next(from_->handle_, from_->item_)) from_ = nullptr;
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& a, const iterator& b) { return a.from_ == b.from_; }
    friend bool operator!=(const iterator& a, const iterator& b) { return a.from_ != b.from_; }

   private:
    reading* from_ = nullptr;
  };

  explicit reading(ws_handle handle) : handle_(handle) {}
  reading(const reading&) = delete;
  reading& operator=(const reading&) = delete;
  iterator begin() { return iterator(this); }
  iterator end() { return {}; }

 private:
  ws_handle handle_;
  Item item_;
};

inline std::vector<const char*> pointers_to(const std::vector<std::string>& lines) {
  std::vector<const char*> pointers;
  for (const std::string& line : lines) pointers.push_back(line.c_str());
  return pointers;
}

}  // namespace detail

using event_range = detail::reading<event>;
using packet_range = detail::reading<packet>;

// A buffer for messages that are taken in one call, by read() of a handle. All stay valid until the next read through
// that handle.
template <std::size_t Capacity>
class batch {
 public:
  const packet* begin() const { return packets_.data(); }
  const packet* end() const { return packets_.data() + count_; }
  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  const packet& operator[](std::size_t index) const { return packets_[index]; }
  // Takes up to Capacity messages from a handle; false if there are none.
  bool fill(ws_handle handle) {
    count_ = 0;
    return ws_get_packets(handle, packets_[0].out(), Capacity, &count_) == WS_OK;
  }

 private:
  std::array<packet, Capacity> packets_;
  std::size_t count_ = 0;
};

// The settings for opening. Set numbers and flags with ->, using the names of ws_config; 0 means the default. Set texts
// with the functions, which copy them.
class config {
 public:
  config() { ws_config_init(&raw_, sizeof raw_); }

  ws_config* operator->() { return &raw_; }
  config& flags(std::uint32_t flags) {
    raw_.flags |= flags;
    return *this;
  }
  config& header(const std::string& name, const std::string& value) {
    headers_.push_back(name + ": " + value);
    return *this;
  }
  config& subprotocols(std::string names) { return set(subprotocols_, std::move(names)); }
  config& ca_pem(std::string pem) { return set(ca_pem_, std::move(pem)); }
  config& certificate(std::string cert_pem, std::string key_pem) {
    return set(cert_pem_, std::move(cert_pem)).set(key_pem_, std::move(key_pem));
  }
  config& server_name(std::string name) { return set(server_name_, std::move(name)); }
  config& pin_sha256(std::string pin) { return set(pin_sha256_, std::move(pin)); }
  config& trusted_proxies(std::string networks) { return set(trusted_proxies_, std::move(networks)); }
  config& allowed_hosts(std::string hosts) { return set(allowed_hosts_, std::move(hosts)); }
  config& allowed_origins(std::string origins) { return set(allowed_origins_, std::move(origins)); }
  config& proxy(std::string url) { return set(proxy_, std::move(url)); }
  config& node(std::string name) { return set(node_, std::move(name)); }

  // Calls `open(const ws_config*)` with pointers to the texts.
  template <class Open>
  ws_result use(Open open) const {
    ws_config raw = raw_;
    std::vector<const char*> lines = detail::pointers_to(headers_);
    if (!lines.empty()) {
      raw.headers = lines.data();
      raw.headers_count = static_cast<std::uint32_t>(lines.size());
    }
    const std::pair<const char**, const std::optional<std::string>*> texts[] = {
        {&raw.subprotocols, &subprotocols_}, {&raw.ca_pem, &ca_pem_},           {&raw.cert_pem, &cert_pem_},
        {&raw.key_pem, &key_pem_},           {&raw.server_name, &server_name_}, {&raw.pin_sha256, &pin_sha256_},
        {&raw.trusted_proxies, &trusted_proxies_},
        {&raw.allowed_hosts, &allowed_hosts_}, {&raw.allowed_origins, &allowed_origins_},
        {&raw.proxy, &proxy_},               {&raw.node, &node_}};
    for (const auto& [field, text] : texts)
      if (*text) *field = (*text)->c_str();
    return open(&raw);
  }

 private:
  config& set(std::optional<std::string>& field, std::string text) {
    field = std::move(text);
    return *this;
  }

  ws_config raw_{};
  std::vector<std::string> headers_;
  std::optional<std::string> subprotocols_, ca_pem_, cert_pem_, key_pem_, server_name_, pin_sha256_,
      trusted_proxies_, allowed_hosts_, allowed_origins_, proxy_, node_;
};

// The figures of a preset, for set_sim(); change what you like. sim_preset::none: zeros.
inline ws_sim sim(sim_preset preset = sim_preset::none) {
  ws_sim figures{};
  ws_sim_init(&figures, sizeof figures, static_cast<std::int32_t>(preset));
  return figures;
}

// What put_many() did. A code below 0 is about messages[taken], the first that was not accepted.
struct many_result {
  result outcome{WS_OK};
  std::size_t taken = 0;
};

// The base of all handles.
class handle {
 public:
  // The handle for the functions of wspeer.h.
  ws_handle raw() const { return handle_; }
  wspeer::state state() const { return static_cast<wspeer::state>(ws_get_state(handle_)); }

  // Call it once a frame, for every handle but a server's clients.
  result poll() { return result(ws_poll(handle_)); }
  // The queued events, in order: `for (auto& event : peer.events())`.
  event_range events() { return event_range(handle_); }
  // Only the messages; other events stay queued.
  packet_range packets() { return packet_range(handle_); }
  template <std::size_t Capacity>
  bool read(batch<Capacity>& into) {
    return into.fill(handle_);
  }
  std::int32_t available() const { return ws_get_available(handle_); }

  // Queues a message for the peer; on a server or host for all clients.
  [[nodiscard]] result put(const outgoing& message) {
    return result(ws_put_packet(handle_, message.data(), message.size(), message.type()));
  }
  // Queues several messages, in order, up to the first that is not accepted: see ws_put_packets(). `messages` is an
  // array, a std::vector or anything else with data() and size().
  [[nodiscard]] many_result put_many(const addressed* messages, std::size_t count) {
    many_result out;
    // The objects are as large as their only member.
    out.outcome = result(ws_put_packets(handle_, count ? &messages->raw() : nullptr, count, &out.taken));
    return out;
  }
  template <class Messages>
  [[nodiscard]] many_result put_many(const Messages& messages) {
    return put_many(std::data(messages), std::size(messages));
  }
  // As put(), but the message takes the place of the one with this key that has not left: see ws_put_latest(). For what
  // is true now, such as the position of an object.
  [[nodiscard]] result put_latest(std::uint32_t key, const outgoing& message) { return put_latest_at(0, key, message); }
  result flush() { return result(ws_flush(handle_)); }
  // Code 0 means 1000, on a server 1001; -1 drops the connection at once.
  result close(std::int32_t code = 0, const std::string& reason = {}) {
    return result(ws_close(handle_, code, reason.c_str()));
  }

  std::string url() const { return text_of(WS_GET_URL); }
  std::string local_address() const { return text_of(WS_GET_LOCAL_ADDRESS); }
  std::uint16_t port() const { return static_cast<std::uint16_t>(option(WS_OPT_PORT).value_or(0)); }
  ws_stats stats() const {
    ws_stats stats{};
    ws_get_stats(handle_, &stats, sizeof stats);
    return stats;
  }
  // WS_OPT_*.
  std::optional<std::uint32_t> option(std::int32_t option) const {
    std::uint32_t value = 0;
    if (ws_get_option(handle_, option, &value) != WS_OK) return std::nullopt;
    return value;
  }
  result set_option(std::int32_t option, std::uint32_t value) { return result(ws_set_option(handle_, option, value)); }
  result set_user(std::size_t user) { return result(ws_set_user(handle_, user)); }
  // Simulates a bad network: see ws_set_sim(). On a server: for all clients, and those to come.
  result set_sim(const ws_sim& sim) { return result(ws_set_sim(handle_, &sim)); }
  // A perfect network again. What was held leaves at once, in order.
  result clear_sim() { return result(ws_set_sim(handle_, nullptr)); }
  // For ends of peer::pair() and peer::attach(): see ws_advance_time().
  result advance_time(std::uint32_t us) { return result(ws_advance_time(handle_, us)); }

 protected:
  handle() = default;
  explicit handle(ws_handle raw) : handle_(raw) {}
  handle(const handle&) = default;
  handle& operator=(const handle&) = default;
  ~handle() = default;

  std::string text_of(std::int32_t what) const {
    return detail::copy_text([&](char* buffer, std::size_t capacity, std::size_t* length) {
             return ws_get_text(handle_, what, buffer, capacity, length);
           })
        .value_or("");
  }
  result put_latest_at(std::int32_t target, std::uint32_t key, const outgoing& message) {
    return result(ws_put_latest(handle_, target, key, message.data(), message.size(), message.type()));
  }
  result publish_at(const std::string& topic, std::int32_t except, const outgoing& message) {
    return result(ws_publish(handle_, topic.c_str(), except, message.data(), message.size(), message.type()));
  }
  result publish_latest_at(const std::string& topic, std::int32_t except, std::uint32_t key, const outgoing& message) {
    return result(
        ws_publish_latest(handle_, topic.c_str(), except, key, message.data(), message.size(), message.type()));
  }

  ws_handle handle_ = 0;
};

// The base of single connections.
class connection : public handle {
 public:
  // The method of the request: "GET", or that of a plain HTTP request.
  std::string method() const { return text_of(WS_GET_METHOD); }
  std::string path() const { return text_of(WS_GET_PATH); }
  std::string query() const { return text_of(WS_GET_QUERY); }
  std::string subprotocol() const { return text_of(WS_GET_SUBPROTOCOL); }
  std::string close_reason() const { return text_of(WS_GET_CLOSE_REASON); }
  // How it ended, without taking its last event; false while it is open.
  bool end(event& into) const { return ws_get_end(handle_, into.out()) == WS_OK; }
  // Why it ended and what to do about it.
  std::string why() const { return text_of(WS_GET_ERROR); }
  std::string remote_address() const { return text_of(WS_GET_REMOTE_ADDRESS); }
  // Behind trusted_proxies: the proxy's.
  std::string peer_address() const { return text_of(WS_GET_PEER_ADDRESS); }
  // The first KiB of the body of a refused request.
  std::string body() const { return text_of(WS_GET_BODY); }
  std::string tls() const { return text_of(WS_GET_TLS); }
  std::string extensions() const { return text_of(WS_GET_EXTENSIONS); }
  // With WS_RECONNECT: changes what the next try requests. Without a value the headers of that name are removed.
  result set_url(const std::string& url) { return result(ws_set_url(handle_, url.c_str())); }
  result set_header(const std::string& name, const std::optional<std::string>& value) {
    return result(ws_set_header(handle_, name.c_str(), value ? value->c_str() : nullptr));
  }
  // A client: what the program knows of its device and network, WS_HINT_*.
  result hint(std::int32_t hint) { return result(ws_hint(handle_, hint)); }
  // A header of the request (a server's client) or the response (a client). `index` counts headers of the same name.
  std::optional<std::string> header(const std::string& name, std::uint32_t index = 0) const {
    return detail::copy_text([&](char* buffer, std::size_t capacity, std::size_t* length) {
      return ws_get_header(handle_, name.c_str(), index, buffer, capacity, length);
    });
  }

 protected:
  using handle::handle;
};

namespace detail {

// Frees its handle in the destructor. After free() the handle keeps its number, so that calls return code::err_handle.
template <class Base>
class owning : public Base {
 public:
  owning(const owning&) = delete;
  owning& operator=(const owning&) = delete;
  owning(owning&& other) noexcept : Base(std::exchange(other.handle_, 0)) {}
  owning& operator=(owning&& other) noexcept {
    if (this != &other) {
      free();
      this->handle_ = std::exchange(other.handle_, 0);
    }
    return *this;
  }
  ~owning() { free(); }

  // Frees it in any state. Data that the peer has not acknowledged may be lost: to be sure, close() and poll until
  // closed.
  void free() { ws_free(this->handle_); }

 protected:
  owning() = default;
  explicit owning(ws_handle raw) : Base(raw) {}
};

// Opens with `open(const ws_config*, ws_handle*)`.
template <class Open>
expected<ws_handle> open_with(const config& config, Open open) {
  ws_handle handle = 0;
  const ws_result result = config.use([&](const ws_config* raw) { return open(raw, &handle); });
  if (result < 0) return last_error(result);
  return handle;
}

template <class Owner>
expected<Owner> owned(const expected<ws_handle>& handle) {
  if (!handle) return handle.error();
  return Owner(*handle);
}

}  // namespace detail

// A client of a server. It owns nothing: copy it, keep it, use it as a key.
class client_ref : public connection {
 public:
  client_ref() = default;
  explicit client_ref(ws_handle raw) : connection(raw) {}

  // On a host: the client's id.
  std::int32_t peer_id() const { return ws_get_peer_id(handle_); }
  // After event_kind::request: opens the WebSocket. `subprotocol` is one that the client offers; nullptr chooses by
  // config::subprotocols. `headers` are more lines of the response, "Name: value".
  result accept(const char* subprotocol = nullptr, const std::vector<std::string>& headers = {}) {
    const std::vector<const char*> lines = detail::pointers_to(headers);
    return result(ws_accept(handle_, subprotocol, lines.data(), lines.size()));
  }
  // After event_kind::request: answers with an HTTP response, and ends the connection when it has left. `status` is 200
  // to 599.
  result reply(std::int32_t status, std::string_view body = {}, const std::vector<std::string>& headers = {}) {
    const std::vector<const char*> lines = detail::pointers_to(headers);
    const bytes_view bytes(body);
    return result(ws_reply(handle_, status, lines.data(), lines.size(), bytes.data(), bytes.size()));
  }
  // From now on the client receives what server::publish() sends to this topic.
  result subscribe(const std::string& topic) { return result(ws_subscribe(handle_, topic.c_str())); }
  result unsubscribe(const std::string& topic) { return result(ws_unsubscribe(handle_, topic.c_str())); }
  result unsubscribe_all() { return result(ws_unsubscribe(handle_, nullptr)); }
  // The topics that it has subscribed to, sorted.
  std::vector<std::string> topics() const { return detail::topics_of(handle_); }
  // Drops the client, without a DISCONNECTED event.
  void free() { ws_free(handle_); }

  friend bool operator==(client_ref a, client_ref b) { return a.handle_ == b.handle_; }
  friend bool operator!=(client_ref a, client_ref b) { return a.handle_ != b.handle_; }
  friend bool operator<(client_ref a, client_ref b) { return a.handle_ < b.handle_; }
};

inline client_ref packet::client() const { return client_ref(raw_.conn); }
// An empty client_ref must not mean all clients.
inline addressed::addressed(client_ref client, const outgoing& message)
    : addressed(client.raw() ? static_cast<std::int32_t>(client.raw()) : INT32_MAX, message) {}
inline client_ref event::client() const { return client_ref(raw_.conn); }

namespace detail {

// `list` is ws_get_conns or ws_get_waiting.
template <class List>
std::vector<client_ref> clients_of(ws_handle handle, List list) {
  std::vector<ws_handle> handles;
  // Repeat: clients may have connected between two calls.
  for (std::size_t count = 0; list(handle, handles.data(), handles.size(), &count) >= 0; handles.resize(count)) {
    if (count <= handles.size()) return {handles.begin(), handles.begin() + static_cast<std::ptrdiff_t>(count)};
  }
  return {};
}

}  // namespace detail

// A client, or one of two ends that are connected in memory.
class peer : public detail::owning<connection> {
 public:
  // Has no handle yet.
  peer() = default;
  // Takes ownership of a handle.
  explicit peer(ws_handle raw) : owning(raw) {}

  static expected<peer> connect(const std::string& url, const config& config = {}) {
    return detail::owned<peer>(detail::open_with(
        config, [&](const ws_config* raw, ws_handle* out) { return ws_connect(url.c_str(), raw, out); }));
  }
  // Finds out why connect() fails. It reports event_kind::step and then closed, whose text is the advice and whose
  // cause() is 0 if everything works. It sends and delivers no messages. See ws_diagnose().
  static expected<peer> diagnose(const std::string& url, const config& config = {}) {
    return detail::owned<peer>(detail::open_with(
        config, [&](const ws_config* raw, ws_handle* out) { return ws_diagnose(url.c_str(), raw, out); }));
  }
  // Returns the server's end and the client's end.
  static expected<std::pair<peer, peer>> pair(const config& config = {}) {
    ws_handle client = 0;
    auto server =
        detail::open_with(config, [&](const ws_config* raw, ws_handle* out) { return ws_pair(raw, out, &client); });
    if (!server) return server.error();
    return std::pair<peer, peer>(peer(*server), peer(client));
  }
  // The program transports the bytes; the role is WS_ROLE_CLIENT or WS_ROLE_SERVER.
  static expected<peer> attach(std::int32_t role, const config& config = {}) {
    return detail::owned<peer>(
        detail::open_with(config, [&](const ws_config* raw, ws_handle* out) { return ws_attach(raw, role, out); }));
  }
  // Returns how many bytes were taken; feed the remainder later.
  expected<std::size_t> feed(bytes_view bytes) {
    std::size_t taken = 0;
    const ws_result result =
        ws_feed(handle_, bytes.empty() ? outgoing(bytes).data() : bytes.data(), bytes.size(), &taken);
    if (result < 0) return detail::last_error(result);
    return taken;
  }
  // Reports that the transport has ended.
  result feed_end() { return result(ws_feed(handle_, nullptr, 0, nullptr)); }
  // Writes bytes to send into `buffer` and returns their number; call it until it returns 0.
  std::size_t take_output(std::uint8_t* buffer, std::size_t capacity) {
    std::size_t length = 0;
    ws_take_output(handle_, buffer, capacity, &length);
    return length;
  }
};

// As peer::diagnose.
inline expected<peer> diagnose(const std::string& url, const config& config = {}) {
  return peer::diagnose(url, config);
}

// A self-signed certificate for development and games on a local network: PEM texts, and the SHA-256 for
// config::pin_sha256.
struct certificate {
  std::string cert_pem, key_pem, sha256;

  // For DNS names and IP addresses, "localhost, 127.0.0.1", from a day before now for `days` (1 to 36500).
  static expected<certificate> make(const std::string& names, std::uint32_t days = 365) {
    // Any certificate fits.
    std::string cert(65536, 0), key(4096, 0), sha256(65, 0);
    const ws_result result = ws_make_certificate(names.c_str(), days, &cert[0], cert.size(), &key[0], key.size(),
                                                 &sha256[0], sha256.size());
    if (result < 0) return detail::last_error(result);
    return certificate{cert.c_str(), key.c_str(), sha256.c_str()};
  }
};

class server : public detail::owning<handle> {
 public:
  server() = default;
  explicit server(ws_handle raw) : owning(raw) {}

  static expected<server> listen(const std::string& url, const config& config = {}) {
    return detail::owned<server>(detail::open_with(
        config, [&](const ws_config* raw, ws_handle* out) { return ws_listen(url.c_str(), raw, out); }));
  }

  [[nodiscard]] result put_to(client_ref client, const outgoing& message) { return put_at(target(client), message); }
  [[nodiscard]] result put_except(client_ref client, const outgoing& message) {
    return put_at(-target(client), message);
  }
  // As put_latest(), to one client or to all but one.
  [[nodiscard]] result put_latest_to(client_ref client, std::uint32_t key, const outgoing& message) {
    return put_latest_at(target(client), key, message);
  }
  [[nodiscard]] result put_latest_except(client_ref client, std::uint32_t key, const outgoing& message) {
    return put_latest_at(-target(client), key, message);
  }
  // Sends to the clients that have subscribed to a topic (client_ref::subscribe()), but not to `except`.
  [[nodiscard]] result publish(const std::string& topic, const outgoing& message, client_ref except = {}) {
    return publish_at(topic, static_cast<std::int32_t>(except.raw()), message);
  }
  // The same, where each of them gets it in the place of an older one with this key, as put_latest() does.
  [[nodiscard]] result publish_latest(const std::string& topic, std::uint32_t key, const outgoing& message,
                                      client_ref except = {}) {
    return publish_latest_at(topic, static_cast<std::int32_t>(except.raw()), key, message);
  }
  // All topics that have subscribers, sorted.
  std::vector<std::string> topics() const { return detail::topics_of(handle_); }
  result disconnect(client_ref client, std::int32_t code = 0, const std::string& reason = {}) {
    return result(ws_disconnect(handle_, target(client), code, reason.c_str()));
  }
  // Replaces the certificate of a wss:// server for new connections. If it cannot be used, the old one stays.
  result set_certificate(const std::string& cert_pem, const std::string& key_pem) {
    return result(ws_set_certificate(handle_, cert_pem.c_str(), key_pem.c_str()));
  }
  // Serves the files of a directory to GET and HEAD requests for paths below prefix: flags are 0 or WS_SERVE_ISOLATED.
  result serve(const std::string& prefix, const std::string& directory, std::uint32_t flags = 0) {
    return result(ws_serve(handle_, prefix.c_str(), directory.c_str(), flags));
  }
  result stop_serving(const std::string& prefix) { return result(ws_serve(handle_, prefix.c_str(), nullptr, 0)); }
  // Ends it without losing its players, within `window_ms`; they come back after `retry_ms` at least, to `url` or to the
  // URL that they have. See ws_drain().
  result drain(std::uint32_t window_ms, std::uint32_t retry_ms = 0, const std::string& url = {}) {
    return result(ws_drain(handle_, window_ms, retry_ms, url.c_str()));
  }
  std::vector<client_ref> clients() const { return detail::clients_of(handle_, ws_get_conns); }
  // The clients with queued events, for programs that read each client separately.
  std::vector<client_ref> waiting() const { return detail::clients_of(handle_, ws_get_waiting); }

 private:
  // An empty client_ref must not mean all clients.
  static std::int32_t target(client_ref client) {
    return client.raw() ? static_cast<std::int32_t>(client.raw()) : INT32_MAX;
  }
  result put_at(std::int32_t target, const outgoing& message) {
    return result(ws_put_packet_to(handle_, target, message.data(), message.size(), message.type()));
  }
};

// A host, peer 1, or a client that joined one. Ids and targets are Godot's: above 0 one peer, 0 everyone, below 0
// everyone but that peer.
class multiplayer : public detail::owning<connection> {
 public:
  multiplayer() = default;
  explicit multiplayer(ws_handle raw) : owning(raw) {}

  static expected<multiplayer> host(const std::string& url, const config& config = {}) {
    return detail::owned<multiplayer>(detail::open_with(
        config, [&](const ws_config* raw, ws_handle* out) { return ws_host(url.c_str(), raw, out); }));
  }
  static expected<multiplayer> join(const std::string& url, const config& config = {}) {
    return detail::owned<multiplayer>(detail::open_with(
        config, [&](const ws_config* raw, ws_handle* out) { return ws_join(url.c_str(), raw, out); }));
  }
  // The player on the host's own machine, connected in memory.
  expected<multiplayer> join_local(const config& config = {}) {
    return detail::owned<multiplayer>(detail::open_with(
        config, [&](const ws_config* raw, ws_handle* out) { return ws_join_local(handle_, raw, out); }));
  }

  // 0 until the id arrives.
  std::int32_t peer_id() const { return ws_get_peer_id(handle_); }
  [[nodiscard]] result put_to(std::int32_t target, const outgoing& message) {
    return result(ws_put_packet_to(handle_, target, message.data(), message.size(), message.type()));
  }
  // As put_latest(), to a target; 0: where put() sends it.
  [[nodiscard]] result put_latest_to(std::int32_t target, std::uint32_t key, const outgoing& message) {
    return put_latest_at(target, key, message);
  }
  // Host: as server::publish() and the like, but not to the peer `except`. client(id)->subscribe() subscribes.
  [[nodiscard]] result publish(const std::string& topic, const outgoing& message, std::int32_t except = 0) {
    return publish_at(topic, except, message);
  }
  [[nodiscard]] result publish_latest(const std::string& topic, std::uint32_t key, const outgoing& message,
                                      std::int32_t except = 0) {
    return publish_latest_at(topic, except, key, message);
  }
  std::vector<std::string> topics() const { return detail::topics_of(handle_); }
  result disconnect(std::int32_t target, std::int32_t code = 0, const std::string& reason = {}) {
    return result(ws_disconnect(handle_, target, code, reason.c_str()));
  }
  // As server::set_certificate.
  result set_certificate(const std::string& cert_pem, const std::string& key_pem) {
    return result(ws_set_certificate(handle_, cert_pem.c_str(), key_pem.c_str()));
  }
  // Host: as server::serve and server::stop_serving.
  result serve(const std::string& prefix, const std::string& directory, std::uint32_t flags = 0) {
    return result(ws_serve(handle_, prefix.c_str(), directory.c_str(), flags));
  }
  result stop_serving(const std::string& prefix) { return result(ws_serve(handle_, prefix.c_str(), nullptr, 0)); }
  // Host: as server::drain.
  result drain(std::uint32_t window_ms, std::uint32_t retry_ms = 0, const std::string& url = {}) {
    return result(ws_drain(handle_, window_ms, retry_ms, url.c_str()));
  }
  // With WS_SCENE: declares a node and all its RPCs, "hello, move, shoot"; ws_encode_call() encodes calls and
  // ws_decode_call() decodes them.
  result declare_node(const std::string& path, const std::string& methods) {
    return result(ws_declare_node(handle_, path.c_str(), methods.c_str()));
  }
  result forget_node(const std::string& path) { return result(ws_declare_node(handle_, path.c_str(), nullptr)); }
  // With WS_SCENE: declares a scene of a MultiplayerSpawner, with the properties of its synchronizers:
  // ".:position, .:skin spawn; Body:health spawn change". `authority` is the peer that may spawn, 0 this program.
  result declare_scene(const std::string& spawner, std::int32_t authority, std::uint32_t scene,
                       const std::string& synchronizers) {
    return result(ws_declare_scene(handle_, spawner.c_str(), authority, scene, synchronizers.c_str()));
  }
  result forget_scene(const std::string& spawner, std::uint32_t scene) {
    return result(ws_declare_scene(handle_, spawner.c_str(), 0, scene, nullptr));
  }
  // Declares a MultiplayerSynchronizer by its path. The value is its number for sync(), 0 if another peer is the
  // authority.
  expected<std::uint32_t> declare_synchronizer(const std::string& path, std::int32_t authority,
                                               const std::string& properties) {
    std::uint32_t node = 0;
    const ws_result done = ws_declare_synchronizer(handle_, path.c_str(), authority, properties.c_str(), &node);
    if (done < 0) return detail::last_error(done);
    return node;
  }
  result forget_synchronizer(const std::string& path) {
    return result(ws_declare_synchronizer(handle_, path.c_str(), 0, nullptr, nullptr));
  }
  // Spawns a node at all peers that may see it, those to come included. `items` are pairs of a STRING, the name of a
  // property, and its value; for WS_CUSTOM_SCENE they begin with the data. The value is the node's number.
  expected<std::uint32_t> spawn(const std::string& spawner, std::uint32_t scene, const std::string& name,
                                items_view items = {}) {
    std::uint32_t node = 0;
    const ws_result done =
        ws_spawn(handle_, spawner.c_str(), scene, name.c_str(), items.data(), items.size(), &node);
    if (done < 0) return detail::last_error(done);
    return node;
  }
  result despawn(std::uint32_t node) { return result(ws_despawn(handle_, node)); }
  // Sends new values of properties of a node, pairs as for spawn().
  result sync(std::uint32_t node, items_view items) {
    return result(ws_sync(handle_, node, items.data(), items.size()));
  }
  // Shows or hides a node to one peer, or to all with 0.
  result set_visible(std::uint32_t node, bool visible, std::int32_t peer_id = 0) {
    return result(ws_set_visible(handle_, node, peer_id, visible ? 1 : 0));
  }
  // With WS_AUTH, after event_kind::authenticating.
  result send_auth(std::int32_t peer_id, bytes_view data) {
    return result(ws_send_auth(handle_, peer_id, data.data(), data.size()));
  }
  result complete_auth(std::int32_t peer_id) { return result(ws_complete_auth(handle_, peer_id)); }
  // On a host: the connection to a peer.
  std::optional<client_ref> client(std::int32_t peer_id) const {
    ws_handle found = 0;
    if (ws_get_conn(handle_, peer_id, &found) != WS_OK) return std::nullopt;
    return client_ref(found);
  }
  // On a host: the clients that have joined.
  std::vector<client_ref> clients() const { return detail::clients_of(handle_, ws_get_conns); }
  std::vector<client_ref> waiting() const { return detail::clients_of(handle_, ws_get_waiting); }
};

// Waits until one of the handles has something to poll or to read, for programs without frames; false: the time is
// over. -1 means no time limit.
template <class... Handles>
bool wait(std::int32_t timeout_ms, const Handles&... handles) {
  const ws_handle raw[] = {handles.raw()...};
  return ws_wait(raw, sizeof...(handles), timeout_ms) == WS_OK;
}

// Frees everything that was opened with this config->owner.
inline void free_owner(std::uint32_t owner) { ws_free_owner(owner); }
// Frees everything and asks the library's threads to end, without waiting for them.
inline void shutdown() { ws_shutdown(); }
// WS_LOG_*.
inline result set_log_level(std::int32_t level) { return result(ws_set_log_level(level)); }
// Sets the name that your users know for a word of the header, such as "max_message_bytes", in all later error texts.
inline result set_name(const std::string& word, const std::string& name) {
  return result(ws_set_name(word.c_str(), name.c_str()));
}
// Takes the next log line.
inline std::optional<std::string> next_log() { return detail::copy_text(ws_get_log); }
// WS_FEATURE_*.
inline std::uint32_t features() { return ws_get_features(); }
// Whether the loaded library fits this header; if not, do not use it.
inline bool fits() {
  return ws_abi_version() == WS_ABI_VERSION && ws_struct_size(WS_STRUCT_PACKET) == sizeof(ws_packet) &&
         ws_struct_size(WS_STRUCT_EVENT) == sizeof(ws_event) && ws_struct_size(WS_STRUCT_CONFIG) >= sizeof(ws_config) &&
         ws_struct_size(WS_STRUCT_STATS) >= sizeof(ws_stats) &&
         ws_struct_size(WS_STRUCT_REPLICATED) == sizeof(ws_replicated) &&
         ws_struct_size(WS_STRUCT_SIM) >= sizeof(ws_sim);
}

}  // namespace wspeer

template <>
struct std::hash<wspeer::client_ref> {
  std::size_t operator()(wspeer::client_ref client) const noexcept { return std::hash<ws_handle>()(client.raw()); }
};

#endif
