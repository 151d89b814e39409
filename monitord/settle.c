/* Circumstances; see settle.h. Called by the core after each result and every second. */
#include "settle.h"

#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "due.h"
#include "monitord/peers/opspeer.h"
#include "monitord/peers/pagerwatch.h"
#include "monitord/rules/depends.h"
#include "monitord/rules/parents.h"
#include "say.h"
#include "snapshot.h"

/* Whether the problem is one of our own prober and not of what it measures: then self.prober, or its
 * remote's check, speaks for all. */
static bool is_probers_fault(const struct check *c, const struct check *prober)
{
	return c->conf && !c->judge.hard_measured && prober && judge_problem(&prober->judge) &&
	       (c->judge.stale || strcmp(c->layer, "prober") == 0);
}

/* Fills c->mute; true when it is muted. */
static bool find_mute(const struct super *s, struct check *c, const struct stamp *now, bool blocked,
		      const struct check *by, bool by_peer, bool *downtime)
{
	const struct check *prober = c->remote ? c->remote : checks_find(&s->checks, "self.prober");
	const char *paged;
	int64_t next;
	c->mute[0] = '\0';
	c->peer.mutes = false;
	*downtime = downtime_active(&c->downtime, now->wall_ms);
	const struct downtime *d = *downtime ? &c->downtime : &c->recurring;
	*downtime = *downtime || downtime_active(d, now->wall_ms);
	if (*downtime)
		downtime_text(d, c->mute, sizeof c->mute);
	else if (blocked && by)
		snprintf(c->mute, sizeof c->mute, "below %s, which is down", by->name);
	else if (blocked)
		depends_text(depends_mute(c), c->mute, sizeof c->mute);
	else if (c->conf && (c->resting || !config_runs_now(c->conf, now->wall_ms / 1000, &next)))
		snprintf(c->mute, sizeof c->mute, "outside its time, and so not run");
	else if (is_probers_fault(c, prober))
		snprintf(c->mute, sizeof c->mute, "below %.120s, which is in trouble", prober->name);
	else if (strcmp(c->name, "self.pagerd") == 0 && (paged = pagerwatch_paged(s->pagerwatch)))
		snprintf(c->mute, sizeof c->mute, "%s", paged);
	else if (by_peer) {
		opspeer_mute_text(s->opspeer, c, c->mute, sizeof c->mute);
		c->peer.mutes = *downtime = true; /* who was paged by us hears no more of it from us */
	}
	return c->mute[0] != '\0';
}

static int64_t patience(const struct check *c)
{
	int64_t longest = c->conf ? c->conf->timeout_ms : 0;
	for (size_t i = 0; i < c->nparents; i++)
		if (c->parents[i]->conf && c->parents[i]->conf->timeout_ms > longest)
			longest = c->parents[i]->conf->timeout_ms;
	for (size_t i = 0; i < c->ndepends; i++)
		if (c->depends[i].on->conf && c->depends[i].on->conf->timeout_ms > longest)
			longest = c->depends[i].on->conf->timeout_ms;
	return longest + SETTLE_PATIENCE_MS;
}

/* A parent came back and the child is still down as far as we know: its next run decides. */
static bool must_verify(struct super *s, struct check *c, int64_t now_ms)
{
	if (c->was_blocked) {
		c->was_blocked = false;
		c->verify_ms = now_ms;
		c->hold_until_ms = now_ms + patience(c);
		due_run_now(s, c);
	}
	if (c->verify_ms && c->has_run && c->last_run.boot_ms >= c->verify_ms)
		c->verify_ms = 0;
	return c->verify_ms != 0;
}

/* A parent may have died before the child did, its next run not being due yet: it is run now. */
static bool must_ask_parents(struct super *s, struct check *c, int64_t now_ms)
{
	if (!parents_unsure(c) && !depends_unsure(c))
		return false;
	if (!c->hold_until_ms) {
		c->hold_until_ms = now_ms + patience(c);
		for (size_t i = 0; i < c->nparents; i++)
			due_run_now(s, c->parents[i]);
		for (size_t i = 0; i < c->ndepends; i++)
			if (c->depends[i].notification)
				due_run_now(s, c->depends[i].on);
	}
	return true;
}

static bool must_hold(struct super *s, struct check *c, bool blocked, int64_t now_ms)
{
	const struct judge *j = &c->judge;
	/* what was so before our restart may be over */
	if (strcmp(c->name, "self.pagerd") == 0 && !pagerwatch_knows(s->pagerwatch))
		return true;
	if (strcmp(c->name, "self.peer") == 0 && s->opspeer && opspeer_link(s->opspeer) == LINK_UNHEARD)
		return true;
	if (!judge_problem(j) || blocked) {
		c->was_blocked = blocked && judge_problem(j);
		c->verify_ms = c->hold_until_ms = 0;
		return false;
	}
	bool news = !j->said || j->said_suppressed || j->said_state != j->hard;
	bool wait = must_verify(s, c, now_ms) || (news && must_ask_parents(s, c, now_ms));
	if (!wait)
		c->hold_until_ms = 0;
	else if (now_ms >= c->hold_until_ms)
		wait = false; /* waited long enough: better a page too many */
	return wait;
}

