# Compares our classes with the engine's own by its ClassDB: everything the stock class has, ours has, with the same
# meaning to a script. Prints "ok - " and "not ok - " lines and ends with the word END.
extends SceneTree

const PAIRS := {"WebSocketPeer": "WSPeer", "WebSocketMultiplayerPeer": "WSMultiplayerPeer"}

func check(good: bool, what: String) -> void:
	print("ok - " if good else "not ok - ", what)

# A type, and the class or enumeration, with our names.
func reported(info: Dictionary) -> String:
	var name := String(info.class_name)
	for stock in PAIRS:
		name = name.replace(stock, PAIRS[stock])
	return "%d %s %d %d" % [info.type, name, info.usage, info.hint]

func signature(method: Dictionary) -> String:
	var parts := []
	for argument in method.args:
		parts.append(String(argument.name) + " " + reported(argument))
	return "(%s) -> %s, defaults %s, flags %d" % [", ".join(parts), reported(method.return), str(method.default_args),
			method.flags]

func by_name(list: Array) -> Dictionary:
	var found := {}
	for entry in list:
		found[String(entry.name)] = entry
	return found

func compare(stock: String, ours: String) -> void:
	var inherited := ClassDB.get_parent_class(stock)
	check(ClassDB.is_parent_class(ours, inherited), "%s is a %s, as %s is" % [ours, inherited, stock])
	check(ClassDB.can_instantiate(ours), "%s can be created" % ours)

	var theirs := by_name(ClassDB.class_get_method_list(stock, true))
	var own := by_name(ClassDB.class_get_method_list(ours))
	for name in theirs:
		var wanted := signature(theirs[name])
		var got := signature(own[name]) if own.has(name) else "is missing"
		check(got == wanted, "%s.%s matches %s%s"
				% [ours, name, stock, "" if got == wanted else ": %s, not %s" % [got, wanted]])

	var their_properties := by_name(ClassDB.class_get_property_list(stock, true))
	var our_properties := by_name(ClassDB.class_get_property_list(ours))
	for name in their_properties:
		if not our_properties.has(name):
			check(false, "%s.%s is missing" % [ours, name])
			continue
		var same_type: bool = reported(their_properties[name]) == reported(our_properties[name])
		check(same_type, "the property %s.%s has the type of %s" % [ours, name, stock])
		var same_calls: bool = ClassDB.class_get_property_getter(stock, name) == ClassDB.class_get_property_getter(ours,
				name) \
				and ClassDB.class_get_property_setter(stock, name) == ClassDB.class_get_property_setter(ours, name)
		check(same_calls, "%s.%s is set and read by the same methods" % [ours, name])
		var fallback = ClassDB.class_get_property_default_value(stock, name)
		var got = ClassDB.instantiate(ours).get(name)
		check(typeof(fallback) == typeof(got) and fallback == got, "%s.%s is %s by default" % [ours, name, str(fallback)])

	for enumeration in ClassDB.class_get_enum_list(stock, true):
		var wanted := ClassDB.class_get_enum_constants(stock, enumeration, true)
		# Ours may have more, behind them.
		check(wanted == ClassDB.class_get_enum_constants(ours, enumeration).slice(0, wanted.size()),
				"%s.%s has the constants of %s" % [ours, enumeration, stock])
	for constant in ClassDB.class_get_integer_constant_list(stock, true):
		var same: bool = ClassDB.class_has_integer_constant(ours, constant) \
				and ClassDB.class_get_integer_constant(stock, constant) == ClassDB.class_get_integer_constant(ours, constant)
		check(same, "%s.%s is %d" % [ours, constant, ClassDB.class_get_integer_constant(stock, constant)])
	for entry in ClassDB.class_get_signal_list(stock):
		var same: bool = ClassDB.class_has_signal(ours,
				entry.name) and str(ClassDB.class_get_signal(ours, entry.name).args) == str(entry.args)
		check(same, "%s has the signal %s" % [ours, entry.name])

# Our additions must not conflict with additions of a later engine: each is documented, and no name is used twice.
func own_names(ours: String) -> void:
	var names := {}
	for kind in [ClassDB.class_get_method_list(ours, true), ClassDB.class_get_property_list(ours, true),
			ClassDB.class_get_signal_list(ours, true)]:
		for entry in kind:
			var name := String(entry.name)
			check(not names.has(name), "%s.%s is defined once" % [ours, name])
			names[name] = true
	for name in names:
		var parent := ClassDB.get_parent_class(ours)
		if ClassDB.class_has_method(parent, name) or ClassDB.class_has_signal(parent, name):
			check(false, "%s.%s hides %s.%s" % [ours, name, parent, name])

func _initialize() -> void:
	for stock in PAIRS:
		compare(stock, PAIRS[stock])
	for ours in ["WSPeer", "WSClient", "WSServer", "WSMultiplayerPeer"]:
		own_names(ours)
	print("END")
	quit()
