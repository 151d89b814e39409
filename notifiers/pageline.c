/*
 * Reads a page out of its JSON line, for notifier.c. Promises that every string of a page that was accepted
 * is there (only "more" may be NULL), that id and to are not empty and that the deadline is sane.
 */
#include "pageline.h"

#include <stdio.h>

#include "lib/json.h"

/* A member that must be a string if it is there at all. */
static bool text_member(const cJSON *obj, const char *key, const char *dflt, const char **out, char *why,
			size_t size)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(obj, key);

	*out = dflt;
	if (v == NULL || cJSON_IsNull(v))
		return true;
	if (!cJSON_IsString(v)) {
		snprintf(why, size, "page: \"%s\" is not a string", key);
		return false;
	}
	*out = v->valuestring;
	return true;
}

static int64_t sane_deadline(int64_t ms)
{
	if (ms < PAGE_DEADLINE_MIN)
		return PAGE_DEADLINE_MIN;
	return ms > PAGE_DEADLINE_MAX ? PAGE_DEADLINE_MAX : ms;
}

static bool read_texts(struct page *p, const cJSON *obj, char *why, size_t size)
{
	const struct {
		const char *key, *dflt;
		const char **out;
	} texts[] = {
	    {"id", "", &p->id},       {"to", "", &p->to},	{"incident", "", &p->incident},
	    {"check", "", &p->check}, {"host", "", &p->host},	{"state", "", &p->state},
	    {"text", "", &p->text},   {"more", NULL, &p->more}, {"lang", "", &p->lang},
	    {"code", "", &p->code},   {"template", NULL, &p->template},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i].out = texts[i].dflt;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!text_member(obj, texts[i].key, texts[i].dflt, texts[i].out, why, size))
			return false;
	return true;
}

bool page_from_json(struct page *p, const cJSON *obj, char *why, size_t size)
{
	const char *kind;

	*p = (struct page){.id = "", .to = "", .kind = PAGE_NEW};
	if (!cJSON_IsObject(obj)) {
		snprintf(why, size, "\"page\" is not an object");
		return false;
	}
	if (!read_texts(p, obj, why, size))
		return false;
	if (p->id[0] == '\0' || p->to[0] == '\0') {
		snprintf(why, size, "page without \"%s\"", p->id[0] == '\0' ? "id" : "to");
		return false;
	}
	if (!text_member(obj, "kind", "new", &kind, why, size))
		return false;
	if (!page_kind_from_name(kind, &p->kind)) {
		snprintf(why, size, "page: unknown kind \"%.32s\"", kind);
		return false;
	}
	p->resend = json_bool(obj, "resend", false);
	p->number = json_int(obj, "number", 0);
	p->since_wall_ms = json_int(obj, "since_wall_ms", 0);
	p->at_wall_ms = json_int(obj, "at_wall_ms", 0);
	p->deadline_ms = sane_deadline(json_int(obj, "deadline_ms", PAGE_DEADLINE_DEFAULT));
	return true;
}
