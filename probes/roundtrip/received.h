/*
 * The way a mail took, from its Received header lines (RFC 5322 3.6.7, RFC 5321
 * 4.4): who took it over from whom, and when by his own clock. Nothing in here is
 * to be trusted: any relay may lie, and clocks differ. So a step back in time is
 * reported as skew, never as a delay. Pure.
 */
#ifndef PROBES_ROUNDTRIP_RECEIVED_H
#define PROBES_ROUNDTRIP_RECEIVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RECEIVED_HOPS_MAX = 32, /* the newest ones are kept */
	RECEIVED_NAME_MAX = 64
};

struct hop {
	char by[RECEIVED_NAME_MAX];   /* who wrote the line; "" when it does not say */
	char from[RECEIVED_NAME_MAX]; /* whom it came from; "" when it does not say */
	bool has_time;
	int64_t wall_ms;   /* by that host's clock; the header gives whole seconds */
	bool has_delay;    /* both ends of this step have a time */
	int64_t delay_ms;  /* since the step before; negative: clock skew */
	bool skew;         /* the time cannot be right */
};

struct received {
	struct hop hop[RECEIVED_HOPS_MAX]; /* in the order of travel: the first relay first */
	size_t n;
	size_t dropped; /* older ones beyond the maximum */
	int slowest;    /* index of the longest delay, -1 when there is none */
	bool skew;      /* some step cannot be right */
};

/* Reads a message's header (or only its Received lines), folded or not, ending at an empty line or after len
 * bytes. Always succeeds; what cannot be read is left out. sent_wall_ms: when we sent it, by our clock; 0: not known, and the first
 * step then has no delay. */
void received_parse(const char *header, size_t len, int64_t sent_wall_ms, struct received *r);
/* No step can have taken longer than the whole way took by our own clock: one that claims to is cut to that when whole
 * seconds explain it, else it is skew. */
void received_bound(struct received *r, int64_t whole_ms);
/* An RFC 5322 date-time (with the obsolete zones and two-digit years; comments anywhere) to milliseconds since 1970.
 * False when it is none. */
bool received_date(const char *s, size_t len, int64_t *wall_ms);
/* Finds the next header field called name (without ':', any case) at or after *pos; *value and *value_len are its
 * body, folding included. Moves *pos behind it. False when there is none. */
bool header_next(const char *header, size_t len, const char *name, size_t *pos, const char **value,
		 size_t *value_len);

#endif
