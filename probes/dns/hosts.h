/*
 * What an administrator wrote as an address, or as a name that stands for some: all of them, both families.
 * Used by the probes that judge our own outbound addresses.
 */
#ifndef PROBES_DNS_HOSTS_H
#define PROBES_DNS_HOSTS_H

#include "ask.h"
#include "ip.h"
#include "lib/contract/result.h"

enum { DNS_HOSTS_MAX = 64 };

struct dns_host {
	struct dns_ip ip;
	char text[DNS_IP_TEXT];
	const char *from; /* what was written; owned by the list */
};

struct dns_hosts {
	struct dns_host v[DNS_HOSTS_MAX];
	size_t n;
	/* set on failure */
	struct dns_answer bad; /* only outcome and why */
	const char *bad_name;
};

/* False: a name has no address, or nobody says so: bad and bad_name tell. */
bool dns_hosts_find(struct dns_net *net, const struct opt_list *list, int64_t deadline,
		    struct dns_hosts *out);

/* What the failure means for a probe: CRITICAL when the name has no address, UNKNOWN when nobody says. */
void dns_hosts_report(const struct dns_hosts *hosts, struct result *r);

#endif
