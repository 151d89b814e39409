/* Regular expressions that people wrote; see pattern.h. */
#include "pattern.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
	LENGTH_MAX = 4096,
	DEPTH_MAX = 50,		/* parentheses within parentheses: the compiler recurses */
	STEPS_MAX = 500000,	/* of one search: some 10 ms */
	HEAP_MAX_KIB = 4096,	/* of one search */
};

struct pattern {
	pcre2_code *code;
	pcre2_match_context *limits;
	uint32_t groups;
};

static uint32_t options(unsigned flags)
{
	uint32_t o = PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP;

	o |= flags & PATTERN_LINES ? PCRE2_MULTILINE : PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY;
	return flags & PATTERN_NOCASE ? o | PCRE2_CASELESS : o;
}

static pcre2_code *compile(const char *expression, unsigned flags, char *why, size_t size)
{
	pcre2_compile_context *limits = pcre2_compile_context_create(NULL);
	PCRE2_UCHAR text[160] = "out of memory";
	PCRE2_SIZE at = 0;
	pcre2_code *code = NULL;
	int err;

	if (limits) {
		pcre2_set_max_pattern_length(limits, LENGTH_MAX);
		pcre2_set_parens_nest_limit(limits, DEPTH_MAX);
		pcre2_set_newline(limits, PCRE2_NEWLINE_LF);
		code = pcre2_compile((PCRE2_SPTR)expression, PCRE2_ZERO_TERMINATED, options(flags), &err, &at, limits);
		if (!code)
			pcre2_get_error_message(err, text, sizeof text);
	}
	if (!code && why)
		snprintf(why, size, "no regular expression: %s (at character %zu)", (const char *)text, (size_t)at);
	pcre2_compile_context_free(limits);
	return code;
}

struct pattern *pattern_new(const char *expression, unsigned flags, char *why, size_t size)
{
	struct pattern *p = calloc(1, sizeof *p);

	if (p)
		p->limits = pcre2_match_context_create(NULL);
	if (!p || !p->limits) {
		if (why)
			snprintf(why, size, "out of memory");
		pattern_free(p);
		return NULL;
	}
	pcre2_set_match_limit(p->limits, STEPS_MAX);
	pcre2_set_heap_limit(p->limits, HEAP_MAX_KIB);
	p->code = compile(expression, flags, why, size);
	if (!p->code) {
		pattern_free(p);
		return NULL;
	}
	pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &p->groups);
	return p;
}

void pattern_free(struct pattern *p)
{
	if (!p)
		return;
	pcre2_code_free(p->code);
	pcre2_match_context_free(p->limits);
	free(p);
}

size_t pattern_groups(const struct pattern *p)
{
	return p->groups;
}

static void take_groups(pcre2_match_data *found, struct pattern_group *groups, size_t n)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(found);
	size_t have = pcre2_get_ovector_count(found);

	for (size_t i = 0; i < n; i++) {
		/* the whole match stands before the groups */
		bool set = i + 1 < have && at[2 * i + 2] != PCRE2_UNSET && at[2 * i + 3] >= at[2 * i + 2];

		groups[i] = set ? (struct pattern_group){at[2 * i + 2], at[2 * i + 3] - at[2 * i + 2]}
				: (struct pattern_group){SIZE_MAX, 0};
	}
}

bool pattern_finds(const struct pattern *p, const char *text, struct pattern_group *groups, size_t n)
{
	pcre2_match_data *found = pcre2_match_data_create_from_pattern(p->code, NULL);
	bool yes = found && pcre2_match(p->code, (PCRE2_SPTR)text, strlen(text), 0, 0, found, p->limits) >= 0;

	if (yes)
		take_groups(found, groups, n);
	pcre2_match_data_free(found);
	return yes;
}

bool pattern_ok(const char *expression, unsigned flags, char *why, size_t size)
{
	struct pattern *p = pattern_new(expression, flags, why, size);

	pattern_free(p);
	return p != NULL;
}
