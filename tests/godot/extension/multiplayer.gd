# WSMultiplayerPeer under the engine's SceneMultiplayer, with WebSocketMultiplayerPeer peers in both roles, and alone.
extends "res://check.gd"

# Not RefCounted, because its handlers hold references to it.
class Player extends Object:
	var peer: MultiplayerPeer
	var scene := SceneMultiplayer.new()
	var reported := []
	func _init(own: MultiplayerPeer) -> void:
		peer = own
		scene.root_path = ^"/root"
		scene.peer_connected.connect(func(id): reported.append("+%d" % id))
		scene.peer_disconnected.connect(func(id): reported.append("-%d" % id))
		scene.connected_to_server.connect(func(): reported.append("connected"))
		scene.connection_failed.connect(func(): reported.append("failed"))
		scene.server_disconnected.connect(func(): reported.append("server gone"))
		scene.peer_packet.connect(func(id, bytes): reported.append([id, bytes.get_string_from_utf8()]))
	func start() -> void:
		scene.multiplayer_peer = peer
	func poll() -> void:
		scene.poll()
	func id() -> int:
		return peer.get_unique_id()
	func take() -> Array:
		var all := reported
		reported = []
		return all

# A packet that a SceneMultiplayer passes on as peer_packet.
func raw(words: String) -> PackedByteArray:
	return PackedByteArray([3]) + words.to_utf8_buffer()

func rooms(server: Player, one: Player, two: Player) -> void:
	var host: WSMultiplayerPeer = server.peer
	check(host.subscribe(one.id(), "red") == OK and host.subscribe(two.id(), "red") == OK
			and host.subscribe(two.id(), "blue") == OK, "peers subscribe to topics")
	check(host.get_topics(two.id()) == PackedStringArray(["blue", "red"]) and host.get_topics().size() == 2,
			"their topics are listed")
	for id in [one.id(), two.id()]:
		host.get_peer(id).coalesce = true
	check(host.publish("red", raw("to red")) == OK and host.publish("red", raw("to two"), one.id()) == OK
			and host.publish_latest("blue", 7, raw("old")) == OK and host.publish_latest("blue", 7, raw("new")) == OK
			and host.publish("green", raw("to nobody")) == OK, "packets are published")
	host.set_target_peer(one.id())
	check(host.put_latest(1, raw("where")) == OK and host.put_latest(1, raw("there")) == OK
			and host.put_latest(-1, raw("")) == ERR_INVALID_PARAMETER, "newer packets replace older ones")
	for id in [one.id(), two.id()]:
		host.get_peer(id).coalesce = false
	check(wait([server, one, two], func(): return one.reported.size() == 2 and two.reported.size() == 3),
			"they arrive")
	check(one.take() == [[1, "to red"], [1, "there"]] and two.take() == [[1, "to red"], [1, "to two"], [1, "new"]],
			"at those who have subscribed")
	check(host.get_stats().replaced == 2, "the replaced ones are counted")
	check(host.unsubscribe(two.id(), "blue") == OK and host.unsubscribe_all(two.id()) == OK
			and host.get_topics() == PackedStringArray(["red"]), "peers leave topics")
	check(host.subscribe(77, "red") == ERR_DOES_NOT_EXIST and host.subscribe(one.id(), "") == ERR_INVALID_PARAMETER
			and host.publish("red", raw("x"), -1) == ERR_INVALID_PARAMETER, "what cannot be is refused")

# Packets around the length that the stock classes take: a longer one is refused, as it would close their connection.
func long_packets(from: Player, to: Player) -> void:
	var long := PackedByteArray()
	for size in [65535, 70000]:
		long.resize(size)
		check(from.scene.send_bytes(long, to.id()) == ERR_OUT_OF_MEMORY, "a packet of %d bytes and one is refused" % size)
	long.resize(65534)
	check(from.scene.send_bytes(long, to.id()) == OK and wait([from, to], func(): return to.reported.size() == 1),
			"the longest one arrives, and the peer stays")
	check(to.take().size() == 1 and to.peer.get_connection_status() == 2, "it is still connected")

