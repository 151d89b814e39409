/* What a prober on another host answers: any line is refused, or a result within every bound, which can be
 * written again. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "lib/contract/result.h"
#include "lib/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const struct result *r)
{
	struct buf out;
	assert(r->text.len <= RESULT_TEXT_MAX && r->more.len <= RESULT_LONG_MAX &&
	       r->facts.len <= RESULT_FACTS_MAX);
	assert(r->nperf <= RESULT_PERF_MAX && strlen(r->layer) < sizeof r->layer);
	for (const char *p = buf_str(&r->text); *p; p++)
		assert((unsigned char)*p >= ' ' && *p != '|');
	buf_init(&out, 1 << 20);
	assert(result_write(r, &out));
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result r;
	const char *why = "";
	cJSON *v = json_parse((const char *)data, size, 512 * 1024, &why);
	result_init(&r);
	if (cJSON_IsObject(v) && result_from_json(&r, v, &why))
		look_at(&r);
	result_fini(&r);
	cJSON_Delete(v);
	return 0;
}
