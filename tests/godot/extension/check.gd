# For the checks: printing results, and waiting for a condition.
extends SceneTree

func check(good: bool, what: String) -> void:
	print("ok - " if good else "not ok - ", what)

# Polls until the condition holds, for at most this long.
func wait(polled: Array, condition: Callable, seconds := 5.0) -> bool:
	var end := Time.get_ticks_msec() + int(seconds * 1000)
	while not condition.call():
		if Time.get_ticks_msec() > end:
			return false
		for one in polled:
			one.poll()
		OS.delay_usec(200)
	return true

func finish() -> void:
	print("END")
	quit()
