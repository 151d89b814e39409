/* Rules against results; see diagnose.h. */
#include "diagnose.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diagfacts.h"
#include "ranking.h"
#include "sentence.h"

/* Comparisons for one rule; a site of ten thousand checks must not hold the daemon up. */
enum { STEPS_MAX = 200000 };

/* Which checks each probe has: most conditions concern few of thousands. */
enum { PROBES_MAX = 64 };
struct by_probe {
	struct {
		const char *name;
		size_t from, n; /* of order */
	} probe[PROBES_MAX];
	size_t nprobes;
	size_t *order;
};

struct search {
	const struct diag_rule *rule;
	const struct condition *when;
	size_t nwhen;
	const struct diag_check *v;
	const struct by_probe *by;
	const struct diag_check *about;
	struct diag_name *found;
	const struct term *held[DIAG_CONDITIONS]; /* which alternative */
	int steps;
};

/* --- the table --- */

bool diag_remove(struct diag_table *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->v[i].rule.name, name) != 0)
			continue;
		memmove(&t->v[i], &t->v[i + 1], (t->n - i - 1) * sizeof t->v[0]);
		t->n--;
		return true;
	}
	return false;
}

bool diag_add(struct diag_table *t, const struct diag_rule *r, char *why, size_t size)
{
	diag_remove(t, r->name);
	if (t->n == DIAG_RULES_MAX) {
		snprintf(why, size, "there are more than %d incidents", DIAG_RULES_MAX);
		return false;
	}
	t->v[t->n].rule = *r;
	size_t n = 0;
	for (; n < DIAG_CONDITIONS && r->when[n]; n++)
		if (!condition_parse(r->when[n], &t->v[t->n].when[n], why, size))
			return false;
	t->v[t->n].n = n;
	t->n++;
	return true;
}

bool diag_init(struct diag_table *t)
{
	char why[200];
	t->n = 0;
	for (size_t i = 0; i < diag_nbuiltin; i++)
		if (!diag_add(t, &diag_builtin[i], why, sizeof why))
			return false;
	return true;
}

/* --- conditions --- */

static bool compare(double a, enum term_op op, double b)
{
	switch (op) {
	case TERM_GE:
		return a >= b;
	case TERM_LE:
		return a <= b;
	case TERM_GT:
		return a > b;
	case TERM_LT:
		return a < b;
	case TERM_EQ:
		return fabs(a - b) < 1e-9;
	default:
		return fabs(a - b) >= 1e-9;
	}
}

static const struct diag_check *bound(const struct search *s, const char *probe)
{
	for (size_t i = 0; i < s->found->nbound; i++)
		if (strcmp(s->found->bound[i]->probe, probe) == 0)
			return s->found->bound[i];
	return NULL;
}

static bool holds(const struct search *s, const struct term *t, const struct diag_check *c)
{
	double a, by = 1;
	if (t->is_word) {
		const char *w = diag_word(c, t->fact);
		if (strcmp(t->word, "unknown") == 0 && c->facts)
			return (w || diag_number(c, t->fact, &a)) == (t->op == TERM_NE);
		return w && (strcasecmp(w, t->word) == 0) == (t->op == TERM_EQ);
	}
	if (t->by_probe[0]) {
		const struct diag_check *other =
		    strcmp(t->by_probe, t->probe) == 0 ? c : bound(s, t->by_probe);
		if (!other || !diag_number(other, t->by_fact, &by))
			return false;
	}
	return diag_number(c, t->fact, &a) && compare(a, t->op, t->value * by);
}

/* --- which checks may stand together --- */

static bool related(const struct search *s, const struct diag_check *c)
{
	return s->found->nbound == 0 || ranking_related(s->rule, s->found->bound[0], c);
}

static bool concerns(const struct search *s)
{
	if (!s->about || ranking_listed(s->rule->explains, s->about->probe))
		return true;
	for (size_t i = 0; i < s->found->nbound; i++)
		if (s->found->bound[i] == s->about)
			return true;
	return false;
}

/* --- checks by probe --- */

static size_t probe_index(const struct by_probe *by, const char *name)
{
	size_t k = 0;
	while (k < by->nprobes && strcmp(by->probe[k].name, name) != 0)
		k++;
	return k;
}

/* Checks of more probes than there is room for are not looked at. */
static bool by_probe_make(struct by_probe *by, const struct diag_check *v, size_t n)
{
	by->nprobes = 0;
	by->order = malloc((n + 1) * sizeof *by->order);
	for (size_t i = 0; by->order && i < n; i++) {
		size_t k = probe_index(by, v[i].probe);
		if (k == by->nprobes && k < PROBES_MAX) {
			by->probe[k].name = v[i].probe;
			by->probe[k].n = 0;
			by->nprobes++;
		}
		if (k < PROBES_MAX)
			by->probe[k].n++;
	}
	size_t from = 0;
	for (size_t k = 0; k < by->nprobes; k++) {
		by->probe[k].from = from;
		from += by->probe[k].n;
		by->probe[k].n = 0;
	}
	for (size_t i = 0; by->order && i < n; i++) {
		size_t k = probe_index(by, v[i].probe);
		if (k < PROBES_MAX)
			by->order[by->probe[k].from + by->probe[k].n++] = i;
	}
	return by->order != NULL;
}

