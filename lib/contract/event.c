/* Events: ids and JSON; see event.h. */
#include "event.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"

static const char *const kind_names[] = { "problem", "recovery", "notice", "ack" };
enum { KINDS = sizeof kind_names / sizeof kind_names[0] };
static const char *const flapping_names[] = { "", "started", "on", "stopped" };

void event_init(struct event *e)
{
	*e = (struct event){ .state = NAG_UNKNOWN, .measured = true, .uid = -1 };
}

void event_fini(struct event *e)
{
	free(e->text);
	free(e->text_ja);
	free(e->more);
	for (size_t i = 0; i < e->ncontacts; i++)
		free(e->contacts[i]);
	free(e->contacts);
	event_init(e);
}

/* A file's name has at most 255 bytes, and writers add to it: of a longer id the rest is told by a hash. */
enum { ID_NAME_MAX = 200, ID_NAME_CUT = 160 };

static uint64_t hash_name(const char *name)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a, 64 bits */
	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		h = (h ^ *p) * 1099511628211u;
	return h;
}

char *event_id(const struct event *e, char *out, size_t size)
{
	char name[sizeof e->check * 3 + 24];
	size_t n = 0, cut = 0;
	for (const unsigned char *p = (const unsigned char *)e->check; *p; p++) {
		if (n <= ID_NAME_CUT)
			cut = n;
		/* a leading dot would hide the file */
		if (isalnum(*p) || *p == '_' || *p == '-' || (*p == '.' && n > 0))
			name[n++] = (char)*p;
		else
			n += (size_t)snprintf(name + n, sizeof name - n, "=%02X", *p);
	}
	name[n] = '\0';
	/* no byte is written as "=~": a cut name is never another one */
	if (n > ID_NAME_MAX)
		snprintf(name + cut, sizeof name - cut, "=~%016llx", (unsigned long long)hash_name(e->check));
	snprintf(out, size, "%s@%llu", name, (unsigned long long)e->change);
	return out;
}

char *event_incident(const char *check, uint64_t opened, char *out, size_t size)
{
	static const char letters[] = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
	uint64_t h = hash_name(check);
	for (int i = 0; i < 8; i++)
		h = (h ^ (opened >> (8 * i) & 0xff)) * 1099511628211u;
	h ^= h >> 32;
	char id[6];
	for (int i = 0; i < 5; i++) {
		id[i] = letters[h % 31];
		h /= 31;
	}
	id[5] = '\0';
	snprintf(out, size, "%s", id);
	return out;
}

const char *event_kind_name(enum event_kind k)
{
	return kind_names[k];
}

bool event_kind_from_name(const char *s, enum event_kind *k)
{
	for (int i = 0; i < KINDS; i++) {
		if (strcmp(s, kind_names[i]) != 0)
			continue;
		*k = (enum event_kind)i;
		return true;
	}
	return false;
}

cJSON *event_to_json(const struct event *e)
{
	cJSON *o = cJSON_CreateObject();
	json_add_int(o, "v", 1);
	cJSON_AddStringToObject(o, "check", e->check);
	cJSON_AddStringToObject(o, "host", e->host);
	json_add_int(o, "change", (int64_t)e->change);
	json_add_int(o, "opened", (int64_t)e->opened);
	cJSON_AddStringToObject(o, "kind", kind_names[e->kind]);
	cJSON_AddStringToObject(o, "state", nag_name(e->state));
	cJSON_AddStringToObject(o, "previous", nag_name(e->previous));
	cJSON_AddBoolToObject(o, "measured", e->measured);
	cJSON_AddStringToObject(o, "layer", e->layer);
	cJSON_AddBoolToObject(o, "suppressed", e->suppressed);
	cJSON_AddStringToObject(o, "why_suppressed", e->why_suppressed);
	if (e->parent[0])
		cJSON_AddStringToObject(o, "parent", e->parent);
	if (e->flapping)
		cJSON_AddStringToObject(o, "flapping", flapping_names[e->flapping]);
	json_add_stamp(o, "since", &e->since);
	json_add_stamp(o, "at", &e->at);
	if (e->named)
		cJSON_AddTrueToObject(o, "named");
	cJSON_AddStringToObject(o, "text", e->text ? e->text : "");
	if (e->text_ja)
		cJSON_AddStringToObject(o, "text_ja", e->text_ja);
	if (e->more && e->more[0])
		cJSON_AddStringToObject(o, "more", e->more);
	if (e->source[0])
		cJSON_AddStringToObject(o, "source", e->source);
	if (e->by[0])
		cJSON_AddStringToObject(o, "by", e->by);
	cJSON *contacts = e->ncontacts ? cJSON_AddArrayToObject(o, "contacts") : NULL;
	for (size_t i = 0; i < e->ncontacts; i++)
		cJSON_AddItemToArray(contacts, cJSON_CreateString(e->contacts[i]));
	return o;
}

static bool refuse(char *why, size_t size, const char *item, const char *reason)
{
	snprintf(why, size, "\"%s\": %s", item, reason);
	return false;
}

/* Copies a text member with a maximum; absent: "". */
static bool get_name(const cJSON *obj, const char *key, char *out, size_t max, char *why, size_t size)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(obj, key);
	if (!v || cJSON_IsNull(v)) {
		out[0] = '\0';
		return true;
	}
	if (!cJSON_IsString(v))
		return refuse(why, size, key, "must be a text");
	if (strlen(v->valuestring) >= max)
		return refuse(why, size, key, "too long");
	memcpy(out, v->valuestring, strlen(v->valuestring) + 1);
	return true;
}

