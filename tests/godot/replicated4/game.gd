# The node /root/Game, with a synchronizer of its own.
extends Node

var clock := 0
var score := 0
var printed := ""

func state() -> String:
	return "game %d %d" % [clock, score]

func _process(_delta):
	var now := state()
	if now != printed:
		printed = now
		print(now)
