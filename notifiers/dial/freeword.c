/*
 * The 2-touch table; see freeword.h. Foreign text (a plugin's words) goes in, digits come out.
 */
#include "freeword.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { VOICED = 0x309B, SEMI_VOICED = 0x309C, BLANK = ' ' };

/* Rows 1 to 9, then 0; columns 1 to 9, then 0; code points, 0 where there is nothing. */
static const uint16_t table[10][10] = {
    {0x30A2, 0x30A4, 0x30A6, 0x30A8, 0x30AA, 'A', 'B', 'C', 'D', 'E'},
    {0x30AB, 0x30AD, 0x30AF, 0x30B1, 0x30B3, 'F', 'G', 'H', 'I', 'J'},
    {0x30B5, 0x30B7, 0x30B9, 0x30BB, 0x30BD, 'K', 'L', 'M', 'N', 'O'},
    {0x30BF, 0x30C1, 0x30C4, 0x30C6, 0x30C8, 'P', 'Q', 'R', 'S', 'T'},
    {0x30CA, 0x30CB, 0x30CC, 0x30CD, 0x30CE, 'U', 'V', 'W', 'X', 'Y'},
    {0x30CF, 0x30D2, 0x30D5, 0x30D8, 0x30DB, 'Z', '?', '!', 0x30FC, '/'},
    {0x30DE, 0x30DF, 0x30E0, 0x30E1, 0x30E2, 0xA5, '&', 0, 0, 0},
    {0x30E4, '(', 0x30E6, ')', 0x30E8, '*', '#', ' ', 0, 0},
    {0x30E9, 0x30EA, 0x30EB, 0x30EC, 0x30ED, '1', '2', '3', '4', '5'},
    {0x30EF, 0x30F2, 0x30F3, VOICED, SEMI_VOICED, '6', '7', '8', '9', '0'},
};

/* What is read as another character of the table. */
static const struct {
	uint16_t from, to;
} same[] = {
    {0x30A1, 0x30A2},
    {0x30A3, 0x30A4},
    {0x30A5, 0x30A6},
    {0x30A7, 0x30A8},
    {0x30A9, 0x30AA}, /* small */
    {0x30C3, 0x30C4},
    {0x30E3, 0x30E4},
    {0x30E5, 0x30E6},
    {0x30E7, 0x30E8},
    {0x30EE, 0x30EF},
    {0x30F5, 0x30AB},
    {0x30F6, 0x30B1},
    {0x30F0, 0x30A4},
    {0x30F1, 0x30A8}, /* ka, ke; wi, we */
    {0x3099, VOICED},
    {0x309A, SEMI_VOICED}, /* combining */
    {'-', 0x30FC},
    {'_', 0x30FC},
    {'~', 0x30FC},
    {0x2010, 0x30FC},
    {0x2013, 0x30FC},
    {0x2014, 0x30FC},
    {0x2212, 0x30FC},
    {0x301C, 0x30FC},
    {'\\', 0xA5},
    {0xFFE5, 0xA5},
    {'[', '('},
    {']', ')'},
    {'{', '('},
    {'}', ')'},
    {'<', '('},
    {'>', ')'},
    {0x300C, '('},
    {0x300D, ')'},
    {'+', '&'},
    /* punctuation that a blank stands for without a loss */
    {'.', BLANK},
    {',', BLANK},
    {':', BLANK},
    {';', BLANK},
    {'\'', BLANK},
    {'"', BLANK},
    {'\t', BLANK},
    {0x3000, BLANK},
    {0x3001, BLANK},
    {0x3002, BLANK},
    {0x30FB, BLANK},
    {0x2026, BLANK},
    {0x2019, BLANK},
    {0x201C, BLANK},
    {0x201D, BLANK},
};

