# The node /root/Game, with a synchronizer of its own.
extends Node

var clock := 0
var score := 0
var printed := ""

func _process(_delta):
	var state := "game %d %d" % [clock, score]
	if state != printed:
		printed = state
		print(state)
