/* Passive checks; see passive.h. */
#include "passive.h"

#include <stdio.h>
#include <string.h>

#include "lib/json.h"

static struct check *of_host(const struct checks *t, const char *host, const char *service)
{
	char both[2 * EVENT_NAME_MAX + 2];
	snprintf(both, sizeof both, "%s %s", host, service);
	struct check *c = checks_find(t, *service ? both : host);
	if (c)
		return c;
	c = *service ? checks_find(t, service) : NULL;
	return c && strcmp(c->host, host) == 0 ? c : NULL;
}

struct check *passive_find(const struct checks *t, const cJSON *request, char *why, size_t size)
{
	const char *name = json_str(request, "name", NULL), *host = json_str(request, "host", NULL);
	const char *service = json_str(request, "service", "");
	if (!name && !host) {
		snprintf(why, size, "\"name\" is missing: which check?");
		return NULL;
	}
	struct check *c = name ? checks_find(t, name) : of_host(t, host, service);
	if (c && c->kind == CHECK_PASSIVE)
		return c;
	if (c)
		snprintf(why, size, "%s is not passive (probe %s)", c->name,
			 c->conf ? c->conf->probe : "of monitord itself");
	else if (name)
		snprintf(why, size, "there is no check \"%.100s\"", name);
	else if (*service)
		snprintf(why, size, "there is no check \"%.100s %.100s\", nor \"%.100s\" of that host", host,
			 service, service);
	else
		snprintf(why, size, "there is no check \"%.100s\" for that host", host);
	return NULL;
}

bool passive_is_stale(const struct check *c, int64_t now_ms)
{
	return c->kind == CHECK_PASSIVE && !c->judge.stale && now_ms - c->fresh_ms > c->conf->freshness_ms;
}

void passive_fresh(struct check *c, const struct stamp *now)
{
	if (c->kind == CHECK_PASSIVE && c->has_run)
		c->fresh_ms = now->boot_ms - clock_age_ms(&c->last_run, now);
}
