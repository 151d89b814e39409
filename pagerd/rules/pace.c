/* The pace at which a contact is told, and what a route may cost; see pace.h. */
#include "pace.h"

#include <string.h>

enum pace_class pace_class_of(enum page_kind k)
{
	switch (k) {
	case PAGE_NEW:
		return PACE_ALARM;
	case PAGE_NOTICE:
		return PACE_NOTICE;
	case PAGE_ACK:
		return PACE_ACK;
	case PAGE_RECOVERED:
		return PACE_RECOVERED;
	case PAGE_REPEAT:
		return PACE_REPEAT;
	default:
		return PACE_TEST;
	}
}

static int64_t window(const struct pace *p)
{
	return p->window_ms ? p->window_ms : PACE_WINDOW_MS;
}

static bool is_within(const struct pace *p, int64_t span, int64_t now)
{
	return p->left[0] && now - p->left[0] < span;
}

/* So many messages within one window that even the fresh have to wait. */
static bool is_hurried(const struct pace *p, int64_t now)
{
	const int64_t oldest = p->left[PACE_BURST - 1];
	return oldest && now - oldest < PACE_WINDOW_MS;
}

static enum pace_what after(const struct pace *p, int64_t span, size_t pages, int64_t now, int64_t *again_ms)
{
	if (is_within(p, span, now)) {
		*again_ms = p->left[0] + span - now;
		return PACE_WAIT;
	}
	return pages >= PACE_MANY ? PACE_ALL : PACE_ONE;
}

enum pace_what pace_decide(const struct pace *p, size_t fresh, size_t known, bool again, int64_t now,
			   int64_t *again_ms)
{
	size_t pages = fresh + known;
	bool hurried = is_hurried(p, now), folded = p->folded && is_within(p, window(p), now);
	*again_ms = INT64_MAX;
	if (!pages)
		return PACE_WAIT;
	if (again)
		return pages >= PACE_MANY ? PACE_ALL : PACE_ONE;
	if (fresh >= PACE_MANY || (fresh && hurried))
		return folded || hurried ? after(p, PACE_WINDOW_MS, pages, now, again_ms) : PACE_ALL;
	if (fresh)
		return PACE_ONE;
	if (pages >= PACE_MANY || hurried || folded)
		return after(p, window(p), pages, now, again_ms);
	return PACE_ONE;
}

bool pace_is_calm(const struct pace *p, size_t pages, int64_t now)
{
	return pages < PACE_MANY && !is_hurried(p, now) && !(p->folded && is_within(p, window(p), now));
}

void pace_left(struct pace *p, bool digest, int64_t now)
{
	bool goes_on = p->folded && is_within(p, 2 * window(p), now);
	if (!digest) {
		/* a single page within a storm leaves its window as it is */
		if (!goes_on)
			p->window_ms = 0;
	} else if (goes_on) {
		p->window_ms = window(p) * 2 < PACE_WINDOW_MAX_MS ? window(p) * 2 : PACE_WINDOW_MAX_MS;
	} else {
		p->window_ms = PACE_WINDOW_MS;
	}
	p->folded = digest || goes_on;
	memmove(&p->left[1], &p->left[0], (PACE_BURST - 1) * sizeof p->left[0]);
	p->left[0] = now ? now : 1;
}

/* --- the budget ------------------------------------------------------------------------------------ */

/* Messages are paid back one each span/max; max of them may be owed. */
static int64_t owed_after_one(const struct purse *b, unsigned max, int64_t span_ms, int64_t now)
{
	int64_t owed = b->spent_until > now ? b->spent_until - now : 0;
	return owed + span_ms / max;
}

int64_t purse_wait(const struct purse *b, unsigned max, int64_t span_ms, int64_t now)
{
	if (!max)
		return 0;
	int64_t over = owed_after_one(b, max, span_ms, now) - span_ms;
	return over > 0 ? over : 0;
}

bool purse_is_last(const struct purse *b, unsigned max, int64_t span_ms, int64_t now)
{
	return max && owed_after_one(b, max, span_ms, now) + span_ms / max > span_ms;
}

void purse_spend(struct purse *b, unsigned max, int64_t span_ms, int64_t now)
{
	if (!max)
		return;
	int64_t owed = owed_after_one(b, max, span_ms, now), most = span_ms + span_ms / max;
	b->spent_until = now + (owed < most ? owed : most);
}
