/*
 * The memory of the round trip as JSON text (see state.h). Called by check_roundtrip; promises that a text it wrote is
 * read back the same, and that it stays far below PROBE_STATE_MAX.
 */
#include "state.h"

#include <stdio.h>
#include <string.h>

#include "lib/json.h"

enum { RT_VERSION = 1 };


static void add_delay(cJSON *o, const struct rt_delay *d)
{
	cJSON *j = cJSON_AddObjectToObject(o, "delay");

	json_add_int(j, "min_ms", d->min_ms);
	json_add_int(j, "max_ms", d->max_ms);
	json_add_int(j, "ms", d->ms);
	cJSON_AddBoolToObject(j, "skewed", d->skewed);
	cJSON_AddBoolToObject(j, "untold", d->untold);
}

static bool get_delay(const cJSON *o, struct rt_delay *d)
{
	const cJSON *j = cJSON_GetObjectItemCaseSensitive(o, "delay");

	d->min_ms = json_int(j, "min_ms", -1);
	d->max_ms = json_int(j, "max_ms", -1);
	d->ms = json_int(j, "ms", -1);
	d->skewed = json_bool(j, "skewed", false);
	d->untold = json_bool(j, "untold", false);
	return d->min_ms >= 0 && d->min_ms <= d->ms && d->ms <= d->max_ms;
}

static cJSON *mail_to_json(const struct rt_mail *m)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "token", m->token.hex);
	json_add_int(o, "run", (int64_t)m->token.run);
	cJSON_AddStringToObject(o, "phase", rt_phase_name(m->phase));
	if (m->way)
		json_add_int(o, "way", (int64_t)m->way);
	json_add_stamp(o, "sent", &m->sent);
	if (m->has_looked && rt_is_outstanding(m->phase))
		json_add_stamp(o, "looked", &m->looked);
	if (!rt_is_outstanding(m->phase))
		json_add_stamp(o, "settled", &m->settled);
	if (rt_has_arrived(m->phase)) {
		json_add_int(o, "uid", m->uid);
		cJSON_AddBoolToObject(o, "was_lost", m->was_lost);
		add_delay(o, &m->delay);
	}
	return o;
}

static bool get_u32(const cJSON *o, const char *key, uint32_t *v)
{
	int64_t n = json_int(o, key, -1);

	*v = (uint32_t)n;
	return n >= 0 && n <= UINT32_MAX;
}

static bool get_run(const cJSON *o, const char *key, uint64_t *v)
{
	int64_t n = json_int(o, key, -1);

	*v = (uint64_t)n;
	return n >= 0 && n < (int64_t)1 << 53;
}

static bool get_phase(const cJSON *o, enum rt_phase *phase)
{
	const char *name = json_str(o, "phase", "");

	for (int i = 0; i < RT_PHASES; i++) {
		if (strcmp(name, rt_phase_name((enum rt_phase)i)) == 0) {
			*phase = (enum rt_phase)i;
			return true;
		}
	}
	return false;
}

static bool mail_from_json(const cJSON *o, struct rt_mail *m)
{
	const char *hex = json_str(o, "token", "");

	memset(m, 0, sizeof(*m));
	if (!token_hex_ok(hex) || !get_run(o, "run", &m->token.run) || !get_phase(o, &m->phase) ||
	    !json_get_stamp(o, "sent", &m->sent))
		return false;
	memcpy(m->token.hex, hex, sizeof(m->token.hex));
	m->way = (size_t)json_int(o, "way", 0);
	m->has_looked = json_get_stamp(o, "looked", &m->looked);
	if (!rt_is_outstanding(m->phase) && !json_get_stamp(o, "settled", &m->settled))
		return false;
	if (!rt_has_arrived(m->phase))
		return true;
	m->was_lost = json_bool(o, "was_lost", false);
	return get_u32(o, "uid", &m->uid) && get_delay(o, &m->delay);
}

