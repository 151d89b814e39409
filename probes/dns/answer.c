/*
 * From a message to values. Called by ask.c for each answer that came and by the fuzzer.
 */
#include "answer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static char *hex(const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *out = malloc(2 * n + 1);

	if (!out)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * n] = '\0';
	return out;
}

static bool take(struct dns_value *v, const uint8_t *p, size_t n)
{
	v->data = malloc(n + 1);
	if (!v->data)
		return false;
	if (n)
		memcpy(v->data, p, n);
	v->data[n] = 0;
	v->len = n;
	return true;
}

static bool read_address(struct dns_value *v, const uint8_t *p, size_t n)
{
	char text[INET6_ADDRSTRLEN];

	if (n != (v->type == DNS_A ? 4u : 16u) ||
	    !inet_ntop(v->type == DNS_A ? AF_INET : AF_INET6, p, text, sizeof(text)))
		return false;
	v->text = strdup(text);
	return take(v, p, n);
}

/* All strings of a TXT record as one (RFC 7208 3.3). */
static bool read_text(struct dns_value *v, const uint8_t *p, size_t n)
{
	size_t at = 0;

	v->data = malloc(n + 1);
	if (!v->data)
		return false;
	while (at < n) {
		size_t k = p[at];

		if (k > n - at - 1)
			return false;
		memcpy(v->data + v->len, p + at + 1, k);
		v->len += k;
		at += k + 1;
	}
	v->data[v->len] = 0;
	v->text = strdup((char *)v->data);
	return true;
}

/* A name at an offset of the record; number is read from what stands before or behind it. */
static bool read_name(struct dns_value *v, const struct dns_message *m, const struct dns_record *r)
{
	char name[DNS_NAME_MAX];
	size_t at = r->at + (r->type == DNS_MX ? 2 : 0), end = r->at + r->len;

	if (at > end || !dns_name_read(m->bytes, end, &at, name))
		return false;
	v->text = strdup(name);
	if (r->type == DNS_MX)
		v->number = (uint32_t)m->bytes[r->at] << 8 | m->bytes[r->at + 1];
	if (r->type == DNS_SOA) {
		if (!dns_name_read(m->bytes, end, &at, name) || end - at < 4)
			return false;
		v->number = get32(m->bytes + at);
	}
	return take(v, m->bytes + r->at, r->len);
}

static bool read_value(struct dns_value *v, const struct dns_message *m, const struct dns_record *r)
{
	const uint8_t *p = m->bytes + r->at;

	v->type = r->type;
	v->ttl = r->ttl;
	switch (r->type) {
	case DNS_A:
	case DNS_AAAA:
		return read_address(v, p, r->len);
	case DNS_TXT:
		return read_text(v, p, r->len);
	case DNS_NS:
	case DNS_CNAME:
	case DNS_PTR:
	case DNS_MX:
	case DNS_SOA:
		return read_name(v, m, r);
	default:
		v->text = hex(p, r->len);
		return take(v, p, r->len);
	}
}

void dns_answer_fail(struct dns_answer *a, enum dns_outcome outcome, const char *why)
{
	dns_answer_fini(a);
	a->outcome = outcome;
	snprintf(a->why, sizeof(a->why), "%s", why);
}

void dns_answer_fini(struct dns_answer *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->v[i].data);
		free(a->v[i].text);
	}
	free(a->v);
	a->v = NULL;
	a->n = 0;
}

static void collect(struct dns_answer *a, const struct dns_message *m, const char *owner, uint16_t type)
{
	a->v = calloc(m->n ? (m->n < DNS_VALUES_MAX ? m->n : DNS_VALUES_MAX) : 1, sizeof(*a->v));
	if (!a->v) {
		dns_answer_fail(a, DNS_LOCAL, "out of memory");
		return;
	}
	for (size_t i = 0; i < m->n; i++) {
		if (m->v[i].type != type || m->v[i].klass != 1 || !dns_name_equal(m->v[i].name, owner))
			continue;
		if (a->n == DNS_VALUES_MAX) {
			a->cut = true;
			return;
		}
		if (!read_value(&a->v[a->n++], m, &m->v[i])) {
			dns_answer_fail(a, DNS_GARBLED, "the answer cannot be read: a record is broken");
			return;
		}
	}
}

static enum dns_outcome outcome_of(unsigned rcode)
{
	switch (rcode) {
	case DNS_NOERROR:
		return DNS_DATA;
	case DNS_NXDOMAIN:
		return DNS_NO_NAME;
	case DNS_SERVFAIL:
		return DNS_FAILED;
	case DNS_REFUSED:
		return DNS_REFUSES;
	default:
		return DNS_ODD;
	}
}

static void judge(struct dns_answer *a, const struct dns_message *m, const char *name, uint16_t type)
{
	const char *owner = type == DNS_CNAME ? name : dns_chain(m, name);
	char code[24];

	a->rcode = m->rcode;
	a->aa = m->aa;
	a->ad = m->ad;
	a->ra = m->ra;
	a->outcome = outcome_of(m->rcode);
	if (a->outcome == DNS_NO_NAME)
		snprintf(a->why, sizeof(a->why), "no such name");
	if (a->outcome > DNS_NO_NAME)
		snprintf(a->why, sizeof(a->why), "answers %s", dns_rcode_name(m->rcode, code));
	if (a->outcome != DNS_DATA)
		return;
	if (!owner) {
		dns_answer_fail(a, DNS_GARBLED, "its CNAMEs go in circles");
		return;
	}
	a->alias = !dns_name_equal(owner, name);
	collect(a, m, owner, type);
	if (a->n == 0 && a->outcome == DNS_DATA) {
		a->outcome = m->tc ? DNS_GARBLED : DNS_NODATA;
		snprintf(a->why, sizeof(a->why), "%s",
			 m->tc ? "the answer is truncated" : "no record of this type");
	}
}

void dns_answer_read(struct dns_answer *a, const uint8_t *bytes, size_t len, const char *name, uint16_t type)
{
	struct dns_message m;
	const char *why = "";
	char text[DNS_WHY_MAX];

	*a = (struct dns_answer){.us = a->us};
	if (!dns_parse(bytes, len, &m, &why)) {
		snprintf(text, sizeof(text), "the answer of %zu bytes cannot be read: %s", len, why);
		dns_answer_fail(a, DNS_GARBLED, text);
		return;
	}
	judge(a, &m, name, type);
	dns_message_fini(&m);
}
