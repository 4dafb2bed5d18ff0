# A multiplayer server of many peers, for benches/godot/peers.py: a poll and all packets once a frame.
extends RefCounted

const FRAME_USEC := 16667
const UPDATE := 64

var host: MultiplayerPeer
var count := 0

# CPU time of all threads.
func cpu_us() -> float:
	var sum := 0.0
	for thread in DirAccess.get_directories_at("/proc/self/task"):
		sum += float(FileAccess.open("/proc/self/task/%s/schedstat" % thread,
			FileAccess.READ).get_line().get_slice(" ", 0)) / 1000.0
	return sum

func open(kind: String, port: int) -> int:
	count = 0
	host = ClassDB.instantiate(kind)
	# wspeer's class alone limits the time of a poll; both shall do the same work.
	host.set("poll_budget_usec", 0)
	host.peer_connected.connect(func(_id): count += 1)
	host.peer_disconnected.connect(func(_id): count -= 1)
	return host.create_server(port, "127.0.0.1")

# Polls until this number of peers is connected.
func gather(wanted: int, ms: int) -> int:
	var end := Time.get_ticks_msec() + ms
	while count != wanted and Time.get_ticks_msec() < end:
		host.poll()
		OS.delay_usec(500)
	return count

# CPU time of frames; in each, if `updates`, a packet goes to all peers.
func frames(number: int, updates: bool) -> Dictionary:
	var update := PackedByteArray()
	update.resize(UPDATE)
	var received := 0
	var failed := 0
	var used := 0.0
	var next := Time.get_ticks_usec()
	host.set_target_peer(MultiplayerPeer.TARGET_PEER_BROADCAST)
	var before := cpu_us()
	for i in number:
		host.poll()
		while host.get_available_packet_count() > 0:
			host.get_packet()
			received += 1
		if updates:
			failed += int(host.put_packet(update) != OK)
		next += FRAME_USEC
		var left := next - Time.get_ticks_usec()
		if left > 0:
			OS.delay_usec(left)
		else:
			next -= left
	used = cpu_us() - before
	return {"cpu": used / number, "received": received, "failed": failed, "peers": count}

func close() -> void:
	host.close()
	host = null
