/* Previews; see preview.h. Called by notifier.c. */
#include "preview.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "notifier.h"

static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* A line that says nothing about itself shows the whole text. */
static void plain(const struct page *p, struct preview *v)
{
	v->shows = page_text(p, SIZE_MAX, NULL);
	v->units = v->shows ? characters(v->shows) : 0;
}

cJSON *preview_answer(const struct notifier *n, const void *conf, const struct page *p)
{
	struct preview v = {0};
	cJSON *o = cJSON_CreateObject();

	if (n->preview != NULL)
		n->preview(conf, p, &v);
	else
		plain(p, &v);
	cJSON_AddStringToObject(o, "shows", v.shows != NULL ? v.shows : "");
	json_add_int(o, "units", (int64_t)v.units);
	json_add_int(o, "max", (int64_t)v.max);
	json_add_int(o, "parts", v.parts);
	cJSON_AddStringToObject(o, "note", v.note);
	free(v.shows);
	return o;
}
