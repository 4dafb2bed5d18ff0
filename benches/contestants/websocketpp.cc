// websocketpp on asio without threads: the client polls its io_service, as a frame loop would.
#include "../harness/bench.h"

#include <websocketpp/client.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/config/asio_no_tls_client.hpp>
#include <websocketpp/server.hpp>

#include <chrono>
#include <set>
#include <string>

using Client = websocketpp::client<websocketpp::config::asio_client>;
using Server = websocketpp::server<websocketpp::config::asio>;
using websocketpp::connection_hdl;
static const auto binary = websocketpp::frame::opcode::binary;

static void check(const websocketpp::lib::error_code &error) {
  if (error) bench_fail(error.message().c_str());
}

template <class Endpoint> static void prepare(Endpoint &endpoint) {
  endpoint.clear_access_channels(websocketpp::log::alevel::all);
  endpoint.clear_error_channels(websocketpp::log::elevel::all);
  endpoint.init_asio();
  endpoint.set_tcp_post_init_handler([&endpoint](connection_hdl handle) {
    endpoint.get_con_from_hdl(handle)->get_raw_socket().set_option(asio::ip::tcp::no_delay(true));
  });
}

// The client.

static Client client;
static Client::connection_ptr peer;

void client_open(int port, const char *ca) {
  if (ca) bench_fail("not measured over TLS");
  prepare(client);
  bool open = false;
  client.set_open_handler([&open](connection_hdl) { open = true; });
  client.set_fail_handler([](connection_hdl) { bench_fail("no connection"); });
  client.set_message_handler([](connection_hdl, Client::message_ptr message) {
    const std::string &payload = message->get_payload();
    bench_got(reinterpret_cast<const uint8_t *>(payload.data()), payload.size());
  });
  websocketpp::lib::error_code error;
  peer = client.get_connection("ws://127.0.0.1:" + std::to_string(port), error);
  check(error);
  client.connect(peer);
  while (!open) client.run_one();
}

void client_put(const uint8_t *data, size_t len) {
  check(peer->send(data, len, binary));
}

void client_flush(void) {
  client.poll();
}

void client_poll(void) {
  client.poll();
}

// The server.

static Server server;
static std::set<connection_hdl, std::owner_less<connection_hdl>> connections;

int server_open(void) {
  prepare(server);
  server.set_open_handler([](connection_hdl handle) { connections.insert(handle); });
  server.set_close_handler([](connection_hdl handle) { connections.erase(handle); });
  server.set_fail_handler([](connection_hdl handle) { connections.erase(handle); });
  server.set_message_handler([](connection_hdl handle, Server::message_ptr message) {
    websocketpp::lib::error_code error;
    server.send(handle, message->get_payload(), binary, error);
  });
  server.set_listen_backlog(4096);
  server.listen(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  server.start_accept();
  websocketpp::lib::asio::error_code error;
  return server.get_local_endpoint(error).port();
}

void server_poll(int wait_ms) {
  if (wait_ms) server.get_io_service().run_one_for(std::chrono::milliseconds(wait_ms));
  server.poll();
}

void server_put(const uint8_t *data, size_t len) {
  for (const connection_hdl &handle : connections) {
    websocketpp::lib::error_code error;
    server.send(handle, data, len, binary, error);
  }
}
