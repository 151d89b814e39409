/*
 * The half of the queue probe that judges and words what was measured. Pure: no I/O, no clock.
 * Line 1 says first what alerts, then the rest; the further lines are queue_more.c's.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../lib/clock.h"
#include "../lib/result.h"
#include "queue.h"
#include "queue_more.h"
#include "reservoir.h"

enum { PARTS_MAX = 24, PART_MAX = 160 };

struct part {
	enum nag_state state;
	char text[PART_MAX];
};

struct report {
	const struct queue_seen *s;
	const struct queue_conf *conf;
	struct result *r;
	struct part part[PARTS_MAX];
	size_t n;
	enum nag_state worst;
	enum nag_state growth; /* what the growth of all is worth */
	int grows_most;	       /* the queue that the growth is said at; -1: none */
};

__attribute__((format(printf, 3, 4))) static void say(struct report *rp, enum nag_state s, const char *fmt,
						      ...)
{
	va_list ap;

	rp->worst = nag_worse(rp->worst, s);
	if (rp->n == PARTS_MAX)
		return;
	rp->part[rp->n].state = s;
	va_start(ap, fmt);
	vsnprintf(rp->part[rp->n].text, PART_MAX, fmt, ap);
	va_end(ap);
	rp->n++;
}

/* check_mailq's -w N and -c N alert at N and above: as a Nagios range "@N:" */
static struct range at_least(int64_t n)
{
	return (struct range){.set = n > 0, .inside = true, .start = (double)n, .end = INFINITY};
}

static struct range older_than(int64_t ms)
{
	return (struct range){.set = ms > 0, .start = 0, .end = (double)ms / 1000};
}

/* --- what flows --- */

static double growth_of_all(const struct queue_seen *s)
{
	double sum = 0;

	for (int q = 0; q < PQ_N; q++)
		sum += queue_flows((enum postfix_queue)q) ? s->growth[q] : 0;
	return sum;
}

/* The growth is said at the queue that makes nearly all of it, else by itself. */
static void judge_growth(struct report *rp)
{
	const struct queue_seen *s = rp->s;
	double all = growth_of_all(s);
	int most = -1;

	rp->growth = NAG_OK;
	rp->grows_most = -1;
	if (!s->growth_known)
		return;
	rp->growth = nag_judge(all, &rp->conf->growth_warning, &rp->conf->growth_critical);
	for (int q = 0; q < PQ_N; q++) {
		if (queue_flows((enum postfix_queue)q) &&
		    (most < 0 || fabs(s->growth[q]) > fabs(s->growth[most])))
			most = q;
	}
	if (rp->growth == NAG_OK)
		return;
	if (all > 0 && s->growth[most] >= 0.8 * all && s->total[most])
		rp->grows_most = most;
	else
		say(rp, rp->growth, "%+.0f/min in all queues", all);
}

/* The queue that holds all there is; -1: there are several, or none. */
static int only_queue(const struct queue_seen *s)
{
	for (int q = 0; q < PQ_CORRUPT; q++) {
		if (s->total[q])
			return s->total[q] == queue_total(s) ? q : -1;
	}
	return -1;
}

static void judge_depths(struct report *rp)
{
	const struct queue_seen *s = rp->s;
	const struct range w = at_least(rp->conf->warning), c = at_least(rp->conf->critical);
	enum nag_state total = nag_judge((double)queue_total(s), &w, &c);
	const char *least = s->late ? "at least " : "";
	int only = only_queue(s);

	if (total != NAG_OK && only < 0)
		say(rp, total, "%s%llu queued", least, (unsigned long long)queue_total(s));
	for (int q = 0; q < PQ_N; q++) {
		enum nag_state st = nag_judge((double)s->total[q], &rp->conf->warn[q], &rp->conf->crit[q]);
		char grows[32] = "";

		if (q == rp->grows_most)
			st = nag_worse(st, rp->growth);
		if (q == only)
			st = nag_worse(st, total);
		if (!s->total[q] && st == NAG_OK)
			continue;
		if (s->growth_known && fabs(s->growth[q]) >= 1)
			snprintf(grows, sizeof(grows), " (%+.0f/min)", s->growth[q]);
		say(rp, st, "%s%llu %s%s", least, (unsigned long long)s->total[q],
		    postfix_queue_name((enum postfix_queue)q), grows);
	}
}

