/*
 * The prober's serving loop: one connection on standard input and output, or any
 * number at a Unix socket.
 */
#ifndef PROBES_PROBER_SERVE_H
#define PROBES_PROBER_SERVE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/config/opts.h"

/* A connection over ssh that broke where nobody noticed must not leave a prober behind for ever. */
enum { SERVE_SESSIONS_MAX = 32, SERVE_SILENCE_MS = 300000 };

struct serve_conf {
	const char *path; /* NULL: standard input and output */
	unsigned places;
	size_t threads;
	bool leaves; /* ends at once with its input, or when that is silent for SERVE_SILENCE_MS */
	const struct opt_list *without; /* probes that are not run here */
};

/* Returns the exit code; may also end the process by itself, when threads are stuck in a run and can never be
 * joined. */
int serve(const struct serve_conf *conf);

#endif
