/*
 * What the probe rate looks at: who sent how much in the last minute, out of the policy service's line
 * (probes/arrivals/tell.h).
 */
#ifndef PROBES_RATE_COUNTS_H
#define PROBES_RATE_COUNTS_H

#include "lib/config/opts.h"
#include "probes/arrivals/tell.h"

struct rate_origin {
	char name[ORIGIN_NAME_MAX];
	double s10, s60, r60;
	unsigned peers;
};

struct rate_counts {
	double s60, s10, r60;
	struct rate_origin v[POLICY_KINDS][POLICY_TOLD];
	size_t n[POLICY_KINDS];
};

/* False: the line is none of the policy service's. */
bool rate_parse(const char *line, size_t len, struct rate_counts *out);
/* Messages a minute: of the last minute, or six times the last 10 seconds when that is more. */
double rate_per_minute(const struct rate_origin *o);
/* Is it in the list: a name, an address, ADDRESS/BITS? */
bool rate_listed(const struct opt_list *l, const char *name);

#endif
