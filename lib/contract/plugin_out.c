/*
 * The parser of foreign plugin output; see plugin_out.h. Called by the exec probe.
 * Works on a copy without NUL bytes, in one pass, and allocates nothing else.
 */
#include "plugin_out.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 64, RANGE_MAX = 96, NOTES_ROOM = 400 /* for what is said about the output itself */ };

/* A stretch of the output. */
struct span {
	const char *p, *end;
};

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

/* Cuts the next piece up to c (or all) off the front. */
static struct span cut(struct span *s, char c)
{
	const char *at = s->p < s->end ? memchr(s->p, c, (size_t)(s->end - s->p)) : NULL;
	struct span piece = { s->p, at ? at : s->end };

	s->p = at ? at + 1 : s->end;
	return piece;
}

static bool copy(struct span s, char *out, size_t size)
{
	size_t n = (size_t)(s.end - s.p);

	if (n == 0 || n >= size)
		return false;
	memcpy(out, s.p, n);
	out[n] = '\0';
	return true;
}

/* The number at the front, in out with a decimal point (some plugins follow a locale with commas). Returns
 * its length in s, 0 if none. */
static size_t scan_number(struct span s, char out[NUMBER_MAX])
{
	const char *p = s.p;
	bool digits = false, point = false;

	if (p < s.end && (*p == '-' || *p == '+'))
		p++;
	for (; p < s.end; p++) {
		if (isdigit((unsigned char)*p))
			digits = true;
		else if ((*p == '.' || *p == ',') && !point)
			point = true;
		else
			break;
	}
	if (digits && p < s.end && (*p == 'e' || *p == 'E')) {
		const char *e = p + 1;
		if (e < s.end && (*e == '-' || *e == '+'))
			e++;
		if (e < s.end && isdigit((unsigned char)*e)) {
			while (e < s.end && isdigit((unsigned char)*e))
				e++;
			p = e;
		}
	}
	size_t n = (size_t)(p - s.p);
	if (!digits || !copy((struct span){ s.p, p }, out, NUMBER_MAX))
		return 0;
	for (char *c = out; *c; c++)
		if (*c == ',')
			*c = '.';
	return n;
}

static bool to_number(const char *text, double *v)
{
	char *end;

	*v = strtod(text, &end); /* the process never leaves the C locale */
	return *end == '\0' && isfinite(*v);
}

/* The value and its unit. U is a value that could not be determined. */
static bool parse_value(struct span s, double *v, char uom[4])
{
	char text[NUMBER_MAX];
	size_t n = scan_number(s, text);

	uom[0] = '\0';
	if (n == 0) {
		*v = NAN;
		return s.end - s.p == 1 && (*s.p == 'U' || *s.p == 'u');
	}
	if (!to_number(text, v))
		return false;
	struct span unit = { s.p + n, s.end };
	for (const char *p = unit.p; p < unit.end; p++)
		if (!isalpha((unsigned char)*p) && *p != '%')
			return true;
	if (!copy(unit, uom, 4))
		uom[0] = '\0'; /* none, or one that has no place here */
	return true;
}

static void parse_range(struct span s, struct range *out)
{
	char text[RANGE_MAX];

	memset(out, 0, sizeof *out);
	if (copy(s, text, sizeof text) && !units_range(text, out, NULL))
		memset(out, 0, sizeof *out);
}

static void parse_limit(struct span s, bool *has, double *v)
{
	char text[NUMBER_MAX];
	double value;

	if (scan_number(s, text) == (size_t)(s.end - s.p) && s.p < s.end && to_number(text, &value)) {
		*has = true;
		*v = value;
	}
}

/* 'a label' or label, up to and with the '='. False when there is none before the next blank. */
static bool parse_label(struct span *s, char out[PERF_LABEL_MAX])
{
	const char *p = s->p;
	bool quoted = p < s->end && *p == '\'';
	size_t n = 0;

	for (p += quoted; p < s->end; p++) {
		if (quoted && *p == '\'') {
			if (p + 1 < s->end && p[1] == '\'') {
				p++;
			} else {
				p++;
				break;
			}
		} else if (!quoted && (*p == '=' || blank(*p))) {
			break;
		}
		if (n < PERF_LABEL_MAX - 1)
			out[n++] = *p;
	}
	while (n > 0 && blank(out[n - 1]))
		n--;
	out[n] = '\0';
	if (n == 0 || p >= s->end || *p != '=')
		return false;
	s->p = p + 1;
	return true;
}

