/*
 * A notification of Nagios or Icinga 2 (its macros, as text) as an event. Pure.
 *
 *   type                          its object is in trouble              its object is fine
 *   PROBLEM                       problem                               recovery
 *   RECOVERY                      recovery                              recovery
 *   ACKNOWLEDGEMENT               ack                                   nothing
 *   DOWNTIMESTART                 problem, suppressed: no repeats       nothing
 *   DOWNTIMEEND DOWNTIMECANCELLED problem: paged if it is news          recovery, suppressed: closes what is
 * open DOWNTIMEREMOVED FLAPPINGSTART                 notice                                notice
 *   FLAPPINGSTOP FLAPPINGEND      problem: paged if it is news          recovery
 *     FLAPPINGDISABLED
 *   CUSTOM                        notice                                notice
 */
#ifndef MONITORD_DOOR_MACROS_H
#define MONITORD_DOOR_MACROS_H

#include "lib/contract/event.h"

/* Each may be NULL, empty or a macro that was not replaced: not known. */
struct notification {
	const char *type, *host, *service, *state, *output, *long_output;
	/* Number of the problem that lasts. A recovery needs none and uses none: it ends whatever of its
	 * service is open (Nagios notifies before it moves its numbers on). */
	const char *problem;
	const char *since; /* seconds since 1970 */
	const char *author, *comment;
};

enum macros_result { MACROS_EVENT, MACROS_NOTHING, MACROS_BAD };

/* Fills e (contacts and source stay) from n; now: door_now(). MACROS_NOTHING and MACROS_BAD: why says it. */
enum macros_result macros_event(const struct notification *n, uint64_t now, struct event *e, char *why,
				size_t size);

#endif
