# WSClient: order of signals, packets, states, TLS, errors, handlers that connect again, losses; with WSServer at the other
# end.
extends "res://check.gd"

const Relay := preload("relay.gd")

var reported := []
var server: WSServer
var client: WSClient

func serve(tls: TLSOptions = null, protocols := PackedStringArray()) -> String:
	server = WSServer.new()
	server.data_received.connect(func(id): server.send(id, server.get_packet(id), WSPeer.WRITE_MODE_TEXT))
	check(server.listen(0, protocols, "127.0.0.1", tls) == OK, "a server listens")
	return "%s://localhost:%d" % ["wss" if tls else "ws", server.get_local_port()]

func make() -> WSClient:
	reported.clear()
	client = WSClient.new()
	client.connection_established.connect(func(protocol): reported.append(["established", protocol]))
	client.connection_closed.connect(func(clean): reported.append(["closed", clean]))
	client.connection_error.connect(func(): reported.append(["error"]))
	client.data_received.connect(func(): reported.append(["data", client.get_peer(1).get_packet().get_string_from_utf8()]))
	client.server_close_request.connect(func(code, reason): reported.append(["close", code, reason]))
	client.lost.connect(func(): reported.append(["lost"]))
	client.resumed.connect(func(): reported.append(["resumed"]))
	return client

func until(condition: Callable, what: String, more := []) -> void:
	check(wait([server, client] + more, condition), "%s: %s" % [what, reported])

func life() -> void:
	var url := serve(null, ["chat"])
	make()
	check(client.get_connection_status() == WSClient.CONNECTION_DISCONNECTED and not client.get_peer(1).is_connected_to_host()
			and client.get_peer(1) == client.get_peer(1), "a new client is disconnected")
	check(client.connect_to_url(url, ["chat", "other"], false, ["X-Token: 7"]) == OK, "it connects")
	check(client.get_connection_status() == WSClient.CONNECTION_CONNECTING, "it is connecting")
	check(client.connect_to_url(url) == ERR_ALREADY_IN_USE, "it cannot connect twice")
	until(func(): return reported == [["established", "chat"]] and server.get_peers().size() == 1,
			"connection_established has the subprotocol")
	var id: int = server.get_peers()[0]
	check(client.get_connection_status() == WSClient.CONNECTION_CONNECTED, "it is connected")
	check(server.get_peer(id).get_received_header("X-Token") == "7", "the server got the header")
	check(client.get_connected_host() == "127.0.0.1" and client.get_connected_port() == server.get_local_port(),
			"it has the server's address")
	var peer: WSPeer = client.get_peer(1)
	check(peer is WSPeer and peer.is_connected_to_host() and peer.get_requested_url() == url, "get_peer(1) is the connection")
	check(client.get_peer(2) == null and not client.has_method("get_packet"), "there is no other peer")
	peer.put_packet("one".to_utf8_buffer())
	peer.put_packet("two".to_utf8_buffer())
	until(func(): return reported.size() == 3, "packets come back")
	check(reported.slice(1) == [["data", "one"], ["data", "two"]] and peer.was_string_packet(), "one signal for each")
	check(peer.get_write_mode() == WSPeer.WRITE_MODE_BINARY, "packets are bytes")
	peer.set_write_mode(WSPeer.WRITE_MODE_TEXT)
	var texts := []
	for connection in server.data_received.get_connections():
		server.data_received.disconnect(connection.callable)
	server.data_received.connect(func(_id): texts.append([server.get_packet(id), server.was_string_packet(id)]))
	peer.put_packet("text".to_utf8_buffer())
	until(func(): return texts == [["text".to_utf8_buffer(), true]], "or texts, after set_write_mode()")
	client.disconnect_from_host(4001, "enough")
	until(func(): return reported.size() == 4, "it disconnects")
	check(reported[3] == ["closed", true] and client.get_connection_status() == WSClient.CONNECTION_DISCONNECTED,
			"connection_closed is clean")
	check(client.get_peer(1) == peer and peer.get_close_code() == 4001, "the peer says how it ended")
	client.poll()
	client.disconnect_from_host()
	check(reported.size() == 4, "nothing more comes")

func closed_by_the_server() -> void:
	var url := serve()
	make()
	client.connect_to_url(url)
	until(func(): return reported.size() == 1 and server.get_peers().size() == 1, "it connects")
	var id: int = server.get_peers()[0]
	server.send_text(id, "last")
	server.disconnect_peer(id, 4002, "go")
	until(func(): return reported.size() == 4, "the server closes")
	check(reported.slice(1) == [["data", "last"], ["close", 4002, "go"], ["closed", true]],
			"the last packet, server_close_request, connection_closed")

