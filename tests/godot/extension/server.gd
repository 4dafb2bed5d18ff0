# WSServer: order of signals, packets, broadcasts, limits, closing; with WSPeer and the engine's WebSocketPeer as
# clients, and over TLS.
extends "res://check.gd"

var reported := []
var server: WSServer

func serve(tls: TLSOptions = null) -> String:
	reported.clear()
	server = WSServer.new()
	server.client_connected.connect(func(id, protocol): reported.append(["connected", id, protocol]))
	server.data_received.connect(func(id): reported.append(["data", id, server.get_packet(id).get_string_from_utf8()]))
	server.client_close_request.connect(func(id, code, reason): reported.append(["close", id, code, reason]))
	server.client_disconnected.connect(func(id, clean): reported.append(["gone", id, clean]))
	check(server.listen(0, ["chat"], "127.0.0.1", tls) == OK and server.is_listening(), "a server listens")
	return "%s://localhost:%d" % ["wss" if tls else "ws", server.get_local_port()]

func join(url: String, client, options: TLSOptions = null):
	client.supported_protocols = ["chat"]
	check(client.connect_to_url(url, options) == OK, "%s connects" % client.get_class())
	return client

func life(client, url: String, options: TLSOptions = null) -> void:
	var kind: String = client.get_class()
	join(url, client, options)
	check(wait([server, client], func(): return client.get_ready_state() == 1 and reported.size() == 1),
			"%s: client_connected is emitted" % kind)
	var id: int = reported[0][1]
	check(reported == [["connected", id, "chat"]] and server.has_peer(id) and Array(server.get_peers()) == [id],
			"%s: it has id and subprotocol" % kind)
	check(server.get_peer_address(id) == "127.0.0.1" and server.get_peer_port(id) > 0, "%s: it has its address" % kind)
	check(server.get_peer(id) == server.get_peer(id) and server.get_peer(id).get_ready_state() == 1,
			"%s: get_peer() returns a WSPeer" % kind)
	reported.clear()
	client.send_text("one")
	client.send_text("two")
	client.close(4002, "enough")
	check(wait([server, client], func(): return reported.size() == 4), "%s: sends and closes" % kind)
	check(reported == [["data", id, "one"], ["data", id, "two"], ["close", id, 4002, "enough"], ["gone", id, true]],
			"%s: signals are in order: %s" % [kind, reported])
	check(not server.has_peer(id), "%s: the id is then unknown" % kind)
	wait([client], func(): return client.get_ready_state() == 3)

func crowd(url: String) -> void:
	var clients := []
	check(server.set_sim(server.sim_preset(WSPeer.SIM_WIFI)) == OK, "a server simulates a network for all its clients")
	for i in 40:
		clients.append(join(url, WSPeer.new()))
	check(wait([server] + clients, func(): return reported.size() == 40), "forty clients connect")
	var all := [server] + clients
	check(server.broadcast_text("hi") == OK, "a broadcast is accepted")
	check(wait(all, func(): return clients.all(func(one): return one.get_available_packet_count() == 1)),
			"the broadcast reaches all")
	var ids := server.get_peers()
	server.broadcast(PackedByteArray([9]), WSPeer.WRITE_MODE_BINARY, ids[3])
	server.send(ids[3], PackedByteArray([1]))
	check(wait(all, func(): return clients.all(func(one): return one.get_available_packet_count() == 2)),
			"one to all but one, and one to that one")
	var seen := {1: 0, 9: 0}
	for one in clients:
		one.get_packet()
		seen[one.get_packet()[0]] += 1
	check(seen == {1: 1, 9: 39}, "each received its packets")
	check(server.get_stats().connections == 40, "the stats count the messages")
	rooms(clients)
	reported.clear()
	for one in clients:
		one.send_text("x")
	check(wait(all, func(): return reported.size() == 40), "a packet of each arrives")
	reported.clear()
	server.disconnect_peer(ids[0], 4000, "you")
	server.poll()
	check(reported == [["gone", ids[0], true]], "a client is disconnected with the next poll: %s" % [reported])
	var is_told := func(one): return one.get_close_code() == 4000 and one.get_close_reason() == "you"
	check(wait(all, func(): return clients.any(is_told)), "its close reason says why")
	server.stop()
	check(not server.is_listening(), "the server stops")
	check(wait(all, func(): return reported.size() == 40), "client_disconnected is emitted for all")
	check(clients.filter(func(one): return one.get_close_code() == 1001).size() == 39, "all are closed with 1001")
	check(server.listen(0) == OK, "it listens again")
	server.stop()

