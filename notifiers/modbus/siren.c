/* What a siren knows; see siren.h. */
#include "notifiers/modbus/siren.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"

/* A digest names no incident that could end it. */
enum { DIGEST_LIMIT_MS = 600000 };

struct siren_place *siren_place(struct siren *s, const char *to, bool make)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->places[i].to, to) == 0)
			return &s->places[i];
	if (!make || s->n == SIREN_PLACES_MAX || strlen(to) >= SIREN_TO_MAX)
		return NULL;
	s->places[s->n] = (struct siren_place){0};
	snprintf(s->places[s->n].to, SIREN_TO_MAX, "%s", to);
	return &s->places[s->n++];
}

/* Beyond the maximum an incident is not remembered: the place sounds all the same, and ends with the others.
 */
static void add(struct siren_place *p, const char *incident)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->incidents[i], incident) == 0)
			return;
	if (p->incidents == NULL)
		p->incidents = calloc(SIREN_INCIDENTS_MAX, SIREN_ID_MAX);
	if (p->incidents != NULL && p->n < SIREN_INCIDENTS_MAX && incident[0] != '\0')
		snprintf(p->incidents[p->n++], SIREN_ID_MAX, "%s", incident);
}

static void forget(struct siren_place *p, const char *incident)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->incidents[i], incident) != 0)
			continue;
		memmove(p->incidents[i], p->incidents[i + 1], (p->n - i - 1) * SIREN_ID_MAX);
		p->n--;
		return;
	}
}

static enum siren_did sound(struct siren_place *p, int64_t limit_ms, const struct stamp *now)
{
	p->active = true;
	p->since = *now;
	p->limit_ms = limit_ms;
	return SIREN_SOUNDS;
}

static enum siren_did end(struct siren_place *p, const char *incident)
{
	forget(p, incident);
	p->active = p->active && p->n > 0;
	return p->active ? SIREN_GOES_ON : SIREN_ENDS;
}

void siren_take_back(struct siren_place *p, const char *incident)
{
	end(p, incident);
}

static bool is_loud(const struct siren_rules *r, const char *state)
{
	if (r->states->n == 0)
		return strcmp(state, nag_name(NAG_CRITICAL)) == 0;
	for (size_t i = 0; i < r->states->n; i++)
		if (strcmp(r->states->v[i], state) == 0)
			return true;
	return false;
}

static enum siren_did alarm_page(struct siren_place *at, const struct siren_rules *r, const struct page *p,
				 const struct stamp *now)
{
	if (!is_loud(r, p->state)) /* it became milder, or never was bad enough */
		return end(at, p->incident);
	if (p->kind == PAGE_DIGEST)
		return sound(at, r->max_on_ms > 0 ? r->max_on_ms : DIGEST_LIMIT_MS, now);
	add(at, p->incident);
	return sound(at, r->max_on_ms, now);
}

enum siren_did siren_page(struct siren *s, const struct siren_rules *r, const struct page *p,
			  const struct stamp *now, struct siren_place **place)
{
	struct siren_place *at = *place = siren_place(s, p->to, true);
	int64_t left;

	if (at == NULL)
		return SIREN_NO_ROOM;
	switch (p->kind) {
	case PAGE_NEW:
	case PAGE_REPEAT:
	case PAGE_DIGEST:
		return alarm_page(at, r, p, now);
	case PAGE_ACK:
	case PAGE_RECOVERED:
		return end(at, p->incident);
	case PAGE_TEST: /* must not shorten an alarm */
		return siren_on(at, now, &left) ? SIREN_SOUNDS : sound(at, r->test_ms, now);
	case PAGE_NOTICE:
	case PAGE_INFO:
		break;
	}
	return SIREN_NOTHING;
}

bool siren_on(const struct siren_place *p, const struct stamp *now, int64_t *left_ms)
{
	int64_t age = clock_age_ms(&p->since, now);

	*left_ms = INT64_MAX;
	if (!p->active || (p->limit_ms > 0 && age >= p->limit_ms))
		return false;
	if (p->limit_ms > 0)
		*left_ms = p->limit_ms - age;
	return true;
}

/* --- its file -------------------------------------------------------------------------------------- */

bool siren_save(const struct siren *s, struct buf *out)
{
	cJSON *v = cJSON_CreateObject(), *places;
	bool ok;

	cJSON_AddNumberToObject(v, "v", 1);
	places = cJSON_AddArrayToObject(v, "places");
	for (size_t i = 0; i < s->n; i++) {
		const struct siren_place *p = &s->places[i];
		cJSON *o = cJSON_CreateObject(), *ids;

		cJSON_AddStringToObject(o, "to", p->to);
		cJSON_AddBoolToObject(o, "active", p->active);
		json_add_stamp(o, "since", &p->since);
		json_add_int(o, "limit_ms", p->limit_ms);
		ids = cJSON_AddArrayToObject(o, "incidents");
		for (size_t k = 0; k < p->n; k++)
			cJSON_AddItemToArray(ids, cJSON_CreateString(p->incidents[k]));
		cJSON_AddItemToArray(places, o);
	}
	ok = json_line(v, out);
	cJSON_Delete(v);
	return ok;
}

static bool load_place(struct siren *s, const cJSON *o)
{
	const char *to = json_str(o, "to", "");
	struct siren_place *p = to[0] != '\0' ? siren_place(s, to, true) : NULL;
	const cJSON *id;

	if (p == NULL || !json_get_stamp(o, "since", &p->since))
		return false;
	p->active = json_bool(o, "active", false);
	p->limit_ms = json_int(o, "limit_ms", 0);
	cJSON_ArrayForEach(id, cJSON_GetObjectItemCaseSensitive(o, "incidents")) if (cJSON_IsString(id) &&
										     strlen(id->valuestring) <
											 SIREN_ID_MAX)
	    add(p, id->valuestring);
	return true;
}

bool siren_load(struct siren *s, const char *text, size_t len, const char **why)
{
	cJSON *v = json_parse(text, len, SIREN_STATE_MAX, why);
	struct siren fresh = {0};
	const cJSON *o;
	bool ok = v != NULL;

	if (ok && json_int(v, "v", 0) != 1) {
		*why = "not of version 1";
		ok = false;
	}
	cJSON_ArrayForEach(o, cJSON_GetObjectItemCaseSensitive(v, "places"))
	{
		*why = ok ? "a place that is none" : *why;
		ok = ok && load_place(&fresh, o);
	}
	cJSON_Delete(v);
	if (!ok) {
		siren_fini(&fresh);
		return false;
	}
	siren_fini(s);
	*s = fresh;
	return true;
}

void siren_fini(struct siren *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->places[i].incidents);
	s->n = 0;
}
