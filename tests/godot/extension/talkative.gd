# A stream whose methods are a script's, which calls back into the peer that uses it.
extends StreamPeerExtension

var does: Callable
var incoming := PackedByteArray()
var outgoing := PackedByteArray()
var depth := 0
var deepest := 0
var calls := 0

func talk(_from: String) -> void:
	depth += 1
	calls += 1
	deepest = maxi(deepest, depth)
	if depth < 20 and does.is_valid():
		does.call()
	depth -= 1

func poll() -> void:
	talk("poll")

func get_status() -> int:
	talk("get_status")
	return 2

func set_no_delay(_on: bool) -> void:
	talk("set_no_delay")

func get_connected_host() -> String:
	talk("get_connected_host")
	return "script"

func get_connected_port() -> int:
	talk("get_connected_port")
	return 7

func disconnect_from_stream() -> void:
	talk("disconnect_from_stream")

@warning_ignore("native_method_override")
func get_available_bytes() -> int:
	talk("get_available_bytes")
	return incoming.size()

@warning_ignore("native_method_override")
func get_partial_data(bytes: int) -> Array:
	talk("get_partial_data")
	var piece := incoming.slice(0, bytes)
	incoming = incoming.slice(piece.size())
	return [OK, piece]

@warning_ignore("native_method_override")
func put_partial_data(data: PackedByteArray) -> Array:
	outgoing.append_array(data)
	talk("put_partial_data")
	return [OK, data.size()]
