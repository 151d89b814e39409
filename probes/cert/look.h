/*
 * The certificate that a port shows, with STARTTLS where the protocol has it: for check_cert, and for whoever
 * judges the certificates themselves. The protocols' own sessions go there; nothing is judged here.
 */
#ifndef PROBES_CERT_LOOK_H
#define PROBES_CERT_LOOK_H

#include "probes/net/resolve.h"
#include "probes/net/tls_trust.h"

struct probe_run;

/* TLS from the first byte; or STARTTLS of a protocol. */
enum cert_protocol { CERT_TLS, CERT_SMTP, CERT_IMAP, CERT_POP3, CERT_PROTOCOLS };
#define CERT_PROTOCOL_CHOICES "tls|smtp|imap|pop3"

struct cert_look {
	/* what is asked */
	enum cert_protocol protocol;
	const char *host;	      /* that the server is asked for (SNI) */
	const char *name;	      /* that the certificate should carry; NULL: host */
	const struct net_address *to; /* with its port */
	uint16_t port;
	const char *ca_file;	 /* PEM; NULL: the system's */
	int64_t deadline;	 /* CLOCK_BOOTTIME ms */
	struct probe_run *run;	 /* may be NULL */
	struct tls_shown *shown; /* gets the certificates, for tls_shown_fini; may be NULL */
	/* what came */
	struct tls_report report; /* seen: a certificate was shown */
	double seconds;
	char layer[24], why[320]; /* "" when it went well; may be filled beside a certificate */
};

/* 443, 25, 143, 110 */
uint16_t cert_port(enum cert_protocol protocol);
void cert_look(struct cert_look *l);
/* Once per process, before threads. */
void cert_global_init(void);

#endif
