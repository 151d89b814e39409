/* Circumstances; see settle.h. Called by the core after each result and every second. */
#include "settle.h"

#include <stdio.h>
#include <string.h>

#include "../lib/log.h"
#include "core.h"
#include "pagerwatch.h"
#include "parents.h"
#include "say.h"
#include "self.h"

/* Whether the problem is one of our own prober and not of what it measures: then self.prober speaks for all.
 */
static bool is_probers_fault(const struct super *s, const struct check *c)
{
	const struct check *prober = checks_find(&s->checks, "self.prober");
	return c->conf && !c->judge.hard_measured && prober && judge_problem(&prober->judge) &&
	       (c->judge.stale || strcmp(c->layer, "prober") == 0);
}

/* Fills c->mute; true when it is muted. */
static bool find_mute(const struct super *s, struct check *c, const struct stamp *now, bool blocked,
		      const struct check *by, bool *downtime)
{
	const char *paged;
	c->mute[0] = '\0';
	*downtime = downtime_active(&c->downtime, now->wall_ms);
	if (*downtime)
		downtime_text(&c->downtime, c->mute, sizeof c->mute);
	else if (blocked)
		snprintf(c->mute, sizeof c->mute, "below %s, which is down", by->name);
	else if (is_probers_fault(s, c))
		snprintf(c->mute, sizeof c->mute, "below self.prober, which is in trouble");
	else if (strcmp(c->name, "self.pagerd") == 0 && (paged = pagerwatch_paged(s->pagerwatch)))
		snprintf(c->mute, sizeof c->mute, "%s", paged);
	return c->mute[0] != '\0';
}

static int64_t patience(const struct check *c)
{
	int64_t longest = c->conf ? c->conf->timeout_ms : 0;
	for (size_t i = 0; i < c->nparents; i++)
		if (c->parents[i]->conf && c->parents[i]->conf->timeout_ms > longest)
			longest = c->parents[i]->conf->timeout_ms;
	return longest + SETTLE_PATIENCE_MS;
}

/* A parent came back and the child is still down as far as we know: its next run decides. */
static bool must_verify(struct super *s, struct check *c, int64_t now_ms)
{
	if (c->was_blocked) {
		c->was_blocked = false;
		c->verify_ms = now_ms;
		c->hold_until_ms = now_ms + patience(c);
		core_run_now(s, c);
	}
	if (c->verify_ms && c->has_run && c->last_run.boot_ms >= c->verify_ms)
		c->verify_ms = 0;
	return c->verify_ms != 0;
}

/* A parent may have died before the child did, its next run not being due yet: it is run now. */
static bool must_ask_parents(struct super *s, struct check *c, int64_t now_ms)
{
	if (!parents_unsure(c))
		return false;
	if (!c->hold_until_ms) {
		c->hold_until_ms = now_ms + patience(c);
		for (size_t i = 0; i < c->nparents; i++)
			core_run_now(s, c->parents[i]);
	}
	return true;
}

static bool must_hold(struct super *s, struct check *c, bool blocked, int64_t now_ms)
{
	const struct judge *j = &c->judge;
	if (strcmp(c->name, "self.pagerd") == 0 && !pagerwatch_knows(s->pagerwatch))
		return true; /* what was so before our restart may be over */
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

void settle_check(struct super *s, struct check *c)
{
	struct stamp now = clock_stamp();
	const struct check *by = NULL;
	struct judge_say say;
	/* own link: seen at once, so that an unplugged cable is known before its children's pages leave */
	if (judge_problem(&c->judge) && c->below_self && !c->judge.said)
		self_look(s, now.boot_ms);
	bool blocked = parents_block(&s->checks, c, &by), downtime = false;
	bool mute = find_mute(s, c, &now, blocked, by, &downtime);
	struct judge_env env = {.mute = mute ? c->mute : NULL, .downtime = downtime};
	env.hold = must_hold(s, c, blocked, now.boot_ms);
	if (judge_settle(&c->judge, &env, &now, &say))
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
