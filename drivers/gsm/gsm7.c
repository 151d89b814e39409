/*
 * GSM 7-bit default alphabet for the SMS line: text to septets and back, packing, and polite replacements.
 * See gsm7.h.
 */
#include "gsm7.h"

#include <stdint.h>
#include <string.h>

#include "utf8.h"

static const uint16_t basic[128] = {
	'@', 0xA3, '$', 0xA5, 0xE8, 0xE9, 0xF9, 0xEC, 0xF2, 0xC7, '\n', 0xD8, 0xF8, '\r', 0xC5, 0xE5,
	0x394, '_', 0x3A6, 0x393, 0x39B, 0x3A9, 0x3A0, 0x3A8, 0x3A3, 0x398, 0x39E, 0, 0xC6, 0xE6, 0xDF, 0xC9,
	' ', '!', '"', '#', 0xA4, '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
	'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
	0xA1, 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
	'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 0xC4, 0xD6, 0xD1, 0xDC, 0xA7,
	0xBF, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
	'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 0xE4, 0xF6, 0xF1, 0xFC, 0xE0,
};

static const struct {
	uint8_t septet;
	uint16_t cp;
} extension[] = {
	{0x0A, '\f'}, {0x14, '^'}, {0x28, '{'}, {0x29, '}'}, {0x2F, '\\'},
	{0x3C, '['}, {0x3D, '~'}, {0x3E, ']'}, {0x40, '|'}, {0x65, 0x20AC},
};

enum { NEXTENSION = sizeof(extension) / sizeof(extension[0]) };

int gsm7_septets(uint32_t cp, uint8_t out[2])
{
	if (cp == 0)
		return 0;
	for (int i = 0; i < 128; i++) {
		if (basic[i] == cp) {
			out[0] = (uint8_t)i;
			return 1;
		}
	}
	for (int i = 0; i < NEXTENSION; i++) {
		if (extension[i].cp == cp) {
			out[0] = GSM7_ESC;
			out[1] = extension[i].septet;
			return 2;
		}
	}
	return 0;
}

size_t gsm7_count(const char *utf8)
{
	size_t n = 0;
	uint8_t s[2];

	for (uint32_t cp; (cp = utf8_next(&utf8)) != 0;) {
		int k = gsm7_septets(cp, s);

		if (k == 0)
			return SIZE_MAX;
		n += (size_t)k;
	}
	return n;
}

size_t gsm7_encode(const char *utf8, uint8_t *septets, size_t max)
{
	size_t n = 0;
	uint8_t s[2];

	for (uint32_t cp; (cp = utf8_next(&utf8)) != 0;) {
		int k = gsm7_septets(cp, s);

		if (k == 0 || n + (size_t)k > max)
			return SIZE_MAX;
		memcpy(septets + n, s, (size_t)k);
		n += (size_t)k;
	}
	return n;
}

static uint32_t extended(uint8_t septet)
{
	for (int i = 0; i < NEXTENSION; i++)
		if (extension[i].septet == septet)
			return extension[i].cp;
	return septet == GSM7_ESC ? ' ' : basic[septet & 0x7F];
}

void gsm7_decode(const uint8_t *septets, size_t n, struct buf *utf8)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t s = septets[i] & 0x7F;

		if (s != GSM7_ESC)
			utf8_put(utf8, basic[s]);
		else if (i + 1 < n)
			utf8_put(utf8, extended(septets[++i] & 0x7F));
	}
}

size_t gsm7_pack(const uint8_t *septets, size_t n, unsigned skip, uint8_t *out, size_t size)
{
	size_t bits = skip + n * 7, octets = (bits + 7) / 8;

	if (octets > size)
		return 0;
	memset(out, 0, octets);
	for (size_t i = 0; i < n; i++) {
		size_t bit = skip + i * 7;
		unsigned v = (septets[i] & 0x7Fu) << (bit % 8);

		out[bit / 8] |= (uint8_t)v;
		if (v > 0xFF)
			out[bit / 8 + 1] |= (uint8_t)(v >> 8);
	}
	return octets;
}

size_t gsm7_unpack(const uint8_t *octets, size_t len, unsigned skip, size_t n, uint8_t *septets)
{
	size_t i;

	for (i = 0; i < n; i++) {
		size_t bit = skip + i * 7, at = bit / 8;
		unsigned v;

		if (bit + 7 > len * 8)
			break;
		v = octets[at] | (at + 1 < len ? (unsigned)octets[at + 1] << 8 : 0);
		septets[i] = (uint8_t)(v >> (bit % 8) & 0x7F);
	}
	return i;
}

/* --- polite replacements ----------------------------------------------------------------------------- */

