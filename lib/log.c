/*
 * The log on standard error; see log.h. One write per line, so that lines of threads and children never mix.
 * A reader that has stopped (a journal whose disk hangs, a pipe nobody empties) never stops us: lines are then left
 * out, and counted.
 */
#include "log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

static const char *log_name = "monitord";
static enum log_level log_max = LOG_L_INFO;
static bool log_journal;

/* A line waits so long for its reader; those after it not at all, until it reads again. */
enum { LOG_LINE_MAX = 2048, LOG_PATIENCE_MS = 100 };

static atomic_ulong left_out;

void log_init(const char *name, enum log_level level)
{
	log_name = name;
	log_max = level;
	log_journal = getenv("JOURNAL_STREAM") != NULL;
}

/* Copies message to out with control bytes as \xNN; returns the length. */
static size_t escape(const char *message, char *out, size_t size)
{
	size_t n = 0;
	for (const unsigned char *p = (const unsigned char *)message; *p && n + 5 < size; p++) {
		if (*p < 0x20 || *p == 0x7f)
			n += (size_t)snprintf(out + n, size - n, "\\x%02x", *p);
		else
			out[n++] = (char)*p;
	}
	return n;
}

/* Whether there is room for one line: pipes and sockets that poll calls writable take one whole. */
static bool has_room(void)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	return poll(&p, 1, left_out ? 0 : LOG_PATIENCE_MS) > 0;
}

static void put_line(enum log_level level, const char *message)
{
	char line[LOG_LINE_MAX + 128], when[32];
	size_t n;
	if (log_journal)
		n = (size_t)snprintf(line, 64, "<%d>", level);
	else
		n = (size_t)snprintf(line, 100, "%s %s: ", clock_text(clock_wall_ms(), when, sizeof when), log_name);
	n += escape(message, line + n, sizeof line - n - 1);
	line[n++] = '\n';
	/* nothing useful can be done when standard error is gone */
	ssize_t done = write(STDERR_FILENO, line, n);
	(void)done;
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	if (level > log_max)
		return;
	if (!has_room()) {
		left_out++;
		return;
	}
	char message[LOG_LINE_MAX], note[100];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	unsigned long lost = atomic_exchange(&left_out, 0);
	if (lost) {
		snprintf(note, sizeof note, "%lu lines were left out: their reader had stopped", lost);
		put_line(LOG_L_WARN, note);
	}
	put_line(level, message);
}
