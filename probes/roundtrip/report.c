/*
 * Makes the result of a round trip (see report.h). Called by check_roundtrip at
 * the end of each run. What failed stands first; an arrival that nothing spoils
 * stands alone. A fault of the store is never laid at the relay's door.
 */
#include "report.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 900, SPAN = 32 };

struct line {
	char text[TEXT_MAX];
	size_t len;
};

static void part(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void part(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (l->len && l->len + 3 < sizeof(l->text)) {
		memcpy(l->text + l->len, "; ", 3);
		l->len += 2;
	}
	va_start(ap, fmt);
	n = vsnprintf(l->text + l->len, sizeof(l->text) - l->len, fmt, ap);
	va_end(ap);
	l->len = n < 0 ? l->len : l->len + (size_t)n >= sizeof(l->text) ? sizeof(l->text) - 1 : l->len + (size_t)n;
}

/* "0.42 s" below ten seconds, else as people say it */
static const char *span(int64_t ms, char *out)
{
	if (ms < 10000)
		snprintf(out, SPAN, "%.2f s", (double)ms / 1000);
	else
		clock_span(ms, out, SPAN);
	return out;
}

/* "0.42 s"; "between 5.00 s and 58 s" when only that is sure */
static const char *delay_text(const struct rt_delay *d, char *out, size_t size)
{
	char a[SPAN], b[SPAN];

	if (d->skewed || d->untold)
		snprintf(out, size, "between %s and %s (%s)", span(d->min_ms, a), span(d->max_ms, b),
			 d->skewed ? "the store's clock is off" : "the store does not tell when");
	else
		snprintf(out, size, "%s", span(d->ms, a));
	return out;
}

/* What is sure: with no clock, or one that cannot be right, only the lower end is. */
static int64_t sure_ms(const struct rt_delay *d)
{
	return d->skewed || d->untold ? d->min_ms : d->ms;
}

static enum nag_state judge_ms(int64_t ms, const struct rt_thresholds *t)
{
	return ms > t->critical_ms ? NAG_CRITICAL : ms > t->warning_ms ? NAG_WARNING : NAG_OK;
}

static enum nag_state judge(const struct rt_state *s, const struct rt_findings *f, const struct rt_counts *c,
			    const struct rt_thresholds *t)
{
	enum nag_state state = s->has_delay ? judge_ms(sure_ms(&s->delay), t) : NAG_OK;

	/* without a look nobody knows what is still under way */
	if (!f->store.failed)
		state = nag_worse(state, judge_ms(c->oldest_ms, t));
	if (c->lost_open || (c->lost && c->lost >= t->lost_critical))
		state = NAG_CRITICAL;
	if (c->lost || c->duplicates || f->forged || f->undeleted[0])
		state = nag_worse(state, NAG_WARNING);
	if (f->smtp.failed)
		state = nag_worse(state, f->smtp.state);
	if (f->store.failed)
		state = nag_worse(state, f->store.state);
	return state;
}

static void arrival(struct line *l, const struct rt_findings *f)
{
	char a[128], b[SPAN];

	part(l, "%s", delay_text(&f->delay, a, sizeof(a)));
	if (f->way.n) {
		const struct received *w = &f->way;
		int n = snprintf(l->text + l->len, sizeof(l->text) - l->len, ", %zu hop%s", w->n + w->dropped,
				 w->n + w->dropped == 1 ? "" : "s");

		l->len += n > 0 && (size_t)n < sizeof(l->text) - l->len ? (size_t)n : 0;
		if (w->slowest >= 0 && w->hop[w->slowest].delay_ms >= 1000) {
			n = snprintf(l->text + l->len, sizeof(l->text) - l->len, ", slowest hop %s %s",
				     w->hop[w->slowest].by[0] ? w->hop[w->slowest].by : "without a name",
				     clock_span(w->hop[w->slowest].delay_ms, b, sizeof(b)));
			l->len += n > 0 && (size_t)n < sizeof(l->text) - l->len ? (size_t)n : 0;
		}
	}
	if (f->narrived > 1)
		part(l, "%zu arrived", f->narrived);
}

static void failures(struct line *l, const struct rt_findings *f)
{
	char a[SPAN];

	if (f->smtp.failed)
		part(l, "%s", f->smtp.why);
	if (!f->store.failed)
		return;
	part(l, "store failed: %s", f->store.why);
	if (f->smtp.failed)
		return;
	if (f->smtp.seconds >= 0)
		part(l, "the relay took a mail in %s", span((int64_t)(f->smtp.seconds * 1000), a));
	else if (f->held_back)
		part(l, "nothing sent while %d are on the way", RT_OUTSTANDING_MAX);
}

static void troubles(struct line *l, const struct rt_counts *c, const struct rt_findings *f)
{
	char a[SPAN];

	if (c->lost)
		part(l, "%zu lost%s", c->lost, c->lost_open ? "" : ", later mail arrives");
	if (c->late && !f->store.failed)
		part(l, "%zu late, on the way for %s", c->late, span(c->oldest_ms, a));
	if (c->duplicates)
		part(l, "%zu arrived more than once", c->duplicates);
	if (f->found)
		part(l, "%zu arrived after %s, %s counted lost", f->found, clock_span(f->found_ms, a, sizeof(a)),
		     f->found == 1 ? "was" : "were");
	if (f->forged)
		part(l, "%zu with our token but not our signature, left alone", f->forged);
	if (f->undeleted[0])
		part(l, "cannot delete our mail: %s", f->undeleted);
}

static void waiting(struct line *l, const struct rt_state *s, const struct rt_counts *c, const struct rt_findings *f)
{
	char a[128];

	if (c->late && c->pending > c->late && !f->store.failed)
		part(l, "%zu more on the way", c->pending - c->late);
	else if (c->pending > c->late && !f->store.failed)
		part(l, "%zu on the way for %s", c->pending, span(c->oldest_ms, a));
	if (s->has_delay)
		part(l, "the last took %s", delay_text(&s->delay, a, sizeof(a)));
	else if (!f->smtp.failed && !f->store.failed)
		part(l, "none has arrived yet");
}

static void hops(const struct rt_findings *f, struct result *r)
{
	const struct received *w = &f->way;
	char a[SPAN];

	if (w->dropped)
		result_more(r, "%zu older hops left out", w->dropped);
	for (size_t i = 0; i < w->n; i++) {
		const struct hop *h = &w->hop[i];
		const char *by = h->by[0] ? h->by : "(no name)";

		if (!h->has_time)
			result_more(r, "hop %zu %s: no time given", i + 1, by);
		else if (!h->has_delay)
			result_more(r, "hop %zu %s: nothing to compare its time with", i + 1, by);
		else if (h->skew && h->delay_ms < 0)
			result_more(r, "hop %zu %s: clock skew, its time is %s before the step before", i + 1, by,
				    clock_span(-h->delay_ms, a, sizeof(a)));
		else if (h->skew)
			result_more(r, "hop %zu %s: clock skew, it claims %s, more than the whole way took", i + 1, by,
				    clock_span(h->delay_ms, a, sizeof(a)));
		else if (h->delay_ms < 1000)
			result_more(r, "hop %zu %s: under 1 s", i + 1, by);
		else
			result_more(r, "hop %zu %s: %s", i + 1, by, clock_span(h->delay_ms, a, sizeof(a)));
	}
}

static void notes(const struct rt_state *s, const struct rt_findings *f, const struct stamp *now, struct result *r)
{
	char a[SPAN], b[24];

	hops(f, r);
	for (size_t i = 0; i < s->n; i++) {
		const struct rt_mail *m = &s->mail[i];

		if (m->phase != RT_ARRIVED)
			result_more(r, "mail %llu, sent %s: %s for %s", (unsigned long long)m->token.run,
				    clock_text(m->sent.wall_ms, b, sizeof(b)), rt_phase_name(m->phase),
				    clock_span(clock_age_ms(rt_is_outstanding(m->phase) ? &m->sent : &m->settled, now),
					       a, sizeof(a)));
	}
	if (f->held_back)
		result_more(r, "nothing was sent: %d are on the way, and that is the most", RT_OUTSTANDING_MAX);
	if (f->orphans)
		result_more(r, "%zu of our mails that nobody remembered were cleaned away", f->orphans);
	if (f->marked)
		result_more(r, "the server has no UIDPLUS: %zu of our mails are marked deleted and stay until somebody "
			    "expunges the mailbox", f->marked);
	if (f->too_many)
		result_more(r, "%zu more matches were left for the next run", f->too_many);
	if (f->unseen)
		result_more(r, "%zu older message%s not looked at", f->unseen, f->unseen == 1 ? " was" : "s were");
	if (s->evicted)
		result_more(r, "%zu lost ones were forgotten for want of room", s->evicted);
	if (f->state_lost)
		result_more(r, "the stored state was thrown away: %s", f->state_lost);
}

static void perf(const struct rt_findings *f, const struct rt_counts *c, const struct rt_thresholds *t,
		 struct result *r)
{
	struct range warn = {.set = true, .start = 0, .end = (double)t->warning_ms / 1000};
	struct range crit = {.set = true, .start = 0, .end = (double)t->critical_ms / 1000};
	const struct { const char *label; double value; const char *uom; } values[] = {
		{"smtp", f->smtp.seconds < 0 ? NAN : f->smtp.seconds, "s"},
		{f->kind ? f->kind : "imap", f->store.seconds < 0 ? NAN : f->store.seconds, "s"},
		{"hops", f->arrived ? (double)(f->way.n + f->way.dropped) : NAN, ""},
		{"pending", (double)c->pending, ""},
		{"late", (double)c->late, ""},
		{"lost", (double)c->lost, ""},
		{"duplicates", (double)c->duplicates, ""},
	};
	struct perf *p = result_perf(r, "time", f->arrived ? (double)f->delay.ms / 1000 : NAN, "s", &warn, &crit);

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (p) {
			p->has_min = true;
			p->min = 0;
		}
		p = result_perf(r, values[i].label, values[i].value, values[i].uom, NULL, NULL);
	}
}

