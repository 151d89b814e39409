/* The core; see core.h. */
#include "core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/contract/control.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/contract/spool.h"
#include "diagnosis.h"
#include "due.h"
#include "monitord/peers/prober.h"
#include "say.h"
#include "settle.h"
#include "snapshot.h"
#include "waiters.h"

/* Checks that run more rarely than this have each run recorded, so that a restart does not run them again. */
enum { RARE_MS = 300000 };
/* A run that is lost with its prober is made again at once, but not for ever: it may be what kills it. */
/* Who brought that many down is left alone for an hour. */
enum { DEATHS_MAX = 3, KILLS_MAX = 2, BLOB_MAX = 65536 };

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

/* Counts what is confirmed; true when it began or ceased to flap. A built-in check is looked at once a second, which says
 * nothing about how often it changes. */
static bool sample(struct check *c)
{
	if (!c->conf || !judge_is_hard(&c->judge))
		return false;
	const struct flapping_limits limits = {
		.low = c->conf->flap_low, .high = c->conf->flap_detection ? c->conf->flap_high : 0};
	return flapping_sample(&c->flapping, c->judge.hard, &limits);
}

/* A problem that nothing could name when it was said, or not the cause above it, may be named by a later result. Only what it
 * says now may be: it still is what was said, and was measured. Looked at once a second only: it asks every check. */
static void name_later(struct super *s, struct check *c)
{
	const struct judge *j = &c->judge;
	int64_t now = clock_boot_ms();
	if (!j->said || !j->measured || !j->said_measured || j->state != j->said_state || c->flapping.on ||
	    !judge_problem(j) || now - s->named_ms < 1000)
		return;
	s->named_ms = now;
	if (diagnosis_name(s, c, false))
		say_named(s, c);
}

