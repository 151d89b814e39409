/*
 * Reads the systemd journal from where it stood, as tail.h reads a file: each entry of a mail program becomes
 * a line as syslog would have written it. The place is the journal's own cursor. When the entry it names is
 * gone (rotated and vacuumed meanwhile) reading goes on with the oldest that is left, and how many entries
 * are missing is told (t->lost, t->missing). Used by check_log.
 */
#ifndef PROBES_LOG_JOURNAL_H
#define PROBES_LOG_JOURNAL_H

#include "lib/config/opts.h"
#include "tail.h"

enum { LOG_CURSOR_MAX = 512 };

struct log_journal {
	const char *dir;			    /* NULL: the system's */
	const struct opt_list *units, *identifiers; /* both empty: the facility mail */
	char cursor[LOG_CURSOR_MAX];		    /* empty: none yet */
	bool began; /* a run has been; without a cursor the journal was empty then */
};

/* False with t->error set (t->absent: no journal that may be read). t as for log_tail_read; bytes are those
 * of the messages. */
bool log_journal_read(struct log_tail *t, struct log_journal *j);

/* How many entries lie between two cursors, from their sequence numbers; false when that cannot be told. */
bool log_journal_between(const char *older, const char *newer, uint64_t *n);

#endif
