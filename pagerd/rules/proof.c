/* The proof that routes work; see proof.h. */
#include "proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS 86400000ll
#define MINUTE_MS 60000ll
enum { LATE_MS = 3600000 }; /* a moment at night that was asked for is caught up for so long */

static const char *const how_names[] = {"", "page", "test", "loopback"};

const char *proof_how_name(enum proof_how h)
{
	return how_names[h];
}

enum proof_how proof_how_from_name(const char *s)
{
	for (int i = 0; i < 4; i++)
		if (strcmp(s, how_names[i]) == 0)
			return (enum proof_how)i;
	return PROOF_NONE;
}

/* --- the list -------------------------------------------------------------------------------------- */

void proofs_fini(struct proofs *p)
{
	free(p->v);
	*p = (struct proofs){0};
}

struct proof *proofs_find(const struct proofs *p, const char *line, const char *to)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->v[i].line, line) == 0 && strcmp(p->v[i].to, to) == 0)
			return &p->v[i];
	return NULL;
}

struct proof *proofs_make(struct proofs *p, const char *line, const char *to, const struct stamp *now)
{
	struct proof *r = proofs_find(p, line, to);
	if (r || p->n >= PROOFS_MAX || strlen(line) >= sizeof r->line || strlen(to) >= sizeof r->to)
		return r;
	struct proof *v = realloc(p->v, (p->n + 1) * sizeof *v);
	if (!v)
		return NULL;
	p->v = v;
	r = &v[p->n++];
	*r = (struct proof){.first = *now};
	snprintf(r->line, sizeof r->line, "%s", line);
	snprintf(r->to, sizeof r->to, "%s", to);
	p->dirty = true;
	return r;
}

void proofs_sweep(struct proofs *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].seen)
			p->v[n++] = p->v[i];
	p->dirty |= n != p->n;
	p->n = n;
}

/* --- proving --------------------------------------------------------------------------------------- */

static void prove(struct proof *r, enum proof_how how, const struct stamp *now)
{
	r->before = r->proved;
	r->proved = *now;
	r->how = how;
}

static enum proof_how how_of(enum page_kind kind)
{
	return kind == PAGE_TEST ? PROOF_TEST : PROOF_PAGE;
}

void proof_sent(struct proof *r, enum page_kind kind, bool confirms, const struct stamp *now)
{
	r->used = *now;
	if (confirms && !r->reports)
		prove(r, how_of(kind), now);
}

void proof_reported(struct proof *r, enum page_kind kind, bool delivered, const struct stamp *sent,
		    const struct stamp *now)
{
	if (delivered) {
		r->reports = true;
		prove(r, how_of(kind), now);
	} else if (r->proved.wall_ms && r->proved.wall_ms == sent->wall_ms) {
		r->proved = r->before; /* that it was sent proved nothing */
		r->before = (struct stamp){0};
		if (!r->proved.wall_ms)
			r->how = PROOF_NONE;
	}
}

void proof_looped(struct proof *r, const struct stamp *now)
{
	prove(r, PROOF_LOOPBACK, now);
}

int64_t proof_unproven_ms(const struct proof *r, const struct stamp *now)
{
	return clock_age_ms(r->proved.wall_ms ? &r->proved : &r->first, now);
}

/* --- when ------------------------------------------------------------------------------------------ */

static int64_t floor_to(int64_t v, int64_t step)
{
	int64_t r = v % step;
	return v - (r < 0 ? r + step : r);
}

int64_t proof_slot(int64_t now_wall_ms, int64_t every_ms, int at, int64_t offset_ms)
{
	int64_t shift = offset_ms - at * MINUTE_MS;
	return floor_to(now_wall_ms + shift, every_ms) - shift;
}

static int minute_of_day(int64_t wall_ms, int64_t offset_ms)
{
	int64_t local = wall_ms + offset_ms;
	return (int)((local - floor_to(local, DAY_MS)) / MINUTE_MS);
}

static bool is_day(int minute)
{
	return minute >= PROOF_DAY_BEGIN && minute < PROOF_DAY_END;
}

bool proof_due(int64_t now_wall_ms, int64_t done_wall_ms, int64_t since_wall_ms, int64_t every_ms, int at,
	       int64_t offset_ms)
{
	if (every_ms <= 0)
		return false;
	int64_t slot = proof_slot(now_wall_ms, every_ms, at, offset_ms);
	bool asked_for = minute_of_day(slot, offset_ms) == at && now_wall_ms - slot < LATE_MS;
	if (!is_day(minute_of_day(now_wall_ms, offset_ms)) && !asked_for)
		return false;
	/* a clock that was set back must not end all tests */
	bool done = done_wall_ms >= slot && done_wall_ms <= now_wall_ms + every_ms;
	bool new = since_wall_ms >= slot &&since_wall_ms <= now_wall_ms;
	return !done && !new;
}
