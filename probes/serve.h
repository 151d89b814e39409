/*
 * The prober's serving loop: one connection on standard input and output, or any
 * number at a Unix socket.
 */
#ifndef PROBES_SERVE_H
#define PROBES_SERVE_H

#include <stddef.h>

enum { SERVE_SESSIONS_MAX = 32 };

/* path NULL: standard input and output. Returns the exit code; may also end the process by itself, when
 * threads are stuck in a run and can never be joined. */
int serve(const char *path, unsigned places, size_t threads);

#endif
