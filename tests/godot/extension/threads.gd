# One thread sends and another one polls and reads, on one WSPeer: 57,000 packets there and back. Godot's own class ends the
# process when it is used like this.
extends "res://check.gd"

const COUNT := 57000

var client := WSPeer.new()
var server := WSServer.new()
var accepted := 0
var in_order := 0
var is_over := false

func send_all() -> void:
	while accepted < COUNT and not is_over:
		var message := PackedByteArray()
		message.resize(8)
		message.encode_u64(0, accepted)
		if client.send(message) == OK:
			accepted += 1
		else:
			OS.delay_usec(100)

func read_all() -> void:
	while in_order < COUNT and not is_over:
		client.poll()
		while client.get_available_packet_count() > 0:
			in_order += int(client.get_packet().decode_u64(0) == in_order)
		OS.delay_usec(50)

func _initialize() -> void:
	server.data_received.connect(func(id): server.send(id, server.get_packet(id)))
	server.max_queued_packets = 0
	server.outbound_buffer_size = 0
	server.listen(0, [], "127.0.0.1")
	client.max_queued_packets = 0
	client.outbound_buffer_size = 0
	client.connect_to_url("ws://127.0.0.1:%d" % server.get_local_port())
	check(wait([client, server], func(): return client.get_ready_state() == WSPeer.STATE_OPEN), "a client connects")
	var sender := Thread.new()
	var reader := Thread.new()
	sender.start(send_all)
	reader.start(read_all)
	check(wait([server], func(): return in_order == COUNT, 60.0),
			"%d packets of one thread are read by another one: %d, %d" % [COUNT, accepted, in_order])
	is_over = true
	sender.wait_to_finish()
	reader.wait_to_finish()
	check(client.get_ready_state() == WSPeer.STATE_OPEN and client.get_available_packet_count() == 0, "each of them once")
	of_a_server()
	of_a_game()
	finish()

# Packets of a thread, numbered.
func put_numbered(put: Callable, number: int) -> void:
	var next := 0
	while next < number and not is_over:
		var message := PackedByteArray()
		message.resize(8)
		message.encode_u64(0, next)
		if put.call(message) == OK:
			next += 1
		else:
			OS.delay_usec(100)

# The main thread polls both ends and reads; another one sends.
func reads(polled: Array, reader: PacketPeer, put: Callable, what: String) -> void:
	var next := [0]
	var sender := Thread.new()
	is_over = false
	sender.start(put_numbered.bind(put, 20000))
	check(wait(polled, func():
		while reader.get_available_packet_count() > 0:
			next[0] += int(reader.get_packet().decode_u64(0) == next[0])
		return next[0] == 20000, 60.0), "%s: 20,000 packets of another thread" % what)
	is_over = true
	sender.wait_to_finish()

func of_a_server() -> void:
	var peer: WSPeer = server.get_peer(server.get_peers()[0])
	reads([server, client], client, peer.send, "a client of a server")

func of_a_game() -> void:
	var host := WSMultiplayerPeer.new()
	host.create_server(0, "127.0.0.1")
	var join := WSMultiplayerPeer.new()
	join.create_client("ws://127.0.0.1:%d" % host.get_local_port())
	check(wait([host, join], func(): return join.get_connection_status() == MultiplayerPeer.CONNECTION_CONNECTED),
			"a client joins a game")
	join.set_target_peer(1)
	for one in [host, join]:
		one.max_queued_packets = 0
		one.outbound_buffer_size = 0
	reads([host, join], host, join.put_packet, "a client of a game")
