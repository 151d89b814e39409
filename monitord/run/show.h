/*
 * What monitord-run prints: a line with the time for each change of a check, each page, each
 * change of a line's health and each message that the simulated phone shows.
 */
#ifndef MONITORD_RUN_SHOW_H
#define MONITORD_RUN_SHOW_H

#include <stdbool.h>
#include <sys/types.h>

struct cJSON;

enum { RUN_LINES_MAX = 16, RUN_SELF_MAX = 16, RUN_NAME_MAX = 64 };

struct run_show {
	char *phone_file; /* what is appended there is shown; NULL: none */
	off_t phone_at;
	bool list_checks; /* say once what is watched */
	struct {
		char name[RUN_NAME_MAX], text[256];
		bool ok;
	} lines[RUN_LINES_MAX];
	char page[256];	/* the last one shown: that it arrived is told in the same words */
	char troubled[RUN_SELF_MAX][RUN_NAME_MAX]; /* internal checks that were not OK: only their way back is
						      worth a line */
};

/* "20:41:01  ..." */
void run_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The phone's file (may be NULL) as it is now counts as shown. Copied. */
void run_show_init(struct run_show *s, const char *phone_file);
void run_show_fini(struct run_show *s);
/* One line of a daemon's control socket: a change, a page, or the answer to "status". */
void run_show_line(struct run_show *s, const struct cJSON *v);
/* What the phone shows since the last look. */
void run_show_phone(struct run_show *s);

#endif
