/*
 * From what the visits to a relay's addresses found to one result: state, one line, further lines,
 * performance data. Pure but for the wall clock, which the days of a certificate are counted from.
 */
#ifndef PROBES_SMTP_REPORT_H
#define PROBES_SMTP_REPORT_H

#include "conf.h"
#include "session.h"

/* One session with one address. */
struct smtp_visit {
	struct net_address address;
	bool tried;
	struct smtp_seen seen;
	struct smtp_fault fault;
	double ms;	 /* all of it */
	struct buf said; /* the answer to EHLO, for -v */
	bool lmtp;
	size_t asked, refused; /* recipients */
	struct buf rcpts;      /* a line for each */
};

struct smtp_tour {
	struct smtp_seen resolved; /* only ms[SMTP_RESOLVE] */
	struct smtp_visit v[RESOLVE_MAX];
	size_t n;
};

struct smtp_tour *smtp_tour_new(void);
void smtp_tour_free(struct smtp_tour *tour);

void smtp_report(const struct smtp_conf *o, const struct smtp_tour *tour, int verbose, struct result *r);

#endif