func nobody() -> void:
	make()
	server = WSServer.new()
	server.listen(0, [], "127.0.0.1")
	var url := "ws://127.0.0.1:%d" % server.get_local_port()
	server.stop()
	server.poll()
	check(client.connect_to_url(url) == OK, "it connects to a port that nobody has")
	until(func(): return reported == [["error"]], "connection_error")
	check(client.get_peer(1).get_close_message() != "", "which the peer explains")
	check(client.connect_to_url("nonsense://") == ERR_INVALID_PARAMETER
			and client.get_connection_status() == WSClient.CONNECTION_DISCONNECTED, "a wrong URL is refused at once")
	check(client.connect_to_url(url, [], true) == ERR_UNAVAILABLE, "gd_mp_api is refused")
	url = serve()
	check(client.connect_to_url(url, ["unknown"]) == OK, "it offers a subprotocol that the server does not know")
	until(func(): return reported == [["error"], ["error"]], "connection_error again")
	client.connect_to_url(url)
	client.disconnect_from_host()
	until(func(): return reported.size() == 3, "closed before it was open")
	check(reported[2] == ["error"], "that is an error too")

# A handler of connection_closed connects again, as programs do; one that drops the last reference.
func again() -> void:
	var url := serve()
	make()
	var left := [3]
	client.connection_closed.connect(func(_clean):
		left[0] -= 1
		if left[0]:
			check(client.connect_to_url(url) == OK, "a handler connects again"))
	client.connection_established.connect(func(_protocol): client.disconnect_from_host())
	client.connect_to_url(url)
	until(func(): return left[0] == 0, "three connections")
	check(reported == [["established", ""], ["closed", true], ["established", ""], ["closed", true], ["established", ""],
			["closed", true]], "each reported once")
	var gone := WSClient.new()
	var holder := [gone]
	gone.connection_established.connect(func(_protocol): holder.clear())
	gone.connect_to_url(url)
	gone = null
	check(wait([server], func():
		for one in holder.duplicate():
			one.poll()
		return holder.is_empty()), "a handler drops the client")
	check(wait([server], func(): return server.get_peers().is_empty()), "whose connection ends")

# The peer is a WSPeer like any other: a script may use it for another connection, which ends that of the client.
func taken_over() -> void:
	var url := serve()
	make()
	client.connect_to_url(url)
	until(func(): return reported.size() == 1, "it connects")
	var peer := client.get_peer(1)
	peer.close(-1)
	check(peer.connect_to_url(url) == OK, "its peer is used for another connection")
	until(func(): return reported == [["established", ""], ["closed", false]], "that of the client has ended")
	check(client.connect_to_url(url) == OK and client.get_peer(1) != peer, "it connects with another peer")
	until(func(): return reported.size() == 3, "and is connected")

func unread() -> void:
	var url := serve()
	make()
	for connection in client.data_received.get_connections():
		client.data_received.disconnect(connection.callable)
	var told := [0]
	client.data_received.connect(func(): told[0] += 1)
	client.connect_to_url(url)
	until(func(): return server.get_peers().size() == 1 and reported.size() == 1, "it connects")
	server.broadcast_text("one")
	server.broadcast_text("two")
	server.disconnect_peer(server.get_peers()[0])
	until(func(): return client.get_peer(1).get_ready_state() == WSPeer.STATE_CLOSED, "the server closes")
	client.poll()
	check(told[0] == 2 and reported.size() == 1, "with unread packets the end is not reported")
	check(client.get_connection_status() == WSClient.CONNECTION_CONNECTED, "and it counts as connected")
	check(client.get_peer(1).get_packet().get_string_from_utf8() == "one", "a packet is read")
	var polls := 0
	while reported.size() == 1 and polls < 400:
		client.poll()
		polls += 1
	check(polls > 180 and polls < 400 and reported.back() == ["closed", true],
			"the other one is discarded after 180 polls without a read: %d" % polls)

func settings() -> void:
	make()
	check(client.set_buffers(1, 5, 2, 7) == OK and client.inbound_buffer_size == 1024 and client.outbound_buffer_size == 2048
			and client.max_queued_packets == 7, "set_buffers() sets the limits")
	check(client.set_buffers(0, 1, 1, 1) == ERR_INVALID_PARAMETER, "of at least 1")
	var url := serve()
	check(server.set_buffers(64, 9, 128, 8) == OK and server.inbound_buffer_size == 65536 and server.max_queued_packets == 9,
			"of a server too")
	server.set_extra_headers(["X-Game: chess"])
	check(server.handshake_headers == PackedStringArray(["X-Game: chess"]), "set_extra_headers() sets them")
	client.heartbeat_interval = 0.05
	client.connect_to_url(url)
	until(func(): return reported.size() == 1 and client.get_peer(1).get_round_trip_time() > 0.0,
			"its properties apply to the connection")
	client.outbound_buffer_size = 10
	check(client.get_peer(1).send(PackedByteArray([1])) == OK, "also while it is open")

