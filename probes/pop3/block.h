/*
 * The body of a POP3 answer of many lines (RFC 1939, 3), taken apart as it comes: where it ends, and what it
 * says with the doubled dots made single again. Pure.
 */
#ifndef PROBES_POP3_BLOCK_H
#define PROBES_POP3_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed, with out and max set, it is at the beginning. */
struct pop3_block {
	char *out; /* gets the first max bytes */
	size_t max;
	size_t len; /* of them there */
	size_t all; /* bytes that came */
	bool done;  /* the line with one dot was there */
	int at;	    /* private */
};

/* Takes bytes as they came, at most up to the end of the answer; how many it took. */
size_t pop3_block_take(struct pop3_block *b, const char *bytes, size_t n);

#endif
