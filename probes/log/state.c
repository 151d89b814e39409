/* The place in the log, as JSON; see log.h. 64-bit numbers stand in hexadecimal, which JSON's own would cut.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "follow.h"
#include "probes/probe.h"

static bool hex(const cJSON *v, const char *key, uint64_t *out)
{
	const char *s = json_str(v, key, "");
	char *end;

	*out = strtoull(s, &end, 16);
	return *s && !*end;
}

static bool load(struct log_state *s, const cJSON *v)
{
	struct log_place *p = &s->place;
	const char *cursor = json_str(v, "cursor", NULL);
	uint64_t covered;

	if (!json_get_stamp(v, "at", &s->at))
		return false;
	if (cursor && strlen(cursor) < sizeof(s->cursor)) {
		snprintf(s->cursor, sizeof(s->cursor), "%s", cursor);
		return s->journal = true;
	}
	if (!hex(v, "dev", &p->dev) || !hex(v, "ino", &p->ino) || !hex(v, "offset", &p->offset) ||
	    !hex(v, "covered", &covered) || !hex(v, "print", &p->print))
		return false;
	if (covered > LOG_PRINT_BYTES || covered > p->offset || p->offset > INT64_MAX)
		return false;
	p->covered = (uint32_t)covered;
	p->inside = json_bool(v, "inside", false);
	p->known = true;
	return true;
}

void log_state_load(struct log_state *s, const char *text, size_t len, const char *path)
{
	cJSON *v = len ? json_parse(text, len, PROBE_STATE_MAX, NULL) : NULL;

	memset(s, 0, sizeof(*s));
	if (!v || strcmp(json_str(v, "path", ""), path) != 0 || !load(s, v))
		memset(s, 0, sizeof(*s));
	cJSON_Delete(v);
}

static void put(cJSON *v, const char *key, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIx64, n);
	cJSON_AddStringToObject(v, key, text);
}

static void put_place(cJSON *v, const struct log_place *p)
{
	put(v, "dev", p->dev);
	put(v, "ino", p->ino);
	put(v, "offset", p->offset);
	put(v, "covered", p->covered);
	put(v, "print", p->print);
	cJSON_AddBoolToObject(v, "inside", p->inside);
}

void log_state_save(const struct log_state *s, struct buf *out, const char *path)
{
	cJSON *v = cJSON_CreateObject();

	cJSON_AddStringToObject(v, "path", path);
	json_add_stamp(v, "at", &s->at);
	if (s->journal)
		cJSON_AddStringToObject(v, "cursor", s->cursor);
	else
		put_place(v, &s->place);
	json_line(v, out);
	cJSON_Delete(v);
}
