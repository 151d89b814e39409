/*
 * Fuzzes regular expressions that people wrote: what is taken compiles within the memory and the time of a run, and
 * finds something or nothing in a line of mail; what is refused has a reason.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "lib/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char line[] = "250-mx.example.org\n250 2.0.0 Ok: queued as 4Xz";
	char text[2100], why[120] = "";
	struct pattern_group groups[3];
	if (size >= sizeof text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	struct pattern *p = pattern_new(text, (unsigned)size % 4, why, sizeof why);
	if (!p) {
		assert(why[0]);
		return 0;
	}
	if (pattern_finds(p, line, groups, 3))
		for (size_t i = 0; i < 3; i++)
			assert(groups[i].start == SIZE_MAX || groups[i].start + groups[i].len <= sizeof line - 1);
	pattern_free(p);
	return 0;
}
