/* The proof that lines work; see prover.h. */
#include "prover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/json.h"
#include "lib/log.h"
#include "errands.h"
#include "lines.h"
#include "loopback.h"
#include "pagerd/store/proofs.h"
#include "summary.h"

#define DAY_MS 86400000ll
struct sent {
	char id[64], line[EVENT_NAME_MAX], to[PROOF_TO_MAX];
	enum page_kind kind;
	struct stamp at;
};

struct prover {
	struct pager *p;
	char digest[20]; /* of the configuration that proofs, loops stand for */
	uint64_t rev;
	int64_t save_at, look_at; /* save_at 0: nothing is to be written */
	struct loopback *loopback;
	struct sent sent[PROVER_SENT_KEPT];
	size_t nsent; /* ever */
};

/* --- keeping --------------------------------------------------------------------------------------- */

struct prover *prover_new(struct pager *p)
{
	struct prover *v = calloc(1, sizeof *v);
	if (!v)
		return NULL;
	v->p = p;
	v->loopback = loopback_new(p);
	if (!v->loopback) {
		free(v);
		return NULL;
	}
	cJSON *o = store_get(p->store, "proofs", &v->rev);
	if (o && !proofs_read(&p->proofs, o))
		log_warn("what is known of the routes' proofs cannot be read: it is begun anew");
	cJSON_Delete(o);
	return v;
}

static void save(struct prover *v)
{
	char why[300];
	int64_t now = clock_boot_ms();
	v->p->proofs.dirty = false;
	v->save_at = 0;
	if (store_put(v->p->store, "proofs", ++v->rev, proofs_json(&v->p->proofs), why, sizeof why) !=
	    STORE_NOWHERE)
		return;
	log_warn("the routes' proofs cannot be written down: %s", why);
	v->p->proofs.dirty = true;
	v->save_at = now + PAGER_STORE_RETRY_MS;
}

void prover_free(struct prover *v)
{
	if (!v)
		return;
	if (v->p->proofs.dirty)
		save(v);
	proofs_fini(&v->p->proofs);
	loopback_free(v->loopback);
	free(v);
}

static void changed(struct prover *v)
{
	v->p->proofs.dirty = true;
	v->p->changed = true;
	if (!v->save_at)
		v->save_at = clock_boot_ms() + PROVER_SAVE_MS;
	pager_soon(v->p, PROVER_SAVE_MS);
}

/* --- after the configuration ----------------------------------------------------------------------- */

static bool is_last_resort(const struct config *conf, const char *line)
{
	return conf->has_last_resort && strcmp(conf->last_resort.line, line) == 0;
}

static void see(struct prover *v, const char *line, const char *to, const struct stamp *now)
{
	struct proof *r = proofs_make(&v->p->proofs, line, to, now);
	if (r)
		r->seen = true;
}

static void use_conf(struct prover *v, const struct stamp *now)
{
	const struct config *conf = v->p->conf;
	memcpy(v->digest, conf->digest, sizeof v->digest);
	for (size_t k = 0; k < v->p->proofs.n; k++)
		v->p->proofs.v[k].seen = false;
	for (size_t k = 0; k < conf->ncontacts; k++) {
		const struct conf_contact *c = &conf->contacts[k];
		for (size_t m = 0; m < c->nroutes; m++)
			see(v, c->routes[m].line, c->routes[m].to, now);
		if (c->all_well != CLOCK_NONE)
			see(v, "", c->name, now);
	}
	loopback_use_conf(v->loopback, now);
	proofs_sweep(&v->p->proofs);
	changed(v);
}

static int64_t local_offset(const struct config *conf, int64_t wall_ms)
{
	if (conf->zone)
		return (int64_t)tz_offset(conf->zone, wall_ms / 1000) * 1000;
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;
	localtime_r(&t, &tm);
	return (int64_t)tm.tm_gmtoff * 1000;
}

/* --- what was sent, what arrived ------------------------------------------------------------------- */

void prover_sent(struct prover *v, const char *line, const char *to, const char *id, enum page_kind kind,
		 const struct stamp *now)
{
	struct proof *r = proofs_find(&v->p->proofs, line, to);
	if (!r)
		return;
	if (loopback_is(v->loopback, line, to))
		r->used = *now;
	else
		proof_sent(r, kind, lines_confirm(v->p->lines, line), now);
	struct sent *s = &v->sent[v->nsent++ % PROVER_SENT_KEPT];
	*s = (struct sent){.kind = kind, .at = *now};
	snprintf(s->id, sizeof s->id, "%s", id);
	snprintf(s->line, sizeof s->line, "%s", line);
	snprintf(s->to, sizeof s->to, "%s", to);
	changed(v);
}

