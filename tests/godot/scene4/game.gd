# The node /root/Game: prints the calls that it receives, and calls back.
extends Node

@rpc("any_peer")
func echo(value):
	print("echo ", multiplayer.get_remote_sender_id(), " ", var_to_bytes(value).hex_encode())
	back.rpc_id(multiplayer.get_remote_sender_id(), value)

@rpc("any_peer")
func back(value):
	print("back ", multiplayer.get_remote_sender_id(), " ", var_to_bytes(value).hex_encode())

@rpc("any_peer")
func noargs():
	print("noargs ", multiplayer.get_remote_sender_id())

@rpc("any_peer")
func raw(bytes: PackedByteArray):
	print("raw ", multiplayer.get_remote_sender_id(), " ", bytes.hex_encode())

@rpc("any_peer")
func three(a: int, b: String, c: Array):
	print("three ", multiplayer.get_remote_sender_id(), " ", a, " ", b, " ", c)

@rpc("authority")
func only_authority():
	print("only_authority ", multiplayer.get_remote_sender_id())

# Made callable by rpc_config(): its id has 16 bits.
func configured(word: String):
	print("configured ", multiplayer.get_remote_sender_id(), " ", word)
