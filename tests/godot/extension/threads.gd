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
	finish()
