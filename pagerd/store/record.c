/*
 * Incidents to and from JSON; see record.h. Called by store.c (files), snapshot.c and
 * control_cmds.c (what people see).
 */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"

static const char *const told_names[] = {"no", "maybe", "yes"};

static void add_str(cJSON *o, const char *key, const char *s)
{
	cJSON_AddStringToObject(o, key, s ? s : "");
}

/* --- to JSON --------------------------------------------------------------------------------------- */

static cJSON *attempt_make(const struct attempt *a)
{
	cJSON *o = cJSON_CreateObject();
	json_add_int(o, "n", a->n);
	add_str(o, "line", a->line);
	add_str(o, "to", a->to);
	json_add_stamp(o, "at", &a->at);
	cJSON_AddBoolToObject(o, "resend", a->resend);
	if (a->ended) {
		add_str(o, "outcome", outcome_name(a->outcome));
		add_str(o, "detail", a->detail);
	}
	if (a->weak)
		cJSON_AddBoolToObject(o, "weak", true);
	if (a->digest)
		add_str(o, "digest", a->digest);
	return o;
}

static cJSON *call_make(const struct call *c)
{
	cJSON *o = cJSON_CreateObject();
	json_add_int(o, "n", c->n);
	add_str(o, "contact", c->contact);
	add_str(o, "kind", page_kind_name(c->kind));
	add_str(o, "state", nag_name(c->state));
	add_str(o, "text", c->text);
	if (c->more)
		add_str(o, "more", c->more);
	json_add_stamp(o, "made", &c->made);
	json_add_stamp(o, "since", &c->since);
	json_add_stamp(o, "done", &c->done);
	if (c->delivered.wall_ms)
		json_add_stamp(o, "delivered", &c->delivered);
	add_str(o, "phase", call_phase_name(c->phase));
	cJSON_AddBoolToObject(o, "doubt", c->doubt);
	json_add_int(o, "tried", c->tried);
	if (c->held_until)
		json_add_int(o, "held_until_wall_ms", c->held_until);
	cJSON *v = cJSON_AddArrayToObject(o, "attempts");
	for (size_t k = 0; k < c->nattempts; k++)
		cJSON_AddItemToArray(v, attempt_make(&c->attempts[k]));
	return o;
}

static cJSON *contact_make(const struct inc_contact *c)
{
	cJSON *o = cJSON_CreateObject();
	add_str(o, "name", c->name);
	add_str(o, "told", told_names[c->told]);
	cJSON_AddBoolToObject(o, "paged", c->paged);
	add_str(o, "paged_state", nag_name(c->paged_state));
	cJSON_AddBoolToObject(o, "excused", c->excused);
	cJSON_AddBoolToObject(o, "closed", c->closed);
	add_str(o, "reached", nag_name(c->reached));
	if (c->away)
		cJSON_AddBoolToObject(o, "away", true);
	json_add_stamp(o, "last_sent", &c->last_sent);
	add_str(o, "code", c->code);
	add_str(o, "used_code", c->used_code);
	return o;
}

static cJSON *target_make(const struct target *t)
{
	cJSON *o = cJSON_CreateObject();
	add_str(o, "name", t->name);
	json_add_int(o, "step", t->rung.step);
	json_add_int(o, "round", t->rung.round);
	json_add_stamp(o, "since", &t->since);
	return o;
}

static void make_facts(cJSON *o, const struct incident *i)
{
	json_add_int(o, "v", 1);
	json_add_int(o, "rev", (int64_t)i->rev);
	add_str(o, "id", i->id);
	add_str(o, "check", i->check);
	add_str(o, "host", i->host);
	if (i->source[0])
		add_str(o, "source", i->source);
	json_add_int(o, "opened_change", (int64_t)i->opened);
	add_str(o, "phase", inc_phase_name(i->phase));
	add_str(o, "state", nag_name(i->state));
	add_str(o, "worst", nag_name(i->worst));
	add_str(o, "acked_state", nag_name(i->acked_state));
	cJSON_AddBoolToObject(o, "measured", i->measured);
	cJSON_AddBoolToObject(o, "suppressed", i->suppressed);
	cJSON_AddBoolToObject(o, "hushed", i->hushed);
	add_str(o, "layer", i->layer);
	add_str(o, "why_suppressed", i->why_suppressed);
	if (i->parent[0])
		add_str(o, "parent", i->parent);
	add_str(o, "text", i->text);
	if (i->more)
		add_str(o, "more", i->more);
	if (i->problem_text)
		add_str(o, "problem_text", i->problem_text);
	if (i->text_ja)
		add_str(o, "text_ja", i->text_ja);
	if (i->problem_ja)
		add_str(o, "problem_text_ja", i->problem_ja);
	json_add_stamp(o, "since", &i->since);
	json_add_stamp(o, "opened", &i->opened_at);
	json_add_stamp(o, "changed", &i->changed_at);
	json_add_stamp(o, "closed", &i->closed_at);
	json_add_stamp(o, "acked", &i->acked_at);
	add_str(o, "by", i->by);
	add_str(o, "comment", i->comment);
	json_add_int(o, "last_call", i->last_call);
	json_add_int(o, "episode", i->episode);
}

