/* What coverage and explain share; see people.h. */
#include "people.h"

#include <stdio.h>
#include <string.h>

#include "lib/json.h"

static const cJSON *get(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

bool people_load(const struct ctl *ctl, bool unproved, struct people *p)
{
	struct complaints c;
	*p = (struct people){.conf = NULL};
	complaints_init(&c);
	p->conf = (unproved ? config_load_unproved : config_load)(ctl->config, NULL, &c);
	if (!p->conf) {
		complaints_print(&c, stderr);
		fprintf(stderr, "monitorctl: %s does not load\n", ctl->config);
	} else {
		p->monitord = ctl_status(ctl->monitord, p->why, sizeof p->why);
		p->pagerd = ctl_status(ctl->pagerd, p->why, sizeof p->why);
	}
	complaints_fini(&c);
	return p->conf != NULL;
}

void people_free(struct people *p)
{
	config_free(p->conf);
	cJSON_Delete(p->monitord);
	cJSON_Delete(p->pagerd);
}

char *const *people_names(const struct config *conf, const struct conf_check *check, size_t *n)
{
	*n = check && check->ncontacts ? check->ncontacts : conf->ndefault_contacts;
	return check && check->ncontacts ? check->contacts : conf->default_contacts;
}

static const char *failing(const struct people *p, char *const *needs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const cJSON *check = ctl_find_check(p->monitord, needs[i]);
		if (check && json_bool(check, "problem", false))
			return needs[i];
	}
	return NULL;
}

const char *people_failing_need(const struct people *p, const struct conf_route *r)
{
	const struct conf_line *line = config_line(p->conf, r->line);
	const char *own = failing(p, r->needs, r->nneeds);
	return own || !line ? own : failing(p, line->needs, line->nneeds);
}

const char *people_line_trouble(const struct people *p, const char *line)
{
	const cJSON *o;
	cJSON_ArrayForEach(o, get(p->pagerd, "lines"))
	{
		if (strcmp(json_str(o, "name", ""), line) != 0)
			continue;
		if (!json_bool(o, "up", true))
			return "its notifier is not running";
		return json_bool(o, "ok", true) ? NULL : json_str(o, "text", "it cannot send");
	}
	return NULL;
}

void people_proof(const struct people *p, const struct conf_route *r, const struct stamp *now,
		  struct buf *out)
{
	static const char *const hows[][2] = {
	    {"page", "a page"}, {"test", "a test"}, {"loopback", "a loopback"}};
	const cJSON *o;
	char age[32];
	if (!p->pagerd)
		return;
	cJSON_ArrayForEach(o, get(p->pagerd, "routes"))
	{
		if (strcmp(json_str(o, "line", ""), r->line) != 0 ||
		    strcmp(json_str(o, "to", ""), r->to) != 0 || !cJSON_IsObject(get(o, "proved")))
			continue;
		const char *how = json_str(o, "how", "page");
		for (size_t i = 0; i < 3; i++)
			if (strcmp(how, hows[i][0]) == 0)
				how = hows[i][1];
		buf_printf(out, "proved %s ago by %s", ctl_age(o, "proved", now, age, sizeof age), how);
		return;
	}
	buf_puts(out, "never proved");
}