func rooms(clients: Array) -> void:
	var ids := server.get_peers()
	var all := [server] + clients
	server.max_topics = 2
	check(server.subscribe(ids[0], "red") == OK and server.subscribe(ids[0], "ünï") == OK
			and server.subscribe(ids[1], "red") == OK, "clients subscribe to topics")
	check(server.subscribe(ids[0], "third") == ERR_CANT_CREATE, "up to max_topics")
	check(server.get_topics(ids[0]) == PackedStringArray(["red", "ünï"]) and server.get_topics(ids[2]).is_empty()
			and server.get_topics() == PackedStringArray(["red", "ünï"]), "the topics are listed")
	for id in ids:
		server.get_peer(id).coalesce = true
	check(server.publish_text("red", "to red") == OK and server.publish("red", PackedByteArray([1]), 1, ids[0]) == OK
			and server.publish("nobody", PackedByteArray([2])) == OK, "packets are published")
	for i in 3:
		check(server.publish_latest("ünï", 5, PackedByteArray([i])) == OK
				and server.send_latest(ids[2], 5, PackedByteArray([i])) == OK, "newer packets replace older ones")
	server.broadcast_text("end")
	for id in ids:
		server.get_peer(id).coalesce = false
	check(wait(all, func(): return clients.all(func(one): return one.get_available_packet_count() >= 1)), "they arrive")
	var got := {}
	for one in clients:
		var words := ""
		while one.get_available_packet_count():
			var packet: PackedByteArray = one.get_packet()
			words += packet.get_string_from_utf8() if one.was_string_packet() else str(packet[0])
			words += " "
		got[words] = got.get(words, 0) + 1
	check(got == {"to red 2 end ": 1, "to red 1 end ": 1, "2 end ": 1, "end ": 37}, "at those who have subscribed: %s" % got)
	check(server.get_stats().replaced == 4 and server.get_stats().subscriptions == 3, "the stats count them")
	check(server.unsubscribe(ids[0], "red") == OK and server.unsubscribe_all(ids[0]) == OK
			and server.get_topics() == PackedStringArray(["red"]), "clients leave topics")
	check(server.subscribe(7, "red") == ERR_DOES_NOT_EXIST and server.send_latest(ids[0], -1, []) == ERR_INVALID_PARAMETER
			and server.subscribe(ids[0], "a\nb") == ERR_INVALID_PARAMETER
			and WSServer.new().publish_text("red", "x") == ERR_UNCONFIGURED, "what cannot be is refused")
	clients[0].coalesce = true
	check(clients[0].send_latest(1, "old".to_utf8_buffer(), WSPeer.WRITE_MODE_TEXT) == OK
			and clients[0].send_latest(1, "new".to_utf8_buffer(), WSPeer.WRITE_MODE_TEXT) == OK
			and clients[0].get_stats().replaced == 1, "a client sends the latest")
	reported.clear()
	check(wait(all, func(): return reported.size() == 1) and reported[0][2] == "new", "the newest arrives")
	clients[0].coalesce = false

func unread() -> void:
	var url := serve()
	for connection in server.data_received.get_connections():
		server.data_received.disconnect(connection.callable)
	var client = join(url, WSPeer.new())
	wait([server, client], func(): return reported.size() == 1)
	var id: int = reported[0][1]
	client.send_text("one")
	client.send_text("two")
	client.close()
	wait([server, client], func(): return client.get_ready_state() == 3)
	for i in 20:
		server.poll()
	check(reported.size() == 1 and server.get_available_packet_count(id) == 2,
			"a client with unread packets is not reported as disconnected")
	check(server.get_packet(id).get_string_from_utf8() == "one" and server.was_string_packet(id), "they are read")
	var peer := server.get_peer(id)
	check(peer.get_packet().get_string_from_utf8() == "two", "they are readable by its WSPeer too")
	server.poll()
	check(reported.slice(1) == [["close", id, 1000, ""], ["gone", id, true]], "client_disconnected follows")
	server.poll()
	check(peer.get_ready_state() == 3 and peer.get_close_code() == 1000 and peer.was_clean_close(),
			"its WSPeer has the close code")
	client = join(url, WSPeer.new())
	reported.clear()
	wait([server, client], func(): return reported.size() == 1)
	id = reported[0][1]
	client.send_text("never read")
	client.close()
	check(wait([server, client], func(): return reported.size() == 3, 10), "unread packets do not keep a client forever")
	check(reported.slice(1) == [["close", id, 1000, ""], ["gone", id, true]], "its end is reported like the others")

