/* The names that the library's options have in Godot. */
#ifndef WSPEER_GODOT_NAMES_H
#define WSPEER_GODOT_NAMES_H

/* Has the library's sentences use them. */
void names_set(void);

#endif
