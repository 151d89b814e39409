/*
 * IMAP answers (RFC 3501, RFC 4315): where one ends, and what the few that the round
 * trip asks for say. The bytes come from a server that may be anything. Pure.
 */
#ifndef PROBES_IMAP_REPLY_H
#define PROBES_IMAP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

enum {
	IMAP_REPLY_MAX = 262144, /* bytes of one answer, its literals included */
	IMAP_TEXT_MAX = 200
};

/* The length of the first whole answer in data: a line with its literals and its line end. 0: not all of it is
 * there. -1: it can never become one within IMAP_REPLY_MAX. */
long imap_reply_length(const char *data, size_t len);

enum imap_status {
	IMAP_UNTAGGED, /* "* ..." */
	IMAP_CONTINUE, /* "+ ..." */
	IMAP_OK,       /* the end of our command */
	IMAP_NO,
	IMAP_BAD,
	IMAP_BYE,      /* "* BYE": the server is about to close */
	IMAP_NONSENSE  /* none of these */
};

/* What an answer is to the command with this tag. */
enum imap_status imap_reply_status(const char *reply, size_t len, const char *tag);
/* What stands behind the status word of an OK, NO, BAD or BYE, made printable. Returns out. */
char *imap_reply_text(const char *reply, size_t len, char *out, size_t size);

/* "* 23 EXISTS" */
bool imap_reply_exists(const char *reply, size_t len, uint32_t *n);
/* "* OK [UIDNEXT 17] text": the number of a response code. */
bool imap_reply_code(const char *reply, size_t len, const char *code, uint32_t *n);
/* "* CAPABILITY IMAP4rev1 UIDPLUS": true when it is one; *has when the word is in it. */
bool imap_reply_capability(const char *reply, size_t len, const char *word, bool *has);
/* "* SEARCH 2 3 6": true when it is one. Stores at most max numbers behind the *n that are there; counts all in
 * *total. */
bool imap_reply_search(const char *reply, size_t len, uint32_t *uids, size_t max, size_t *n, size_t *total);

struct imap_quota {
	bool found;	   /* some resource has a limit */
	char resource[64]; /* of the fullest: "STORAGE" (1,024 bytes each), "MESSAGE" */
	uint64_t used, limit;
	double share; /* 0..1 and beyond; of a limit of 0: 1 */
};
/* "* QUOTA "root" (STORAGE 10 512 MESSAGE 3 100)" (RFC 9208): true when it is one that can be read; keeps the fullest resource seen. */
bool imap_reply_quota(const char *reply, size_t len, struct imap_quota *q);

struct imap_fetched {
	uint32_t uid;             /* 0: it did not say */
	int64_t arrived_wall_ms;  /* INTERNALDATE; 0: it did not say */
	const char *header;       /* the body section; NULL: none */
	size_t header_len;
};
/* "* 12 FETCH (UID 5 INTERNALDATE "..." BODY[...] {n}...)": true when it is one that can be read. */
bool imap_reply_fetch(const char *reply, size_t len, struct imap_fetched *f);

/* Adds s as an IMAP quoted string; false when it holds what none can hold (control bytes, 8 bit) or does not fit. */
bool imap_quote(const char *s, struct buf *out);

#endif
