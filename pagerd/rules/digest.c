/* The text of a digest; see digest.h. */
#include "digest.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"

/* The pages of one cause. */
struct group {
	const struct digest_item
	    *first; /* the one that stands for it: with checks behind it, else the worst */
	enum nag_state worst;
	size_t n, behind;
	bool fresh;
};

enum nag_state digest_state(const struct digest *d)
{
	enum nag_state worst = NAG_OK;
	for (size_t k = 0; k < d->n; k++)
		worst = nag_worse(worst, d->items[k].state);
	return worst;
}

/* --- groups ---------------------------------------------------------------------------------------- */

static int by_cause(const void *a, const void *b)
{
	const struct digest_item *x = *(const struct digest_item *const *)a;
	const struct digest_item *y = *(const struct digest_item *const *)b;
	int c = strcmp(x->cause, y->cause);
	return c ? c : strcmp(x->check, y->check);
}

static bool is_worse(enum nag_state a, enum nag_state than)
{
	return a != than && nag_worse(a, than) == a;
}

/* What the contact has not heard of, then the worst, then the largest. */
static int by_weight(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	if (x->fresh != y->fresh)
		return x->fresh ? -1 : 1;
	if (x->worst != y->worst)
		return is_worse(x->worst, y->worst) ? -1 : 1;
	if (x->n + x->behind != y->n + y->behind)
		return x->n + x->behind > y->n + y->behind ? -1 : 1;
	return strcmp(x->first->cause, y->first->cause);
}

static void join(struct group *g, const struct digest_item *x)
{
	if (x->behind > g->first->behind || (x->behind == g->first->behind && is_worse(x->state, g->worst)))
		g->first = x;
	g->worst = nag_worse(g->worst, x->state);
	g->behind += x->behind;
	g->fresh |= x->fresh;
	g->n++;
}

/* NULL when memory is out. */
static struct group *make_groups(const struct digest *d, size_t *ngroups)
{
	const struct digest_item **v = calloc(d->n + 1, sizeof *v);
	struct group *g = calloc(d->n + 1, sizeof *g);
	*ngroups = 0;
	for (size_t k = 0; v && k < d->n; k++)
		v[k] = &d->items[k];
	if (v && d->n)
		qsort(v, d->n, sizeof *v, by_cause);
	for (size_t k = 0; v && g && k < d->n; k++) {
		if (k && strcmp(v[k]->cause, v[k - 1]->cause) == 0)
			join(&g[*ngroups - 1], v[k]);
		else
			g[(*ngroups)++] = (struct group){v[k], v[k]->state, 1, v[k]->behind, v[k]->fresh};
	}
	free(v);
	if (g && *ngroups)
		qsort(g, *ngroups, sizeof *g, by_weight);
	return g;
}

/* --- the list of places ---------------------------------------------------------------------------- */

static size_t list_max(const struct digest *d)
{
	return d->folded ? DIGEST_LIST_FOLDED : DIGEST_LIST_MAX;
}

static void say_group(const struct group *g, bool ids, struct buf *out)
{
	const struct digest_item *x = g->first;
	if (g->behind)
		buf_printf(out, "%s down, %zu checks behind it", x->check, g->behind + g->n - 1);
	else if (g->n > 1)
		buf_printf(out, "%s %zu", x->cause, g->n);
	else
		buf_puts(out, x->check);
	if (ids && g->n == 1)
		buf_printf(out, " #%s", x->id);
}

/* As many as fit, and how many pages the others are. */
static void list_groups(const struct digest *d, const struct group *g, size_t ngroups, struct buf *out)
{
	size_t begin = out->len, left = d->n;
	for (size_t k = 0; k < ngroups; k++) {
		struct buf one;
		buf_init(&one, 1024);
		say_group(&g[k], d->n <= DIGEST_WITH_IDS, &one);
		bool fits = k == 0 || out->len - begin + one.len <= list_max(d);
		if (fits) {
			buf_printf(out, "%s%s", k ? ", " : "", buf_str(&one));
			left -= g[k].n;
		}
		buf_fini(&one);
		if (!fits)
			break;
	}
	if (left)
		buf_printf(out, ", %zu more", left);
}

