/* The core; see core.h. */
#include "core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/control.h"
#include "../lib/json.h"
#include "../lib/log.h"
#include "../lib/loop.h"
#include "../lib/spool.h"
#include "control_cmds.h"
#include "pagerwatch.h"
#include "prober.h"
#include "say.h"
#include "self.h"
#include "settle.h"
#include "snapshot.h"

/* Checks that run more rarely than this have each run recorded, so that a restart does not run them again. */
enum { RARE_MS = 300000 };
/* A run that is lost with its prober is made again at once, but not for ever: it may be what kills it. */
enum { DEATHS_MAX = 3, BLOB_MAX = 65536 };
/* From so many blocked runs in a row on the pauses double, to an hour. */
enum { STUCK_MAX = 3, STUCK_PAUSE_MAX_MS = 3600000 };

/* --- starting what is due -------------------------------------------------------------------------- */

struct place *core_place_of(const struct super *s, const struct check *c)
{
	return s->places[c->kind == CHECK_LOCAL ? PLACE_LOCAL : PLACE_NET];
}

static void mark_blocked(struct super *s)
{
	bool room[2];
	for (int i = 0; i < 2; i++)
		room[i] = s->places[i] && place_has_room(s->places[i]);
	for (size_t i = 0; i < s->checks.nslots; i++) {
		struct check *c = check_of_slot(s->checks.slots[i]);
		c->slot.blocked = !room[c->kind == CHECK_LOCAL ? PLACE_LOCAL : PLACE_NET];
	}
}

void core_start_due(void *arg)
{
	struct super *s = arg;
	if (s->stopping)
		return;
	int64_t wake = SCHED_NEVER;
	struct sched_slot *slot;
	mark_blocked(s);
	while ((slot = sched_next(s->checks.slots, s->checks.nslots, clock_boot_ms(), &wake))) {
		struct check *c = check_of_slot(slot);
		c->run = place_run(core_place_of(s, c), c, c->blob);
		if (!c->run) {
			slot->blocked = true; /* looked at again with the next tick */
			continue;
		}
		sched_started(slot, c->run->started.boot_ms, s->conf->host_gap_ms);
		if (!place_has_room(core_place_of(s, c)))
			mark_blocked(s);
	}
	int64_t wait = wake == SCHED_NEVER ? CORE_LOOK_MS : wake - clock_boot_ms();
	loop_timer_in(s->sched_timer, wait < 0 ? 0 : wait > CORE_LOOK_MS ? CORE_LOOK_MS : wait);
}

void core_start_soon(struct super *s)
{
	if (s->sched_timer)
		loop_timer_in(s->sched_timer, 0);
}

void core_run_now(struct super *s, struct check *c)
{
	if (!c->conf)
		return;
	sched_now(&c->slot, clock_boot_ms());
	core_start_soon(s);
}

int64_t core_overdue(const struct super *s, const char **name)
{
	int64_t now = clock_boot_ms(), worst = 0;
	*name = "";
	for (size_t i = 0; i < s->checks.nslots; i++) {
		int64_t age = sched_overdue(s->checks.slots[i], now);
		if (age > worst) {
			worst = age;
			*name = check_of_slot(s->checks.slots[i])->name;
		}
	}
	return worst;
}

/* --- results --------------------------------------------------------------------------------------- */

static void publish_change(struct super *s, const struct check *c)
{
	if (!s->control)
		return;
	struct stamp now = clock_stamp();
	cJSON *v = cJSON_CreateObject();
	cJSON_AddItemToObject(v, "change", check_to_json(c, &now));
	control_publish(s->control, v);
	cJSON_Delete(v);
}

/* A confirmed change gets its line when it is said (say.c), or not at all; here are the others. */
static void log_step(const struct check *c, enum judge_step step, bool first)
{
	const struct judge *j = &c->judge;
	const char *text = c->text ? c->text : "";
	if (step == JUDGE_SOFT && j->measured && j->state != NAG_OK)
		log_info("%s: %s, attempt %d of %d: %s", c->name, nag_name(j->state), j->attempt, c->max,
			 text);
	else if (step == JUDGE_SOFT && !j->measured)
		log_info("%s: not measured, %d of %d: %s", c->name, j->unmeasured,
			 judge_unmeasured_max(c->max), text);
	else if (step == JUDGE_SOFT)
		log_msg(first ? LOG_L_DEBUG : LOG_L_INFO, "%s: OK: %s", c->name, text);
}