# The closing handshake with a stock client: it keeps its code and reason, and a kicked one learns ours.
func stock_client() -> void:
	var url := serve()
	var client = join(url, WebSocketPeer.new())
	wait([server, client], func(): return reported.size() == 1)
	client.close(4001, "bye")
	check(wait([server, client], func(): return client.get_ready_state() == 3 and reported.size() == 3)
			and client.get_close_code() == 4001 and client.get_close_reason() == "bye",
			"a stock client keeps the reason of its close: %s" % client.get_close_reason())
	check(reported.slice(1) == [["close", reported[0][1], 4001, "bye"], ["gone", reported[0][1], true]],
			"the server has it: %s" % [reported])
	url = serve()
	client = join(url, WebSocketPeer.new())
	wait([server, client], func(): return reported.size() == 1)
	var id: int = reported[0][1]
	for i in 50:
		client.send_text("late")
	client.poll()
	server.disconnect_peer(id, 999, "go")
	for i in 50:
		client.send_text("later")
		server.poll()
	check(reported.slice(1) == [["gone", id, true]] and not server.has_peer(id),
			"nothing more of a kicked client is delivered: %s" % [reported])
	check(wait([server, client], func(): return client.get_ready_state() == 3) and client.get_close_code() == 1000
			and client.get_close_reason() == "go", "it learns the reason, and a code that can be sent")

# Handlers that call the server unexpectedly.
func handlers() -> void:
	var url := serve()
	server.client_connected.connect(func(id, _protocol):
		server.poll()
		server.disconnect_peer(id))
	var client = join(url, WSPeer.new())
	check(wait([server, client], func(): return reported.size() == 2) and reported[1][0] == "gone",
			"a handler may poll and disconnect clients")
	server.client_connected.connect(func(_id, _protocol): server.stop())
	client = join(url, WSPeer.new())
	check(wait([server, client], func(): return client.get_ready_state() == 3), "a handler may stop the server")
	url = serve()
	client = join(url, WSPeer.new())
	wait([server, client], func(): return reported.size() == 1)
	var kept := server.get_peer(reported[0][1])
	server = null
	check(kept.get_ready_state() == 3 and kept.send_text("x") == FAILED and kept.get_packet().is_empty(),
			"a client's WSPeer outlives its server, closed")
	kept.poll()
	kept.close()
	url = serve()
	server.client_connected.connect(func(_id, _protocol): server = null)
	client = join(url, WSPeer.new())
	check(wait([client], func():
		if server: server.poll()
		return client.get_ready_state() == 3), "a handler may let go of it")

func errors() -> void:
	serve()
	check(server.listen(0) == ERR_ALREADY_IN_USE, "listening twice is refused")
	var other := WSServer.new()
	check(other.listen(server.get_local_port(), [], "127.0.0.1") == ERR_ALREADY_IN_USE, "a taken port is refused")
	check(other.listen(0, [], "no address") == ERR_INVALID_PARAMETER, "an invalid address is refused")
	check(other.listen(0, [], "*", TLSOptions.client()) == ERR_INVALID_PARAMETER, "client TLS options are refused")
	check(other.broadcast_text("x") == ERR_UNCONFIGURED and other.get_peer(5) == null and other.get_packet(5).is_empty(),
			"nothing is listening")
	check(other.send_text(7, "x") == ERR_DOES_NOT_EXIST, "an unknown target is refused")
	other.max_clients = 1
	check(other.listen(0, [], "127.0.0.1") == OK, "a server with max_clients 1 listens")
	other.full_queue_policy = WSPeer.FULL_QUEUE_DISCONNECT
	var first := WSPeer.new()
	var second := WSPeer.new()
	first.connect_to_url("ws://127.0.0.1:%d" % other.get_local_port())
	check(wait([other, first], func(): return first.get_ready_state() == 1), "it accepts one client")
	second.connect_to_url("ws://127.0.0.1:%d" % other.get_local_port())
	check(wait([other, second], func(): return second.get_ready_state() == 3), "it refuses another")
	check(second.get_close_http_status() == 503 and second.get_close_phase() == WSPeer.PHASE_HTTP,
			"the refused client sees 503")

