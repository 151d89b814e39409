/* Watching the other ops host; see opspeer.h. What is told to it is in opspeer_tell.c. */
#include "opspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/contract/coproc.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "monitord/peers/pagerwatch.h"
#include "monitord/store/state.h"
#include "opspeer_internal.h"

enum { LINE_MAX_BYTES = 64 * 1024, STALE_BEATS = 3 };
/* Numbers of a whole life: what is above was made up. */
#define CHANGE_MAX (INT64_C(1) << 52)

/* --- what is heard --- */

static void take_beat(struct opspeer *p, const cJSON *o)
{
	struct beat *b = &p->watch.last;
	*b = (struct beat){.pid = json_int(o, "pid", 0),
			   .overdue_ms = json_int(o, "overdue_ms", 0),
			   .back_ms = json_int(o, "back_ms", 0)};
	snprintf(b->overdue, sizeof b->overdue, "%s", json_str(o, "overdue", ""));
	snprintf(b->digest, sizeof b->digest, "%s", json_str(o, "digest", ""));
	p->problems = json_int(o, "problems", 0);
	p->other_primary = json_bool(o, "primary", false);
	p->pager = json_bool(o, "pager", true);
	if (!p->watch.ever)
		log_notice("the other ops host %s is heard", p->conf.other);
	p->watch.ever = true;
	p->watch.last_boot_ms = clock_boot_ms();
}

static struct shown *shown_find(struct opspeer *p, const char *name, bool make)
{
	for (size_t i = 0; i < p->nshown; i++)
		if (strcmp(p->shown[i].check, name) == 0)
			return &p->shown[i];
	if (!make || p->nshown == OPSPEER_SHOWN_MAX)
		return NULL;
	struct shown *h = &p->shown[p->nshown++];
	*h = (struct shown){.heard_ms = 0};
	snprintf(h->check, sizeof h->check, "%s", name);
	return h;
}

static void show_problem(struct opspeer *p, const cJSON *o, const char *name, int64_t now_ms)
{
	enum nag_state state = NAG_OK;
	nag_from_name(json_str(o, "s", "OK"), &state);
	struct shown *h = shown_find(p, name, state != NAG_OK);
	if (!h)
		return;
	if (state == NAG_OK) {
		*h = p->shown[--p->nshown];
		return;
	}
	h->state = state;
	h->opened = (uint64_t)json_int(o, "o", 0);
	h->since_wall_ms = json_int(o, "since", 0);
	h->muted = json_bool(o, "m", false);
	h->heard_ms = now_ms;
	snprintf(h->host, sizeof h->host, "%s", json_str(o, "h", ""));
	snprintf(h->text, sizeof h->text, "%s", json_str(o, "t", ""));
	snprintf(h->why, sizeof h->why, "%s", json_str(o, "w", ""));
}

/* In calm both count alike, so that both open the next problem with the same number, and people see one
 * incident id. */
static void count_alike(struct check *c, uint64_t change)
{
	bool calm =
	    !c->judge.said && !judge_problem(&c->judge) && c->peer.claim == CLAIM_FINE && !c->peer.opened;
	if (!calm || change <= c->judge.change)
		return;
	c->judge.change = change;
	c->dirty = true;
}

static void take_check(struct opspeer *p, const cJSON *o, int64_t now_ms)
{
	const char *name = json_str(o, "c", "");
	int64_t opened = json_int(o, "o", 0), change = json_int(o, "n", 0);
	enum standin_claim claim;
	if (!*name || strlen(name) >= EVENT_NAME_MAX || opened < 0 || opened > CHANGE_MAX || change < 0 ||
	    change > CHANGE_MAX || !standin_claim_from_name(json_str(o, "k", ""), &claim))
		return;
	show_problem(p, o, name, now_ms);
	struct check *c = json_bool(o, "x", false) ? checks_find(&p->s->checks, name) : NULL;
	if (!c || !c->conf || !c->conf->shared)
		return;
	p->news |= c->peer.claim != claim || c->peer.opened != (uint64_t)opened;
	c->peer.claim = claim;
	c->peer.opened = (uint64_t)opened;
	c->peer.heard_ms = now_ms;
	snprintf(c->peer.why, sizeof c->peer.why, "%s", json_str(o, "w", ""));
	count_alike(c, (uint64_t)change);
}

static void take_heard(struct opspeer *p, const cJSON *say)
{
	const cJSON *beat = cJSON_GetObjectItemCaseSensitive(say, "beat"), *o;
	enum standin_link before = opspeer_link(p);
	int64_t now = clock_boot_ms();
	if (cJSON_IsObject(beat))
		take_beat(p, beat);
	cJSON_ArrayForEach(o, cJSON_GetObjectItemCaseSensitive(say, "checks")) take_check(p, o, now);
	if (p->news || opspeer_link(p) != before)
		p->calls.news(p->s);
	p->news = false;
}