# A peer that is disconnected while it goes on sending and reads nothing.
func kick(server: Player, one: Player, by_scene: bool) -> void:
	var id := one.id()
	for i in 50:
		one.scene.send_bytes("late".to_utf8_buffer(), 1)
	one.peer.poll()
	if by_scene:
		server.scene.disconnect_peer(id)
	else:
		server.peer.disconnect_peer(id)
	server.poll()
	# The scene emits no signal for a peer that it disconnects itself.
	var reported := server.reported.duplicate()
	check(reported == ([] if by_scene else ["-%d" % id]) and not id in server.scene.get_peers(),
			"the next poll ends a peer that %s disconnects: %s" % ["the scene" if by_scene else "a script", reported])
	for i in 100:
		one.scene.send_bytes("later".to_utf8_buffer(), 1)
		server.poll()
	check(server.reported == reported, "nothing of it arrives any more: %s" % [server.reported])
	check(server.peer.get_peer(id) == null, "it is forgotten")

func kick_by_scene(kind) -> void:
	var server := Player.new(WSMultiplayerPeer.new())
	server.peer.create_server(0, "127.0.0.1")
	server.start()
	var one := Player.new(kind.new())
	one.peer.create_client("ws://127.0.0.1:%d" % server.peer.get_local_port())
	one.start()
	wait([server, one], func(): return server.reported.size() == 1 and one.reported.size() == 2)
	server.take()
	kick(server, one, true)
	check(wait([server, one], func(): return "server gone" in one.reported), "it emits server_disconnected")
	server.free()
	one.free()

func free_port() -> int:
	var listener := TCPServer.new()
	listener.listen(0, "127.0.0.1")
	return listener.get_local_port()

func game(kinds: Array) -> void:
	var names := "%s hosts %s and %s" % kinds.map(func(kind): return "wspeer" if kind == WSMultiplayerPeer else "Godot")
	var port := free_port()
	var server := Player.new(kinds[0].new())
	check(server.peer.create_server(port, "127.0.0.1") == OK, names)
	server.start()
	check(server.id() == 1 and server.peer.get_connection_status() == 2 and server.scene.is_server(),
			"the host has peer id 1")
	var one := Player.new(kinds[1].new())
	check(one.peer.create_client("ws://127.0.0.1:%d" % port) == OK and one.peer.get_connection_status() == 1,
			"a peer joins")
	one.start()
	check(wait([server, one], func(): return server.reported.size() == 1 and one.reported.size() == 2), "and is connected")
	check(server.take() == ["+%d" % one.id()] and one.id() >= 2, "the host emits peer_connected")
	var first := one.take()
	check(first == ["connected", "+1"], "and the other: %s" % [first])
	var two := Player.new(kinds[2].new())
	two.peer.create_client("ws://127.0.0.1:%d" % port)
	two.start()
	var all := [server, one, two]
	check(wait(all, func(): return server.reported.size() == 1 and one.reported.size() == 1 and two.reported.size() == 3),
			"another peer joins")
	check(two.id() != one.id() and one.take() == ["+%d" % two.id()], "the others emit peer_connected")
	server.take()
	two.take()
	server.scene.send_bytes("all".to_utf8_buffer())
	server.scene.send_bytes("one".to_utf8_buffer(), one.id())
	server.scene.send_bytes("but".to_utf8_buffer(), -one.id())
	one.scene.send_bytes("host".to_utf8_buffer(), 1)
	one.scene.send_bytes("relayed".to_utf8_buffer(), two.id())
	check(wait(all, func(): return server.reported.size() == 1 and one.reported.size() == 2 and two.reported.size() == 3),
			"packets to all, to one, to all but one, and through the host are sent")
	check(server.take() == [[one.id(), "host"]] and one.take() == [[1, "all"], [1, "one"]], "they arrive at their targets")
	var got := two.take()
	check([one.id(), "relayed"] in got and got.filter(func(each): return each[0] == 1) == [[1, "all"], [1, "but"]],
			"they have their senders, in order")
	if server.peer is WSMultiplayerPeer:
		var link: WSPeer = server.peer.get_peer(one.id())
		check(link == server.peer.get_peer(one.id()) and link.get_ready_state() == WSPeer.STATE_OPEN,
				"get_peer() returns a WSPeer")
		check(server.peer.get_peer_address(one.id()) == "127.0.0.1" and server.peer.get_peer_port(one.id()) > 0,
				"it has an address")
		rooms(server, one, two)
		long_packets(server, one)
	if one.peer is WSMultiplayerPeer:
		long_packets(one, server)
	if server.peer is WSMultiplayerPeer:
		kick(server, one, false)
	else:
		server.peer.disconnect_peer(one.id())
	check(wait(all, func(): return "server gone" in one.reported and server.reported.size() == 1),
			"a peer is disconnected: %s" % [server.reported])
	var last := one.take()
	check(last == ["-1", "server gone"], "it emits server_disconnected: %s" % [last])
	check(wait(all, func(): return two.reported.size() == 1) and server.take().size() == 1 and two.take().size() == 1,
			"the others emit peer_disconnected once")
	check(one.peer.get_connection_status() == 0, "its status is disconnected")
	two.scene.send_bytes("bye".to_utf8_buffer(), 1)
	var id := two.id()
	two.peer.close()
	if kinds[2] == WSMultiplayerPeer:
		# The stock host drops packets that precede an end in the same poll.
		check(wait([server], func(): return server.reported.size() == (2 if kinds[0] == WSMultiplayerPeer else 1)),
				"two leaves")
		if kinds[0] == WSMultiplayerPeer:
			check(server.take() == [[id, "bye"], "-%d" % id], "its last packets arrive before its end")
	else:
		check(wait([server], func(): return "-%d" % id in server.reported), "two leaves")
	server.peer.close()
	check(server.peer.get_connection_status() == 0, "the host closes")
	for player in all:
		player.free()

