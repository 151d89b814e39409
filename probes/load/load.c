/*
 * Parsers of the load probe. Called by check_load.c and its tests; no state.
 */
#include "load.h"

#include <stdio.h>
#include <string.h>

#include "lib/config/units.h"

const int load_minutes[3] = { 1, 5, 15 };

/* One field up to a blank; false when it is longer than the buffer or not a number. */
static bool next_number(const char **p, double *v)
{
	char word[32];
	size_t n = strcspn(*p, " \n");

	if (n == 0 || n >= sizeof word)
		return false;
	memcpy(word, *p, n);
	word[n] = '\0';
	*p += n;
	*p += strspn(*p, " ");
	return units_number(word, v, NULL) && *v >= 0;
}

bool load_parse(const char *text, struct load_avg *avg, const char **why)
{
	const char *p = text;

	memset(avg, 0, sizeof *avg);
	avg->running = avg->procs = -1;
	for (int i = 0; i < 3; i++)
		if (!next_number(&p, &avg->load[i])) {
			*why = "it does not start with three numbers";
			return false;
		}
	long running, procs;
	if (sscanf(p, "%9ld/%9ld", &running, &procs) == 2 && running >= 0 && procs >= 0) {
		avg->running = running;
		avg->procs = procs;
	}
	return true;
}

bool load_triple(const char *text, double out[3], const char **why)
{
	const char *reason = NULL, *p = text;
	int n = 0;

	if (!why)
		why = &reason;
	for (;;) {
		char word[32];
		size_t len = strcspn(p, ",");
		if (n == 3 || len == 0 || len >= sizeof word) {
			*why = n == 3 ? "more than three numbers"
				      : "must be LOAD1,LOAD5,LOAD15 or one number";
			return false;
		}
		memcpy(word, p, len);
		word[len] = '\0';
		if (!units_number(word, &out[n], why))
			return false;
		if (out[n] < 0) {
			*why = "a load is never below 0";
			return false;
		}
		n++;
		p += len;
		if (*p == '\0')
			break;
		p++;
	}
	for (; n < 3; n++)
		out[n] = out[n - 1];
	return true;
}