func encrypted() -> void:
	var crypto := Crypto.new()
	var key := crypto.generate_rsa(2048)
	var certificate := crypto.generate_self_signed_certificate(key, "CN=localhost,O=wspeer,C=DE")
	var url := serve(TLSOptions.server(key, certificate))
	make()
	check(client.verify_ssl and client.trusted_ssl_certificate == null, "certificates are verified by default")
	client.connect_to_url(url)
	until(func(): return reported == [["error"]], "an unknown certificate is refused")
	client.verify_ssl = false
	client.connect_to_url(url)
	until(func(): return reported.back() == ["established", ""], "with verify_ssl = false it is trusted")
	make()
	client.trusted_ssl_certificate = certificate
	check(client.trusted_ssl_certificate == certificate, "a certificate is set")
	client.connect_to_url(url)
	until(func(): return reported.size() == 1, "the trusted certificate")
	check(reported == [["established", ""]], "is trusted")
	make()
	client.connect_to_url(url, [], false, [], TLSOptions.client_unsafe())
	until(func(): return reported == [["established", ""]], "TLSOptions work as well")

func losses() -> void:
	serve()
	server.stop()
	server.poll()
	server.session_timeout = 60
	server.listen(0, [], "127.0.0.1")
	var relay := Relay.new(server.get_local_port())
	make()
	client.session_timeout = 60
	client.retry_min_delay = 0.001
	client.retry_max_delay = 0.02
	client.max_retries = 0
	client.connect_to_url(relay.url())
	until(func(): return reported.size() == 1 and server.get_peers().size() == 1, "it connects through a relay", [relay])
	relay.cut()
	until(func(): return reported.back() == ["lost"], "lost", [relay])
	check(client.get_peer(1).send_text("kept") == OK and client.get_peer(1).is_connected_to_host(),
			"packets are accepted meanwhile")
	relay.mend()
	until(func(): return reported.size() == 4, "another link continues the session", [relay])
	check(reported == [["established", ""], ["lost"], ["resumed"], ["data", "kept"]], "resumed, and nothing is lost")

# The properties sim_* of all classes.
func simulated() -> void:
	for name in ["WSPeer", "WSClient", "WSServer", "WSMultiplayerPeer"]:
		var shown := []
		var is_group := false
		for about in ClassDB.class_get_property_list(name, true):
			is_group = is_group or (about.usage & PROPERTY_USAGE_GROUP and about.name == "Simulated Network")
			if about.usage & PROPERTY_USAGE_EDITOR and about.name.begins_with("sim_"):
				shown.append(about.name)
		check(shown == ["sim_network", "sim_lag", "sim_jitter", "sim_loss", "sim_bandwidth", "sim_seed"] and is_group,
				"%s shows its simulated network in the editor, as a group: %s" % [name, shown])
	var url := serve()
	make()
	client.sim_lag = 0.1
	client.connect_to_url(url)
	until(func(): return reported.size() == 1, "it connects over a simulated network")
	var began := Time.get_ticks_usec()
	client.get_peer(1).send_text("there and back")
	until(func(): return reported.size() == 2, "a packet comes back")
	var took := Time.get_ticks_usec() - began
	check(took >= 200000, "after twice the lag: %d us" % took)
	client.get_peer(1).send_text("held")
	client.poll()
	check(client.get_peer(1).get_stats().sim_bytes > 0, "packets are held")
	client.sim_lag = 0
	until(func(): return reported.size() == 3, "until it is switched off")
	check(client.get_peer(1).get_stats().sim_bytes == 0, "then none is")
	client.sim_loss = 7
	check(client.sim_loss == 7, "a wrong figure is printed as an error")
	client.sim_loss = 0
	server.sim_network = WSPeer.SIM_SATELLITE
	client.get_peer(1).send_text("x")
	var held := func(): return server.get_stats().sim_bytes > 0 or server.get_peer(server.get_peers()[0]).get_stats().sim_bytes > 0
	until(held, "a server's network is that of its clients")
	server.sim_network = WSPeer.SIM_NONE
	until(func(): return reported.size() == 4, "and can be switched off")
	var host := WSMultiplayerPeer.new()
	host.sim_lag = 0.05
	host.create_server(0, "127.0.0.1")
	var join := WSMultiplayerPeer.new()
	join.create_client("ws://127.0.0.1:%d" % host.get_local_port())
	began = Time.get_ticks_usec()
	check(wait([host, join], func(): return join.get_connection_status() == MultiplayerPeer.CONNECTION_CONNECTED)
			and Time.get_ticks_usec() - began >= 50000, "a game has a simulated network")

func _initialize() -> void:
	life()
	closed_by_the_server()
	nobody()
	again()
	taken_over()
	unread()
	settings()
	encrypted()
	losses()
	simulated()
	server = null
	client = null
	finish()