static void judge_ages(struct report *rp)
{
	const struct queue_conf *conf = rp->conf;
	const struct range w = older_than(conf->oldest_warning), c = older_than(conf->oldest_critical);
	const struct range dw = older_than(conf->deferred_oldest_warning),
			   dc = older_than(conf->deferred_oldest_critical);
	char span[32];

	for (int q = 0; q <= PQ_INCOMING; q++) {
		int64_t ms = queue_age_ms(rp->s, (enum postfix_queue)q);
		enum nag_state st = nag_judge((double)ms / 1000, &w, &c);

		if (st != NAG_OK)
			say(rp, st, "mail waits in %s for %s", postfix_queue_name((enum postfix_queue)q),
			    clock_span(ms, span, sizeof(span)));
	}
	if (rp->s->total[PQ_DEFERRED]) {
		int64_t ms = queue_age_ms(rp->s, PQ_DEFERRED);
		enum nag_state st = nag_judge((double)ms / 1000, &dw, &dc);

		if (ms && st != NAG_OK)
			say(rp, st, "oldest deferred %s", clock_span(ms, span, sizeof(span)));
	}
}

/* --- who --- */

/* A share of a sample alerts when all that it may really be alerts. */
static enum nag_state judge_share(double share, double margin, const struct range *w, const struct range *c)
{
	double low = share - margin < 0 ? 0 : share - margin,
	       high = share + margin > 100 ? 100 : share + margin;
	enum nag_state st = nag_judge(share, w, c), other = nag_judge(low, w, c);

	if (nag_worse(st, other) == st)
		st = other;
	other = nag_judge(high, w, c);
	return nag_worse(st, other) == st ? other : st;
}

static char *share_text(uint64_t hits, const struct queue_shape *sh, char *out, size_t size)
{
	double margin = sample_margin(hits, sh->read, sh->of);

	if (margin > 0)
		snprintf(out, size, "±%.0f", ceil(margin));
	else
		snprintf(out, size, "all read");
	return out;
}

static void judge_null(struct report *rp)
{
	const struct queue_shape *sh = &rp->s->shape;
	double share = queue_percent(sh->null_senders, sh->read);
	double margin = sample_margin(sh->null_senders, sh->read, sh->of);
	enum nag_state st = NAG_OK;
	char text[32];

	if (!sh->read)
		return;
	if (sh->of >= (uint64_t)rp->conf->null_least)
		st = judge_share(share, margin, &rp->conf->null_warning, &rp->conf->null_critical);
	if (st != NAG_OK || (share >= 20 && sh->read >= QUEUE_NOTE_READ))
		say(rp, st, "%.0f %% null sender (%s)", share,
		    share_text(sh->null_senders, sh, text, sizeof(text)));
}

static void say_leaders(struct report *rp)
{
	const struct queue_shape *sh = &rp->s->shape;
	struct top_item it;

	if (queue_leads(sh, sh->clients, sh->read, 20, &it))
		say(rp, NAG_OK, "top client %s", it.name);
	if (queue_leads(sh, sh->accounts, sh->read, 20, &it))
		say(rp, NAG_OK, "top login %.60s", it.name);
	if (queue_leads(sh, sh->senders, sh->read, 20, &it) && strcmp(it.name, "<>") != 0)
		say(rp, NAG_OK, "top sender %.80s", it.name);
	if (queue_leads(sh, sh->rcpts, top_total(sh->rcpts), 20, &it))
		say(rp, NAG_OK, "top recipient %.80s", it.name);
}

/* --- the whole --- */

static double tenth(double v)
{
	return round(v * 10) / 10;
}

