# What is spawned. Prints its state whenever it has changed.
extends Node2D

var health := 0
var label := ""
var heading := 0.0
var hat := []
var printed := ""

# Who spawns also synchronizes.
func _enter_tree():
	set_multiplayer_authority(get_node("../../Spawner").get_multiplayer_authority())

func state() -> String:
	return "state %s %s %d %s %s %s" % [name, position, health, label, heading, hat]

func _process(_delta):
	var now := state()
	if now != printed:
		printed = now
		print(now)