# Without SceneMultiplayer, as a script may use it.
func alone() -> void:
	var reported := []
	host = WSMultiplayerPeer.new()
	host.peer_connected.connect(func(id): reported.append(id))
	host.peer_disconnected.connect(func(id): reported.append(-id))
	check(host.transfer_mode == MultiplayerPeer.TRANSFER_MODE_RELIABLE and host.transfer_channel == 0
			and not host.refuse_new_connections, "defaults of MultiplayerPeer")
	host.transfer_mode = MultiplayerPeer.TRANSFER_MODE_UNRELIABLE
	host.transfer_channel = 3
	check(host.transfer_mode == 0 and host.transfer_channel == 3, "transfer mode and channel are stored")
	check(host.put_packet([1]) == ERR_UNCONFIGURED and host.get_connection_status() == 0,
			"an unconnected peer sends nothing")
	check(host.set_sim({}) != OK, "a game that is not open has no network")
	check(host.create_server(0, "127.0.0.1") == OK and host.create_server(0) == ERR_ALREADY_IN_USE
			and host.create_client("ws://x") == ERR_ALREADY_IN_USE, "a second create call is refused")
	check(host.set_sim(host.sim_preset(WSPeer.SIM_TRAIN)) == OK and host.set_sim({}) == OK, "an open one has")
	var other := WSMultiplayerPeer.new()
	check(other.create_server(host.get_local_port(), "127.0.0.1") == ERR_ALREADY_IN_USE, "a taken port is refused")
	check(other.create_client("http://x") == ERR_INVALID_PARAMETER, "an invalid URL is refused")
	var url := "ws://127.0.0.1:%d" % host.get_local_port()
	host.refuse_new_connections = true
	check(host.refuse_new_connections, "refuse_new_connections is set")
	check(other.create_client(url) == OK, "a new peer connects")
	for i in 100:
		host.poll()
		other.poll()
		OS.delay_usec(500)
	check(other.get_connection_status() == 1 and host.get_stats().accepted == 0, "as in the engine, it is not accepted")
	host.refuse_new_connections = false
	check(wait([host, other], func(): return other.get_connection_status() == 2 and reported.size() == 1),
			"it is let in when peers are accepted again")
	var id := other.get_unique_id()
	check(reported == [id] and other.get_packet_peer() == 1 and other.get_available_packet_count() == 0, "it has an id")
	host.set_target_peer(id)
	for i in 3:
		host.put_packet([i])
	check(wait([other], func(): return other.get_available_packet_count() == 3), "three packets arrive")
	check(other.get_packet_peer() == 1 and other.get_available_packet_count() == 3,
			"get_packet_peer() returns the next sender without taking the packet")
	check(other.get_packet() == PackedByteArray([0]) and other.get_packet_peer() == 1
			and other.get_packet() == PackedByteArray([1]), "they arrive in order")
	check(other.get_packet_mode() == MultiplayerPeer.TRANSFER_MODE_RELIABLE and other.get_packet_channel() == 0,
			"reliably")
	host.set_target_peer(-id)
	check(host.put_packet([9]) == OK, "a packet to nobody is not an error")
	for i in 3:
		other.put_packet([7])
	wait([host, other], func(): return host.get_available_packet_count() == 3)
	host.get_packet_peer()
	host.disconnect_peer(id)
	check(host.get_available_packet_count() == 0 and host.get_packet_peer() == 1 and host.get_packet().is_empty(),
			"nothing more of a disconnected peer is delivered")
	check(reported == [id], "no signal is emitted before the next poll")
	host.poll()
	check(reported == [id, -id], "which emits peer_disconnected")
	check(wait([host, other],
			func(): return other.get_available_packet_count() == 1 and not other.get_peer(1).get_ready_state() == 1),
			"a peer is disconnected while a packet is queued")
	check(other.get_connection_status() == 2, "it stays connected until the packet is read")
	check(other.get_packet() == PackedByteArray([2]), "it is read")
	other.poll()
	check(other.get_connection_status() == 0 and other.get_peer(1).get_close_code() == 1000,
			"it is then no longer connected")
	for i in 10:
		host.poll()
	check(reported == [id, -id], "nothing follows")
	reported.clear()
	other.create_client(url)
	wait([host, other], func(): return reported.size() == 1 and other.get_connection_status() == 2)
	id = other.get_unique_id()
	var link: WSPeer = host.get_peer(id)
	other.put_packet([1])
	wait([host, other], func(): return host.get_available_packet_count() == 1)
	host.get_packet_peer()
	host.disconnect_peer(id, true)
	check(host.get_available_packet_count() == 0 and host.get_peer(id) == null,
			"a forced disconnect drops the peer and its packets at once")
	for i in 10:
		host.poll()
	check(reported == [id] and link.get_ready_state() == 3, "it emits no signal")
	check(wait([other], func(): return other.get_connection_status() == 0) and other.get_peer(1).get_close_code() == 1000,
			"the other end receives a close")
	# Each of these is what a script may do with a peer that is connected.
	for how in ["get_peer().close()", "of a client", "of a client, by force"]:
		reported.clear()
		var signals := []
		other = WSMultiplayerPeer.new()
		other.peer_disconnected.connect(func(gone): signals.append(gone))
		other.create_client(url)
		wait([host, other], func(): return reported.size() == 1 and other.get_connection_status() == 2)
		id = other.get_unique_id()
		for i in 3:
			other.put_packet([1])
			host.set_target_peer(id)
			host.put_packet([2])
		wait([host, other],
				func(): return host.get_available_packet_count() == 3 and other.get_available_packet_count() == 3)
		host.get_packet_peer()
		other.get_packet_peer()
		if how == "get_peer().close()":
			host.get_peer(id).close(4003, "go")
			check(host.get_available_packet_count() == 0, how + ": nothing more is delivered")
			host.poll()
			check(reported == [id, -id], how + ": peer_disconnected comes with the next poll")
		elif how == "of a client":
			other.disconnect_peer(1)
			check(other.get_available_packet_count() == 0 and other.get_packet().is_empty(), how + ": it reads nothing more")
			check(wait([host, other], func(): return signals == [1] and other.get_connection_status() == 0)
					and reported == [id], how + ": peer_disconnected is emitted")
			while host.get_available_packet_count():
				host.get_packet()
			check(wait([host], func(): return reported == [id, -id]), how + ": the host reads what it had sent")
		else:
			other.disconnect_peer(1, true)
			check(other.get_connection_status() == 0 and other.get_unique_id() == 0 and signals.is_empty(),
					how + ": it is disconnected at once, without a signal")
			check(other.create_client(url) == OK, how + ": it can connect again")
			while host.get_available_packet_count():
				host.get_packet()
			check(wait([host, other], func(): return reported.size() == 3), how + ": the host notices")
	host.close()
	# With sessions they are answered, so that who comes back is let in.
	host = WSMultiplayerPeer.new()
	host.session_timeout = 10
	host.refuse_new_connections = true
	host.create_server(0, "127.0.0.1")
	other.close()
	other.create_client("ws://127.0.0.1:%d" % host.get_local_port())
	check(wait([host, other], func(): return other.get_connection_status() == 0)
			and other.get_peer(1).get_close_http_status() == 503,
			"with sessions a new peer is refused: %s" % other.get_peer(1).get_close_message())

