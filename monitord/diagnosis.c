/* The diagnosis at work; see diagnosis.h. */
#include "diagnosis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <math.h>

#include "lib/json.h"
#include "lib/log.h"
#include "monitord/rules/diagfacts.h"
#include "monitord/rules/diagnose.h"
#include "monitord/rules/usual.h"
#include "super.h"

/* So often a problem that was said gets another name; each is an event. */
enum { LATE_MAX = 8 };

/* The built-in table with the configuration's rows over it. */
static void lay_over(struct diag_table *t, const struct config *conf)
{
	char why[200];
	if (!diag_init(t))
		log_err("diagnosis: the built-in table cannot be read");
	for (size_t i = 0; conf && i < conf->nincidents; i++) {
		const struct conf_incident *d = &conf->incidents[i];
		struct diag_rule r = {.name = d->name,
				      .rank = d->rank,
				      .site = d->site,
				      .explains = d->explains,
				      .text = d->text,
				      .ja = d->ja};
		for (size_t k = 0; k < d->nwhen && k < DIAG_CONDITIONS; k++)
			r.when[k] = d->when[k];
		if (d->off)
			diag_remove(t, d->name);
		else if (!diag_add(t, &r, why, sizeof why))
			log_err("diagnosis: %s: %s", d->name, why);
	}
}

/* --- history --------------------------------------------------------------------------------------- */

static double number(const struct check *c, const char *fact)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(c->facts, fact);
	return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}

/* What the top client brings a minute, as the log or the policy service say it, or as the queue grows by it. */
static double rate_of(const struct check *c)
{
	double rate = number(c, "top_client_per_min");
	return isnan(rate) ? number(c, "growth_per_min") * number(c, "top_client_share") : rate;
}

void diagnosis_learn(struct check *c)
{
	const char *client = json_str(c->facts, "top_client", NULL), *names = json_str(c->facts, "addresses", NULL);
	double rate = client ? rate_of(c) : NAN;
	if ((isnan(rate) && !names) || (!c->usual && !(c->usual = calloc(1, sizeof *c->usual))))
		return;
	if (!isnan(rate))
		usual_rate(c->usual, client, rate, clock_wall_ms());
	if (names)
		usual_names(c->usual, names, clock_wall_ms());
}

enum { PAST_MAX = 3 };

static size_t past_of(const struct check *c, int64_t now_ms, struct diag_past *out)
{
	const char *client = json_str(c->facts, "top_client", NULL), *address = json_str(c->facts, "failed_address", "");
	double usual = client ? usual_of_client(c->usual, client, now_ms) : -1, rate = rate_of(c);
	int64_t since = usual_since(c->usual, address);
	size_t n = 0;
	if (usual >= 0 && !isnan(rate)) {
		out[n++] = (struct diag_past){.name = "top_client_usual_per_min", .value = usual};
		out[n++] = (struct diag_past){.name = "top_client_unusual",
					      .value = rate / (usual > USUAL_LEAST ? usual : USUAL_LEAST)};
	}
	if (since) {
		out[n] = (struct diag_past){.name = "failed_address_new"};
		diag_when(since, out[n++].text, sizeof out->text);
	}
	return n;
}

/* --- all checks as the rules see them -------------------------------------------------------------- */

struct view {
	struct diag_table table;
	struct diag_check *v;
	const char **kin; /* of all, one after the other */
	struct diag_past *past;
	size_t n;
};

static void view_free(struct view *w)
{
	if (!w)
		return;
	free(w->v);
	free(w->kin);
	free(w->past);
	free(w);
}

static struct diag_check see(const struct check *c, const char **kin)
{
	struct diag_check d = {.name = c->name,
			       .host = c->host,
			       .probe = json_str(c->conf->options, "facts_of", c->conf->probe),
			       .layer = c->layer,
			       .state = check_state(c),
			       .facts = c->judge.measured && !c->judge.stale ? c->facts : NULL,
			       .since_ms = c->judge.since.wall_ms,
			       .kin = kin};
	for (size_t i = 0; i < c->nparents; i++)
		kin[d.nkin++] = c->parents[i]->name;
	for (size_t i = 0; i < c->ndepends; i++)
		kin[d.nkin++] = c->depends[i].on->name;
	return d;
}