/* What the diagnosis reads (names: doc/probes.md). Without a look nobody knows what is under way or lost. */
static void facts(const struct rt_state *s, const struct rt_findings *f, const struct rt_counts *c, struct result *r)
{
	const struct received *w = &f->way;

	if (!f->store.failed) {
		result_fact(r, "lost", (double)c->lost);
		result_fact(r, "pending", (double)c->pending);
		result_fact(r, "late", (double)c->late);
		result_fact(r, "duplicates", (double)c->duplicates);
		if (c->pending)
			result_fact(r, "oldest_s", (double)c->oldest_ms / 1000);
	}
	if (s->has_delay)
		result_fact(r, "delay_s", (double)sure_ms(&s->delay) / 1000);
	if (f->arrived && w->n && w->slowest >= 0 && w->hop[w->slowest].delay_ms >= 1000 && w->hop[w->slowest].by[0])
		result_fact_text(r, "hop_slow", w->hop[w->slowest].by);
	result_fact(r, "relay_failed", f->smtp.failed);
	result_fact(r, "store_failed", f->store.failed);
	if (f->smtp.failed)
		result_fact(r, "refused", strcmp(f->smtp.layer, "refused") == 0);
	if (f->smtp.failed)
		result_fact(r, "timed_out", strcmp(f->smtp.layer, "timeout") == 0);
}

