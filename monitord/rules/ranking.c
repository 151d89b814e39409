/* Ranks; see ranking.h. */
#include "ranking.h"

#include <stdio.h>
#include <string.h>

#include "sentence.h"

bool ranking_listed(const char *list, const char *word)
{
	size_t n = strlen(word);
	for (const char *s = list; s && *s; s += strcspn(s, " "), s += strspn(s, " "))
		if (strncmp(s, word, n) == 0 && (s[n] == ' ' || !s[n]))
			return true;
	return false;
}

static bool is_kin(const struct diag_check *a, const struct diag_check *b)
{
	for (size_t i = 0; i < a->nkin; i++)
		if (strcmp(a->kin[i], b->name) == 0)
			return true;
	return false;
}

bool ranking_related(const struct diag_rule *r, const struct diag_check *a, const struct diag_check *b)
{
	return r->site || strcmp(a->host, b->host) == 0 || is_kin(a, b) || is_kin(b, a);
}

static bool is_evidence(const struct diag_name *d, const struct diag_check *c)
{
	for (size_t i = 0; i < d->nbound; i++)
		if (d->bound[i] == c)
			return true;
	return false;
}

static bool explains(const struct diag_name *d, const struct diag_check *c)
{
	return is_evidence(d, c) || (d->nbound && ranking_listed(d->rule->explains, c->probe) &&
				     ranking_related(d->rule, d->bound[0], c));
}

void ranking_count(struct diag_name *d, const struct diag_check *v, size_t n)
{
	d->troubled = d->explained = 0;
	d->began_ms = 0;
	for (size_t i = 0; i < n; i++) {
		const struct diag_check *c = &v[i];
		bool ours = explains(d, c);
		bool first = is_evidence(d, c) && c->since_ms && (!d->began_ms || c->since_ms < d->began_ms);
		if (c->state == NAG_OK)
			continue;
		d->troubled++;
		d->explained += ours;
		if (first)
			d->began_ms = c->since_ms;
	}
}

/* Every check that speaks for b is one that a explains. */
static bool can_cause(const struct diag_name *a, const struct diag_name *b)
{
	if (a->rule->rank <= b->rule->rank || !b->nbound)
		return false;
	for (size_t i = 0; i < b->nbound; i++)
		if (!explains(a, b->bound[i]))
			return false;
	return true;
}

static bool is_caused(const struct diag_name *d, size_t n, size_t which)
{
	for (size_t i = 0; i < n; i++)
		if (i != which && can_cause(&d[i], &d[which]))
			return true;
	return false;
}

enum reason { BY_NOTHING, BY_EXPLAINED, BY_RANK, BY_TIME };

/* What puts a before b; negative: b before a. */
static int before(const struct diag_name *a, const struct diag_name *b)
{
	if (a->explained != b->explained)
		return a->explained > b->explained ? BY_EXPLAINED : -BY_EXPLAINED;
	if (a->rule->rank != b->rule->rank)
		return a->rule->rank > b->rule->rank ? BY_RANK : -BY_RANK;
	if (a->began_ms != b->began_ms && a->began_ms && b->began_ms)
		return a->began_ms < b->began_ms ? BY_TIME : -BY_TIME;
	return BY_NOTHING;
}

static size_t best_of(const struct diag_name *d, size_t n)
{
	size_t best = n;
	for (size_t i = 0; i < n; i++)
		if (!is_caused(d, n, i) && (best == n || before(&d[i], &d[best]) > 0))
			best = i;
	return best < n ? best : 0;
}

static void say(struct diag_name *d, const char *text)
{
	sentence_add(d->why, sizeof d->why, text);
}

static void say_explained(struct diag_name *d)
{
	char text[80];
	if (d->troubled) {
		snprintf(text, sizeof text, "explains %zu of %zu check%s in trouble", d->explained,
			 d->troubled, d->troubled == 1 ? "" : "s");
		say(d, text);
	} else {
		say(d, "no check is in trouble yet");
	}
}

/* Why a stands before b, said in both. */
static void say_order(struct diag_name *a, struct diag_name *b, bool first)
{
	char text[160];
	const char *name = b->rule->name;
	int by = before(a, b);
	if (can_cause(a, b))
		snprintf(text, sizeof text, "%scan cause %s", first ? "; " : "", name);
	else if (by == BY_EXPLAINED)
		snprintf(text, sizeof text, "%smore than %s", first ? ", " : "", name);
	else if (by == BY_TIME)
		snprintf(text, sizeof text, "%sbegan before %s", first ? "; " : "", name);
	else
		snprintf(text, sizeof text, "%srank %d before the %d of %s", first ? "; " : "", a->rule->rank,
			 b->rule->rank, name);
	if (first)
		say(a, text);
	snprintf(text, sizeof text, "; %s %s", can_cause(a, b) ? "can be caused by" : "stands behind",
		 a->rule->name);
	say(b, text);
}

void ranking_sort(struct diag_name *d, size_t n)
{
	for (size_t k = 0; k + 1 < n; k++) {
		size_t best = k + best_of(d + k, n - k);
		struct diag_name first = d[best];
		memmove(&d[k + 1], &d[k], (best - k) * sizeof *d);
		d[k] = first;
	}
	for (size_t k = 0; k < n; k++) {
		d[k].why[0] = 0;
		say_explained(&d[k]);
	}
	for (size_t k = 1; k < n; k++)
		say_order(&d[0], &d[k], k == 1);
}
