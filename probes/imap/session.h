/*
 * One IMAP session, of the round trip, of check_imap and of check_cert: connect, greeting, TLS, login, and then the little
 * that is asked for: a mailbox, a search by header among the newest messages, the headers of what was found, its deletion.
 * Blocking; each phase has its limit, and all of it one deadline.
 */
#ifndef PROBES_IMAP_SESSION_H
#define PROBES_IMAP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probes/mailbox/link.h"
#include "probes/net/sasl.h"
#include "probes/roundtrip/token.h"
#include "reply.h"

enum {
	IMAP_SEARCH_TOKENS = 16, /* in one SEARCH command */
	IMAP_UIDS_MAX = 64       /* taken from one search */
};

struct imap_session {
	struct mailbox_link link;
	struct buf in;
	unsigned tag;
	struct {
		bool starttls, no_login, quota;
		unsigned sasl; /* bits 1 << SASL_PLAIN and so on */
	} can;
	bool uidplus;
	uint32_t uidvalidity, uidnext, exists;
	bool grew; /* EXISTS was said since this was last cleared */
	/* of the fullest resource that has a limit, after imap_quota */
	struct imap_quota quota;
	/* private: answers a "+ ..." during a login */
	bool (*challenged)(struct imap_session *s, const char *reply, size_t len);
	const struct mailbox_target *login;
	enum sasl mechanism;
	int sasl_step;
};

/* Each returns false with link.layer and link.why filled; the session is then of use only to imap_close, but after layer
 * "answer" (the server said no) it goes on. */
/* link.clock is filled by the caller; the rest of *s is zeroed, or of a session that was closed. */
bool imap_open(struct imap_session *s, const struct mailbox_target *t);
bool imap_select(struct imap_session *s, const char *mailbox);
/* The same, but nothing in the mailbox changes by it, not even what counts as recent. */
bool imap_examine(struct imap_session *s, const char *mailbox);
/* The quota roots of a mailbox: the fullest resource of any into s->quota; found false: there is no limit. */
bool imap_quota(struct imap_session *s, const char *mailbox);
/* Message numbers (UIDs) from first up whose token header holds one of the n texts (at most IMAP_SEARCH_TOKENS;
 * hex tokens or "v1 CHECK "). At most IMAP_UIDS_MAX into uids; *total counts all. */
bool imap_search(struct imap_session *s, uint32_t first, const char *const *texts, size_t n, uint32_t *uids,
		 size_t *found, size_t *total);
/* Calls f with the token and Received headers (at most 64 KiB) of each. */
bool imap_fetch(struct imap_session *s, const uint32_t *uids, size_t n,
		void (*f)(void *arg, const struct imap_fetched *mail), void *arg);
/* Marks these deleted and, where the server has UIDPLUS, expunges them and nothing else. */
bool imap_delete(struct imap_session *s, const uint32_t *uids, size_t n);
/* Lets the server say what is new: grew. */
bool imap_noop(struct imap_session *s);
/* Says LOGOUT when it can and closes; safe after any failure, and twice. */
void imap_close(struct imap_session *s);

#endif