static void on_line(void *arg, struct coproc *proc, cJSON *v)
{
	struct opspeer *p = arg;
	(void)proc;
	const cJSON *heard = cJSON_GetObjectItemCaseSensitive(v, "heard");
	const cJSON *counts = cJSON_GetObjectItemCaseSensitive(v, "counts");
	const char *trouble = json_str(v, "trouble", NULL);
	if (cJSON_IsObject(heard))
		take_heard(p, heard);
	if (cJSON_IsObject(counts)) {
		p->forged = json_int(counts, "forged", 0);
		p->replayed = json_int(counts, "replayed", 0);
		p->bad = json_int(counts, "bad", 0);
	}
	if (!trouble)
		return;
	if (*trouble)
		log_warn("monitord-peer: %s", trouble);
	snprintf(p->trouble, sizeof p->trouble, "%s", trouble);
}

static void on_up(void *arg, struct coproc *proc)
{
	struct opspeer *p = arg;
	cJSON *v = cJSON_CreateObject(), *o = cJSON_AddObjectToObject(v, "configure");
	cJSON_AddStringToObject(o, "name", p->conf.name);
	cJSON_AddStringToObject(o, "other", p->conf.other);
	cJSON_AddStringToObject(o, "listen", p->conf.listen);
	cJSON_AddStringToObject(o, "address", p->conf.address);
	cJSON_AddStringToObject(o, "key", p->conf.key);
	coproc_send(proc, v);
	cJSON_Delete(v);
	p->sent_ms = 0;
}

static void on_down(void *arg, struct coproc *proc, const char *why)
{
	(void)arg, (void)proc;
	log_warn("monitord-peer: %s; it is started again", why);
}

/* --- whether it is there --- */

static enum beat_verdict verdict(const struct opspeer *p)
{
	return beat_judge(&p->watch, clock_boot_ms(), p->conf.limit_ms);
}

enum standin_link opspeer_link(const struct opspeer *p)
{
	enum beat_verdict v = verdict(p);
	if (v == BEAT_ALIVE)
		return p->watch.ever ? LINK_ALIVE : LINK_UNHEARD;
	return v == BEAT_PLANNED ? LINK_PLANNED : LINK_SILENT;
}

static void judge_peer(struct opspeer *p, int64_t now_ms)
{
	char text[400], span[32];
	enum beat_verdict v = verdict(p);
	const char *trouble = p->trouble[0] ? "; " : "";
	if (v == BEAT_WEDGED)
		snprintf(text, sizeof text, "the other ops host %s is stuck: %s should have run %s ago",
			 p->conf.other, p->watch.last.overdue,
			 clock_span(p->watch.last.overdue_ms, span, sizeof span));
	else if (v == BEAT_SILENT)
		snprintf(text, sizeof text,
			 "the other ops host %s %s for %s: it is dead, or the link to it is cut%s%.150s",
			 p->conf.other, p->watch.ever ? "is silent" : "was not heard",
			 clock_span(now_ms - p->watch.last_boot_ms, span, sizeof span), trouble, p->trouble);
	else if (v == BEAT_ALIVE && p->watch.ever)
		snprintf(text, sizeof text, "the other ops host %s is there", p->conf.other);
	else
		return; /* it said that it stops, or was not heard yet: as it was */
	p->calls.found(p->s, "self.peer", v == BEAT_ALIVE ? NAG_OK : NAG_CRITICAL,
		       v == BEAT_ALIVE ? "" : "peer", text);
}

/* What was not said again, though it lives, is over. */
static void forget_shown(struct opspeer *p, int64_t now_ms)
{
	for (size_t i = 0; opspeer_link(p) == LINK_ALIVE && i < p->nshown;)
		if (now_ms - p->shown[i].heard_ms > STALE_BEATS * p->conf.interval_ms + 1000)
			p->shown[i] = p->shown[--p->nshown];
		else
			i++;
}

void opspeer_tick(struct opspeer *p, int64_t now_ms)
{
	if (!p)
		return;
	judge_peer(p, now_ms);
	forget_shown(p, now_ms);
	if (p->link != opspeer_link(p))
		p->calls.news(p->s);
	p->link = opspeer_link(p);
	opspeer_tell(p, now_ms);
}

void opspeer_forgive(struct opspeer *p, int64_t ms)
{
	if (p)
		p->watch.last_boot_ms += ms;
}

/* --- shared checks --- */

enum standin_do opspeer_decide(const struct opspeer *p, const struct check *c, int64_t now_ms)
{
	enum standin_claim claim = c->peer.heard_ms ? c->peer.claim : CLAIM_NONE;
	/* problems are said again with each beat */
	if (opspeer_link(p) == LINK_ALIVE && claim > CLAIM_FINE &&
	    now_ms - c->peer.heard_ms > STALE_BEATS * p->conf.interval_ms + 1000)
		claim = CLAIM_FINE;
	const struct judge *j = &c->judge;
	return standin_decide(p->conf.primary, opspeer_link(p), claim,
			      j->said && j->paged && !j->said_suppressed);
}

