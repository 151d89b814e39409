/*
 * SMS-SUBMIT out of a text: for the SMS line and its tests. Promises that what comes out is what 23.040 says,
 * or a reason; reading is in pdu_read.c.
 */
#include "pdu.h"

#include <stdio.h>
#include <string.h>

#include "gsm7.h"
#include "utf8.h"

enum {
	FO_SUBMIT = 0x01,
	FO_REJECT_DUPLICATES = 0x04,
	FO_RELATIVE_VP = 0x10,
	FO_REPORT = 0x20,
	FO_HEADER = 0x40
};
enum { DCS_GSM7 = 0x00, DCS_UCS2 = 0x08 };
enum { HEADER_OCTETS = 6, USER_DATA_MAX = 140 };
enum { UNITS_MAX = PDU_PARTS_MAX * PDU_PART_GSM7 };

struct octets {
	uint8_t v[PDU_OCTETS_MAX];
	size_t n;
};

static void put(struct octets *o, unsigned v)
{
	if (o->n < sizeof(o->v))
		o->v[o->n++] = (uint8_t)v;
}

bool pdu_address_ok(const char *to, char *why, size_t size)
{
	const char *digits = to[0] == '+' ? to + 1 : to;
	size_t n = strspn(digits, "0123456789");

	if (n == 0 || digits[n] != '\0')
		snprintf(why, size, "a phone number is digits, with + before the country code");
	else if (n > PDU_ADDRESS_MAX)
		snprintf(why, size, "a phone number has at most %d digits", PDU_ADDRESS_MAX);
	else if (to[0] == '+' && digits[0] == '0')
		snprintf(why, size, "no country code begins with 0");
	else
		return true;
	return false;
}

/* Type of address and digits, nibbles swapped, F for an odd end. */
static void put_number(struct octets *o, const char *number)
{
	const char *d = number[0] == '+' ? number + 1 : number;

	put(o, number[0] == '+' ? 0x91 : 0x81);
	for (; d[0] != '\0'; d += d[1] != '\0' ? 2 : 1)
		put(o, (unsigned)(d[0] - '0') | (d[1] != '\0' ? (unsigned)(d[1] - '0') : 0xFu) << 4);
}

static size_t digits_of(const char *number)
{
	return strlen(number) - (number[0] == '+');
}

uint8_t pdu_validity(int64_t ms)
{
	int64_t min = (ms + 59999) / 60000;
	const int64_t h = 60, d = 24 * h, w = 7 * d;

	if (min <= 12 * h)
		return min <= 5 ? 0 : (uint8_t)((min + 4) / 5 - 1);
	if (min <= 24 * h)
		return (uint8_t)(143 + (min - 12 * h + 29) / 30);
	if (min <= 30 * d)
		return (uint8_t)(166 + (min + d - 1) / d);
	min = (min + w - 1) / w;
	return (uint8_t)(192 + (min < 5 ? 5 : min > 63 ? 63 : min));
}

/* One message's units: septets (one a byte) or UTF-16 units. */
struct units {
	bool ucs2;
	uint16_t v[UNITS_MAX];
	size_t n;
	size_t start[PDU_PARTS_MAX + 1]; /* part i is [start[i], start[i+1]) */
	size_t nparts;
};

static bool fill_gsm7(struct units *u, const char *text)
{
	uint8_t s[UNITS_MAX];
	size_t n = gsm7_encode(text, s, sizeof(s));

	if (n == SIZE_MAX)
		return false;
	u->ucs2 = false;
	u->n = n;
	for (size_t i = 0; i < n; i++)
		u->v[i] = s[i];
	return true;
}

static bool fill_ucs2(struct units *u, const char *text)
{
	u->ucs2 = true;
	u->n = 0;
	for (uint32_t cp; (cp = utf8_next(&text)) != 0;) {
		if (u->n + 2 > UNITS_MAX)
			return false;
		if (cp >= 0x10000) {
			u->v[u->n++] = (uint16_t)(0xD800 + ((cp - 0x10000) >> 10));
			u->v[u->n++] = (uint16_t)(0xDC00 + ((cp - 0x10000) & 0x3FF));
		} else {
			u->v[u->n++] = (uint16_t)cp;
		}
	}
	return true;
}

/* True when a part must not end after unit i, because the next one belongs to it. */
static bool pair_starts(const struct units *u, size_t i)
{
	return u->ucs2 ? (u->v[i] & 0xFC00) == 0xD800 : u->v[i] == GSM7_ESC;
}

