# Unloads and loads the extension while the engine runs, and reloads it like an editor whose file has changed.
extends "res://check.gd"

const EXTENSION := "res://addons/wspeer/wspeer.gdextension"

# Untyped, because the classes come and go. Nothing is kept: the engine cannot free objects of an unloaded extension.
func open() -> Array:
	var server = ClassDB.instantiate("WSServer")
	var peer = ClassDB.instantiate("WSPeer")
	server.listen(0, PackedStringArray(), "127.0.0.1")
	peer.connect_to_url("ws://localhost:%d" % server.get_local_port())
	return [server, peer] if wait([server, peer], func(): return peer.get_ready_state() == 1) else []

func _initialize() -> void:
	check(open().size() == 2, "it works")
	# The first round unloads it before the tree has the node of hints.c, the others after.
	for i in 3:
		check(GDExtensionManager.unload_extension(EXTENSION) == GDExtensionManager.LOAD_STATUS_OK,
				"the extension is unloaded")
		check(not ClassDB.class_exists("WSPeer"), "its classes are gone")
		check(GDExtensionManager.load_extension(EXTENSION) == GDExtensionManager.LOAD_STATUS_OK,
				"the extension is loaded again")
		check(open().size() == 2, "it works again")
		await process_frame
		check(root.get_child_count(true) == 1, "and has its node in the tree")
	var kept := open()
	check(GDExtensionManager.reload_extension(EXTENSION) != GDExtensionManager.LOAD_STATUS_OK,
			"reloading it while it runs is refused")
	kept[1].send_text("still here")
	check(wait(kept, func(): return kept[0].get_stats().messages_in == 1), "it continues")
	finish()
