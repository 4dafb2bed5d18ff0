# The classes over the engine's WebSocketPeer: what they refuse, and clients against an echo server. Argument: its URL.
extends SceneTree

# Not a local variable, because its handlers use it.
var client: WSClient

func check(good: bool, what: String) -> void:
	print("ok - web: " if good else "not ok - web: ", what)

func wait(polled, condition: Callable) -> bool:
	var end := Time.get_ticks_msec() + 10000
	while not condition.call() and Time.get_ticks_msec() < end:
		polled.poll()
		OS.delay_usec(200)
	return condition.call()

func refuses(setting: String, value, url: String) -> void:
	var peer := WSPeer.new()
	peer.set(setting, value)
	check(peer.connect_to_url(url) == ERR_UNAVAILABLE, "%s is refused" % setting)
	check(peer.get_ready_state() == WSPeer.STATE_CLOSED, "and nothing is opened")

# What is longer than outbound_buffer_size is refused, also after a change.
func limits(url: String) -> void:
	var peer := WSPeer.new()
	peer.inbound_buffer_size = 200000
	peer.connect_to_url(url)
	check(wait(peer, func(): return peer.get_ready_state() == WSPeer.STATE_OPEN), "it is open")
	var long := PackedByteArray()
	long.resize(65536)
	check(peer.send(long) == ERR_OUT_OF_MEMORY, "a packet above outbound_buffer_size is refused")
	check(peer.send(long.slice(1)) == OK, "one of this size is not")
	check(wait(peer, func(): return peer.get_available_packet_count() == 1), "it comes back")
	peer.outbound_buffer_size = 200000
	long.resize(150000)
	check(peer.send(long) == OK, "the limit can be raised")
	check(wait(peer, func(): return peer.get_available_packet_count() == 2), "and a longer one comes back")