/* An ESC is an ESC only if the unit before it is not one; the encoder never makes two in a row. */
static bool split(struct units *u, size_t max_parts)
{
	size_t single = u->ucs2 ? PDU_SINGLE_UCS2 : PDU_SINGLE_GSM7,
	       each = u->ucs2 ? PDU_PART_UCS2 : PDU_PART_GSM7;
	size_t at = 0;

	u->start[0] = 0;
	u->nparts = 0;
	if (u->n <= single) {
		u->start[1] = u->n;
		u->nparts = 1;
		return true;
	}
	while (at < u->n) {
		size_t end = u->n - at > each ? at + each : u->n;

		if (u->nparts >= max_parts)
			return false;
		if (end < u->n && pair_starts(u, end - 1))
			end--;
		u->start[++u->nparts] = end;
		at = end;
	}
	return true;
}

static void put_user_data(struct octets *o, const struct units *u, size_t i, uint8_t ref)
{
	const uint16_t *v = u->v + u->start[i];
	size_t n = u->start[i + 1] - u->start[i], header = u->nparts > 1 ? HEADER_OCTETS : 0;
	uint8_t septets[PDU_SINGLE_GSM7], packed[USER_DATA_MAX];

	/* a header of 6 octets is 48 bits: 7 septets with one fill bit */
	put(o, (unsigned)(u->ucs2 ? header + 2 * n : (header > 0 ? 7 : 0) + n));
	if (header > 0) {
		const unsigned h[HEADER_OCTETS] = {5, 0, 3, ref, (unsigned)u->nparts, (unsigned)i + 1};

		for (size_t k = 0; k < HEADER_OCTETS; k++)
			put(o, h[k]);
	}
	if (u->ucs2) {
		for (size_t k = 0; k < n; k++) {
			put(o, v[k] >> 8);
			put(o, v[k] & 0xFF);
		}
		return;
	}
	for (size_t k = 0; k < n; k++)
		septets[k] = (uint8_t)v[k];
	n = gsm7_pack(septets, n, header > 0 ? 1 : 0, packed, sizeof(packed));
	for (size_t k = 0; k < n; k++)
		put(o, packed[k]);
}

static void make_part(const struct pdu_submit *s, const struct units *u, size_t i, struct pdu_part *part)
{
	struct octets o = {.n = 0};
	size_t smsc;
	unsigned fo = FO_SUBMIT | (s->validity_ms > 0 ? FO_RELATIVE_VP : 0) | (s->report ? FO_REPORT : 0) |
		      (s->reject_duplicates ? FO_REJECT_DUPLICATES : 0) | (u->nparts > 1 ? FO_HEADER : 0);

	if (s->smsc != NULL && s->smsc[0] != '\0') {
		put(&o, (unsigned)(1 + (digits_of(s->smsc) + 1) / 2));
		put_number(&o, s->smsc);
	} else {
		put(&o, 0);
	}
	smsc = o.n;
	put(&o, fo);
	put(&o, 0); /* message reference: the modem puts its own there */
	put(&o, (unsigned)digits_of(s->to));
	put_number(&o, s->to);
	put(&o, 0); /* protocol identifier */
	put(&o, u->ucs2 ? DCS_UCS2 : DCS_GSM7);
	if (s->validity_ms > 0)
		put(&o, pdu_validity(s->validity_ms));
	put_user_data(&o, u, i, s->ref);
	for (size_t k = 0; k < o.n; k++)
		snprintf(part->hex + 2 * k, 3, "%02X", o.v[k]);
	part->tpdu_octets = o.n - smsc;
}

size_t pdu_submit(const struct pdu_submit *s, struct pdu_part parts[PDU_PARTS_MAX], char *why, size_t size)
{
	struct units u;
	size_t max = s->max_parts < 1 ? 1 : s->max_parts > PDU_PARTS_MAX ? PDU_PARTS_MAX : s->max_parts;

	if (!pdu_address_ok(s->to, why, size))
		return 0;
	if (s->smsc != NULL && s->smsc[0] != '\0' && !pdu_address_ok(s->smsc, why, size))
		return 0;
	if ((!fill_gsm7(&u, s->text) && !fill_ucs2(&u, s->text)) || !split(&u, max)) {
		snprintf(why, size, "the text does not fit into %zu part%s", max, max == 1 ? "" : "s");
		return 0;
	}
	for (size_t i = 0; i < u.nparts; i++)
		make_part(s, &u, i, &parts[i]);
	return u.nparts;
}
