/* Times of the week; see when.h. Called by rota.c, quiet.c and the configuration's loader. */
#include "when.h"

#include <string.h>
#include <strings.h>

#include "civil.h"

static const struct {
	const char *name;
	unsigned days;
} words[] = {
    {"mon", 1},
    {"tue", 2},
    {"wed", 4},
    {"thu", 8},
    {"fri", 16},
    {"sat", 32},
    {"sun", 64},
    {"monday", 1},
    {"tuesday", 2},
    {"wednesday", 4},
    {"thursday", 8},
    {"friday", 16},
    {"saturday", 32},
    {"sunday", 64},
    {"holidays", WHEN_HOLIDAYS},
    {"workdays", WHEN_WORKDAYS},
};

/* --- reading --- */

static void blanks(const char **s)
{
	*s += strspn(*s, " ");
}

static bool take(const char **s, char c)
{
	blanks(s);
	if (**s != c)
		return false;
	++*s;
	blanks(s);
	return true;
}

/* The bits of one word; 0: it is none. */
static unsigned day_word(const char **s)
{
	size_t len = 0;
	while (((*s)[len] | 32) >= 'a' && ((*s)[len] | 32) <= 'z')
		len++;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strlen(words[i].name) == len && strncasecmp(words[i].name, *s, len) == 0) {
			*s += len;
			return words[i].days;
		}
	return 0;
}

static bool is_weekday(unsigned bits)
{
	return bits && bits < WHEN_HOLIDAYS && !(bits & (bits - 1));
}

/* From one weekday to another, over the week's end if need be. */
static unsigned from_to(unsigned a, unsigned b)
{
	unsigned bits = a;
	while (a != b) {
		a = a == 64 ? 1 : a << 1;
		bits |= a;
	}
	return bits;
}

/* "mon-fri", "sat,sun", "workdays". False: a word that is no day. */
static bool day_list(const char **s, unsigned *days)
{
	*days = 0;
	do {
		unsigned a = day_word(s), b;
		if (!a)
			return false;
		blanks(s);
		if (**s == '-') {
			++*s;
			blanks(s);
			b = day_word(s);
			if (!is_weekday(a) || !is_weekday(b))
				return false;
			a = from_to(a, b);
		}
		*days |= a;
	} while (take(s, ','));
	return true;
}

static int day_number(unsigned bit)
{
	int n = 0;
	while (bit >>= 1)
		n++;
	return n;
}

/* "fri 18:00-mon 09:00": behind the first time and the dash. */
static bool until_day(const char **s, struct span *span, const char **why)
{
	int end;
	unsigned day = day_word(s);
	blanks(s);
	*why = "must end as it began, such as \"fri 18:00-mon 09:00\"";
	if (!is_weekday(day) || !is_weekday(span->days) || !civil_parse_minutes(s, &end))
		return false;
	int days = (day_number(day) - day_number(span->days) + 7) % 7;
	span->length = days * CIVIL_DAY_MIN + end - span->start;
	if (span->length <= 0)
		span->length += CIVIL_WEEK_MIN;
	return true;
}

static bool times(const char **s, struct span *span, const char **why)
{
	int end;
	*why = "times are written as 09:00-18:00";
	if (!civil_parse_minutes(s, &span->start) || !take(s, '-'))
		return false;
	if (span->start == CIVIL_DAY_MIN) {
		*why = "nothing begins at 24:00; write 00:00 of the next day";
		return false;
	}
	if (**s < '0' || **s > '9')
		return until_day(s, span, why);
	if (!civil_parse_minutes(s, &end))
		return false;
	span->length = end > span->start ? end - span->start : end + CIVIL_DAY_MIN - span->start;
	return true;
}

bool when_add(struct when *w, const char *text, const char **why)
{
	struct span span = {.days = 127, .start = 0, .length = CIVIL_DAY_MIN};
	const char *s = text;
	*why = "are too many times";
	if (w->n == WHEN_SPANS_MAX)
		return false;
	blanks(&s);
	if (strcasecmp(s, "always") == 0) {
		w->spans[w->n++] = span;
		return true;
	}
	bool days = *s && (*s < '0' || *s > '9');
	*why = "is not a time of the week; write \"mon-fri 09:00-18:00\", \"sat,sun\", \"22:00-07:00\", "
	       "\"workdays\", "
	       "\"holidays\" or \"always\"";
	if (!*s || (days && !day_list(&s, &span.days)))
		return false;
	blanks(&s);
	if (*s && !times(&s, &span, why))
		return false;
	blanks(&s);
	if (*s) {
		*why = "has something behind its end";
		return false;
	}
	w->spans[w->n++] = span;
	return true;
}

bool when_needs_holidays(const struct when *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->spans[i].days & (WHEN_HOLIDAYS | WHEN_WORKDAYS))
			return true;
	return false;
}

/* --- asking --- */

bool holidays_has(const struct holidays *h, int64_t day)
{
	size_t low = 0, high = h ? h->n : 0;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (h->days[mid] == day)
			return true;
		if (h->days[mid] < day)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

static bool begins_on(const struct span *span, const struct holidays *h, int64_t day)
{
	int weekday = civil_weekday(day);
	if (span->days & 1u << weekday)
		return true;
	if (!(span->days & (WHEN_HOLIDAYS | WHEN_WORKDAYS)))
		return false;
	bool holiday = holidays_has(h, day);
	return (span->days & WHEN_HOLIDAYS && holiday) ||
	       (span->days & WHEN_WORKDAYS && !holiday && weekday < 5);
}

bool when_covers(const struct when *w, const struct holidays *h, int64_t wall_s)
{
	int64_t today = civil_day_of(wall_s);
	for (size_t i = 0; i < w->n; i++) {
		const struct span *span = &w->spans[i];
		int64_t reach = (span->start + span->length - 1) / CIVIL_DAY_MIN;
		for (int64_t day = today - reach; day <= today; day++) {
			int64_t into = wall_s - day * CIVIL_DAY - (int64_t)span->start * 60;
			if (into >= 0 && into < (int64_t)span->length * 60 && begins_on(span, h, day))
				return true;
		}
	}
	return false;
}

/* Holidays are not looked at: a moment that turns out to change nothing does no harm. */
int64_t when_next(const struct when *w, int64_t wall_s)
{
	int64_t today = civil_day_of(wall_s), next = (today + 8) * CIVIL_DAY;
	for (size_t i = 0; i < w->n; i++) {
		const struct span *span = &w->spans[i];
		for (int64_t day = today - 8; day <= today + 7; day++) {
			int64_t a = day * CIVIL_DAY + (int64_t)span->start * 60,
				b = a + (int64_t)span->length * 60;
			if (a > wall_s && a < next)
				next = a;
			if (b > wall_s && b < next)
				next = b;
		}
	}
	return next;
}