static struct span next_word(struct span *s)
{
	struct span w = *s;

	while (s->p < s->end && !blank(*s->p))
		s->p++;
	w.end = s->p;
	return w;
}

/* label=value[UOM];[warn];[crit];[min];[max], over and over. Returns how many pieces made no sense. */
static size_t parse_perf(struct span s, struct result *r)
{
	size_t junk = 0;

	for (;;) {
		char label[PERF_LABEL_MAX], uom[4];
		struct range warn, crit;
		double value;
		while (s.p < s.end && blank(*s.p))
			s.p++;
		if (s.p >= s.end)
			return junk;
		bool labelled = parse_label(&s, label);
		struct span word = next_word(&s);
		if (!labelled || !parse_value(cut(&word, ';'), &value, uom)) {
			junk++;
			continue;
		}
		parse_range(cut(&word, ';'), &warn);
		parse_range(cut(&word, ';'), &crit);
		struct perf *p = result_perf(r, label, value, uom, &warn, &crit);
		struct span min = cut(&word, ';'), max = cut(&word, ';');
		if (p) {
			parse_limit(min, &p->has_min, &p->min);
			parse_limit(max, &p->has_max, &p->max);
		}
	}
}

static struct span trim(struct span s)
{
	while (s.p < s.end && blank(*s.p))
		s.p++;
	while (s.p < s.end && blank(s.end[-1]))
		s.end--;
	return s;
}

/* One further line, if there is room beside the notes. */
static bool add_line(struct result *r, struct span text)
{
	size_t used = r->more.len + 1 + NOTES_ROOM,
	       room = used < RESULT_LONG_MAX ? RESULT_LONG_MAX - used : 0;
	size_t n = (size_t)(text.end - text.p);

	if (room > 0)
		result_more(r, "%.*s", (int)(n < room ? n : room), text.p);
	return n <= room;
}

/* "facts: {...}" is for the diagnosis, not for people. Inside it '|' means nothing. */
static bool take_facts(struct span line, struct result *r)
{
	static const char mark[] = "facts: ";
	struct span t = trim(line);
	if (t.end - t.p < (ptrdiff_t)sizeof mark || memcmp(t.p, mark, sizeof mark - 1) != 0 || t.p[sizeof mark - 1] != '{')
		return false;
	t.p += sizeof mark - 1;
	return result_facts_text(r, t.p, (size_t)(t.end - t.p));
}

static void parse(struct span s, struct result *r)
{
	size_t junk = 0;
	bool perf = false, whole = true;

	/* line 1 */
	struct span line = cut(&s, '\n');
	struct span text = trim(cut(&line, '|'));
	result_set(r, r->state, "%.*s", (int)(text.end - text.p), text.p);
	junk += parse_perf(line, r);
	/* further lines */
	while (s.p < s.end && !perf) {
		line = cut(&s, '\n');
		if (take_facts(line, r))
			continue;
		perf = memchr(line.p, '|', (size_t)(line.end - line.p)) != NULL;
		text = cut(&line, '|');
		if (perf && trim(text).p == trim(text).end)
			continue;
		whole = whole && add_line(r, text);
	}
	/* the rest of the line with the second '|', and all after it */
	if (perf) {
		line.end = s.end;
		junk += parse_perf(line, r);
	}
	if (!whole)
		result_more(r, "(further lines left out)");
	if (r->perf_dropped > 0)
		result_more(r, "(%zu more performance values left out)", r->perf_dropped);
	if (junk > 0)
		result_more(r, "(%zu pieces of performance data made no sense)", junk);
}

void plugin_out_parse(const char *bytes, size_t len, struct result *r)
{
	char *clean = malloc(len + 1);

	buf_reset(&r->more);
	buf_reset(&r->facts);
	r->nperf = r->perf_dropped = 0;
	if (!clean) {
		result_set(r, r->state, "%s", "");
		return;
	}
	for (size_t i = 0; i < len; i++)
		clean[i] = bytes[i] ? bytes[i] : ' ';
	clean[len] = '\0';
	/* empty lines at either end say nothing */
	parse(trim((struct span){ clean, clean + len }), r);
	free(clean);
}
