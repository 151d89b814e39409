/*
 * One list of bad addresses, as it stands in the configuration, and what an answer of it means. Pure (RFC
 *5782).
 *
 *	bl.example.org
 *	bl.example.org codes=2-11,20 control=no warning
 */
#ifndef PROBES_DNSBL_LIST_H
#define PROBES_DNSBL_LIST_H

#include "probes/dns/answer.h"

enum { DNSBL_ZONE_MAX = 190, DNSBL_NOTE_MAX = 200 };

struct dnsbl_list {
	char zone[DNSBL_ZONE_MAX];
	bool codes[256]; /* which 127.0.0.x are documented to mean "listed" */
	bool no_control; /* it has no test entries */
	bool warning;	 /* being listed here is a WARNING only */
};

enum dnsbl_verdict {
	DNSBL_CLEAN,
	DNSBL_LISTED,
	DNSBL_BARRED, /* 127.255.255.x: it answers our resolver nothing */
	DNSBL_ODD,    /* what it answers is no documented code, or no list's answer at all */
	DNSBL_NO_ANSWER
};

/* False: *why says what is wrong (static text). */
bool dnsbl_list_parse(const char *text, struct dnsbl_list *out, const char **why);
/* What the answer to one address means. note: the raw answer and, where it is none, what happened. */
enum dnsbl_verdict dnsbl_judge(const struct dnsbl_list *list, const struct dns_answer *a,
			       char note[DNSBL_NOTE_MAX]);

/* Of the test entries: must is 127.0.0.2 (or ::ffff:7f00:2), must_not is 127.0.0.1. True: the list works.
 * Else note says why not, as "is dead: ...". */
bool dnsbl_alive(const struct dnsbl_list *list, const struct dns_answer *must,
		 const struct dns_answer *must_not, char note[DNSBL_NOTE_MAX]);

#endif
