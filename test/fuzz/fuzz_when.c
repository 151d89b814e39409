/*
 * Fuzzes times of the week: each line of the input is one, until sixteen are taken. Beyond not crashing: what is refused
 * changes nothing and has a reason; what is taken begins within a day and lasts no longer than a week; between one
 * change and the next it is on or off throughout; and a week later it is the same, where no holiday has a say.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "lib/oncall/civil.h"
#include "lib/oncall/when.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WEEK_S = CIVIL_WEEK_MIN * 60 };

static void take(struct when *w, const char *line)
{
	struct when before = *w;
	const char *why = NULL;
	if (!when_add(w, line, &why)) {
		assert(why && *why && memcmp(&before, w, sizeof before) == 0);
		return;
	}
	assert(w->n == before.n + 1);
	const struct span *s = &w->spans[w->n - 1];
	assert(s->days && s->days < WHEN_WORKDAYS * 2);
	assert(s->start >= 0 && s->start < CIVIL_DAY_MIN && s->length > 0 && s->length <= CIVIL_WEEK_MIN);
}

static void promises(const struct when *w, const struct holidays *h, int64_t at)
{
	for (int i = 0; i < 20; i++) {
		int64_t next = when_next(w, at);
		assert(next > at && next - at <= 9 * (int64_t)CIVIL_DAY);
		bool on = when_covers(w, h, at);
		assert(when_covers(w, h, next - 1) == on && when_covers(w, h, at + (next - at) / 2) == on);
		if (!when_needs_holidays(w))
			assert(when_covers(w, h, at + WEEK_S) == on);
		at = next;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct when w = {.n = 0};
	char line[200];
	/* Monday to Sunday, 23 to 29 November 2026; two of them are holidays */
	int64_t days[2] = {civil_days(2026, 11, 23), civil_days(2026, 11, 28)};
	struct holidays h = {days, 2};
	while (size) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t n = end ? (size_t)(end - data) : size, kept = n < sizeof line - 1 ? n : sizeof line - 1;
		memcpy(line, data, kept);
		line[kept] = '\0';
		take(&w, line);
		n += end != NULL;
		data += n;
		size -= n;
	}
	if (w.n) {
		promises(&w, &h, days[0] * CIVIL_DAY - 7);
		promises(&w, &h, days[1] * CIVIL_DAY + 3661);
		promises(&w, &h, -3 * (int64_t)CIVIL_DAY);
	}
	return 0;
}
