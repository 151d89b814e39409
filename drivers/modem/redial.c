/*
 * The rules of redialling, counted; see redial.h. Pure. Bounded: of more numbers than there is room for the
 * one dialled longest ago is forgotten.
 */
#include "redial.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const struct redial_rules redial_rules[] = {
    {.name = "japan", .window_ms = 180000, .redials = 2, .off_hook_ms = 3000, .unanswered_ms = 120000},
    {.name = "japan15", .window_ms = 180000, .series = 15, .off_hook_ms = 3000, .unanswered_ms = 120000},
    {.name = "cautious", .window_ms = 180000, .redials = 1, .unanswered_ms = 120000},
    {.name = "none"},
};

/* At most a day: what is older never matters. */
static int64_t age(const struct stamp *then, const struct stamp *now)
{
	bool same = then->boot_id[0] != '\0' && strcmp(then->boot_id, now->boot_id) == 0;
	/* another boot: at least since this one began */
	int64_t ms = same ? now->boot_ms - then->boot_ms : now->boot_ms;

	return ms < 0 ? 0 : ms > 86400000 ? 86400000 : ms;
}

/* The digits of a number, however it is written. */
static void key_of(const char *number, char key[REDIAL_NUMBER_MAX + 1])
{
	size_t n = 0;

	for (; *number != '\0'; number++) {
		if (!isalnum((unsigned char)*number) && *number != '*' && *number != '#')
			continue;
		if (n == REDIAL_NUMBER_MAX)
			memmove(key, key + 1, --n);
		key[n++] = *number;
	}
	key[n] = '\0';
}

static struct redial_number *find(const struct redial *r, const char *number)
{
	char key[REDIAL_NUMBER_MAX + 1];

	key_of(number, key);
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->v[i].number, key) == 0)
			return (struct redial_number *)&r->v[i];
	return NULL;
}

static int64_t quiet_for(const struct redial_number *x, const struct stamp *now)
{
	int64_t since_rest = x->rest_ms > 0 ? age(&x->rest_from, now) : 86400000;
	int64_t since_dial = x->n > 0 ? age(&x->dial[x->n - 1], now) : 86400000;

	return since_rest < since_dial ? since_rest : since_dial;
}

static struct redial_number *find_or_add(struct redial *r, const char *number, const struct stamp *now)
{
	struct redial_number *x = find(r, number);

	if (x != NULL)
		return x;
	if (r->n < REDIAL_NUMBERS_MAX) {
		x = &r->v[r->n++];
	} else {
		x = &r->v[0];
		for (size_t i = 1; i < r->n; i++)
			if (quiet_for(&r->v[i], now) > quiet_for(x, now))
				x = &r->v[i];
	}
	memset(x, 0, sizeof(*x));
	key_of(number, x->number);
	return x;
}

static int64_t left(int64_t ms, const struct stamp *from, const struct stamp *now)
{
	int64_t passed = age(from, now);

	return passed < ms ? ms - passed : 0;
}

/* At most so many dials within any window. */
static int64_t wait_by_window(const struct redial_number *x, const struct redial_rules *rules,
			      const struct stamp *now)
{
	size_t may = (size_t)rules->redials + 1;

	return x->n < may ? 0 : left(rules->window_ms, &x->dial[x->n - may], now);
}

/* At most so many in a series; it ends with a window of rest. */
static int64_t wait_by_series(const struct redial_number *x, const struct redial_rules *rules,
			      const struct stamp *now)
{
	size_t run = 0;

	for (size_t i = x->n; i > 0; i--, run++) {
		const struct stamp *later = i == x->n ? now : &x->dial[i];

		if (age(&x->dial[i - 1], later) >= rules->window_ms)
			break;
	}
	return run <= (size_t)rules->series ? 0 : left(rules->window_ms, &x->dial[x->n - 1], now);
}

static int64_t wait_for_one(const struct redial_number *x, const struct redial_rules *rules,
			    const struct stamp *now)
{
	int64_t rest = x->rest_ms > 0 ? left(x->rest_ms, &x->rest_from, now) : 0, wait = 0;

	if (rules->window_ms > 0 && x->n > 0)
		wait = rules->series > 0 ? wait_by_series(x, rules, now) : wait_by_window(x, rules, now);
	return rest > wait ? rest : wait;
}

int64_t redial_wait(const struct redial *r, const struct redial_rules *rules, const char *number,
		    const struct stamp *now)
{
	const struct redial_number *x = find(r, number);
	int64_t all = wait_for_one(&r->all, rules, now), one = x != NULL ? wait_for_one(x, rules, now) : 0;

	return all > one ? all : one;
}

void redial_dialled(struct redial *r, const char *number, const struct stamp *now)
{
	struct redial_number *x = find_or_add(r, number, now);

	if (x->n == REDIAL_DIALS_MAX)
		memmove(&x->dial[0], &x->dial[1], --x->n * sizeof(x->dial[0]));
	x->dial[x->n++] = *now;
}

void redial_answered(struct redial *r, const char *number)
{
	struct redial_number *x = find(r, number);

	if (x != NULL)
		x->n = 0, x->rest_ms = 0;
}

void redial_undone(struct redial *r, const char *number)
{
	struct redial_number *x = find(r, number);

	if (x != NULL && x->n > 0)
		x->n--;
}

void redial_rest(struct redial *r, const char *number, const struct stamp *now, int64_t ms)
{
	struct redial_number *x = find_or_add(r, number, now);

	x->rest_from = *now;
	x->rest_ms = ms;
}
