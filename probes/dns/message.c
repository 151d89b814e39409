/*
 * Reading and writing DNS messages. Called by ask.c and by the fuzzer; promises never to look beyond the
 * bytes it was given, whatever they claim.
 */
#include "message.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEADER = 12, WIRE_NAME_MAX = 255, LABEL_MAX = 63 };

static const struct {
	uint16_t type;
	const char *name;
} types[] = {
    {DNS_A, "A"},     {DNS_NS, "NS"},	  {DNS_CNAME, "CNAME"}, {DNS_SOA, "SOA"},
    {DNS_PTR, "PTR"}, {DNS_MX, "MX"},	  {DNS_TXT, "TXT"},	{DNS_AAAA, "AAAA"},
    {DNS_SRV, "SRV"}, {DNS_TLSA, "TLSA"}, {DNS_CAA, "CAA"},
};

const char *dns_type_name(uint16_t type, char out[16])
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == type)
			return types[i].name;
	snprintf(out, 16, "TYPE%u", type);
	return out;
}

uint16_t dns_type_from(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcasecmp(types[i].name, name) == 0)
			return types[i].type;
	return 0;
}

const char *dns_rcode_name(unsigned rcode, char out[24])
{
	static const char *const names[] = {"NOERROR",	"FORMERR", "SERVFAIL",
					    "NXDOMAIN", "NOTIMP",  "REFUSED"};

	if (rcode < sizeof(names) / sizeof(names[0]))
		return names[rcode];
	snprintf(out, 24, "RCODE %u", rcode);
	return out;
}

static unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* One byte of a label's text, escapes undone. 0 bytes taken: the escape is none. */
static size_t take_byte(const char *s, uint8_t *out)
{
	unsigned v;

	if (s[0] != '\\') {
		*out = (uint8_t)s[0];
		return 1;
	}
	if (isdigit((unsigned char)s[1]) && isdigit((unsigned char)s[2]) && isdigit((unsigned char)s[3])) {
		v = (unsigned)(s[1] - '0') * 100 + (unsigned)(s[2] - '0') * 10 + (unsigned)(s[3] - '0');
		*out = (uint8_t)v;
		return v < 256 ? 4 : 0;
	}
	*out = (uint8_t)s[1];
	return s[1] ? 2 : 0;
}

/* The name in wire form; 0 when it is none. */
static size_t encode(const char *name, uint8_t out[WIRE_NAME_MAX + 1])
{
	size_t n = 0, label = 0, used;

	if (strcmp(name, ".") == 0)
		name = "";
	while (*name) {
		label = n++;
		while (*name && *name != '.') {
			if (n >= WIRE_NAME_MAX || n - label > LABEL_MAX)
				return 0;
			used = take_byte(name, &out[n]);
			if (!used)
				return 0;
			name += used;
			n++;
		}
		if (n - label == 1)
			return 0;
		out[label] = (uint8_t)(n - label - 1);
		name += *name == '.';
	}
	if (n >= WIRE_NAME_MAX)
		return 0;
	out[n++] = 0;
	return n;
}

bool dns_name_ok(const char *name)
{
	uint8_t wire[WIRE_NAME_MAX + 1];

	return encode(name, wire) > 0;
}

bool dns_name_equal(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	n -= n > 0 && a[n - 1] == '.';
	m -= m > 0 && b[m - 1] == '.';
	return n == m && strncasecmp(a, b, n) == 0;
}

size_t dns_query_build(uint8_t out[DNS_QUERY_MAX], uint16_t id, const char *name, uint16_t type,
		       unsigned flags)
{
	uint8_t wire[WIRE_NAME_MAX + 1];
	size_t n = encode(name, wire), at = HEADER;

	if (!n)
		return 0;
	memset(out, 0, DNS_QUERY_MAX);
	put16(out, id);
	out[2] = flags & DNS_RD ? 0x01 : 0;
	out[3] = (uint8_t)((flags & DNS_AD ? 0x20 : 0) | (flags & DNS_CD ? 0x10 : 0));
	out[5] = 1;  /* a question */
	out[11] = 1; /* one more record: OPT */
	memcpy(out + at, wire, n);
	at += n;
	put16(out + at, type);
	put16(out + at + 2, 1);
	at += 4;
	out[at + 2] = 41; /* behind the root's name: OPT */
	put16(out + at + 3, DNS_UDP_MAX);
	return at + 11;
}

/* A byte of a label as text: what would be mistaken for something else is escaped. */
static size_t show(uint8_t c, char *out)
{
	if (c > ' ' && c < 0x7f && c != '.' && c != '\\') {
		out[0] = (char)c;
		return 1;
	}
	out[0] = '\\';
	out[1] = (char)('0' + c / 100);
	out[2] = (char)('0' + c / 10 % 10);
	out[3] = (char)('0' + c % 10);
	return 4;
}

/* One label, behind a dot when it is not the first. DNS_NAME_MAX holds the longest name: 255 bytes, each
 * escaped. */
static size_t show_label(const uint8_t *label, size_t len, char *out, size_t n)
{
	if (n)
		out[n++] = '.';
	for (size_t i = 0; i < len; i++)
		n += show(label[i], out + n);
	return n;
}

