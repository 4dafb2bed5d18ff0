# The measurements of benches/godot/run.py, one round each; each returns the number of echoed messages and the CPU time
# of the whole process.
extends RefCounted

const BUFFER := 8 << 20

# CPU time of all threads.
func cpu_us() -> float:
	var sum := 0.0
	for thread in DirAccess.get_directories_at("/proc/self/task"):
		sum += float(FileAccess.open("/proc/self/task/%s/schedstat" % thread,
			FileAccess.READ).get_line().get_slice(" ", 0)) / 1000.0
	return sum

# wspeer's classes have more settings.
func make(kind: String, coalesce: bool):
	var one = ClassDB.instantiate(kind)
	one.inbound_buffer_size = BUFFER
	one.outbound_buffer_size = BUFFER
	if coalesce:
		one.coalesce = true
	return one

func client(kind: String, coalesce: bool, url: String, size: int, burst: int, ms: int) -> Dictionary:
	var one = make(kind, coalesce)
	one.connect_to_url(url)
	while one.get_ready_state() == WebSocketPeer.STATE_CONNECTING:
		one.poll()
		OS.delay_usec(100)
	var result := frames(one, one.send, func(): one.poll(), size, burst, ms)
	# No close frame: the load program expects only data.
	one.close(-1)
	return result

# A host and a join in this process; the join sends every packet back.
func multiplayer(kind: String, coalesce: bool, port: int, size: int, burst: int, ms: int) -> Dictionary:
	var host = make(kind, coalesce)
	var join = make(kind, coalesce)
	host.create_server(port, "127.0.0.1")
	join.create_client("ws://127.0.0.1:%d" % port)
	while join.get_connection_status() != MultiplayerPeer.CONNECTION_CONNECTED:
		host.poll()
		join.poll()
		OS.delay_usec(100)
	host.set_target_peer(join.get_unique_id())
	join.set_target_peer(1)
	var pump := func():
		host.poll()
		join.poll()
		while join.get_available_packet_count() > 0:
			join.put_packet(join.get_packet())
	var result := frames(host, host.put_packet, pump, size, burst, ms)
	join.close()
	host.close()
	return result

# The pattern of benches/harness/pattern.h.
func pattern(size: int) -> PackedByteArray:
	var message := PackedByteArray()
	message.resize(size)
	for i in size:
		message[i] = (i * 31 + (i >> 8) * 7 + 5) & 255
	return message

# A frame: sends `burst` messages, sleeps 4 ms, then polls until all are back.
func frames(one, put: Callable, pump: Callable, size: int, burst: int, ms: int) -> Dictionary:
	var message := pattern(size)
	var count := 0
	var back := 0
	var failed := 0
	var used := cpu_us()
	var end := Time.get_ticks_msec() + ms
	while Time.get_ticks_msec() < end:
		for i in burst:
			message.encode_u32(0, count + i)
			failed += int(put.call(message) != OK)
		pump.call()
		OS.delay_usec(4000)
		count += burst
		while back < count and Time.get_ticks_msec() < end + 5000:
			pump.call()
			while one.get_available_packet_count() > 0:
				var packet: PackedByteArray = one.get_packet()
				failed += int(packet.size() != size or packet.decode_u32(0) != back)
				back += 1
			if back < count:
				OS.delay_usec(100)
	failed += count - back
	return {"messages": count, "cpu": cpu_us() - used, "failed": failed}

# Sends every message of one client back until it disconnects.
func server(kind: String, coalesce: bool, listener: TCPServer) -> Dictionary:
	var one = make(kind, coalesce)
	while not listener.is_connection_available():
		OS.delay_usec(100)
	one.accept_stream(listener.take_connection())
	var count := 0
	var failed := 0
	var used := cpu_us()
	while one.get_ready_state() != WebSocketPeer.STATE_CLOSED:
		one.poll()
		while one.get_available_packet_count() > 0:
			# The client may be gone before the last ones are sent back.
			failed += int(one.send(one.get_packet()) != OK and one.get_ready_state() == WebSocketPeer.STATE_OPEN)
			count += 1
		if coalesce:
			one.flush()
		OS.delay_usec(1000)
	return {"messages": count, "cpu": cpu_us() - used, "failed": failed}

# The same with WSServer.
func own_server(coalesce: bool, server) -> Dictionary:
	server.coalesce = coalesce
	while server.get_peers().is_empty():
		server.poll()
		OS.delay_usec(100)
	var id: int = server.get_peers()[0]
	var count := 0
	var failed := 0
	var used := cpu_us()
	while server.has_peer(id):
		server.poll()
		while server.get_available_packet_count(id) > 0:
			failed += int(server.send(id, server.get_packet(id)) != OK and server.has_peer(id)
				and server.get_peer(id).get_ready_state() == WebSocketPeer.STATE_OPEN)
			count += 1
		if coalesce:
			server.flush()
		OS.delay_usec(1000)
	return {"messages": count, "cpu": cpu_us() - used, "failed": failed}