func options(made: Dictionary) -> TLSOptions:
	var key := CryptoKey.new()
	var certificate := X509Certificate.new()
	check(key.load_from_string(made["key"]) == OK and certificate.load_from_string(made["certificate"]) == OK,
			"the engine reads a made certificate")
	return TLSOptions.server(key, certificate)

# A client that trusts one certificate; returns the WSPeer once it is open or has failed.
func visit(url: String, pin: String) -> WSPeer:
	var client := WSPeer.new()
	client.certificate_pin = pin
	join(url, client)
	wait([server, client], func(): return client.get_ready_state() != 0)
	return client

func certificates() -> void:
	var first := WSServer.new().make_certificate(["localhost", "127.0.0.1"], 30)
	var second := WSServer.new().make_certificate(["localhost"])
	check(first.size() == 3 and first["sha256"].length() == 64, "a certificate is made")
	check(WSServer.new().make_certificate(["a b"]).is_empty(), "one for an impossible name is not")
	var url := serve(options(first))
	var before := visit(url, first["sha256"])
	check(server.set_certificate(options(second)) == OK, "the certificate is replaced")
	check(visit(url, second["sha256"]).get_ready_state() == 1, "new clients see the new one")
	check(visit(url, first["sha256"]).get_close_cause() == WSPeer.CAUSE_CERTIFICATE_PIN, "and not the old one")
	check(before.get_ready_state() == 1, "connected clients stay")
	var mixed := {"key": first["key"], "certificate": second["certificate"]}
	check(server.set_certificate(options(mixed)) != OK, "a pair that does not belong together is refused")
	check(server.set_certificate(TLSOptions.client()) == ERR_INVALID_PARAMETER, "client TLS options are refused")
	check(visit(url, second["sha256"]).get_ready_state() == 1, "the old pair stays")
	serve()
	check(server.set_certificate(options(first)) != OK, "a server without TLS takes no certificate")

func files() -> void:
	serve()
	var folder := ProjectSettings.globalize_path("res://")
	check(server.serve("page", folder) == ERR_INVALID_PARAMETER, "a prefix begins with a slash")
	check(server.serve("/", folder + "nothing") == ERR_FILE_NOT_FOUND, "a directory that is not there is refused")
	check(server.stop_serving("/") == ERR_INVALID_PARAMETER, "nothing is served yet")
	check(server.serve("/", folder, true) == OK, "a directory is served")
	var http := HTTPClient.new()
	http.connect_to_host("127.0.0.1", server.get_local_port())
	wait([server], func(): http.poll(); return http.get_status() == HTTPClient.STATUS_CONNECTED)
	http.request(HTTPClient.METHOD_GET, "/project.godot", [])
	wait([server], func(): http.poll(); return http.has_response())
	check(http.get_response_code() == 200 and http.get_response_headers_as_dictionary().get(
			"Cross-Origin-Opener-Policy") == "same-origin", "the engine gets a file of it")
	check(server.get_stats()["served"] == 1, "the request is counted")
	check(server.stop_serving("/") == OK, "the directory is served no more")

# Clients that are turned away are reported, and those inside keep their packets.
func refused() -> void:
	var url := serve()
	var told := []
	server.client_refused.connect(func(address, cause, status, reason, count):
		server.poll()
		told.append([address.begins_with("127.0.0.1:"), cause, status, reason, count]))
	server.report_refused = true
	server.max_clients = 1
	var inside = join(url, WSPeer.new())
	wait([server, inside], func(): return reported.size() == 1)
	for i in 3:
		inside.send_text("move %d" % i)
		var other = join(url, WSPeer.new())
		check(wait([server, inside, other], func(): return told.size() == i + 1), "client_refused is emitted")
	check(wait([server, inside], func(): return reported.size() == 4), "the packets of others arrive")
	var full := [true, WSPeer.CAUSE_LIMIT, 503, "the server is full; try again later", 1]
	check(told == [full, full, full], "it says who was refused and why: %s" % [told])
	var stats := server.get_stats()
	check(stats.refused_limit == 3 and stats.refused == 3 and stats.refused_waiting == 0, "the stats count the causes")
	var pages := WSServer.new()
	pages.allowed_origins = ["https://game.example"]
	pages.allowed_hosts = ["localhost"]
	check(pages.listen(0, [], "127.0.0.1") == OK, "a server allows one origin and one host")
	for way in [["localhost", "https://game.example", 101], ["localhost", "https://evil.example", 403],
			["127.0.0.1", "https://game.example", 421]]:
		var page := WSPeer.new()
		page.handshake_headers = ["Origin: " + way[1]]
		page.connect_to_url("ws://%s:%d" % [way[0], pages.get_local_port()])
		check(wait([pages, page], func(): return page.get_ready_state() in [1, 3]), "a page is answered")
		check(page.get_ready_state() == 1 if way[2] == 101 else page.get_close_http_status() == way[2],
				"the answer to %s is %d" % [way.slice(0, 2), way[2]])

