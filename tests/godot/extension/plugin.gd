# In the editor: opens the help of each class and checks whether its text is shown.
@tool
extends EditorPlugin

const CLASSES := ["WSPeer", "WSClient", "WSServer", "WSMultiplayerPeer"]
# Number of frames after which a help page should have appeared.
const PATIENCE := 600

var frame := 0
# The class that is looked at, and for how many frames.
var step := 0
var waited := 0
# Opened at the first frame.
var peer: Object

func check(good: bool, what: String) -> void:
	print("ok - " if good else "not ok - ", what)

func shown(node: Node) -> String:
	var text := ""
	if node is RichTextLabel:
		text = node.get_parsed_text()
	for child in node.get_children(true):
		text += shown(child)
	return text

# The first words of the class's documentation.
func brief(name: String) -> String:
	var text := FileAccess.get_file_as_string("res://doc_classes/%s.xml" % name)
	return text.get_slice("<brief_description>", 1).get_slice("<", 0).get_slice("[", 0).strip_edges()

func _process(_delta: float) -> void:
	frame += 1
	if frame == 1:
		peer = ClassDB.instantiate("WSPeer")
		peer.connect_to_url("ws://127.0.0.1:1")
	# The editor first scans the project, and may reload this script meanwhile.
	if EditorInterface.get_resource_filesystem().is_scanning():
		return
	if step < CLASSES.size():
		look(CLASSES[step])
		return
	check(not get_tree().root.get_children(true).any(func(node): return node.get_class() == "WSHintListener"),
			"a client of the editor adds no node to its tree")
	print("END")
	get_tree().quit()

# Opens the help of a class, and goes on when it shows the text.
func look(name: String) -> void:
	if waited == 0:
		EditorInterface.get_script_editor().goto_help("class_name:" + name)
	waited += 1
	var words := brief(name)
	var is_shown := words != "" and words in shown(EditorInterface.get_script_editor())
	if is_shown or waited > PATIENCE:
		check(is_shown, "the editor's help describes %s: %s" % [name, words])
		step += 1
		waited = 0
