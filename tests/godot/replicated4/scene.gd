# A peer of a Godot 4 game with stock classes only, whose nodes are spawned and synchronized:
# --script scene.gd -- host|join URL [SPAWNER's authority] [LONE's authority] ; raw packets control it.
# /root/Game has Things, where Spawner puts thing.tscn (scene 0) or what spawn() makes, and Lone, which synchronizes it.
extends SceneTree

var peer := WebSocketMultiplayerPeer.new()
var api: SceneMultiplayer
var game: Node
var things := Node.new()
var spawner := MultiplayerSpawner.new()
var lone := MultiplayerSynchronizer.new()

func _initialize():
	api = get_multiplayer()
	var words := OS.get_cmdline_user_args()
	game = load("res://game.gd").new()
	game.name = "Game"
	things.name = "Things"
	game.add_child(things)
	spawner.name = "Spawner"
	spawner.add_spawnable_scene("res://thing.tscn")
	spawner.spawn_path = NodePath("../Things")
	spawner.spawn_function = _make
	spawner.spawned.connect(func(node): print("spawned ", node.name, " ", node.position, " ", node.health, " ", node.label))
	spawner.despawned.connect(func(node): print("despawned ", node.name))
	lone.name = "Lone"
	lone.root_path = NodePath("..")
	var config := SceneReplicationConfig.new()
	for property in [[^".:clock", 1], [^".:score", 2]]:
		config.add_property(property[0])
		config.property_set_spawn(property[0], false)
		config.property_set_replication_mode(property[0], property[1])
	lone.replication_config = config
	game.add_child(spawner)
	game.add_child(lone)
	root.add_child(game)
	api.peer_connected.connect(func(id): print("connected ", id))
	api.peer_disconnected.connect(func(id): print("disconnected ", id))
	api.connected_to_server.connect(_joined)
	api.connection_failed.connect(_end.bind("failed"))
	api.server_disconnected.connect(_end.bind("over"))
	api.peer_packet.connect(_on_packet)
	if words[0] == "host":
		var port := randi_range(20000, 60000)
		while peer.create_server(port, "127.0.0.1") != OK:
			port = randi_range(20000, 60000)
		print("listening ", port)
	elif peer.create_client(words[1]) != OK:
		_end("failed")
	api.multiplayer_peer = peer

func _joined():
	print("joined ", api.get_unique_id())

func _make(data: Variant) -> Node:
	var node: Node2D = load("res://thing.tscn").instantiate()
	node.label = "made of " + str(data)
	return node

func _on_packet(id: int, bytes: PackedByteArray):
	var words := bytes.get_string_from_utf8().split(" ", true, 2)
	var thing: Node = things.get_node_or_null(words[1]) if words.size() > 1 else null
	match words[0]:
		"authority":
			spawner.set_multiplayer_authority(int(words[1]))
			lone.set_multiplayer_authority(int(words[2]))
		"spawn":
			var node: Node2D = load("res://thing.tscn").instantiate()
			node.name = words[1]
			node.health = int(words[2])
			node.label = "of " + words[1]
			node.position = Vector2(1, 2)
			things.add_child(node, true)
		"make":
			print("made ", spawner.spawn(str_to_var(words[1])).name)
		"set":
			var rest := words[2].split(" ", true, 1)
			thing.set(rest[0], str_to_var(rest[1]))
		"game":
			game.set(words[1], str_to_var(words[2]))
		"hide":
			thing.get_node("Sync").set_visibility_for(int(words[2]), false)
			thing.get_node("More").set_visibility_for(int(words[2]), false)
			thing.get_node("Sync").public_visibility = false
			thing.get_node("More").public_visibility = false
		"show":
			thing.get_node("Sync").set_visibility_for(int(words[2]), true)
			thing.get_node("More").set_visibility_for(int(words[2]), true)
		"state":
			var text := "none"
			if words[1] == "Game":
				text = game.state()
			elif thing:
				text = thing.state()
			api.send_bytes(text.to_utf8_buffer(), id)
			return
		"free":
			thing.queue_free()
		"quit":
			peer.close()
			quit()
	api.send_bytes("done".to_utf8_buffer(), id)

func _end(how: String):
	print(how)
	quit()
