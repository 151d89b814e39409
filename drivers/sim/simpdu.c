/*
 * PDUs as the network sees them, for simmodem.c. Bit by bit and slow, on purpose unlike pdu.c. It refuses
 * what a real modem refuses: wrong lengths, wrong type, trailing octets, set padding bits.
 */
#include "simpdu.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

static const wchar_t alphabet[] =
    L"@\u00A3$\u00A5\u00E8\u00E9\u00F9\u00EC\u00F2\u00C7\n\u00D8\u00F8\r\u00C5\u00E5\u0394_"
    L"\u03A6\u0393\u039B\u03A9"
    L"\u03A0\u03A8\u03A3\u0398\u039E\x1B\u00C6\u00E6\u00DF\u00C9 !\"#\u00A4%&'()*+,-./0123456789:;<=>?\u00A1"
    L"ABCDEFGHIJKLMNOPQRSTUVWXYZ\u00C4\u00D6\u00D1\u00DC\u00A7\u00BF"
    L"abcdefghijklmnopqrstuvwxyz\u00E4\u00F6\u00F1"
    L"\u00FC\u00E0";
static const wchar_t escaped[] = L"\f^{}\\[~]|\u20AC";
static const char escaped_code[] = "\x0A\x14\x28\x29\x2F\x3C\x3D\x3E\x40\x65";

struct bytes {
	uint8_t v[SIMPDU_HEX_MAX / 2];
	size_t n, at;
};

static bool from_hex(const char *hex, struct bytes *b)
{
	size_t len = strlen(hex);
	unsigned v;

	b->n = b->at = 0;
	if (len % 2 != 0 || len / 2 > sizeof(b->v) || strspn(hex, "0123456789ABCDEFabcdef") != len)
		return false;
	for (; b->n < len / 2 && sscanf(hex + 2 * b->n, "%2x", &v) == 1; b->n++)
		b->v[b->n] = (uint8_t)v;
	return b->n == len / 2;
}

static int get(struct bytes *b)
{
	return b->at < b->n ? b->v[b->at++] : -1;
}

static void add_char(char *text, uint32_t c)
{
	size_t n = strlen(text);
	char utf8[5] = "";

	if (c < 0x80)
		snprintf(utf8, sizeof(utf8), "%c", (int)c);
	else if (c < 0x800)
		snprintf(utf8, sizeof(utf8), "%c%c", (int)(0xC0 | c >> 6), (int)(0x80 | (c & 63)));
	else if (c < 0x10000)
		snprintf(utf8, sizeof(utf8), "%c%c%c", (int)(0xE0 | c >> 12), (int)(0x80 | (c >> 6 & 63)),
			 (int)(0x80 | (c & 63)));
	else
		snprintf(utf8, sizeof(utf8), "%c%c%c%c", (int)(0xF0 | c >> 18), (int)(0x80 | (c >> 12 & 63)),
			 (int)(0x80 | (c >> 6 & 63)), (int)(0x80 | (c & 63)));
	if (n + strlen(utf8) < SIMPDU_TEXT_MAX)
		memcpy(text + n, utf8, strlen(utf8) + 1);
}

static bool read_number(struct bytes *b, char *out, size_t size)
{
	int digits = get(b), type = get(b), v = 0;
	size_t n = 0;

	if (digits < 1 || digits > 20 || (type != 0x91 && type != 0x81))
		return false;
	if (type == 0x91)
		out[n++] = '+';
	for (int i = 0; i < digits; i++) {
		int d;

		if (i % 2 == 0 && (v = get(b)) < 0)
			return false;
		d = i % 2 == 0 ? v & 15 : v >> 4;
		if (d > 9 || n + 1 >= size)
			return false;
		out[n++] = (char)('0' + d);
	}
	out[n] = '\0';
	return digits % 2 == 0 || v >> 4 == 15;
}

static int bit_at(const uint8_t *v, size_t bit)
{
	return v[bit / 8] >> (bit % 8) & 1;
}

/* septets from the bit on, of ud; false when padding bits are set or an escape ends the part. */
static bool read_septets(const uint8_t *ud, size_t octets, size_t bit, size_t n, char *text)
{
	bool escape = false;

	if (bit + n * 7 > octets * 8)
		return false;
	for (size_t i = 0; i < n; i++, bit += 7) {
		int s = 0;

		for (int k = 6; k >= 0; k--)
			s = s << 1 | bit_at(ud, bit + (size_t)k);
		if (escape) {
			const char *p = s != 0 ? strchr(escaped_code, s) : NULL;

			add_char(text, p != NULL ? (uint32_t)escaped[p - escaped_code] : '?');
			escape = false;
		} else if (s == 27) {
			escape = true;
		} else {
			add_char(text, (uint32_t)alphabet[s]);
		}
	}
	for (; bit < octets * 8; bit++)
		if (bit_at(ud, bit) != 0)
			return false;
	return !escape;
}

