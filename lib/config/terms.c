/* Conditions as text; see terms.h. */
#include "terms.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const ops[] = {">=", "<=", ">", "<", "=", "!="};

const char *term_op_name(enum term_op op)
{
	return ops[op];
}

static const char *blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* A word of a name; NULL when there is none or it is too long. */
static const char *take_name(const char *s, char *out)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");
	if (!n || n >= TERM_WORD)
		return NULL;
	memcpy(out, s, n);
	out[n] = 0;
	return s + n;
}

static const char *take_path(const char *s, char *probe, char *fact)
{
	s = take_name(blanks(s), probe);
	return s && *s == '.' ? take_name(s + 1, fact) : NULL;
}

/* Two characters before one, so that ">=" is no ">". */
static const char *take_op(const char *s, enum term_op *op)
{
	static const enum term_op order[] = {TERM_GE, TERM_LE, TERM_NE, TERM_GT, TERM_LT, TERM_EQ};
	s = blanks(s);
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		size_t n = strlen(ops[order[i]]);
		if (strncmp(s, ops[order[i]], n) == 0) {
			*op = order[i];
			return blanks(s + n);
		}
	}
	return NULL;
}

static const char *take_word(const char *s, struct term *t)
{
	size_t n = strcspn(s, " \t");
	if (!n || n >= TERM_WORD || (t->op != TERM_EQ && t->op != TERM_NE))
		return NULL;
	t->is_word = true;
	memcpy(t->word, s, n);
	t->word[n] = 0;
	return s + n;
}

static const char *take_value(const char *s, struct term *t)
{
	char *end;
	if (!isdigit((unsigned char)*s) && *s != '-')
		return take_word(s, t);
	t->value = strtod(s, &end);
	if (*end && !strchr(" \t*", *end)) /* 192.0.2.7 */
		return take_word(s, t);
	if (end == s || !isfinite(t->value))
		return NULL;
	s = blanks(end);
	return *s == '*' ? take_path(s + 1, t->by_probe, t->by_fact) : s;
}

static bool fail(char *why, size_t size, const char *text)
{
	snprintf(why, size, "%s", text);
	return false;
}

static const char *take_term(const char *s, struct term *t, char *why, size_t size)
{
	if (!(s = take_path(s, t->probe, t->fact)))
		fail(why, size, "a condition begins with PROBE.FACT, such as queue.growth_per_min");
	else if (!(s = take_op(s, &t->op)))
		fail(why, size, "after the fact one of >= <= > < = != is needed");
	else if (!(s = take_value(s, t)))
		fail(why, size, "the right side is a number, NUMBER * PROBE.FACT, or after = and != a word");
	return s ? blanks(s) : NULL;
}

bool condition_parse(const char *text, struct condition *c, char *why, size_t size)
{
	const char *s = blanks(text);
	*c = (struct condition){0};
	if (strncmp(s, "not ", 4) == 0) {
		c->negated = true;
		s += 4;
	}
	for (;;) {
		if (c->n == TERM_ALTERNATIVES)
			return fail(why, size, "has more than 10 alternatives");
		if (!(s = take_term(s, &c->alt[c->n], why, size)))
			return false;
		c->n++;
		if (!*s)
			return true;
		if (strncmp(s, "or ", 3) != 0)
			return fail(why, size,
				    "alternatives are joined by \"or\"; conditions that must all hold are "
				    "items of the list");
		s += 3;
	}
}

/* "queue|log.top_client%", "log.received_per_min|queue.growth_per_min"; up to the brace. */
static bool placeholder(const char *s, size_t n)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	bool dotted = false;
	size_t parts = 1, k = 0;
	for (; k < n && (strchr(letters, s[k]) || s[k] == '|' || s[k] == '.'); k++) {
		bool begins = !k || s[k - 1] == '|' || s[k - 1] == '.';
		if (!strchr(letters, s[k]) && begins)
			return false;
		if (s[k] == '.' && dotted)
			return false;
		dotted = s[k] == '.' || (dotted && s[k] != '|');
		parts += s[k] == '|';
	}
	bool ends = k && strchr(letters, s[k - 1]);
	return ends && dotted && parts <= TERM_ALTERNATIVES && (k == n || (k + 1 == n && (s[k] == '%' || s[k] == '~')));
}

bool sentence_check(const char *text, char *why, size_t size)
{
	bool inside = false;
	for (const char *s = text; *s; s++) {
		if (*s == '{') {
			const char *end = strchr(s, '}');
			if (!end || !placeholder(s + 1, (size_t)(end - s - 1)))
				return fail(why, size,
					    "a placeholder is {PROBE.FACT}, {PROBE|PROBE.FACT}, "
					    "{PROBE.FACT|PROBE.FACT} or with % before the brace");
			s = end;
		} else if (*s == '[' || *s == ']') {
			if (inside == (*s == '['))
				return fail(why, size, "the brackets of an optional part do not pair");
			inside = *s == '[';
		}
	}
	return !inside || fail(why, size, "the brackets of an optional part do not pair");
}
