# Scripts that extend our classes, hold them as their parents' types, and use them from threads.
extends "res://check.gd"

class Chatty extends WSPeer:
	var said := 0
	func say(text: String) -> Error:
		said += 1
		return send_text(text)

class Lobby extends WSServer:
	var names := {}
	func _init() -> void:
		client_connected.connect(_on_connected)
	func _on_connected(id: int, _protocol: String) -> void:
		names[id] = "player %d" % names.size()

class Game extends WSMultiplayerPeer:
	func where() -> int:
		return get_local_port()

func echo_in_thread(port: int, count: int) -> int:
	var peer := WSPeer.new()
	peer.connect_to_url("ws://127.0.0.1:%d" % port)
	var sent := 0
	var got := 0
	var end := Time.get_ticks_msec() + 10000
	while got < count and Time.get_ticks_msec() < end:
		peer.poll()
		if peer.get_ready_state() == WSPeer.STATE_OPEN and sent < count and sent - got < 8:
			sent += int(peer.send_text(str(sent)) == OK)
		while peer.get_available_packet_count():
			got += int(peer.get_packet().get_string_from_utf8() == str(got))
	return got

func _initialize() -> void:
	var lobby := Lobby.new()
	check(lobby.listen(0, [], "127.0.0.1") == OK, "a script that extends WSServer listens")
	var chatty := Chatty.new()
	chatty.connect_to_url("ws://127.0.0.1:%d" % lobby.get_local_port())
	var general: PacketPeer = chatty
	check(wait([lobby, chatty], func(): return lobby.names.size() == 1 and chatty.get_ready_state() == WSPeer.STATE_OPEN),
			"its handler is called")
	check(chatty.say("hi") == OK and chatty.said == 1 and general.put_packet([1]) == OK,
			"a script that extends WSPeer sends, also as a PacketPeer")
	var id := lobby.get_peers()[0]
	check(wait([lobby], func(): return lobby.get_available_packet_count(id) == 2), "its packets are received")
	var game := Game.new()
	var player: MultiplayerPeer = game
	check(game.create_server(0, "127.0.0.1") == OK and game.where() > 0 and player.get_unique_id() == 1,
			"a script that extends WSMultiplayerPeer hosts")
	lobby.data_received.connect(func(from): lobby.send_text(from, lobby.get_packet(from).get_string_from_utf8()))
	var threads: Array[Thread] = []
	for i in 3:
		threads.append(Thread.new())
		threads[-1].start(echo_in_thread.bind(lobby.get_local_port(), 300))
	var results := []
	while threads:
		lobby.poll()
		if not threads[0].is_alive():
			results.append(threads.pop_front().wait_to_finish())
	check(results == [300, 300, 300], "peers in other threads exchange packets with a server in this one: %s" % [results])
	for connection in lobby.data_received.get_connections() + lobby.client_connected.get_connections():
		connection.signal.disconnect(connection.callable)
	finish()
