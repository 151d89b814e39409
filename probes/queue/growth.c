/* Growth per minute out of kept readings; see growth.h. Called by the queue probe. */
#include "growth.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "probes/probe.h"

static bool load_point(const cJSON *obj, struct queue_growth_point *p)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(obj, "v");

	if (!json_get_stamp(obj, "at", &p->at) || cJSON_GetArraySize(v) != QUEUE_GROWTH_SERIES)
		return false;
	for (int i = 0; i < QUEUE_GROWTH_SERIES; i++) {
		const cJSON *n = cJSON_GetArrayItem(v, i);

		if (!cJSON_IsNumber(n) || n->valuedouble < 0 || n->valuedouble > 9e15)
			return false;
		p->v[i] = (uint64_t)n->valuedouble;
	}
	return true;
}

void queue_growth_load(struct queue_growth *g, const char *state, size_t len, uint64_t of)
{
	char text[24];
	const cJSON *one;
	cJSON *v;

	memset(g, 0, sizeof(*g));
	g->of = of;
	v = len ? json_parse(state, len, PROBE_STATE_MAX, NULL) : NULL;
	snprintf(text, sizeof(text), "%016" PRIx64, of);
	if (!v || strcmp(json_str(v, "of", ""), text) != 0) {
		cJSON_Delete(v);
		return;
	}
	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(v, "points"))
	{
		if (g->n < QUEUE_GROWTH_POINTS && load_point(one, &g->p[g->n]))
			g->n++;
	}
	cJSON_Delete(v);
}

bool queue_growth_save(const struct queue_growth *g, struct buf *out)
{
	cJSON *v = cJSON_CreateObject(), *points = cJSON_AddArrayToObject(v, "points");
	char text[24];
	bool ok;

	snprintf(text, sizeof(text), "%016" PRIx64, g->of);
	cJSON_AddStringToObject(v, "of", text);
	for (size_t i = 0; i < g->n; i++) {
		cJSON *one = cJSON_CreateObject(), *row = cJSON_AddArrayToObject(one, "v");

		json_add_stamp(one, "at", &g->p[i].at);
		for (int k = 0; k < QUEUE_GROWTH_SERIES; k++)
			cJSON_AddItemToArray(row, cJSON_CreateNumber((double)g->p[i].v[k]));
		cJSON_AddItemToArray(points, one);
	}
	ok = json_line(v, out);
	cJSON_Delete(v);
	return ok;
}

const struct queue_growth_point *queue_growth_base(const struct queue_growth *g, const struct stamp *now,
						   int64_t window_ms)
{
	const struct queue_growth_point *before = NULL;

	for (size_t i = 0; i < g->n; i++) {
		int64_t age = clock_age_ms(&g->p[i].at, now);

		if (age < QUEUE_GROWTH_LEAST_MS)
			continue;
		if (age <= window_ms)
			return &g->p[i];
		if (age <= QUEUE_GROWTH_MOST_MS)
			before = &g->p[i];
	}
	return before;
}

double queue_growth_per_minute(uint64_t then, uint64_t now, int64_t apart_ms)
{
	return ((double)now - (double)then) * 60000 / (double)apart_ms;
}

void queue_growth_add(struct queue_growth *g, const struct queue_growth_point *now, int64_t window_ms)
{
	if (g->n && clock_age_ms(&g->p[g->n - 1].at, &now->at) < window_ms / (QUEUE_GROWTH_POINTS - 2))
		return;
	if (g->n == QUEUE_GROWTH_POINTS) {
		memmove(&g->p[0], &g->p[1], (QUEUE_GROWTH_POINTS - 1) * sizeof(g->p[0]));
		g->n--;
	}
	g->p[g->n++] = *now;
}
