/*
 * An SPF record taken apart, wholly and before anything of it is evaluated: a syntax error anywhere is a
 * permerror (RFC 7208 4.6).
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "spf.h"

static const char *const kinds[] = {"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"};

bool spf_record_is(const uint8_t *text, size_t len)
{
	return len >= 6 && strncasecmp((const char *)text, "v=spf1", 6) == 0 && (len == 6 || text[6] == ' ');
}

/* "/24", a number without leading zeros; *s is moved behind it */
static bool read_bits(char **s, unsigned max, unsigned *bits)
{
	char *p = *s + 1;
	unsigned v = 0;

	if (!isdigit((unsigned char)*p) || (p[0] == '0' && isdigit((unsigned char)p[1])))
		return false;
	for (; isdigit((unsigned char)*p) && v <= max; p++)
		v = v * 10 + (unsigned)(*p - '0');
	*s = p;
	*bits = v;
	return v <= max;
}

/* The '/' of a length, not one within a macro. */
static char *find_slash(char *s)
{
	bool inside = false;

	for (; *s; s++) {
		if (s[0] == '%' && s[1] == '{')
			inside = true;
		if (*s == '}')
			inside = false;
		if (*s == '/' && !inside)
			return s;
	}
	return NULL;
}

static bool read_dual(struct spf_term *t, char *slash)
{
	char *s = slash;

	if (s[1] != '/') {
		if (!read_bits(&s, 32, &t->bits4))
			return false;
		if (!*s)
			return true;
		if (s[0] != '/' || s[1] != '/')
			return false;
	}
	s++;
	return read_bits(&s, 128, &t->bits6) && !*s;
}

static bool read_net(struct spf_term *t, char *arg)
{
	bool six = t->kind == SPF_IP6;
	char *slash = strchr(arg, '/'), *s = slash;
	unsigned bits = six ? 128 : 32;

	if (slash && (!read_bits(&s, bits, &bits) || *s))
		return false;
	if (slash)
		*slash = '\0';
	if (strchr(arg, '[') || (strchr(arg, ':') != NULL) != six || !dns_ip_parse(arg, &t->net))
		return false;
	/* ::ffff:192.0.2.0/120 is IPv4's */
	if (six && !t->net.six) {
		if (bits < 96)
			return false;
		bits -= 96;
	}
	t->bits4 = t->bits6 = bits;
	return true;
}

/* arg: what stands behind the name, with its ':' or '/' */
static bool read_argument(struct spf_term *t, char *arg)
{
	bool needs_p;
	char *slash;

	if (t->kind == SPF_ALL)
		return !*arg;
	if (t->kind == SPF_IP4 || t->kind == SPF_IP6)
		return arg[0] == ':' && read_net(t, arg + 1);
	slash = t->kind == SPF_A || t->kind == SPF_MX ? find_slash(arg) : NULL;
	if (slash) {
		if (!read_dual(t, slash))
			return false;
		*slash = '\0';
	}
	if (!*arg)
		return t->kind != SPF_INCLUDE && t->kind != SPF_EXISTS;
	t->spec = arg + 1;
	return arg[0] == ':' && spf_macro_ok(t->spec, &needs_p);
}

static enum spf_result qualifier_of(char c)
{
	return c == '-' ? SPF_FAIL : c == '~' ? SPF_SOFTFAIL : c == '?' ? SPF_NEUTRAL : SPF_PASS;
}

static bool read_mechanism(struct spf_term *t, char *word)
{
	size_t n;

	t->qualifier = qualifier_of(*word);
	word += *word && strchr("+-~?", *word);
	n = strcspn(word, ":/");
	t->bits4 = 32;
	t->bits6 = 128;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		if (strlen(kinds[k]) == n && strncasecmp(kinds[k], word, n) == 0) {
			t->kind = (enum spf_kind)k;
			return read_argument(t, word + n);
		}
	return false;
}

/* "name=", where the name is a modifier's */
static size_t modifier_name(const char *word)
{
	size_t n = 0;

	if (!isalpha((unsigned char)word[0]))
		return 0;
	while (isalnum((unsigned char)word[n]) || (word[n] && strchr("-_.", word[n])))
		n++;
	return word[n] == '=' ? n : 0;
}

/* A macro-string, as unknown modifiers have: checked as a domain that ends in a macro */
static bool any_macros(const char *s)
{
	char copy[1024];
	bool p;

	snprintf(copy, sizeof(copy), "%s%%%%", s);
	return spf_macro_ok(copy, &p);
}

static bool read_modifier(struct spf_record *out, char *word, size_t n, bool *exp)
{
	char *value = word + n + 1;
	bool p;

	if (n == 8 && strncasecmp(word, "redirect", 8) == 0) {
		if (out->redirect || !spf_macro_ok(value, &p))
			return false;
		out->redirect = value;
		return true;
	}
	if (n == 3 && strncasecmp(word, "exp", 3) == 0) {
		if (*exp || !spf_macro_ok(value, &p))
			return false;
		return *exp = true;
	}
	return any_macros(value);
}

static bool read_word(struct spf_record *out, char *word, const char *text, bool *exp)
{
	size_t n = modifier_name(word);
	struct spf_term *t = &out->v[out->n];

	if (n)
		return read_modifier(out, word, n, exp);
	if (out->n == SPF_TERMS_MAX)
		return false;
	t->text = text;
	out->n++;
	if (!read_mechanism(t, word))
		return false;
	out->has_all |= t->kind == SPF_ALL;
	return true;
}

bool spf_record_parse(const char *text, struct spf_record *out, char *why, size_t size)
{
	char *word, *save = NULL, *shown, *shown_save = NULL;
	bool exp = false;

	*out = (struct spf_record){
	    .copy = strdup(text), .texts = strdup(text), .v = calloc(SPF_TERMS_MAX + 1, sizeof(*out->v))};
	if (!out->copy || !out->texts || !out->v) {
		snprintf(why, size, "out of memory");
		return false;
	}
	strtok_r(out->copy, " ", &save);
	strtok_r(out->texts, " ", &shown_save);
	while ((word = strtok_r(NULL, " ", &save))) {
		shown = strtok_r(NULL, " ", &shown_save);
		if (!read_word(out, word, shown, &exp)) {
			snprintf(why, size, "syntax error at \"%.100s\"", shown);
			return false;
		}
	}
	return true;
}

void spf_record_fini(struct spf_record *r)
{
	free(r->copy);
	free(r->texts);
	free(r->v);
	*r = (struct spf_record){0};
}
