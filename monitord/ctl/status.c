/* status; see status.h. Called by monitorctl.c. */
#include "status.h"

#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "ask.h"
#include "check.h"
#include "diagnose.h"
#include "group.h"
#include "show.h"

/* Leaves only what is about one check. */
static void keep_only(cJSON *snapshot, const char *list, const char *key, const char *name)
{
	cJSON *all = cJSON_GetObjectItemCaseSensitive(snapshot, list);
	for (cJSON *o = all ? all->child : NULL, *next; o; o = next) {
		next = o->next;
		if (strcmp(json_str(o, key, ""), name) != 0)
			cJSON_Delete(cJSON_DetachItemViaPointer(all, o));
	}
}

static void status_json(const struct ctl *ctl, cJSON *m, cJSON *p)
{
	cJSON *both = cJSON_CreateObject();
	if (ctl->name) {
		keep_only(m, "checks", "name", ctl->name);
		keep_only(p, "incidents", "check", ctl->name);
	}
	cJSON_AddItemToObject(both, "monitord", m ? cJSON_Duplicate(m, true) : cJSON_CreateNull());
	cJSON_AddItemToObject(both, "pagerd", p ? cJSON_Duplicate(p, true) : cJSON_CreateNull());
	ctl_print_json(both);
	cJSON_Delete(both);
}

static void status_of_one(const struct ctl *ctl, const cJSON *m, const char *why_m, const cJSON *p,
			  const char *why_p, struct buf *out)
{
	struct stamp now = clock_stamp();
	if (!m) {
		fprintf(stderr, "monitorctl: %s\n", why_m);
		return;
	}
	if (!p)
		fprintf(stderr, "monitorctl: %s\n", why_p);
	ctl_show_check(ctl_find_check(m, ctl->name), p, &ctl->style, &now, out);
}

int ctl_do_status(struct ctl *ctl)
{
	char why_m[512] = "", why_p[512] = "";
	cJSON *m = ctl_status(ctl->monitord, why_m, sizeof why_m);
	cJSON *p = ctl_status(ctl->pagerd, why_p, sizeof why_p);
	struct stamp now = clock_stamp();
	struct buf out;
	cJSON *whole = ctl->group && m ? cJSON_Duplicate(m, true) : NULL;
	bool none = ctl->group && m && !ctl_keep_group(m, p, ctl->group);
	int rc = !m || !p ? EXIT_SILENT : ctl_has_problem(m, p) ? EXIT_REFUSED : EXIT_DONE;
	buf_init(&out, ANSWER_MAX);
	if (none) {
		ctl_no_group(whole, ctl->group);
		rc = EXIT_REFUSED;
	} else if (ctl->name && m && !ctl_find_check(m, ctl->name)) {
		fprintf(stderr, "monitorctl: there is no check \"%s\"\n", ctl->name);
		ctl_suggest_check(ctl, m);
		rc = EXIT_REFUSED;
	} else if (ctl->json) {
		status_json(ctl, m, p);
	} else if (ctl->name) {
		status_of_one(ctl, m, why_m, p, why_p, &out);
	} else {
		ctl_show_diagnosis(m, false, &out);
		ctl_show_status(m, why_m, p, why_p, &ctl->style, &now, &out);
	}
	fputs(buf_str(&out), stdout);
	buf_fini(&out);
	cJSON_Delete(whole);
	cJSON_Delete(m);
	cJSON_Delete(p);
	return rc;
}