func full() -> void:
	host = WSMultiplayerPeer.new()
	host.create_server(0, "127.0.0.1")
	var url := "ws://127.0.0.1:%d" % host.get_local_port()
	var stalled := WSMultiplayerPeer.new()
	stalled.create_client(url)
	wait([host, stalled], func(): return stalled.get_connection_status() == 2)
	host.set_target_peer(stalled.get_unique_id())
	var packet := PackedByteArray()
	packet.resize(4096)
	var accepted := 0
	for i in 8000:
		packet.encode_u32(0, accepted)
		var error := host.put_packet(packet)
		if error == OK:
			accepted += 1
		elif error != ERR_OUT_OF_MEMORY:
			check(false, "error %d" % error)
		host.poll()
	check(accepted > 0 and accepted < 8000,
			"of 8000 packets to a peer that does not read, %d are accepted and the others are errors" % accepted)
	var seen := [0, 0]
	check(wait([host, stalled], func():
		while stalled.get_available_packet_count():
			if stalled.get_packet().decode_u32(0) != seen[0]: seen[1] += 1
			seen[0] += 1
		return seen[0] == accepted, 20.0), "all that were accepted come")
	check(seen == [accepted, 0], "the accepted packets arrive in order")
	check(host.put_packet(packet) == OK, "packets are accepted again")

