# accept_stream() with a stream whose methods are a script's and call the peer that uses it: no reentrant call, and no
# use of a released object.
extends "res://check.gd"

const Talkative := preload("res://talkative.gd")
const REQUEST := "GET / HTTP/1.1\r\nHost: game\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
# "hi", with masking key 0.
const HI := [0x81, 0x82, 0, 0, 0, 0, 104, 105]

# As a member, a peer has no other reference while it is called.
var peer: WSPeer
var carrier: Object

func open(does: Callable) -> Object:
	peer = WSPeer.new()
	var stream = Talkative.new()
	stream.does = does
	stream.incoming = REQUEST.to_ascii_buffer()
	peer.accept_stream(stream)
	return stream

func step(times: int) -> void:
	for i in times:
		if peer:
			peer.poll()

func text(stream: Object) -> String:
	return stream.outgoing.get_string_from_ascii()

func _initialize() -> void:
	var stream := open(func(): peer.poll())
	step(10)
	check(peer.get_ready_state() == WSPeer.STATE_OPEN and text(stream).begins_with("HTTP/1.1 101"),
			"a stream that polls its peer: it opens")
	stream.incoming.append_array(PackedByteArray(HI))
	step(5)
	check(peer.get_packet().get_string_from_ascii() == "hi", "its packet arrives")
	check(peer.get_connected_host() == "script" and peer.get_connected_port() == 7, "its address is readable")
	check(stream.deepest == 1, "no method is called within another: %d" % stream.deepest)

	stream = open(func(): peer.send_text("x"))
	step(10)
	var before: int = stream.outgoing.size()
	peer.send_text("last")
	check(stream.outgoing.size() > before and stream.calls < 2000,
			"a stream that sends on its peer: %d calls" % stream.calls)
	check(stream.deepest == 1, "no method is called within another")

	stream = open(func():
		peer.get_connected_host()
		peer.get_connected_port()
		peer.set_no_delay(true))
	step(10)
	check(peer.get_ready_state() == WSPeer.STATE_OPEN and stream.deepest == 1,
			"a stream that asks its peer for its address")

	stream = open(func(): peer.close(-1))
	step(10)
	check(peer.get_ready_state() == WSPeer.STATE_CLOSED, "a stream that closes its peer")

	stream = open(func():
		peer.close(-1)
		peer.accept_stream(StreamPeerBuffer.new())
		peer.connect_to_url("ws://127.0.0.1:1"))
	step(10)
	check(peer.get_ready_state() == WSPeer.STATE_CLOSED, "a stream that replaces itself by another is refused")
	stream.does = Callable()
	check(peer.accept_stream(StreamPeerBuffer.new()) == OK, "behind it that is no fault")

	for method in ["poll", "send", "close", "host", "port", "delay", "flush"]:
		stream = open(Callable())
		step(10)
		stream.does = func(): peer = null
		var watched: WeakRef = weakref(peer)
		peer.coalesce = method == "flush"
		match method:
			"poll": peer.poll()
			"send": peer.send_text("x")
			"close": peer.close()
			"host": peer.get_connected_host()
			"port": peer.get_connected_port()
			"delay": peer.set_no_delay(false)
			"flush":
				peer.send_text("x")
				peer.flush()
		check(peer == null and watched.get_ref() == null, "a stream that releases its peer within %s()" % method)
		stream.does = Callable()

	carrier = open(Callable())
	step(10)
	carrier.does = func(): carrier = null
	peer.poll()
	check(carrier == null and peer.get_ready_state() == WSPeer.STATE_OPEN, "a stream that its program releases")
	peer = null
	finish()
