/*
 * All lists asked about all addresses at once, and what came of it. Asked by check_dnsbl.c, judged without
 * I/O.
 */
#ifndef PROBES_DNSBL_SURVEY_H
#define PROBES_DNSBL_SURVEY_H

#include "list.h"
#include "probes/dns/ask.h"
#include "probes/dns/hosts.h"

enum { DNSBL_LISTS_MAX = 200, DNSBL_ASKS_MAX = 8192 };

enum { DNSBL_MUST, DNSBL_MUST_NOT, DNSBL_MUST6, DNSBL_MUST_NOT6, DNSBL_CONTROLS };

struct dnsbl_row {
	struct dnsbl_list list;
	/* into survey.v; a control that is not asked is NULL, addresses are there for each host */
	struct dns_ask *control[DNSBL_CONTROLS];
	struct dns_ask *address;
	bool usable;
	char why[DNSBL_NOTE_MAX]; /* why not */
};

struct dnsbl_hit {
	size_t row, host;
	char answer[DNSBL_NOTE_MAX];
	char reason[300]; /* its TXT record */
};

enum { DNSBL_HITS_MAX = 256 };

struct dnsbl_survey {
	struct dnsbl_row *rows;
	size_t nrows;
	const struct dns_hosts *hosts;
	struct dns_ask *v;
	size_t n;
	char (*names)[DNS_IP_REVERSED + DNSBL_ZONE_MAX + 2];
	struct dnsbl_hit *hits;
	size_t nhits, more_hits;
	size_t unusable;
	size_t dead; /* questions that nobody answered at all */
};

/* The questions. False: out of memory. */
bool dnsbl_plan(struct dnsbl_survey *s);
/* From the answers: which lists can be used, which address is on which. */
void dnsbl_evaluate(struct dnsbl_survey *s);
void dnsbl_survey_fini(struct dnsbl_survey *s);

#endif
