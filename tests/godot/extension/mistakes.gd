# Each mistake that a script can make with our classes, so that words.py can read what the engine prints about it.
extends "res://check.gd"

const TEXTS := ["", "x", "ö, ,", "http://x", "a b", "1.2.3.4/99", "env", "socks5://", "\n"]
var port := 0

# Opens what the class opens, and uses it.
func open(object) -> void:
	var url := "ws://127.0.0.1:%d" % port
	if object is WSServer:
		object.listen(0, [], "127.0.0.1")
	elif object is WSMultiplayerPeer and object.has_meta("hosts"):
		object.create_server(0, "127.0.0.1")
	elif object is WSMultiplayerPeer:
		object.create_client(url)
	else:
		object.connect_to_url(url)
	for i in 3:
		object.poll()

func close(object) -> void:
	if object is WSServer:
		object.stop()
	elif object is WSMultiplayerPeer:
		object.close()
	else:
		object.close(-1)

# Every property with values that it cannot have, before and after the object is opened.
func properties(kind: String, hosts := false) -> int:
	var tried := 0
	for property in ClassDB.class_get_property_list(kind, true):
		var values := []
		match property.type:
			TYPE_INT:
				values = [-1, 0, 7, 99, 1 << 40]
			TYPE_FLOAT:
				values = [-1.0, 0.0, 1e12]
			TYPE_STRING:
				values = TEXTS
			TYPE_PACKED_STRING_ARRAY:
				values = TEXTS.map(func(text): return PackedStringArray([text]))
			TYPE_BOOL:
				values = [not ClassDB.class_get_property_default_value(kind, property.name)]
		for value in values:
			for first in [true, false]:
				var object = ClassDB.instantiate(kind)
				if hosts:
					object.set_meta("hosts", true)
				if first:
					object.set(property.name, value)
				open(object)
				if not first:
					object.set(property.name, value)
					object.poll()
				close(object)
				tried += 1
	return tried

func closed_by(kind: String, value) -> void:
	var object = ClassDB.instantiate(kind)
	for name in value:
		object.set(name, value[name])
	open(object)
	close(object)

# A server that gives this answer to the opening handshake.
func answered(answer: String, set := {}) -> String:
	var listener := TCPServer.new()
	listener.listen(0, "127.0.0.1")
	var peer := WSPeer.new()
	for name in set:
		peer.set(name, set[name])
	peer.connect_to_url("ws://127.0.0.1:%d" % listener.get_local_port())
	wait([peer], listener.is_connection_available)
	var raw := listener.take_connection()
	raw.put_data(answer.to_utf8_buffer())
	wait([peer], func(): return peer.get_ready_state() == 3)
	print("told: ", peer.get_close_message())
	return peer.get_close_message()