static struct view *view_new(const struct super *s)
{
	size_t nkin = 1, npast = 1;
	for (size_t i = 0; i < s->checks.n; i++) {
		nkin += s->checks.v[i]->nparents + s->checks.v[i]->ndepends;
		npast += s->checks.v[i]->usual ? PAST_MAX : 0;
	}
	struct view *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->v = calloc(s->checks.n + 1, sizeof *w->v);
	w->kin = calloc(nkin, sizeof *w->kin);
	w->past = calloc(npast, sizeof *w->past);
	if (!w->v || !w->kin || !w->past) {
		view_free(w);
		return NULL;
	}
	lay_over(&w->table, s->conf);
	const char **kin = w->kin;
	struct diag_past *past = w->past;
	int64_t now_ms = clock_wall_ms();
	for (size_t i = 0; i < s->checks.n; i++) {
		const struct check *c = s->checks.v[i];
		if (!c->conf || !c->judge.ever)
			continue;
		struct diag_check *d = &w->v[w->n++];
		*d = see(c, kin);
		kin += d->nkin;
		d->past = past;
		d->npast = c->usual && d->facts ? past_of(c, now_ms, past) : 0;
		past += d->npast;
	}
	return w;
}

static const struct diag_check *find(const struct view *w, const char *name)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->v[i].name, name) == 0)
			return &w->v[i];
	return NULL;
}

static void forget(struct check *c)
{
	free(c->named);
	free(c->named_ja);
	c->named = c->named_ja = NULL;
	c->named_as[0] = '\0';
}

static void take(struct check *c, const struct diag_name *d)
{
	forget(c);
	c->named = strdup(d->text);
	c->named_ja = strdup(d->ja);
	if (!c->named || !c->named_ja) {
		forget(c);
		return;
	}
	snprintf(c->named_as, sizeof c->named_as, "%s", d->rule->name);
	c->named_rank = d->rule->rank;
	log_notice("%s: recognised as %s: %s", c->name, d->rule->name, d->because);
}

bool diagnosis_name(struct super *s, struct check *c, bool saying)
{
	struct view *w = c->conf && (saying || c->named_late < LATE_MAX) ? view_new(s) : NULL;
	const struct diag_check *about = w ? find(w, c->name) : NULL;
	struct diag_name best;
	bool other = false;
	if (about && diagnose(&w->table, w->v, w->n, about, &best, 1) &&
	    (saying || !c->named || best.rule->rank > c->named_rank)) {
		other = strcmp(c->named_as, best.rule->name) != 0;
		take(c, &best);
		c->named_late += other && !saying;
	}
	view_free(w);
	return other && c->named;
}

void diagnosis_over(struct check *c)
{
	forget(c);
	c->named_late = 0;
}

void diagnosis_to_json(const struct super *s, cJSON *o)
{
	cJSON *list = cJSON_AddArrayToObject(o, "diagnosis");
	struct view *w = view_new(s);
	struct diag_name found[DIAG_NAMES_MAX];
	size_t n = w ? diagnose(&w->table, w->v, w->n, NULL, found, DIAG_NAMES_MAX) : 0;
	for (size_t i = 0; i < n; i++) {
		cJSON *d = cJSON_CreateObject();
		cJSON_AddStringToObject(d, "name", found[i].rule->name);
		json_add_int(d, "rank", found[i].rule->rank);
		cJSON_AddStringToObject(d, "text", found[i].text);
		cJSON_AddStringToObject(d, "text_ja", found[i].ja);
		cJSON_AddStringToObject(d, "because", found[i].because);
		cJSON_AddStringToObject(d, "why", found[i].why);
		json_add_int(d, "explains", (int64_t)found[i].explained);
		json_add_int(d, "in_trouble", (int64_t)found[i].troubled);
		json_add_int(d, "since_wall_ms", found[i].began_ms);
		cJSON *of = cJSON_AddArrayToObject(d, "checks");
		for (size_t k = 0; k < found[i].nbound; k++)
			cJSON_AddItemToArray(of, cJSON_CreateString(found[i].bound[k]->name));
		cJSON_AddItemToArray(list, d);
	}
	view_free(w);
}
