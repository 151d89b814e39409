/*
 * Loopback pages: from one modem to another's number, timed until they are received there. One that arrives
 * proves all routes of its line; one that is late or lost is a problem (self.loopback LINE) until one arrives
 * in time. Called by prover.c, which keeps what is proved.
 */
#ifndef PAGERD_LOOPBACK_H
#define PAGERD_LOOPBACK_H

#include "lib/contract/line.h"
#include "state.h"

struct loopback;

enum { LOOPS_MAX = 100 }; /* lines there may be */

struct loopback *loopback_new(struct pager *p);
void loopback_free(struct loopback *b);
/* After the configuration in force, and makes their entries among the proofs. */
void loopback_use_conf(struct loopback *b, const struct stamp *now);
/* Sends what is due, notices what is late. */
void loopback_watch(struct loopback *b, const struct stamp *now);
/* True: the message came from a modem of ours, and is no person's. */
bool loopback_received(struct loopback *b, const char *line, const struct received *m);
/* A page over that route is one: that it was sent proves nothing, it has to arrive. */
bool loopback_is(const struct loopback *b, const char *line, const char *to);
/* Its last one did not arrive in time. */
bool loopback_failing(const struct loopback *b, const char *line);
/* The address that the nth line's loopback pages go to and the line itself; NULL: it sends none. */
const char *loopback_route(const struct loopback *b, size_t n, const char **line);

#endif
