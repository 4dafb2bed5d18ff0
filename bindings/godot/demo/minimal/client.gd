# Sends a greeting to a server, prints the answer, and leaves.
#   godot --headless --path . minimal/client.tscn -- ws://localhost:9080
extends Node

var socket := WSPeer.new()
var greeted := false

func _ready():
	var args := OS.get_cmdline_user_args()
	if socket.connect_to_url(args[0] if args else "ws://localhost:9080") != OK:
		print("that is no URL of a server")
		get_tree().quit(1)

func _process(_delta):
	socket.poll()
	if socket.get_ready_state() == WSPeer.STATE_OPEN and not greeted:
		print("connected to ", socket.get_requested_url())
		socket.send_text("hello")
		socket.send(PackedByteArray([1, 2, 3]))
		greeted = true
	while socket.get_available_packet_count() > 0:
		var packet := socket.get_packet()
		if socket.was_string_packet():
			print("text: ", packet.get_string_from_utf8())
		else:
			print("bytes: ", packet)
			socket.close(1000, "that was all")
	if socket.get_ready_state() == WSPeer.STATE_CLOSED:
		print("closed with ", socket.get_close_code())
		get_tree().quit()
