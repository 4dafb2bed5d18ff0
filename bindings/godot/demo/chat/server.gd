# Sends every line to all clients.
#   godot --headless --path . chat/server.tscn -- 9080
extends Node

class Guest:
	var socket := WSPeer.new()
	var name := ""

var listener := TCPServer.new()
var guests: Array[Guest] = []

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
		var guest := Guest.new()
		guest.socket.supported_protocols = ["chat"]
		guest.socket.heartbeat_interval = 20.0
		if guest.socket.accept_stream(listener.take_connection()) == OK:
			guests.append(guest)
	for guest in guests.duplicate():
		guest.socket.poll()
		while guest.socket.get_available_packet_count() > 0:
			heard(guest, guest.socket.get_packet().get_string_from_utf8())
		if guest.socket.get_ready_state() == WSPeer.STATE_CLOSED:
			guests.erase(guest)
			if guest.name:
				tell(guest.name + " has left")

# The first line of a client is its name.
func heard(guest: Guest, words: String):
	if guest.name:
		tell(guest.name + ": " + words)
	elif words.is_empty() or guests.any(func(other): return other.name == words):
		guest.socket.close(4000, "that name is taken")
	else:
		guest.name = words
		tell(words + " is here")

func tell(line: String):
	print(line)
	for guest in guests:
		if guest.name and guest.socket.get_ready_state() == WSPeer.STATE_OPEN:
			guest.socket.send_text(line)
