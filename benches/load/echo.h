#ifndef LOAD_ECHO_H
#define LOAD_ECHO_H

int run_echo(const char *cert, const char *key, int tickets);

#endif
