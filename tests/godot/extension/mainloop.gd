# A main loop that is no SceneTree: there is no tree for the node of hints.c, and clients work without it.
extends MainLoop

var server := WSServer.new()
var peer := WSPeer.new()
var frames := 0

func _initialize() -> void:
	server.listen(0, [], "127.0.0.1")
	peer.connect_to_url("ws://127.0.0.1:%d" % server.get_local_port())

func _process(_delta: float) -> bool:
	server.poll()
	peer.poll()
	frames += 1
	if peer.get_ready_state() == WSPeer.STATE_CONNECTING and frames < 1000:
		return false
	print("ok - " if peer.get_ready_state() == WSPeer.STATE_OPEN else "not ok - ", "a client opens")
	print("END")
	return true
