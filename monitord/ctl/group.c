/* Groups of checks; see group.h. Called by monitorctl.c, status.c and change.c. */
#include "group.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/json.h"
#include "ask.h"

enum { GROUPS_MAX = 8192 };

bool ctl_in_group(const cJSON *check, const char *pattern)
{
	const cJSON *g;
	cJSON_ArrayForEach(g, cJSON_GetObjectItemCaseSensitive(
				  check, "groups")) if (cJSON_IsString(g) &&
							fnmatch(pattern, g->valuestring, 0) == 0) return true;
	return false;
}

void ctl_no_group(const cJSON *m, const char *pattern)
{
	const char **names = calloc(GROUPS_MAX, sizeof *names), *near;
	const cJSON *c, *g;
	size_t n = 0;
	cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(m, "checks"))
	{
		cJSON_ArrayForEach(g, cJSON_GetObjectItemCaseSensitive(c, "groups")) if (names && n < GROUPS_MAX &&
											cJSON_IsString(g))
		    names[n++] = g->valuestring;
	}
	near = names ? ctl_nearest(pattern, names, n) : NULL;
	fprintf(stderr, "monitorctl: no check is in a group \"%s\"%s%s%s\n", pattern, near ? "; did you mean \"" : "",
		near ? near : "", near ? "\"?" : "");
	free(names);
}

int ctl_keep_list(const cJSON *m, cJSON *answer, const char *list, long max)
{
	cJSON *all = cJSON_GetObjectItemCaseSensitive(answer, list);
	int n = 0;
	for (cJSON *o = all ? all->child : NULL, *next; o; o = next) {
		next = o->next;
		if (n < max && ctl_find_check(m, json_str(o, "check", "")))
			n++;
		else
			cJSON_Delete(cJSON_DetachItemViaPointer(all, o));
	}
	return n;
}

int ctl_keep_group(cJSON *monitord, cJSON *pagerd, const char *pattern)
{
	cJSON *all = cJSON_GetObjectItemCaseSensitive(monitord, "checks");
	int n = 0;
	for (cJSON *o = all ? all->child : NULL, *next; o; o = next) {
		next = o->next;
		if (ctl_in_group(o, pattern))
			n++;
		else
			cJSON_Delete(cJSON_DetachItemViaPointer(all, o));
	}
	if (pagerd)
		ctl_keep_list(monitord, pagerd, "incidents", LONG_MAX);
	return n;
}

cJSON *ctl_group_checks(const struct ctl *ctl, int *rc)
{
	char why[512];
	cJSON *m = ctl_status(ctl->monitord, why, sizeof why), *whole = m ? cJSON_Duplicate(m, true) : NULL;
	*rc = EXIT_DONE;
	if (!m) {
		fprintf(stderr, "monitorctl: %s\n", why);
		*rc = EXIT_SILENT;
	} else if (!ctl_keep_group(m, NULL, ctl->group)) {
		ctl_no_group(whole, ctl->group);
		*rc = EXIT_REFUSED;
		cJSON_Delete(m);
		m = NULL;
	}
	cJSON_Delete(whole);
	return m;
}
