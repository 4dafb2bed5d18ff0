# A node that any peer may call; it keeps what it was called with. Methods in the order that all peers agree on by name.
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
