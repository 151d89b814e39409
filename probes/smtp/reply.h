/*
 * SMTP replies (RFC 5321, 4.2): foreign bytes to lines, lines to a reply with a code, "250-" going on and
 * "250 " ending it; and what an EHLO reply offers. Bounded in line length, lines and bytes. Pure.
 */
#ifndef PROBES_SMTP_REPLY_H
#define PROBES_SMTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"

enum {
	SMTP_LINE_MAX = 2048,	    /* bytes; RFC 5321 says 512, servers pass it */
	SMTP_REPLY_MAX = 32 * 1024, /* bytes of one reply */
	SMTP_REPLY_LINES_MAX = 400
};

enum smtp_reply_state {
	SMTP_REPLY_MORE, /* not ended yet */
	SMTP_REPLY_DONE,
	SMTP_REPLY_BAD /* not SMTP; why says it */
};

struct smtp_reply {
	enum smtp_reply_state state;
	int code; /* of the last line; 0 before the first */
	size_t lines;
	struct buf text; /* the lines as they came, without CR, joined by '\n'; control bytes are '?' */
	struct buf part; /* private: a line that has not ended */
	const char *why; /* static text, when BAD */
};

void smtp_reply_init(struct smtp_reply *r);
void smtp_reply_fini(struct smtp_reply *r);
void smtp_reply_reset(struct smtp_reply *r);
/* Takes bytes up to the end of the reply; *used says how many. Returns the state. */
enum smtp_reply_state smtp_reply_feed(struct smtp_reply *r, const char *bytes, size_t n, size_t *used);
/* One whole line, its CRLF or LF optional. */
enum smtp_reply_state smtp_reply_line(struct smtp_reply *r, const char *line, size_t n);

/* Of an EHLO reply: does it offer this extension? want: a keyword and maybe parameters, "SIZE", "AUTH PLAIN
 * LOGIN"; case does not matter; the order of the parameters does not either. */
bool smtp_reply_offers(const struct smtp_reply *r, const char *want);
/* The first line after its code, into out: "5.7.1 Access denied". "" when there is none. Returns out. */
char *smtp_reply_first(const char *text, char *out, size_t size);

#endif
