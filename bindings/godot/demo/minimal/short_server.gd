# The same server with WSServer, which Godot has no counterpart of: it manages the clients itself, by their ids.
#   godot --headless --path . minimal/short_server.tscn -- 9080
extends Node

var server := WSServer.new()

func _ready():
	var args := OS.get_cmdline_user_args()
	server.data_received.connect(echo)
	server.client_disconnected.connect(
		func(id, was_clean): print("a client left ", "cleanly" if was_clean else "suddenly"))
	if server.listen(int(args[0]) if args else 9080) == OK:
		print("listening on ", server.get_local_port())
	else:
		get_tree().quit(1)

func _process(_delta):
	server.poll()

func echo(id: int):
	var packet := server.get_packet(id)
	print("echoing ", packet.size(), " bytes")
	server.send(id, packet, WSPeer.WRITE_MODE_TEXT if server.was_string_packet(id) else WSPeer.WRITE_MODE_BINARY)
