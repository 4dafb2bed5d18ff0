# A peer of a Godot 4 game that is controlled by packets: --script peer.gd -- host [CERT KEY], or: -- join URL [CERT]
extends SceneTree

var peer := WebSocketMultiplayerPeer.new()
var api: SceneMultiplayer

func _initialize():
	api = get_multiplayer()
	api.peer_connected.connect(func(id): print("connected ", id))
	api.peer_disconnected.connect(func(id): print("disconnected ", id))
	api.connected_to_server.connect(func(): print("joined ", api.get_unique_id()))
	api.connection_failed.connect(_end.bind("failed"))
	api.server_disconnected.connect(_end.bind("over"))
	api.peer_packet.connect(_on_packet)
	var words := OS.get_cmdline_user_args()
	var certificate: X509Certificate = null
	var tls: TLSOptions = null
	if words.size() > (1 if words[0] == "host" else 2):
		certificate = X509Certificate.new()
		certificate.load(words[1] if words[0] == "host" else words[2])
	if words[0] == "host":
		if certificate:
			var key := CryptoKey.new()
			key.load(words[2])
			tls = TLSOptions.server(key, certificate)
		var port := randi_range(20000, 60000)
		while peer.create_server(port, "127.0.0.1", tls) != OK:
			port = randi_range(20000, 60000)
		print("listening ", port)
	else:
		if certificate:
			tls = TLSOptions.client(certificate)
		if peer.create_client(words[1], tls) != OK:
			_end("failed")
	api.multiplayer_peer = peer

func _on_packet(id: int, bytes: PackedByteArray):
	print("packet ", id, " ", bytes.get_string_from_utf8())
	var words := bytes.get_string_from_utf8().split(" ", true, 2)
	match words[0]:
		"say":
			api.send_bytes(words[2].to_utf8_buffer(), int(words[1]))
		"kick":
			peer.disconnect_peer(int(words[1]))
		"quit":
			peer.close()
			quit()

func _end(how: String):
	print(how)
	quit()
