/*
 * Reading MTA-STS policies. Called by check_mta_sts.c and the fuzzer.
 */
#include "sts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "probes/dns/message.h"

static bool read_mode(struct sts_policy *p, const char *v)
{
	static const char *const names[] = {"none", "testing", "enforce"};

	for (int i = STS_NONE; i <= STS_ENFORCE; i++)
		if (strcmp(v, names[i]) == 0) {
			p->mode = (enum sts_mode)i;
			return true;
		}
	return false;
}

struct seen {
	bool version, mode, age;
};

static bool read_pair(struct sts_policy *p, const char *key, const char *v, struct seen *seen,
		      const char **why)
{
	if (strcmp(key, "version") == 0) {
		*why = "its version is not STSv1";
		return seen->version = strcmp(v, "STSv1") == 0;
	}
	if (strcmp(key, "mode") == 0) {
		*why = "its mode is none of enforce, testing, none";
		return seen->mode = read_mode(p, v);
	}
	if (strcmp(key, "max_age") == 0) {
		*why = "its max_age is no number of up to 10 digits";
		p->max_age = strspn(v, "0123456789") == strlen(v) && *v && strlen(v) <= 10 ? atoll(v) : -1;
		return seen->age = p->max_age >= 0;
	}
	if (strcmp(key, "mx") != 0)
		return true;
	*why = p->n == STS_MX_MAX ? "it has too many mx" : "an mx is no name";
	if (p->n == STS_MX_MAX || !dns_name_ok(v) || !strchr(v, '.'))
		return false;
	p->mx[p->n++] = v;
	return true;
}

static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " \t");
	n = strlen(s);
	while (n > 0 && strchr(" \t\r", s[n - 1]))
		s[--n] = '\0';
	return s;
}

bool sts_policy_parse(const char *text, struct sts_policy *out, const char **why)
{
	struct seen seen = {0};
	char *line, *save = NULL, *colon;

	*out = (struct sts_policy){.copy = strdup(text)};
	*why = "out of memory";
	for (line = out->copy ? strtok_r(out->copy, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		line = trim(line);
		if (!*line)
			continue;
		colon = strchr(line, ':');
		*why = "a line without \":\"";
		if (!colon)
			return false;
		*colon = '\0';
		if (!read_pair(out, trim(line), trim(colon + 1), &seen, why))
			return false;
	}
	if (!out->copy)
		return false;
	*why = !seen.version ? "it has no version"
	       : !seen.mode  ? "it has no mode"
	       : !seen.age   ? "it has no max_age"
			     : "it has no mx";
	return seen.version && seen.mode && seen.age && (out->n > 0 || out->mode == STS_NONE);
}

void sts_policy_fini(struct sts_policy *p)
{
	free(p->copy);
	*p = (struct sts_policy){0};
}

bool sts_policy_allows(const struct sts_policy *p, const char *mx)
{
	const char *dot = strchr(mx, '.');

	for (size_t i = 0; i < p->n; i++)
		if (dns_name_equal(p->mx[i], mx) ||
		    (strncmp(p->mx[i], "*.", 2) == 0 && dot && dns_name_equal(p->mx[i] + 2, dot + 1)))
			return true;
	return false;
}
