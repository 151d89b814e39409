/*
 * Certificates: the trusted ones, loaded once per file and shared by all sessions of the process (loading
 * them anew costs fifteen handshakes), and the examination of what a server shows: chain, name, days left.
 * The examination always happens and is always reported; whether it ends the session is the caller's policy.
 */
#ifndef PROBES_TLS_TRUST_H
#define PROBES_TLS_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tls_verify {
	TLS_VERIFY_OFF,	  /* look, but go on */
	TLS_VERIFY_CHAIN, /* a trusted chain, now valid; any name */
	TLS_VERIFY_FULL	  /* and the name */
};

struct tls_report {
	bool seen; /* a certificate was shown */
	bool done; /* the handshake ended well */
	bool chain_ok, name_ok;
	char why[160]; /* what is wrong with chain or name: "certificate has expired"; "" when nothing */
	int64_t not_before, not_after; /* seconds since 1970 UTC; the earliest end along the chain shown */
	char subject[128];	       /* of the certificate that ends first: its CN, else all of it */
	char issuer[128];
	char protocol[16]; /* "TLSv1.3", when done */
};

struct tls_check {
	enum tls_verify verify;
	const char *ca_file;	 /* NULL: the system's */
	const char *name;	 /* a host name or an address */
	void (*done)(void *arg); /* at the end of the handshake; may be NULL */
	void *arg;
	struct tls_report report;
};

/* Prepares a fresh SSL_CTX (passed as void *, so callers need no OpenSSL header). check must outlive it.
 * False: the CA file cannot be loaded, why says so. */
bool tls_trust_apply(void *ssl_ctx, struct tls_check *check, char *why, size_t size);

#endif
