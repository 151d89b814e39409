/*
 * The page machine; see route.h. Called by the dispatcher (pager.c) and by the
 * incident machine (incident.c).
 */
#include "route.h"

#include <stdlib.h>
#include <string.h>

static const char *const phase_names[] = {"waiting", "trying", "unsure", "sent", "merged", "acknowledged"};

const char *call_phase_name(enum call_phase p)
{
	return phase_names[p];
}

bool call_phase_from_name(const char *s, enum call_phase *p)
{
	for (size_t i = 0; s && i < sizeof phase_names / sizeof *phase_names; i++) {
		if (strcmp(s, phase_names[i]) == 0) {
			*p = (enum call_phase)i;
			return true;
		}
	}
	return false;
}

static void attempt_fini(struct attempt *a)
{
	free(a->line);
	free(a->to);
	free(a->detail);
	free(a->digest);
}

void call_free(struct call *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->nattempts; i++)
		attempt_fini(&c->attempts[i]);
	free(c->attempts);
	for (size_t i = 0; i < c->ntries; i++) {
		free(c->tries[i].line);
		free(c->tries[i].to);
	}
	free(c->tries);
	free(c->text);
	free(c->more);
	free(c->only_line);
	free(c->only_to);
	free(c);
}

bool call_is_done(const struct call *c)
{
	return c->phase == CALL_SENT || c->phase == CALL_MERGED || c->phase == CALL_ACKED;
}

bool call_may_leave(const struct call *c, const struct stamp *now)
{
	return c->phase == CALL_WAITING && c->held_until <= now->wall_ms;
}

int64_t call_waited_ms(const struct call *c, const struct stamp *now)
{
	int64_t age = clock_age_ms(&c->made, now), free_for = now->wall_ms - c->held_until;
	if (c->held_until && free_for < age)
		return free_for > 0 ? free_for : 0;
	return age;
}

static struct route_try *try_find(const struct call *c, const char *line, const char *to)
{
	for (size_t i = 0; i < c->ntries; i++)
		if (strcmp(c->tries[i].line, line) == 0 && strcmp(c->tries[i].to, to) == 0)
			return &c->tries[i];
	return NULL;
}

static struct route_try *try_make(struct call *c, const char *line, const char *to)
{
	struct route_try *t = try_find(c, line, to);
	if (t || c->ntries >= PAGE_TRIES_MAX)
		return t;
	struct route_try *v = realloc(c->tries, (c->ntries + 1) * sizeof *v);
	if (!v)
		return NULL;
	c->tries = v;
	t = &v[c->ntries];
	*t = (struct route_try){.line = strdup(line), .to = strdup(to)};
	if (!t->line || !t->to) {
		free(t->line);
		free(t->to);
		return NULL;
	}
	c->ntries++;
	return t;
}

/* A route's place in the order: as configured, the doubtful after the good, those that refused after both. */
static int rank_of(const struct call *c, const struct route_view *v)
{
	const struct route_try *t = try_find(c, v->line, v->to);
	return (v->doubtful ? 1 : 0) + (t && t->refused ? 2 : 0);
}

static void sooner(int64_t *again, int64_t ms)
{
	if (ms < *again)
		*again = ms < 1 ? 1 : ms;
}

static bool was_used_weakly(const struct call *c, const struct route_view *v)
{
	for (size_t i = 0; i < c->nattempts; i++) {
		const struct attempt *a = &c->attempts[i];
		if (a->weak && strcmp(a->line, v->line) == 0 && strcmp(a->to, v->to) == 0)
			return true;
	}
	return false;
}

enum look { LOOK_TAKE, LOOK_STAY, LOOK_ON };

/* Take this route, stay with it for now, or look at the next? */
static enum look look_at(struct call *c, const struct route_view *v, int64_t now, int64_t *again)
{
	const struct route_try *t = try_find(c, v->line, v->to);
	if (was_used_weakly(c, v))
		return LOOK_ON;
	if (t && t->not_before > now) {
		sooner(again, t->not_before - now);
		return LOOK_ON;
	}
	if (!v->up) {
		sooner(again, v->starting ? 20 : 1000);
		return v->starting ? LOOK_STAY : LOOK_ON;
	}
	if (!v->busy)
		return LOOK_TAKE;
	if (!c->queued_since)
		c->queued_since = now;
	int64_t left = c->queued_since + ROUTE_QUEUE_MS - now;
	if (left <= 0)
		return LOOK_ON;
	sooner(again, left);
	return LOOK_STAY;
}