# A server that opens connections, and answers nothing else but a close.
class Deaf:
	var server := TCPServer.new()
	var stream: StreamPeerTCP
	var request := ""
	var code := 0

	func _init() -> void:
		server.listen(0, "127.0.0.1")

	func connect_peer(peer: WSPeer) -> void:
		stream = null
		request = ""
		peer.supported_protocols = []
		peer.connect_to_url("ws://127.0.0.1:%d" % server.get_local_port())

	# Opens the connection.
	func poll() -> bool:
		if stream == null and server.is_connection_available():
			stream = server.take_connection()
		if stream == null or request.ends_with("\r\n\r\n"):
			return true
		stream.poll()
		request += stream.get_string(stream.get_available_bytes())
		if request.ends_with("\r\n\r\n"):
			var key := request.get_slice("Sec-WebSocket-Key: ", 1).get_slice("\r\n", 0)
			var proof := Marshalls.raw_to_base64((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").sha1_buffer())
			stream.put_data(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
					+ "Sec-WebSocket-Accept: %s\r\n\r\n" % proof).to_utf8_buffer())
		return true

	# Reads a close frame, and answers with its code and no reason.
	func answer_close() -> void:
		while stream.get_available_bytes() < 8:
			stream.poll()
			if stream.get_status() != StreamPeerTCP.STATUS_CONNECTED:
				break
		var frame: PackedByteArray = stream.get_data(stream.get_available_bytes())[1]
		code = (frame[6] ^ frame[2]) << 8 | (frame[7] ^ frame[3])
		stream.put_data(PackedByteArray([0x88, 2, code >> 8, code & 255]))

func _initialize() -> void:
	var url := OS.get_cmdline_user_args()[0]
	check(WSServer.new().listen(0) == ERR_UNAVAILABLE, "a server is refused")
	check(WSMultiplayerPeer.new().create_server(1) == ERR_UNAVAILABLE, "a multiplayer server is refused")
	check(WSPeer.new().accept_stream(StreamPeerTCP.new()) == ERR_UNAVAILABLE, "accept_stream() is refused")
	check(WSPeer.new().diagnose(url) == ERR_UNAVAILABLE, "diagnose() is refused")
	check(WSPeer.new().connect_to_url(url, TLSOptions.client_unsafe()) == ERR_UNAVAILABLE, "TLSOptions are refused")
	check(WSPeer.new().connect_to_url("nonsense://x") == ERR_INVALID_PARAMETER, "a wrong URL is refused")
	refuses("session_timeout", 5.0, url)
	refuses("reconnect", true, url)
	refuses("queue_before_open", true, url)
	refuses("proxy", "http://localhost:1", url)
	refuses("certificate_pin", "00".repeat(32), url)

	var peer := WSPeer.new()
	peer.supported_protocols = ["other", "chat"]
	peer.handshake_headers = ["X-Token: 7"]
	check(peer.connect_to_url(url) == OK and peer.get_ready_state() == WSPeer.STATE_CONNECTING, "a client connects")
	check(peer.send_text("early") == FAILED, "before it is open it takes no packet")
	check(wait(peer, func(): return peer.get_ready_state() == WSPeer.STATE_OPEN), "it is open")
	check(peer.get_selected_protocol() == "chat" and peer.get_requested_url() == url and peer.get_connected_port() > 0,
			"with subprotocol, URL and address: %s" % peer.get_connected_host())
	peer.send_text("κόσμε")
	peer.send(PackedByteArray([0, 255]))
	peer.send(PackedByteArray())
	peer.put_var([1, "two"])
	check(peer.send_latest(3, PackedByteArray([9])) == OK, "the latest is sent like others")
	check(wait(peer, func(): return peer.get_available_packet_count() == 5), "packets come back")
	var event := peer.next_event()
	check(event.type == WSPeer.EVENT_OPEN, "the first event is that it is open")
	event = peer.next_event()
	check(event.type == WSPeer.EVENT_MESSAGE and event.is_text and event.packet.get_string_from_utf8() == "κόσμε",
			"the next one is the text")
	check(peer.get_packet() == PackedByteArray([0, 255]) and not peer.was_string_packet(), "then bytes")
	check(peer.get_packet().is_empty() and peer.get_var() == [1, "two"] and peer.get_packet() == PackedByteArray([9]),
			"an empty packet, a value, the latest")
	var stats := peer.get_stats()
	check(stats.messages_in == 5 and stats.messages_out == 5 and stats.connections == 1, "the stats count them")
	peer.sim_lag = 1.0
	peer.send(PackedByteArray([1]))
	check(wait(peer, func(): return peer.get_available_packet_count() == 1), "a simulated network is not there")
	peer.send_text("close 4002 enough")
	check(wait(peer, func(): return peer.get_ready_state() == WSPeer.STATE_CLOSED), "the server closes")
	check(peer.get_close_code() == 4002 and peer.get_close_reason() == "enough" and peer.was_clean_close()
			and peer.get_close_cause() == WSPeer.CAUSE_CLOSED_BY_PEER, "with code and reason")
	check(peer.get_available_packet_count() == 1 and peer.get_packet() == PackedByteArray([1]),
			"a packet that was polled before stays readable")
	check(peer.connect_to_url(url.replace("chat", "#part")) == OK, "it connects again, without the fragment of the URL")
	check(wait(peer, func(): return peer.get_ready_state() == WSPeer.STATE_OPEN), "it is open again")
	peer.close(4001, "bye")
	check(peer.get_ready_state() == WSPeer.STATE_CLOSING, "it closes")
	check(wait(peer, func(): return peer.get_ready_state() == WSPeer.STATE_CLOSED), "it is closed")
	check(peer.get_close_code() == 4001 and peer.get_close_cause() == WSPeer.CAUSE_CLOSED_BY_HOST
			and peer.get_close_reason() == "bye", "with its own code and reason")
	limits(url)
	var deaf := Deaf.new()
	for code in [1006, 999, 5000, 0]:
		deaf.connect_peer(peer)
		check(wait(peer, func(): return deaf.poll() and peer.get_ready_state() == WSPeer.STATE_OPEN), "it is open")
		peer.close(code, "own")
		check(peer.get_ready_state() == WSPeer.STATE_CLOSING, "it closes with %d" % code)
		deaf.answer_close()
		check(wait(peer, func(): return peer.get_ready_state() == WSPeer.STATE_CLOSED), "it is closed")
		check(deaf.code == 1000 and peer.get_close_code() == 1000 and peer.get_close_reason() == "own",
				"with 1000, and its own reason: %d" % deaf.code)
	peer.heartbeat_interval = 0.1
	deaf.connect_peer(peer)
	check(wait(peer, func(): return deaf.poll() and peer.get_ready_state() == WSPeer.STATE_OPEN), "it has a heartbeat")
	check(wait(peer, func(): return peer.get_ready_state() == WSPeer.STATE_CLOSED) and peer.get_close_code() == -1,
			"which nobody answers")
	peer.connect_timeout = 0.2
	var silent := TCPServer.new()
	silent.listen(0, "127.0.0.1")
	peer.connect_to_url("ws://127.0.0.1:%d" % silent.get_local_port())
	check(wait(peer, func(): return peer.get_ready_state() == WSPeer.STATE_CLOSED)
			and peer.get_close_cause() == WSPeer.CAUSE_CONNECT_TIMEOUT, "connect_timeout works: %s" % peer.get_close_message())

	var reported := []
	client = WSClient.new()
	client.connection_established.connect(func(protocol): reported.append(["established", protocol]))
	client.connection_closed.connect(func(clean): reported.append(["closed", clean]))
	client.connection_error.connect(func(): reported.append(["error"]))
	client.data_received.connect(func(): reported.append(["data", client.get_peer(1).get_packet().get_string_from_utf8()]))
	client.server_close_request.connect(func(code, reason): reported.append(["close", code, reason]))
	client.connect_to_url(url, ["chat"])
	check(wait(client, func(): return reported == [["established", "chat"]]), "WSClient connects")
	client.get_peer(1).send_text("one")
	client.get_peer(1).send_text("close 4003 go")
	check(wait(client, func(): return reported.size() >= 3), "it receives and is closed")
	check(reported.slice(-2) == [["close", 4003, "go"], ["closed", true]], "signals in order: %s" % [reported])
	client.connect_to_url("ws://127.0.0.1:%d" % silent.get_local_port())
	silent.stop()
	check(wait(client, func(): return reported.back() == ["error"]), "a refused connection is an error")

	# A WebSocket server that is none of Godot's multiplayer.
	var join := WSMultiplayerPeer.new()
	join.create_client(url.replace("chat", "greet"))
	check(wait(join, func(): return join.get_connection_status() == MultiplayerPeer.CONNECTION_DISCONNECTED),
			"a first message that is no id ends a game")
	for i in 300:
		var one := WSPeer.new()
		one.connect_to_url(url)
	check(true, "peers that are dropped while they connect")
	client = null
	print("END")
	quit()