/* What follows from a new judgement: words, the record, the status. */
static void judged(struct super *s, struct check *c, enum judge_step step, bool first, bool record)
{
	uint64_t ticket = c->ticket;
	log_step(c, step, first);
	settle_check(s, c);
	if (record && ticket == c->ticket) /* saying something has it recorded already */
		state_save(&s->state, c);
	if (step == JUDGE_SAME)
		return;
	publish_change(s, c);
	snapshot_later(s);
	if (c->explains)
		core_settle_soon(s);
}

/* NULL when there is no memory. */
static char *perf_text(const struct result *res)
{
	struct buf text;
	buf_init(&text, JSON_LINE_MAX);
	char *copy = result_write_perf(res, &text) ? strdup(text.data) : NULL;
	buf_fini(&text);
	return copy;
}

/* True when the state the probe leaves differs from what we have. */
static bool take_blob(struct check *c, const char *blob)
{
	if (!blob || strlen(blob) > BLOB_MAX || (c->blob && strcmp(c->blob, blob) == 0))
		return false;
	char *copy = strdup(blob);
	if (!copy)
		return false;
	free(c->blob);
	c->blob = copy;
	return true;
}

/* From when on the results are what they are: whatever may explain them must be as new. */
static void note_turn(struct check *c, const struct judge *before, const struct run *r)
{
	if (before->state != c->judge.state || before->measured != c->judge.measured || !before->ever)
		c->turned_ms = r->started.boot_ms;
}

static void run_ended(struct super *s, struct check *c, bool at_once)
{
	int64_t now = clock_boot_ms();
	c->run = NULL;
	c->fresh_ms = now;
	sched_ended(&c->slot, judge_retrying(&c->judge, c->max), at_once, now);
	core_start_soon(s);
}

/* Each run that blocks costs a prober, which may not even be killable: such a check is tried more and more
 * rarely. */
static void pause_if_stuck(struct check *c, const char *layer)
{
	c->stuck = strcmp(layer, "blocked") == 0 ? c->stuck + 1 : 0;
	if (c->stuck < STUCK_MAX)
		return;
	int doublings = c->stuck - STUCK_MAX > 10 ? 10 : c->stuck - STUCK_MAX;
	int64_t pause = c->slot.interval_ms << doublings;
	sched_not_before(&c->slot,
			 clock_boot_ms() + (pause > STUCK_PAUSE_MAX_MS ? STUCK_PAUSE_MAX_MS : pause));
}

static void on_done(void *arg, struct run *r, struct result *res, const char *blob, double run_ms)
{
	struct super *s = arg;
	struct check *c = r->check;
	struct judge before = c->judge;
	struct stamp now = clock_stamp();
	c->has_run = true;
	c->last_run = r->started;
	c->run_ms = run_ms;
	c->deaths = 0;
	check_set_result(c, res->layer, buf_str(&res->text), buf_str(&res->more),
			 res->nperf ? perf_text(res) : NULL);
	bool record = take_blob(c, blob);
	enum judge_step step = judge_result(&c->judge, c->max, res->state, res->measured, &now);
	record = record || before.attempt != c->judge.attempt || before.unmeasured != c->judge.unmeasured ||
		 step != JUDGE_SAME || c->conf->interval_ms >= RARE_MS;
	note_turn(c, &before, r);
	run_ended(s, c, false);
	pause_if_stuck(c, res->layer);
	judged(s, c, step, !before.ever, record);
	commands_answer_run(s, c, r->started.boot_ms);
}

