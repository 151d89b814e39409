/* See fromlog.h. */
#include "fromlog.h"

#include <stdio.h>
#include <string.h>

#include "probes/log/count.h"

static const enum log_top tops[POLICY_KINDS] = {LOG_TOP_CLIENT, LOG_TOP_SASL, LOG_TOP_UID};

static void take(const struct log_counts *c, double per_minute, struct rate_counts *out)
{
	struct top_item best[POLICY_TOLD];

	memset(out, 0, sizeof(*out));
	out->s60 = (double)c->kind[LOG_RECEIVED] * per_minute;
	for (int k = 0; k < POLICY_KINDS; k++) {
		out->n[k] = top_best(c->top[tops[k]], best, POLICY_TOLD);
		for (size_t i = 0; i < out->n[k]; i++) {
			struct rate_origin *o = &out->v[k][i];

			snprintf(o->name, sizeof(o->name), "%s", best[i].name);
			o->s60 = (double)best[i].count * per_minute;
			if (k == POLICY_SASL)
				o->peers = (unsigned)log_pairs_count(&c->sasl_clients, best[i].name);
		}
	}
}

bool rate_from_log(struct rate_log *l, int64_t deadline, struct rate_counts *out, char *why, size_t size)
{
	struct stamp now = clock_stamp();
	int64_t over = l->state.at.wall_ms ? clock_age_ms(&l->state.at, &now) : 0;
	struct log_counts *c = log_counts_new(NULL);
	bool ok;

	l->first = over == 0;
	l->tail = (struct log_tail){.line = log_counts_line, .arg = c, .deadline = deadline};
	if (!c) {
		snprintf(why, size, "out of memory");
		return false;
	}
	ok = log_follow(&l->from, &l->tail, &l->state);
	if (ok) {
		take(c, 60000.0 / (double)(over > RATE_LEAST_MS ? over : RATE_LEAST_MS), out);
		l->state.at = now;
	} else {
		log_follow_why(&l->from, &l->tail, why, size);
	}
	log_counts_free(c);
	return ok;
}
