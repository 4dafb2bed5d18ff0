# A peer of a Godot 4 game with stock classes only: --script scene.gd -- host, or: -- join URL; followed by words:
# "auth" (authentication), "good" or "bad" (the secret), "silent" (it never answers), "norelay". It is controlled by raw
# packets.
extends SceneTree

var peer := WebSocketMultiplayerPeer.new()
var api: SceneMultiplayer
var game: Node
var secret := "good"

func _initialize():
	api = get_multiplayer()
	game = load("res://game.gd").new()
	game.name = "Game"
	root.add_child(game)
	game.rpc_config("configured",
			{"rpc_mode": MultiplayerAPI.RPC_MODE_ANY_PEER, "transfer_mode": MultiplayerPeer.TRANSFER_MODE_RELIABLE,
			"call_local": false, "channel": 0})
	api.peer_connected.connect(func(id): print("connected ", id))
	api.peer_disconnected.connect(func(id): print("disconnected ", id))
	api.connected_to_server.connect(func(): print("joined ", api.get_unique_id()))
	api.connection_failed.connect(_end.bind("failed"))
	api.server_disconnected.connect(_end.bind("over"))
	api.peer_packet.connect(_on_packet)
	api.peer_authenticating.connect(_on_authenticating)
	api.peer_authentication_failed.connect(func(id): print("unauthenticated ", id))
	var words := OS.get_cmdline_user_args()
	if words.has("bad"):
		secret = "bad"
	if words.has("silent"):
		secret = ""
		api.auth_timeout = 0.5
	if words.has("auth"):
		api.auth_callback = _on_auth
	if words.has("norelay"):
		api.server_relay = false
	if words[0] == "host":
		var port := randi_range(20000, 60000)
		while peer.create_server(port, "127.0.0.1") != OK:
			port = randi_range(20000, 60000)
		print("listening ", port)
	elif peer.create_client(words[1]) != OK:
		_end("failed")
	api.multiplayer_peer = peer

func _on_authenticating(id: int):
	print("authenticating ", id)
	if id == 1 and secret:
		api.send_auth(1, ("secret " + secret).to_utf8_buffer())

# A host expects the secret; a join completes when it receives the welcome.
func _on_auth(id: int, data: PackedByteArray):
	var words := data.get_string_from_utf8()
	print("auth ", id, " ", words)
	if words == "secret good":
		api.send_auth(id, "welcome".to_utf8_buffer())
		api.complete_auth(id)
	elif words == "welcome":
		api.complete_auth(id)
	else:
		api.disconnect_peer(id)

func _on_packet(id: int, bytes: PackedByteArray):
	print("packet ", id, " ", bytes.get_string_from_utf8())
	var words := bytes.get_string_from_utf8().split(" ", true, 2)
	match words[0]:
		"say":
			api.send_bytes(words[2].to_utf8_buffer(), int(words[1]))
		"call":
			var rest := words[2].split(" ", true, 1)
			var arguments: Array = str_to_var(rest[1]) if rest.size() > 1 else []
			game.callv("rpc_id" if int(words[1]) != 0 else "rpc",
					([int(words[1])] if int(words[1]) != 0 else []) + [StringName(rest[0])] + arguments)
		"kick":
			api.disconnect_peer(int(words[1]))
		"refuse":
			api.refuse_new_connections = true
		"quit":
			peer.close()
			quit()

func _end(how: String):
	print(how)
	quit()
