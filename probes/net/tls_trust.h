/*
 * Certificates: the trusted ones, loaded once per file and shared by all sessions of the process (loading
 * them anew costs fifteen handshakes), and the examination of what a server shows: chain, name, days left.
 * The examination always happens and is always reported; whether it ends the session is the caller's policy.
 */
#ifndef PROBES_NET_TLS_TRUST_H
#define PROBES_NET_TLS_TRUST_H

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

enum { TLS_SHOWN_MAX = 10 };

/* The certificates a server showed, DER; its own first. Zeroed at first; OpenSSL bounds their size. */
struct tls_shown {
	struct {
		unsigned char *der;
		int len;
	} v[TLS_SHOWN_MAX];
	size_t n;
};

struct tls_check {
	enum tls_verify verify;
	const char *ca_file;	 /* NULL: the system's */
	const char *name;	 /* that the certificate must carry: a host name or an address */
	const char *sni;	 /* that the server is asked for; NULL: name. None when it is an address */
	struct tls_shown *shown; /* gets what was shown, also of a handshake that fails; NULL: nobody wants it */
	void (*done)(void *arg); /* at the end of the handshake; may be NULL */
	void *arg;
	struct tls_report report;
};

/* Prepares a fresh SSL_CTX (passed as void *, so callers need no OpenSSL header). check must outlive it.
 * False: the CA file cannot be loaded, why says so. */
bool tls_trust_apply(void *ssl_ctx, struct tls_check *check, char *why, size_t size);

void tls_shown_fini(struct tls_shown *shown);

#endif
