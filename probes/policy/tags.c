/*
 * Reading lists of tags. Called by the probes of DKIM keys and DMARC records, and by the fuzzer.
 */
#include "tags.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static char *trim(char *s)
{
	size_t n;

	while (isspace((unsigned char)*s))
		s++;
	for (n = strlen(s); n > 0 && isspace((unsigned char)s[n - 1]); n--)
		s[n - 1] = '\0';
	return s;
}

static bool name_ok(const char *s)
{
	if (!isalpha((unsigned char)*s))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '_')
			return false;
	return true;
}

static bool add(struct policy_tags *t, char *part, const char **why)
{
	char *equals = strchr(part, '=');

	*why = "a tag without \"=\"";
	if (!equals)
		return false;
	*equals = '\0';
	*why = t->n == POLICY_TAGS_MAX ? "too many tags" : "a tag's name is none";
	if (t->n == POLICY_TAGS_MAX || !name_ok(trim(part)))
		return false;
	*why = "a tag twice";
	if (policy_tag(t, trim(part)))
		return false;
	t->v[t->n].name = trim(part);
	t->v[t->n++].value = trim(equals + 1);
	return true;
}

bool policy_tags_parse(const char *text, struct policy_tags *out, const char **why)
{
	char *part, *next;

	*out = (struct policy_tags){.copy = strdup(text)};
	*why = "out of memory";
	for (part = out->copy; part; part = next) {
		next = strchr(part, ';');
		if (next)
			*next++ = '\0';
		/* the last one may be empty */
		if (!next && !*trim(part))
			return true;
		if (!add(out, part, why))
			return false;
	}
	return out->copy != NULL;
}

void policy_tags_fini(struct policy_tags *t)
{
	free(t->copy);
	*t = (struct policy_tags){0};
}

const char *policy_tag(const struct policy_tags *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->v[i].name, name) == 0)
			return t->v[i].value;
	return NULL;
}
