/*
 * The half of the queue probe that judges and words what was measured. Pure: no I/O, no clock.
 * Line 1 says first what alerts, then the rest; the further lines are more.c's.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/contract/result.h"
#include "queue.h"
#include "more.h"
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
	int grows_most;	       /* the stage that the growth is said at; -1: none */
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

/* The growth is said at the stage that makes nearly all of it, else by itself. */
static void judge_growth(struct report *rp)
{
	const struct queue_seen *s = rp->s;
	double all = queue_growth_all(s);
	int most = -1;

	rp->growth = NAG_OK;
	rp->grows_most = -1;
	if (!s->growth_known)
		return;
	rp->growth = nag_judge(all, &rp->conf->growth_warning, &rp->conf->growth_critical);
	for (size_t k = 0; k < s->stages; k++) {
		if (queue_flows(&s->stage[k]) &&
		    (most < 0 || fabs(s->stage[k].growth) > fabs(s->stage[most].growth)))
			most = (int)k;
	}
	if (rp->growth == NAG_OK || most < 0)
		return;
	if (all > 0 && s->stage[most].growth >= 0.8 * all && s->stage[most].n)
		rp->grows_most = most;
	else
		say(rp, rp->growth, "%+.0f/min in all queues", all);
}

/* The stage that holds all there is; -1: there are several, or none. */
static int only_stage(const struct queue_seen *s)
{
	for (size_t k = 0; k < s->stages; k++) {
		if (s->stage[k].n && s->stage[k].kind != QUEUE_DAMAGES && !s->stage[k].part)
			return s->stage[k].n == queue_total(s) ? (int)k : -1;
	}
	return -1;
}

/* What a stage is worth by its own limits. */
static enum nag_state judge_stage(const struct queue_seen *s, const struct queue_stage *st)
{
	enum nag_state state = nag_judge((double)st->n, &st->limits.warn, &st->limits.crit);

	if (s->growth_known)
		state =
		    nag_worse(state, nag_judge(st->growth, &st->limits.growth_warn, &st->limits.growth_crit));
	return state;
}

static void judge_depths(struct report *rp)
{
	const struct queue_seen *s = rp->s;
	const struct range w = at_least(rp->conf->warning), c = at_least(rp->conf->critical);
	enum nag_state total = nag_judge((double)queue_total(s), &w, &c);
	const char *least = s->late ? "at least " : "";
	int only = only_stage(s);

	if (total != NAG_OK && only < 0)
		say(rp, total, "%s%llu queued", least, (unsigned long long)queue_total(s));
	for (size_t k = 0; k < s->stages; k++) {
		const struct queue_stage *stage = &s->stage[k];
		enum nag_state st = judge_stage(s, stage);
		char grows[32] = "";

		if ((int)k == rp->grows_most)
			st = nag_worse(st, rp->growth);
		if ((int)k == only)
			st = nag_worse(st, total);
		if (!stage->n && st == NAG_OK)
			continue;
		if (s->growth_known && fabs(stage->growth) >= 1)
			snprintf(grows, sizeof(grows), " (%+.0f/min)", stage->growth);
		say(rp, st, "%s%llu %s%s", least, (unsigned long long)stage->n, stage->said, grows);
	}
}

/* Mail piles up in front of a scanner, while what is behind it drains. */
static void judge_stuck(struct report *rp)
{
	const struct queue_seen *s = rp->s;

	if (queue_stuck(s))
		say(rp, NAG_WARNING, "%s grows while %s drains", s->stage[s->before].name,
		    s->stage[s->behind].name);
}

static void judge_frozen(struct report *rp)
{
	const struct queue_shape *sh = &rp->s->shape;
	double frozen = queue_frozen(rp->s);
	enum nag_state st;

	if (!rp->s->mta->freezes || !sh->read)
		return;
	st = nag_judge(frozen, &rp->conf->frozen_warning, &rp->conf->frozen_critical);
	if (frozen > 0 || st != NAG_OK)
		say(rp, st, "%s%.0f frozen", sh->read < sh->of ? "about " : "", frozen);
}

/* The limits of a stage's age, its own before those of its kind; a range that is not set never alerts. */
static void age_limits(const struct queue_conf *conf, const struct queue_stage *st, struct range *w,
		       struct range *c)
{
	int64_t warn = 0, crit = 0;