/* The checks of the only group. */
static void list_checks(const struct digest *d, struct buf *out)
{
	size_t begin = out->len, k = 0;
	for (; k < d->n; k++) {
		const struct digest_item *x = &d->items[k];
		if (k && out->len - begin + strlen(x->check) > list_max(d))
			break;
		buf_printf(out, "%s%s", k ? ", " : "", x->check);
		if (d->n <= DIGEST_WITH_IDS)
			buf_printf(out, " #%s", x->id);
	}
	if (k < d->n)
		buf_printf(out, ", %zu more", d->n - k);
}

static void list_texts(const struct digest *d, struct buf *out)
{
	size_t begin = out->len, k = 0;
	for (; k < d->n; k++) {
		const char *text = d->items[k].text ? d->items[k].text : "";
		if (k && out->len - begin + strlen(text) > list_max(d))
			break;
		buf_printf(out, "%s%s", k ? "; " : "", text);
	}
	if (k < d->n)
		buf_printf(out, ", %zu more", d->n - k);
}

/* --- the text -------------------------------------------------------------------------------------- */

static int64_t span_of(const struct digest *d)
{
	int64_t from = d->items[0].made_wall_ms, to = from;
	for (size_t k = 1; k < d->n; k++) {
		from = d->items[k].made_wall_ms < from ? d->items[k].made_wall_ms : from;
		to = d->items[k].made_wall_ms > to ? d->items[k].made_wall_ms : to;
	}
	return to - from;
}

static void say_how_many(const struct digest *d, struct buf *out)
{
	char span[48];
	switch (d->class) {
	case PACE_RECOVERED:
		buf_printf(out, "%zu recovered: ", d->n);
		break;
	case PACE_REPEAT:
		buf_printf(out, "%zu checks still fail: ", d->n);
		break;
	case PACE_ACK:
		buf_printf(out, "%zu acknowledged: ", d->n);
		break;
	case PACE_ALARM:
		buf_printf(out, "%zu checks in %s", d->n,
			   clock_span(span_of(d) < 1000 ? 1000 : span_of(d), span, sizeof span));
		if (d->told)
			buf_printf(out, " (%zu in all)", d->told + d->n);
		buf_puts(out, ": ");
		break;
	default:
		buf_printf(out, "%zu notices: ", d->n);
	}
}

void digest_text(const struct digest *d, struct buf *text)
{
	size_t ngroups = 0;
	if (!d->n)
		return;
	struct group *g = make_groups(d, &ngroups);
	bool is_state = d->class == PACE_ALARM || d->class == PACE_REPEAT;
	bool one_place =
	    g && ngroups == 1 && !g[0].behind && strcmp(g[0].first->cause, g[0].first->check) != 0;
	if (is_state)
		buf_printf(text, "%s: ", nag_name(digest_state(d)));
	if (one_place && d->class != PACE_NOTICE)
		buf_printf(text, "%s: ", g[0].first->cause);
	say_how_many(d, text);
	if (d->class == PACE_NOTICE)
		list_texts(d, text);
	else if (one_place || !g)
		list_checks(d, text);
	else
		list_groups(d, g, ngroups, text);
	if (d->folded)
		buf_printf(text, "; more is folded: %zu incidents, see monitorctl status", d->folded);
	free(g);
}

void digest_more(const struct digest *d, struct buf *more)
{
	for (size_t k = 0; k < d->n; k++) {
		const struct digest_item *x = &d->items[k];
		const char *text = x->text ? x->text : "";
		if (more->len + strlen(x->check) + strlen(text) + 128 > RESULT_LONG_MAX) {
			buf_printf(more, "and %zu more, see monitorctl status\n", d->n - k);
			return;
		}
		buf_printf(more, "#%s %s %s: %s\n", x->id, x->check, nag_name(x->state), text);
	}
}
