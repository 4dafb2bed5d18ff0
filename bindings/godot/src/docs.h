/* The class documentation of doc_classes/, as the build puts it into the library. */
#ifndef WSPEER_GODOT_DOCS_H
#define WSPEER_GODOT_DOCS_H

/* Ends with NULL. */
extern const char *const class_docs[];

#endif
