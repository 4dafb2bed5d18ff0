/* The names of the library's options in Godot. */
#ifndef WSPEER_GODOT_NAMES_H
#define WSPEER_GODOT_NAMES_H

/* Makes the library use these names in its error texts. */
void names_set(void);

#endif