static const struct {
	uint16_t from, to; /* inclusive */
	const char *text;
} polite[] = {
	{0x09, 0x09, " "}, {0x60, 0x60, "'"}, {0xA0, 0xA0, " "}, {0xA2, 0xA2, "c"}, {0xA6, 0xA6, "|"},
	{0xA9, 0xA9, "(C)"},
	{0xAB, 0xAB, "\""}, {0xAD, 0xAD, "-"}, {0xAE, 0xAE, "(R)"}, {0xB0, 0xB0, " deg"}, {0xB1, 0xB1, "+-"},
	{0xB2, 0xB2, "2"}, {0xB3, 0xB3, "3"}, {0xB4, 0xB4, "'"}, {0xB5, 0xB5, "u"}, {0xB7, 0xB7, "."},
	{0xB9, 0xB9, "1"},
	{0xBB, 0xBB, "\""}, {0xBC, 0xBC, "1/4"}, {0xBD, 0xBD, "1/2"}, {0xBE, 0xBE, "3/4"}, {0xC0, 0xC3, "A"},
	{0xC8, 0xCB, "E"}, {0xCC, 0xCF, "I"}, {0xD0, 0xD0, "D"}, {0xD2, 0xD5, "O"}, {0xD7, 0xD7, "x"},
	{0xD9, 0xDB, "U"},
	{0xDD, 0xDD, "Y"}, {0xDE, 0xDE, "Th"}, {0xE1, 0xE3, "a"}, {0xE7, 0xE7, "c"}, {0xEA, 0xEB, "e"},
	{0xED, 0xEF, "i"},
	{0xF0, 0xF0, "d"}, {0xF3, 0xF5, "o"}, {0xF7, 0xF7, "/"}, {0xFA, 0xFB, "u"}, {0xFD, 0xFD, "y"},
	{0xFE, 0xFE, "th"},
	{0xFF, 0xFF, "y"}, {0x2000, 0x200A, " "}, {0x200B, 0x200F, ""}, {0x2010, 0x2015, "-"},
	{0x2018, 0x201B, "'"},
	{0x201C, 0x201F, "\""}, {0x2022, 0x2022, "*"}, {0x2024, 0x2024, "."}, {0x2025, 0x2025, ".."},
	{0x2026, 0x2026, "..."}, {0x2028, 0x2029, " "}, {0x202F, 0x202F, " "}, {0x2032, 0x2032, "'"},
	{0x2033, 0x2033, "\""}, {0x2039, 0x203A, "'"}, {0x2044, 0x2044, "/"}, {0x2116, 0x2116, "No."},
	{0x2122, 0x2122, "(TM)"}, {0x2126, 0x2126, "\xCE\xA9"}, {0x2190, 0x2190, "<-"},
	{0x2192, 0x2192, "->"},
	{0x21D2, 0x21D2, "=>"}, {0x2212, 0x2212, "-"}, {0x2215, 0x2215, "/"}, {0x2248, 0x2248, "~"},
	{0x2260, 0x2260, "!="},
	{0x2264, 0x2264, "<="}, {0x2265, 0x2265, ">="}, {0xFEFF, 0xFEFF, ""},
};

/* Latin Extended-A, U+0100 to U+017F: the letter without its marks; two-letter ones are looked up apart. */
static const char latin_a[] =
	"AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlLlLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTt"
	"TtTtUuUuUuUuUuUuWwYyYZzZzZzs";

static const char *replacement(uint32_t cp, char one[2])
{
	switch (cp) {
	case 0x132: return "IJ";
	case 0x133: return "ij";
	case 0x149: return "'n";
	case 0x152: return "OE";
	case 0x153: return "oe";
	case 0x218: case 0x21A: return cp == 0x218 ? "S" : "T";
	case 0x219: case 0x21B: return cp == 0x219 ? "s" : "t";
	case 0x1E9E: return "SS";
	default: break;
	}
	if (cp >= 0x100 && cp <= 0x17F) {
		one[0] = latin_a[cp - 0x100];
		one[1] = '\0';
		return one;
	}
	for (size_t i = 0; i < sizeof(polite) / sizeof(polite[0]); i++)
		if (cp >= polite[i].from && cp <= polite[i].to)
			return polite[i].text;
	return NULL;
}

void gsm7_polite(const char *utf8, struct buf *out)
{
	uint8_t s[2];
	char one[2];

	for (uint32_t cp; (cp = utf8_next(&utf8)) != 0;) {
		const char *r;

		if (gsm7_septets(cp, s) > 0)
			utf8_put(out, cp);
		else if ((r = replacement(cp, one)) != NULL)
			buf_puts(out, r);
		else if (cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || cp == 0xFFFD)
			buf_puts(out, "?");
		else
			utf8_put(out, cp);
	}
}
