/* The counts and their telling; see tell.h. */
#include "tell.h"

#include "lib/json.h"

const char *const policy_kinds[POLICY_KINDS] = {"client", "sasl", "uid"};

bool policy_counts_init(struct policy_counts *c, int64_t now_ms)
{
	bool ok = true;

	*c = (struct policy_counts){.since_ms = now_ms};
	for (int k = 0; k < POLICY_KINDS; k++)
		ok &= (c->kind[k] = origins_new()) != NULL;
	return ok;
}

void policy_counts_fini(struct policy_counts *c)
{
	for (int k = 0; k < POLICY_KINDS; k++)
		origins_free(c->kind[k]);
}

void policy_count(struct policy_counts *c, const struct policy_request *r, bool first, int64_t second)
{
	c->requests++;
	ring_add(&c->all, first, second);
	if (r->client[0])
		origins_add(c->kind[POLICY_CLIENT], r->client, NULL, first, second);
	if (r->sasl[0])
		origins_add(c->kind[POLICY_SASL], r->sasl, r->client, first, second);
	if (r->uid[0])
		origins_add(c->kind[POLICY_UID], r->uid, NULL, first, second);
}

static bool tell_kind(struct origins *o, const char *name, int64_t second, struct buf *out)
{
	struct origin_view v[POLICY_TOLD];
	size_t n = origins_busiest(o, second, v, POLICY_TOLD);
	bool ok = buf_printf(out, ",\"%s\":[", name);

	for (size_t i = 0; i < n; i++)
		ok = ok && buf_puts(out, i ? ",{\"name\":" : "{\"name\":") &&
		     json_put_string(out, v[i].name) &&
		     buf_printf(out, ",\"s10\":%u,\"s60\":%u,\"r60\":%u,\"error\":%u,\"peers\":%u}",
				v[i].last10, v[i].last60, v[i].recipients60, v[i].error, v[i].peers);
	return ok && buf_puts(out, "]");
}

bool policy_tell(struct policy_counts *c, int64_t now_ms, size_t connections, struct buf *out)
{
	uint32_t s10, s60, r10, r60;
	int64_t second = now_ms / 1000;

	ring_sum(&c->all, second, 10, &s10, &r10);
	ring_sum(&c->all, second, ORIGIN_SECONDS, &s60, &r60);
	bool ok = buf_printf(out,
			     "{\"v\":1,\"up_s\":%lld,\"requests\":%llu,\"cut\":%llu,\"connections\":%zu,"
			     "\"s10\":%u,\"s60\":%u,\"r60\":%u",
			     (long long)(now_ms - c->since_ms) / 1000, (unsigned long long)c->requests,
			     (unsigned long long)c->cut, connections, s10, s60, r60);
	for (int k = 0; k < POLICY_KINDS; k++)
		ok = ok && tell_kind(c->kind[k], policy_kinds[k], second, out);
	return ok && buf_puts(out, "}\n");
}
