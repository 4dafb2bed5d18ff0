# Forwards connections to a port of this machine.
extends RefCounted

var listener := TCPServer.new()
var target: int
var links := []
var is_cut := false
# Number of connections that were opened to it.
var tries := 0

func _init(to: int) -> void:
	target = to
	listener.listen(0, "127.0.0.1")

func url() -> String:
	return "ws://127.0.0.1:%d" % listener.get_local_port()

func is_open(stream: StreamPeerTCP) -> bool:
	return stream.get_status() == StreamPeerTCP.STATUS_CONNECTED

func forward(from: StreamPeerTCP, to: StreamPeerTCP) -> void:
	if is_open(from) and is_open(to) and from.get_available_bytes() > 0:
		to.put_data(from.get_data(from.get_available_bytes())[1])
	elif is_open(to) and from.get_status() == StreamPeerTCP.STATUS_NONE:
		to.disconnect_from_host()

func poll() -> void:
	while listener.is_connection_available():
		var near := listener.take_connection()
		tries += 1
		if is_cut:
			near.disconnect_from_host()
			continue
		var far := StreamPeerTCP.new()
		far.connect_to_host("127.0.0.1", target)
		links.append([near, far])
	for link in links:
		link[0].poll()
		link[1].poll()
		forward(link[0], link[1])
		forward(link[1], link[0])

# Ends all links, and every new one until mend().
func cut() -> void:
	is_cut = true
	for link in links:
		link[0].disconnect_from_host()
		link[1].disconnect_from_host()
	links.clear()

func mend() -> void:
	is_cut = false