static bool read_ucs2(const uint8_t *p, size_t n, char *text)
{
	if (n % 2 != 0)
		return false;
	for (size_t i = 0; i < n; i += 2) {
		uint32_t u = (uint32_t)(p[i] * 256 + p[i + 1]), w;

		if (u >= 0xDC00 && u <= 0xDFFF)
			return false;
		if (u >= 0xD800 && u <= 0xDBFF) {
			if (i + 3 >= n || (w = (uint32_t)(p[i + 2] * 256 + p[i + 3])) < 0xDC00 || w > 0xDFFF)
				return false;
			u = 0x10000 + (u - 0xD800) * 0x400 + (w - 0xDC00);
			i += 2;
		}
		add_char(text, u);
	}
	return true;
}

static bool read_header(const uint8_t *h, size_t n, struct simpdu *out)
{
	for (size_t i = 0; i < n; i += 2u + h[i + 1]) {
		if (i + 2 > n || i + 2u + h[i + 1] > n)
			return false;
		if (h[i] == 0 && h[i + 1] == 3) {
			out->ref = h[i + 2];
			out->nparts = h[i + 3];
			out->part = h[i + 4];
			if (out->part < 1 || out->part > out->nparts)
				return false;
		}
	}
	return true;
}

static bool read_user_data(struct bytes *b, int fo, int dcs, struct simpdu *out)
{
	int udl = get(b), bits7 = dcs == 0;
	size_t octets = udl < 0 ? 0 : bits7 ? ((size_t)udl * 7 + 7) / 8 : (size_t)udl, header = 0;
	const uint8_t *ud = b->v + b->at;

	if (udl < 0 || octets > 140 || b->n - b->at != octets)
		return false;
	if ((fo & 0x40) != 0) {
		if (octets < 1 || (header = ud[0] + 1u) > octets || !read_header(ud + 1, ud[0], out))
			return false;
	}
	out->alphabet = bits7 ? "gsm7" : dcs == 8 ? "ucs2" : "8bit";
	if (bits7) {
		size_t skip = (header * 8 + 6) / 7;

		return skip <= (size_t)udl &&
		       read_septets(ud, octets, skip * 7, (size_t)udl - skip, out->text);
	}
	if (dcs == 8)
		return read_ucs2(ud + header, octets - header, out->text);
	for (size_t i = header; i < octets; i++)
		add_char(out->text, ud[i] >= 32 && ud[i] < 127 ? ud[i] : '?');
	return true;
}

bool simpdu_submit(const char *hex, size_t tpdu_len, struct simpdu *out, const char **why)
{
	struct bytes b;
	int smsc, fo, dcs;

	memset(out, 0, sizeof(*out));
	out->nparts = out->part = 1;
	*why = "not hex";
	if (!from_hex(hex, &b))
		return false;
	*why = "length does not agree";
	smsc = get(&b);
	if (smsc < 0 || smsc > 12 || (size_t)smsc + 1 + tpdu_len != b.n)
		return false;
	b.at += (size_t)smsc;
	*why = "no SUBMIT";
	fo = get(&b);
	if (fo < 0 || (fo & 0x03) != 0x01 || get(&b) < 0)
		return false;
	out->reject_duplicates = (fo & 0x04) != 0;
	out->report = (fo & 0x20) != 0;
	*why = "bad destination";
	if (!read_number(&b, out->to, sizeof(out->to)))
		return false;
	*why = "bad protocol or coding scheme";
	if (get(&b) != 0 || ((dcs = get(&b)) != 0 && dcs != 4 && dcs != 8))
		return false;
	*why = "bad validity period";
	if ((fo & 0x18) == 0x10 ? get(&b) < 0 : (fo & 0x18) != 0)
		return false;
	*why = "bad user data";
	return read_user_data(&b, fo, dcs, out);
}

/* --- what the network sends -------------------------------------------------------------------------- */

static void hex_add(char *hex, unsigned v)
{
	size_t n = strlen(hex);

	if (n + 3 <= SIMPDU_HEX_MAX)
		snprintf(hex + n, 3, "%02X", v & 0xFF);
}

static unsigned swapped(int v)
{
	return (unsigned)(v % 10 * 16 + v / 10 % 10);
}

static void add_time(char *hex, int64_t wall_s)
{
	time_t t = (time_t)wall_s;
	struct tm tm;

	gmtime_r(&t, &tm);
	hex_add(hex, swapped(tm.tm_year % 100));
	hex_add(hex, swapped(tm.tm_mon + 1));
	hex_add(hex, swapped(tm.tm_mday));
	hex_add(hex, swapped(tm.tm_hour));
	hex_add(hex, swapped(tm.tm_min));
	hex_add(hex, swapped(tm.tm_sec));
	hex_add(hex, 0);
}

static void add_number(char *hex, const char *number)
{
	const char *d = number + (number[0] == '+');
	size_t n = strspn(d, "0123456789");

	n = n > 20 ? 20 : n;
	hex_add(hex, (unsigned)n);
	hex_add(hex, number[0] == '+' ? 0x91 : 0x81);
	for (size_t i = 0; i < n; i += 2)
		hex_add(hex, (unsigned)((d[i] - '0') + (i + 1 < n ? d[i + 1] - '0' : 15) * 16));
}

