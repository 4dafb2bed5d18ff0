# A player of the game that wspeer's `make demo` shows: counts what it sends and sees, and says goodbye when the game is
# over. The arrow keys move it; without a screen it walks by itself. examples/dots/README.md describes the messages.
#   godot --headless --path . dots/dots.tscn -- ws://localhost:PORT
extends Node2D

const COLORS := [Color.DEEP_SKY_BLUE, Color.ORANGE, Color.VIOLET, Color.LIME_GREEN, Color.HOT_PINK]

var socket := WSPeer.new()
var sent := 0
var seen := 0
var wrong := 0
var last := 0
var losses := 0
var resumed := 0
var over := false
var place := Vector2(500, 250)
var players: PackedStringArray = []

func _ready():
	Engine.max_fps = 60
	var args := OS.get_cmdline_user_args()
	socket.session_timeout = 30.0
	socket.lost.connect(func(): losses += 1)
	socket.resumed.connect(func(): resumed += 1)
	if socket.connect_to_url((args[0] if args else "ws://localhost:9080") + "/Godot?session") != OK:
		print("that is no URL of a server")
		get_tree().quit(1)

func _process(delta):
	socket.poll()
	while socket.get_available_packet_count() > 0:
		hear(socket.get_packet().get_string_from_utf8().split(" "))
	var state := socket.get_ready_state()
	if state == WSPeer.STATE_CLOSED:
		print(sent, " moves sent, ", seen, " fields seen, ", wrong, " out of order; ", losses, " links lost, ",
			resumed, " sessions resumed; closed with ", socket.get_close_code())
		get_tree().quit(0 if over and wrong == 0 and socket.get_close_code() == 1000 else 1)
	elif not over and (state == WSPeer.STATE_OPEN or state == WSPeer.STATE_LOST):
		walk(delta)
		# The session keeps what is sent while the link is lost.
		if socket.send_text("at %d %d %d" % [sent, place.x, place.y]) == OK:
			sent += 1

func hear(words: PackedStringArray):
	if words[0] == "field":
		if seen > 0 and int(words[1]) != last + 1:
			wrong += 1
		last = int(words[1])
		seen += 1
		players = words.slice(2)
		queue_redraw()
	elif words[0] == "over":
		over = true
		socket.send_text("bye %d %d %d" % [sent, seen, wrong])

func walk(delta: float):
	if DisplayServer.get_name() == "headless":
		var now := Time.get_ticks_msec() / 1000.0
		place = Vector2(500 + 450 * sin(now * 0.9), 250 + 210 * sin(now * 0.5))
	else:
		var direction := Input.get_vector("ui_left", "ui_right", "ui_up", "ui_down")
		place = (place + direction * 350 * delta).clamp(Vector2.ZERO, Vector2(1000, 500))

# Four words for each player: name, x, y, state.
func _draw():
	var scaling := get_viewport_rect().size / Vector2(1000, 500)
	for i in players.size() / 4:
		var lost := players[4 * i + 3] == "lost"
		var color: Color = Color.RED if lost else COLORS[i % COLORS.size()]
		var at := Vector2(int(players[4 * i + 1]), int(players[4 * i + 2])) * scaling
		draw_circle(at, 8, color, not lost)
		draw_string(ThemeDB.fallback_font, at + Vector2(14, 5), players[4 * i], HORIZONTAL_ALIGNMENT_LEFT, -1, 16, color)
