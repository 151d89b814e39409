/* Downtimes; see downtime.h. Asked by the core at every tick and by the control commands. */
#include "downtime.h"

#include <stdio.h>
#include <string.h>

#include "lib/clock.h"

static bool refuse(char *why, size_t size, const char *reason)
{
	snprintf(why, size, "%s", reason);
	return false;
}

/* Copies whole UTF-8 characters only, control bytes as blanks. */
static void copy_text(char *out, size_t size, const char *in)
{
	size_t n = strlen(in);
	if (n >= size) {
		n = size - 1;
		while (n && ((unsigned char)in[n] & 0xc0) == 0x80)
			n--;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = (unsigned char)in[i] < 0x20 || in[i] == 0x7f ? ' ' : in[i];
	out[n] = '\0';
}

bool downtime_set(struct downtime *d, int64_t from_ms, int64_t until_ms, int64_t duration_ms, const char *by,
		  const char *comment, int64_t now_wall_ms, char *why, size_t size)
{
	if (from_ms <= 0)
		from_ms = now_wall_ms;
	if (until_ms <= now_wall_ms)
		return refuse(why, size, "the end is not in the future");
	if (until_ms <= from_ms)
		return refuse(why, size, "the end is not after the beginning");
	if (until_ms - now_wall_ms > DOWNTIME_LONGEST_MS)
		return refuse(why, size,
			      "longer than 366 days: take the check out of the configuration instead");
	if (duration_ms < 0 || duration_ms > DOWNTIME_LONGEST_MS)
		return refuse(why, size, "the duration is not between 0 and 366 days");
	if (!by || !*by)
		return refuse(why, size, "who sets it (by) is missing");
	*d = (struct downtime){.from_ms = from_ms, .until_ms = until_ms, .duration_ms = duration_ms};
	copy_text(d->by, sizeof d->by, by);
	copy_text(d->comment, sizeof d->comment, comment ? comment : "");
	return true;
}

void downtime_clear(struct downtime *d)
{
	*d = (struct downtime){0};
}

bool downtime_given(const struct downtime *d)
{
	return d->until_ms != 0;
}

int64_t downtime_end(const struct downtime *d)
{
	return d->began_ms ? d->began_ms + d->duration_ms : d->until_ms;
}

bool downtime_active(const struct downtime *d, int64_t now_wall_ms)
{
	int64_t from = d->duration_ms ? d->began_ms : d->from_ms;
	return d->until_ms && from && now_wall_ms >= from && now_wall_ms < downtime_end(d);
}

bool downtime_over(const struct downtime *d, int64_t now_wall_ms)
{
	return d->until_ms && now_wall_ms >= downtime_end(d);
}

bool downtime_set_off(struct downtime *d, int64_t now_wall_ms)
{
	if (!d->duration_ms || d->began_ms || now_wall_ms < d->from_ms || now_wall_ms >= d->until_ms)
		return false;
	d->began_ms = now_wall_ms;
	return true;
}

char *downtime_text(const struct downtime *d, char *out, size_t size)
{
	char when[32], span[32];
	clock_text(downtime_end(d), when, sizeof when);
	if (d->duration_ms && !d->began_ms)
		snprintf(out, size, "in flexible downtime of %s once a problem begins before %s (%s%s%s)",
			 clock_span(d->duration_ms, span, sizeof span), when, d->by,
			 d->comment[0] ? ": " : "", d->comment);
	else
		snprintf(out, size, "in downtime until %s (%s%s%s)", when, d->by, d->comment[0] ? ": " : "",
			 d->comment);
	return out;
}
