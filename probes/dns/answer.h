/*
 * What a question brought, as values: addresses, names, texts. Pure: from the bytes of a message. Used by
 * every probe that asks something of the DNS; asking is ask.h's.
 */
#ifndef PROBES_DNS_ANSWER_H
#define PROBES_DNS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"

enum { DNS_VALUES_MAX = 256, DNS_WHY_MAX = 160 };

enum dns_outcome {
	DNS_DATA,	 /* at least one value */
	DNS_NODATA,	 /* the name is there, a record of this type is not */
	DNS_NO_NAME,	 /* NXDOMAIN */
	DNS_FAILED,	 /* SERVFAIL */
	DNS_REFUSES,	 /* REFUSED */
	DNS_ODD,	 /* another code: FORMERR, NOTIMP ... */
	DNS_GARBLED,	 /* an answer that cannot be read, or whose CNAMEs have no end */
	DNS_SILENT,	 /* nobody answered in time */
	DNS_UNREACHABLE, /* the connection was refused, or there is no way there */
	DNS_LOCAL	 /* no memory, a bad server, not a name */
};

struct dns_value {
	uint16_t type;
	uint32_t ttl;
	uint32_t number; /* MX: preference; SOA: serial */
	uint8_t *data; /* A and AAAA: the address; TXT: all its strings joined; others: the record's bytes */
	size_t len;
	char *text; /* A, AAAA: the address; NS, PTR, CNAME, MX, SOA: the name; TXT: as data, up to a NUL;
		       others: hex */
};

struct dns_answer {
	enum dns_outcome outcome;
	unsigned rcode;
	bool aa, ad, ra;
	bool alias; /* the name is an alias: a CNAME led to the values */
	bool cut;   /* more than DNS_VALUES_MAX values */
	struct dns_value *v;
	size_t n;
	int64_t us;	       /* how long it took */
	char why[DNS_WHY_MAX]; /* when not DNS_DATA: "no such name", without a subject */
};

/* Fills *a from a message that answers name and type. */
void dns_answer_read(struct dns_answer *a, const uint8_t *bytes, size_t len, const char *name, uint16_t type);
void dns_answer_fail(struct dns_answer *a, enum dns_outcome outcome, const char *why);
void dns_answer_fini(struct dns_answer *a);

/* An answer that says something about the name, be it "there is none". */
static inline bool dns_answered(const struct dns_answer *a)
{
	return a->outcome == DNS_DATA || a->outcome == DNS_NODATA || a->outcome == DNS_NO_NAME;
}
/* Nobody answered, as opposed to a bad answer. */
static inline bool dns_dead(const struct dns_answer *a)
{
	return a->outcome == DNS_SILENT || a->outcome == DNS_UNREACHABLE;
}

#endif
