/*
 * All ways by which a domain's mail may come in, and the fallbacks by which it may go out: who they are
 * (find.c), whether each address takes an envelope (try.c), and what that means (report.c). check_mx is the
 * door.
 */
#ifndef PROBES_MX_MX_H
#define PROBES_MX_MX_H

#include "lib/config/opts.h"
#include "lib/contract/result.h"
#include "probes/net/resolve.h"
#include "probes/smtp/session.h"

enum { MX_HOSTS_MAX = 32, MX_ADDRESSES_MAX = 64, MX_NAME_MAX = 256 };

enum mx_require { MX_ALL, MX_QUORUM, MX_ANY };

struct mx_conf {
	char *domain;
	int64_t port;
	bool four, six, starttls;
	struct opt_list dns_servers, fallback;
	char *fqdn, *from, *to, *fallback_to;
	int require;
};

struct mx_host {
	char name[MX_NAME_MAX];
	uint16_t port;
	unsigned preference;
	bool backup;   /* not of the best preference, or a fallback */
	bool fallback; /* a smarthost: takes mail for elsewhere */
	bool dead;     /* set by the report: none of its addresses takes mail */
	bool lookup;   /* its addresses could not be looked up; why says it */
	bool answered; /* the DNS did answer: it has none */
	char why[120];
};

struct mx_visit {
	size_t host; /* index of mx_found.host */
	struct net_address address;
	struct smtp_fault fault;
	double ms;
};

struct mx_found {
	struct mx_host host[MX_HOSTS_MAX];
	size_t hosts, hosts_dropped;
	struct mx_visit v[MX_ADDRESSES_MAX];
	size_t n, dropped;
	bool implicit; /* no MX record: the domain itself (RFC 5321, 5.1) */
};

/* Asks for the MX records, then for each host's addresses. False: result says why, and nothing is to be
 * tried. */
bool mx_find(const struct mx_conf *o, const char *servers, int64_t deadline, struct mx_found *found,
	     struct result *r);
/* "HOST", "HOST:PORT", "[2001:db8::1]:PORT". False: neither. */
bool mx_fallback(const char *text, uint16_t port, struct mx_host *out);

/* MAIL, RCPT, RSET with each address. */
void mx_try(const struct mx_conf *o, struct mx_found *found, struct smtp_target *t);

/* Pure. */
void mx_report(const struct mx_conf *o, struct mx_found *found, struct result *r);

#endif
