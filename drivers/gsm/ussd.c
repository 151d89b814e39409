/* See ussd.h. */
#include "ussd.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/pattern.h"
#include "gsm7.h"
#include "pdu.h"
#include "utf8.h"

enum { GROUPS_MAX = 3, DCS_DEFAULT = 15 };

bool ussd_goes_on(const char *line)
{
	size_t quotes = 0;

	for (; *line != '\0'; line++)
		quotes += *line == '"';
	return quotes == 1;
}

bool ussd_parse(const char *line, int *status, char *text, size_t size, int *dcs)
{
	const char *open, *close;
	char *end;

	text[0] = '\0';
	*dcs = DCS_DEFAULT;
	if (strncmp(line, "+CUSD:", 6) != 0)
		return false;
	*status = (int)strtol(line + 6, &end, 10);
	if (end == line + 6 || *status < 0 || *status > 5)
		return false;
	open = strchr(end, '"');
	close = open != NULL ? strrchr(open + 1, '"') : NULL;
	if (close == NULL)
		return true;
	snprintf(text, size, "%.*s", (int)(close - open - 1), open + 1);
	if (close[1] == ',' && isdigit((unsigned char)close[2]))
		*dcs = (int)strtol(close + 2, NULL, 10) & 0xFF;
	return true;
}

/* --- what it says ------------------------------------------------------------------------------------ */

static bool is_ucs2(int dcs)
{
	switch (dcs >> 4) {
	case 1:
		return dcs == 0x11;
	case 4:
	case 5:
	case 6:
	case 7:
	case 9:
		return (dcs & 0x0C) == 8;
	default:
		return false;
	}
}

static bool is_hex(const char *text)
{
	size_t n = strlen(text);

	return n >= 2 && n % 2 == 0 && strspn(text, "0123456789ABCDEFabcdef") == n;
}

static bool from_ucs2(const char *text, bool language, struct buf *out)
{
	uint8_t o[USSD_TEXT_MAX];
	size_t n = pdu_unhex(text, strlen(text), o, sizeof(o)), i = language ? 2 : 0;

	if (n == SIZE_MAX || n % 2 != 0)
		return false;
	for (; i + 1 < n; i += 2) {
		uint32_t u = (uint32_t)o[i] << 8 | o[i + 1];

		if ((u & 0xFC00) == 0xD800 && i + 3 < n && (o[i + 2] & 0xFC) == 0xDC) {
			u = 0x10000 + ((u & 0x3FF) << 10) + (((uint32_t)o[i + 2] << 8 | o[i + 3]) & 0x3FF);
			i += 2;
		}
		utf8_put(out, u == 0 ? 0xFFFD : u);
	}
	return true;
}

/* Septets out of hex; how many. A CR that only fills the last octet is left out. */
static size_t unpack(const char *text, uint8_t *septets, size_t max)
{
	uint8_t o[USSD_TEXT_MAX];
	size_t octets = pdu_unhex(text, strlen(text), o, sizeof(o)), n;

	if (octets == SIZE_MAX || octets * 8 / 7 > max)
		return 0;
	n = gsm7_unpack(o, octets, 0, octets * 8 / 7, septets);
	if (n > 0 && octets % 7 == 0 && (septets[n - 1] == 0x0D || septets[n - 1] == 0))
		n--;
	return n;
}

static bool readable(const uint8_t *septets, size_t n)
{
	size_t odd = 0;

	/* letters, digits, signs; the few others of the alphabet only among many of these */
	for (size_t i = 0; i < n; i++)
		odd += septets[i] != 0x0A && septets[i] != 0x0D && (septets[i] < 0x20 || septets[i] > 0x7A);
	return n > 0 && odd * 8 <= n;
}

bool ussd_decode(const char *text, int dcs, bool packed, struct buf *out)
{
	uint8_t septets[USSD_TEXT_MAX * 8 / 7 + 1];
	size_t n;

	if (is_ucs2(dcs) && is_hex(text))
		return from_ucs2(text, dcs == 0x11, out);
	if (is_hex(text)) {
		n = unpack(text, septets, sizeof(septets));
		/* "1200" is hex as well: an amount alone rather than two odd signs */
		if (packed || (strpbrk(text, "ABCDEFabcdef") != NULL && readable(septets, n))) {
			gsm7_decode(septets, n, out);
			return n > 0;
		}
	}
	for (; *text != '\0'; text++)
		utf8_put(out, (unsigned char)*text < 0x80 ? (unsigned char)*text : '?');
	return true;
}