void prover_reported(struct prover *v, const char *line, const char *id, bool delivered)
{
	struct stamp now = clock_stamp();
	for (size_t k = 0; k < PROVER_SENT_KEPT; k++) {
		const struct sent *s = &v->sent[k];
		struct proof *r = strcmp(s->id, id) == 0 && strcmp(s->line, line) == 0
				      ? proofs_find(&v->p->proofs, line, s->to)
				      : NULL;
		if (!r || loopback_is(v->loopback, line, s->to))
			continue;
		proof_reported(r, s->kind, delivered, &s->at, &now);
		changed(v);
	}
}

/* --- test pages and summaries ---------------------------------------------------------------------- */

static void test_ended(void *arg, uint64_t tag, bool sent, const struct attempt *last)
{
	(void)arg, (void)tag;
	if (!sent)
		log_warn("a test page over line %s could not be sent: %s", last ? last->line : "?",
			 last && last->detail ? last->detail : "the line took nothing");
}

static void test_route(struct prover *v, const struct conf_contact *c, const struct conf_route *route,
		       int64_t offset, const struct stamp *now)
{
	char text[160];
	struct proof *r = proofs_find(&v->p->proofs, route->line, route->to);
	struct errand e = {.contact = c->name,
			   .line = route->line,
			   .to = route->to,
			   .kind = PAGE_TEST,
			   .text = text,
			   .until_ms = PROVER_TEST_MS,
			   .done = test_ended,
			   .arg = v};
	if (!r || is_last_resort(v->p->conf, route->line) ||
	    !proof_due(now->wall_ms, r->tested.wall_ms, r->first.wall_ms, c->test.every_ms, c->test.at,
		       offset))
		return;
	if (strcmp(c->lang, "ja") == 0)
		snprintf(text, sizeof text, "回線%.60sの定期確認です。異常はありません", route->line);
	else
		snprintf(text, sizeof text, "line %.60s works, this is its regular test: nothing is wrong",
			 route->line);
	if (!errands_start(v->p->errands, &e))
		return; /* when there is room */
	r->tested = *now;
	changed(v);
}

static void day_of(struct prover *v, const struct conf_contact *c, int64_t offset, const struct stamp *now)
{
	char text[ANSWER_OUT_MAX];
	struct proof *r = c->all_well == CLOCK_NONE ? NULL : proofs_find(&v->p->proofs, "", c->name);
	struct errand e = {.contact = c->name,
			   .kind = PAGE_INFO,
			   .text = text,
			   .until_ms = PROVER_TEST_MS,
			   .done = test_ended,
			   .arg = v};
	if (!r || !proof_due(now->wall_ms, r->tested.wall_ms, r->first.wall_ms, DAY_MS, c->all_well, offset))
		return;
	summary_day(v->p, strcmp(c->lang, "ja") == 0, text);
	if (!errands_start(v->p->errands, &e))
		return;
	r->tested = *now;
	changed(v);
}

/* --- what nobody proves ---------------------------------------------------------------------------- */

static void unproven_text(struct prover *v, const char *line, const struct stamp *now, char *out, size_t size)
{
	size_t n = 0, count = 0;
	char since[24];
	out[0] = '\0';
	for (size_t k = 0; k < v->p->proofs.n; k++) {
		const struct proof *r = &v->p->proofs.v[k];
		if (strcmp(r->line, line) != 0 || proof_unproven_ms(r, now) < v->p->conf->unproven_ms)
			continue;
		if (++count > 3 || n >= size / 2)
			continue;
		const struct stamp *at = r->proved.wall_ms ? &r->proved : &r->first;
		n += (size_t)snprintf(out + n, size - n, "%s%.64s (%s since %.16s)", n ? ", " : "", r->to,
				      r->proved.wall_ms ? "not" : "never, known",
				      clock_text(at->wall_ms, since, sizeof since));
	}
	if (count > 3 && n < size)
		snprintf(out + n, size - n, " and %zu more", count - 3);
}

static void count_doubted(struct prover *v)
{
	v->p->proofs.doubted = 0;
	for (size_t k = 0; k < v->p->proofs.n; k++)
		v->p->proofs.doubted += v->p->proofs.v[k].doubted;
}

