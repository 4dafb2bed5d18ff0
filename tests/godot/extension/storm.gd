# Random calls of scripts, in any order and state, also from handlers: nothing crashes, and nothing leaks.
extends "res://check.gd"

var random := RandomNumberGenerator.new()
var servers: Array[WSServer] = []
var hosts: Array[WSMultiplayerPeer] = []
var peers: Array[WSPeer] = []
var joins: Array[WSMultiplayerPeer] = []
var received := 0
var depth := 0

func any(list: Array):
	return list[random.randi() % list.size()] if list else null

func bytes() -> PackedByteArray:
	var made := PackedByteArray()
	made.resize([0, 1, 100, 5000, 70000][random.randi() % 5])
	return made

func serve() -> void:
	var server := WSServer.new()
	server.max_clients = 20
	server.coalesce = random.randf() < 0.3
	server.compression_enabled = random.randf() < 0.5
	for signal_name in ["client_connected", "client_disconnected", "client_close_request"]:
		server.connect(signal_name, something.unbind(3 if signal_name == "client_close_request" else 2))
	server.data_received.connect(heard.bind(weakref(server)))
	if server.listen(0, [], "127.0.0.1") == OK:
		servers.append(server)

func host() -> void:
	var made := WSMultiplayerPeer.new()
	made.full_queue_policy = random.randi_range(1, 3) as WSPeer.FullQueuePolicy
	made.peer_connected.connect(something.unbind(1))
	made.peer_disconnected.connect(something.unbind(1))
	if made.create_server(0, "127.0.0.1") == OK:
		hosts.append(made)

func heard(id: int, which: WeakRef) -> void:
	var server: WSServer = which.get_ref()
	if random.randf() < 0.9 and server.has_peer(id):
		server.get_packet(id)
		received += 1
	something()

# One random call; sometimes from a handler.
func something() -> void:
	if depth > 0 and random.randf() < 0.8:
		return
	depth += 1
	var server: WSServer = any(servers)
	var made: WSMultiplayerPeer = any(hosts)
	var peer: WSPeer = any(peers)
	var join: WSMultiplayerPeer = any(joins)
	match random.randi() % 24:
		0: if servers.size() < 3: serve()
		1: if hosts.size() < 3: host()
		2, 3, 4:
			if server and server.is_listening() and peers.size() < 30:
				peers.append(WSPeer.new())
				peers[-1].compression_enabled = random.randf() < 0.5
				peers[-1].connect_to_url("ws://127.0.0.1:%d" % server.get_local_port())
		5, 6:
			if made and made.get_connection_status() == 2 and joins.size() < 10:
				joins.append(WSMultiplayerPeer.new())
				joins[-1].create_client("ws://127.0.0.1:%d" % made.get_local_port())
		7, 8, 9: if peer and peer.get_ready_state() == WSPeer.STATE_OPEN: peer.put_packet(bytes())
		10: if peer: peer.close([1000, 4000, -1][random.randi() % 3])
		11: if peer: peers.erase(peer)
		12: if server: server.broadcast(bytes())
		13: if server and server.get_peers(): server.send(any(server.get_peers()), bytes())
		14: if server and server.get_peers(): server.disconnect_peer(any(server.get_peers()), [1000, -1][random.randi() % 2])
		15: if server and server.get_peers(): peers.append(server.get_peer(any(server.get_peers())))
		16: if server and random.randf() < 0.2: server.stop()
		17: if server and random.randf() < 0.1: servers.erase(server)
		18: if made and random.randf() < 0.2: made.close()
		19: if made and random.randf() < 0.1: hosts.erase(made)
		20:
			if made and made.get_connection_status() == 2:
				made.set_target_peer(0)
				made.put_packet(bytes())
		21: if join and join.get_connection_status() == 2: join.put_packet(bytes())
		22: if join: joins.erase(join)
		23: if join and random.randf() < 0.3: join.close()
	if random.randf() < 0.3 and server:
		server.poll()
	depth -= 1

func _initialize() -> void:
	var arguments := OS.get_cmdline_user_args()
	random.seed = int(arguments[1]) if arguments.size() > 1 else 7
	var end := Time.get_ticks_msec() + (int(arguments[0]) if arguments else 3000)
	var rounds := 0
	while Time.get_ticks_msec() < end:
		rounds += 1
		for i in 5:
			something()
		for server in servers.duplicate():
			server.poll()
			if not server.is_listening() and not server.get_peers():
				servers.erase(server)
		for peer in peers.duplicate():
			peer.poll()
			while peer.get_available_packet_count():
				peer.get_packet()
			if peer.get_ready_state() == WSPeer.STATE_CLOSED:
				peers.erase(peer)
		for made in hosts.duplicate() + joins.duplicate():
			made.poll()
			while made.get_available_packet_count():
				made.get_packet_peer()
				made.get_packet()
			if made.get_connection_status() == 0:
				hosts.erase(made)
				joins.erase(made)
	check(rounds > 50 and received > 20, "%d rounds, %d packets to servers" % [rounds, received])
	for list in [servers, hosts, peers, joins]:
		list.clear()
	finish()
