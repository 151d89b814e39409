/* Texts of /proc about memory; see kernel.h. */
#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool kernel_value(const char *text, const char *name, double *out)
{
	size_t n = strlen(name);

	for (const char *p = text; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
		if (strncmp(p, name, n) != 0 || (p[n] != ':' && p[n] != ' '))
			continue;
		p += n + 1;
		p += strspn(p, " \t");
		char *end;
		uint64_t v = strtoull(p, &end, 10);
		if (*p < '0' || *p > '9')
			return false;
		*out = strncmp(end, " kB", 3) == 0 ? (double)v * 1024 : (double)v;
		return true;
	}
	return false;
}

static bool psi_line(const char *text, const char *word, double *out)
{
	const char *p = strstr(text, word);
	double v;

	if (!p || sscanf(p + strlen(word), " avg10=%*31[0-9.] avg60=%31lf", &v) != 1 || !(v >= 0 && v <= 100))
		return false;
	*out = v;
	return true;
}

bool psi_parse(const char *text, struct psi *out)
{
	memset(out, 0, sizeof *out);
	out->some_known = psi_line(text, "some", &out->some);
	out->full_known = psi_line(text, "full", &out->full);
	return out->some_known || out->full_known;
}

bool filenr_parse(const char *text, double *used, double *max)
{
	unsigned long long a, b, c;

	if (sscanf(text, "%20llu %20llu %20llu", &a, &b, &c) != 3 || c == 0)
		return false;
	*used = (double)a;
	*max = (double)c;
	return true;
}
