/* The parser of foreign plugin output: any bytes give a result within its limits that survives being printed
 * and sent. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/contract/plugin_out.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result r, again;
	struct buf out;
	const char *why = NULL;

	result_init(&r);
	result_init(&again);
	buf_init(&out, 65536);
	plugin_out_parse((const char *)data, size, &r);
	assert(r.text.len <= RESULT_TEXT_MAX && r.more.len <= RESULT_LONG_MAX && r.nperf <= RESULT_PERF_MAX);
	assert(!memchr(buf_str(&r.text), '\n', r.text.len) && !memchr(buf_str(&r.text), '|', r.text.len));
	for (size_t i = 0; i < r.nperf; i++)
		assert(r.perf[i].label[0] && !strpbrk(r.perf[i].label, "='\n|"));
	/* what is printed is plugin output again, with the same figures */
	result_print(&r, NULL, &out);
	plugin_out_parse(out.data, out.len, &again);
	cJSON *obj = cJSON_CreateObject();
	result_to_json(&r, obj);
	assert(result_from_json(&again, obj, &why));
	assert(again.state == r.state && again.nperf == r.nperf);
	cJSON_Delete(obj);
	buf_fini(&out);
	result_fini(&again);
	result_fini(&r);
	return 0;
}
