/*
 * One SMTP session to one address, as plain blocking calls with a limit for each phase: open it (connect,
 * greeting, EHLO, STARTTLS or implicit TLS, AUTH), send envelopes and messages, quit. Used by check_smtp and
 * by the round trip. Each phase is timed apart; a slow answer within its limit is not a fault. Nothing is
 * sent before the final line of the greeting. Thread-safe: sessions share only loaded CA certificates.
 *
 *	struct smtp_session *s = smtp_open_host(&target, AF_UNSPEC, NULL, NULL, &fault);
 *	if (!s || !smtp_mail(s, from, &fault) || !smtp_rcpt(s, to, &fault) ||
 *	    !smtp_data(s, text, len, &fault))
 *		smtp_fault_report(&fault, target.host, run->result);
 *	smtp_quit(s, NULL);
 *	smtp_free(s);
 */
#ifndef PROBES_SMTP_SESSION_H
#define PROBES_SMTP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probes/net/resolve.h"
#include "fault.h"
#include "reply.h"
#include "probes/net/tls_trust.h"

struct probe_run;

enum smtp_tls { SMTP_TLS_OFF, SMTP_TLS_STARTTLS, SMTP_TLS_IMPLICIT };

/* Every pointer must outlive the session. A zeroed one with host, port and deadline is a plain session. */
struct smtp_target {
	const char *host; /* as the administrator wrote it; what the certificate must carry */
	uint16_t port;
	const char *helo;  /* NULL: this host's full name, else its address in brackets */
	bool lmtp;	   /* LHLO (RFC 2033), and no HELO in its place */
	enum smtp_tls tls; /* STARTTLS: required, the session fails without it */
	enum tls_verify verify;
	const char *ca_file; /* PEM; NULL: the system's */
	const char *sni;	 /* that the server is asked for; NULL: host */
	struct tls_shown *shown; /* gets the certificates; may be NULL */
	const char *user;    /* NULL: no AUTH */
	const char *password;
	const char *mechanism;	       /* "PLAIN" "LOGIN" "CRAM-MD5"; NULL: the best of those offered */
	int64_t limit_ms[SMTP_PHASES]; /* 0: smtp_default_limit_ms */
	int64_t deadline;	       /* CLOCK_BOOTTIME ms; 0: none but the limits */
	struct probe_run *run;	       /* for probe_at; may be NULL */
};

/* resolve 10 s, connect 10 s, greeting 30 s (some relays pause for 20), EHLO 15 s, STARTTLS 15 s, AUTH 15 s,
 * MAIL 15 s, RCPT 30 s, DATA 60 s, QUIT 5 s */
extern const int64_t smtp_default_limit_ms[SMTP_PHASES];

struct smtp_session;

/* Once per process, before threads start; more calls do nothing. */
void smtp_global_init(void);

/* What a session saw, filled also when it fails. */
struct smtp_seen {
	double ms[SMTP_PHASES];	    /* NAN: did not happen */
	struct smtp_reply greeting; /* text "" when there was none */
	struct tls_report tls;	    /* seen false when there was no certificate */
};
void smtp_seen_init(struct smtp_seen *seen);
void smtp_seen_fini(struct smtp_seen *seen);
/* NULL and a fault when it fails. What the session sees is written to *seen (NULL: to one of its own) until
 * it is freed. */
struct smtp_session *smtp_open(const struct smtp_target *t, const struct net_address *to,
			       struct smtp_seen *seen, struct smtp_fault *fault);
/* The two halves of smtp_open_host: the addresses, timed in *seen (may be NULL); and the share of the time
 * that one of the addresses still left may take, so that a dead one cannot use up the others' time. */
bool smtp_resolve(const struct smtp_target *t, int family, const char *dns_servers, struct smtp_seen *seen,
		  struct net_addresses *out, struct smtp_fault *fault);
int64_t smtp_share(int64_t deadline, size_t left);
/* Resolves, then tries the addresses in order until one lets a session open; the fault is that of the last
 * one tried. */
struct smtp_session *smtp_open_host(const struct smtp_target *t, int family, const char *dns_servers,
				    struct smtp_seen *seen, struct smtp_fault *fault);

/* Owned by the session; valid until it is freed. */
const struct smtp_seen *smtp_seen(const struct smtp_session *s);
const struct smtp_reply *smtp_ehlo_reply(const struct smtp_session *s); /* the last one, so after STARTTLS */
const struct smtp_reply *smtp_last_reply(const struct smtp_session *s);

/* Sends one line (CRLF is added; one with a CR or LF inside is a LOCAL fault) and reads the reply. True: a
 * reply of any code came, see smtp_last_reply. */
bool smtp_command(struct smtp_session *s, enum smtp_phase phase, const char *line, struct smtp_fault *fault);
/* Addresses without <>; "" is the null sender. True only for a 2xx. */
bool smtp_mail(struct smtp_session *s, const char *from, struct smtp_fault *fault);
bool smtp_rcpt(struct smtp_session *s, const char *to, struct smtp_fault *fault);
/* The whole message, headers included; lone LF and CRLF both end a line, dots are doubled. True for the 250
 * after it. When the fault is not an ANSWER, the message may have been taken. */
bool smtp_data(struct smtp_session *s, const char *text, size_t len, struct smtp_fault *fault);
/* QUIT and its reply. fault may be NULL. Does nothing on a session that is already broken. s may be NULL. */
bool smtp_quit(struct smtp_session *s, struct smtp_fault *fault);
/* Closes the connection. s may be NULL. */
void smtp_free(struct smtp_session *s);

#endif
