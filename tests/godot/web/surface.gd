# Prints what scripts see of the classes: methods, properties with their defaults, signals, constants.
extends SceneTree

func _initialize() -> void:
	for name in ["WSPeer", "WSClient", "WSServer", "WSMultiplayerPeer"]:
		var object = ClassDB.instantiate(name)
		for method in ClassDB.class_get_method_list(name, true):
			print("%s.%s%s%s" % [name, method.name, method.args.map(func(one): return [one.name, one.type]), method.default_args])
		for property in ClassDB.class_get_property_list(name, true):
			print("%s.%s = %s" % [name, property.name, object.get(property.name)])
		for about in ClassDB.class_get_signal_list(name, true):
			print("%s.%s%s" % [name, about.name, about.args.map(func(one): return [one.name, one.type])])
		for constant in ClassDB.class_get_integer_constant_list(name, true):
			print("%s.%s = %d" % [name, constant, ClassDB.class_get_integer_constant(name, constant)])
	print("END")
	quit()
