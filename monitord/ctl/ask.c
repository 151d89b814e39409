/* Asking the daemons; see ask.h. Called by monitorctl.c and change.c. */
#include "ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/contract/control.h"
#include "lib/json.h"
#include "lib/config/units.h"

enum { NAMES_MAX = 8192 };

cJSON *ctl_request(const char *what)
{
	cJSON *o = cJSON_CreateObject();
	json_add_int(o, "v", 1);
	cJSON_AddStringToObject(o, "do", what);
	return o;
}

void ctl_add_text(cJSON *o, const char *key, const char *value)
{
	if (value)
		cJSON_AddStringToObject(o, key, value);
}

void ctl_print_json(const cJSON *v)
{
	char *text = cJSON_Print(v);
	if (text)
		puts(text);
	cJSON_free(text);
}

cJSON *ctl_ask(const struct ctl *ctl, const char *socket, cJSON *q, int ms, int *rc)
{
	char why[512];
	cJSON *a = control_ask(socket, q, ms, why, sizeof why);
	cJSON_Delete(q);
	*rc = EXIT_DONE;
	if (!a) {
		fprintf(stderr, "monitorctl: %s\n", why);
		*rc = EXIT_SILENT;
		return NULL;
	}
	if (!json_bool(a, "ok", false)) {
		*rc = EXIT_REFUSED; /* and says why, in text for people */
		if (json_str(a, "error", NULL))
			fprintf(stderr, "monitorctl: %s\n", json_str(a, "error", ""));
	}
	if (ctl->json)
		ctl_print_json(a);
	return a;
}

cJSON *ctl_status(const char *socket, char *why, size_t size)
{
	cJSON *q = ctl_request("status"), *a = control_ask(socket, q, ASK_MS, why, size);
	cJSON_Delete(q);
	return a;
}

const cJSON *ctl_find_check(const cJSON *snapshot, const char *name)
{
	const cJSON *c;
	cJSON_ArrayForEach(
	    c, cJSON_GetObjectItemCaseSensitive(snapshot, "checks")) if (strcmp(json_str(c, "name", ""),
										name) == 0) return c;
	return NULL;
}

const char *ctl_nearest(const char *written, const char *const *names, size_t n)
{
	const char *near = units_nearest(written, names, n);
	for (size_t i = 0; !near && *written && i < n; i++)
		if (strcasestr(names[i], written))
			near = names[i];
	return near;
}

void ctl_suggest_check(const struct ctl *ctl, const cJSON *snapshot)
{
	char why[512];
	cJSON *own = snapshot ? NULL : ctl_status(ctl->monitord, why, sizeof why);
	const cJSON *m = snapshot ? snapshot : own, *o;
	const char **names = m && !ctl_find_check(m, ctl->name) ? calloc(NAMES_MAX, sizeof *names) : NULL;
	size_t n = 0;
	cJSON_ArrayForEach(o, cJSON_GetObjectItemCaseSensitive(m, "checks")) if (names && n < NAMES_MAX)
	    names[n++] = json_str(o, "name", "");
	const char *near = names ? ctl_nearest(ctl->name, names, n) : NULL;
	if (near)
		fprintf(stderr, "monitorctl: did you mean \"%s\"?\n", near);
	free(names);
	cJSON_Delete(own);
}
