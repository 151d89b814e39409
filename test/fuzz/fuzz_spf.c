/*
 * SPF records as any domain may publish them, their macros expanded, and a whole evaluation in which every
 * look-up brings the same record, so that includes and redirects go in circles. Beyond not crashing: it ends,
 * within its limits.
 */
#include <stdlib.h>
#include <string.h>

#include "probes/spf/spf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct dns_answer text, none;
	unsigned asked;
};

static const struct dns_answer *lookup(void *arg, const char *name, uint16_t type)
{
	struct world *w = arg;

	if (!dns_name_ok(name) || ++w->asked > 5000)
		abort();
	return type == DNS_TXT ? &w->text : &w->none;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 8);
	struct dns_value v = {.type = DNS_TXT};
	struct world w = {.none.outcome = DNS_NODATA};
	struct spf_query q = {
	    .domain = "lab.test", .sender = "a.b@lab.test", .helo = "h", .lookup = lookup, .arg = &w};
	struct spf_verdict out;

	memcpy(text, "v=spf1 ", 7);
	memcpy(text + 7, data, size);
	text[size + 7] = '\0';
	v.text = text;
	v.data = (uint8_t *)text;
	v.len = size + 7;
	w.text = (struct dns_answer){.outcome = DNS_DATA, .v = &v, .n = 1};
	for (int i = 0; i < 4; i++) {
		q.count_only = i & 1;
		w.none.outcome = i & 2 ? DNS_NODATA : DNS_SILENT;
		dns_ip_parse(i & 1 ? "2001:db8::1" : "192.0.2.1", &q.ip);
		spf_evaluate(&q, &out);
		if (!q.count_only && out.lookups > SPF_LOOKUPS_MAX + 1)
			abort();
		if (q.count_only && out.result == SPF_PASS)
			abort();
	}
	free(text);
	return 0;
}
