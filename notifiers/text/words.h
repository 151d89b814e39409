/*
 * The words of a page in each language: kinds, states, times, spans. For page_text.c and japanese.c. Pure but
 * for the time zone.
 */
#ifndef NOTIFIERS_TEXT_WORDS_H
#define NOTIFIERS_TEXT_WORDS_H

#include "lib/contract/line.h"

struct words {
	const char *kinds[PAGE_INFO + 1]; /* before the state: "ACK " */
	const char *states[4];		    /* by enum nag_state */
	const char *recovered;		    /* the state of a page that says that it is over */
	const char *dots;		    /* where text was cut */
	const char *comma;		    /* between what is wrong and since when */
	const char *host[2];		    /* around the host behind the check's name */
	const char *since, *after, *reply;  /* formats of one text */
	const char *day, *time;		    /* of strftime */
	const char *units[4];		    /* of spans: seconds, minutes, hours, days */
	const char *gap;		    /* between the two units of a span */
	/* What is wrong in this language, as far as it is known; NULL: as it is. */
	void (*translate)(const char *text, char *out, size_t size);
};

/* "ja", or anything else for English. */
const struct words *words_of(const char *lang);
/* "12 min" or "12分". Returns out. */
char *words_span(const struct words *w, int64_t ms, char *out, size_t size);
/* "03:12", or "11-20 03:12" when that was another day than at. Returns out. */
char *words_time(const struct words *w, int64_t wall_ms, int64_t at_wall_ms, char *out, size_t size);
/* The state in this language; a name that is none stays. */
const char *words_state(const struct words *w, const char *state);

/* Known phrases in Japanese, the rest as it is; never half a character. (japanese.c) */
void japanese(const char *text, char *out, size_t size);

#endif
