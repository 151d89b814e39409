/*
 * DNS messages as bytes (RFC 1035, 6891): a question is built, an answer is taken apart. Pure. Foreign bytes:
 * every offset is checked, a compression pointer only ever leads backwards, a chain of CNAMEs ends after
 * DNS_CHAIN_MAX.
 */
#ifndef PROBES_DNS_MESSAGE_H
#define PROBES_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_SRV = 33,
	DNS_TLSA = 52,
	DNS_CAA = 257
};

enum {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5
};

enum {
	DNS_NAME_MAX = 1024, /* as text, escapes (\046) included */
	DNS_QUERY_MAX = 512,
	DNS_UDP_MAX = 1232, /* what we say a UDP answer may have: never a fragment */
	DNS_RECORDS_MAX = 1024,
	DNS_CHAIN_MAX = 16
};

/* of a question */
enum {
	DNS_RD = 1, /* recursion desired */
	DNS_AD = 2, /* tell whether it is validated */
	DNS_CD = 4  /* do not validate */
};

struct dns_record {
	char *name; /* owner, without the final dot; "" is the root */
	uint16_t type, klass;
	uint32_t ttl;
	size_t at, len; /* of the data, in the message */
};

struct dns_message {
	uint8_t *bytes; /* its own copy */
	size_t len;
	uint16_t id;
	unsigned rcode;
	bool aa, tc, ra, ad;
	struct dns_record *v; /* the answer section */
	size_t n;
};

/* "A" "MX" "TYPE257"; out of a few bytes for the unknown ones. */
const char *dns_type_name(uint16_t type, char out[16]);
/* 0: no such type. Case does not matter. */
uint16_t dns_type_from(const char *name);
/* "NXDOMAIN", "RCODE 11" */
const char *dns_rcode_name(unsigned rcode, char out[24]);

/* A query with an OPT record at its end. 0: name is not a domain name (a label of more than 63 bytes or an
 * empty one, more than 253 in all). \. and \DDD in name are taken as they are meant. */
size_t dns_query_build(uint8_t out[DNS_QUERY_MAX], uint16_t id, const char *name, uint16_t type,
		       unsigned flags);
/* Whether name could be asked for. */
bool dns_name_ok(const char *name);
/* Case does not matter, nor does a final dot. */
bool dns_name_equal(const char *a, const char *b);

/* False: not a DNS answer, *why says in what (static text), and m is empty. A message that ends too early
 * with TC set keeps what it holds. */
bool dns_parse(const uint8_t *bytes, size_t len, struct dns_message *m, const char **why);
void dns_message_fini(struct dns_message *m);
/* The name at offset *at of the message, which is moved behind it. */
bool dns_name_read(const uint8_t *bytes, size_t len, size_t *at, char out[DNS_NAME_MAX]);

/* Follows CNAMEs from name within the answer. The owner's name at the end of the chain, NULL when the chain
 * has no end: a loop, or more than DNS_CHAIN_MAX links. */
const char *dns_chain(const struct dns_message *m, const char *name);

#endif
