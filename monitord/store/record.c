/* Records of checks; see record.h. Used by state.c. */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "monitord/rules/usual.h"

static void add_judge(cJSON *o, const struct judge *j)
{
	cJSON *v = cJSON_AddObjectToObject(o, "judge");
	cJSON_AddBoolToObject(v, "ever", j->ever);
	cJSON_AddStringToObject(v, "state", nag_name(j->state));
	cJSON_AddBoolToObject(v, "measured", j->measured);
	cJSON_AddBoolToObject(v, "stale", j->stale);
	json_add_int(v, "attempt", j->attempt);
	json_add_int(v, "unmeasured", j->unmeasured);
	cJSON_AddStringToObject(v, "hard", nag_name(j->hard));
	cJSON_AddBoolToObject(v, "hard_measured", j->hard_measured);
	json_add_stamp(v, "since", &j->since);
	json_add_int(v, "change", (int64_t)j->change);
	json_add_int(v, "opened", (int64_t)j->opened);
	cJSON_AddBoolToObject(v, "said", j->said);
	cJSON_AddStringToObject(v, "said_state", nag_name(j->said_state));
	cJSON_AddBoolToObject(v, "said_measured", j->said_measured);
	cJSON_AddBoolToObject(v, "said_suppressed", j->said_suppressed);
	cJSON_AddBoolToObject(v, "paged", j->paged);
	cJSON_AddBoolToObject(v, "flap_said", j->flap_said);
}

static void add_flapping(cJSON *o, const struct flapping *f)
{
	char states[FLAPPING_SAMPLES + 1];
	cJSON *v = cJSON_AddObjectToObject(o, "flapping");
	cJSON_AddStringToObject(v, "states", flapping_text(f, states, sizeof states));
	cJSON_AddBoolToObject(v, "on", f->on);
}

static void get_flapping(struct flapping *f, const cJSON *root)
{
	const cJSON *o = cJSON_GetObjectItemCaseSensitive(root, "flapping");
	if (flapping_from_text(f, json_str(o, "states", "")))
		f->on = json_bool(o, "on", false);
}

static void add_downtime(cJSON *o, const struct downtime *d)
{
	if (!downtime_given(d))
		return;
	cJSON *v = cJSON_AddObjectToObject(o, "downtime");
	json_add_int(v, "from_wall_ms", d->from_ms);
	json_add_int(v, "until_wall_ms", d->until_ms);
	json_add_int(v, "duration_ms", d->duration_ms);
	json_add_int(v, "began_wall_ms", d->began_ms);
	cJSON_AddStringToObject(v, "by", d->by);
	cJSON_AddStringToObject(v, "comment", d->comment);
}

static void add_outgoing(cJSON *o, const struct check *c)
{
	if (!c->out)
		return;
	cJSON *v = cJSON_AddArrayToObject(o, "out");
	for (const struct outgoing *e = c->out; e; e = e->next)
		cJSON_AddItemToArray(v, event_to_json(&e->event));
}

/* What its problem was told as: told once, not again after a restart. */
static void add_name(cJSON *o, const struct check *c)
{
	if (!c->named)
		return;
	cJSON *v = cJSON_AddObjectToObject(o, "named");
	cJSON_AddStringToObject(v, "as", c->named_as);
	json_add_int(v, "rank", c->named_rank);
	json_add_int(v, "late", c->named_late);
	cJSON_AddStringToObject(v, "text", c->named);
	cJSON_AddStringToObject(v, "text_ja", c->named_ja ? c->named_ja : c->named);
}

static void get_name(struct check *c, const cJSON *root)
{
	const cJSON *o = cJSON_GetObjectItemCaseSensitive(root, "named");
	const char *text = json_str(o, "text", NULL);
	if (!text || !c->judge.said)
		return;
	c->named = strdup(text);
	c->named_ja = strdup(json_str(o, "text_ja", text));
	c->named_rank = (int)json_int(o, "rank", 0);
	c->named_late = (unsigned)json_int(o, "late", 0);
	snprintf(c->named_as, sizeof c->named_as, "%s", json_str(o, "as", ""));
}

