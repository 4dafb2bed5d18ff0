# WSPeer with WSPeer and with the engine's WebSocketPeer, in both roles, over accept_stream().
extends "res://check.gd"

func pair(client, server, url_path := "/") -> Array:
	var listener := TCPServer.new()
	listener.listen(0, "127.0.0.1")
	check(client.connect_to_url("ws://127.0.0.1:%d%s" % [listener.get_local_port(), url_path]) == OK,
			"%s connects" % client.get_class())
	check(wait([client], listener.is_connection_available), "a connection arrives")
	check(server.accept_stream(listener.take_connection()) == OK, "%s accepts a stream" % server.get_class())
	check(wait([client, server], func(): return client.get_ready_state() == 1 and server.get_ready_state() == 1),
			"both are open")
	return [client, server, listener.get_local_port()]

func talk(client, server) -> void:
	var both := "%s to %s" % [client.get_class(), server.get_class()]
	var polled := [client, server]
	client.send_text("grüße")
	client.put_packet(PackedByteArray([1, 2, 3]))
	client.put_var({"a": [1, 2.5, "x"]})
	client.send(PackedByteArray([65]), 0)
	client.send(PackedByteArray())
	check(wait(polled, func(): return server.get_available_packet_count() == 5), "%s: five packets arrive" % both)
	check(server.get_packet().get_string_from_utf8() == "grüße" and server.was_string_packet(), "%s: a text" % both)
	check(server.get_packet() == PackedByteArray([1, 2, 3]) and not server.was_string_packet(), "%s: bytes" % both)
	check(server.get_var() == {"a": [1, 2.5, "x"]}, "%s: a Variant" % both)
	check(server.get_packet() == PackedByteArray([65]) and server.was_string_packet(), "%s: send() as text" % both)
	check(server.get_packet().is_empty() and server.get_packet_error() == OK, "%s: an empty packet" % both)
	check(server.get_packet().is_empty() and server.get_packet_error() != OK, "%s: no further packets" % both)
	var large := PackedByteArray()
	large.resize(60000)
	large.fill(7)
	server.put_packet(large)
	check(wait(polled, func(): return client.get_available_packet_count() == 1) and client.get_packet() == large,
			"%s: 60 kB back" % both)
	server.close(4001, "bye")
	check(wait(polled, func(): return client.get_ready_state() == 3 and server.get_ready_state() == 3),
			"%s: closes" % both)
	check(client.get_close_code() == 4001 and client.get_close_reason() == "bye", "%s: with code and reason" % both)

func simulated() -> void:
	var client := WSPeer.new()
	var server := WSPeer.new()
	check(client.set_sim({}) != OK, "a peer that is nowhere has no network")
	pair(client, server)
	var satellite: Dictionary = client.sim_preset(WSPeer.SIM_SATELLITE)
	check(satellite.up_lag_us == 300000 and satellite.size() == 25, "a preset has its figures")
	check(client.sim_preset(99).is_empty(), "there is no such preset")
	for wrong in [{"up_lag_us": -1}, {"up_lag_us": 60000001}, {"lag": 1}]:
		check(client.set_sim(wrong) == ERR_INVALID_PARAMETER, "figures that cannot be: %s" % wrong)
	check(client.set_sim(satellite) == OK and client.get_stats().sim_bytes == 0, "a network is simulated")
	client.send_text("one")
	check(client.get_stats().sim_bytes == 64 + 9, "it holds a message")
	check(client.set_sim({}) == OK, "and is perfect again")
	check(wait([client, server], func(): return server.get_available_packet_count() == 1), "what it held arrives")
	check(client.advance_time(1) == FAILED and server.advance_time(-1) == ERR_INVALID_PARAMETER,
			"a socket has no time of its own")
	check(server.set_sim({"down_lag_us": 50000}) == OK and server.advance_time(0) == OK, "time stands still")
	server.send_text("two")
	for step in 49:
		server.advance_time(1000)
		server.poll()
		client.poll()
	check(client.get_available_packet_count() == 0, "a message is on its way for 50 ms")
	server.advance_time(1000)
	check(wait([client, server], func(): return client.get_available_packet_count() == 1), "and then arrives")
	client.close(-1)
	server.close(-1)