cJSON *record_make(const struct incident *i)
{
	cJSON *o = cJSON_CreateObject();
	make_facts(o, i);
	cJSON *v = cJSON_AddArrayToObject(o, "changes");
	for (size_t k = 0; k < i->nchanges; k++)
		cJSON_AddItemToArray(v, cJSON_CreateNumber((double)i->changes[k]));
	v = cJSON_AddArrayToObject(o, "targets");
	for (size_t k = 0; k < i->ntargets; k++)
		cJSON_AddItemToArray(v, target_make(&i->targets[k]));
	v = cJSON_AddArrayToObject(o, "contacts");
	for (size_t k = 0; k < i->ncontacts; k++)
		cJSON_AddItemToArray(v, contact_make(&i->contacts[k]));
	v = cJSON_AddArrayToObject(o, "pages");
	for (size_t k = 0; k < i->ncalls; k++)
		cJSON_AddItemToArray(v, call_make(i->calls[k]));
	return o;
}

/* --- from JSON ------------------------------------------------------------------------------------- */

static bool copy_str(const cJSON *o, const char *key, char *out, size_t size)
{
	const char *s = json_str(o, key, NULL);
	if (!s || strlen(s) >= size)
		return false;
	memcpy(out, s, strlen(s) + 1);
	return true;
}

static bool dup_str(const cJSON *o, const char *key, char **out)
{
	const char *s = json_str(o, key, NULL);
	*out = s ? strdup(s) : NULL;
	return *out != NULL;
}

static bool get_state(const cJSON *o, const char *key, enum nag_state *s)
{
	return nag_from_name(json_str(o, key, ""), s);
}

static bool get_count(const cJSON *o, const char *key, unsigned *n)
{
	int64_t v = json_int(o, key, -1);
	*n = (unsigned)v;
	return v >= 0 && v <= INT32_MAX;
}

static bool attempt_read(struct attempt *a, const cJSON *o)
{
	const char *outcome = json_str(o, "outcome", NULL);
	if (!get_count(o, "n", &a->n) || !dup_str(o, "line", &a->line) || !dup_str(o, "to", &a->to) ||
	    !json_get_stamp(o, "at", &a->at))
		return false;
	a->resend = json_bool(o, "resend", false);
	a->weak = json_bool(o, "weak", false);
	dup_str(o, "digest", &a->digest);
	a->ended = outcome != NULL;
	return !outcome || (outcome_from_name(outcome, &a->outcome) && dup_str(o, "detail", &a->detail));
}

static bool attempts_read(struct call *c, const cJSON *array)
{
	const cJSON *o;
	int n = cJSON_IsArray(array) ? cJSON_GetArraySize(array) : -1;
	if (n < 0 || n > PAGE_ATTEMPTS_KEPT)
		return false;
	c->attempts = calloc((size_t)n + 1, sizeof *c->attempts);
	cJSON_ArrayForEach(o, array)
	{
		if (!c->attempts || !attempt_read(&c->attempts[c->nattempts++], o))
			return false;
	}
	return true;
}

static bool call_read(struct call *c, const cJSON *o)
{
	if (!get_count(o, "n", &c->n) || !copy_str(o, "contact", c->contact, sizeof c->contact) ||
	    !page_kind_from_name(json_str(o, "kind", ""), &c->kind) || !get_state(o, "state", &c->state) ||
	    !dup_str(o, "text", &c->text) || !json_get_stamp(o, "made", &c->made) ||
	    !json_get_stamp(o, "since", &c->since) || !json_get_stamp(o, "done", &c->done) ||
	    !call_phase_from_name(json_str(o, "phase", NULL), &c->phase) ||
	    !get_count(o, "tried", &c->tried) ||
	    !attempts_read(c, cJSON_GetObjectItemCaseSensitive(o, "attempts")))
		return false;
	dup_str(o, "more", &c->more);
	json_get_stamp(o, "delivered", &c->delivered);
	c->doubt = json_bool(o, "doubt", true);
	c->held_until = json_int(o, "held_until_wall_ms", 0);
	call_restored(c);
	return true;
}

