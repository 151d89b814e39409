/* See follow.h. */
#include "follow.h"

#include <stdio.h>
#include <string.h>

const char *log_from_name(const struct log_from *from)
{
	if (!from->journal)
		return from->path;
	return from->journal_directory ? from->journal_directory : "journal";
}

static bool follow_journal(const struct log_from *from, struct log_tail *t, struct log_state *s)
{
	struct log_journal j = {.dir = from->journal_directory,
				.units = from->units,
				.identifiers = from->identifiers,
				.began = s->journal};

	snprintf(j.cursor, sizeof(j.cursor), "%s", s->cursor);
	if (!log_journal_read(t, &j))
		return false;
	snprintf(s->cursor, sizeof(s->cursor), "%s", j.cursor);
	s->journal = true;
	return true;
}

bool log_follow(const struct log_from *from, struct log_tail *t, struct log_state *s)
{
	return from->journal ? follow_journal(from, t, s) : log_tail_read(t, from->path, &s->place);
}

void log_follow_why(const struct log_from *from, const struct log_tail *t, char *out, size_t size)
{
	const char *dir = from->journal_directory;

	if (from->journal && t->absent)
		snprintf(out, size,
			 "no journal that may be read%s%s; who reads it must be in group systemd-journal",
			 dir ? " in " : "", dir ? dir : "");
	else if (from->journal)
		snprintf(out, size, "the journal: %s", strerror(t->error));
	else if (t->absent)
		snprintf(out, size, "%s does not exist", from->path);
	else
		snprintf(out, size, "%s: %s", from->path, strerror(t->error));
}
