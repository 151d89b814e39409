/* A TAP terminal that says anything at all, and pages of any bytes. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/tap/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct tap *t)
{
	assert(t->nout <= TAP_OUT_MAX && t->nline < TAP_LINE_MAX && t->at <= t->nblocks);
	assert(t->state != TAP_OVER || t->until == INT64_MAX);
	assert(t->state == TAP_BLOCK || t->verdict != TAP_PENDING || t->state < TAP_BLOCK || t->state == TAP_BYE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tap_rules rules = {.password = "pw"};
	static struct tap t;
	char text[64];
	size_t n = size < sizeof(text) - 1 ? size : sizeof(text) - 1;
	int64_t now = 0;

	memcpy(text, data, n);
	text[n] = '\0';
	tap_begin(&t, &rules, now);
	for (size_t i = 0; i < size && t.state != TAP_OVER; i++) {
		char c = (char)data[i];

		/* one byte means: time passes; another: it is a good moment for a page, or for the end */
		if (c == '\177') {
			if (t.until != INT64_MAX)
				tap_tick(&t, now = t.until);
		} else if (c == '\001' && t.state == TAP_READY) {
			tap_page(&t, "1", text, now);
		} else if (c == '\005') {
			tap_bye(&t, now);
		} else {
			tap_take(&t, &c, 1, now);
		}
		check(&t);
		t.nout = 0;
	}
	tap_lost(&t, "over");
	assert(t.state == TAP_OVER);
	return 0;
}