static bool contact_read(struct inc_contact *c, const cJSON *o)
{
	const char *told = json_str(o, "told", "");
	int t = 0;
	while (t < 3 && strcmp(told, told_names[t]) != 0)
		t++;
	if (t == 3 || !copy_str(o, "name", c->name, sizeof c->name) ||
	    !get_state(o, "paged_state", &c->paged_state) || !json_get_stamp(o, "last_sent", &c->last_sent))
		return false;
	copy_str(o, "code", c->code, sizeof c->code);
	copy_str(o, "used_code", c->used_code, sizeof c->used_code);
	c->told = (enum told)t;
	c->paged = json_bool(o, "paged", false);
	c->excused = json_bool(o, "excused", false);
	c->closed = json_bool(o, "closed", false);
	c->away = json_bool(o, "away", false);
	get_state(o, "reached", &c->reached); /* records of before there was such a thing: OK */
	return true;
}

static bool target_read(struct target *t, const cJSON *o)
{
	return copy_str(o, "name", t->name, sizeof t->name) && get_count(o, "step", &t->rung.step) &&
	       get_count(o, "round", &t->rung.round) && json_get_stamp(o, "since", &t->since);
}

/* Records of before there were any have none. */
static bool targets_read(struct incident *i, const cJSON *array)
{
	const cJSON *o;
	int n = cJSON_GetArraySize(array);
	if (n > INC_TARGETS_MAX || (array && !cJSON_IsArray(array)))
		return false;
	i->targets = calloc((size_t)n + 1, sizeof *i->targets);
	cJSON_ArrayForEach(o, array)
	{
		if (!i->targets || !target_read(&i->targets[i->ntargets++], o))
			return false;
	}
	return true;
}

static bool read_lists(struct incident *i, const cJSON *v)
{
	const cJSON *o, *contacts = cJSON_GetObjectItemCaseSensitive(v, "contacts");
	const cJSON *calls = cJSON_GetObjectItemCaseSensitive(v, "pages");
	const cJSON *changes = cJSON_GetObjectItemCaseSensitive(v, "changes");
	if (!cJSON_IsArray(contacts) || !cJSON_IsArray(calls) || !cJSON_IsArray(changes) ||
	    cJSON_GetArraySize(contacts) > INC_CONTACTS_MAX || cJSON_GetArraySize(changes) > INC_CHANGES_KEPT)
		return false;
	i->contacts = calloc((size_t)cJSON_GetArraySize(contacts) + 1, sizeof *i->contacts);
	i->calls = calloc((size_t)cJSON_GetArraySize(calls) + 1, sizeof *i->calls);
	if (!i->contacts || !i->calls || !targets_read(i, cJSON_GetObjectItemCaseSensitive(v, "targets")))
		return false;
	cJSON_ArrayForEach(o, changes)
	{
		if (!cJSON_IsNumber(o) || !(o->valuedouble >= 0 && o->valuedouble <= 9007199254740992.0))
			return false;
		i->changes[i->nchanges++] = (uint64_t)o->valuedouble;
	}
	cJSON_ArrayForEach(o, contacts) if (!contact_read(&i->contacts[i->ncontacts++], o)) return false;
	cJSON_ArrayForEach(o, calls)
	{
		struct call *c = i->calls[i->ncalls] = calloc(1, sizeof *c);
		if (!c)
			return false;
		i->ncalls++;
		if (!call_read(c, o))
			return false;
	}
	return true;
}

