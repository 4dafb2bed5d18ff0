# A peer of a Godot 3 game that is controlled by packets: --script peer.gd host [CERT KEY], or: --script peer.gd join
# URL [CERT]
extends SceneTree

var peer

func _initialize():
	connect("network_peer_connected", self, "_tell", ["connected "])
	connect("network_peer_disconnected", self, "_tell", ["disconnected "])
	connect("connected_to_server", self, "_joined")
	connect("connection_failed", self, "_end", ["failed"])
	connect("server_disconnected", self, "_end", ["over"])
	multiplayer.connect("network_peer_packet", self, "_on_packet")
	var words = Array(OS.get_cmdline_args())
	words = words.slice(words.find("--script") + 2, words.size() - 1)
	randomize()
	var certificate = null
	if words.size() > (1 if words[0] == "host" else 2):
		certificate = X509Certificate.new()
		certificate.load(words[1] if words[0] == "host" else words[2])
	if words[0] == "host":
		peer = WebSocketServer.new()
		if certificate:
			peer.private_key = CryptoKey.new()
			peer.private_key.load(words[2])
			peer.ssl_certificate = certificate
		peer.bind_ip = "127.0.0.1"
		var port = 20000 + randi() % 40000
		while peer.listen(port, PoolStringArray(), true) != OK:
			port = 20000 + randi() % 40000
		print("listening ", port)
	else:
		peer = WebSocketClient.new()
		peer.trusted_ssl_certificate = certificate
		if peer.connect_to_url(words[1], PoolStringArray(), true) != OK:
			_end("failed")
	set_network_peer(peer)

func _tell(id, what):
	print(what, id)

func _joined():
	print("joined ", get_network_unique_id())

func _on_packet(id, bytes):
	print("packet ", id, " ", bytes.get_string_from_utf8())
	var words = bytes.get_string_from_utf8().split(" ", true, 2)
	match words[0]:
		"say":
			multiplayer.send_bytes(words[2].to_utf8(), int(words[1]))
		"kick":
			peer.disconnect_peer(int(words[1]), 1000, "kicked")
		"quit":
			peer.stop()
			quit()

func _end(how):
	print(how)
	quit()
