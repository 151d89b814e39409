/*
 * TLSA records (RFC 6698) as SMTP takes them (RFC 7672): read from the bytes of a record, and held against
 * the certificates that a server shows. Foreign bytes on both sides. Pure: no I/O; the caller brings the
 * time.
 */
#ifndef PROBES_TLSA_RECORD_H
#define PROBES_TLSA_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_shown;

enum { TLSA_TA = 2, TLSA_EE = 3 };

enum tlsa_verdict {
	TLSA_UNUSABLE, /* no sender can use it: why */
	TLSA_NO_MATCH, /* of another certificate than those shown */
	TLSA_BROKEN,   /* it matches, but the chain from it is not good: why */
	TLSA_MATCH
};

struct tlsa_record {
	uint8_t usage, selector, matching;
	const uint8_t *data; /* in the bytes that were read */
	size_t len;
	char text[48]; /* "3 1 1 4a5b6c7d..." */
	enum tlsa_verdict verdict;
	char why[120];
};

/* False: too short to be one. It may still be unusable (verdict), as usages 0 and 1 are for mail servers (RFC
 * 7672, 3.1.3). */
bool tlsa_read(const uint8_t *bytes, size_t len, struct tlsa_record *t);
/* Sets verdict and why. names: what the certificate may be for, of usage 2 (the host, the domain); now:
 * seconds since 1970. */
void tlsa_hold(struct tlsa_record *t, const struct tls_shown *shown, const char *const *names, size_t nnames,
	       int64_t now);

#endif
