/*
 * Times of the week as people write them: "mon-fri 09:00-18:00", "22:00-07:00" (every day, over midnight),
 * "sat,sun", "holidays", "workdays 18:00-09:00", "fri 18:00-mon 09:00", "always". What counts is what the
 * clock on the wall shows: an hour that comes twice is covered twice, one that never comes is no hole. Pure.
 */
#ifndef LIB_ONCALL_WHEN_H
#define LIB_ONCALL_WHEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	WHEN_SPANS_MAX = 16,
	WHEN_HOLIDAYS_MAX = 1000,
	WHEN_HOLIDAYS = 1 << 7, /* beside the seven bits of the weekdays, Monday first */
	WHEN_WORKDAYS = 1 << 8	/* Monday to Friday that is no holiday */
};

/* Days that are holidays, since 1970-01-01, ascending. */
struct holidays {
	int64_t *days;
	size_t n;
};

/* Begins at a minute of each of its days and lasts. */
struct span {
	unsigned days; /* bits */
	int start;     /* minute of the day */
	int length;    /* minutes; may reach into the days after */
};

struct when {
	struct span spans[WHEN_SPANS_MAX];
	size_t n;
};

/* Adds one text's span. False and a reason in *why (static text). */
bool when_add(struct when *w, const char *text, const char **why);
/* Whether these times cover what the wall shows. */
bool when_covers(const struct when *w, const struct holidays *h, int64_t wall_s);
/* The first wall second after wall_s at which a span begins or ends, at most eight days on; that far if there
 * is none. */
int64_t when_next(const struct when *w, int64_t wall_s);
bool holidays_has(const struct holidays *h, int64_t day);
/* Uses "holidays" or "workdays". */
bool when_needs_holidays(const struct when *w);

#endif
