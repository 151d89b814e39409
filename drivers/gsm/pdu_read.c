/*
 * Reads SMS-DELIVER and SMS-STATUS-REPORT: foreign bytes, so every length is checked against what is there.
 * Called by the SMS line for +CMGR, +CMGL, +CMT and +CDS.
 */
#include "pdu.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gsm7.h"
#include "utf8.h"

enum alphabet { ALPHABET_GSM7, ALPHABET_8BIT, ALPHABET_UCS2, ALPHABET_NONE };

struct cursor {
	const uint8_t *p;
	size_t left;
};

static bool take(struct cursor *c, size_t n, const uint8_t **out)
{
	if (c->left < n)
		return false;
	*out = c->p;
	c->p += n;
	c->left -= n;
	return true;
}

static bool take1(struct cursor *c, uint8_t *v)
{
	const uint8_t *p;

	if (!take(c, 1, &p))
		return false;
	*v = *p;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t pdu_unhex(const char *hex, size_t len, uint8_t *out, size_t max)
{
	if (len % 2 != 0 || len / 2 > max)
		return SIZE_MAX;
	for (size_t i = 0; i < len / 2; i++) {
		int h = hex_digit(hex[2 * i]), l = hex_digit(hex[2 * i + 1]);

		if (h < 0 || l < 0)
			return SIZE_MAX;
		out[i] = (uint8_t)(h << 4 | l);
	}
	return len / 2;
}

/* Address: number of digits, type, digits. Alphanumeric names (type 5) are GSM-7, four bits a "digit". */
static bool read_address(struct cursor *c, char *out, size_t size)
{
	static const char digit[] = "0123456789*#abc";
	uint8_t ndigits, type;
	const uint8_t *p;
	size_t n = 0;

	if (!take1(c, &ndigits) || ndigits > PDU_ADDRESS_MAX || !take1(c, &type) ||
	    !take(c, (ndigits + 1u) / 2, &p))
		return false;
	if ((type & 0x70) == 0x50) {
		uint8_t septets[16];
		struct buf b;
		size_t k = gsm7_unpack(p, (ndigits + 1u) / 2, 0, ndigits * 4u / 7, septets);

		buf_init(&b, size - 1);
		gsm7_decode(septets, k, &b);
		snprintf(out, size, "%s", buf_str(&b));
		buf_fini(&b);
		return true;
	}
	if ((type & 0x70) == 0x10)
		out[n++] = '+';
	for (size_t i = 0; i < ndigits && n + 1 < size; i++) {
		unsigned v = p[i / 2] >> (i % 2 ? 4 : 0) & 0xF;

		if (v < 0xF)
			out[n++] = digit[v];
	}
	out[n] = '\0';
	return true;
}

static int two(uint8_t v)
{
	return (v & 0xF) * 10 + (v >> 4);
}

/* Seven octets of swapped digits; the last is the zone in quarters of an hour, bit 3 its sign. */
static bool read_time(struct cursor *c, int64_t *wall_ms)
{
	const uint8_t *p;
	struct tm tm = {0};
	int zone;

	*wall_ms = 0;
	if (!take(c, 7, &p))
		return false;
	tm.tm_year = two(p[0]) >= 90 ? two(p[0]) : 100 + two(p[0]); /* SMS began in 1992 */
	tm.tm_mon = two(p[1]) - 1;
	tm.tm_mday = two(p[2]);
	tm.tm_hour = two(p[3]);
	tm.tm_min = two(p[4]);
	tm.tm_sec = two(p[5]);
	zone = two(p[6] & 0xF7) * 15 * 60;
	if (tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
	    tm.tm_min > 59)
		return true;
	*wall_ms = ((int64_t)timegm(&tm) - (p[6] & 0x08 ? -zone : zone)) * 1000;
	return true;
}

static enum alphabet alphabet_of(uint8_t dcs)
{
	switch (dcs >> 4) {
	case 0x0: case 0x1: case 0x4: case 0x5:
		return (dcs & 0x0C) == 0 ? ALPHABET_GSM7 : (dcs & 0x0C) == 4 ? ALPHABET_8BIT : ALPHABET_UCS2;
	case 0x2: case 0x3: case 0x6: case 0x7: /* compressed: nobody sends it, nothing reads it */
		return ALPHABET_NONE;
	case 0xE:
		return ALPHABET_UCS2;
	case 0xF:
		return (dcs & 0x04) != 0 ? ALPHABET_8BIT : ALPHABET_GSM7;
	default:
		return ALPHABET_GSM7;
	}
}

/* The information elements of a user data header; only concatenation (8 and 16 bit) matters. */
static bool read_header(struct pdu_in *in, struct cursor h)
{
	uint8_t id, len;
	const uint8_t *v;

	while (h.left > 0) {
		if (!take1(&h, &id) || !take1(&h, &len) || !take(&h, len, &v))
			return false;
		if ((id == 0 && len == 3) || (id == 8 && len == 4)) {
			in->ref = id == 0 ? v[0] : (unsigned)v[0] << 8 | v[1];
			in->nparts = v[len - 2];
			in->part = v[len - 1];
			in->parts = in->part >= 1 && in->part <= in->nparts;
		}
	}
	return true;
}

static void decode_ucs2(const uint8_t *p, size_t n, struct buf *out)
{
	for (size_t i = 0; i + 1 < n; i += 2) {
		uint32_t u = (uint32_t)p[i] << 8 | p[i + 1];

		if ((u & 0xFC00) == 0xD800 && i + 3 < n && (p[i + 2] & 0xFC) == 0xDC) {
			u = 0x10000 + ((u & 0x3FF) << 10) + (((uint32_t)p[i + 2] << 8 | p[i + 3]) & 0x3FF);
			i += 2;
		}
		utf8_put(out, u == 0 ? 0xFFFD : u);
	}
}

static bool read_user_data(struct pdu_in *in, struct cursor *c, bool header, uint8_t dcs, const char **why)
{
	uint8_t udl, udhl = 0, septets[160];
	enum alphabet a = alphabet_of(dcs);
	size_t octets, skip = 0;
	const uint8_t *ud;

	*why = "the text is shorter than its length says";
	if (!take1(c, &udl))
		return false;
	octets = a == ALPHABET_GSM7 ? (udl * 7u + 7) / 8 : udl;
	if (octets > 140 || !take(c, octets, &ud))
		return false;
	if (header) {
		*why = "bad user data header";
		if (octets == 0 || (udhl = ud[0]) + 1u > octets ||
		    !read_header(in, (struct cursor){ud + 1, udhl}))
			return false;
		skip = udhl + 1u;
	}
	if (a == ALPHABET_UCS2) {
		decode_ucs2(ud + skip, octets - skip, &in->text);
	} else if (a == ALPHABET_GSM7) {
		size_t gone = (skip * 8 + 6) / 7, bit = gone * 7;

		if (gone <= udl)
			gsm7_decode(septets,
				    gsm7_unpack(ud + bit / 8, octets - bit / 8, bit % 8, udl - gone, septets),
				    &in->text);
	} else {
		for (size_t i = skip; i < octets; i++)
			utf8_put(&in->text,
				 a == ALPHABET_8BIT && ud[i] >= 0x20 && ud[i] < 0x7F ? ud[i] : '?');
	}
	return true;
}

static bool read_deliver(struct pdu_in *in, struct cursor *c, uint8_t fo, const char **why)
{
	uint8_t pid, dcs;

	in->kind = PDU_DELIVER;
	*why = "bad sender address";
	if (!read_address(c, in->from, sizeof(in->from)))
		return false;
	*why = "ends before its text";
	if (!take1(c, &pid) || !take1(c, &dcs) || !read_time(c, &in->at_wall_ms))
		return false;
	return read_user_data(in, c, (fo & 0x40) != 0, dcs, why);
}

static bool read_report(struct pdu_in *in, struct cursor *c, const char **why)
{
	int64_t discharged;

	in->kind = PDU_REPORT;
	*why = "bad status report";
	return take1(c, &in->mr) && read_address(c, in->from, sizeof(in->from)) &&
	       read_time(c, &in->at_wall_ms) && read_time(c, &discharged) && take1(c, &in->status);
}

void pdu_in_init(struct pdu_in *in)
{
	memset(in, 0, sizeof(*in));
	buf_init(&in->text, PDU_TEXT_MAX);
}

void pdu_in_fini(struct pdu_in *in)
{
	buf_fini(&in->text);
}

bool pdu_read(struct pdu_in *in, const char *hex, size_t len, const char **why)
{
	uint8_t o[PDU_OCTETS_MAX + 24], smsc, fo;
	size_t n = pdu_unhex(hex, len, o, sizeof(o));
	struct cursor c = {o, n};
	const uint8_t *centre;

	*why = "not hex, or too long";
	if (n == SIZE_MAX)
		return false;
	*why = "ends in its first octets";
	if (!take1(&c, &smsc) || !take(&c, smsc, &centre) || !take1(&c, &fo))
		return false;
	switch (fo & 0x03) {
	case 0x00:
		return read_deliver(in, &c, fo, why);
	case 0x02:
		return read_report(in, &c, why);
	default:
		*why = "neither a message nor a status report";
		return false;
	}
}

enum pdu_delivery pdu_delivery(uint8_t status)
{
	if (status <= 0x02)
		return PDU_DELIVERED;
	/* 0x20 to 0x3F: the centre still tries; reserved values below are read alike */
	if (status >= 0x20 && status < 0x40)
		return PDU_STILL_TRYING;
	return PDU_FAILED;
}
