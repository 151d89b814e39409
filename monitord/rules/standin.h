/*
 * Two ops hosts that watch the same thing: which of them pages. Pure; doc/peers.md has the table, cell by
 * cell.
 *
 * Both judge for themselves. The primary pages at once; the stand-in waits for the primary's word, and pages
 * when there is none: because the primary is gone or blind, or has not seen the problem within the delay. Who
 * pages a problem keeps it.
 */
#ifndef MONITORD_RULES_STANDIN_H
#define MONITORD_RULES_STANDIN_H

#include <stdbool.h>

/* What the other host says of the check. */
enum standin_claim {
	CLAIM_NONE,  /* it does not watch it, or has not said so yet */
	CLAIM_FINE,  /* no problem that is confirmed there, or one it leaves to us */
	CLAIM_PAGES, /* it pages it, under the incident number that came with the claim */
	CLAIM_QUIET, /* a problem there that people want to hear nothing of (downtime, a dependency) */
	CLAIM_BLIND  /* it cannot see it just now, or cannot page: its link, its prober, its pagerd */
};

enum standin_link {
	LINK_UNHEARD, /* not heard since our start, and not for long enough to call it silent */
	LINK_ALIVE,
	LINK_PLANNED, /* it stopped on purpose */
	LINK_SILENT   /* dead, stuck, or cut off */
};

enum standin_do {
	STANDIN_PAGE, /* as if we were alone */
	STANDIN_WAIT, /* hold what is new, until the caller's patience ends */
	STANDIN_MUTE  /* record it: the other pages it, or is told not to */
};

/* we_page: this problem was paged by us and is not hushed. */
enum standin_do standin_decide(bool primary, enum standin_link link, enum standin_claim claim, bool we_page);
const char *standin_claim_name(enum standin_claim c); /* "none" "fine" "pages" "quiet" "blind" */
bool standin_claim_from_name(const char *s, enum standin_claim *c);

#endif
