# Every method of every class with wrong numbers and types of arguments, in each state: an error of the engine, or a
# harmless call, never a crash.
extends "res://check.gd"

var random := RandomNumberGenerator.new()
var calls := 0

func value():
	return [null, true, 0, 1, -1, 65536, 9223372036854775807, -9223372036854775808, 0.5, -1.0, INF, NAN, "", "x",
			"127.0.0.1", "ws://127.0.0.1:1", "ü".repeat(200), &"name",
			PackedByteArray(), PackedByteArray([255, 0]), PackedStringArray(), PackedStringArray(["a", "b: c",
					"d\r\ne"]), [], [1], {}, Vector2(), RefCounted.new(), WSPeer.new(),
			TLSOptions.client(), StreamPeerBuffer.new(), Callable(), PackedInt32Array([1])][random.randi() % 32]

func abuse(object: Object, rounds: int) -> void:
	var methods := ClassDB.class_get_method_list(object.get_class(),
			true).filter(func(method): return not String(method.name).begins_with("_"))
	for i in rounds:
		var method: Dictionary = methods[random.randi() % methods.size()]
		var arguments := []
		for j in random.randi() % (method.args.size() + 2):
			var wanted: int = method.args[j].type if j < method.args.size() else 0
			var one = value()
			# Mostly of the right type, so that the call is made.
			for attempt in 20:
				if typeof(one) == wanted or random.randf() < 0.05:
					break
				one = value()
			arguments.append(one)
		object.callv(method.name, arguments)
		calls += 1

func _initialize() -> void:
	random.seed = 11
	for kind in ["WSPeer", "WSServer", "WSMultiplayerPeer"]:
		for i in 20:
			abuse(ClassDB.instantiate(kind), 100)
	var server := WSServer.new()
	server.listen(0, [], "127.0.0.1")
	var host := WSMultiplayerPeer.new()
	host.create_server(0, "127.0.0.1")
	var polled := [server, host]
	for i in 20:
		var peer := WSPeer.new()
		peer.connect_to_url("ws://127.0.0.1:%d" % server.get_local_port())
		var join := WSMultiplayerPeer.new()
		join.create_client("ws://127.0.0.1:%d" % host.get_local_port())
		wait([server, host, peer, join],
				func(): return peer.get_ready_state() == 1 and join.get_connection_status() == 2, 1.0)
		for id in server.get_peers():
			abuse(server.get_peer(id), 30)
		abuse(peer, 50)
		abuse(join, 50)
	for object in polled:
		abuse(object, 500)
		object.poll()
	for i in 20:
		abuse(ClassDB.instantiate("WSClient"), 100)
		var client := WSClient.new()
		client.connect_to_url("ws://127.0.0.1:%d" % server.get_local_port())
		wait([server, client], func(): return client.get_connection_status() == WSClient.CONNECTION_CONNECTED, 0.2)
		abuse(client, 50)
		client.poll()
	check(calls > 8000, "%d calls" % calls)
	finish()
