/*
 * What the policy service counted, and the JSON line that tells it: written by the service, read by the probe
 * rate. Pure.
 */
#ifndef PROBES_ARRIVALS_TELL_H
#define PROBES_ARRIVALS_TELL_H

#include "lib/buf.h"
#include "request.h"

enum { POLICY_CLIENT, POLICY_SASL, POLICY_UID, POLICY_KINDS, POLICY_TOLD = 50 };
extern const char *const policy_kinds[POLICY_KINDS]; /* "client" "sasl" "uid" */

struct policy_counts {
	struct origins *kind[POLICY_KINDS];
	struct origin_ring all;
	uint64_t requests, cut;
	int64_t since_ms; /* CLOCK_BOOTTIME */
};

bool policy_counts_init(struct policy_counts *c, int64_t now_ms);
void policy_counts_fini(struct policy_counts *c);
/* first: the first recipient of its message. */
void policy_count(struct policy_counts *c, const struct policy_request *r, bool first, int64_t second);
/* One JSON line; false when it does not fit. */
bool policy_tell(struct policy_counts *c, int64_t now_ms, size_t connections, struct buf *out);

#endif
