/* The routes' proofs as JSON; see proofs.h. */
#include "proofs.h"

#include "lib/json.h"

static void put(cJSON *o, const char *key, const struct stamp *s)
{
	if (s->wall_ms)
		json_add_stamp(o, key, s);
}

cJSON *proofs_json(const struct proofs *p)
{
	cJSON *o = cJSON_CreateObject(), *v = cJSON_AddArrayToObject(o, "routes");
	json_add_int(o, "v", 1);
	for (size_t k = 0; k < p->n; k++) {
		const struct proof *r = &p->v[k];
		cJSON *x = cJSON_CreateObject();
		cJSON_AddStringToObject(x, "line", r->line);
		cJSON_AddStringToObject(x, "to", r->to);
		cJSON_AddStringToObject(x, "how", proof_how_name(r->how));
		cJSON_AddBoolToObject(x, "reports", r->reports);
		put(x, "first", &r->first);
		put(x, "proved", &r->proved);
		put(x, "before", &r->before);
		put(x, "used", &r->used);
		put(x, "tested", &r->tested);
		cJSON_AddItemToArray(v, x);
	}
	return o;
}

static void get(const cJSON *o, const char *key, struct stamp *s)
{
	if (!json_get_stamp(o, key, s))
		*s = (struct stamp){0};
}

bool proofs_read(struct proofs *p, const cJSON *v)
{
	const cJSON *x, *routes = cJSON_GetObjectItemCaseSensitive(v, "routes");
	struct stamp now = {0};
	if (json_int(v, "v", 0) != 1 || !cJSON_IsArray(routes))
		return false;
	cJSON_ArrayForEach(x, routes)
	{
		const char *line = json_str(x, "line", NULL), *to = json_str(x, "to", NULL);
		struct proof *r =
		    line && to && json_get_stamp(x, "first", &now) ? proofs_make(p, line, to, &now) : NULL;
		if (!r)
			continue;
		r->how = proof_how_from_name(json_str(x, "how", ""));
		r->reports = json_bool(x, "reports", false);
		get(x, "proved", &r->proved);
		get(x, "before", &r->before);
		get(x, "used", &r->used);
		get(x, "tested", &r->tested);
	}
	p->dirty = false;
	return true;
}
