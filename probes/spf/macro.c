/*
 * Macros of SPF records (RFC 7208 7): %{ir}.%{v}._spf.%{d2}. Foreign text; everything is bounded.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spf.h"

enum { PARTS_MAX = 128, VALUE_MAX = 1024, NAME_MAX_BYTES = 253 };

struct macro {
	char letter;
	bool escape, reverse;
	unsigned digits; /* 0: all parts */
	char delimiters[8];
};

/* What stands between "%{" and "}". Returns what is behind it, NULL when it is no macro. */
static const char *read_macro(const char *s, struct macro *m)
{
	size_t n = 0;

	*m = (struct macro){.letter = (char)tolower((unsigned char)*s), .escape = isupper((unsigned char)*s)};
	if (!*s || !strchr("slodiphv", m->letter))
		return NULL;
	s++;
	if (isdigit((unsigned char)*s)) {
		m->digits = (unsigned)strtoul(s, (char **)&s, 10);
		if (m->digits == 0)
			return NULL;
	}
	if (*s == 'r' || *s == 'R') {
		m->reverse = true;
		s++;
	}
	for (; *s && strchr(".-+,/_=", *s); s++)
		if (!strchr(m->delimiters, *s) && n < sizeof(m->delimiters) - 1)
			m->delimiters[n++] = *s;
	if (!n)
		m->delimiters[0] = '.';
	return *s == '}' ? s + 1 : NULL;
}

/* *( alphanum ) with a letter in it, or with a hyphen inside */
static bool top_label(const char *s, size_t n)
{
	bool letter = false;

	if (n == 0 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!isalnum((unsigned char)s[i]) && s[i] != '-')
			return false;
		letter |= isalpha((unsigned char)s[i]) || s[i] == '-';
	}
	return letter;
}

/* domain-end: a macro, or a dot and a top label */
static bool ends_well(const char *spec, const char *last_macro_end)
{
	size_t n = strlen(spec);
	const char *dot;

	if (last_macro_end == spec + n)
		return true;
	n -= n > 0 && spec[n - 1] == '.';
	dot = memrchr(spec, '.', n);
	return dot && (!last_macro_end || dot >= last_macro_end) &&
	       top_label(dot + 1, (size_t)(spec + n - dot - 1));
}

bool spf_macro_ok(const char *spec, bool *needs_p)
{
	const char *s = spec, *end = NULL;
	struct macro m;

	*needs_p = false;
	while (*s) {
		if (*s < 0x21 || *s > 0x7e)
			return false;
		if (*s != '%') {
			s++;
			continue;
		}
		if (s[1] == '{') {
			s = read_macro(s + 2, &m);
			if (!s)
				return false;
			*needs_p |= m.letter == 'p';
		} else if (s[1] && strchr("%_-", s[1])) {
			s += 2;
		} else {
			return false;
		}
		end = s;
	}
	return *spec && ends_well(spec, end);
}

static void value_of(char letter, const struct spf_macros *m, char out[VALUE_MAX])
{
	const char *at = strrchr(m->sender, '@');
	char reversed[DNS_IP_REVERSED];
	size_t n;

	switch (letter) {
	case 's':
		snprintf(out, VALUE_MAX, "%s", m->sender);
		break;
	case 'l':
		snprintf(out, VALUE_MAX, "%.*s", at ? (int)(at - m->sender) : 0, m->sender);
		break;
	case 'o':
		snprintf(out, VALUE_MAX, "%s", at ? at + 1 : m->sender);
		break;
	case 'i':
		if (!m->ip->six) {
			dns_ip_text(m->ip, out);
			break;
		}
		/* nibbles in their natural order: the reversed text read backwards */
		dns_ip_reversed(m->ip, reversed);
		n = strlen(reversed);
		for (size_t i = 0; i < n; i++)
			out[i] = reversed[n - 1 - i];
		out[n] = '\0';
		break;
	default:
		snprintf(out, VALUE_MAX, "%s",
			 letter == 'd'	 ? m->domain
			 : letter == 'h' ? m->helo
			 : letter == 'v' ? (m->ip->six ? "ip6" : "in-addr")
					 : m->validated);
		break;
	}
}

static size_t put(char *out, size_t size, size_t n, const char *s, size_t len, bool escape)
{
	for (size_t i = 0; i < len && n + 4 < size; i++) {
		unsigned char c = (unsigned char)s[i];

		if (escape && !isalnum(c) && !strchr("-._~", c))
			n += (size_t)snprintf(out + n, size - n, "%%%02X", c);
		else
			out[n++] = (char)c;
	}
	out[n] = '\0';
	return n;
}

/* The value's parts, turned round and the rightmost kept, joined by dots. */
static size_t put_macro(const struct macro *mac, const struct spf_macros *m, char *out, size_t size, size_t n)
{
	const char *part[PARTS_MAX];
	size_t len[PARTS_MAX], parts = 0, first;
	char value[VALUE_MAX];

	value_of(mac->letter, m, value);
	for (const char *s = value;; s += len[parts - 1] + 1) {
		part[parts] = s;
		len[parts] = strcspn(s, mac->delimiters);
		parts++;
		if (!s[len[parts - 1]] || parts == PARTS_MAX)
			break;
	}
	first = mac->digits && mac->digits < parts ? parts - mac->digits : 0;
	for (size_t i = first; i < parts; i++) {
		size_t k = mac->reverse ? parts - 1 - i : i;

		if (i > first)
			n = put(out, size, n, ".", 1, false);
		n = put(out, size, n, part[k], len[k], mac->escape);
	}
	return n;
}

bool spf_macro_expand(const char *spec, const struct spf_macros *m, char *out, size_t size)
{
	struct macro mac;
	size_t n = 0;
	char *dot;

	out[0] = '\0';
	for (const char *s = spec; s && *s;) {
		if (s[0] != '%') {
			n = put(out, size, n, s++, 1, false);
		} else if (s[1] == '{') {
			s = read_macro(s + 2, &mac);
			n = s ? put_macro(&mac, m, out, size, n) : n;
		} else {
			n = s[1] == '-' ? put(out, size, n, "%20", 3, false)
					: put(out, size, n, s[1] == '%' ? "%" : " ", 1, false);
			s += 2;
		}
		if (n + 8 >= size)
			return false;
	}
	if (n > 0 && out[n - 1] == '.')
		out[--n] = '\0';
	while (n > NAME_MAX_BYTES && (dot = strchr(out, '.'))) {
		n -= (size_t)(dot + 1 - out);
		memmove(out, dot + 1, n + 1);
	}
	return n > 0 && n <= NAME_MAX_BYTES;
}
