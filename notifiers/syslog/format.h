/*
 * A page as a log message: RFC 5424 for the network, the journal's native protocol for this host. Pure.
 * Called by notify_syslog.c and its tests.
 */
#ifndef NOTIFIERS_SYSLOG_FORMAT_H
#define NOTIFIERS_SYSLOG_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/contract/line.h"

enum { SYSLOG_ENTRY_MAX = 131072 };

struct syslog_origin {
	int facility;	   /* 0 to 23 */
	const char *host;  /* NULL or "": "-" */
	const char *app;   /* APP-NAME, SYSLOG_IDENTIFIER */
	const char *sd_id; /* of the structured data, "monitord@32473" */
	const char *line;  /* the line's name */
	int64_t pid;
	int64_t now_wall_ms;
};

/* 2 for CRITICAL, 4 WARNING and UNKNOWN, 5 what is over, acknowledged or a notice, 6 a test or an answer. */
int syslog_severity(const struct page *p);
/* A name as RFC 5424 wants HOSTNAME, APP-NAME and SD-ID: printable ASCII of at most max characters. */
bool syslog_name_ok(const char *s, size_t max, bool sd_name);
/* One message without framing, of at most max bytes: what is wrong is cut, never within a character; then
 * parameters are left out. False: not even the header fits. */
bool syslog_message(struct buf *out, const struct syslog_origin *o, const struct page *p, size_t max);
/* One entry as the journal's socket takes it. */
bool syslog_journal(struct buf *out, const struct syslog_origin *o, const struct page *p);

#endif
