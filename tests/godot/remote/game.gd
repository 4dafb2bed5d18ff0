# A node that any peer may call; it stores the calls that it receives. All peers agree on the order of the methods by
# their names.
extends Node

var calls := []

@rpc("any_peer", "call_local", "reliable")
func hear(words: String):
	calls.append([multiplayer.get_remote_sender_id(), words])

@rpc("any_peer", "call_remote", "reliable")
func take(value):
	calls.append([multiplayer.get_remote_sender_id(), var_to_str(value)])

func heard() -> Array:
	var all := calls
	calls = []
	return all