/* What follows from a new judgement: words, the record, the status. */
static void judged(struct super *s, struct check *c, enum judge_step step, bool first, bool record)
{
	uint64_t ticket = c->ticket;
	log_step(c, step, first);
	record = sample(c) || record;
	settle_check(s, c);
	if (ticket == c->ticket)
		name_later(s, c);
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

/* A result without facts has none: old ones would name what is over. */
static void take_facts(struct check *c, const struct buf *members)
{
	struct buf text;
	cJSON_Delete(c->facts);
	c->facts = NULL;
	if (!members->len)
		return;
	buf_init(&text, RESULT_FACTS_MAX + 8);
	if (buf_puts(&text, "{") && buf_puts(&text, members->data) && buf_puts(&text, "}"))
		c->facts = json_parse(text.data, text.len, text.len, NULL);
	buf_fini(&text);
}

/* From when on the results are what they are: whatever may explain them must be as new. */
static void note_turn(struct check *c, const struct judge *before, const struct run *r)
{
	if (before->state != c->judge.state || before->measured != c->judge.measured || !before->ever)
		c->turned_ms = r->started.boot_ms;
}

void core_done(void *arg, struct run *r, struct result *res, const char *blob, double run_ms)
{
	struct super *s = arg;
	struct check *c = r->check;
	struct judge before = c->judge;
	struct stamp now = clock_stamp();
	c->has_run = true;
	c->last_run = r->started;
	c->run_ms = run_ms;
	bool was_quarantined = c->quarantined;
	c->deaths = c->kills = 0;
	c->resting = c->quarantined = false;
	check_set_result(c, res->layer, buf_str(&res->text), buf_str(&res->more),
			 res->nperf ? perf_text(res) : NULL);
	take_facts(c, &res->facts);
	diagnosis_learn(c);
	bool record = take_blob(c, blob) || was_quarantined;
	enum judge_step step = judge_result(&c->judge, c->max, res->state, res->measured, &now);
	record = record || before.attempt != c->judge.attempt || before.unmeasured != c->judge.unmeasured ||
		 step != JUDGE_SAME || c->conf->interval_ms >= RARE_MS;
	note_turn(c, &before, r);
	due_ended(s, c, false);
	due_pause_if_stuck(c, res->layer);
	judged(s, c, step, !before.ever, record);
	waiters_run_ended(c, r->started.boot_ms);
}

/* Not run for an hour, and said at once: no further attempt will confirm it. */
static void quarantine(struct super *s, struct check *c, const char *why)
{
	char text[RESULT_TEXT_MAX];
	struct stamp now = clock_stamp();
	snprintf(text, sizeof text, "quarantined: it killed its prober %d times (%.200s); tried again after 1 h, after a reload, or by monitorctl release",
		 c->kills, why);
	log_err("%s: %s", c->name, text);
	check_set_result(c, "quarantine", text, NULL, NULL);
	enum judge_step step = judge_result(&c->judge, c->max, NAG_UNKNOWN, false, &now);
	for (int i = judge_unmeasured_max(c->max); i > 0 && !judge_is_hard(&c->judge); i--)
		step = judge_result(&c->judge, c->max, NAG_UNKNOWN, false, &now);
	due_ended(s, c, false);
	due_quarantine(c); /* before it is recorded: a restart must not let it kill again */
	judged(s, c, step, false, true);
}

void core_lost(void *arg, struct run *r, const char *why, bool culprit)
{
	struct super *s = arg;
	struct check *c = r->check;
	struct judge before = c->judge;
	struct stamp now = clock_stamp();
	c->has_run = true;
	c->last_run = r->started;
	c->deaths++;
	c->kills += culprit;
	if (c->kills >= KILLS_MAX) {
		note_turn(c, &before, r);
		quarantine(s, c, why);
		waiters_run_ended(c, r->started.boot_ms);
		return;
	}
	check_set_result(c, "prober", why, NULL, NULL);
	bool at_once = !culprit && c->deaths < DEATHS_MAX;
	enum judge_step step = judge_result(&c->judge, c->max, NAG_UNKNOWN, false, &now);
	note_turn(c, &before, r);
	due_ended(s, c, at_once);
	judged(s, c, step, !before.ever, true);
	if (!at_once)
		waiters_run_ended(c, r->started.boot_ms);
}

void core_store(void *arg, struct run *r, const char *state)
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

void core_passive(struct super *s, struct check *c, const struct result *res)
{
	struct judge before = c->judge;
	struct stamp now = clock_stamp();
	c->has_run = true;
	c->last_run = now;
	c->fresh_ms = c->turned_ms = now.boot_ms;
	check_set_result(c, res->layer, buf_str(&res->text), buf_str(&res->more),
			 res->nperf ? perf_text(res) : NULL);
	take_facts(c, &res->facts);
	enum judge_step step = judge_result(&c->judge, c->max, res->state, res->measured, &now);
	judged(s, c, step, !before.ever, true); /* recorded: its age outlives a restart */
	waiters_run_ended(c, now.boot_ms);
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

void core_unreachable(struct super *s, struct check *c)
{
	char text[EVENT_NAME_MAX + 80];
	struct stamp now = clock_stamp();
	snprintf(text, sizeof text, "unreachable: %s is down, and this runs there", c->remote->name);
	check_set_result(c, "remote", text, NULL, NULL);
	judged(s, c, judge_stale(&c->judge, c->max, &now), false, true);
}

/* --- the disk tells -------------------------------------------------------------------------------- */

static void recorded(struct super *s, struct check *c, const struct diskq_fate *f)
{
	say_recorded(s, c, f->ticket);
	if (c->run && c->run->store_ticket && c->run->store_ticket <= f->ticket)
		place_stored(c->run, f->where == DISKQ_DURABLE);
	waiters_written(c, f->ticket, f->where == DISKQ_DURABLE ? NULL : f->why);
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

void core_release(struct super *s, struct check *c)
{
	log_notice("%s: released from quarantine", c->name);
	due_release(s, c);
	state_save(&s->state, c);
	publish_change(s, c);
	snapshot_later(s);
}

void core_downtime_changed(struct super *s, struct check *c)
{
	settle_check(s, c);
	state_save(&s->state, c);
	publish_change(s, c);
	snapshot_later(s);
}