static void add_ways(cJSON *o, const struct rt_state *s)
{
	cJSON *a = cJSON_AddArrayToObject(o, "ways");

	for (size_t i = 0; i < s->ways; i++) {
		const struct rt_way *w = &s->way[i];
		cJSON *j = cJSON_CreateObject();

		cJSON_AddStringToObject(j, "name", w->name);
		json_add_int(j, "arrived_run", (int64_t)w->arrived_run);
		if (w->has_delay)
			add_delay(j, &w->delay);
		cJSON_AddItemToArray(a, j);
	}
}

/* A state of one way without a name has no list of ways; what is known of it is what is known of all. */
static bool get_ways(const cJSON *o, struct rt_state *s)
{
	const cJSON *a = cJSON_GetObjectItemCaseSensitive(o, "ways"), *j;

	if (!a) {
		s->way[0] = (struct rt_way){.arrived_run = s->arrived_run, .has_delay = s->has_delay, .delay = s->delay};
		return true;
	}
	s->ways = 0;
	cJSON_ArrayForEach(j, a) {
		struct rt_way *w = &s->way[s->ways];

		if (s->ways == RT_WAYS_MAX || !get_run(j, "arrived_run", &w->arrived_run))
			return false;
		snprintf(w->name, sizeof(w->name), "%s", json_str(j, "name", ""));
		w->has_delay = cJSON_HasObjectItem(j, "delay");
		if (w->has_delay && !get_delay(j, &w->delay))
			return false;
		s->ways++;
	}
	return s->ways > 0;
}

bool rt_dump(const struct rt_state *s, struct buf *out)
{
	cJSON *o = cJSON_CreateObject(), *mails = cJSON_CreateArray();
	bool fits;

	json_add_int(o, "v", RT_VERSION);
	json_add_int(o, "run", (int64_t)s->run);
	json_add_int(o, "uidvalidity", s->uidvalidity);
	json_add_int(o, "uidnext", s->uidnext);
	if (s->mark[0])
		cJSON_AddStringToObject(o, "mark", s->mark);
	json_add_int(o, "arrived_run", (int64_t)s->arrived_run);
	if (s->has_delay)
		add_delay(o, &s->delay);
	if (s->ways > 1 || s->way[0].name[0])
		add_ways(o, s);
	for (size_t i = 0; i < s->n; i++)
		cJSON_AddItemToArray(mails, mail_to_json(&s->mail[i]));
	cJSON_AddItemToObject(o, "mails", mails);
	fits = json_line(o, out);
	cJSON_Delete(o);
	return fits;
}

static bool too_many_outstanding(const struct rt_state *s)
{
	for (size_t i = 0; i < s->ways; i++)
		if (rt_outstanding(s, i) > RT_OUTSTANDING_MAX)
			return true;
	return false;
}

static bool from_json(struct rt_state *s, const cJSON *o)
{
	const cJSON *mails = cJSON_GetObjectItemCaseSensitive(o, "mails"), *m;

	if (json_int(o, "v", 0) != RT_VERSION || !get_run(o, "run", &s->run) ||
	    !get_u32(o, "uidvalidity", &s->uidvalidity) || !get_u32(o, "uidnext", &s->uidnext) ||
	    !get_run(o, "arrived_run", &s->arrived_run) || !cJSON_IsArray(mails))
		return false;
	snprintf(s->mark, sizeof(s->mark), "%s", json_str(o, "mark", ""));
	s->has_delay = cJSON_HasObjectItem(o, "delay");
	if (s->has_delay && !get_delay(o, &s->delay))
		return false;
	if (!get_ways(o, s))
		return false;
	cJSON_ArrayForEach(m, mails) {
		if (s->n == RT_MAILS_MAX || !mail_from_json(m, &s->mail[s->n]) || s->mail[s->n].way >= s->ways)
			return false;
		s->n++;
	}
	return !too_many_outstanding(s);
}

bool rt_load(struct rt_state *s, const char *text, size_t len, const char **why)
{
	cJSON *o;
	bool good;

	rt_init(s);
	if (len == 0)
		return true;
	o = json_parse(text, len, JSON_LINE_MAX, why);
	if (!o)
		return false;
	good = from_json(s, o);
	cJSON_Delete(o);
	if (good)
		return true;
	rt_init(s);
	*why = "it is not the state of a round trip";
	return false;
}