/* One UTF-8 character; what is malformed comes out byte by byte. */
static uint32_t next_char(const char **s)
{
	const unsigned char *p = (const unsigned char *)*s;
	int n = p[0] >= 0xF0 ? 3 : p[0] >= 0xE0 ? 2 : p[0] >= 0xC0 ? 1 : 0;
	uint32_t c = n == 0 ? p[0] : p[0] & (0x3Fu >> n);

	(*s)++;
	for (; n > 0 && ((unsigned char)**s & 0xC0) == 0x80; n--)
		c = c << 6 | ((unsigned char)*(*s)++ & 0x3F);
	return c;
}

/* The text as septets, one a byte; how many, or -1. */
static int to_septets(const char *text, uint8_t *out, int max)
{
	int n = 0;

	while (*text != '\0') {
		uint32_t c = next_char(&text);
		const wchar_t *a = wcschr(alphabet, (wchar_t)c), *e = wcschr(escaped, (wchar_t)c);

		if (n + 2 > max)
			return n;
		if (a != NULL && c != 27) {
			out[n++] = (uint8_t)(a - alphabet);
		} else if (e != NULL) {
			out[n++] = 27;
			out[n++] = (uint8_t)escaped_code[e - escaped];
		} else {
			return -1;
		}
	}
	return n;
}

static void as_ucs2(char *ucs2, const char *text, size_t max)
{
	while (*text != '\0' && strlen(ucs2) < max) {
		uint32_t c = next_char(&text);

		if (c >= 0x10000) {
			hex_add(ucs2, (0xD800 + ((c - 0x10000) >> 10)) >> 8);
			hex_add(ucs2, (0xD800 + ((c - 0x10000) >> 10)) & 0xFF);
			c = 0xDC00 + ((c - 0x10000) & 0x3FF);
		}
		hex_add(ucs2, c >> 8);
		hex_add(ucs2, c & 0xFF);
	}
}

/* header: hex of the user data header with its length, or "". septets: NULL when n < 0 (UCS-2 then). */
static void add_text(char *hex, const char *header, const char *text, const uint8_t *septets, int n)
{
	size_t octets = strlen(header) / 2;
	unsigned held = 0, skip = (unsigned)(octets * 8 + 6) / 7;
	int bits = (int)(skip * 7 - octets * 8);

	if (n < 0) {
		char ucs2[300] = "";

		as_ucs2(ucs2, text, 272 - 2 * octets);
		hex_add(hex, (unsigned)(strlen(ucs2) / 2 + octets));
		strncat(hex, header, SIMPDU_HEX_MAX - strlen(hex) - 1);
		strncat(hex, ucs2, SIMPDU_HEX_MAX - strlen(hex) - 1);
		return;
	}
	hex_add(hex, (unsigned)n + skip);
	strncat(hex, header, SIMPDU_HEX_MAX - strlen(hex) - 1);
	for (int i = 0; i < n; i++) {
		held |= (unsigned)septets[i] << bits;
		for (bits += 7; bits >= 8; bits -= 8, held >>= 8)
			hex_add(hex, held);
	}
	if (bits > 0)
		hex_add(hex, held);
}

static size_t deliver(const char *from, const char *text, const char *header, int room, int64_t wall_s,
		      char hex[SIMPDU_HEX_MAX])
{
	uint8_t septets[160];
	int n = to_septets(text, septets, room);

	snprintf(hex, SIMPDU_HEX_MAX, "00%s", header[0] != '\0' ? "44" : "04");
	add_number(hex, from);
	hex_add(hex, 0);
	hex_add(hex, n < 0 ? 8 : 0);
	add_time(hex, wall_s);
	add_text(hex, header, text, septets, n);
	return strlen(hex) / 2 - 1;
}

size_t simpdu_deliver(const char *from, const char *text, int64_t wall_s, char hex[SIMPDU_HEX_MAX])
{
	return deliver(from, text, "", 160, wall_s, hex);
}

size_t simpdu_deliver_part(const char *from, const char *text, const struct simpdu_part *p, int64_t wall_s,
			   char hex[SIMPDU_HEX_MAX])
{
	char header[20];

	if (p->wide)
		snprintf(header, sizeof(header), "060804%04X%02X%02X", p->ref & 0xFFFF, p->nparts & 0xFF,
			 p->part & 0xFF);
	else
		snprintf(header, sizeof(header), "050003%02X%02X%02X", p->ref & 0xFF, p->nparts & 0xFF,
			 p->part & 0xFF);
	return deliver(from, text, header, p->wide ? 152 : 153, wall_s, hex);
}

size_t simpdu_report(unsigned mr, const char *to, unsigned status, int64_t wall_s, char hex[SIMPDU_HEX_MAX])
{
	snprintf(hex, SIMPDU_HEX_MAX, "00" "06");
	hex_add(hex, mr);
	add_number(hex, to);
	add_time(hex, wall_s);
	add_time(hex, wall_s);
	hex_add(hex, status);
	return strlen(hex) / 2 - 1;
}