/* The i-th check of that probe; NULL: there are no more. */
static const struct diag_check *of_probe(const struct search *s, size_t probe, size_t i)
{
	bool there = probe < s->by->nprobes && i < s->by->probe[probe].n;
	return there ? &s->v[s->by->order[s->by->probe[probe].from + i]] : NULL;
}

static bool match(struct search *s, size_t k);

/* Whether a related check, or the one that is evidence already, says so. */
static bool any_holds(struct search *s, const struct term *t)
{
	const struct diag_check *c, *is = bound(s, t->probe);
	size_t probe = probe_index(s->by, t->probe);
	for (size_t i = 0; (c = of_probe(s, probe, i)); i++) {
		if (++s->steps > STEPS_MAX)
			return true;
		if ((!is || is == c) && related(s, c) && holds(s, t, c))
			return true;
	}
	return false;
}

static bool none_holds(struct search *s, const struct condition *c)
{
	for (size_t a = 0; a < c->n; a++)
		if (any_holds(s, &c->alt[a]))
			return false;
	return true;
}

/* One alternative by one check, and all conditions after it. */
static bool try_one(struct search *s, size_t k, const struct term *t, const struct diag_check *c)
{
	const struct diag_check *is = bound(s, t->probe);
	if (++s->steps > STEPS_MAX || (is && is != c) || !related(s, c) || !holds(s, t, c))
		return false;
	if (!is && s->found->nbound == DIAG_BOUND)
		return false;
	if (!is)
		s->found->bound[s->found->nbound++] = c;
	s->held[k] = t;
	if (match(s, k + 1))
		return true;
	if (!is)
		s->found->nbound--;
	return false;
}

static bool match(struct search *s, size_t k)
{
	if (k == s->nwhen)
		return concerns(s);
	const struct condition *c = &s->when[k];
	if (c->negated) {
		s->held[k] = NULL;
		return none_holds(s, c) && match(s, k + 1);
	}
	for (size_t a = 0; a < c->n; a++) {
		const struct diag_check *one;
		size_t probe = probe_index(s->by, c->alt[a].probe);
		for (size_t i = 0; s->steps <= STEPS_MAX && (one = of_probe(s, probe, i)); i++)
			if (try_one(s, k, &c->alt[a], one))
				return true;
	}
	return false;
}

/* Whether the rule can say anything of that check at all: it is evidence in it, or explained. */
static bool may_concern(const struct search *s)
{
	if (!s->about || ranking_listed(s->rule->explains, s->about->probe))
		return true;
	for (size_t k = 0; k < s->nwhen; k++)
		for (size_t a = 0; a < s->when[k].n; a++)
			if (strcmp(s->when[k].alt[a].probe, s->about->probe) == 0)
				return true;
	return false;
}

/* --- all rules --- */

/* The conditions with what was found. */
static void because(const struct search *s, char *out, size_t size)
{
	char piece[300], value[FACT_TEXT_MAX + 8];
	*out = 0;
	for (size_t k = 0; k < s->nwhen; k++) {
		const struct term *t = s->held[k];
		const struct diag_check *c = t ? bound(s, t->probe) : NULL;
		if (!c || !diag_show(c, t->fact, strstr(t->fact, "share") ? '%' : 0, value, sizeof value))
			continue;
		snprintf(piece, sizeof piece, "%s%s.%s %s", *out ? ", " : "", c->name, t->fact, value);
		if (!strstr(out, piece + (*out ? 2 : 0)))
			sentence_add(out, size, piece);
	}
}

static void put_into_words(const struct search *s, struct diag_name *d)
{
	diag_sentence(d->rule->text, d, d->text, sizeof d->text);
	diag_sentence(d->rule->ja ? d->rule->ja : d->rule->text, d, d->ja, sizeof d->ja);
	because(s, d->because, sizeof d->because);
}

/* At the maximum the lowest rank gives way. */
static void keep(struct diag_name *v, size_t *n, const struct diag_name *d)
{
	size_t low = 0;
	if (*n < DIAG_FOUND_MAX) {
		v[(*n)++] = *d;
		return;
	}
	for (size_t i = 1; i < *n; i++)
		low = v[i].rule->rank < v[low].rule->rank ? i : low;
	if (d->rule->rank > v[low].rule->rank)
		v[low] = *d;
}

size_t diagnose(const struct diag_table *t, const struct diag_check *v, size_t n,
		const struct diag_check *about, struct diag_name *out, size_t max)
{
	struct diag_name all[DIAG_FOUND_MAX];
	struct by_probe by;
	size_t found = 0;
	if (!by_probe_make(&by, v, n))
		return 0;
	for (size_t i = 0; i < t->n; i++) {
		struct diag_name d = {.rule = &t->v[i].rule};
		struct search s = {.rule = d.rule,
				   .when = t->v[i].when,
				   .nwhen = t->v[i].n,
				   .v = v,
				   .by = &by,
				   .about = about,
				   .found = &d};
		if (!s.nwhen || !may_concern(&s) || !match(&s, 0))
			continue;
		put_into_words(&s, &d);
		ranking_count(&d, v, n);
		keep(all, &found, &d);
	}
	free(by.order);
	ranking_sort(all, found);
	found = found < max ? found : max;
	memcpy(out, all, found * sizeof *out);
	return found;
}
