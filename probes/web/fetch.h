/*
 * libcurl for the probes that want one HTTP answer from one address within a deadline. What is kept of an answer is bounded;
 * whatever a server does, the call is back by the deadline.
 */
#ifndef PROBES_WEB_FETCH_H
#define PROBES_WEB_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "probes/net/resolve.h"
#include "probes/net/tls_trust.h"

enum { FETCH_HEAD_MAX = 64 * 1024, FETCH_HEADERS_MAX = 32 };

struct fetch {
	/* what is asked */
	const char *scheme; /* "http" "https" */
	const char *host;   /* in the URL: Host and SNI */
	uint16_t port;
	const char *path; /* begins with / */
	const struct net_address *to;
	bool follow;	   /* redirects, all to this address */
	bool head, no_body;
	const char *agent;
	const char *const *headers;
	size_t nheaders;
	size_t body_max;
	int64_t deadline; /* CLOCK_BOOTTIME ms */
	struct tls_check check;
	/* what came */
	struct buf header, body;
	uint64_t received; /* bytes of the body, kept or not */
	bool cut;	   /* we stopped reading */
	long code;	   /* 0: none */
	double seconds, connect_s, first_s;
	char layer[16], why[200]; /* "" when it went well */
};

/* False: layer and why say what broke; certificates are in check.report in any case. */
bool fetch_run(struct fetch *f);
void fetch_fini(struct fetch *f);
void fetch_global_init(void);

#endif
