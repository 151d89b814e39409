/*
 * What the DNS says of a subject: its mail exchangers, the hosts that look like its mail system, and their
 * addresses. Asked by the prober (`--expand`), never here; a host that the DNS does not have may stand in /etc/hosts.
 */
#ifndef MONITORD_PROPOSE_SITE_H
#define MONITORD_PROPOSE_SITE_H

#include "wish.h"

enum { SITE_HOSTS_MAX = 24, SITE_MX_MAX = 16, SITE_ADDRESSES_MAX = 8, SITE_ADDRESS_BYTES = 46 };

enum site_kind {
	SITE_DOMAIN,  /* it has mail exchangers */
	SITE_NULL_MX, /* it says that it takes no mail */
	SITE_HOST,    /* a host, or a domain without an MX: its own address */
	SITE_BARE     /* neither MX nor address */
};

struct site_host {
	char name[WISH_HOST_MAX + 1]; /* as it may stand in a configuration; "" when it may not */
	char *said;		      /* as the DNS has it, for a comment */
	int preference;		      /* of an MX; -1: it is none */
	char v[SITE_ADDRESSES_MAX][SITE_ADDRESS_BYTES];
	size_t n, left_out;
	char why[200]; /* no address: the reason */
};

struct site {
	enum site_kind kind;
	struct site_host hosts[SITE_HOSTS_MAX]; /* MX by preference first, then the others */
	size_t n, mx_left_out;
	bool in_table; /* a host that only /etc/hosts knows */
};

/* False: there is nothing to propose, and why was said. site_fini in any case. */
bool site_find(struct site *s, const struct wish *w, const char *prober);
void site_fini(struct site *s);
bool site_is_mx(const struct site_host *h);

#endif
