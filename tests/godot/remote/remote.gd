# Lets a test control objects of this engine: --script remote.gd -- PORT
# Each line from that TCP port is an expression of the class Expression over the created objects and the functions
# below. Its value is returned as a line of JSON, bytes as base64.
extends SceneTree

var driver := StreamPeerTCP.new()
var heard := ""
var objects := {}
var signals := []
var word := PackedByteArray()

func _initialize():
	driver.connect_to_host("127.0.0.1", int(OS.get_cmdline_user_args()[0]))

func _process(_delta):
	driver.poll()
	if driver.get_status() == StreamPeerTCP.STATUS_CONNECTING:
		return false
	if driver.get_status() != StreamPeerTCP.STATUS_CONNECTED:
		objects.clear()
		return true
	heard += driver.get_utf8_string(driver.get_available_bytes()) if driver.get_available_bytes() > 0 else ""
	while "\n" in heard:
		var line := heard.get_slice("\n", 0)
		heard = heard.substr(line.length() + 1)
		driver.put_data((JSON.stringify(answer(line)) + "\n").to_utf8_buffer())
	return false

func answer(line: String):
	var expression := Expression.new()
	if expression.parse(line, objects.keys()) != OK:
		return {"error": expression.get_error_text()}
	var value = expression.execute(objects.values(), self, false)
	if expression.has_execute_failed():
		return {"error": expression.get_error_text()}
	return {"value": plain(value)}

func plain(value):
	match typeof(value):
		TYPE_PACKED_BYTE_ARRAY:
			return Marshalls.raw_to_base64(value)
		TYPE_ARRAY:
			return value.map(plain)
		TYPE_OBJECT:
			return str(value)
	return value

func make(name: String, kind: String) -> bool:
	objects[name] = ClassDB.instantiate(kind)
	return objects[name] != null

func hold(name: String, value) -> bool:
	objects[name] = value
	return value != null

func hold_new(name: String, script: String) -> bool:
	return hold(name, load(script).new())

func drop(name: String) -> bool:
	return objects.erase(name)

# From now on its signals are recorded for told(): the name and arguments of each.
func watch(name: String, of: Array) -> int:
	for word in of:
		var count: int = objects[name].get_signal_list().filter(func(one): return one.name == word)[0].args.size()
		var keep := func(args): signals.append([word] + args)
		var keepers := [
				func(): keep.call([]), func(a): keep.call([a]), func(a, b): keep.call([a, b]), func(a, b, c): keep.call([a, b, c])]
		objects[name].connect(word, keepers[count])
	return of.size()

# From now on the scene's own multiplayer, as `api`, uses that peer; `game` is a node that others may call.
func play(name: String) -> bool:
	if not "api" in objects:
		objects.api = get_multiplayer()
		objects.game = load("res://game.gd").new()
		objects.game.name = "Game"
		root.add_child(objects.game)
		watch("api", ["peer_connected", "peer_disconnected", "connected_to_server", "connection_failed",
				"server_disconnected", "peer_packet"])
	objects.api.multiplayer_peer = objects[name]
	return true

# From now on authentication is required: peers exchange this word.
func let_in(by: String) -> bool:
	if word.is_empty():
		objects.api.peer_authenticating.connect(func(id): objects.api.send_auth(id, word))
		watch("api", ["peer_authentication_failed"])
	word = by.to_utf8_buffer()
	objects.api.auth_timeout = 0.5
	objects.api.auth_callback = func(id, shown):
		if shown == word:
			objects.api.complete_auth(id)
	return true

func reported() -> Array:
	var all := signals
	signals = []
	return all

func filled(size: int, byte: int) -> PackedByteArray:
	var bytes := PackedByteArray()
	bytes.resize(size)
	bytes.fill(byte)
	return bytes

func cpu_us() -> float:
	return float(FileAccess.open("/proc/self/schedstat", FileAccess.READ).get_line().get_slice(" ", 0)) / 1000.0

# Polls once a millisecond for this long. Returns the longest poll in wall-clock and CPU time, and all messages.
func spin(name: String, ms: int) -> Dictionary:
	var one = objects[name]
	var end := Time.get_ticks_msec() + ms
	var wall := 0
	var cpu := 0.0
	var messages := []
	while Time.get_ticks_msec() < end:
		var at := Time.get_ticks_usec()
		var used := cpu_us()
		one.poll()
		cpu = maxf(cpu, cpu_us() - used)
		wall = maxi(wall, Time.get_ticks_usec() - at)
		while one.get_available_packet_count() > 0:
			messages.append(one.get_packet())
		OS.delay_usec(1000)
	return {"wall": wall, "cpu": cpu, "messages": messages.map(plain)}

# Polls until a state is reached, without reading. Returns the time in ms, or -1.
func until(name: String, method: String, wanted, ms: int) -> int:
	var began := Time.get_ticks_msec()
	while objects[name].call(method) != wanted:
		if Time.get_ticks_msec() - began > ms:
			return -1
		objects[name].poll()
		OS.delay_usec(500)
	return Time.get_ticks_msec() - began

# Polls and reads until this many messages have arrived, or the time has passed.
func read(name: String, count: int, ms: int) -> Array:
	var one = objects[name]
	var end := Time.get_ticks_msec() + ms
	var messages := []
	while messages.size() < count and Time.get_ticks_msec() < end:
		one.poll()
		while one.get_available_packet_count() > 0:
			messages.append(one.get_packet())
		OS.delay_usec(200)
	return messages

# Answers each message with `each` messages at once, until `count` have arrived. Returns how many did.
func answer_many(name: String, times: int, count: int, ms: int) -> int:
	var one = objects[name]
	var end := Time.get_ticks_msec() + ms
	var done := 0
	while done < count and Time.get_ticks_msec() < end:
		one.poll()
		while one.get_available_packet_count() > 0:
			var packet: PackedByteArray = one.get_packet()
			for i in times:
				one.send(packet)
			done += 1
		OS.delay_usec(200)
	return done

# Puts packets that begin with their number, without a poll. Returns how many were accepted.
func put_many(name: String, count: int, size: int) -> int:
	var taken := 0
	var packet := filled(size, 0)
	for number in count:
		packet.encode_u32(0, number)
		taken += int(objects[name].put_packet(packet) == OK)
	return taken
