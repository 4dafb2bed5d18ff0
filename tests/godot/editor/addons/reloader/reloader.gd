# Prints which classes the editor has, reloads the extension twice while objects of it have open connections, and uses
# them again.
@tool
extends EditorPlugin

const EXTENSION := "res://addons/wspeer/wspeer.gdextension"
var frame := 0
var host: Object
var join: Object

func _process(_delta):
	frame += 1
	if host:
		host.poll()
		join.poll()
	match frame:
		5:
			print("classes ", ["WSPeer", "WSClient", "WSServer", "WSMultiplayerPeer"].filter(func(name): return ClassDB.class_exists(name)))
			open()
		20, 60:
			print("status ", join.get_connection_status(), " reload ", GDExtensionManager.reload_extension(EXTENSION))
		40, 80:
			print("after ", join.get_connection_status() if join else "none")
			open()
		100:
			print("status ", join.get_connection_status())
			host = null
			join = null
			get_tree().quit()

func open():
	host = ClassDB.instantiate("WSMultiplayerPeer")
	join = ClassDB.instantiate("WSMultiplayerPeer")
	var port := randi_range(20000, 60000)
	while host.create_server(port, "127.0.0.1") != OK:
		port = randi_range(20000, 60000)
	join.create_client("ws://127.0.0.1:%d" % port)
