/* One running check, and how people see it; see check.h. The table is in checks.c. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "monitord/rules/depends.h"

struct check *check_new(const char *name, enum check_kind kind)
{
	struct check *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	snprintf(c->name, sizeof c->name, "%s", name);
	c->kind = kind;
	c->host = "";
	c->max = 1;
	c->out_last = &c->out;
	c->slot.due_ms = c->slot.waiting_ms = SCHED_NEVER;
	c->fresh_ms = clock_boot_ms();
	struct stamp now = clock_stamp();
	judge_init(&c->judge, 0, &now);
	return c;
}

void check_free(struct check *c)
{
	if (!c)
		return;
	while (c->out) {
		struct outgoing *o = c->out;
		c->out = o->next;
		event_fini(&o->event);
		free(o);
	}
	while (c->waiters) {
		struct waiter *w = c->waiters;
		c->waiters = w->next;
		free(w);
	}
	free(c->parents);
	free(c->depends);
	free(c->text);
	free(c->more);
	free(c->perf);
	cJSON_Delete(c->facts);
	free(c->usual);
	free(c->named);
	free(c->named_ja);
	free(c->blob);
	free(c);
}

struct check *check_of_slot(struct sched_slot *s)
{
	return (struct check *)((char *)s - offsetof(struct check, slot));
}

static char *copy_or_null(const char *s)
{
	return s && *s ? strdup(s) : NULL;
}

void check_set_result(struct check *c, const char *layer, const char *text, const char *more, char *perf)
{
	char *old_text = c->text, *old_more = c->more, *old_perf = c->perf;
	snprintf(c->layer, sizeof c->layer, "%s", layer);
	c->text = copy_or_null(text);
	c->more = copy_or_null(more);
	c->perf = perf;
	free(old_text);
	free(old_more);
	free(old_perf);
}

enum nag_state check_state(const struct check *c)
{
	return c->judge.ever ? c->judge.state : NAG_UNKNOWN;
}

bool check_waiter_add(struct check *c, const struct waiter *given)
{
	struct waiter *w = malloc(sizeof *w);
	if (!w)
		return false;
	*w = *given;
	w->next = c->waiters;
	c->waiters = w;
	return true;
}

static void add_attempts(cJSON *o, const struct check *c)
{
	const struct judge *j = &c->judge;
	bool counts_runs = j->measured;
	int max = counts_runs ? c->max : judge_unmeasured_max(c->max);
	int attempt = counts_runs ? j->attempt : j->unmeasured;
	json_add_int(o, "attempt", j->ever && j->state == NAG_OK && j->measured ? 1 : attempt);
	json_add_int(o, "max", max);
}

static void add_downtime(cJSON *o, const struct check *c, const struct stamp *now)
{
	const struct downtime *d = downtime_given(&c->downtime) ? &c->downtime : &c->recurring;
	if (!downtime_given(d) || downtime_over(d, now->wall_ms)) {
		cJSON_AddNullToObject(o, "downtime");
		return;
	}
	cJSON *v = cJSON_AddObjectToObject(o, "downtime");
	json_add_int(v, "from_wall_ms", d->from_ms);
	json_add_int(v, "until_wall_ms", downtime_end(d));
	if (d->duration_ms) {
		json_add_int(v, "duration_ms", d->duration_ms);
		json_add_int(v, "began_wall_ms", d->began_ms);
	}
	cJSON_AddStringToObject(v, "by", d->by);
	cJSON_AddStringToObject(v, "comment", d->comment);
	cJSON_AddBoolToObject(v, "active", downtime_active(d, now->wall_ms));
	cJSON_AddBoolToObject(v, "recurring", d == &c->recurring);
}

static void add_schedule(cJSON *o, const struct check *c, const struct stamp *now)
{
	if (c->has_run)
		json_add_stamp(o, "last_run", &c->last_run);
	else
		cJSON_AddNullToObject(o, "last_run");
	int64_t next = c->slot.due_ms == SCHED_NEVER ? -1 : c->slot.due_ms - now->boot_ms;
	json_add_int(o, "next_in_ms", next < 0 && c->slot.due_ms != SCHED_NEVER ? 0 : next);
	cJSON_AddBoolToObject(o, "running", c->run != NULL);
	json_add_int(o, "run_ms", (int64_t)(c->run_ms + 0.5));
	json_add_int(o, "skipped", (int64_t)c->slot.skipped);
	json_add_int(o, "late_ms", c->slot.late_ms);
}

static void add_not_run(cJSON *o, const struct check *c, const struct stamp *now)
{
	char why[160], when[TZ_TEXT_MAX];
	int64_t next;
	if (c->conf && !config_runs_now(c->conf, now->wall_ms / 1000, &next))
		snprintf(why, sizeof why, "outside its time until %s", tz_text(c->conf->zone, next, when, sizeof when));
	else if (c->ndepends && depends_hold(c))
		depends_text(depends_hold(c), why, sizeof why);
	else
		return;
	cJSON_AddStringToObject(o, "not_run", why);
}

static void add_groups(cJSON *o, const struct check *c)
{
	cJSON *v = c->conf && c->conf->ngroups ? cJSON_AddArrayToObject(o, "groups") : NULL;
	for (size_t i = 0; v && i < c->conf->ngroups; i++)
		cJSON_AddItemToArray(v, cJSON_CreateString(c->conf->groups[i]));
}

cJSON *check_to_json(const struct check *c, const struct stamp *now)
{
	cJSON *o = cJSON_CreateObject();
	const struct judge *j = &c->judge;
	cJSON_AddStringToObject(o, "name", c->name);
	cJSON_AddStringToObject(o, "host", c->host);
	cJSON_AddStringToObject(o, "probe", c->conf ? c->conf->probe : "");
	if (c->on[0])
		cJSON_AddStringToObject(o, "on", c->on);
	cJSON_AddStringToObject(o, "state", nag_name(check_state(c)));
	cJSON_AddBoolToObject(o, "hard", judge_is_hard(j));
	cJSON_AddStringToObject(o, "hard_state", nag_name(j->hard));
	add_attempts(o, c);
	cJSON_AddBoolToObject(o, "measured", j->measured);
	cJSON_AddStringToObject(o, "layer", c->layer);
	cJSON_AddStringToObject(o, "text", c->text ? c->text : j->ever ? "" : "not checked yet");
	if (c->more)
		cJSON_AddStringToObject(o, "more", c->more);
	if (c->perf)
		cJSON_AddRawToObject(o, "perf", c->perf);
	else
		cJSON_AddArrayToObject(o, "perf");
	json_add_stamp(o, "since", &j->since);
	add_schedule(o, c, now);
	json_add_int(o, "change", (int64_t)j->change);
	cJSON_AddBoolToObject(o, "problem", judge_problem(j));
	cJSON_AddBoolToObject(o, "suppressed", judge_problem(j) && c->mute[0]);
	cJSON_AddStringToObject(o, "why", judge_problem(j) ? c->mute : "");
	if (c->quarantined)
		cJSON_AddBoolToObject(o, "quarantined", true);
	add_not_run(o, c, now);
	if (j->said) {
		char incident[8];
		cJSON_AddStringToObject(o, "incident",
					event_incident(c->name, j->opened, incident, sizeof incident));
	}
	if (c->named && judge_problem(j)) {
		cJSON_AddStringToObject(o, "diagnosis", c->named);
		cJSON_AddStringToObject(o, "diagnosis_ja", c->named_ja ? c->named_ja : c->named);
	}
	cJSON_AddBoolToObject(o, "flapping", c->flapping.on);
	cJSON_AddNumberToObject(o, "flap_percent", (double)(int)(flapping_percent(&c->flapping) * 100 + 0.5) / 100);
	if (c->conf && c->conf->shared)
		cJSON_AddStringToObject(o, "shared", standin_claim_name(c->peer.claim));
	add_groups(o, c);
	add_downtime(o, c, now);
	cJSON_AddBoolToObject(o, "stale", j->stale);
	return o;
}