static void on_lost(void *arg, struct run *r, const char *why, bool culprit)
{
	struct super *s = arg;
	struct check *c = r->check;
	struct judge before = c->judge;
	struct stamp now = clock_stamp();
	c->has_run = true;
	c->last_run = r->started;
	c->deaths++;
	check_set_result(c, "prober", why, NULL, NULL);
	bool at_once = !culprit && c->deaths < DEATHS_MAX;
	self_prober(s, now.boot_ms);
	enum judge_step step = judge_result(&c->judge, c->max, NAG_UNKNOWN, false, &now);
	note_turn(c, &before, r);
	run_ended(s, c, at_once);
	judged(s, c, step, !before.ever, true);
	if (!at_once)
		commands_answer_run(s, c, r->started.boot_ms);
}

static void on_store(void *arg, struct run *r, const char *state)
{
	struct super *s = arg;
	struct check *c = r->check;
	if (strlen(state) > BLOB_MAX) {
		log_warn("%s: the probe's state is larger than 64 KiB and is refused", c->name);
		place_stored(r, false);
		return;
	}
	take_blob(c, state);
	state_save(&s->state, c);
	r->store_ticket = c->ticket;
}

static void on_room(void *arg)
{
	struct super *s = arg;
	core_start_soon(s);
}

const struct place_calls core_place_calls = {
    .done = on_done, .lost = on_lost, .store = on_store, .room = on_room};

void core_drop_run(struct super *s, struct check *c)
{
	if (!c->run)
		return;
	place_cancel(c->run);
	run_ended(s, c, true);
}

void core_self(struct super *s, const char *name, enum nag_state state, const char *layer, const char *text)
{
	struct check *c = checks_find(&s->checks, name);
	struct judge before = c->judge;
	struct stamp now = clock_stamp();
	c->has_run = true;
	c->last_run = now;
	c->fresh_ms = now.boot_ms;
	check_set_result(c, layer, text, NULL, NULL);
	enum judge_step step = judge_result(&c->judge, c->max, state, true, &now);
	judged(s, c, step, !before.ever, step != JUDGE_SAME || before.attempt != c->judge.attempt);
}

void core_stale(struct super *s, struct check *c, int64_t now_ms)
{
	char text[120], span[32];
	struct stamp now = clock_stamp();
	snprintf(text, sizeof text, "stale: no result for %s",
		 clock_span(now_ms - c->fresh_ms, span, sizeof span));
	check_set_result(c, "stale", text, NULL, NULL);
	judged(s, c, judge_stale(&c->judge, c->max, &now), false, true);
}

bool core_is_paused(const struct check *c)
{
	return c->stuck >= STUCK_MAX;
}

/* --- the disk tells -------------------------------------------------------------------------------- */

static void recorded(struct super *s, struct check *c, const struct diskq_fate *f)
{
	say_recorded(s, c, f->ticket);
	if (c->run && c->run->store_ticket && c->run->store_ticket <= f->ticket)
		place_stored(c->run, f->where == DISKQ_DURABLE);
	commands_answer_write(s, c, f->ticket, f->where == DISKQ_DURABLE ? NULL : f->why);
}

void core_on_disk(void *arg)
{
	struct super *s = arg;
	struct diskq_fate f;
	while (diskq_fate(s->disk, &f)) {
		bool sick = f.where != DISKQ_DURABLE;
		if (sick && !s->state.trouble[0])
			log_err("state: %s: %s", s->state.dir, f.why);
		else if (!sick && s->state.trouble[0])
			log_notice("state: %s takes records again", s->state.dir);
		snprintf(s->state.trouble, sizeof s->state.trouble, "%s%.150s", sick ? "state: " : "", f.why);
		struct check *c = checks_find(&s->checks, f.key);
		for (size_t i = 0; !c && i < s->nburied; i++)
			if (strcmp(s->buried[i]->name, f.key) == 0)
				c = s->buried[i];
		if (c)
			recorded(s, c, &f);
	}
}

void core_on_spool(void *arg)
{
	struct super *s = arg;
	say_spool_fates(s);
}

void core_settle_soon(struct super *s)
{
	if (s->settle_timer)
		loop_timer_in(s->settle_timer, 0);
}

void core_downtime_changed(struct super *s, struct check *c)
{
	settle_check(s, c);
	state_save(&s->state, c);
	publish_change(s, c);
	snapshot_later(s);
}
