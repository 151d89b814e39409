/*
 * DANE of mail servers: who they are and which TLSA records they have (find.c), and what an address that was
 * visited means beside them (judge.c). check_tlsa is the door.
 */
#ifndef PROBES_TLSA_TLSA_H
#define PROBES_TLSA_TLSA_H

#include "lib/config/opts.h"
#include "probes/cert/look.h"
#include "probes/zone/zone.h"
#include "record.h"

enum { TLSA_HOSTS_MAX = 32, TLSA_RECORDS_MAX = 64 };

struct tlsa_conf {
	char *domain, *host;
	struct opt_list resolver;
	int64_t port, rollover_days, answer_limit_ms;
	int protocol;
	bool four, six;
};

struct tlsa_host {
	char name[256], owner[300]; /* "mx1.example.org", "_25._tcp.mx1.example.org" */
	struct dns_ask ask;
	struct tlsa_record v[TLSA_RECORDS_MAX]; /* in ask's bytes */
	size_t n, garbled;
	bool counts; /* validated: a sender may rely on them */
};

struct tlsa_run {
	const struct tlsa_conf *o;
	struct zone_look look; /* what was found, the worst first */
	struct tlsa_host *host;
	size_t hosts, records, visits, failing;
	uint16_t port;
	char bad[256]; /* the first host that does not match */
};

/* Into host[]. False: nothing is to be visited; said. */
bool tlsa_find(struct tlsa_run *t);
/* What became of one address of a host; who: "mx1.example.org:25 [192.0.2.1]". */
void tlsa_judge(struct tlsa_run *t, struct tlsa_host *h, const char *who, const struct cert_look *l,
		const struct tls_shown *shown, int64_t now);

#endif
