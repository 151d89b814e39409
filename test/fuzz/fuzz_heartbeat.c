/* A heartbeat datagram. What is accepted encodes and decodes to the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/contract/heartbeat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct beat b, again;
	char text[1024];
	const char *why = NULL;
	if (!beat_decode(&b, (const char *)data, size, &why)) {
		if (!why)
			abort();
		return 0;
	}
	size_t n = beat_encode(&b, text, sizeof text);
	/* a name cut in the middle of a character, or full of escapes, may not come back; it must not crash */
	if (n && beat_decode(&again, text, n, &why) && (again.overdue_ms != b.overdue_ms || strcmp(again.from, b.from) != 0))
		abort();
	struct beat_watch w = { .ever = true, .last = b };
	(void)beat_judge(&w, 1000, 60000);
	return 0;
}