static void get_usual(struct check *c, const cJSON *o)
{
	if (o && !c->usual && (c->usual = calloc(1, sizeof *c->usual)))
		usual_from_json(c->usual, o);
}

char *record_encode(const struct check *c, size_t *len)
{
	cJSON *o = cJSON_CreateObject();
	json_add_int(o, "v", 1);
	cJSON_AddStringToObject(o, "name", c->name);
	cJSON_AddStringToObject(o, "probe", c->conf ? c->conf->probe : "");
	if (c->on[0])
		cJSON_AddStringToObject(o, "on", c->on);
	json_add_int(o, "generation", (int64_t)c->generation);
	cJSON_AddStringToObject(o, "boot_id", clock_boot_id());
	add_judge(o, &c->judge);
	add_flapping(o, &c->flapping);
	add_downtime(o, &c->downtime);
	if (c->recurred_ms)
		json_add_int(o, "recurred_wall_ms", c->recurred_ms);
	if (c->has_run)
		json_add_stamp(o, "last_run", &c->last_run);
	if (c->quarantined)
		json_add_stamp(o, "quarantined", &c->quarantined_at);
	cJSON_AddStringToObject(o, "layer", c->layer);
	cJSON_AddStringToObject(o, "text", c->text ? c->text : "");
	if (c->more)
		cJSON_AddStringToObject(o, "more", c->more);
	add_name(o, c);
	if (c->usual)
		cJSON_AddItemToObject(o, "usual", usual_to_json(c->usual));
	cJSON_AddBoolToObject(o, "was_blocked", c->was_blocked);
	if (c->blob)
		cJSON_AddStringToObject(o, "blob", c->blob);
	add_outgoing(o, c);
	struct buf b;
	buf_init(&b, RECORD_MAX);
	bool ok = json_line(o, &b);
	cJSON_Delete(o);
	if (!ok) {
		buf_fini(&b);
		return NULL;
	}
	*len = b.len;
	return b.data;
}

static bool get_state(const cJSON *o, const char *key, enum nag_state *s)
{
	const char *name = json_str(o, key, NULL);
	return name && nag_from_name(name, s);
}

static bool get_judge(struct judge *j, const cJSON *root)
{
	const cJSON *o = cJSON_GetObjectItemCaseSensitive(root, "judge");
	int64_t change = json_int(o, "change", -1), opened = json_int(o, "opened", -1);
	int64_t attempt = json_int(o, "attempt", -1), unmeasured = json_int(o, "unmeasured", -1);
	if (change < 0 || opened < 0 || opened > change || attempt < 0 || attempt > 1000 || unmeasured < 0 ||
	    unmeasured > 1000)
		return false;
	if (!get_state(o, "state", &j->state) || !get_state(o, "hard", &j->hard) ||
	    !get_state(o, "said_state", &j->said_state) || !json_get_stamp(o, "since", &j->since))
		return false;
	j->ever = json_bool(o, "ever", false);
	j->measured = json_bool(o, "measured", true);
	j->stale = json_bool(o, "stale", false);
	j->attempt = (int)attempt;
	j->unmeasured = (int)unmeasured;
	j->hard_measured = json_bool(o, "hard_measured", true);
	j->change = (uint64_t)change;
	j->opened = (uint64_t)opened;
	j->said = json_bool(o, "said", false);
	j->said_measured = json_bool(o, "said_measured", true);
	j->said_suppressed = json_bool(o, "said_suppressed", false);
	j->paged = json_bool(o, "paged", false);
	j->flap_said = json_bool(o, "flap_said", false) && j->said;
	return true;
}