/* Line by line: a modem that died is one problem, not one for each address. */
static void judge_line(struct prover *v, const char *line, const struct stamp *now)
{
	char check[EVENT_NAME_MAX], to[400], text[700];
	bool failing = loopback_failing(v->loopback, line);
	bool any = false;
	for (size_t k = 0; k < v->p->proofs.n; k++) {
		struct proof *r = &v->p->proofs.v[k];
		if (strcmp(r->line, line) != 0)
			continue;
		bool unproven =
		    v->p->conf->unproven_ms && proof_unproven_ms(r, now) >= v->p->conf->unproven_ms;
		r->doubted = unproven || failing;
		any |= unproven;
	}
	count_doubted(v);
	snprintf(check, sizeof check, "self.route %.100s", line);
	if (!any) {
		pager_self_over(v->p, check, "its routes are proved again");
		return;
	}
	unproven_text(v, line, now, to, sizeof to);
	snprintf(text, sizeof text, "nothing proves that line %.100s reaches %s", line, to);
	pager_self_problem(v->p, check, NAG_WARNING, text);
}

static void judge(struct prover *v, const struct stamp *now)
{
	const struct config *conf = v->p->conf;
	for (size_t k = 0; k < conf->nlines; k++)
		if (lines_confirm(v->p->lines, conf->lines[k].name) &&
		    !is_last_resort(conf, conf->lines[k].name))
			judge_line(v, conf->lines[k].name, now);
}

bool prover_received(struct prover *v, const char *line, const struct received *m)
{
	struct stamp now = clock_stamp();
	if (!loopback_received(v->loopback, line, m))
		return false;
	judge(v, &now); /* what is proved again comes first again, at once */
	return true;
}

static void look(struct prover *v, const struct stamp *now)
{
	const struct config *conf = v->p->conf;
	int64_t offset = local_offset(conf, now->wall_ms);
	if (strcmp(v->digest, conf->digest) != 0)
		use_conf(v, now);
	for (size_t k = 0; k < conf->ncontacts; k++) {
		const struct conf_contact *c = &conf->contacts[k];
		for (size_t m = 0; c->test.every_ms && m < c->nroutes; m++)
			test_route(v, c, &c->routes[m], offset, now);
		day_of(v, c, offset, now);
	}
	loopback_watch(v->loopback, now);
	judge(v, now);
}

int64_t prover_watch(struct prover *v, const struct stamp *now)
{
	if (now->boot_ms >= v->look_at) {
		look(v, now);
		v->look_at = now->boot_ms + PROVER_LOOK_MS;
	}
	if (v->p->proofs.dirty && !v->save_at)
		v->save_at = now->boot_ms + PROVER_SAVE_MS;
	bool hangs = v->p->store_trouble && now->boot_ms < v->p->store_retry;
	if (v->save_at && now->boot_ms >= v->save_at && !hangs)
		save(v);
	return PROVER_LOOK_MS;
}

/* --- for people ------------------------------------------------------------------------------------ */

static void add_stamp(cJSON *o, const char *key, const struct stamp *s)
{
	if (s->wall_ms)
		json_add_stamp(o, key, s);
	else
		cJSON_AddNullToObject(o, key);
}

static void show_route(const struct prover *v, cJSON *array, const char *contact, const char *line,
		       const char *to)
{
	const struct proof *r = proofs_find(&v->p->proofs, line, to);
	if (!r)
		return;
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "line", line);
	cJSON_AddStringToObject(o, "to", to);
	cJSON_AddStringToObject(o, "contact", contact);
	add_stamp(o, "proved", &r->proved);
	cJSON_AddStringToObject(o, "how", proof_how_name(r->how));
	add_stamp(o, "used", &r->used);
	cJSON_AddBoolToObject(o, "doubted", r->doubted);
	cJSON_AddItemToArray(array, o);
}

cJSON *prover_show(const struct prover *v)
{
	const struct config *conf = v->p->conf;
	cJSON *array = cJSON_CreateArray();
	for (size_t k = 0; k < conf->ncontacts; k++)
		for (size_t m = 0; m < conf->contacts[k].nroutes; m++)
			show_route(v, array, conf->contacts[k].name, conf->contacts[k].routes[m].line,
				   conf->contacts[k].routes[m].to);
	for (size_t k = 0; k < LOOPS_MAX; k++) {
		const char *line, *to = loopback_route(v->loopback, k, &line);
		if (to)
			show_route(v, array, "", line, to);
	}
	return array;
}
