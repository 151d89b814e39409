/* The words and states of check_mailq; see mailq.h. Called by probe mailq. */
#include "mailq.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/contract/result.h"

static struct range at_least(int64_t n)
{
	return (struct range){.set = true, .inside = true, .start = (double)n, .end = INFINITY};
}

uint64_t mailq_count(const struct queue_seen *s)
{
	uint64_t n = 0;

	if (s->mta == &queue_postfix)
		return queue_total(s);
	for (size_t k = 0; k < s->stages; k++) {
		if (s->stage[k].kind == QUEUE_DEFERS && !s->stage[k].part)
			n += s->stage[k].n;
	}
	return n;
}

/* The domain with the most messages, by the share of those read. */
static double most(const struct queue_shape *sh, const struct top *t, struct top_item *it)
{
	if (!t || !sh->read || !top_best(t, it, 1))
		return 0;
	return round((double)it->count * (double)sh->of / (double)sh->read);
}

static enum nag_state domain(const struct queue_seen *s, const struct top *t, const char *way,
			     const struct mailq_limits *l, struct buf *text)
{
	const struct range w = at_least(l->warning_domain), c = at_least(l->critical_domain);
	struct top_item it;
	double n = most(&s->shape, t, &it);
	enum nag_state st = nag_judge(n, &w, &c);

	if (n > 0)
		buf_printf(text, ", %s%.0f %s %s", s->shape.read < s->shape.of ? "about " : "", n, way,
			   it.name);
	return st;
}

/* qmail: what qmail-send has not looked at yet. */
static enum nag_state unprocessed(const struct queue_seen *s, const struct mailq_limits *l, struct buf *text)
{
	const struct range w = at_least(l->warning_domain), c = at_least(l->critical_domain);
	int k = queue_stage_find(s, "todo");
	uint64_t n = k < 0 ? 0 : s->stage[k].n;

	buf_printf(text, ", %llu not yet preprocessed", (unsigned long long)n);
	return nag_judge((double)n, &w, &c);
}

static enum nag_state by_domain(const struct queue_seen *s, const struct mailq_limits *l, struct buf *text)
{
	enum nag_state st;

	if (!l->warning_domain)
		return NAG_OK;
	if (s->mta == &queue_qmail)
		return unprocessed(s, l, text);
	if (s->mta != &queue_sendmail)
		return NAG_OK;
	st = domain(s, s->shape.from, "from", l, text);
	return nag_worse(st, domain(s, s->shape.by, "deferred by", l, text));
}

static const struct queue_instance *first_trouble(const struct queue_seen *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->inst[i].trouble[0])
			return &s->inst[i];
	}
	return NULL;
}

void mailq_report(const struct queue_seen *s, const struct mailq_limits *l, struct result *r)
{
	const struct range w = at_least(l->warning), c = at_least(l->critical);
	const struct queue_instance *bad = first_trouble(s);
	uint64_t n = mailq_count(s);
	enum nag_state st = nag_judge((double)n, &w, &c);
	struct perf *p;
	struct buf text;

	if ((bad || s->late) && st == NAG_OK) {
		r->measured = false;
		result_fail(r, NAG_UNKNOWN, bad ? bad->layer : "timeout", "%s",
			    bad ? bad->trouble : "the time was up while counting");
		return;
	}
	buf_init(&text, RESULT_TEXT_MAX - 1);
	buf_printf(&text, "%s: %s%llu queued", s->mta->title, bad || s->late ? "at least " : "",
		   (unsigned long long)n);
	st = nag_worse(st, by_domain(s, l, &text));
	result_set(r, st, "%s", buf_str(&text));
	buf_fini(&text);
	if (bad)
		result_more(r, "%s", bad->trouble);
	p = result_perf(r, "unsent", (double)n, "", &w, &c);
	if (p)
		p->has_min = true;
}
