/*
 * Counts and judges the days of a certificate (see cert_days.h). Called by the probes that see one.
 */
#include "cert_days.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/config/units.h"

bool cert_days_parse(const char *text, int64_t *warn, int64_t *crit)
{
	char first[24];
	size_t n;

	if (!text)
		return false;
	n = strcspn(text, ",");
	if (n == 0 || n >= sizeof(first))
		return false;
	memcpy(first, text, n);
	first[n] = '\0';
	*crit = 0;
	if (!units_int(first, warn, NULL) || (text[n] && !units_int(text + n + 1, crit, NULL)))
		return false;
	return *crit >= 0 && *warn >= *crit && *warn <= 36500;
}

void cert_days_check(const char *text, const char *item, struct complaints *c)
{
	int64_t warn, crit;

	if (text && !cert_days_parse(text, &warn, &crit))
		complaint_add(c, NULL, item, text, "must be DAYS or DAYS,DAYS, the second not larger");
}

int64_t cert_days_left(int64_t not_after, int64_t now)
{
	int64_t s = not_after - now;

	return s >= 0 ? s / 86400 : -((-s + 86399) / 86400);
}

enum nag_state cert_days_judge(const char *text, int64_t days, struct perf *p)
{
	int64_t warn, crit;

	if (!cert_days_parse(text, &warn, &crit))
		return NAG_OK;
	if (p) {
		p->warn = (struct range){.set = true, .start = (double)warn + 1, .end = INFINITY};
		p->crit =
		    (struct range){.set = true, .start = crit > 0 ? (double)crit + 1 : 0, .end = INFINITY};
	}
	return days < 0 || (crit > 0 && days <= crit) ? NAG_CRITICAL : days <= warn ? NAG_WARNING : NAG_OK;
}

char *cert_days_say(int64_t days, char *out, size_t size)
{
	if (days < 0)
		snprintf(out, size, "ended %lld d ago", (long long)-days);
	else
		snprintf(out, size, "ends in %lld d", (long long)days);
	return out;
}
