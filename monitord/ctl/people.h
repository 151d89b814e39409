/*
 * What coverage and explain share: the configuration as files say it, whom a check concerns, and what the
 * daemons know of lines, routes and checks just now.
 */
#ifndef MONITORD_CTL_PEOPLE_H
#define MONITORD_CTL_PEOPLE_H

#include "lib/config/config.h"
#include "ask.h"

struct people {
	struct config *conf;
	struct cJSON *monitord, *pagerd; /* snapshots; NULL: no answer */
	char why[512];			 /* of the one that did not answer */
};

/* False: the configuration does not load, which was said. unproved: routes that may all be lost are no
 * reason. */
bool people_load(const struct ctl *ctl, bool unproved, struct people *p);
void people_free(struct people *p);
/* The names that a check's events carry. */
char *const *people_names(const struct config *conf, const struct conf_check *check, size_t *n);
/* The check of the route or its line that fails just now; NULL: none, or nobody knows. */
const char *people_failing_need(const struct people *p, const struct conf_route *r);
/* Why pagerd's line cannot send just now, in words; NULL: it can, or nobody knows. */
const char *people_line_trouble(const struct people *p, const char *line);
/* "proved 3 h ago by a page", "never proved", "". */
void people_proof(const struct people *p, const struct conf_route *r, const struct stamp *now,
		  struct buf *out);

#endif
