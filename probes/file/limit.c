/* Limits of the file probe; see limit.h. */
#include "limit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_age(int i)
{
	return i == LIMIT_AGE_W || i == LIMIT_AGE_C;
}

static bool plain(int i, const char *text, int64_t *v)
{
	if (!is_age(i))
		return units_size(text, v, NULL);
	if (!units_duration(text, v, NULL))
		return false;
	*v /= 1000;
	return true;
}

bool file_limits(const char *const text[LIMITS], struct range out[LIMITS], int *bad, const char **why)
{
	bool ranges = false;
	int64_t v[LIMITS] = {0};

	memset(out, 0, LIMITS * sizeof out[0]);
	for (int i = 0; i < LIMITS; i++)
		ranges |= text[i] && !plain(i, text[i], &v[i]);
	for (*bad = 0; *bad < LIMITS; ++*bad) {
		int i = *bad;
		if (!text[i])
			continue;
		if (ranges && !units_range(text[i], &out[i], why))
			return false;
		if (!ranges)
			out[i] = is_age(i)
				     ? (struct range){.set = true, .start = -INFINITY, .end = (double)v[i]}
				     : (struct range){.set = true, .start = (double)v[i], .end = INFINITY};
	}
	return true;
}

bool file_mode(const char *text, mode_t *out)
{
	char *end;
	long v = strtol(text, &end, 8);

	if (*text < '0' || *text > '7' || *end || v < 0 || v > 07777)
		return false;
	*out = (mode_t)v;
	return true;
}
