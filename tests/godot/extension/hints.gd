# The engine's notifications that the app is suspended and shown again become hints to every open client.
extends "res://check.gd"

const Relay := preload("relay.gd")
const LISTENER := "WSHintListener"

# Not local variables, because lambdas use them.
var server := WSServer.new()
var host := WSMultiplayerPeer.new()
var relay: Relay
var game_relay: Relay
var clients := []

# What polls all, in `wait`.
func all() -> Array:
	return [server, host, relay, game_relay] + clients

func configure(client, delay: float):
	client.session_timeout = 60
	client.max_retries = 0
	client.retry_min_delay = delay
	client.retry_max_delay = delay
	clients.append(client)
	return client

func connect_peer(delay: float) -> WSPeer:
	var peer: WSPeer = configure(WSPeer.new(), delay)
	peer.connect_to_url(relay.url())
	return peer

func join(delay: float) -> WSMultiplayerPeer:
	var joined: WSMultiplayerPeer = configure(WSMultiplayerPeer.new(), delay)
	joined.create_client(game_relay.url())
	return joined

func is_open(client) -> bool:
	return client.get_ready_state() == WSPeer.STATE_OPEN if client is WSPeer \
			else client.get_connection_status() == 2 and client.get_peer(1).get_ready_state() == WSPeer.STATE_OPEN

func all_open() -> bool:
	return clients.all(is_open)

func none_open() -> bool:
	return not clients.any(is_open)

func listeners() -> Array:
	return root.get_children(true).filter(func(node: Node): return node.get_class() == LISTENER)

func tries() -> int:
	return relay.tries + game_relay.tries

func notify(what: int) -> void:
	root.propagate_notification(what)

func cut() -> bool:
	relay.cut()
	game_relay.cut()
	return wait(all(), none_open)

func mend() -> void:
	relay.mend()
	game_relay.mend()

# Whether anybody tries to open a link within some time.
func tries_again(seconds := 5.0) -> bool:
	var before := tries()
	return wait(all(), func(): return tries() > before, seconds)

func suspend_and_resume() -> void:
	connect_peer(0.01)
	connect_peer(3600)
	join(0.01)
	join(3600)
	check(wait(all(), all_open), "clients and joins with sessions are open")
	check(listeners().is_empty(), "no node is added while the tree may be busy")
	await process_frame
	check(listeners().size() == 1 and root.get_children().is_empty(), "then one internal node is")
	paused = true
	notify(Node.NOTIFICATION_APPLICATION_PAUSED)
	check(cut(), "the app is suspended, and the links are cut")
	mend()
	check(not tries_again(0.3), "nobody tries to come back while it is suspended")
	notify(Node.NOTIFICATION_APPLICATION_RESUMED)
	check(wait(all(), all_open), "when it is shown again all come back at once, and do not wait an hour")
	paused = false
	check(cut() and tries_again(), "without a notification those with short delays try by themselves")
	mend()
	notify(Node.NOTIFICATION_APPLICATION_RESUMED)
	check(wait(all(), all_open), "and the others come back with the next one")

func freed() -> void:
	notify(Node.NOTIFICATION_APPLICATION_PAUSED)
	for child in root.get_children(true):
		child.queue_free()
	await process_frame
	check(listeners().is_empty(), "a program frees the node while the app is suspended")
	check(cut() and tries_again(), "that ends the suspension")
	mend()
	notify(Node.NOTIFICATION_APPLICATION_RESUMED)
	check(not wait(all(), all_open, 0.3), "and without it there are no hints")
	connect_peer(0.01)
	await process_frame
	check(listeners().size() == 1, "the next client adds the node again")
	notify(Node.NOTIFICATION_APPLICATION_RESUMED)
	check(wait(all(), all_open), "for all clients")
	listeners()[0].queue_free()
	connect_peer(0.01)
	await process_frame
	check(listeners().size() == 1, "one that is opened while the node is being freed, too")
	var node: Node = listeners()[0]
	root.remove_child(node)
	connect_peer(0.01)
	await process_frame
	check(listeners().size() == 1, "and if the node was taken out of the tree")
	node.free()
	check(wait(all(), all_open) and listeners().size() == 1, "which may be freed later")
	change_scene_to_packed(packed("first"))
	await process_frame
	change_scene_to_packed(packed("second"))
	await process_frame
	await process_frame
	check(current_scene.name == "second" and listeners().size() == 1, "a change of scenes leaves it alone")

func packed(name: String) -> PackedScene:
	var scene := PackedScene.new()
	var node := Node.new()
	node.name = name
	scene.pack(node)
	node.free()
	return scene

func on_threads() -> void:
	listeners()[0].queue_free()
	await process_frame
	var threads := []
	for i in 4:
		threads.append(Thread.new())
		threads[-1].start(func():
			for j in 500:
				var peer := WSPeer.new()
				peer.connect_to_url("ws://127.0.0.1:1")
			var kept := WSPeer.new()
			kept.session_timeout = 60
			kept.max_retries = 0
			kept.retry_min_delay = 3600
			kept.retry_max_delay = 3600
			kept.connect_to_url(relay.url())
			return kept)
	while threads.any(func(thread): return thread.is_alive()):
		notify(Node.NOTIFICATION_APPLICATION_RESUMED)
		await process_frame
	for thread in threads:
		clients.append(thread.wait_to_finish())
	await process_frame
	check(listeners().size() == 1, "clients that threads open and close add the node, once")
	check(wait(all(), all_open) and cut(), "the links of theirs are cut, too")
	mend()
	notify(Node.NOTIFICATION_APPLICATION_RESUMED)
	check(wait(all(), all_open), "and they get hints")

func many() -> void:
	for i in 3000:
		var peer := WSPeer.new()
		peer.connect_to_url("ws://127.0.0.1:1")
	notify(Node.NOTIFICATION_APPLICATION_RESUMED)
	check(all_open(), "3000 clients are opened and closed, and leave nothing to hint")

func _initialize() -> void:
	for one in [server, host]:
		one.session_timeout = 60
	server.listen(0, [], "127.0.0.1")
	host.create_server(0, "127.0.0.1")
	relay = Relay.new(server.get_local_port())
	game_relay = Relay.new(host.get_local_port())
	# The tree is not set up before the first frame.
	await process_frame
	await suspend_and_resume()
	await freed()
	await on_threads()
	many()
	# It is still suspended, and one client was just opened, when the engine quits.
	notify(Node.NOTIFICATION_APPLICATION_PAUSED)
	connect_peer(0.01)
	finish()