static void perfdata(struct report *rp)
{
	const struct queue_seen *s = rp->s;
	const struct queue_conf *conf = rp->conf;
	const struct queue_shape *sh = &s->shape;
	const struct range w = at_least(conf->warning), c = at_least(conf->critical);
	const struct range ow = older_than(conf->oldest_warning), oc = older_than(conf->oldest_critical);
	const struct range dw = older_than(conf->deferred_oldest_warning),
			   dc = older_than(conf->deferred_oldest_critical);
	int64_t waits = queue_age_ms(s, PQ_MAILDROP), in = queue_age_ms(s, PQ_INCOMING);
	struct perf *p = result_perf(rp->r, "unsent", (double)queue_total(s), "", &w, &c);

	for (int q = 0; p && q < PQ_N; q++) {
		p->has_min = true;
		p = result_perf(rp->r, postfix_queue_name((enum postfix_queue)q), (double)s->total[q], "",
				&conf->warn[q], &conf->crit[q]);
	}
	if (p)
		p->has_min = true;
	result_perf(rp->r, "growth", s->growth_known ? growth_of_all(s) : NAN, "", &conf->growth_warning,
		    &conf->growth_critical);
	result_perf(rp->r, "oldest", floor((double)(waits > in ? waits : in) / 1000), "s", &ow, &oc);
	result_perf(rp->r, "deferred_oldest", floor((double)queue_age_ms(s, PQ_DEFERRED) / 1000), "s", &dw,
		    &dc);
	result_perf(rp->r, "null_share", sh->read ? tenth(queue_percent(sh->null_senders, sh->read)) : NAN,
		    "%", &conf->null_warning, &conf->null_critical);
	result_perf(rp->r, "null_margin",
		    sh->read ? tenth(sample_margin(sh->null_senders, sh->read, sh->of)) : NAN, "%", NULL,
		    NULL);
	result_perf(rp->r, "read", (double)sh->read, "", NULL, NULL);
}

/* Line 1: the worst first, in the order they were said. */
static void first_line(struct report *rp)
{
	static const enum nag_state order[] = {NAG_CRITICAL, NAG_WARNING, NAG_UNKNOWN, NAG_OK};
	struct buf line;

	buf_init(&line, RESULT_TEXT_MAX - 1);
	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		for (size_t i = 0; i < rp->n; i++) {
			if (rp->part[i].state == order[k])
				buf_printf(&line, "%s%s", line.len ? ", " : "", rp->part[i].text);
		}
	}
	result_set(rp->r, rp->worst, "%s", line.len ? buf_str(&line) : "all queues are empty");
	buf_fini(&line);
}

static size_t unread(const struct queue_seen *s, const struct queue_instance **first)
{
	size_t bad = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (!s->inst[i].trouble[0])
			continue;
		if (!bad++)
			*first = &s->inst[i];
	}
	return bad;
}

/* What was counted is less than there is: UNKNOWN, unless even that alerts. */
static void incomplete(struct report *rp, size_t bad, const struct queue_instance *first)
{
	const struct queue_seen *s = rp->s;

	if (bad && rp->worst != NAG_OK) {
		result_more(rp->r, "%zu of %zu instances could not be read", bad, s->n);
		return;
	}
	if (rp->worst != NAG_OK)
		return;
	rp->r->measured = false;
	if (bad)
		result_fail(rp->r, NAG_UNKNOWN, first->layer, "%s", first->trouble);
	else
		result_fail(rp->r, NAG_UNKNOWN, "timeout",
			    "the time was up while counting: at least %llu queued",
			    (unsigned long long)queue_total(s));
}

void queue_report(const struct queue_seen *s, const struct queue_conf *conf, struct result *r)
{
	struct report rp = {.s = s, .conf = conf, .r = r, .worst = NAG_OK};
	const struct queue_instance *first = NULL;
	size_t bad = unread(s, &first);

	if (bad == s->n && first && !queue_total(s) && !s->total[PQ_CORRUPT]) {
		r->measured = false;
		result_fail(r, NAG_UNKNOWN, first->layer, "%s", first->trouble);
		for (size_t i = 0; s->n > 1 && i < s->n; i++)
			result_more(r, "%s", s->inst[i].trouble);
		return;
	}
	judge_growth(&rp);
	judge_depths(&rp);
	judge_ages(&rp);
	judge_null(&rp);
	say_leaders(&rp);
	first_line(&rp);
	queue_more(s, conf, r);
	perfdata(&rp);
	if (bad || s->late)
		incomplete(&rp, bad, first);
}
