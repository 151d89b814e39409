/*
 * Templates of dial strings and numeric pages; see code.h.
 */
#include "code.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "drivers/modem/result.h"

enum { WIDTH_MAX = 9, NAME_MAX_LEN = 15 };

/* What stands in braces. */
struct field {
	char name[NAME_MAX_LEN + 1];
	int width; /* 0: not given */
};

static const char *const code_names[] = {"number", "state", "id", "time", "check", NULL};
static const char *const dial_names[] = {"to", "access", "code", NULL};

/* Reads {NAME:WIDTH} at *t, which stands on the brace, and moves behind it. */
static bool read_field(const char **t, struct field *f)
{
	const char *p = *t + 1;
	size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz");

	if (n == 0 || n > NAME_MAX_LEN)
		return false;
	snprintf(f->name, sizeof(f->name), "%.*s", (int)n, p);
	f->width = 0;
	p += n;
	if (*p == ':') {
		if (p[1] < '1' || p[1] > '0' + WIDTH_MAX)
			return false;
		f->width = p[1] - '0';
		p += 2;
	}
	if (*p != '}')
		return false;
	*t = p + 1;
	return true;
}

static bool among(const char *name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

static bool template_ok(const char *t, const char *const *names, char *why, size_t size)
{
	char plain[DIAL_STRING_MAX + 1];
	size_t n = 0;
	struct field f;

	while (*t != '\0') {
		if (*t == '{') {
			if (!read_field(&t, &f) || !among(f.name, names)) {
				snprintf(why, size, "unknown: %.20s; known are {%s} {%s} {%s}%s", t, names[0],
					 names[1], names[2],
					 names[3] != NULL ? " {time} {check}, each also as {NAME:WIDTH}"
							  : "");
				return false;
			}
			continue;
		}
		if (n == DIAL_STRING_MAX) {
			snprintf(why, size, "longer than %d characters", DIAL_STRING_MAX);
			return false;
		}
		plain[n++] = *t++;
	}
	plain[n] = '\0';
	return dial_string_ok(plain, why, size);
}

bool code_template_ok(const char *t, char *why, size_t size)
{
	return template_ok(t, code_names, why, size);
}

bool dial_template_ok(const char *t, char *why, size_t size)
{
	return template_ok(t, dial_names, why, size);
}

unsigned long code_id_number(const char *incident)
{
	unsigned long v = 0;

	for (; *incident != '\0'; incident++)
		if (isalnum((unsigned char)*incident)) {
			int c = toupper((unsigned char)*incident);

			v = (v * 36 + (unsigned long)(c <= '9' ? c - '0' : c - 'A' + 10)) % 1000000000UL;
		}
	return v;
}

static int state_digit(const struct page *p)
{
	static const char *const states[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

	if (p->kind == PAGE_TEST || p->kind == PAGE_DIGEST)
		return 9;
	if (p->kind == PAGE_ACK)
		return 8;
	for (int i = 0; i < 4; i++)
		if (strcmp(p->state, states[i]) == 0)
			return i;
	return p->kind == PAGE_RECOVERED ? 0 : 9;
}

/* The digit that, put behind the digits in s, makes them right. */
static char check_digit(const char *s, enum code_check check)
{
	int sum = 0;
	bool twice = true; /* counted from the right, where the check digit is not doubled */

	for (size_t i = strlen(s); i > 0; i--) {
		int d = s[i - 1] - '0';

		if (d < 0 || d > 9)
			continue;
		if (check == CODE_LUHN && twice)
			d = d * 2 > 9 ? d * 2 - 9 : d * 2;
		sum += d;
		twice = !twice;
	}
	return (char)('0' + (10 - sum % 10) % 10);
}

static bool add_id(const struct page *p, int width, struct buf *out)
{
	unsigned long modulus = 1;

	if (width == 0)
		width = 4;
	for (int i = 0; i < width; i++)
		modulus *= 10;
	return buf_printf(out, "%0*lu", width, code_id_number(p->incident) % modulus);
}

static bool add_time(const struct page *p, struct buf *out)
{
	time_t t = (time_t)((p->since_wall_ms > 0 ? p->since_wall_ms : p->at_wall_ms) / 1000);
	struct tm tm;

	localtime_r(&t, &tm);
	return buf_printf(out, "%02d%02d", tm.tm_hour, tm.tm_min);
}

static bool add_field(const struct field *f, const struct page *p, enum code_check check, struct buf *out)
{
	char digit[2] = {0};

	if (strcmp(f->name, "number") == 0)
		return buf_printf(out, "%0*lld", f->width, (long long)p->number);
	if (strcmp(f->name, "state") == 0)
		return buf_printf(out, "%0*d", f->width, state_digit(p));
	if (strcmp(f->name, "id") == 0)
		return add_id(p, f->width, out);
	if (strcmp(f->name, "time") == 0)
		return add_time(p, out);
	digit[0] = check_digit(buf_str(out), check);
	return buf_puts(out, digit);
}

bool code_of_page(const char *t, const struct page *p, enum code_check check, struct buf *out)
{
	struct field f;
	bool ok = true;

	while (ok && *t != '\0') {
		if (*t == '{' && read_field(&t, &f))
			ok = add_field(&f, p, check, out);
		else
			ok = buf_add(out, t++, 1);
	}
	return ok;
}

bool dial_of_template(const char *t, const char *access, const char *to, const char *code, struct buf *out)
{
	struct field f;
	bool ok = true;

	while (ok && *t != '\0') {
		if (*t == '{' && read_field(&t, &f)) {
			ok = dial_string_tidy(strcmp(f.name, "to") == 0	      ? to
					      : strcmp(f.name, "access") == 0 ? access
									      : code,
					      out);
		} else {
			const char one[2] = {*t++, '\0'};

			ok = dial_string_tidy(one, out);
		}
	}
	return ok;
}
