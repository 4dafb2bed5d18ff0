# The classes by their names, as Godot's C# has to use them: the calls of the example in README.md.
extends "res://check.gd"

func _initialize() -> void:
	var server: RefCounted = ClassDB.instantiate("WSServer")
	server.connect("data_received", func(id): server.call("send", id, server.call("get_packet", id)))
	check(server.call("listen", 0, PackedStringArray(), "127.0.0.1") == OK, "a server listens")
	var peer: PacketPeer = ClassDB.instantiate("WSPeer")
	check(peer.call("connect_to_url", "ws://127.0.0.1:%d" % server.call("get_local_port")) == OK, "a client connects")
	check(wait([server, peer], func(): return peer.call("get_ready_state") == 1), "and is open")
	peer.put_packet("text".to_utf8_buffer())
	check(wait([server, peer], func(): return peer.get_available_packet_count() > 0), "a packet comes back")
	check(peer.get_packet().get_string_from_utf8() == "text", "by the methods of PacketPeer")
	peer.call("close", 1000, "")
	check(wait([server, peer], func(): return peer.call("get_ready_state") == 3), "it closes")
	var reported := []
	var client: RefCounted = ClassDB.instantiate("WSClient")
	client.connect("connection_established", func(protocol): reported.append(protocol))
	client.call("connect_to_url", "ws://127.0.0.1:%d" % server.call("get_local_port"))
	check(wait([server, client], func(): return reported == [""]), "a signal by its name")
	var game: MultiplayerPeer = ClassDB.instantiate("WSMultiplayerPeer")
	check(game.call("create_client", "ws://127.0.0.1:%d" % server.call("get_local_port")) == OK, "a multiplayer peer")
	get_multiplayer().multiplayer_peer = game
	check(get_multiplayer().multiplayer_peer == game, "is that of the scene")
	get_multiplayer().multiplayer_peer = null
	for connection in server.get_signal_connection_list("data_received"):
		server.disconnect("data_received", connection.callable)
	finish()
