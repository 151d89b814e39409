/* What is usual; see usual.h. */
#include "usual.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/json.h"

enum { DAY_MS = 86400000 };

static int day_of(int64_t wall_ms)
{
	return (int)(wall_ms / DAY_MS);
}

static void begin(struct usual *u, int64_t wall_ms)
{
	if (!u->begun_ms || u->begun_ms > wall_ms)
		u->begun_ms = wall_ms;
}

/* --- rates ----------------------------------------------------------------------------------------- */

static size_t index_of(const struct usual *u, const char *client)
{
	size_t i = 0;
	while (i < u->nclients && strncmp(u->clients[i].name, client, USUAL_NAME_MAX - 1) != 0)
		i++;
	return i;
}

/* Its entry, put first: the order is that of being seen. */
static struct usual_client *seen(struct usual *u, const char *client)
{
	size_t i = index_of(u, client);
	struct usual_client c = {.n = 0};
	snprintf(c.name, sizeof c.name, "%s", client);
	if (i < u->nclients)
		c = u->clients[i];
	else if (u->nclients < USUAL_CLIENTS)
		i = u->nclients++;
	else
		i = USUAL_CLIENTS - 1;
	memmove(&u->clients[1], &u->clients[0], i * sizeof c);
	u->clients[0] = c;
	return &u->clients[0];
}

static void add_day(struct usual_client *c, int day, float most)
{
	if (c->n && c->days[0].day == day) {
		c->days[0].most = most > c->days[0].most ? most : c->days[0].most;
		return;
	}
	/* a clock that was set back: what it wrote of days to come is no history */
	while (c->n && c->days[0].day > day)
		memmove(&c->days[0], &c->days[1], --c->n * sizeof c->days[0]);
	if (c->n && c->days[0].day == day)
		return;
	c->n -= c->n == USUAL_DAYS;
	memmove(&c->days[1], &c->days[0], c->n * sizeof c->days[0]);
	c->days[0] = (struct usual_day){day, most};
	c->n++;
}

void usual_rate(struct usual *u, const char *client, double per_min, int64_t wall_ms)
{
	begin(u, wall_ms);
	if (per_min >= USUAL_LEAST && isfinite(per_min) && *client)
		add_day(seen(u, client), day_of(wall_ms), (float)per_min);
}

double usual_of_client(const struct usual *u, const char *client, int64_t wall_ms)
{
	size_t i = index_of(u, client);
	double first = 0, second = 0;
	int today = day_of(wall_ms);
	if (!u->begun_ms || wall_ms - u->begun_ms < DAY_MS)
		return -1;
	for (size_t k = 0; i < u->nclients && k < u->clients[i].n; k++) {
		const struct usual_day *d = &u->clients[i].days[k];
		if (d->day >= today || d->day < today - USUAL_DAYS)
			continue;
		if (d->most > first) {
			second = first;
			first = d->most;
		} else if (d->most > second) {
			second = d->most;
		}
	}
	return second;
}

/* --- names ----------------------------------------------------------------------------------------- */

static struct usual_name *oldest(struct usual *u)
{
	struct usual_name *o = &u->names[0];
	for (size_t i = 1; i < u->nnames; i++)
		o = u->names[i].last_ms < o->last_ms ? &u->names[i] : o;
	return o;
}

static void note_name(struct usual *u, const char *s, size_t n, int64_t wall_ms)
{
	if (!n || n >= USUAL_NAME_MAX)
		return;
	for (size_t i = 0; i < u->nnames; i++)
		if (strlen(u->names[i].name) == n && memcmp(u->names[i].name, s, n) == 0) {
			u->names[i].last_ms = wall_ms;
			return;
		}
	struct usual_name *e = u->nnames < USUAL_NAMES ? &u->names[u->nnames++] : oldest(u);
	*e = (struct usual_name){.first_ms = wall_ms, .last_ms = wall_ms};
	memcpy(e->name, s, n);
}

void usual_names(struct usual *u, const char *list, int64_t wall_ms)
{
	begin(u, wall_ms);
	while (*list) {
		size_t n = strcspn(list, ", ");
		note_name(u, list, n, wall_ms);
		list += n + strspn(list + n, ", ");
	}
}

int64_t usual_since(const struct usual *u, const char *name)
{
	for (size_t i = 0; i < u->nnames; i++)
		if (strcmp(u->names[i].name, name) == 0)
			return u->names[i].first_ms > u->begun_ms ? u->names[i].first_ms : 0;
	return 0;
}

/* --- as JSON --------------------------------------------------------------------------------------- */

cJSON *usual_to_json(const struct usual *u)
{
	cJSON *o = cJSON_CreateObject(), *all = cJSON_AddObjectToObject(o, "clients");
	json_add_int(o, "begun_wall_ms", u->begun_ms);
	/* the last one is the newest when it is read again */
	for (size_t i = u->nclients; i-- > 0;) {
		cJSON *days = cJSON_AddArrayToObject(all, u->clients[i].name);
		for (size_t k = u->clients[i].n; k-- > 0;) {
			const struct usual_day *d = &u->clients[i].days[k];
			cJSON_AddItemToArray(days, cJSON_CreateNumber(d->day));
			cJSON_AddItemToArray(days, cJSON_CreateNumber(round(d->most)));
		}
	}
	cJSON *names = u->nnames ? cJSON_AddObjectToObject(o, "names") : NULL;
	for (size_t i = 0; i < u->nnames; i++) {
		cJSON *v = cJSON_AddArrayToObject(names, u->names[i].name);
		cJSON_AddItemToArray(v, cJSON_CreateNumber((double)u->names[i].first_ms));
		cJSON_AddItemToArray(v, cJSON_CreateNumber((double)u->names[i].last_ms));
	}
	return o;
}

static bool is_whole(const cJSON *v, double most)
{
	return cJSON_IsNumber(v) && v->valuedouble >= 0 && v->valuedouble <= most;
}

static void client_from(struct usual *u, const cJSON *days)
{
	if (!cJSON_IsArray(days) || !days->string || !*days->string || strlen(days->string) >= USUAL_NAME_MAX)
		return;
	for (const cJSON *d = days->child; d && d->next; d = d->next->next)
		if (is_whole(d, 1e6) && is_whole(d->next, 1e9))
			add_day(seen(u, days->string), (int)d->valuedouble, (float)d->next->valuedouble);
}

static void name_from(struct usual *u, const cJSON *v)
{
	const cJSON *first = v->child, *last = first ? first->next : NULL;
	if (!cJSON_IsArray(v) || !v->string || strlen(v->string) >= USUAL_NAME_MAX ||
	    u->nnames == USUAL_NAMES || !last || !is_whole(first, 9e15) || !is_whole(last, 9e15))
		return;
	struct usual_name *e = &u->names[u->nnames++];
	snprintf(e->name, sizeof e->name, "%s", v->string);
	e->first_ms = (int64_t)first->valuedouble;
	e->last_ms = (int64_t)last->valuedouble;
}

void usual_from_json(struct usual *u, const cJSON *o)
{
	const cJSON *v, *begun = cJSON_GetObjectItemCaseSensitive(o, "begun_wall_ms");
	memset(u, 0, sizeof *u);
	if (!is_whole(begun, 9e15))
		return;
	u->begun_ms = (int64_t)begun->valuedouble;
	cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(o, "clients")) client_from(u, v);
	cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(o, "names")) name_from(u, v);
}
