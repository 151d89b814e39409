/*
 * Downtimes that come again each week (section downtimes). Pure: what holds at a time, and until when. Zones
 * and clocks that are changed are lib/oncall's.
 */
#ifndef MONITORD_RULES_RECURRING_H
#define MONITORD_RULES_RECURRING_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/config/config.h"
#include "downtime.h"

/* What is known of one for the second that was looked at. */
struct recurring {
	const struct conf_downtime *conf;
	int64_t looked_s;
	bool holds;
	int64_t change_ms; /* when that ends or begins, UTC; at the latest nine days on */
};

bool recurring_holds(const struct conf_downtime *d, int64_t utc_s);
int64_t recurring_change(const struct conf_downtime *d, int64_t utc_s);
/* Brings r up to date. */
void recurring_look(struct recurring *r, int64_t now_wall_ms);
/* As a downtime of a check: what = what it had by an earlier look, or empty. */
void recurring_apply(const struct recurring *r, struct downtime *what, int64_t now_wall_ms);

#endif
