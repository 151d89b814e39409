/* What the other ops host is told; see opspeer.h and doc/peers.md. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/contract/coproc.h"
#include "lib/json.h"
#include "monitord/peers/pagerwatch.h"
#include "monitord/rules/parents.h"
#include "opspeer_internal.h"

/* So many bytes make one datagram; a single check's words are always fewer than it can hold. */
enum { BATCH_BYTES = 1000, TEXT_BYTES = 100 };

/* pagerd is gone: what we say reaches nobody. */
static bool pager_is_gone(const struct super *s)
{
	return pagerwatch_knows(s->pagerwatch) && !pagerwatch_alive(s->pagerwatch);
}

static bool is_blind(const struct super *s, const struct check *c)
{
	const struct check *by;
	const struct judge *j = &c->judge;
	return !j->ever || j->stale || (!j->measured && strcmp(c->layer, "prober") == 0) ||
	       parents_block(&s->checks, c, &by);
}

static enum standin_claim claim_of(const struct super *s, const struct check *c)
{
	const struct judge *j = &c->judge;
	if (pager_is_gone(s))
		return CLAIM_BLIND;
	if ((j->said && j->paged && !j->said_suppressed) || c->peer.takes)
		return CLAIM_PAGES;
	if (is_blind(s, c))
		return CLAIM_BLIND;
	return judge_problem(j) && c->mute[0] && !c->peer.mutes ? CLAIM_QUIET : CLAIM_FINE;
}

static bool is_wrong(const struct check *c)
{
	return c->judge.said || judge_problem(&c->judge);
}

/* What the other would do something about. */
static uint64_t hash(const struct check *c, enum standin_claim claim)
{
	uint64_t h = 14695981039346656037u;
	const uint64_t parts[] = {claim,	 c->judge.change, c->judge.opened,
				  c->judge.hard, c->judge.said,	  c->mute[0] != 0};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		h = (h ^ parts[i]) * 1099511628211u;
	return h | 1;
}

/* Whole UTF-8 characters only. */
static void add_cut(cJSON *o, const char *key, const char *text)
{
	char copy[TEXT_BYTES + 1];
	size_t n = strcspn(text, "\n");
	if (n > TEXT_BYTES)
		for (n = TEXT_BYTES; n && ((unsigned char)text[n] & 0xc0) == 0x80;)
			n--;
	memcpy(copy, text, n);
	copy[n] = '\0';
	cJSON_AddStringToObject(o, key, copy);
}

static cJSON *entry(const struct check *c, enum standin_claim claim)
{
	const struct judge *j = &c->judge;
	enum nag_state state = judge_problem(j) ? j->hard : j->said ? j->said_state : NAG_OK;
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "c", c->name);
	cJSON_AddStringToObject(o, "k", standin_claim_name(claim));
	cJSON_AddBoolToObject(o, "x", c->conf && c->conf->shared);
	json_add_int(o, "n", (int64_t)j->change);
	if (!is_wrong(c))
		return o;
	cJSON_AddStringToObject(o, "s", nag_name(state));
	/* what is about to be paged is told under the number it will have */
	json_add_int(o, "o", (int64_t)(j->said ? j->opened : c->peer.takes ? j->change + 1 : 0));
	json_add_int(o, "since", j->since.wall_ms);
	cJSON_AddBoolToObject(o, "m", c->mute[0] != '\0');
	add_cut(o, "h", c->host);
	add_cut(o, "t", c->text ? c->text : "");
	add_cut(o, "w", c->mute);
	return o;
}

/* Takes list, which is empty afterwards. */
static void flush(struct opspeer *p, cJSON **list)
{
	cJSON *v = cJSON_CreateObject(), *say = cJSON_AddObjectToObject(v, "say");
	cJSON_AddItemToObject(say, "checks", *list);
	coproc_send(p->proc, v);
	cJSON_Delete(v);
	*list = cJSON_CreateArray();
}

struct batch {
	cJSON *list;
	size_t bytes;
};

static void tell_check(struct opspeer *p, struct batch *b, struct check *c, enum standin_claim claim)
{
	struct buf text;
	cJSON *o = entry(c, claim);
	buf_init(&text, 8192);
	size_t n = json_line(o, &text) ? text.len : 8192;
	buf_fini(&text);
	if (b->bytes && b->bytes + n > BATCH_BYTES) {
		flush(p, &b->list);
		b->bytes = 0;
	}
	cJSON_AddItemToArray(b->list, o);
	b->bytes += n;
	c->peer.told = hash(c, claim);
}

/* News of any check that is shared or wrong (or was); with the beat, of all that is wrong. */
static void tell_wrong(struct opspeer *p, struct batch *b, bool all)
{
	struct super *s = p->s;
	size_t wrong = 0;
	for (size_t i = 0; i < s->checks.n; i++) {
		struct check *c = s->checks.v[i];
		bool shared = c->conf && c->conf->shared;
		if (!shared && !is_wrong(c) && !c->peer.told)
			continue;
		enum standin_claim claim = claim_of(s, c);
		bool repeat = all && (is_wrong(c) || (shared && claim != CLAIM_FINE));
		/* what is only shown is bounded; who shares a check must hear of it */
		if (!shared && is_wrong(c) && ++wrong > OPSPEER_SHOWN_MAX)
			continue;
		if (repeat || c->peer.told != hash(c, claim))
			tell_check(p, b, c, claim);
		if (!shared && !is_wrong(c))
			c->peer.told = 0;
	}
}

/* A part of those that both watch and that are well, in turn. */
static void tell_fine(struct opspeer *p, struct batch *b)
{
	struct super *s = p->s;
	size_t told = 0;
	for (size_t i = 0; i < s->checks.n && told < OPSPEER_FINE_AT_ONCE; i++) {
		struct check *c = s->checks.v[p->next++ % s->checks.n];
		if (!c->conf || !c->conf->shared || is_wrong(c))
			continue;
		tell_check(p, b, c, claim_of(s, c));
		told++;
	}
	p->next %= s->checks.n;
}

void opspeer_beat(struct opspeer *p, int64_t back_ms)
{
	struct super *s = p->s;
	const char *name;
	int64_t problems = 0;
	for (size_t i = 0; i < s->checks.n; i++)
		problems += is_wrong(s->checks.v[i]);
	cJSON *v = cJSON_CreateObject(),
	      *o = cJSON_AddObjectToObject(cJSON_AddObjectToObject(v, "say"), "beat");
	json_add_int(o, "pid", getpid());
	cJSON_AddStringToObject(o, "digest", s->conf->digest);
	json_add_int(o, "overdue_ms", p->calls.overdue(s, &name));
	add_cut(o, "overdue", name);
	json_add_int(o, "back_ms", back_ms);
	json_add_int(o, "problems", problems);
	cJSON_AddBoolToObject(o, "primary", p->conf.primary);
	cJSON_AddBoolToObject(o, "pager", !pager_is_gone(s));
	coproc_send(p->proc, v);
	cJSON_Delete(v);
}

void opspeer_tell(struct opspeer *p, int64_t now_ms)
{
	struct batch b = {.list = cJSON_CreateArray()};
	bool beat = !p->sent_ms || now_ms - p->sent_ms >= p->conf.interval_ms;
	if (!coproc_is_up(p->proc) || p->s->stopping) {
		cJSON_Delete(b.list);
		return;
	}
	if (beat) {
		p->sent_ms = now_ms;
		opspeer_beat(p, 0);
	}
	tell_wrong(p, &b, beat);
	if (beat)
		tell_fine(p, &b);
	if (b.bytes)
		flush(p, &b.list);
	cJSON_Delete(b.list);
}