/* The equals of a pool, from at on: an idle one is taken before any is waited for. When all are busy the page waits for
 * whichever has its own done first. */
static enum look look_at_pool(struct call *c, const struct route_view *v, size_t n, size_t at, int rank, int64_t now,
			      int64_t *again, size_t *taken)
{
	enum look best = LOOK_ON;
	for (size_t i = at; i < n && v[i].pool == v[at].pool; i++) {
		if (rank_of(c, &v[i]) != rank)
			continue;
		enum look l = look_at(c, &v[i], now, again);
		*taken = i;
		if (l == LOOK_TAKE)
			return l;
		if (l == LOOK_STAY)
			best = l;
	}
	return best;
}

int call_choose(struct call *c, const struct route_view *v, size_t n, int64_t now, int64_t *again_ms)
{
	*again_ms = ROUTE_BACKOFF_MAX_MS;
	for (int rank = 0; rank < 4; rank++) {
		for (size_t i = 0; i < n; i++) {
			size_t taken = i;
			if (rank_of(c, &v[i]) != rank)
				continue;
			enum look l = v[i].pool ? look_at_pool(c, v, n, i, rank, now, again_ms, &taken)
						: look_at(c, &v[i], now, again_ms);
			if (l == LOOK_TAKE)
				return (int)taken;
			if (l == LOOK_STAY)
				return -1;
		}
	}
	return -1;
}

/* Room for one more attempt: the oldest that ended goes first. */
static bool attempts_room(struct call *c)
{
	if (c->nattempts < PAGE_ATTEMPTS_KEPT) {
		struct attempt *v = realloc(c->attempts, (c->nattempts + 1) * sizeof *v);
		if (v)
			c->attempts = v;
		return v != NULL;
	}
	size_t drop = 0;
	while (drop + 1 < c->nattempts && !c->attempts[drop].ended)
		drop++;
	attempt_fini(&c->attempts[drop]);
	memmove(&c->attempts[drop], &c->attempts[drop + 1], (c->nattempts - drop - 1) * sizeof *c->attempts);
	c->nattempts--;
	return true;
}

struct attempt *call_begin(struct call *c, const char *line, const char *to, const struct stamp *now)
{
	struct attempt a = {
	    .n = c->tried + 1, .line = strdup(line), .to = strdup(to), .at = *now, .resend = c->doubt};
	if (!a.line || !a.to || !attempts_room(c)) {
		attempt_fini(&a);
		return NULL;
	}
	c->attempts[c->nattempts] = a;
	c->tried++;
	c->phase = CALL_TRYING;
	c->queued_since = 0;
	return &c->attempts[c->nattempts++];
}

static int64_t backoff_ms(unsigned fails)
{
	int64_t ms = ROUTE_BACKOFF_MIN_MS;
	while (fails-- > 1 && ms < ROUTE_BACKOFF_MAX_MS)
		ms *= 2;
	return ms < ROUTE_BACKOFF_MAX_MS ? ms : ROUTE_BACKOFF_MAX_MS;
}

static void route_failed(struct call *c, const struct attempt *a, bool refused, int64_t now)
{
	struct route_try *t = try_make(c, a->line, a->to);
	if (!t)
		return;
	t->fails++;
	t->refused = refused;
	int64_t pause = backoff_ms(t->fails);
	if (refused && pause < ROUTE_REFUSED_MS)
		pause = ROUTE_REFUSED_MS;
	t->not_before = now + pause;
}

static struct attempt *attempt_find(struct call *c, unsigned n)
{
	for (size_t i = 0; i < c->nattempts; i++)
		if (c->attempts[i].n == n)
			return &c->attempts[i];
	return NULL;
}

static bool leaves_doubt(enum outcome o)
{
	return o == OUTCOME_UNKNOWN || o == OUTCOME_DOUBTFUL;
}

/* Does an outcome of an attempt that has one already tell anything new? */
static bool is_news(const struct attempt *a, enum outcome o)
{
	if (!a->ended)
		return true;
	return leaves_doubt(a->outcome) && o != OUTCOME_UNKNOWN && o != a->outcome;
}

/* After a definite failure: a late "no" may have settled what was unknown. Forgotten attempts keep their
 * doubt. */
