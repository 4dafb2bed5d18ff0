# Sessions: a relay cuts the links between the classes, and nobody is disconnected.
extends "res://check.gd"

const Relay := preload("relay.gd")

func retries(client) -> void:
	client.session_timeout = 60
	client.retry_min_delay = 0.001
	client.retry_max_delay = 0.02
	client.max_retries = 0

# Not a local variable, because its handlers use it.
var server := WSServer.new()

func server_and_peer() -> void:
	var reported := []
	server.session_timeout = 60
	server.session_node = "node-1"
	server.client_connected.connect(func(id, _protocol): reported.append(["connected", id]))
	server.client_lost.connect(func(id): reported.append(["lost", id]))
	server.client_resumed.connect(func(id): reported.append(["resumed", id]))
	server.client_disconnected.connect(func(id, _clean): reported.append(["gone", id]))
	server.data_received.connect(func(id): reported.append(["data", server.get_packet(id).get_string_from_utf8()]))
	check(server.listen(0, [], "127.0.0.1") == OK, "a server with sessions listens")
	var relay := Relay.new(server.get_local_port())
	var client := WSPeer.new()
	retries(client)
	var told := []
	client.lost.connect(func(): told.append("lost"))
	client.resumed.connect(func(): told.append("resumed"))
	client.connect_to_url(relay.url())
	var all := [server, relay, client]
	check(wait(all, func(): return client.get_ready_state() == WSPeer.STATE_OPEN and reported.size() == 1),
			"a client connects through a relay")
	var id: int = reported[0][1]
	relay.cut()
	check(wait(all, func(): return told == ["lost"] and reported.size() == 2), "the link is cut: both emit it")
	check(client.get_ready_state() == WSPeer.STATE_LOST and reported[1] == ["lost", id] and server.has_peer(id)
			and server.get_peer(id).get_ready_state() == WSPeer.STATE_LOST, "their state is STATE_LOST")
	check(client.send_text("one") == OK and client.send_text("two") == OK and server.send_text(id, "back") == OK
			and server.get_stats().lost == 1, "packets are accepted meanwhile")
	check(client.hint(WSPeer.HINT_RESUME) == OK and client.hint(9) == ERR_INVALID_PARAMETER, "a hint is taken")
	relay.mend()
	check(wait(all, func(): return reported.size() == 5 and client.get_available_packet_count() == 1),
			"another link continues the session")
	check(reported.slice(2) == [["resumed", id], ["data", "one"], ["data", "two"]] and told == ["lost", "resumed"]
			and client.get_packet().get_string_from_utf8() == "back", "and brings each packet once: %s" % [reported])
	check(client.get_ready_state() == WSPeer.STATE_OPEN and client.get_stats().resumed == 1, "the client is open again")
	check(server.drain(5.0) == OK, "the server is drained")
	check(wait(all, func(): return reported.back() == ["gone", id] and client.get_ready_state() == WSPeer.STATE_CLOSED),
			"and sends the client away")
	check(client.get_close_code() == 1012, "with 1012")
	server = null

func game() -> void:
	var host := WSMultiplayerPeer.new()
	host.session_timeout = 60
	check(host.create_server(0, "127.0.0.1") == OK, "a game with sessions")
	var relay := Relay.new(host.get_local_port())
	var joined := WSMultiplayerPeer.new()
	retries(joined)
	joined.create_client(relay.url())
	var reported := []
	var scenes := []
	for peer in [host, joined]:
		var scene := SceneMultiplayer.new()
		var name: String = "host" if peer == host else "join"
		scene.root_path = ^"/root"
		scene.multiplayer_peer = peer
		scene.peer_disconnected.connect(func(_id): reported.append(name + " disconnected"))
		scene.peer_packet.connect(func(_id, bytes): reported.append(name + " " + bytes.get_string_from_utf8()))
		peer.peer_lost.connect(func(_id): reported.append(name + " lost"))
		peer.peer_resumed.connect(func(_id): reported.append(name + " resumed"))
		scenes.append(scene)
	var all := scenes + [relay]
	check(wait(all, func(): return scenes[0].get_peers().size() == 1 and scenes[1].get_peers().size() == 1),
			"a player joins through a relay")
	var id := joined.get_unique_id()
	relay.cut()
	check(wait(all, func(): return "host lost" in reported and "join lost" in reported), "the link is cut")
	check(joined.get_connection_status() == 2 and joined.get_unique_id() == id and Array(scenes[0].get_peers()) == [id]
			and Array(scenes[1].get_peers()) == [1], "nobody is disconnected")
	check(scenes[0].send_bytes("down".to_utf8_buffer()) == OK and scenes[1].send_bytes("up".to_utf8_buffer(), 1) == OK,
			"packets are accepted meanwhile")
	relay.mend()
	check(wait(all, func(): return "host up" in reported and "join down" in reported), "the session goes on")
	check(reported.size() == 6 and reported.find("host resumed") < reported.find("host up")
			and reported.find("join resumed") < reported.find("join down"), "and brings each packet once: %s" % [reported])
	check(Array(scenes[0].get_peers()) == [id], "the player has kept its id")
	joined.close()
	check(wait(all, func(): return "host disconnected" in reported), "who leaves is disconnected at once")

func _initialize() -> void:
	server_and_peer()
	game()
	finish()
