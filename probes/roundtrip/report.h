/* What one run of the round trip found, and the result that is made of it. Pure. */
#ifndef PROBES_ROUNDTRIP_REPORT_H
#define PROBES_ROUNDTRIP_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/contract/result.h"
#include "received.h"
#include "state.h"

struct rt_side {
	bool failed;
	enum nag_state state; /* of the failure */
	char layer[24];
	char why[400];        /* for people; "" when nothing failed */
	double seconds;       /* what it took; negative: not tried */
};

struct rt_findings {
	struct rt_side smtp, store;
	const char *kind;      /* of the store, as its figure is called: "imap" "pop3" "maildir" */
	bool held_back;        /* nothing was sent: RT_OUTSTANDING_MAX are under way */
	bool arrived;          /* at least one came in this run; the newest sent of them: */
	uint64_t arrived_run;
	struct rt_delay delay;
	struct received way;
	size_t narrived;
	size_t found;          /* came after they were counted lost; the longest: */
	int64_t found_ms;
	size_t copies;
	size_t forged;         /* carry a token of ours but not our signature: left alone */
	size_t orphans;        /* proved ours but not remembered: cleaned away */
	size_t marked;         /* only marked deleted: the server has no UIDPLUS */
	size_t too_many;       /* matches beyond what one run takes */
	size_t unseen;         /* messages beyond the newest that a run looks at */
	char undeleted[320];   /* why ours could not be deleted; "": they could */
	const char *state_lost; /* why the stored state was thrown away; NULL: it was not */
};

struct rt_thresholds {
	int64_t warning_ms, critical_ms;
	size_t lost_critical;
	struct rt_limits limits;
};

void rt_report(const struct rt_state *s, const struct rt_findings *f, const struct rt_thresholds *t,
	       const struct stamp *now, struct result *r);

#endif
