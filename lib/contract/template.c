/* Templates of pages; see template.h. Called by the configuration loader and by notifiers. */
#include "template.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {"", "state", "check", "host", "text", "since", "id", "code", "number"};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

static bool refuse(char *why, size_t size, const char *fmt, int len, const char *what)
{
	snprintf(why, size, fmt, len, what);
	return false;
}

static bool add(struct template_part *parts, size_t *n, enum template_field f, const char *text, size_t len)
{
	if (*n == TEMPLATE_PARTS_MAX)
		return false;
	parts[(*n)++] = (struct template_part){f, text, len};
	return true;
}

/* The field that begins at s, a "{". Its end in *end; 0: there is none of that name, and why says it. */
static enum template_field field_at(const char *s, const char **end, char *why, size_t size)
{
	size_t len = strcspn(s + 1, "{}");

	if (s[1 + len] != '}') {
		refuse(why, size, "\"%.*s\" has no closing brace (a brace itself is written twice)",
		       (int)(len < 20 ? len + 1 : 20), s);
		return TEMPLATE_LITERAL;
	}
	*end = s + len + 2;
	for (int i = 1; i < NAMES; i++)
		if (strlen(names[i]) == len && memcmp(names[i], s + 1, len) == 0)
			return (enum template_field)i;
	refuse(why, size,
	       "there is no field \"{%.*s}\"; there are {state} {check} {host} {text} {since} {id} {code} "
	       "{number}",
	       (int)(len < 40 ? len : 40), s + 1);
	return TEMPLATE_LITERAL;
}

/* Bytes of the literal that begins at s; a doubled brace ends it behind its first half. *skip: bytes that are
 * not shown. */
static size_t literal_at(const char *s, size_t *skip)
{
	size_t n = strcspn(s, "{}");

	*skip = 0;
	if (s[n] && s[n + 1] == s[n]) {
		*skip = 1;
		n++;
	}
	return n;
}

static bool split(const char *s, struct template_part *parts, size_t *n, char *why, size_t size)
{
	const char *end = NULL;
	size_t skip;

	while (*s) {
		size_t len = literal_at(s, &skip);
		if (len > 0) {
			if (!add(parts, n, TEMPLATE_LITERAL, s, len))
				return refuse(why, size, "has more than %d parts%s", TEMPLATE_PARTS_MAX, "");
			s += len + skip;
			continue;
		}
		if (*s == '}')
			return refuse(why, size,
				      "\"%.*s\" has no opening brace (a brace itself is written twice)", 10,
				      s);
		enum template_field f = field_at(s, &end, why, size);
		if (f == TEMPLATE_LITERAL)
			return false;
		if (!add(parts, n, f, NULL, 0))
			return refuse(why, size, "has more than %d parts%s", TEMPLATE_PARTS_MAX, "");
		s = end;
	}
	return true;
}

static size_t characters(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

static bool complete(const struct template_part *parts, size_t n, char *why, size_t size)
{
	static const enum template_field needed[] = {TEMPLATE_STATE, TEMPLATE_CHECK, TEMPLATE_TEXT,
						     TEMPLATE_ID};
	unsigned seen = 0, twice = 0;
	size_t literal = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned bit = 1u << parts[i].field;
		twice |= parts[i].field == TEMPLATE_LITERAL ? 0 : seen & bit;
		seen |= bit;
		literal += characters(parts[i].text, parts[i].len);
	}
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!(seen & 1u << needed[i]))
			return refuse(why, size, "lacks %.*s", 20,
				      (const char *[]){"{state}", "{check}", "{text}", "{id}"}[i]);
	for (int i = 1; i < NAMES; i++)
		if (twice & 1u << i)
			return refuse(why, size, "has {%.*s} twice", 20, names[i]);
	if (literal > TEMPLATE_LITERAL_MAX)
		return refuse(
		    why, size,
		    "has more than %d characters beside its fields: too little room is left for what is "
		    "wrong%s",
		    TEMPLATE_LITERAL_MAX, "");
	return true;
}

bool template_parse(const char *text, struct template_part *parts, size_t *n, char *why, size_t size)
{
	*n = 0;
	if (strlen(text) > TEMPLATE_BYTES_MAX)
		return refuse(why, size, "is longer than %d bytes%s", TEMPLATE_BYTES_MAX, "");
	for (const unsigned char *s = (const unsigned char *)text; *s; s++)
		if (*s < 0x20 || *s == 0x7f)
			return refuse(why, size, "has a control character%.*s", 0, "");
	return split(text, parts, n, why, size) && complete(parts, *n, why, size);
}
