/* Facts of a check; see diagfacts.h. */
#include "diagfacts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/json.h"

static const struct diag_past *past_of(const struct diag_check *c, const char *fact)
{
	for (size_t i = 0; i < c->npast; i++)
		if (strcmp(c->past[i].name, fact) == 0)
			return &c->past[i];
	return NULL;
}

bool diag_number(const struct diag_check *c, const char *fact, double *out)
{
	const cJSON *f = cJSON_GetObjectItemCaseSensitive(c->facts, fact);
	const struct diag_past *p = past_of(c, fact);
	if (strcmp(fact, "state") == 0)
		*out = c->state;
	else if (p && !p->text[0])
		*out = p->value;
	else if (!p && cJSON_IsNumber(f))
		*out = f->valuedouble;
	else
		return false;
	return true;
}

const char *diag_word(const struct diag_check *c, const char *fact)
{
	const cJSON *f = cJSON_GetObjectItemCaseSensitive(c->facts, fact);
	const struct diag_past *p = past_of(c, fact);
	return strcmp(fact, "layer") == 0   ? c->layer
	       : strcmp(fact, "state") == 0 ? nag_name(c->state)
	       : strcmp(fact, "host") == 0  ? (*c->host ? c->host : c->name)
	       : strcmp(fact, "check") == 0 ? c->name
	       : p && p->text[0]	    ? p->text
	       : !p && cJSON_IsString(f)    ? f->valuestring
					    : NULL;
}

/* 100003 -> "100,003" */
static void grouped(double v, char *out, size_t size)
{
	char plain[40];
	snprintf(plain, sizeof plain, fabs(v) < 10 && fabs(v - round(v)) > 0.05 ? "%.1f" : "%.0f", v);
	size_t n = strcspn(plain, "."), k = 0;
	for (size_t i = 0; plain[i] && k + 2 < size; i++) {
		if (i && i < n && (n - i) % 3 == 0 && plain[i - 1] != '-')
			out[k++] = ',';
		out[k++] = plain[i];
	}
	out[k] = 0;
}

char *diag_when(int64_t wall_ms, char *out, size_t size)
{
	char text[32];
	clock_text(wall_ms, text, sizeof text);
	snprintf(out, size, "%.11s", strlen(text) > 5 ? text + 5 : text);
	return out;
}

static void number_text(double v, char as, char *out, size_t size)
{
	if (as == '%')
		snprintf(out, size, "%.0f %%", v * 100);
	else if (as == '~' && fabs(v) < 1e12)
		clock_span((int64_t)(v * 1000), out, size);
	else
		grouped(v, out, size);
}

bool diag_show(const struct diag_check *c, const char *fact, char as, char *out, size_t size)
{
	double v;
	const char *w = diag_word(c, fact);
	if (strcmp(fact, "since") == 0 && c->since_ms)
		diag_when(c->since_ms, out, size);
	else if (w && *w)
		snprintf(out, size, "%s", w);
	else if (!w && diag_number(c, fact, &v))
		number_text(v, as, out, size);
	else
		return false;
	return true;
}
