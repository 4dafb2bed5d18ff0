/* The class documentation of doc_classes/, which the build puts into the library. */
#ifndef WSPEER_GODOT_DOCS_H
#define WSPEER_GODOT_DOCS_H

/* Terminated by NULL. */
extern const char *const class_docs[];

#endif