/* Where it broke: the relay's side first, then the store's. */
static void layer(const struct rt_findings *f, const struct rt_counts *c, struct result *r)
{
	const char *name = "";

	if (f->smtp.failed)
		name = f->smtp.layer;
	else if (f->store.failed)
		name = f->store.layer;
	else if (c->lost)
		name = "lost";
	else if (r->state != NAG_OK)
		name = c->duplicates ? "duplicate" : f->undeleted[0] ? "delete" : f->forged ? "forged" : "delay";
	if (r->state == NAG_OK)
		name = "";
	snprintf(r->layer, sizeof(r->layer), "%s%.17s", !f->smtp.failed && f->store.failed ? "store-" : "", name);
}

/* Not a fault of relay or store: this side could not measure. */
static bool is_local(const struct rt_side *side)
{
	return side->failed && strcmp(side->layer, "local") == 0;
}

void rt_report(const struct rt_state *s, const struct rt_findings *f, const struct rt_thresholds *t,
	       const struct stamp *now, struct result *r)
{
	struct line l = {.len = 0};
	struct rt_counts c;

	rt_count(s, now, &t->limits, &c);
	failures(&l, f);
	troubles(&l, &c, f);
	if (f->arrived)
		arrival(&l, f);
	else
		waiting(&l, s, &c, f);
	result_set(r, judge(s, f, &c, t), "%s", l.text);
	layer(f, &c, r);
	if (r->state == NAG_UNKNOWN && (is_local(&f->smtp) || is_local(&f->store)))
		r->measured = false;
	notes(s, f, now, r);
	perf(f, &c, t, r);
	facts(s, f, &c, r);
}
