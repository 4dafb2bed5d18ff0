# Players who walk about. The host decides where they are: a player requests a step, the host executes it and sends the
# new position to everyone.
#   godot --path . -- host 9080                    on one machine
#   godot --path . -- join ws://localhost:9080     on others; then walk with the arrow keys
# Without a screen it walks as the command line says, and leaves:
# godot --headless --path . -- join ws://localhost:9080 right right down
# The step "stay" does nothing: a player who stays leaves when the host leaves.
extends Node2D

const FIELD := Rect2(0, 0, 600, 360)
const STEP := 20.0

var peer := WSMultiplayerPeer.new()
var players := {}
var to_walk: PackedStringArray = []

func _ready():
	var args := OS.get_cmdline_user_args()
	var role := args[0] if args else "host"
	multiplayer.peer_connected.connect(arrived)
	multiplayer.peer_disconnected.connect(left)
	multiplayer.connected_to_server.connect(func(): print("I am in"))
	multiplayer.connection_failed.connect(ended.bind("nobody is there"))
	multiplayer.server_disconnected.connect(ended.bind("the game is over"))
	var error := OK
	if role == "host":
		error = peer.create_server(int(args[1]) if args.size() > 1 else 9080)
	else:
		error = peer.create_client(args[1] if args.size() > 1 else "ws://localhost:9080")
		to_walk = args.slice(2)
	if error != OK:
		ended("this is no place to play: " + error_string(error))
		return
	multiplayer.multiplayer_peer = peer
	if role == "host":
		print("hosting")
		put.rpc(1, FIELD.get_center())

func _process(_delta):
	var direction := Input.get_vector("ui_left", "ui_right", "ui_up", "ui_down")
	if direction and players.has(multiplayer.get_unique_id()):
		step.rpc_id(1, direction)

# The host sends the new player to everyone, and everyone to the new player.
func arrived(id: int):
	if multiplayer.is_server():
		print("arrived ", id)
		for other in players:
			put.rpc_id(id, other, players[other].position)
		put.rpc(id, FIELD.position)

func left(id: int):
	print("left ", id)
	if players.has(id):
		players[id].queue_free()
		players.erase(id)

func ended(why: String):
	print(why)
	peer.close()
	get_tree().quit()

# A player requests a step from the host.
@rpc("any_peer", "call_local")
func step(direction: Vector2):
	var id := multiplayer.get_remote_sender_id()
	if multiplayer.is_server() and players.has(id):
		put.rpc(id, (players[id].position + direction.limit_length() * STEP).clamp(FIELD.position, FIELD.end))

# The host reports a player's position.
@rpc("authority", "call_local")
func put(id: int, place: Vector2):
	if not players.has(id):
		players[id] = ColorRect.new()
		players[id].size = Vector2(STEP, STEP)
		players[id].color = Color.from_hsv(fmod(id * 0.618, 1.0), 0.8, 1.0)
		add_child(players[id])
	players[id].position = place
	print(id, " is at ", place)
	if id == multiplayer.get_unique_id() and id != 1:
		walk_on()

func walk_on():
	if to_walk and to_walk[0] != "stay":
		step.rpc_id(1, {"left": Vector2.LEFT, "right": Vector2.RIGHT, "up": Vector2.UP, "down": Vector2.DOWN}[to_walk[0]])
		to_walk.remove_at(0)
	elif to_walk.is_empty() and DisplayServer.get_name() == "headless":
		ended("I have walked enough")
