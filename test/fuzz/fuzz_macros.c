/*
 * What Nagios and Icinga hand over: eleven texts, separated by newlines. Whatever they hold, it becomes an
 * event that survives the spool, or nothing, or a reason.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "monitord/door/macros.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIELDS = 10 };

static void look_at(const struct event *e)
{
	char why[256], id[EVENT_NAME_MAX * 3 + 24];
	const char *reason = NULL;
	struct event again;
	cJSON *o = event_to_json(e);
	char *text = cJSON_PrintUnformatted(o);
	cJSON *v = json_parse(text, strlen(text), JSON_LINE_MAX, &reason);
	if (!v || !event_from_json(&again, v, "stem", why, sizeof why))
		abort();
	if (strcmp(again.check, e->check) != 0 || again.change != e->change || again.opened != e->opened ||
	    again.kind != e->kind || strchr(event_id(&again, id, sizeof id), '/'))
		abort();
	for (const char *s = e->check; *s; s++)
		if ((unsigned char)*s < 0x20)
			abort();
	event_fini(&again);
	cJSON_Delete(v);
	cJSON_free(text);
	cJSON_Delete(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *field[FIELDS] = {0}, why[300] = "";
	struct event e;
	memcpy(text, data, size);
	text[size] = '\0';
	char *s = text;
	for (int i = 0; i < FIELDS && s; i++)
		field[i] = strsep(&s, "\n");
	struct notification n = {.type = field[0],
				 .host = field[1],
				 .service = field[2],
				 .state = field[3],
				 .output = field[4],
				 .long_output = field[5],
				 .problem = field[6],
				 .since = field[7],
				 .author = field[8],
				 .comment = field[9]};
	event_init(&e);
	enum macros_result r = macros_event(&n, 1800000000000000, &e, why, sizeof why);
	if (r == MACROS_EVENT)
		look_at(&e);
	else if (!why[0])
		abort();
	event_fini(&e);
	free(text);
	return 0;
}
