/*
 * RFC 7208 as a pure function: whether a domain's SPF record lets an address send. What it needs of the DNS
 * it asks of a callback. Used by check_spf.c. Not pure is only what the callback does.
 */
#ifndef PROBES_SPF_SPF_H
#define PROBES_SPF_SPF_H

#include "probes/dns/answer.h"
#include "probes/dns/ip.h"

enum spf_result { SPF_NONE, SPF_NEUTRAL, SPF_PASS, SPF_FAIL, SPF_SOFTFAIL, SPF_TEMPERROR, SPF_PERMERROR };

enum {
	SPF_LOOKUPS_MAX = 10,
	SPF_VOIDS_MAX = 2,
	SPF_MX_MAX = 10,
	SPF_PTR_MAX = 10,
	SPF_COUNT_MAX = 20,
	SPF_TERMS_MAX = 1024
};

struct spf_query {
	struct dns_ip ip;
	const char *domain; /* whose record is evaluated */
	const char *sender; /* "local@domain" */
	const char *helo;
	/* The answer is the callback's, and valid until the evaluation ends. */
	const struct dns_answer *(*lookup)(void *arg, const char *name, uint16_t type);
	void *arg;
	/* Nothing matches: every term is gone through, to count what the whole record needs. */
	bool count_only;
};

struct spf_verdict {
	enum spf_result result;
	unsigned lookups, voids; /* the terms that ask the DNS; those that found nothing */
	char term[400];	  /* that decided: "-all", "include:a.test > ip4:192.0.2.1"; "" when none did */
	char record[400]; /* of the domain itself; cut */
	char why[400];	  /* of an error: what and where */
	bool silent;	  /* the error is that nobody answered us */
};

void spf_evaluate(const struct spf_query *q, struct spf_verdict *out);
const char *spf_result_name(enum spf_result r);

/* --- record.c: a record's terms --- */
enum spf_kind { SPF_ALL, SPF_INCLUDE, SPF_A, SPF_MX, SPF_PTR, SPF_IP4, SPF_IP6, SPF_EXISTS };

struct spf_term {
	enum spf_kind kind;
	enum spf_result qualifier;
	const char *text; /* as written */
	char *spec;	  /* the domain, unexpanded; NULL: none */
	struct dns_ip net;
	unsigned bits4, bits6;
};

struct spf_record {
	char *copy, *texts;
	struct spf_term *v;
	size_t n;
	char *redirect;
	bool has_all;
};

/* False: a syntax error anywhere in it, why says where. */
bool spf_record_parse(const char *text, struct spf_record *out, char *why, size_t size);
void spf_record_fini(struct spf_record *r);
/* Whether a TXT is an SPF record at all. */
bool spf_record_is(const uint8_t *text, size_t len);

/* --- macro.c --- */
struct spf_macros {
	const struct dns_ip *ip;
	const char *sender, *helo, *domain;
	const char *validated; /* %{p} */
};

/* A domain-spec that could be expanded. *needs_p: it has a %{p}. */
bool spf_macro_ok(const char *spec, bool *needs_p);
/* False: too long to be a name at all. At most 253 bytes: labels are taken away from the left. */
bool spf_macro_expand(const char *spec, const struct spf_macros *m, char *out, size_t size);

#endif
