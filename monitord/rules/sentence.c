/* Sentences; see sentence.h. */
#include "sentence.h"

#include <stdio.h>
#include <string.h>

#include "diagfacts.h"

/* Not in the middle of a character. */
static void mend_end(char *out)
{
	size_t n = strlen(out), k = n;
	while (k && ((unsigned char)out[k - 1] & 0xc0) == 0x80)
		k--;
	if (!k || (unsigned char)out[k - 1] < 0xc0)
		return;
	unsigned char lead = (unsigned char)out[k - 1];
	size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	if (n - k + 1 < want)
		out[k - 1] = 0;
}

static void append(char *out, size_t size, const char *text)
{
	size_t n = strlen(out);
	snprintf(out + n, size - n, "%s", text);
}

void sentence_add(char *out, size_t size, const char *text)
{
	append(out, size, text);
	mend_end(out);
}

static bool known_of(const struct diag_name *d, const char *probe, const char *fact, char as, char *out,
		     size_t size)
{
	for (size_t i = 0; i < d->nbound; i++)
		if (strcmp(d->bound[i]->probe, probe) == 0 &&
		    diag_show(d->bound[i], fact, as, out, size))
			return true;
	return false;
}

/* The fact that a probe stands for: its own, or that of the next one which names one. */
static const char *fact_of(const char *const *part, size_t n, size_t i)
{
	for (; i < n; i++) {
		const char *dot = strchr(part[i], '.');
		if (dot)
			return dot + 1;
	}
	return "";
}

/* "queue|log.top_client", "log.top_client_per_min|queue.growth_per_min": the first that is known. */
static bool first_known(const struct diag_name *d, char *path, char as, char *out, size_t size)
{
	const char *part[TERM_ALTERNATIVES];
	size_t n = 0;
	char *rest = path;
	while (rest && n < TERM_ALTERNATIVES) {
		part[n++] = rest;
		if ((rest = strchr(rest, '|')))
			*rest++ = 0;
	}
	for (size_t i = 0; i < n; i++) {
		char probe[TERM_WORD];
		snprintf(probe, sizeof probe, "%.*s", (int)strcspn(part[i], "."), part[i]);
		if (known_of(d, probe, fact_of(part, n, i), as, out, size))
			return true;
	}
	return false;
}

static void cut(char *piece)
{
	if (strlen(piece) <= SENTENCE_NAME_MAX)
		return;
	piece[SENTENCE_NAME_MAX - 2] = 0;
	mend_end(piece);
	append(piece, SENTENCE_NAME_MAX + 1, "..");
}

/* What stands between the braces; false: unknown. */
static bool fill(const struct diag_name *d, const char *s, size_t n, char *out, size_t size)
{
	char path[200];
	if (!n || n >= sizeof path)
		return false;
	memcpy(path, s, n);
	path[n] = 0;
	char as = path[n - 1] == '%' || path[n - 1] == '~' ? path[n - 1] : 0;
	if (as)
		path[n - 1] = 0;
	if (!first_known(d, path, as, out, size))
		return false;
	cut(out);
	return true;
}

/* A part that begins with a comma, and what was to stand before it was left out. */
static bool comma_too_many(const char *part, const char *out)
{
	size_t n = strlen(out);
	return strncmp(part, "[, ", 3) == 0 && (n == 0 || (n > 1 && strcmp(out + n - 2, ": ") == 0));
}

void diag_sentence(const char *text, const struct diag_name *d, char *out, size_t size)
{
	char piece[FACT_TEXT_MAX + 8];
	size_t mark = 0;
	bool known = true;
	*out = 0;
	for (const char *s = text; *s; s++) {
		const char *end = *s == '{' ? strchr(s, '}') : NULL;
		if (*s == '[') {
			mark = strlen(out);
			known = true;
			if (comma_too_many(s, out))
				s += 2;
		} else if (*s == ']') {
			if (!known)
				out[mark] = 0;
		} else if (end) {
			bool ok = fill(d, s + 1, (size_t)(end - s - 1), piece, sizeof piece);
			append(out, size, ok ? piece : "unknown");
			known = known && ok;
			s = end;
		} else {
			append(out, size, (char[]){*s, 0});
		}
	}
	mend_end(out);
}
