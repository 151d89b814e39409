/* Time; see tick.h. */
#include "tick.h"

#include <stdio.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "lib/contract/spool.h"
#include "apply.h"
#include "core.h"
#include "due.h"
#include "monitord/peers/opspeer.h"
#include "monitord/peers/pagerwatch.h"
#include "monitord/peers/prober.h"
#include "passive.h"
#include "say.h"
#include "self.h"
#include "settle.h"
#include "snapshot.h"
#include "waiters.h"

/* A tick that comes so late means that we slept (suspend, SIGSTOP): no one else is to blame for that time. */
enum { TICK_MS = 1000, SLEPT_MS = 5000 };

/* While a prober is down but not yet long enough for self.prober to say so, that has the first word: it then
 * speaks for all its checks. */
static bool prober_is_asked(const struct super *s, const struct check *c)
{
	const struct check *prober = c->remote ? c->remote : checks_find(&s->checks, "self.prober");
	const struct place *p = due_place_of(s, c);
	return p && place_is_down(p) && !judge_problem(&prober->judge);
}

/* Its remote is known to be down: nothing is known of it any more, and nobody need wait to say so. */
static bool is_out_of_reach(const struct super *s, const struct check *c)
{
	return c->remote && judge_down(&c->remote->judge) && place_is_down(due_place_of(s, c));
}

static void look_for_stale(struct super *s, int64_t now_ms)
{
	for (size_t i = 0; i < s->checks.nslots; i++) {
		struct check *c = check_of_slot(s->checks.slots[i]);
		int64_t limit = TICK_STALE_INTERVALS * c->slot.interval_ms + c->conf->timeout_ms;
		/* one that is tried rarely on purpose has its say already */
		if (c->judge.stale || c->run || due_is_paused(c))
			continue;
		if (is_out_of_reach(s, c))
			core_unreachable(s, c);
		else if (now_ms - c->fresh_ms > limit && !prober_is_asked(s, c))
			core_stale(s, c, now_ms);
	}
}

static void look_for_passive(struct super *s, int64_t now_ms)
{
	for (size_t i = 0; i < s->checks.n; i++)
		if (passive_is_stale(s->checks.v[i], now_ms))
			core_stale(s, s->checks.v[i], now_ms);
}

static void on_settle(void *arg)
{
	settle_all(arg);
}

static void forgive(struct super *s, int64_t ms, int64_t now_ms)
{
	char span[32];
	log_warn("this process did not run for %s", clock_span(ms, span, sizeof span));
	for (size_t i = 0; i < s->checks.nslots; i++)
		check_of_slot(s->checks.slots[i])->fresh_ms += ms;
	for (size_t i = 0; i < s->nplaces; i++)
		if (s->places[i])
			place_forgive(s->places[i], ms);
	pagerwatch_forgive(s->pagerwatch, now_ms);
	opspeer_forgive(s->opspeer, ms);
}

/* Writes what can wait, some at a time: records that only lost an event that has arrived. */
static void save_leisurely(struct super *s)
{
	int left = 100;
	for (size_t i = 0; i < s->checks.n && left > 0; i++) {
		if (!s->checks.v[i]->dirty)
			continue;
		state_save(&s->state, s->checks.v[i]);
		left--;
	}
}

static void on_tick(void *arg)
{
	struct super *s = arg;
	int64_t now = clock_boot_ms(), slept = now - s->tick_ms - TICK_MS;
	s->tick_ms = now;
	loop_timer_in(s->tick_timer, TICK_MS);
	if (slept > SLEPT_MS)
		forgive(s, slept, now);
	for (size_t i = 0; i < s->nplaces; i++)
		if (s->places[i])
			place_tick(s->places[i], now);
	pagerwatch_tick(s->pagerwatch, now);
	self_tick(s, now);
	look_for_stale(s, now);
	look_for_passive(s, now);
	settle_all(s);
	opspeer_tick(s->opspeer, now);
	for (size_t i = 0; i < s->checks.n; i++)
		if (s->checks.v[i]->out)
			say_tick(s, s->checks.v[i], now);
	waiters_tick(s, now);
	apply_bury_finally(s);
	save_leisurely(s);
	if (now - s->beat_snapshot_ms >= s->conf->beat_ms) {
		s->beat_snapshot_ms = now;
		snapshot_write(s);
	}
	due_start(s);
}

static void on_snapshot(void *arg)
{
	snapshot_flush(arg);
}

void tick_start(struct super *s)
{
	s->tick_ms = clock_boot_ms();
	s->disk_fd = loop_fd_new(s->base, diskq_fd(s->disk), core_on_disk, s);
	s->spool_fd = loop_fd_new(s->base, spool_writer_fd(s->spool), core_on_spool, s);
	s->tick_timer = loop_timer_new(s->base, on_tick, s);
	s->sched_timer = loop_timer_new(s->base, due_start, s);
	s->settle_timer = loop_timer_new(s->base, on_settle, s);
	s->snapshot_timer = loop_timer_new(s->base, on_snapshot, s);
	loop_timer_in(s->tick_timer, 0);
}

void tick_stop(struct super *s)
{
	s->stopping = true;
	for (size_t i = 0; i < s->checks.nslots; i++)
		due_drop_run(s, check_of_slot(s->checks.slots[i]));
	for (size_t i = 0; i < s->nplaces; i++) {
		place_free(s->places[i]);
		s->places[i] = NULL;
	}
	/* what is on its way gets there, or is written again at the next start */
	diskq_flush(s->disk, 3000);
	core_on_disk(s);
	spool_writer_flush(s->spool, 3000);
	say_spool_fates(s);
	for (size_t i = 0; i < s->checks.n; i++)
		if (s->checks.v[i]->dirty)
			state_save(&s->state, s->checks.v[i]);
	diskq_flush(s->disk, 3000);
	snapshot_write(s);
}