/* Half-width kana U+FF66 to U+FF9F as full-width katakana. */
static const uint16_t half_width[] = {
    0x30F2, 0x30A1, 0x30A3, 0x30A5, 0x30A7, 0x30A9, 0x30E3, 0x30E5, 0x30E7, 0x30C3,	0x30FC, 0x30A2,
    0x30A4, 0x30A6, 0x30A8, 0x30AA, 0x30AB, 0x30AD, 0x30AF, 0x30B1, 0x30B3, 0x30B5,	0x30B7, 0x30B9,
    0x30BB, 0x30BD, 0x30BF, 0x30C1, 0x30C4, 0x30C6, 0x30C8, 0x30CA, 0x30CB, 0x30CC,	0x30CD, 0x30CE,
    0x30CF, 0x30D2, 0x30D5, 0x30D8, 0x30DB, 0x30DE, 0x30DF, 0x30E0, 0x30E1, 0x30E2,	0x30E4, 0x30E6,
    0x30E8, 0x30E9, 0x30EA, 0x30EB, 0x30EC, 0x30ED, 0x30EF, 0x30F3, VOICED, SEMI_VOICED};

/* The next character; bytes that are no UTF-8 come out one by one as U+FFFD. */
static uint32_t next_char(const unsigned char **p)
{
	unsigned char c = *(*p)++;
	int more = c < 0x80		? 0
		   : (c & 0xE0) == 0xC0 ? 1
		   : (c & 0xF0) == 0xE0 ? 2
		   : (c & 0xF8) == 0xF0 ? 3
					: -1;
	uint32_t v = more <= 0 ? c : c & (0x3FU >> more);

	if (more < 0)
		return 0xFFFD;
	for (int i = 0; i < more; i++) {
		if (((*p)[i] & 0xC0) != 0x80)
			return 0xFFFD;
		v = v << 6 | ((*p)[i] & 0x3FU);
	}
	*p += more;
	return v;
}

/* Width and case do not matter on a pager. */
static uint32_t plain(uint32_t c)
{
	if (c >= 0xFF01 && c <= 0xFF5E)
		c = c - 0xFF01 + '!';
	else if (c >= 0xFF66 && c <= 0xFF9F)
		c = half_width[c - 0xFF66];
	else if (c >= 0x3041 && c <= 0x3096)
		c += 0x60;
	return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}

/* ga = ka and a mark, as half-width kana have it. */
static uint32_t take_mark(uint32_t *c)
{
	if (*c == 0x30F4) { /* vu */
		*c = 0x30A6;
		return VOICED;
	}
	if (*c >= 0x30AC && *c <= 0x30C2 && *c % 2 == 0) {
		(*c)--;
		return VOICED;
	}
	if (*c == 0x30C5 || *c == 0x30C7 || *c == 0x30C9) {
		(*c)--;
		return VOICED;
	}
	if (*c >= 0x30CF && *c <= 0x30DD && (*c - 0x30CF) % 3 != 0) {
		bool semi = (*c - 0x30CF) % 3 == 2;

		*c -= semi ? 2 : 1;
		return semi ? SEMI_VOICED : VOICED;
	}
	return 0;
}

/* Two digits; false: the table has no such character. */
static bool code_of(uint32_t c, char out[2])
{
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		if (same[i].from == c) {
			c = same[i].to;
			break;
		}
	}
	for (int row = 0; row < 10; row++) {
		for (int column = 0; column < 10; column++) {
			if (table[row][column] != 0 && table[row][column] == c) {
				out[0] = "1234567890"[row];
				out[1] = "1234567890"[column];
				return true;
			}
		}
	}
	return false;
}

size_t freeword_encode(const char *utf8, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)utf8;
	size_t lost = 0;

	while (*p != '\0') {
		uint32_t c = plain(next_char(&p)), mark = take_mark(&c);
		char code[4];
		size_t n = 2;

		if (!code_of(c, code)) {
			lost++;
			code_of(BLANK, code);
		}
		if (mark != 0) {
			code_of(mark, code + 2);
			n = 4;
		}
		if (!buf_add(out, code, n))
			return SIZE_MAX;
	}
	return lost;
}

size_t freeword_count(const char *utf8)
{
	struct buf b;
	size_t n;

	buf_init(&b, 1 << 16);
	n = freeword_encode(utf8, &b) == SIZE_MAX ? SIZE_MAX : b.len / 2;
	buf_fini(&b);
	return n;
}

bool freeword_has_kanji(const char *utf8)
{
	const unsigned char *p = (const unsigned char *)utf8;

	while (*p != '\0') {
		uint32_t c = plain(next_char(&p));
		char code[2];

		take_mark(&c);
		if (c >= 0x3005 && !code_of(c, code))
			return true;
	}
	return false;
}