static void get_downtime(struct downtime *d, const cJSON *root)
{
	const cJSON *o = cJSON_GetObjectItemCaseSensitive(root, "downtime");
	if (!o)
		return;
	d->from_ms = json_int(o, "from_wall_ms", 0);
	d->until_ms = json_int(o, "until_wall_ms", 0);
	d->duration_ms = json_int(o, "duration_ms", 0);
	d->began_ms = json_int(o, "began_wall_ms", 0);
	/* what nobody could have given */
	if (d->duration_ms < 0 || d->duration_ms > DOWNTIME_LONGEST_MS || d->began_ms < 0 ||
	    d->began_ms > INT64_MAX / 2 || d->until_ms > INT64_MAX / 2)
		downtime_clear(d);
	snprintf(d->by, sizeof d->by, "%s", json_str(o, "by", ""));
	snprintf(d->comment, sizeof d->comment, "%s", json_str(o, "comment", ""));
}

/* Events whose arrival in the spool was not yet recorded: written again, which changes nothing if they are
 * there. */
static bool get_outgoing(struct check *c, const cJSON *root, char *why, size_t size)
{
	const cJSON *v, *list = cJSON_GetObjectItemCaseSensitive(root, "out");
	cJSON_ArrayForEach(v, list)
	{
		struct outgoing *o = calloc(1, sizeof *o);
		if (!o || !event_from_json(&o->event, v, c->name, why, size)) {
			free(o);
			return false;
		}
		*c->out_last = o;
		c->out_last = &o->next;
		c->nout++;
		if (o->event.change > c->judge.change)
			c->judge.change = o->event.change;
	}
	return true;
}

static void drop_outgoing(struct check *c)
{
	while (c->out) {
		struct outgoing *o = c->out;
		c->out = o->next;
		event_fini(&o->event);
		free(o);
	}
	c->out_last = &c->out;
	c->nout = 0;
}

static bool decode(struct check *c, const cJSON *o, char *why, size_t size)
{
	struct judge judge = c->judge;
	if (!cJSON_IsObject(o) || json_int(o, "v", 0) != 1 || strcmp(json_str(o, "name", ""), c->name) != 0) {
		snprintf(why, size, "not a record of this check");
		return false;
	}
	if (!get_judge(&judge, o)) {
		snprintf(why, size, "\"judge\": missing or out of range");
		return false;
	}
	struct judge before = c->judge;
	c->judge = judge;
	if (!get_outgoing(c, o, why, size)) {
		drop_outgoing(c);
		c->judge = before;
		return false;
	}
	return true;
}

bool record_decode(struct check *c, const char *text, size_t len, char *why, size_t size)
{
	const char *reason = "";
	cJSON *o = json_parse(text, len, RECORD_MAX, &reason);
	if (!o) {
		snprintf(why, size, "%s", reason);
		return false;
	}
	bool ok = decode(c, o, why, size);
	if (ok) {
		c->generation = (uint64_t)json_int(o, "generation", 0);
		get_flapping(&c->flapping, o);
		get_downtime(&c->downtime, o);
		c->recurred_ms = json_int(o, "recurred_wall_ms", 0);
		c->has_run = json_get_stamp(o, "last_run", &c->last_run);
		c->quarantined = json_get_stamp(o, "quarantined", &c->quarantined_at);
		check_set_result(c, json_str(o, "layer", ""), json_str(o, "text", ""),
				 json_str(o, "more", NULL), NULL);
		get_name(c, o);
		get_usual(c, cJSON_GetObjectItemCaseSensitive(o, "usual"));
		c->was_blocked = json_bool(o, "was_blocked", false);
		const char *blob = json_str(o, "blob", NULL), *probe = json_str(o, "probe", "");
		/* another probe cannot read it, and on another host it is about other files */
		if (blob && strcmp(c->conf ? c->conf->probe : "", probe) == 0 && strcmp(json_str(o, "on", ""), c->on) == 0) {
			free(c->blob);
			c->blob = strdup(blob);
		}
		if (strcmp(json_str(o, "boot_id", ""), clock_boot_id()) != 0)
			c->judge.change += RECORD_JUMP;
	}
	cJSON_Delete(o);
	return ok;
}
