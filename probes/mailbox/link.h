/*
 * The connection to a mail store, below the dialogue: connect, TLS, lines, times, and why it broke. For IMAP
 * and POP3.
 */
#ifndef PROBES_MAILBOX_LINK_H
#define PROBES_MAILBOX_LINK_H

#include "phase.h"
#include "probes/net/tls_trust.h"
#include "probes/net/wire.h"

struct net_address;

enum { MAILBOX_TEXT_MAX = 200 };
enum mailbox_tls { MAILBOX_PLAIN, MAILBOX_STARTTLS, MAILBOX_IMPLICIT };

/* Where the store is and how it is entered. Every pointer must outlive the session. */
struct mailbox_target {
	const char *host; /* that the server is asked for */
	const struct net_address *to;
	enum mailbox_tls tls;
	enum tls_verify verify;
	const char *ca_file;	     /* PEM; NULL: the system's */
	const char *name;	     /* that the certificate must carry; NULL: host */
	struct tls_shown *shown;     /* gets the certificates; may be NULL */
	const char *user, *password; /* NULL: no login */
};

struct mailbox_link {
	struct wire *wire; /* NULL: not connected */
	struct mailbox_clock clock;
	struct tls_check trust;
	bool greeted;
	int64_t greeted_us;		 /* when: CLOCK_BOOTTIME */
	char greeting[MAILBOX_TEXT_MAX]; /* its first line, as it came */
	/* of the failure: "refused" "connect" "timeout" "tls" "auth" "answer" "closed" "protocol" "local" */
	char layer[24];
	char why[MAILBOX_TEXT_MAX + 120];
};

/* Each returns false with layer and why filled when it fails. clock is filled by the caller. */
bool mailbox_connect(struct mailbox_link *l, const struct mailbox_target *t);
/* The handshake. waiting: bytes that the caller holds from before; there must be none. */
bool mailbox_secure(struct mailbox_link *l, const struct mailbox_target *t, size_t waiting);
bool mailbox_send(struct mailbox_link *l, const char *bytes, size_t n, const char *doing);
/* One line without its line end, which stays good until the next call. */
bool mailbox_line(struct mailbox_link *l, const char *doing, const char **line, size_t *n);
/* Keeps the server's first line and when it came. */
void mailbox_greeted(struct mailbox_link *l, const char *line, size_t n);
bool mailbox_fail(struct mailbox_link *l, const char *layer, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for a connection that ended in this state while doing something. */
bool mailbox_lost(struct mailbox_link *l, enum wire_state state, const char *doing);
/* Says bye (may be NULL) when nothing broke, and closes; safe after any failure, and twice. */
void mailbox_close(struct mailbox_link *l, const char *bye);

#endif
