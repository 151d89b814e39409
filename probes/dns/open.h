/*
 * The DNS for one run of a probe: opened with the probe's options `resolver` and `answer_limit`, or the result says why
 * not. Used by every probe that asks the DNS and nothing else.
 */
#ifndef PROBES_DNS_OPEN_H
#define PROBES_DNS_OPEN_H

#include "ask.h"
#include "lib/config/opts.h"
#include "probes/probe.h"

/* The two options, as rows of a probe's table. offset: of a struct opt_list, of an int64_t (ms). */
#define DNS_RESOLVER_HELP "ask this resolver instead of those of resolv.conf"
#define DNS_ANSWER_LIMIT_HELP "how long a question may stay without an answer"
#define DNS_RESOLVER(at, help_)                                                                              \
	{                                                                                                    \
		.name = "resolver", .letter = 's', .type = OPT_LIST, .offset = (at), .unit = "ADDRESS[:PORT]", \
		.help = help_                                                                                \
	}
#define DNS_ANSWER_LIMIT(at, help_)                                                                          \
	{                                                                                                    \
		.name = "answer_limit", .type = OPT_DURATION, .offset = (at), .min = 100, .max = 600e3,      \
		.dflt = "10s", .help = help_                                                                 \
	}

/* NULL: the result is UNKNOWN, not measured. */
struct dns_net *dns_open_for(struct probe_run *run, const struct opt_list *resolver, int64_t answer_limit_ms);

#endif