bool dns_name_read(const uint8_t *bytes, size_t len, size_t *at, char out[DNS_NAME_MAX])
{
	size_t p = *at, n = 0, wire = 1, limit = len, target;
	bool jumped = false;

	for (;;) {
		if (p >= limit)
			return false;
		if (bytes[p] >= 0xc0) {
			if (p + 1 >= limit)
				return false;
			target = get16(bytes + p) & 0x3fff;
			if (!jumped)
				*at = p + 2;
			jumped = true;
			/* only backwards, so it ends */
			if (target >= p)
				return false;
			limit = p;
			p = target;
			continue;
		}
		if (bytes[p] > LABEL_MAX || p + bytes[p] >= limit)
			return false;
		if (bytes[p] == 0)
			break;
		wire += bytes[p] + 1u;
		if (wire > WIRE_NAME_MAX)
			return false;
		n = show_label(bytes + p + 1, bytes[p], out, n);
		p += bytes[p] + 1u;
	}
	if (!jumped)
		*at = p + 1;
	out[n] = '\0';
	return true;
}

static bool read_record(struct dns_message *m, size_t *at, struct dns_record *r)
{
	char name[DNS_NAME_MAX];

	if (!dns_name_read(m->bytes, m->len, at, name) || m->len - *at < 10)
		return false;
	r->type = (uint16_t)get16(m->bytes + *at);
	r->klass = (uint16_t)get16(m->bytes + *at + 2);
	r->ttl = (uint32_t)get16(m->bytes + *at + 4) << 16 | get16(m->bytes + *at + 6);
	r->len = get16(m->bytes + *at + 8);
	*at += 10;
	r->at = *at;
	if (m->len - *at < r->len)
		return false;
	*at += r->len;
	r->name = strdup(name);
	return r->name != NULL;
}

static bool skip_questions(const struct dns_message *m, unsigned n, size_t *at)
{
	char name[DNS_NAME_MAX];

	for (; n > 0; n--) {
		if (!dns_name_read(m->bytes, m->len, at, name) || m->len - *at < 4)
			return false;
		*at += 4;
	}
	return true;
}

static bool read_answers(struct dns_message *m, unsigned count, size_t at, const char **why)
{
	if (count > DNS_RECORDS_MAX) {
		*why = "it claims more records than an answer may have";
		return false;
	}
	m->v = calloc(count ? count : 1, sizeof(*m->v));
	if (!m->v) {
		*why = "out of memory";
		return false;
	}
	for (; m->n < count; m->n++)
		if (!read_record(m, &at, &m->v[m->n])) {
			*why = "it ends, or goes in circles, within its records";
			return m->tc;
		}
	return true;
}

static bool read_message(struct dns_message *m, const char **why)
{
	const uint8_t *b = m->bytes;
	size_t at = HEADER;

	if (m->len < HEADER) {
		*why = "it is shorter than a header";
		return false;
	}
	if (!(b[2] & 0x80)) {
		*why = "it is a question, not an answer";
		return false;
	}
	m->id = (uint16_t)get16(b);
	m->aa = b[2] & 0x04;
	m->tc = b[2] & 0x02;
	m->ra = b[3] & 0x80;
	m->ad = b[3] & 0x20;
	m->rcode = b[3] & 0x0f;
	if (!skip_questions(m, get16(b + 4), &at)) {
		*why = "its question cannot be read";
		return false;
	}
	return read_answers(m, get16(b + 6), at, why);
}

bool dns_parse(const uint8_t *bytes, size_t len, struct dns_message *m, const char **why)
{
	*m = (struct dns_message){.bytes = malloc(len ? len : 1), .len = len};
	if (!m->bytes) {
		*why = "out of memory";
		return false;
	}
	if (len)
		memcpy(m->bytes, bytes, len);
	if (read_message(m, why))
		return true;
	dns_message_fini(m);
	return false;
}

void dns_message_fini(struct dns_message *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->v[i].name);
	free(m->v);
	free(m->bytes);
	*m = (struct dns_message){0};
}

/* Where name's CNAME leads, into target. False: it has none. */
static const struct dns_record *alias(const struct dns_message *m, const char *name,
				      char target[DNS_NAME_MAX])
{
	size_t at;

	for (size_t i = 0; i < m->n; i++) {
		at = m->v[i].at;
		if (m->v[i].type == DNS_CNAME && dns_name_equal(m->v[i].name, name) &&
		    dns_name_read(m->bytes, m->len, &at, target))
			return &m->v[i];
	}
	return NULL;
}

/* The owner of records as the answer spells it, or NULL. */
static const char *owner(const struct dns_message *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].type != DNS_CNAME && dns_name_equal(m->v[i].name, name))
			return m->v[i].name;
	return "";
}

const char *dns_chain(const struct dns_message *m, const char *name)
{
	char target[DNS_NAME_MAX], now[DNS_NAME_MAX];

	snprintf(now, sizeof(now), "%s", name);
	for (int links = 0; links <= DNS_CHAIN_MAX; links++) {
		if (!alias(m, now, target))
			return owner(m, now);
		memcpy(now, target, sizeof(now));
	}
	return NULL;
}
