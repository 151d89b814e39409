/* What is due; see due.h. */
#include "due.h"

#include <string.h>

#include "lib/loop.h"
#include "monitord/peers/prober.h"
#include "monitord/rules/depends.h"

/* From so many blocked runs in a row on the pauses double, to an hour. */
enum { STUCK_MAX = 3, STUCK_PAUSE_MAX_MS = 3600000, QUARANTINE_MS = 3600000 };

static size_t place_number(const struct check *c)
{
	if (c->conf && c->conf->on)
		return SUPER_REMOTES + c->conf->on - 1;
	return c->kind == CHECK_LOCAL ? PLACE_LOCAL : PLACE_NET;
}

struct place *due_place_of(const struct super *s, const struct check *c)
{
	return s->places[place_number(c)];
}

static void mark_blocked(struct super *s)
{
	bool room[SUPER_PLACES_MAX];
	for (size_t i = 0; i < s->nplaces; i++)
		room[i] = s->places[i] && place_has_room(s->places[i]);
	for (size_t i = 0; i < s->checks.nslots; i++) {
		struct check *c = check_of_slot(s->checks.slots[i]);
		c->slot.blocked = !room[place_number(c)];
	}
}

/* It is not its time, or what it depends on fails and somebody said that it is not to run then. Who asks for a run gets one. */
static bool is_held_back(struct check *c, int64_t now_ms)
{
	int64_t next;
	bool off = !config_runs_now(c->conf, clock_wall_ms() / 1000, &next);
	if (!off && (c->ndepends == 0 || !depends_hold(c)))
		return false;
	for (const struct waiter *w = c->waiters; w; w = w->next)
		if (w->after_ms)
			return false;
	c->fresh_ms = now_ms;
	c->resting |= off;
	return true;
}

void due_start(void *arg)
{
	struct super *s = arg;
	if (s->stopping)
		return;
	int64_t wake = SCHED_NEVER;
	struct sched_slot *slot;
	mark_blocked(s);
	while ((slot = sched_next(s->checks.slots, s->checks.nslots, clock_boot_ms(), &wake))) {
		struct check *c = check_of_slot(slot);
		if (is_held_back(c, clock_boot_ms())) {
			sched_skip(slot, clock_boot_ms());
			continue;
		}
		c->run = place_run(due_place_of(s, c), c, c->blob);
		if (!c->run) {
			slot->blocked = true; /* looked at again with the next tick */
			continue;
		}
		sched_started(slot, c->run->started.boot_ms, s->conf->host_gap_ms);
		if (!place_has_room(due_place_of(s, c)))
			mark_blocked(s);
	}
	int64_t wait = wake == SCHED_NEVER ? DUE_LOOK_MS : wake - clock_boot_ms();
	loop_timer_in(s->sched_timer, wait < 0 ? 0 : wait > DUE_LOOK_MS ? DUE_LOOK_MS : wait);
}

void due_start_soon(struct super *s)
{
	if (s->sched_timer)
		loop_timer_in(s->sched_timer, 0);
}

void due_run_now(struct super *s, struct check *c)
{
	if (!c->conf || c->kind == CHECK_PASSIVE)
		return;
	sched_now(&c->slot, clock_boot_ms());
	due_start_soon(s);
}

int64_t due_overdue(const struct super *s, const char **name)
{
	int64_t now = clock_boot_ms(), worst = 0;
	*name = "";
	for (size_t i = 0; i < s->checks.nslots; i++) {
		const struct check *c = check_of_slot(s->checks.slots[i]);
		int64_t age = sched_overdue(s->checks.slots[i], now);
		/* that another host cannot be reached says nothing about us; self.remote.NAME says it */
		if (age > worst && !(c->remote && place_is_down(due_place_of(s, c)))) {
			worst = age;
			*name = check_of_slot(s->checks.slots[i])->name;
		}
	}
	return worst;
}

void due_ended(struct super *s, struct check *c, bool at_once)
{
	int64_t now = clock_boot_ms();
	c->run = NULL;
	c->fresh_ms = now;
	sched_ended(&c->slot, judge_retrying(&c->judge, c->max), at_once, now);
	due_start_soon(s);
}

/* Each run that blocks costs a prober, which may not even be killable: such a check is tried more and more
 * rarely. */
void due_pause_if_stuck(struct check *c, const char *layer)
{
	c->stuck = strcmp(layer, "blocked") == 0 ? c->stuck + 1 : 0;
	if (c->stuck < STUCK_MAX)
		return;
	int doublings = c->stuck - STUCK_MAX > 10 ? 10 : c->stuck - STUCK_MAX;
	int64_t pause = c->slot.interval_ms << doublings;
	sched_not_before(&c->slot,
			 clock_boot_ms() + (pause > STUCK_PAUSE_MAX_MS ? STUCK_PAUSE_MAX_MS : pause));
}

void due_quarantine(struct check *c)
{
	c->quarantined = true;
	c->quarantined_at = clock_stamp();
	sched_not_before(&c->slot, c->quarantined_at.boot_ms + QUARANTINE_MS);
}

void due_quarantine_again(struct check *c)
{
	struct stamp now = clock_stamp();
	int64_t age = clock_age_ms(&c->quarantined_at, &now);
	c->quarantined = c->quarantined && age < QUARANTINE_MS;
	if (c->quarantined)
		sched_not_before(&c->slot, now.boot_ms + (age < 0 ? QUARANTINE_MS : QUARANTINE_MS - age));
}

void due_release(struct super *s, struct check *c)
{
	c->quarantined = false;
	c->kills = c->deaths = 0;
	due_run_now(s, c);
}

void due_drop_run(struct super *s, struct check *c)
{
	if (!c->run)
		return;
	place_cancel(c->run);
	due_ended(s, c, true);
}

bool due_is_paused(const struct check *c)
{
	return c->stuck >= STUCK_MAX || c->quarantined;
}
