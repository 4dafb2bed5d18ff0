# A chat client. Without a screen it sends the lines of the command line, each after the one before has come back, and
# leaves.
#   godot --path . chat/client.tscn -- ws://localhost:9080 Ada
#   godot --headless --path . chat/client.tscn -- ws://localhost:9080 Ada "Good morning" "Good night"
extends Control

var socket := WSPeer.new()
var my_name := "Guest %d" % randi_range(1, 999)
var to_say: PackedStringArray = []
var named := false

func _ready():
	var args := OS.get_cmdline_user_args()
	if args.size() > 1:
		my_name = args[1]
		to_say = args.slice(2)
	socket.supported_protocols = ["chat"]
	if socket.connect_to_url(args[0] if args else "ws://localhost:9080") != OK:
		show_line("that is no URL of a server")
	$Input.text_submitted.connect(say)

func say(line: String):
	if socket.get_ready_state() == WSPeer.STATE_OPEN:
		socket.send_text(line)
	$Input.clear()

func _process(_delta):
	socket.poll()
	if socket.get_ready_state() == WSPeer.STATE_OPEN and not named:
		show_line("protocol " + socket.get_selected_protocol())
		socket.send_text(my_name)
		named = true
	while socket.get_available_packet_count() > 0:
		heard(socket.get_packet().get_string_from_utf8())
	if socket.get_ready_state() == WSPeer.STATE_CLOSED:
		show_line("closed with %d %s" % [socket.get_close_code(), socket.get_close_reason()])
		set_process(false)
		if DisplayServer.get_name() == "headless":
			get_tree().quit()

func heard(line: String):
	show_line(line)
	if DisplayServer.get_name() != "headless" or not line.begins_with(my_name):
		return
	if to_say.is_empty():
		socket.close()
	else:
		socket.send_text(to_say[0])
		to_say.remove_at(0)

func show_line(line: String):
	print(line)
	$Lines.append_text(line + "\n")