/* Twice said, and one turn to hear. */
int64_t opspeer_notice(const struct opspeer *p)
{
	return 2 * p->conf.interval_ms + 1000;
}

/* The primary waits only for the first beats after its own start: the other may be paging. */
int64_t opspeer_patience(const struct opspeer *p)
{
	return p->conf.primary || p->conf.delay_ms < opspeer_notice(p) ? opspeer_notice(p) : p->conf.delay_ms;
}

void opspeer_mute_text(const struct opspeer *p, const struct check *c, char *out, size_t size)
{
	char incident[8];
	if (c->peer.claim == CLAIM_QUIET)
		snprintf(out, size, "%.40s: %.100s", p->conf.other, c->peer.why);
	else
		snprintf(out, size, "paged by %.60s (%s)", p->conf.other,
			 event_incident(c->name, c->peer.opened, incident, sizeof incident));
}

/* --- showing --- */

static void add_shown(cJSON *list, const struct shown *h)
{
	char incident[8];
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "check", h->check);
	cJSON_AddStringToObject(o, "host", h->host);
	cJSON_AddStringToObject(o, "state", nag_name(h->state));
	cJSON_AddStringToObject(o, "text", h->text);
	cJSON_AddBoolToObject(o, "suppressed", h->muted);
	cJSON_AddStringToObject(o, "why", h->why);
	json_add_int(o, "since_wall_ms", h->since_wall_ms);
	if (h->opened)
		cJSON_AddStringToObject(o, "incident",
					event_incident(h->check, h->opened, incident, sizeof incident));
	cJSON_AddItemToArray(list, o);
}

cJSON *opspeer_json(const struct opspeer *p)
{
	static const char *const links[] = {"not heard yet", "alive", "planned", "silent"};
	cJSON *o = cJSON_CreateObject();
	enum beat_verdict v = verdict(p);
	cJSON_AddStringToObject(o, "name", p->conf.name);
	cJSON_AddStringToObject(o, "other", p->conf.other);
	cJSON_AddBoolToObject(o, "primary", p->conf.primary);
	cJSON_AddStringToObject(o, "verdict", v == BEAT_WEDGED ? "wedged" : links[opspeer_link(p)]);
	json_add_int(o, "last_ms", p->watch.ever ? clock_boot_ms() - p->watch.last_boot_ms : -1);
	cJSON_AddBoolToObject(o, "pager", p->pager);
	cJSON_AddBoolToObject(o, "same_role", p->watch.ever && p->other_primary == p->conf.primary);
	cJSON_AddStringToObject(o, "trouble", p->trouble);
	json_add_int(o, "forged", p->forged);
	json_add_int(o, "replayed", p->replayed);
	json_add_int(o, "bad", p->bad);
	json_add_int(o, "omitted", p->problems > (int64_t)p->nshown ? p->problems - (int64_t)p->nshown : 0);
	cJSON *list = cJSON_AddArrayToObject(o, "problems");
	for (size_t i = 0; i < p->nshown; i++)
		add_shown(list, &p->shown[i]);
	return o;
}

/* --- beginning and end --- */

static bool start(struct opspeer *p)
{
	static const struct coproc_calls calls = {.line = on_line, .up = on_up, .down = on_down};
	char *libexec = file_libexec(p->s->conf->libexec),
	     *path = libexec ? file_join(libexec, "monitord-peer") : NULL;
	char *argv[] = {path, NULL}, credentials[300] = "CREDENTIALS_DIRECTORY=";
	char *env[] = {"PATH=/usr/bin:/bin", "LANG=C", credentials, NULL};
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	snprintf(credentials, sizeof credentials, "CREDENTIALS_DIRECTORY=%s", dir ? dir : "");
	p->proc = path ? coproc_new(p->s->base, "monitord-peer", argv, env, LINE_MAX_BYTES, &calls, p) : NULL;
	free(path);
	free(libexec);
	return p->proc != NULL;
}

bool opspeer_apply(struct super *s, const struct opspeer_calls *calls)
{
	const struct config *conf = s->conf;
	struct opspeer *p = s->opspeer;
	if (p && conf->has_peer && memcmp(&p->conf, &conf->peer, sizeof p->conf) == 0)
		return true;
	opspeer_free(p);
	s->opspeer = NULL;
	if (!conf->has_peer)
		return true;
	p = calloc(1, sizeof *p);
	if (!p)
		return false;
	p->s = s;
	p->calls = *calls;
	p->conf = conf->peer;
	p->pager = true;
	p->watch.last_boot_ms = clock_boot_ms();
	if (!start(p)) {
		free(p);
		return false;
	}
	s->opspeer = p;
	return true;
}

bool opspeer_goodbye(struct opspeer *p)
{
	if (!p || !coproc_is_up(p->proc))
		return false;
	opspeer_beat(p, p->s->conf->planned_ms);
	return true;
}

void opspeer_free(struct opspeer *p)
{
	if (!p)
		return;
	coproc_free(p->proc);
	free(p);
}
