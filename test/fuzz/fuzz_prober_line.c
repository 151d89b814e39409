/* What a prober is told: any line is a whole request or a refusal with a reason, and leaves nothing behind.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "probes/prober/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request q;
	char why[256] = "";

	if (!request_parse(&q, (const char *)data, size, PLACES_ALL, why, sizeof why)) {
		assert(why[0]);
		assert(!q.conf && !q.state);
		return 0;
	}
	assert(q.id[0] && strlen(q.id) < sizeof q.id);
	if (q.kind == REQUEST_RUN)
		assert(q.probe && q.conf && q.state && q.state_len == strlen(q.state) && q.timeout_ms > 0);
	request_fini(&q);
	return 0;
}