/* Without what a terminal or a line would take for a command; NULL: nothing is left of it. */
static char *harmless(const char *text)
{
	struct result clean;
	result_init(&clean);
	result_set(&clean, NAG_OK, "%s", text);
	char *copy = clean.text.len ? strdup(buf_str(&clean.text)) : NULL;
	result_fini(&clean);
	return copy;
}

static bool get_text(struct event *e, const cJSON *obj, char *why, size_t size)
{
	const char *text = json_str(obj, "text", NULL), *more = json_str(obj, "more", NULL);
	const char *ja = json_str(obj, "text_ja", NULL);
	if (!text || !*text)
		return refuse(why, size, "text", "is required");
	if (!(e->text = harmless(text)))
		return refuse(why, size, "text", "is blank");
	if (ja)
		e->text_ja = harmless(ja);
	if (more)
		e->more = strndup(more, RESULT_LONG_MAX);
	return e->text != NULL;
}

static bool get_contacts(struct event *e, const cJSON *obj, char *why, size_t size)
{
	const cJSON *v, *array = cJSON_GetObjectItemCaseSensitive(obj, "contacts");
	if (!array || cJSON_IsNull(array))
		return true;
	int n = cJSON_IsArray(array) ? cJSON_GetArraySize(array) : -1;
	if (n < 0 || n > 64)
		return refuse(why, size, "contacts", "must be a list of at most 64 names");
	e->contacts = calloc((size_t)n + 1, sizeof *e->contacts);
	cJSON_ArrayForEach(v, array) {
		if (!e->contacts || !cJSON_IsString(v) || strlen(v->valuestring) >= EVENT_NAME_MAX)
			return refuse(why, size, "contacts", "must be a list of names");
		e->contacts[e->ncontacts++] = strdup(v->valuestring);
	}
	return true;
}

static bool get_kind(struct event *e, const cJSON *obj, char *why, size_t size)
{
	const char *kind = json_str(obj, "kind", "notice");
	const char *state = json_str(obj, "state", "CRITICAL"), *previous = json_str(obj, "previous", "OK");
	if (!event_kind_from_name(kind, &e->kind))
		return refuse(why, size, "kind", "must be problem, recovery, notice or ack");
	if (!nag_from_name(state, &e->state))
		return refuse(why, size, "state", "must be OK, WARNING, CRITICAL or UNKNOWN");
	if (!nag_from_name(previous, &e->previous))
		return refuse(why, size, "previous", "must be OK, WARNING, CRITICAL or UNKNOWN");
	return true;
}

/* A word that is not known is as none: it only says why. */
static void get_flapping(struct event *e, const cJSON *obj)
{
	const char *word = json_str(obj, "flapping", "");
	for (int k = 0; k < 4; k++)
		if (strcmp(word, flapping_names[k]) == 0)
			e->flapping = (enum event_flapping)k;
}

static bool get_numbers(struct event *e, const cJSON *obj, char *why, size_t size)
{
	int64_t change = json_int(obj, "change", 0);
	/* what ends a problem without naming it ends the one that is open */
	bool ends = e->kind == EVENT_RECOVERY || e->kind == EVENT_ACK;
	int64_t opened = json_int(obj, "opened", ends ? 0 : change);
	if (change < 0 || opened < 0 || opened > change)
		return refuse(why, size, "change", "change and opened must be numbers, opened not above change");
	e->change = (uint64_t)change;
	e->opened = (uint64_t)opened;
	if (e->kind != EVENT_NOTICE && change == 0)
		return refuse(why, size, "change", "is required for all but a notice");
	e->measured = json_bool(obj, "measured", true);
	e->suppressed = json_bool(obj, "suppressed", false);
	e->named = e->kind == EVENT_PROBLEM && json_bool(obj, "named", false);
	get_flapping(e, obj);
	if (!json_get_stamp(obj, "at", &e->at))
		e->at = clock_stamp();
	if (!json_get_stamp(obj, "since", &e->since))
		e->since = e->at;
	return true;
}

bool event_from_json(struct event *e, const cJSON *obj, const char *stem, char *why, size_t size)
{
	event_init(e);
	if (!cJSON_IsObject(obj))
		return refuse(why, size, "event", "not a JSON object");
	if (json_int(obj, "v", 1) != 1)
		return refuse(why, size, "v", "only version 1 is known");
	bool ok = get_name(obj, "check", e->check, sizeof e->check, why, size) &&
		  get_name(obj, "host", e->host, sizeof e->host, why, size) &&
		  get_name(obj, "layer", e->layer, sizeof e->layer, why, size) &&
		  get_name(obj, "source", e->source, sizeof e->source, why, size) &&
		  get_name(obj, "by", e->by, sizeof e->by, why, size) &&
		  get_name(obj, "why_suppressed", e->why_suppressed, sizeof e->why_suppressed, why, size) &&
		  get_name(obj, "parent", e->parent, sizeof e->parent, why, size) &&
		  get_kind(e, obj, why, size) && get_numbers(e, obj, why, size) && get_contacts(e, obj, why, size) &&
		  get_text(e, obj, why, size);
	if (ok && !e->check[0])
		snprintf(e->check, sizeof e->check, "%.100s", stem && *stem ? stem : "script");
	if (!ok)
		event_fini(e);
	return ok;
}
