/* The book of messages; see book.h. */
#include "book.h"

#include <stdlib.h>
#include <string.h>

#include "lib/json.h"

void book_fini(struct book *b)
{
	free(b->v);
	*b = (struct book){0};
}

struct book_entry *book_find(const struct book *b, const char *key)
{
	for (size_t i = b->n; i-- > 0;)
		if (strcmp(b->v[i].key, key) == 0)
			return &b->v[i];
	return NULL;
}

static bool make_room(struct book *b)
{
	for (size_t i = 0; b->n >= BOOK_MAX && i < b->n; i++) {
		if (b->v[i].phase != BOOK_DONE)
			continue;
		memmove(&b->v[i], &b->v[i + 1], (b->n - i - 1) * sizeof *b->v);
		b->n--;
		break;
	}
	return b->n < BOOK_MAX;
}

struct book_entry *book_add(struct book *b, const char *key)
{
	if (!b->v)
		b->v = calloc(BOOK_MAX, sizeof *b->v);
	if (!b->v || !make_room(b) || strlen(key) >= BOOK_KEY_MAX)
		return NULL;
	struct book_entry *e = &b->v[b->n++];
	*e = (struct book_entry){.phase = BOOK_ASKED};
	memcpy(e->key, key, strlen(key));
	b->dirty = true;
	return e;
}

uint64_t book_tag(const struct book_entry *e)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */
	for (const unsigned char *p = (const unsigned char *)e->key; *p; p++)
		h = (h ^ *p) * 1099511628211u;
	return h;
}

unsigned book_answers(const struct book *b, const char *from, int64_t since_wall_ms)
{
	unsigned n = 0;
	for (size_t i = 0; i < b->n; i++)
		n += b->v[i].answered && b->v[i].at_wall_ms >= since_wall_ms &&
		     strcmp(b->v[i].from, from) == 0;
	return n;
}

unsigned book_count(const struct book *b, const char *from, enum answer_do what, int64_t since_wall_ms)
{
	unsigned n = 0;
	for (size_t i = 0; i < b->n; i++)
		n += b->v[i].what == what && b->v[i].at_wall_ms >= since_wall_ms &&
		     strcmp(b->v[i].from, from) == 0;
	return n;
}

/* --- JSON ------------------------------------------------------------------------------------------ */

static cJSON *entry_make(const struct book_entry *e)
{
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "key", e->key);
	cJSON_AddStringToObject(o, "line", e->line);
	cJSON_AddStringToObject(o, "from", e->from);
	cJSON_AddStringToObject(o, "contact", e->contact);
	json_add_int(o, "at_wall_ms", e->at_wall_ms);
	json_add_int(o, "what", e->what);
	cJSON_AddBoolToObject(o, "answered", e->answered);
	json_add_int(o, "phase", e->phase);
	if (e->phase == BOOK_DONE)
		return o;
	cJSON_AddStringToObject(o, "code", e->code);
	cJSON_AddStringToObject(o, "check", e->check);
	json_add_int(o, "opened", (int64_t)e->opened);
	cJSON_AddStringToObject(o, "comment", e->comment);
	json_add_int(o, "from_ms", e->from_ms);
	json_add_int(o, "until_ms", e->until_ms);
	cJSON_AddStringToObject(o, "text", e->text);
	return o;
}

cJSON *book_make(const struct book *b)
{
	cJSON *o = cJSON_CreateObject(), *v = cJSON_AddArrayToObject(o, "messages");
	json_add_int(o, "v", 1);
	for (size_t i = 0; i < b->n; i++)
		cJSON_AddItemToArray(v, entry_make(&b->v[i]));
	return o;
}

static bool copy(const cJSON *o, const char *key, char *out, size_t size)
{
	const char *s = json_str(o, key, "");
	if (strlen(s) >= size)
		return false;
	memcpy(out, s, strlen(s) + 1);
	return true;
}

static bool entry_read(struct book_entry *e, const cJSON *o)
{
	int64_t what = json_int(o, "what", -1), phase = json_int(o, "phase", -1);
	if (what < ANS_IGNORE || what > ANS_HELP || phase < BOOK_ASKED || phase > BOOK_DONE)
		return false;
	e->what = (enum answer_do)what;
	e->phase = (enum book_phase)phase;
	e->answered = json_bool(o, "answered", false);
	e->at_wall_ms = json_int(o, "at_wall_ms", 0);
	e->opened = (uint64_t)json_int(o, "opened", 0);
	e->from_ms = json_int(o, "from_ms", 0);
	e->until_ms = json_int(o, "until_ms", 0);
	return copy(o, "line", e->line, sizeof e->line) && copy(o, "from", e->from, sizeof e->from) &&
	       copy(o, "contact", e->contact, sizeof e->contact) &&
	       copy(o, "code", e->code, sizeof e->code) && copy(o, "check", e->check, sizeof e->check) &&
	       copy(o, "comment", e->comment, sizeof e->comment) && copy(o, "text", e->text, sizeof e->text);
}

size_t book_read(struct book *b, const cJSON *v)
{
	size_t bad = 0;
	const cJSON *o;
	cJSON_ArrayForEach(o, cJSON_GetObjectItemCaseSensitive(v, "messages"))
	{
		const char *key = json_str(o, "key", "");
		struct book_entry *e = *key && !book_find(b, key) ? book_add(b, key) : NULL;
		if (e && entry_read(e, o))
			continue;
		bad++;
		if (e)
			b->n--;
	}
	b->dirty = false;
	return bad;
}
