/* Drafts of checks, and the rounds in which they are tried; see draft.h. */
#include "draft.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "look.h"
#include "wish.h"

enum { RUN_LEAST_MS = 1000, RUN_MOST_MS = 45000, TEXT_MAX = 40 };

/* "mx1.example.org smtp"; of a name that is too long for a check's the start. nth: tells two of these apart.
 */
static void make_name(char *out, const char *whose, const char *what, size_t nth)
{
	char name[2 * DRAFT_NAME_MAX + 400];
	int n = snprintf(name, sizeof name, "%s%s%s", whose, *whose ? " " : "", what);
	if (n > DRAFT_NAME_MAX || nth)
		snprintf(name, sizeof name, "%.50s~%zu %.25s", whose, nth, what);
	memcpy(out, name, DRAFT_NAME_MAX);
	out[DRAFT_NAME_MAX] = '\0';
}

struct draft *draft_add(struct drafts *d, const char *whose, const char *what, const char *probe,
			const char *interval)
{
	char name[DRAFT_NAME_MAX + 1];
	make_name(name, whose, what, 0);
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->v[i].name, name) == 0)
			make_name(name, whose, what, d->n);
	if (d->n == DRAFTS_MAX) {
		d->left_out++;
		return NULL;
	}
	struct draft *one = &d->v[d->n++];
	*one = (struct draft){.probe = probe, .interval = interval, .nvariants = 1, .service = -1};
	snprintf(one->name, sizeof one->name, "%s", name);
	one->variants[0] = cJSON_CreateObject();
	return one;
}

static cJSON *newest(struct draft *one)
{
	return one->variants[one->nvariants - 1];
}

void draft_variant(struct draft *one)
{
	if (one->nvariants < DRAFT_VARIANTS) {
		one->variants[one->nvariants] = cJSON_Duplicate(newest(one), true);
		one->nvariants++;
	}
}

void draft_unset(struct draft *one, const char *option)
{
	cJSON_DeleteItemFromObjectCaseSensitive(newest(one), option);
}

void draft_set(struct draft *one, const char *option, const char *value)
{
	draft_unset(one, option);
	cJSON_AddStringToObject(newest(one), option, value);
}

void draft_set_int(struct draft *one, const char *option, int value)
{
	char text[TEXT_MAX];
	snprintf(text, sizeof text, "%d", value);
	draft_set(one, option, text);
}

void draft_append(struct draft *one, const char *option, const char *value)
{
	cJSON *list = cJSON_GetObjectItemCaseSensitive(newest(one), option);
	if (!list)
		list = cJSON_AddArrayToObject(newest(one), option);
	cJSON_AddItemToArray(list, cJSON_CreateString(value));
}

void draft_set_list(struct draft *one, const char *option, char *const *values, size_t n)
{
	draft_unset(one, option);
	for (size_t i = 0; i < n; i++)
		draft_append(one, option, values[i]);
}

void draft_resolvers(struct draft *one, const char *option, const struct wish *w)
{
	if (w->resolvers.n)
		draft_set_list(one, option, w->resolvers.v, w->resolvers.n);
}

void draft_note(struct draft *one, const char *fmt, ...)
{
	size_t n = strlen(one->note);
	va_list ap;
	if (n && n + 2 < sizeof one->note)
		n += (size_t)snprintf(one->note + n, sizeof one->note - n, "; ");
	va_start(ap, fmt);
	vsnprintf(one->note + n, sizeof one->note - n, fmt, ap);
	va_end(ap);
}

const cJSON *draft_result(const struct draft *one)
{
	return one->results[one->chosen] ? one->results[one->chosen] : one->results[0];
}

/* --- trying --- */

/* What a round may take: most of what is left, so that a later one has some. */
static int64_t round_ms(const struct wish *w)
{
	int64_t left = (w->deadline - clock_boot_ms()) * 2 / 3;
	return left > RUN_MOST_MS ? RUN_MOST_MS : left;
}

struct round {
	struct look looks[LOOKS_MAX];
	struct draft *of[LOOKS_MAX];
	cJSON *options[LOOKS_MAX];
	size_t n;
};

