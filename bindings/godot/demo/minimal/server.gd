# Sends every packet back.
#   godot --headless --path . minimal/server.tscn -- 9080
extends Node

var listener := TCPServer.new()
var clients: Array[WSPeer] = []

func _ready():
	var args := OS.get_cmdline_user_args()
	var port := int(args[0]) if args else 9080
	if listener.listen(port) != OK:
		print("port ", port, " is taken")
		get_tree().quit(1)
		return
	print("listening on ", listener.get_local_port())

func _process(_delta):
	while listener.is_connection_available():
		var client := WSPeer.new()
		if client.accept_stream(listener.take_connection()) == OK:
			clients.append(client)
	for client in clients:
		client.poll()
		while client.get_available_packet_count() > 0:
			var packet := client.get_packet()
			print("echoing ", packet.size(), " bytes")
			client.send(packet, WSPeer.WRITE_MODE_TEXT if client.was_string_packet() else WSPeer.WRITE_MODE_BINARY)
		if client.get_ready_state() == WSPeer.STATE_CLOSED:
			print("a client left with ", client.get_close_code(), " ", client.get_close_reason())
	clients = clients.filter(func(client): return client.get_ready_state() != WSPeer.STATE_CLOSED)
