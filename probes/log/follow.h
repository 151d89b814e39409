/* Where a mail log is, a file or the journal, and following it with its place kept between runs. Used by
 * check_log and, as a source of rate, by probes/rate. */
#ifndef PROBES_LOG_FOLLOW_H
#define PROBES_LOG_FOLLOW_H

#include "journal.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "tail.h"

struct log_from {
	const char *path;
	bool journal;		       /* instead of the file */
	const char *journal_directory; /* NULL: this host's */
	const struct opt_list *units, *identifiers;
};

struct log_state {
	struct log_place place;
	bool journal;		     /* the place is a cursor instead */
	char cursor[LOG_CURSOR_MAX]; /* empty: the journal was empty */
	struct stamp at;	     /* of the last run; wall_ms 0: none */
};

/* Anything wrong with it, or a state of another path, is no state. One line of JSON. */
void log_state_load(struct log_state *s, const char *text, size_t len, const char *path);
void log_state_save(const struct log_state *s, struct buf *out, const char *path);

/* What is new, and the place moves. False: log_follow_why says why. */
bool log_follow(const struct log_from *from, struct log_tail *t, struct log_state *s);
/* What the state is of. */
const char *log_from_name(const struct log_from *from);
void log_follow_why(const struct log_from *from, const struct log_tail *t, char *out, size_t size);

#endif
