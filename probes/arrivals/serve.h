/*
 * The policy service's loop: listens, reads requests, counts, answers DUNNO, tells the counts. Called by
 * monitord_policy.c.
 */
#ifndef PROBES_ARRIVALS_SERVE_H
#define PROBES_ARRIVALS_SERVE_H

#include <stdint.h>

#include "lib/config/opts.h"

struct policy_conf {
	struct opt_list listen; /* unix:/PATH, inet:ADDRESS:PORT */
	char *counts;		/* socket that tells the counts */
	int64_t connections, request_ms;
};

/* Returns the exit code: 0 after SIGTERM or SIGINT. */
int policy_serve(const struct policy_conf *conf);

#endif