func ours() -> void:
	var client := WSPeer.new()
	var server := WSPeer.new()
	client.handshake_headers = ["X-Token: abc"]
	client.supported_protocols = ["v2", "v1"]
	server.supported_protocols = ["v1"]
	server.handshake_headers = ["X-Answer: 42"]
	server.compression_enabled = true
	client.compression_enabled = true
	var port: int = pair(client, server, "/room?name=a")[2]
	check(client.get_selected_protocol() == "v1" and server.get_selected_protocol() == "v1", "a subprotocol is negotiated")
	check(client.get_requested_url() == "ws://127.0.0.1:%d/room?name=a" % port, "the client has its URL")
	check(server.get_requested_path() == "/room" and server.get_requested_query() == "name=a",
			"the server has path and query")
	check(server.get_received_header("x-token") == "abc" and client.get_received_header("X-ANSWER") == "42",
			"headers of the other end are readable")
	check(client.get_selected_extensions().begins_with("permessage-deflate"), "compression is negotiated")
	check(client.get_connected_host() == "127.0.0.1" and client.get_connected_port() == port,
			"the client has the host and port of its server")
	check(server.get_connected_host() == "127.0.0.1" and server.get_connected_port() == client.get_local_port(),
			"the server has the address of its client")
	check(client.connect_to_url("ws://127.0.0.1:1") == ERR_ALREADY_IN_USE, "connecting an open peer is refused")
	client.send_text("a".repeat(1000))
	check(wait([client, server], func(): return server.get_available_packet_count() == 1), "a compressed packet arrives")
	check(server.get_stats().compressed_in == 1 and server.get_stats().wire_bytes_in < 600, "small")
	server.send_text("last words")
	server.close(3000, "ü".repeat(100))
	check(wait([client, server], func(): return client.get_ready_state() == 3),
			"it closes, with a reason that is too long")
	check(client.get_close_code() == 3000 and client.get_close_reason() == "ü".repeat(61),
			"the reason is truncated between characters")
	check(client.get_available_packet_count() == 1, "packets before the close are readable")
	check(client.was_clean_close() and client.get_close_cause() == WSPeer.CAUSE_CLOSED_BY_PEER, "the cause is reported")
	var types := []
	var event := client.next_event()
	while event:
		types.append(event.type)
		event = client.next_event()
	check(types == [WSPeer.EVENT_OPEN, WSPeer.EVENT_MESSAGE, WSPeer.EVENT_CLOSE_REQUEST, WSPeer.EVENT_CLOSED],
			"events are in order")
	check(client.connect_to_url("ws://127.0.0.1:%d" % port) == OK, "a closed peer connects again")
	check(wait([client], func(): return client.get_ready_state() == 3), "connecting to a closed port ends")
	check(client.get_close_code() == -1 and client.get_close_phase() == WSPeer.PHASE_TCP,
			"the code is -1, and the phase TCP")
	check(client.get_close_cause() == WSPeer.CAUSE_REFUSED and "refused" in client.get_close_message(),
			"the reason is reported: %s" % client.get_close_message())

func diagnosis() -> void:
	var server := WSServer.new()
	check(server.listen(0, [], "127.0.0.1") == OK, "a server listens")
	var url := "ws://127.0.0.1:%d/?token=topsecret" % server.get_local_port()
	var peer := WSPeer.new()
	check(peer.diagnose(url) == OK and peer.send_text("x") != OK, "a diagnosis begins, and sends no packets")
	check(wait([peer, server], func(): return peer.get_ready_state() == WSPeer.STATE_CLOSED), "a diagnosis ends")
	check(peer.get_close_cause() == WSPeer.CAUSE_NONE and "Everything works" in peer.get_close_message(),
			"everything works: %s" % peer.get_close_message())
	var steps := 0
	var event := peer.next_event()
	while event.type == WSPeer.EVENT_STEP:
		steps += int(event.text != "" and not "topsecret" in event.text and event.cause == WSPeer.CAUSE_NONE)
		event = peer.next_event()
	check(steps > 5 and event.type == WSPeer.EVENT_CLOSED and event.text == peer.get_close_message(),
			"%d steps, then the advice" % steps)
	server.stop()
	check(peer.diagnose("ws://127.0.0.1:1") == OK, "a peer diagnoses again")
	check(wait([peer], func(): return peer.get_ready_state() == WSPeer.STATE_CLOSED), "it ends, too")
	check(peer.get_close_cause() == WSPeer.CAUSE_REFUSED and "Nothing listens" in peer.get_close_message(),
			"the advice names the fault: %s" % peer.get_close_message())