static bool still_in_doubt(const struct call *c)
{
	if (c->doubt && c->nattempts < c->tried)
		return true;
	for (size_t i = 0; i < c->nattempts; i++)
		if (c->attempts[i].ended && (c->attempts[i].weak || leaves_doubt(c->attempts[i].outcome)))
			return true;
	return false;
}

bool call_outcome(struct call *c, unsigned n, enum outcome o, const char *detail, const struct stamp *now,
		  int64_t unsure_ms)
{
	struct attempt *a = attempt_find(c, n);
	if (!a || !is_news(a, o))
		return false;
	char *d = strdup(detail ? detail : "");
	free(a->detail);
	a->detail = d;
	a->ended = true;
	a->outcome = o;
	bool awaited = n == c->tried && (c->phase == CALL_TRYING || c->phase == CALL_UNSURE);
	if (o == OUTCOME_SENT) {
		/* however late, and whatever was begun meanwhile: the person has it */
		call_end(c, CALL_SENT, now);
	} else if (o == OUTCOME_UNKNOWN) {
		c->doubt = true;
		if (awaited) {
			c->phase = CALL_UNSURE;
			c->unsure_until = now->boot_ms + unsure_ms;
		}
	} else {
		c->doubt = o == OUTCOME_DOUBTFUL || still_in_doubt(c);
		if (awaited) {
			c->phase = CALL_WAITING;
			route_failed(c, a, o == OUTCOME_REFUSED, now->boot_ms);
		}
	}
	return true;
}

bool call_sent_weakly(struct call *c, unsigned n, const char *detail, bool more, const struct stamp *now)
{
	struct attempt *a = attempt_find(c, n);
	if (!more) {
		if (!call_outcome(c, n, OUTCOME_SENT, detail, now, 0))
			return false;
		if (a)
			a->weak = true;
		return true;
	}
	if (!a || !is_news(a, OUTCOME_SENT))
		return false;
	char *d = strdup(detail ? detail : "");
	free(a->detail);
	a->detail = d;
	a->ended = a->weak = true;
	a->outcome = OUTCOME_SENT;
	c->doubt = true;
	if (n == c->tried && (c->phase == CALL_TRYING || c->phase == CALL_UNSURE))
		c->phase = CALL_WAITING;
	return true;
}

bool call_is_spent(const struct call *c, const struct route_view *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!was_used_weakly(c, &v[i]))
			return false;
	return n > 0;
}

bool call_is_unconfirmed(const struct call *c)
{
	bool weak = false;
	for (size_t i = 0; i < c->nattempts; i++) {
		const struct attempt *a = &c->attempts[i];
		if (a->ended && a->outcome == OUTCOME_SENT && !a->weak)
			return false;
		weak |= a->weak;
	}
	return weak && c->phase == CALL_SENT;
}

static bool give_up_waiting(struct call *c, int64_t now)
{
	struct attempt *a = attempt_find(c, c->tried);
	c->phase = CALL_WAITING;
	if (a)
		route_failed(c, a, false, now);
	return true;
}

bool call_no_answer(struct call *c, const char *line, int64_t now)
{
	const struct attempt *a = attempt_find(c, c->tried);
	if (c->phase != CALL_UNSURE || !a || strcmp(a->line, line) != 0)
		return false;
	return give_up_waiting(c, now);
}

bool call_expire(struct call *c, int64_t now)
{
	return c->phase == CALL_UNSURE && now >= c->unsure_until && give_up_waiting(c, now);
}

void call_restored(struct call *c)
{
	for (size_t i = 0; i < c->nattempts; i++) {
		struct attempt *a = &c->attempts[i];
		if (a->ended)
			continue;
		a->ended = true;
		a->outcome = OUTCOME_UNKNOWN;
		free(a->detail);
		a->detail = strdup("the pager ended before an outcome was recorded");
		c->doubt = true;
	}
	if (c->phase == CALL_TRYING || c->phase == CALL_UNSURE)
		c->phase = CALL_WAITING;
}

void call_line_back(struct call *c, const char *line)
{
	for (size_t i = 0; i < c->ntries; i++)
		if (strcmp(c->tries[i].line, line) == 0 && !c->tries[i].refused)
			c->tries[i].not_before = 0;
}

void call_end(struct call *c, enum call_phase phase, const struct stamp *now)
{
	if (c->phase == CALL_SENT)
		return;
	c->phase = phase;
	c->done = *now;
}