# Answers requests by their path and query.
func decide(request: WSPeer, is_websocket: bool, body: PackedByteArray) -> void:
	reported.append(["request", request.get_requested_method(), request.get_requested_path(),
			request.get_requested_query(), is_websocket, body.get_string_from_utf8()])
	if not is_websocket:
		check(request.accept_request() == FAILED, "plain HTTP is no WebSocket")
		check(request.reply_to_request(200, "ok".to_utf8_buffer(), ["X-Game: chess"]) == OK, "a reply is taken")
	elif request.get_requested_query() == "token=good":
		check(request.accept_request("other") == ERR_INVALID_PARAMETER, "only an offered protocol can be chosen")
		check(request.accept_request("chat", ["X-Room: 7"]) == OK, "the request is accepted")
	else:
		check(request.reply_to_request(401) == OK, "the request is refused")

func requests() -> void:
	server = WSServer.new()
	server.request_handling_enabled = true
	server.max_body_size = 100
	server.request_received.connect(decide)
	server.client_connected.connect(func(id, protocol): reported.append(["connected", id, protocol]))
	server.client_disconnected.connect(func(id, clean): reported.append(["gone", id, clean]))
	check(server.listen(0, [], "127.0.0.1") == OK, "a server that decides on requests listens")
	reported.clear()
	var url := "ws://127.0.0.1:%d/room" % server.get_local_port()
	var refused: WSPeer = join(url + "?token=bad", WSPeer.new())
	check(wait([server, refused], func(): return refused.get_ready_state() == 3), "a bad token is refused")
	check(refused.get_close_http_status() == 401 and server.get_peers().is_empty(), "with the status of the script")
	var player: WSPeer = join(url + "?token=good", WSPeer.new())
	check(wait([server, player], func(): return player.get_ready_state() == 1 and reported.size() == 3),
			"a good token comes in")
	check(player.get_selected_protocol() == "chat" and player.get_received_header("X-Room") == "7",
			"the script chose protocol and header")
	var id: int = reported[2][1]
	check(reported == [["request", "GET", "/room", "token=bad", true, ""],
			["request", "GET", "/room", "token=good", true, ""], ["connected", id, "chat"]] and server.has_peer(id),
			"requests and clients are reported in order: %s" % [reported])
	reported.clear()
	var http := StreamPeerTCP.new()
	http.connect_to_host("127.0.0.1", server.get_local_port())
	check(wait([server, http], func(): return http.get_status() == StreamPeerTCP.STATUS_CONNECTED), "HTTP connects")
	http.put_data("POST /score HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n42".to_utf8_buffer())
	check(wait([server, http], func(): return http.get_available_bytes() > 60), "HTTP is answered")
	var answer := http.get_utf8_string(http.get_available_bytes())
	check(answer.begins_with("HTTP/1.1 200 OK") and answer.contains("X-Game: chess") and answer.ends_with("ok"),
			"with the reply of the script: %s" % answer)
	check(reported == [["request", "POST", "/score", "", false, "42"]], "the script got method and body")

func _initialize() -> void:
	var url := serve()
	life(WSPeer.new(), url)
	reported.clear()
	life(WebSocketPeer.new(), url)
	reported.clear()
	crowd(url)
	unread()
	stock_client()
	handlers()
	errors()
	certificates()
	files()
	refused()
	requests()
	var crypto := Crypto.new()
	var key := crypto.generate_rsa(2048)
	url = serve(TLSOptions.server(key, crypto.generate_self_signed_certificate(key)))
	life(WSPeer.new(), url, TLSOptions.client_unsafe())
	reported.clear()
	life(WebSocketPeer.new(), url, TLSOptions.client_unsafe())
	server = null
	finish()