# Handlers that call the peer unexpectedly.
var host: WSMultiplayerPeer
var joined: WSMultiplayerPeer

func send_away(id: int) -> void:
	host.poll()
	host.disconnect_peer(id, true)

func handlers() -> void:
	host = WSMultiplayerPeer.new()
	host.create_server(0, "127.0.0.1")
	var url := "ws://127.0.0.1:%d" % host.get_local_port()
	host.peer_connected.connect(send_away)
	joined = WSMultiplayerPeer.new()
	joined.create_client(url)
	check(wait([host, joined], func(): return joined.get_connection_status() == 0),
			"a handler may poll and force a disconnect")
	host.peer_connected.connect(func(_id): host.close())
	joined.create_client(url)
	check(wait([host, joined], func(): return joined.get_connection_status() == 0) and host.get_connection_status() == 0,
			"a handler may close the host")
	host = WSMultiplayerPeer.new()
	host.create_server(0, "127.0.0.1")
	joined.peer_connected.connect(func(_id): joined.close())
	joined.create_client("ws://127.0.0.1:%d" % host.get_local_port())
	check(wait([host, joined], func(): return joined.get_connection_status() == 0), "a handler may close a join")
	host.peer_connected.connect(func(_id): host = null)
	joined = WSMultiplayerPeer.new()
	joined.create_client("ws://127.0.0.1:%d" % host.get_local_port())
	check(wait([joined], func():
		if host: host.poll()
		return host == null), "a handler may let go of the host")
	joined = null

func _initialize() -> void:
	var kinds := [WSMultiplayerPeer, WebSocketMultiplayerPeer]
	for host in kinds:
		for one in kinds:
			game([host, one, WSMultiplayerPeer])
	game([WSMultiplayerPeer, WebSocketMultiplayerPeer, WebSocketMultiplayerPeer])
	for kind in kinds:
		kick_by_scene(kind)
	alone()
	full()
	handlers()
	finish()