/* Which of the two ops hosts pages a check that both watch. What waits for the other's word waits no longer than we have
 * patience. */
static enum standin_do ask_peer(const struct super *s, struct check *c, int64_t now_ms)
{
	if (!s->opspeer || !c->conf || !c->conf->shared || !judge_problem(&c->judge)) {
		c->peer.waiting_ms = 0;
		c->peer.takes = false;
		return STANDIN_PAGE;
	}
	enum standin_do what = opspeer_decide(s->opspeer, c, now_ms);
	if (what != STANDIN_WAIT)
		c->peer.waiting_ms = 0;
	else if (!c->peer.waiting_ms)
		c->peer.waiting_ms = now_ms;
	int64_t left = opspeer_patience(s->opspeer) - (now_ms - c->peer.waiting_ms);
	c->peer.takes = c->peer.waiting_ms && left <= opspeer_notice(s->opspeer);
	return what == STANDIN_WAIT && left <= 0 ? STANDIN_PAGE : what;
}

/* A flexible one: the problem that stands or begins in its time sets a downtime off, each problem once. */
static void recur_flexibly(struct check *c, const struct recurring *r, const struct stamp *now)
{
	char why[160];
	if (!judge_problem(&c->judge) || downtime_given(&c->downtime) ||
	    (c->recurred_ms && c->judge.since.wall_ms <= c->recurred_ms))
		return;
	if (!downtime_set(&c->downtime, 0, now->wall_ms + r->conf->duration_ms, 0, r->conf->name, r->conf->comment,
			  now->wall_ms, why, sizeof why))
		return;
	c->recurred_ms = now->wall_ms;
	c->dirty = true;
}

/* The first of the weekly downtimes that is its and holds. */
static void recur(struct super *s, struct check *c, const struct stamp *now)
{
	bool held = downtime_given(&c->recurring), holds = false;
	for (size_t i = 0; c->recurs && i < s->checks.nrecurring && !holds; i++) {
		struct recurring *r = &s->checks.recurring[i];
		if (!(c->recurs >> i & 1))
			continue;
		recurring_look(r, now->wall_ms);
		if (r->holds && r->conf->duration_ms)
			recur_flexibly(c, r, now);
		holds = r->holds && !r->conf->duration_ms;
		if (holds)
			recurring_apply(r, &c->recurring, now->wall_ms);
	}
	if (!holds)
		downtime_clear(&c->recurring);
	if (holds != held)
		snapshot_later(s);
}

void settle_check(struct super *s, struct check *c)
{
	struct stamp now = clock_stamp();
	const struct check *by = NULL;
	struct judge_say say;
	/* own link: seen at once, so that an unplugged cable is known before its children's pages leave */
	if (judge_problem(&c->judge) && c->below_self && !c->judge.said)
		s->look_at_self(s, now.boot_ms);
	recur(s, c, &now);
	if (judge_problem(&c->judge) && downtime_set_off(&c->downtime, now.wall_ms)) {
		char text[400];
		log_notice("%s: %s", c->name, downtime_text(&c->downtime, text, sizeof text));
		c->dirty = true; /* at the latest the event's record holds it */
	}
	bool blocked = parents_block(&s->checks, c, &by) || depends_mute(c), downtime = false;
	enum standin_do peer = ask_peer(s, c, now.boot_ms);
	bool mute = find_mute(s, c, &now, blocked, by, peer == STANDIN_MUTE, &downtime);
	snprintf(c->below, sizeof c->below, "%s", mute && !downtime && by ? by->name : "");
	struct judge_env env = {.mute = mute ? c->mute : NULL, .downtime = downtime};
	env.flapping = c->flapping.on;
	env.flap_state = flapping_worst(&c->flapping);
	env.hold = must_hold(s, c, blocked, now.boot_ms) || peer == STANDIN_WAIT;
	env.open_as = c->peer.claim == CLAIM_PAGES ? c->peer.opened : 0;
	/* what flapping kept back is two events: the end of that, and what is now */
	for (int i = 0; i < 2 && judge_settle(&c->judge, &env, &now, &say); i++)
		say_event(s, c, &say, c->mute);
	if (downtime_over(&c->downtime, now.wall_ms)) {
		log_notice("%s: its downtime is over", c->name);
		downtime_clear(&c->downtime);
		c->dirty = true;
	}
}

void settle_all(struct super *s)
{
	for (size_t i = 0; i < s->checks.n; i++)
		settle_check(s, s->checks.v[i]);
}
