/* Counts of the policy service, read; see counts.h. */
#include "counts.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"

enum { COUNTS_MAX = 262144 };

static double number(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsNumber(v) && v->valuedouble >= 0 && v->valuedouble < 1e10 ? v->valuedouble : 0;
}

static void parse_kind(const cJSON *list, struct rate_origin *out, size_t *n)
{
	const cJSON *one;

	cJSON_ArrayForEach(one, list)
	{
		const char *name = json_str(one, "name", "");
		if (*n == POLICY_TOLD || !*name)
			continue;
		struct rate_origin *o = &out[(*n)++];
		snprintf(o->name, sizeof o->name, "%s", name);
		o->s10 = number(one, "s10");
		o->s60 = number(one, "s60");
		o->r60 = number(one, "r60");
		o->peers = (unsigned)number(one, "peers");
	}
}

bool rate_parse(const char *line, size_t len, struct rate_counts *out)
{
	cJSON *v = json_parse(line, len, COUNTS_MAX, NULL);
	bool ok = cJSON_IsObject(v) && json_int(v, "v", 0) == 1 &&
		  cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(v, "s60"));

	memset(out, 0, sizeof *out);
	out->s60 = number(v, "s60");
	out->s10 = number(v, "s10");
	out->r60 = number(v, "r60");
	for (int k = 0; ok && k < POLICY_KINDS; k++)
		parse_kind(cJSON_GetObjectItemCaseSensitive(v, policy_kinds[k]), out->v[k], &out->n[k]);
	cJSON_Delete(v);
	return ok;
}

double rate_per_minute(const struct rate_origin *o)
{
	return o->s10 * 6 > o->s60 ? o->s10 * 6 : o->s60;
}

static bool in_network(const char *network, const char *name)
{
	const char *slash = strchr(network, '/');
	unsigned char a[16], b[16];
	char base[64];

	if (!slash || (size_t)(slash - network) >= sizeof base)
		return false;
	snprintf(base, sizeof base, "%.*s", (int)(slash - network), network);
	int family = strchr(base, ':') ? AF_INET6 : AF_INET, bits = atoi(slash + 1),
	    most = family == AF_INET ? 32 : 128;
	if (bits < 0 || bits > most || inet_pton(family, base, a) != 1 || inet_pton(family, name, b) != 1)
		return false;
	for (int i = 0; i < bits; i++)
		if ((a[i / 8] ^ b[i / 8]) & (0x80 >> i % 8))
			return false;
	return true;
}

bool rate_listed(const struct opt_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], name) == 0 || in_network(l->v[i], name))
			return true;
	return false;
}
