# In the editor: opens the help of each class and checks whether its text is shown.
@tool
extends EditorPlugin

const CLASSES := ["WSPeer", "WSClient", "WSServer", "WSMultiplayerPeer"]
# The editor first scans the project, and may reload this script meanwhile. A help page needs some frames to appear.
const STEP := 10

var frame := 0
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
	if frame % STEP or EditorInterface.get_resource_filesystem().is_scanning():
		return
	@warning_ignore("integer_division")
	var step := frame / STEP
	if step > 1 and step - 2 < CLASSES.size():
		var words := brief(CLASSES[step - 2])
		check(words != "" and words in shown(EditorInterface.get_script_editor()),
				"the editor's help describes %s: %s" % [CLASSES[step - 2], words])
	if step - 1 < CLASSES.size():
		EditorInterface.get_script_editor().goto_help("class_name:" + CLASSES[step - 1])
		return
	check(not get_tree().root.get_children(true).any(func(node): return node.get_class() == "WSHintListener"),
			"a client of the editor adds no node to its tree")
	print("END")
	get_tree().quit()