void ussd_pack(const char *code, char *out, size_t size)
{
	unsigned held = 0;
	int bits = 0;
	size_t n = 0;

	for (; *code != '\0' && n + 5 <= size; code++) {
		held |= ((unsigned)*code & 0x7F) << bits;
		for (bits += 7; bits >= 8; bits -= 8, held >>= 8)
			n += (size_t)snprintf(out + n, size - n, "%02X", held & 0xFF);
	}
	if (bits > 0) {
		/* seven spare bits would read as an @ (23.038, 6.1.2.3.1) */
		if (bits == 1)
			held |= 0x0D << 1;
		n += (size_t)snprintf(out + n, size - n, "%02X", held & 0xFF);
	}
	out[n] = '\0';
}

/* --- amounts and dates ------------------------------------------------------------------------------- */

bool ussd_pattern_ok(const char *pattern, size_t groups, char *why, size_t size)
{
	struct pattern *p = pattern_new(pattern, 0, why, size);
	size_t have = p ? pattern_groups(p) : 0;

	if (p && have != groups)
		snprintf(why, size, "must have %zu group%s in parentheses, and has %zu", groups,
			 groups == 1 ? "" : "s", have);
	pattern_free(p);
	return p && have == groups;
}

static bool match(const char *pattern, const char *text, size_t groups, char out[][48])
{
	struct pattern_group g[GROUPS_MAX];
	struct pattern *p = pattern_new(pattern, 0, NULL, 0);
	bool ok = p && pattern_groups(p) == groups && pattern_finds(p, text, g, groups);

	pattern_free(p);
	for (size_t i = 0; ok && i < groups; i++) {
		if (g[i].start == SIZE_MAX)
			return false;
		snprintf(out[i], 48, "%.*s", (int)g[i].len, text + g[i].start);
	}
	return ok;
}

/* The last sign of , and . is the decimal one, unless exactly three digits follow it. */
bool ussd_amount(const char *pattern, const char *text, double *amount)
{
	char g[1][48], digits[48], *end;
	size_t n = 0, point = SIZE_MAX;

	if (!match(pattern, text, 1, g))
		return false;
	for (const char *p = g[0]; *p != '\0'; p++) {
		if (isdigit((unsigned char)*p) || (*p == '-' && n == 0))
			digits[n++] = *p;
		else if (*p == '.' || *p == ',')
			point = n;
		else if (*p != ' ' && *p != '\'')
			return false;
	}
	if (n == 0)
		return false;
	digits[n] = '\0';
	*amount = (double)strtoll(digits, &end, 10);
	if (*end != '\0' || end == digits)
		return false;
	for (size_t i = point; point != SIZE_MAX && n - point != 3 && i < n; i++)
		*amount /= 10;
	return true;
}

bool ussd_date(const char *pattern, enum ussd_order order, const char *text, int64_t *wall_ms)
{
	static const int place[][3] = {{0, 1, 2}, {2, 1, 0}, {2, 0, 1}};
	char g[3][48];
	struct tm tm = {.tm_hour = 23, .tm_min = 59, .tm_sec = 59};
	int y, m, d;
	time_t t;

	if (!match(pattern, text, 3, g))
		return false;
	y = atoi(g[place[order][0]]);
	m = atoi(g[place[order][1]]);
	d = atoi(g[place[order][2]]);
	if (y >= 0 && y < 100)
		y += 2000;
	if (y < 2000 || y > 2199 || m < 1 || m > 12 || d < 1 || d > 31)
		return false;
	tm.tm_year = y - 1900;
	tm.tm_mon = m - 1;
	tm.tm_mday = d;
	t = timegm(&tm);
	*wall_ms = (int64_t)t * 1000;
	return tm.tm_mday == d;
}
