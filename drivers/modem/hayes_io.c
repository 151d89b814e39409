/*
 * A modem's lines and the commands it is sent; see hayes_io.h. No wait is longer than its deadline, and a
 * stop of the program is seen within SLICE_MS.
 */
#include "hayes_io.h"

#include <stdio.h>
#include <string.h>

#include "lib/clock.h"

enum {
	WRITE_MS = 3000,
	SLICE_MS = 200, /* how soon a stop is seen */
	QUIET_MS = 100, /* until nothing more is said */
	DRAIN_MS = 1000,
	/* of a device that never stops talking, at a time */
	FLOOD_BYTES = 65536,
	FLOOD_LINES = 4096
};

int64_t hayes_within(int64_t ms, int64_t deadline)
{
	int64_t t = clock_boot_ms() + ms;

	return t < deadline ? t : deadline;
}

static bool stopped(const struct hayes *h)
{
	return !h->hanging_up && h->set.stop != NULL && h->set.stop();
}

enum hayes_result hayes_fill(struct hayes *h, int64_t deadline)
{
	for (;;) {
		ssize_t n = serial_read(h->s, h->in, sizeof(h->in));

		if (n < 0)
			return HAYES_GONE;
		h->in_at = 0;
		h->in_len = (size_t)n;
		if (n > 0)
			return HAYES_OTHER;
		if (stopped(h))
			return HAYES_STOPPED;
		if (serial_wait(h->s, hayes_within(SLICE_MS, deadline)) == 0 && clock_boot_ms() >= deadline)
			return HAYES_TIMEOUT;
	}
}

struct hayes_said hayes_next_line(struct hayes *h, int64_t deadline)
{
	for (size_t bytes = 0; bytes < FLOOD_BYTES; bytes += h->in_len) {
		enum hayes_result r;

		while (h->in_at < h->in_len) {
			struct hayes_said s;

			if (at_lines_feed(&h->lines, h->in[h->in_at++]) != AT_FED_LINE)
				continue;
			s = hayes_classify(h->lines.line);
			if (s.result == HAYES_RING)
				h->rang_at = clock_boot_ms();
			return s;
		}
		r = hayes_fill(h, deadline);
		if (r != HAYES_OTHER)
			return (struct hayes_said){.result = r};
	}
	return (struct hayes_said){.result = HAYES_TIMEOUT};
}

struct hayes_said hayes_next_result(struct hayes *h, int64_t deadline)
{
	for (;;) {
		struct hayes_said s = hayes_next_line(h, deadline);

		if (s.result != HAYES_OTHER && s.result != HAYES_RING)
			return s;
		if (clock_boot_ms() >= deadline)
			return (struct hayes_said){.result = HAYES_TIMEOUT};
	}
}

void hayes_drain(struct hayes *h)
{
	int64_t end = clock_boot_ms() + DRAIN_MS;

	for (;;) {
		struct hayes_said s = hayes_next_line(h, hayes_within(QUIET_MS, end));

		if (s.result == HAYES_TIMEOUT || s.result == HAYES_GONE || s.result == HAYES_STOPPED ||
		    clock_boot_ms() >= end)
			break;
	}
	at_lines_init(&h->lines);
}

enum hayes_result hayes_put(struct hayes *h, const char *bytes, size_t len)
{
	char why[300];

	if (serial_write(h->s, bytes, len, clock_boot_ms() + WRITE_MS, NULL, why, sizeof(why)))
		return HAYES_OK;
	return serial_gone(h->s) ? HAYES_GONE : HAYES_TIMEOUT;
}

struct hayes_said hayes_command(struct hayes *h, const char *text, int64_t deadline)
{
	char line[HAYES_COMMAND_MAX + 2];
	int n = snprintf(line, sizeof(line), "%s\r", text);
	enum hayes_result r;

	if (n < 0 || n >= (int)sizeof(line))
		return (struct hayes_said){.result = HAYES_ERROR};
	if (!hayes_idle(h))
		return (struct hayes_said){.result = HAYES_GONE};
	r = hayes_put(h, line, (size_t)n);
	return r == HAYES_OK ? hayes_next_result(h, deadline) : (struct hayes_said){.result = r};
}

bool hayes_idle(struct hayes *h)
{
	struct hayes_said s;
	int lines = 0;

	do
		s = hayes_next_line(h, 0);
	while (lines++ < FLOOD_LINES && s.result != HAYES_TIMEOUT && s.result != HAYES_GONE &&
	       s.result != HAYES_STOPPED);
	return s.result != HAYES_GONE;
}