func calls() -> void:
	var peer := WSPeer.new()
	for method in ["send_text", "hint", "advance_time", "set_sim", "set_url", "set_header", "remove_header",
			"accept_request", "reply_to_request", "close", "diagnose", "connect_to_url"]:
		var arguments: Array = {"send_text": ["x"], "hint": [99], "advance_time": [1], "set_sim": [{"seed": 1}],
				"set_url": ["http://x"], "set_header": ["a b", "c"], "remove_header": ["Upgrade"], "accept_request": ["x"],
				"reply_to_request": [99], "close": [77, "x"], "diagnose": ["ws://"],
				"connect_to_url": ["ws://x y"]}[method]
		peer.callv(method, arguments)
		peer.connect_to_url("ws://127.0.0.1:%d" % port)
		peer.callv(method, arguments)
		peer.close(-1)
	peer.sim_preset(99)
	peer.connect_to_url("wss://127.0.0.1:%d" % port, TLSOptions.client_unsafe())
	peer.poll()
	peer.close(-1)
	peer.diagnose("ws://127.0.0.1:%d" % port)
	peer.send_text("x")
	peer.close(-1)
	var server := WSServer.new()
	server.report_refused = true
	server.request_handling_enabled = true
	server.listen(0, [], "127.0.0.1")
	var other := WSServer.new()
	other.share_port = true
	other.listen(server.get_local_port(), [], "127.0.0.1")
	other.share_port = false
	other.listen(server.get_local_port(), [], "127.0.0.1")
	other.listen(0, ["a b"], "nowhere")
	other.listen(99999)
	server.serve("x", "/")
	server.serve("/", "/nonsense")
	server.stop_serving("/y")
	server.drain(0, 1e9, "http://x")
	server.publish("", PackedByteArray(), 1, 7)
	server.subscribe(7, "")
	server.make_certificate([], 0)
	server.make_certificate(["a b"], 99999999)
	server.set_certificate(null)
	server.request_received.connect(func(request, is_websocket, _body):
		request.accept_request("nonsense" if is_websocket else "")
		request.reply_to_request(99)
		var many := PackedStringArray()
		many.resize(200)
		many.fill("a: b")
		request.reply_to_request(200, [], many)
		request.reply_to_request(200))
	var plain := StreamPeerTCP.new()
	plain.connect_to_host("127.0.0.1", server.get_local_port())
	var tries := WSPeer.new()
	tries.connect_to_url("ws://127.0.0.1:%d" % server.get_local_port())
	wait([plain], func(): return plain.get_status() == 2)
	plain.put_data("GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_utf8_buffer())
	wait([server, tries], func(): return tries.get_ready_state() == 3)
	print("told: ", tries.get_close_message())
	var host := WSMultiplayerPeer.new()
	host.create_server(0, "127.0.0.1")
	host.set_target_peer(1)
	host.put_packet([1])
	host.set_target_peer(77)
	host.put_packet([1])
	host.disconnect_peer(77)
	host.put_latest(-1, [1])
	host.subscribe(5, "x")

func texts() -> void:
	var client := WSPeer.new()
	var server := WSPeer.new()
	var listener := TCPServer.new()
	listener.listen(0, "127.0.0.1")
	client.connect_to_url("ws://127.0.0.1:%d" % listener.get_local_port())
	wait([client], listener.is_connection_available)
	server.accept_stream(listener.take_connection())
	wait([client, server], func(): return client.get_ready_state() == 1 and server.get_ready_state() == 1)
	check(client.send(PackedByteArray([255]), WSPeer.WRITE_MODE_TEXT) == ERR_INVALID_DATA, "an invalid text is refused")
	var long := PackedByteArray()
	long.resize(100000)
	check(client.send(long) == ERR_OUT_OF_MEMORY, "a long packet is refused")
	client.outbound_buffer_size = 0
	long.resize(20000000)
	check(client.send(long) == ERR_OUT_OF_MEMORY, "one over max_message_size too")
	server.advance_time(-1)

func _initialize() -> void:
	var listener := TCPServer.new()
	listener.listen(0, "127.0.0.1")
	port = listener.get_local_port()
	var tried := properties("WSPeer") + properties("WSServer") + properties("WSMultiplayerPeer") \
			+ properties("WSMultiplayerPeer", true)
	check(tried > 500, "%d wrong settings" % tried)
	closed_by("WSPeer", {"compression_enabled": true, "compression_level": 99})
	closed_by("WSServer", {"full_queue_policy": 7})
	closed_by("WSServer", {"forwarded_header": true, "x_forwarded_for_header": true})
	closed_by("WSServer", {"proxy_protocol": true})
	closed_by("WSServer", {"share_port": true, "session_timeout": 5})
	closed_by("WSPeer", {"session_timeout": 5, "max_message_size": 10})
	calls()
	texts()
	for status in ["400 Bad Request", "403 Forbidden", "404 Not Found", "418 Teapot", "503 Full"]:
		answered("HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % status)
	answered("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", {"supported_protocols": PackedStringArray(["a"])})
	answered("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX: %s\r\n\r\n" % "x".repeat(20000))
	answered("SSH-2.0\r\n")
	finish()
