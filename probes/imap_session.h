/*
 * One IMAP session for the round trip: libcurl connects, speaks TLS and logs in, then
 * the commands go over its connection (CURLOPT_CONNECT_ONLY), because what we ask for must stay small:
 * a search by header among the newest messages, the headers of what was found, its deletion.
 * Blocking, with one deadline over all.
 */
#ifndef PROBES_IMAP_SESSION_H
#define PROBES_IMAP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imap_reply.h"
#include "tls_trust.h"
#include "token.h"

struct probe_run;

enum imap_tls { IMAP_TLS_NONE, IMAP_TLS_STARTTLS, IMAP_TLS_IMPLICIT };

enum {
	IMAP_SEARCH_TOKENS = 16, /* in one SEARCH command */
	IMAP_UIDS_MAX = 64       /* taken from one search */
};

struct imap_target {
	const char *host;      /* a name or an address */
	const char *address;   /* where that is: an address as text, without brackets */
	int port;
	enum imap_tls tls;
	bool verify;           /* the certificate: its chain and its name */
	const char *ca_file;   /* PEM; NULL: the system's */
	const char *user, *password;
};

struct imap_session {
	void *curl;
	struct probe_run *run; /* for probe_at */
	int64_t deadline;      /* CLOCK_BOOTTIME ms */
	struct tls_check trust;
	struct buf in;
	unsigned tag;
	bool greeted;          /* the server has said something */
	bool uidplus;
	uint32_t uidvalidity, uidnext, exists;
	bool grew;             /* EXISTS was said since this was last cleared */
	unsigned commands;     /* sent after the login */
	/* of the failure: "refused" "connect" "timeout" "tls" "auth" "answer" "closed" "protocol" "local" */
	char layer[24];
	char why[IMAP_TEXT_MAX + 120];
};

/* Each returns false with layer and why filled; the session is then of use only to imap_close, but after layer
 * "answer" (the server said no) it goes on. */
bool imap_open(struct imap_session *s, const struct imap_target *target, struct probe_run *run, int64_t deadline);
bool imap_select(struct imap_session *s, const char *mailbox);
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
