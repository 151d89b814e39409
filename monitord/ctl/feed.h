/*
 * Results of passive checks, handed to monitord: one by `monitorctl result`, many by `monitorctl feed`. Each
 * returns monitorctl's exit code and has said what was refused.
 */
#ifndef MONITORD_CTL_FEED_H
#define MONITORD_CTL_FEED_H

#include <stdbool.h>
#include <stddef.h>

struct ctl;

/* A line that says how something is, as Nagios and send_nsca write them:
 *
 *     [1700000000] PROCESS_SERVICE_CHECK_RESULT;HOST;SERVICE;RC;OUTPUT
 *     [1700000000] PROCESS_HOST_CHECK_RESULT;HOST;RC;OUTPUT            (0 up, 1 down, 2 unreachable)
 *     HOST <tab> SERVICE <tab> RC <tab> OUTPUT
 *     HOST <tab> RC <tab> OUTPUT
 *
 * The fields point into line, which is cut up. "\n" in the output is a line's end, as both have it. */
struct feed_line {
	const char *host, *service; /* service "": of the host itself */
	char *output;
	int state; /* enum nag_state */
};

enum { FEED_LINE_MAX = 32768 };

/* False: why says what it lacks. */
bool feed_parse(char *line, struct feed_line *out, const char **why);

int ctl_do_result(struct ctl *ctl);
/* Standard input to its end. Exit 1 when a line was refused. */
int ctl_do_feed(struct ctl *ctl);

#endif
