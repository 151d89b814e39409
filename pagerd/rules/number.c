/* Telephone numbers; see number.h. */
#include "number.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { DIGITS_MAX = 24 };

struct number {
	char digits[DIGITS_MAX +
		    1]; /* international: from the country's code on; else without the leading 0 */
	bool international;
};

/* The digits and a leading '+'; false when there is anything but those and what people put between them. */
static bool bare(const char *s, char *out, size_t size)
{
	size_t n = 0;
	for (; *s; s++) {
		if (strchr(" -()./", *s))
			continue;
		bool plus = *s == '+' && n == 0;
		if ((!plus && (*s < '0' || *s > '9')) || n + 1 >= size)
			return false;
		out[n++] = *s;
	}
	out[n] = '\0';
	return n > (out[0] == '+');
}

static bool read_number(const char *s, const char *country, struct number *out)
{
	char b[DIGITS_MAX + 1];
	if (!bare(s, b, sizeof b))
		return false;
	size_t skip = b[0] == '+' ? 1 : strncmp(b, "00", 2) == 0 ? 2 : 0;
	if (skip) {
		snprintf(out->digits, sizeof out->digits, "%s", b + skip);
		out->international = true;
		return out->digits[0] != '\0';
	}
	/* short ones are services, not subscribers: 050 of whatever country */
	const char *national = b[0] == '0' && strlen(b) > NUMBER_TAIL ? b + 1 : b;
	out->international = *country && strlen(national) >= NUMBER_TAIL;
	int n =
	    snprintf(out->digits, sizeof out->digits, "%s%s", out->international ? country : "", national);
	return n > 0 && (size_t)n < sizeof out->digits;
}

static bool ends_in(const char *s, const char *tail)
{
	size_t n = strlen(s), m = strlen(tail);
	return m >= NUMBER_TAIL && n > m && strcmp(s + n - m, tail) == 0;
}

bool number_same(const char *a, const char *b, const char *country)
{
	struct number x, y;
	if (!read_number(a, country, &x) || !read_number(b, country, &y))
		return false;
	if (x.international == y.international)
		return strcmp(x.digits, y.digits) == 0;
	return x.international ? ends_in(x.digits, y.digits) : ends_in(y.digits, x.digits);
}
