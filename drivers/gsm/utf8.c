/*
 * UTF-8 reading and writing for the drivers (gsm7.c, pdu.c). Strict: no overlong forms, no surrogates,
 * nothing above U+10FFFF; whatever is wrong reads as U+FFFD.
 */
#include "utf8.h"

static uint32_t bad(const char **s)
{
	(*s)++;
	return 0xFFFD;
}

uint32_t utf8_next(const char **s)
{
	const unsigned char *p = (const unsigned char *)*s;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t cp;
	int n;

	if (p[0] < 0x80) {
		*s += p[0] != 0;
		return p[0];
	}
	n = p[0] >= 0xF0 && p[0] <= 0xF4  ? 4
	    : p[0] >= 0xE0 && p[0] < 0xF0 ? 3
	    : p[0] >= 0xC2 && p[0] < 0xE0 ? 2
					  : 0;
	if (n == 0)
		return bad(s);
	cp = p[0] & (0xFF >> (n + 1));
	for (int i = 1; i < n; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return bad(s);
		cp = cp << 6 | (p[i] & 0x3F);
	}
	if (cp < least[n] || cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000))
		return bad(s);
	*s += n;
	return cp;
}

bool utf8_put(struct buf *out, uint32_t cp)
{
	char b[4];
	size_t n;

	if (cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000))
		cp = 0xFFFD;
	if (cp < 0x80) {
		b[0] = (char)cp;
		n = 1;
	} else if (cp < 0x800) {
		b[0] = (char)(0xC0 | cp >> 6);
		b[1] = (char)(0x80 | (cp & 0x3F));
		n = 2;
	} else if (cp < 0x10000) {
		b[0] = (char)(0xE0 | cp >> 12);
		b[1] = (char)(0x80 | (cp >> 6 & 0x3F));
		b[2] = (char)(0x80 | (cp & 0x3F));
		n = 3;
	} else {
		b[0] = (char)(0xF0 | cp >> 18);
		b[1] = (char)(0x80 | (cp >> 12 & 0x3F));
		b[2] = (char)(0x80 | (cp >> 6 & 0x3F));
		b[3] = (char)(0x80 | (cp & 0x3F));
		n = 4;
	}
	return buf_add(out, b, n);
}

size_t utf8_utf16_units(const char *s)
{
	size_t n = 0;

	for (uint32_t cp; (cp = utf8_next(&s)) != 0;)
		n += cp >= 0x10000 ? 2 : 1;
	return n;
}