static void round_add(struct round *r, struct draft *one, const char *probe, const cJSON *options)
{
	r->of[r->n] = one;
	r->looks[r->n++] = (struct look){.probe = probe, .options = options};
}

/* A connect to the port of what is proposed only when somebody is there. */
static void knock(struct round *r, struct draft *one, const char *address, int port)
{
	char text[TEXT_MAX];
	cJSON *k = cJSON_CreateObject();
	snprintf(text, sizeof text, "%d", port);
	cJSON_AddStringToObject(k, "host", address);
	cJSON_AddStringToObject(k, "port", text);
	cJSON_AddStringToObject(k, "packets", "1");
	cJSON_AddStringToObject(k, "connect_timeout", "4s");
	r->options[r->n] = k;
	round_add(r, one, "ping", k);
}

static bool knock_all(struct drafts *d, size_t first, struct round *r, const struct wish *w,
		      const char *prober, char *why, size_t size)
{
	for (size_t i = first; i < d->n; i++) {
		struct draft *one = &d->v[i];
		one->dead = one->optional;
		for (size_t k = 0; k < 2 && one->optional; k++)
			if (one->doors[k] && r->n < LOOKS_MAX)
				knock(r, one, one->doors[k], w->ports[one->service]);
	}
	bool ok = look_run(prober, r->looks, r->n, round_ms(w), why, size);
	for (size_t i = 0; i < r->n; i++) {
		r->of[i]->dead &= !look_ok(r->looks[i].result);
		cJSON_Delete(r->looks[i].result);
		cJSON_Delete(r->options[i]);
	}
	return ok;
}

/* Nobody there, or nobody who speaks or could be asked: a milder variant would find the same. */
static bool final(const cJSON *result)
{
	static const char *const layers[] = {"refused", "unreachable", "resolve", "resolver", "local"};
	for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++)
		if (strcmp(look_layer(result), layers[i]) == 0)
			return true;
	return look_ok(result) ||
	       (strcmp(look_layer(result), "timeout") == 0 &&
		(strstr(look_text(result), "greeting") || strstr(look_text(result), "connect")));
}

static bool wants(const struct draft *one, size_t variant)
{
	if (one->untried || one->dead || variant >= one->nvariants || one->results[variant])
		return false;
	return variant == 0 || (one->results[variant - 1] && !final(one->results[variant - 1]));
}

static bool try_variant(struct drafts *d, size_t first, size_t variant, struct round *r, const struct wish *w,
			const char *prober, char *why, size_t size)
{
	int64_t ms = round_ms(w);
	for (size_t i = first; i < d->n; i++)
		if (wants(&d->v[i], variant))
			round_add(r, &d->v[i], d->v[i].probe, d->v[i].variants[variant]);
	if (!r->n || ms < RUN_LEAST_MS)
		return true;
	bool ok = look_run(prober, r->looks, r->n, ms, why, size);
	for (size_t i = 0; i < r->n; i++) {
		r->of[i]->results[variant] = r->looks[i].result;
		if (look_ok(r->looks[i].result))
			r->of[i]->chosen = variant;
	}
	return ok;
}

bool drafts_try(struct drafts *d, size_t first, const struct wish *w, const char *prober, char *why,
		size_t size)
{
	struct round *r = calloc(1, sizeof *r);
	bool ok = r != NULL;
	snprintf(why, size, "out of memory");
	ok = ok && knock_all(d, first, r, w, prober, why, size);
	for (size_t k = 0; ok && k < DRAFT_VARIANTS; k++) {
		*r = (struct round){.n = 0};
		ok = try_variant(d, first, k, r, w, prober, why, size);
	}
	free(r);
	return ok;
}

void drafts_fini(struct drafts *d)
{
	for (size_t i = 0; i < d->n; i++)
		for (size_t k = 0; k < DRAFT_VARIANTS; k++) {
			cJSON_Delete(d->v[i].variants[k]);
			cJSON_Delete(d->v[i].results[k]);
		}
	d->n = 0;
}
