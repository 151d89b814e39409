/* What is usual; see habit.h. */
#include "habit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "probes/probe.h"

static const double forgotten = 0.01; /* a minute: not worth a place */

static void load_one(struct habits *u, const cJSON *pair)
{
	const cJSON *name = cJSON_GetArrayItem(pair, 0), *rate = cJSON_GetArrayItem(pair, 1);

	if (u->n == HABITS_MAX || !cJSON_IsString(name) || !cJSON_IsNumber(rate) ||
	    !(rate->valuedouble >= 0 && rate->valuedouble < 1e9))
		return;
	struct habit_one *one = &u->v[u->n++];
	snprintf(one->name, sizeof one->name, "%s", name->valuestring);
	one->rate = rate->valuedouble;
}

void habit_load(struct habits *u, const char *state, size_t len)
{
	const char *end = len ? memchr(state, '\n', len) : NULL;
	cJSON *v = len ? json_parse(state, end ? (size_t)(end - state) : len, PROBE_STATE_MAX, NULL) : NULL;
	const cJSON *pair;

	memset(u, 0, sizeof *u);
	u->known = v && json_get_stamp(v, "since", &u->since) && json_get_stamp(v, "at", &u->at);
	if (u->known)
		cJSON_ArrayForEach(pair, cJSON_GetObjectItemCaseSensitive(v, "usual")) load_one(u, pair);
	cJSON_Delete(v);
}

bool habit_save(const struct habits *u, struct buf *out)
{
	cJSON *v = cJSON_CreateObject();

	json_add_stamp(v, "since", &u->since);
	json_add_stamp(v, "at", &u->at);
	cJSON *list = cJSON_AddArrayToObject(v, "usual");
	for (size_t i = 0; i < u->n; i++) {
		cJSON *pair = cJSON_CreateArray();
		cJSON_AddItemToArray(pair, cJSON_CreateString(u->v[i].name));
		cJSON_AddItemToArray(pair, cJSON_CreateNumber(round(u->v[i].rate * 1000) / 1000));
		cJSON_AddItemToArray(list, pair);
	}
	bool ok = json_line(v, out);
	cJSON_Delete(v);
	return ok;
}

static struct habit_one *find(const struct habits *u, const char *name)
{
	for (size_t i = 0; i < u->n; i++)
		if (strcmp(u->v[i].name, name) == 0)
			return (struct habit_one *)&u->v[i];
	return NULL;
}

double habit_of(const struct habits *u, const char *name)
{
	const struct habit_one *one = find(u, name);

	return one ? one->rate : 0;
}

/* A place for a newcomer: the least usual one's, when the newcomer brings more. */
static struct habit_one *place(struct habits *u, const char *name, double rate)
{
	struct habit_one *one = u->n < HABITS_MAX ? &u->v[u->n++] : &u->v[0];

	for (size_t i = 0; one == &u->v[0] && i < u->n && u->n == HABITS_MAX; i++)
		if (u->v[i].rate < one->rate)
			one = &u->v[i];
	if (one->name[0] && one->rate >= rate)
		return NULL;
	*one = (struct habit_one){0};
	snprintf(one->name, sizeof one->name, "%s", name);
	return one;
}

void habit_learn(struct habits *u, const char *name, double rate, double weight)
{
	struct habit_one *one = find(u, name);

	if (!one)
		one = place(u, name, rate * weight);
	if (!one)
		return;
	one->rate += weight * (rate - one->rate);
	one->seen = true;
}

void habit_end(struct habits *u, double weight)
{
	size_t kept = 0;

	for (size_t i = 0; i < u->n; i++) {
		if (!u->v[i].seen)
			u->v[i].rate *= 1 - weight;
		if (u->v[i].seen || u->v[i].rate > forgotten)
			u->v[kept++] = u->v[i];
	}
	u->n = kept;
}

double habit_weight(int64_t age_ms, int64_t window_ms)
{
	return age_ms <= 0 ? 0 : 1 - exp(-(double)age_ms / (double)window_ms);
}
