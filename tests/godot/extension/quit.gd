# The engine quits while servers and connections exist; it releases their owners in its own order.
extends "res://check.gd"

var kept := []

func _initialize() -> void:
	var server := WSServer.new()
	server.listen(0, [], "127.0.0.1")
	var url := "ws://127.0.0.1:%d" % server.get_local_port()
	var host := WSMultiplayerPeer.new()
	host.create_server(0, "127.0.0.1")
	var game := "ws://127.0.0.1:%d" % host.get_local_port()
	kept = [server, host]
	match OS.get_cmdline_user_args()[0]:
		"open":
			var peer := WSPeer.new()
			peer.connect_to_url(url)
			var join := WSMultiplayerPeer.new()
			join.create_client(game)
			get_multiplayer().multiplayer_peer = join
			check(wait([server, host, peer, join],
					func(): return peer.get_ready_state() == 1 and join.get_connection_status() == 2), "connections are open")
			for i in 100:
				peer.send_text("unread %d" % i)
				server.poll()
			kept += [peer, join, server.get_peer(server.get_peers()[0]), host.get_peer(join.get_unique_id())]
		"closing":
			var peer := WSPeer.new()
			peer.connect_to_url(url)
			wait([server, peer], func(): return peer.get_ready_state() == 1)
			peer.close()
			server.stop()
			host.close()
			check(peer.get_ready_state() == 2, "a connection is closing")
			kept.append(peer)
		"in a handler":
			server.client_connected.connect(func(_id, _protocol): quit())
			var peer := WSPeer.new()
			peer.connect_to_url(url)
			wait([server, peer], func(): return peer.get_ready_state() == 1)
			kept.append(peer)
	# The reference cycle of a handler that holds its own server is the script's.
	for connection in server.client_connected.get_connections():
		server.client_connected.disconnect(connection.callable)
	finish()
