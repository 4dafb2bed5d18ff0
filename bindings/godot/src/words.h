/* The library's sentences, as they are told to a script: its fields by the names that they have in Godot. */
#ifndef WSPEER_GODOT_WORDS_H
#define WSPEER_GODOT_WORDS_H

#include <stddef.h>

enum { WORDS = 1024 };

/* Copies a sentence with the names replaced, cut to WORDS bytes with its NUL; how long it is. */
size_t in_words(char to[WORDS], const char *sentence, size_t len);

#endif
