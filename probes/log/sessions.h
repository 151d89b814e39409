/* Who a session is with, where a format says so only in the session's first line (OpenSMTPD): the last ones
 * in fixed memory; an old one whose place was taken is not known any more. Used by count.c. */
#ifndef PROBES_LOG_SESSIONS_H
#define PROBES_LOG_SESSIONS_H

#include <stdint.h>

#include "event.h"

enum { LOG_SESSIONS = 2048, LOG_ADDRESS_BYTES = 48 };

struct log_sessions {
	struct {
		uint64_t id; /* its fingerprint; 0: free */
		char client[LOG_ADDRESS_BYTES];
	} slot[LOG_SESSIONS];
};

/* A line of a session that names its client is kept; one that does not gets it. */
void log_sessions_fill(struct log_sessions *s, struct log_event *e);

#endif