# The library's error messages use the names of the properties.
func own_names() -> void:
	var client := WSPeer.new()
	var server := WSPeer.new()
	for property in ["max_message_size", "inbound_buffer_size", "outbound_buffer_size"]:
		server.set(property, 100)
	pair(client, server)
	client.send_text("a".repeat(1000))
	check(wait([client, server], func(): return server.get_ready_state() == 3),
			"a message that is too long ends the connection")
	check("max_message_size (100)" in server.get_close_message(),
			"the error message names the property: %s" % server.get_close_message())

# A stream of another type, where the engine has one: a Unix domain socket.
func other_streams() -> void:
	if not ClassDB.class_exists("UDSServer"):
		return
	var listener = ClassDB.instantiate("UDSServer")
	var path := OS.get_user_data_dir().path_join("socket")
	DirAccess.remove_absolute(path)
	DirAccess.make_dir_recursive_absolute(path.get_base_dir())
	check(listener.listen(path) == OK, "a Unix domain socket")
	var near = ClassDB.instantiate("StreamPeerUDS")
	near.connect_to_host(path)
	wait([near], func(): return near.get_status() == 2 and listener.is_connection_available())
	var server := WSPeer.new()
	server.accept_stream(listener.take_connection())
	var request := "GET /x HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
	request += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
	near.put_data(request.to_utf8_buffer())
	check(wait([server], func(): return server.get_ready_state() == 1) and server.get_requested_path() == "/x",
			"it carries a connection")
	near.poll()
	var answer: String = near.get_partial_data(near.get_available_bytes())[1].get_string_from_utf8()
	check("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer, "it answers")
	server.send_text("hi")
	near.poll()
	check(near.get_partial_data(near.get_available_bytes())[1] == PackedByteArray([0x81, 2, 0x68, 0x69]),
			"a text is sent at once")
	server.close(-1)
	check(server.get_ready_state() == WSPeer.STATE_CLOSED and server.get_close_code() == -1, "it is dropped")
	var gone := func():
		near.poll()
		return near.get_status() != 2
	check(wait([], gone), "its stream is dropped too")

# The other end of the stream closes silently, and the opening handshake never arrives.
func lost_streams() -> void:
	var client := WSPeer.new()
	var server := WSPeer.new()
	pair(client, server)
	client.send_text("last")
	client.close(-1)
	check(wait([server], func(): return server.get_ready_state() == 3), "a lost stream ends the connection")
	check(server.get_close_code() == -1 and server.get_close_cause() == WSPeer.CAUSE_PEER_GONE
			and server.get_packet().get_string_from_utf8() == "last", "packets before the end are readable")
	var listener := TCPServer.new()
	listener.listen(0, "127.0.0.1")
	var silent := StreamPeerTCP.new()
	silent.connect_to_host("127.0.0.1", listener.get_local_port())
	wait([silent], listener.is_connection_available)
	server.connect_timeout = 0.3
	server.accept_stream(listener.take_connection())
	check(wait([server], func(): return server.get_ready_state() == 3)
			and server.get_close_cause() == WSPeer.CAUSE_HANDSHAKE_TIMEOUT, "a silent stream ends by the handshake timeout")

# Longer than the default buffer sizes, in both directions.
func long_packets() -> void:
	var client := WSPeer.new()
	var server := WSPeer.new()
	pair(client, server)
	var long := PackedByteArray()
	long.resize(1000000)
	long.fill(3)
	check(client.put_packet(long) == ERR_OUT_OF_MEMORY and client.send(long) == ERR_OUT_OF_MEMORY
			and client.send_text("x".repeat(65536)) == ERR_OUT_OF_MEMORY and client.send_latest(1, long) == ERR_OUT_OF_MEMORY
			and client.get_ready_state() == 1, "a packet longer than outbound_buffer_size is refused, as in the engine")
	for one in [client, server]:
		one.outbound_buffer_size = 1000000
	check(client.put_packet(long) == OK and server.put_packet(long) == OK, "one as long as a raised one is accepted")
	check(wait([client, server],
			func(): return client.get_available_packet_count() + server.get_available_packet_count() == 2), "they arrive")
	check(client.get_packet() == long and server.get_packet() == long, "whole")
	server.max_message_size = 1000
	server.inbound_buffer_size = 1000
	server.outbound_buffer_size = 1000
	client.put_packet(long)
	check(wait([client, server], func(): return client.get_ready_state() == 3) and client.get_close_code() == 1009,
			"a packet over the limit leads to 1009")
	check(server.get_close_code() == 1009 and server.get_close_cause() == WSPeer.CAUSE_TOO_BIG,
			"both ends report 1009: %s" % server.get_close_message())

func not_connected() -> void:
	var peer := WSPeer.new()
	check(peer.send_text("x") == FAILED and peer.put_packet([1]) == FAILED, "an unconnected peer sends nothing")
	check(peer.connect_to_url("http://x") == ERR_INVALID_PARAMETER and peer.connect_to_url("") == ERR_INVALID_PARAMETER,
			"a wrong URL is an error")
	check(peer.connect_to_url("ws://127.0.0.1:99999") == ERR_INVALID_PARAMETER, "a wrong port is an error")
	check(peer.accept_stream(null) == ERR_INVALID_PARAMETER, "a null stream is an error")
	check(peer.get_ready_state() == WSPeer.STATE_CLOSED and peer.get_close_code() == -1, "it stays closed")
	check(peer.next_event().is_empty() and peer.get_connected_host() == "" and peer.get_connected_port() == 0,
			"it emits no signal")
	peer.poll()
	peer.close()
	peer.flush()
	peer.set_no_delay(false)

func tls() -> void:
	var crypto := Crypto.new()
	var key := crypto.generate_rsa(2048)
	var certificate := crypto.generate_self_signed_certificate(key, "CN=localhost", "20200101000000", "20400101000000")
	var listener := TCPServer.new()
	listener.listen(0, "127.0.0.1")
	var client := WSPeer.new()
	check(client.connect_to_url("wss://localhost:%d" % listener.get_local_port(),
			TLSOptions.server(key, certificate)) == ERR_INVALID_PARAMETER,
			"a client does not take a server's TLS options")
	check(client.connect_to_url("wss://localhost:%d" % listener.get_local_port(), TLSOptions.client_unsafe()) == OK,
			"a client accepts unsafe TLS options")
	check(wait([client], listener.is_connection_available), "it comes")
	var secured := StreamPeerTLS.new()
	secured.accept_stream(listener.take_connection(), TLSOptions.server(key, certificate))
	check(wait([client, secured], func(): return secured.get_status() == StreamPeerTLS.STATUS_CONNECTED),
			"TLS is established")
	var server := WSPeer.new()
	check(server.accept_stream(secured) == OK, "a stream of TLS is accepted")
	check(wait([client, server], func(): return client.get_ready_state() == 1 and server.get_ready_state() == 1),
			"both are open")
	check(server.get_connected_host() == "127.0.0.1" and client.get_tls_info() != "",
			"both report TLS: %s" % client.get_tls_info())
	check(server.get_requested_url().begins_with("wss://localhost:"),
			"its URL says TLS: %s" % server.get_requested_url())
	talk(client, server)
	var wary := WSPeer.new()
	wary.connect_to_url("wss://localhost:%d" % listener.get_local_port())
	wait([wary], listener.is_connection_available)
	secured = StreamPeerTLS.new()
	secured.accept_stream(listener.take_connection(), TLSOptions.server(key, certificate))
	check(wait([wary, secured], func(): return wary.get_ready_state() == 3),
			"without options such a certificate is refused")
	check(wary.get_close_phase() == WSPeer.PHASE_TLS, "the phase is TLS: %s" % wary.get_close_message())

# Whether a client with these TLS options accepts a server with that certificate.
func trusts(client, options: TLSOptions, key: CryptoKey, certificate: X509Certificate) -> bool:
	var listener := TCPServer.new()
	listener.listen(0, "127.0.0.1")
	client.connect_to_url("wss://localhost:%d" % listener.get_local_port(), options)
	wait([client], listener.is_connection_available)
	var secured := StreamPeerTLS.new()
	secured.accept_stream(listener.take_connection(), TLSOptions.server(key, certificate))
	var server := WSPeer.new()
	server.accept_stream(secured)
	wait([client, server], func(): return client.get_ready_state() != 0)
	return client.get_ready_state() == 1

# Certificates made and trusted by Godot's own class are trusted by ours.
func trust() -> void:
	var crypto := Crypto.new()
	var key := crypto.generate_rsa(2048)
	var other_key := crypto.generate_rsa(2048)
	var here := crypto.generate_self_signed_certificate(key, "CN=localhost,O=test,C=IT")
	var elsewhere := crypto.generate_self_signed_certificate(key, "CN=elsewhere,O=test,C=IT")
	var stranger := crypto.generate_self_signed_certificate(other_key, "CN=localhost,O=test,C=IT")
	for row in [["nothing", null, here], ["it", TLSOptions.client(here), here],
			["it, for another name", TLSOptions.client(elsewhere), elsewhere],
			["it, for that name", TLSOptions.client(elsewhere, "elsewhere"), elsewhere], ["another", TLSOptions.client(stranger),
					here],
			["any", TLSOptions.client_unsafe(), elsewhere], ["it, for any name", TLSOptions.client_unsafe(elsewhere), elsewhere],
			["another, for any name", TLSOptions.client_unsafe(stranger), here]]:
		var stock := trusts(WebSocketPeer.new(), row[1], key, row[2])
		check(trusts(WSPeer.new(), row[1], key, row[2]) == stock,
				"a certificate is accepted as by WebSocketPeer if the options trust %s: %s" % [row[0], stock])

func reconnecting() -> void:
	var listener := TCPServer.new()
	listener.listen(0, "127.0.0.1")
	var url := "ws://127.0.0.1:%d" % listener.get_local_port()
	var client := WSPeer.new()
	client.reconnect = true
	client.retry_min_delay = 0.001
	client.retry_max_delay = 0.005
	client.max_retries = 100
	var losses := []
	var on_lost := func(): losses.append(client.get_ready_state())
	client.lost.connect(on_lost)
	var accepted := func(polled) -> WSPeer:
		check(wait([client], listener.is_connection_available), "a connection of the client arrives")
		var server := WSPeer.new()
		server.accept_stream(listener.take_connection())
		polled.append(server)
		check(wait(polled, func(): return client.get_ready_state() == WSPeer.STATE_OPEN), "the client is open")
		return server
	check(client.connect_to_url(url) == OK, "a client that reconnects connects")
	var first: WSPeer = accepted.call([client])
	first.close(1012, "restart")
	check(wait([client, first], func(): return client.get_ready_state() == WSPeer.STATE_LOST), "its link is lost")
	check(losses == [WSPeer.STATE_LOST], "lost is emitted once")
	check(client.get_close_code() == -1 and client.send_text("x") != OK, "it has not ended, and takes no packet")
	check(client.set_url(url + "/next") == OK and client.set_header("X-Token", "new") == OK
			and client.remove_header("X-Other") == OK, "URL and headers of the next try are set")
	check(client.set_url("http://x") == ERR_INVALID_PARAMETER, "another URL is refused")
	var second: WSPeer = accepted.call([client])
	check(second.get_requested_path() == "/next" and second.get_received_header("x-token") == "new", "they are used")
	client.close()
	check(wait([client, second], func(): return client.get_ready_state() == WSPeer.STATE_CLOSED), "it closes")
	var types := []
	var event := client.next_event()
	while event:
		if event.type != WSPeer.EVENT_ERROR:
			types.append(event.type)
		event = client.next_event()
	check(types == [WSPeer.EVENT_OPEN, WSPeer.EVENT_CLOSE_REQUEST, WSPeer.EVENT_LOST, WSPeer.EVENT_OPEN,
			WSPeer.EVENT_CLOSED], "each link has its events: %s" % [types])
	check(WSPeer.new().set_url(url) != OK, "a peer without a connection has no next try")
	# It holds the client, which would hold it.
	client.lost.disconnect(on_lost)

func _initialize() -> void:
	not_connected()
	for classes in [[WSPeer, WSPeer], [WSPeer, WebSocketPeer], [WebSocketPeer, WSPeer]]:
		var client = classes[0].new()
		var server = classes[1].new()
		pair(client, server)
		talk(client, server)
	ours()
	simulated()
	own_names()
	diagnosis()
	reconnecting()
	long_packets()
	other_streams()
	lost_streams()
	tls()
	trust()
	finish()
