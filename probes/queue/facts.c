/* What the diagnosis reads of a queue: named numbers and texts (doc/probes.md, queue). Pure. Called by
 * report.c. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/contract/result.h"
#include "more.h"
#include "queue.h"

/* "stage_mqueue_rx" + tail */
static void stage_fact(struct result *r, const char *stage, const char *tail, double value)
{
	char name[QUEUE_NAME_MAX + 40];

	snprintf(name, sizeof(name), "stage_%s%s", stage, tail);
	for (char *c = name; *c; c++)
		*c = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '_';
	result_fact(r, name, value);
}

static void stages(const struct queue_seen *s, struct result *r)
{
	for (size_t k = 0; k < s->stages; k++) {
		stage_fact(r, s->stage[k].name, "", (double)s->stage[k].n);
		if (s->growth_known)
			stage_fact(r, s->stage[k].name, "_growth_per_min", s->stage[k].growth);
	}
}

static double oldest_s(const struct queue_seen *s)
{
	int64_t most = 0;

	for (size_t k = 0; k < s->stages; k++) {
		int64_t ms = queue_flows(&s->stage[k]) ? queue_age_ms(s, &s->stage[k]) : 0;

		most = ms > most ? ms : most;
	}
	return (double)most / 1000;
}

/* The leader of a count: NAME and NAME_share. */
static bool leader(struct result *r, const char *name, const struct top *t, uint64_t of, struct top_item *it)
{
	char share[48];

	if (!t || !of || !top_best(t, it, 1))
		return false;
	snprintf(share, sizeof(share), "%s_share", name);
	result_fact_text(r, name, it->name);
	result_fact(r, share, (double)it->count / (double)of);
	return true;
}

static void shape(const struct queue_seen *s, struct result *r)
{
	const struct queue_shape *sh = &s->shape;
	struct top_item it;

	result_fact(r, "sampled", (double)sh->read);
	if (!sh->read)
		return;
	result_fact(r, "young_share", (double)sh->age[0] / (double)sh->read);
	result_fact(r, "null_sender_share", (double)sh->null_senders / (double)sh->read);
	if (s->mta->freezes)
		result_fact(r, "frozen", queue_frozen(s));
	leader(r, "top_sender", sh->senders, sh->read, &it);
	leader(r, "top_client", sh->clients, sh->read, &it);
	if (leader(r, "top_sasl", sh->accounts, sh->read, &it))
		result_fact(r, "top_sasl_clients", (double)queue_account_clients(sh, it.name));
	leader(r, "top_rcpt", sh->rcpts, top_total(sh->rcpts), &it);
	leader(r, "top_domain", sh->domains, top_total(sh->domains), &it);
}

void queue_facts(const struct queue_seen *s, struct result *r)
{
	char mta[32];
	size_t n = 0;

	for (; s->mta->title[n] && n < sizeof(mta) - 1; n++)
		mta[n] = (char)tolower((unsigned char)s->mta->title[n]);
	mta[n] = '\0';
	result_fact_text(r, "mta", mta);
	result_fact(r, "total", (double)queue_total(s));
	result_fact(r, "incoming", (double)queue_sum(s, QUEUE_WAITS));
	result_fact(r, "active", (double)queue_sum(s, QUEUE_FLOWS));
	result_fact(r, "deferred", (double)queue_sum(s, QUEUE_DEFERS));
	result_fact(r, "hold", (double)queue_sum(s, QUEUE_HOLDS));
	result_fact(r, "corrupt", (double)queue_sum(s, QUEUE_DAMAGES));
	if (s->growth_known)
		result_fact(r, "growth_per_min", queue_growth_all(s));
	result_fact(r, "oldest_s", oldest_s(s));
	shape(s, r);
	stages(s, r);
}