	if (st->kind == QUEUE_WAITS) {
		warn = conf->oldest_warning;
		crit = conf->oldest_critical;
	} else if (st->kind == QUEUE_DEFERS) {
		warn = conf->deferred_oldest_warning;
		crit = conf->deferred_oldest_critical;
	}
	*w = older_than(st->limits.old_warn >= 0 ? st->limits.old_warn : warn);
	*c = older_than(st->limits.old_crit >= 0 ? st->limits.old_crit : crit);
}

static void judge_ages(struct report *rp)
{
	char span[32];

	for (size_t k = 0; k < rp->s->stages; k++) {
		const struct queue_stage *stage = &rp->s->stage[k];
		int64_t ms = queue_age_ms(rp->s, stage);
		struct range w, c;
		enum nag_state st;

		age_limits(rp->conf, stage, &w, &c);
		st = ms && stage->n ? nag_judge((double)ms / 1000, &w, &c) : NAG_OK;
		if (st == NAG_OK)
			continue;
		clock_span(ms, span, sizeof(span));
		if (stage->kind == QUEUE_WAITS)
			say(rp, st, "mail waits in %s for %s", stage->name, span);
		else
			say(rp, st, "oldest %s %s", stage->said, span);
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

/* The oldest of all stages of a kind, in whole seconds. */
static double oldest_s(const struct queue_seen *s, enum queue_kind kind)
{
	int64_t most = 0;

	for (size_t k = 0; k < s->stages; k++) {
		int64_t ms = s->stage[k].kind == kind ? queue_age_ms(s, &s->stage[k]) : 0;

		most = ms > most ? ms : most;
	}
	return floor((double)most / 1000);
}

static void perf_from_0(const struct report *rp, const char *label, double v, const struct range *w,
			const struct range *c)
{
	struct perf *p = result_perf(rp->r, label, v, "", w, c);

	if (p)
		p->has_min = true;
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

	perf_from_0(rp, "unsent", (double)queue_total(s), &w, &c);
	for (size_t k = 0; k < s->stages; k++)
		perf_from_0(rp, s->stage[k].name, (double)s->stage[k].n, &s->stage[k].limits.warn,
			    &s->stage[k].limits.crit);
	if (s->mta->freezes)
		perf_from_0(rp, "frozen", sh->read || !sh->of ? queue_frozen(s) : NAN, &conf->frozen_warning,
			    &conf->frozen_critical);
	result_perf(rp->r, "growth", s->growth_known ? queue_growth_all(s) : NAN, "", &conf->growth_warning,
		    &conf->growth_critical);
	result_perf(rp->r, "oldest", oldest_s(s, QUEUE_WAITS), "s", &ow, &oc);
	result_perf(rp->r, "deferred_oldest", oldest_s(s, QUEUE_DEFERS), "s", &dw, &dc);
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
	result_set(rp->r, rp->worst, "%s: %s", rp->s->mta->title,
		   line.len ? buf_str(&line) : "all queues are empty");
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
		result_more(rp->r, "%zu of %zu spools could not be read", bad, s->n);
		return;
	}
	if (rp->worst != NAG_OK)
		return;
	rp->r->measured = false;
	if (bad)
		result_fail(rp->r, NAG_UNKNOWN, first->layer, "%s", first->trouble);
	else
		result_fail(rp->r, NAG_UNKNOWN, "timeout",
			    "%s: the time was up while counting: at least %llu queued", s->mta->title,
			    (unsigned long long)queue_total(s));
}

void queue_report(const struct queue_seen *s, const struct queue_conf *conf, struct result *r)
{
	struct report rp = {.s = s, .conf = conf, .r = r, .worst = NAG_OK};
	const struct queue_instance *first = NULL;
	size_t bad = unread(s, &first);

	if (bad == s->n && first && !queue_total(s) && !queue_sum(s, QUEUE_DAMAGES)) {
		r->measured = false;
		result_fail(r, NAG_UNKNOWN, first->layer, "%s", first->trouble);
		for (size_t i = 0; s->n > 1 && i < s->n; i++)
			result_more(r, "%s", s->inst[i].trouble);
		return;
	}
	judge_stuck(&rp);
	judge_growth(&rp);
	judge_depths(&rp);
	judge_frozen(&rp);
	judge_ages(&rp);
	judge_null(&rp);
	say_leaders(&rp);
	first_line(&rp);
	queue_more(s, conf, r);
	perfdata(&rp);
	queue_facts(s, r);
	if (bad || s->late)
		incomplete(&rp, bad, first);
}