static bool read_facts(struct incident *i, const cJSON *v)
{
	if (!inc_phase_from_name(json_str(v, "phase", NULL), &i->phase) ||
	    !get_state(v, "state", &i->state) || !get_state(v, "worst", &i->worst) ||
	    !get_state(v, "acked_state", &i->acked_state) || !copy_str(v, "host", i->host, sizeof i->host) ||
	    !copy_str(v, "layer", i->layer, sizeof i->layer) ||
	    !copy_str(v, "why_suppressed", i->why_suppressed, sizeof i->why_suppressed) ||
	    !copy_str(v, "by", i->by, sizeof i->by) ||
	    !copy_str(v, "comment", i->comment, sizeof i->comment) || !dup_str(v, "text", &i->text) ||
	    !json_get_stamp(v, "since", &i->since) || !json_get_stamp(v, "opened", &i->opened_at) ||
	    !json_get_stamp(v, "changed", &i->changed_at) || !json_get_stamp(v, "closed", &i->closed_at) ||
	    !get_count(v, "last_call", &i->last_call) || !get_count(v, "episode", &i->episode))
		return false;
	snprintf(i->source, sizeof i->source, "%.63s", json_str(v, "source", ""));
	snprintf(i->parent, sizeof i->parent, "%s", json_str(v, "parent", ""));
	dup_str(v, "more", &i->more);
	dup_str(v, "problem_text", &i->problem_text);
	dup_str(v, "text_ja", &i->text_ja);
	dup_str(v, "problem_text_ja", &i->problem_ja);
	json_get_stamp(v, "acked", &i->acked_at);
	i->measured = json_bool(v, "measured", true);
	i->suppressed = json_bool(v, "suppressed", false);
	i->hushed = json_bool(v, "hushed", false);
	i->rev = (uint64_t)json_int(v, "rev", 0);
	return true;
}

struct incident *record_read(const cJSON *v, char *why, size_t size)
{
	const char *check = json_str(v, "check", NULL);
	int64_t opened = json_int(v, "opened_change", -1);
	if (json_int(v, "v", 0) != 1 || !check || !*check || strlen(check) >= EVENT_NAME_MAX || opened < 0) {
		snprintf(why, size, "not an incident's record");
		return NULL;
	}
	struct incident *i = incident_new(check, (uint64_t)opened);
	if (i && read_facts(i, v) && read_lists(i, v))
		return i;
	incident_free(i);
	snprintf(why, size, "the record of an incident of %s is incomplete", check);
	return NULL;
}

/* --- for people ------------------------------------------------------------------------------------ */

cJSON *record_show_call(const struct incident *i, const struct call *c)
{
	char id[40];
	const struct attempt *a = c->nattempts ? &c->attempts[c->nattempts - 1] : NULL;
	cJSON *o = cJSON_CreateObject();
	snprintf(id, sizeof id, "%s-%u", i->id, c->n);
	add_str(o, "id", id);
	add_str(o, "incident", i->id);
	add_str(o, "contact", c->contact);
	add_str(o, "kind", page_kind_name(c->kind));
	add_str(o, "state", nag_name(c->state));
	add_str(o, "phase", call_phase_name(c->phase));
	add_str(o, "route", a ? a->line : "");
	add_str(o, "to", a ? a->to : "");
	json_add_int(o, "attempts", c->tried);
	add_str(o, "detail", a ? a->detail : "");
	if (a && a->ended)
		add_str(o, "outcome", outcome_name(a->outcome));
	cJSON_AddBoolToObject(o, "resend", a && a->resend);
	if (a && a->digest)
		add_str(o, "digest", a->digest);
	if (call_is_unconfirmed(c))
		cJSON_AddBoolToObject(o, "confirmed", false);
	json_add_stamp(o, "made", &c->made);
	if (c->held_until && c->phase == CALL_WAITING && !c->tried)
		json_add_int(o, "held_until_wall_ms", c->held_until);
	if (call_is_done(c))
		json_add_stamp(o, "done", &c->done);
	if (c->delivered.wall_ms)
		json_add_stamp(o, "delivered", &c->delivered);
	return o;
}

cJSON *record_show(const struct incident *i)
{
	cJSON *o = cJSON_CreateObject();
	add_str(o, "id", i->id);
	add_str(o, "check", i->check);
	add_str(o, "host", i->host);
	if (i->source[0])
		add_str(o, "source", i->source);
	add_str(o, "state", nag_name(i->state));
	add_str(o, "phase", inc_phase_name(i->phase));
	add_str(o, "text", i->text);
	json_add_stamp(o, "opened", &i->opened_at);
	json_add_stamp(o, "since", &i->since);
	if (i->phase == INC_RECOVERED)
		json_add_stamp(o, "closed", &i->closed_at);
	cJSON_AddBoolToObject(o, "suppressed", i->suppressed);
	add_str(o, "why_suppressed", i->why_suppressed);
	add_str(o, "by", i->by);
	add_str(o, "comment", i->comment);
	cJSON *v = cJSON_AddArrayToObject(o, "pages");
	for (size_t k = 0; k < i->ncalls; k++)
		cJSON_AddItemToArray(v, record_show_call(i, i->calls[k]));
	return o;
}
