/* See allow.h. */
#include "allow.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVERY_DEFAULT_MS = 60000, WORDS_MAX = RESET_ARGS_MAX + 3, LINE_BYTES = 1024 };

/* As under /sys/bus/usb/devices: bus-port.port...; never a way out of that directory. */
static bool usb_name_ok(const char *s)
{
	return isdigit((unsigned char)s[0]) && strspn(s, "0123456789-.") == strlen(s) &&
	       strchr(s, '-') != NULL && strstr(s, "..") == NULL && strlen(s) <= RESET_NAME_MAX;
}

static bool power_name_ok(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= RESET_NAME_MAX &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == n;
}

/* Words of a line, in place. SIZE_MAX: too many, or a quote that does not end. */
static size_t split(char *line, char *word[WORDS_MAX])
{
	size_t n = 0;

	for (char *p = line; *p != '\0';) {
		char end = ' ';

		while (isspace((unsigned char)*p))
			p++;
		if (*p == '\0' || *p == '#')
			break;
		if (*p == '"')
			end = *p++;
		if (n == WORDS_MAX)
			return SIZE_MAX;
		word[n++] = p;
		while (*p != '\0' && (end == '"' ? *p != '"' : !isspace((unsigned char)*p)))
			p++;
		if (*p == '\0' && end == '"')
			return SIZE_MAX;
		if (*p != '\0')
			*p++ = '\0';
	}
	return n;
}

static bool add_rule(struct reset_allow *a, bool power, char *word[], size_t n)
{
	struct reset_rule *r = &a->v[a->n];

	if (a->n == RESET_RULES_MAX)
		return false;
	*r = (struct reset_rule){.power = power};
	snprintf(r->name, sizeof(r->name), "%s", word[1]);
	a->n++;
	for (size_t i = 2; i < n; i++) {
		r->argv[r->argc] = strdup(word[i]);
		if (r->argv[r->argc] == NULL)
			return false;
		r->argc++;
	}
	return true;
}

/* NULL: good. */
static const char *read_line(struct reset_allow *a, char *line)
{
	char *word[WORDS_MAX];
	size_t n = split(line, word);

	if (n == SIZE_MAX)
		return "too many words, or a quote that does not end";
	if (n == 0)
		return NULL;
	if (strcmp(word[0], "every") == 0) {
		long s = n == 2 ? strtol(word[1], NULL, 10) : 0;

		if (s < 1 || s > 86400)
			return "write: every SECONDS, 1 to 86400";
		a->every_ms = s * 1000;
		return NULL;
	}
	if (strcmp(word[0], "usb") == 0) {
		if (n != 2 || !usb_name_ok(word[1]))
			return "write: usb NAME, such as usb 1-1.2";
		return add_rule(a, false, word, n) ? NULL : "too many rules";
	}
	if (strcmp(word[0], "power") != 0)
		return "begins with none of usb, power, every";
	if (n < 3 || !power_name_ok(word[1]))
		return "write: power NAME /PROGRAM [ARGUMENT...]";
	if (word[2][0] != '/')
		return "the program must be an absolute path";
	return add_rule(a, true, word, n) ? NULL : "too many rules";
}

bool reset_allow_read(struct reset_allow *a, const char *text, char *why, size_t size)
{
	unsigned number = 0;

	memset(a, 0, sizeof(*a));
	a->every_ms = EVERY_DEFAULT_MS;
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");
		char line[LINE_BYTES];
		const char *bad = "longer than 1000 bytes";

		number++;
		if (n < sizeof(line)) {
			memcpy(line, text, n);
			line[n] = '\0';
			bad = strlen(line) == n ? read_line(a, line) : "a zero byte";
		}
		if (bad != NULL) {
			snprintf(why, size, "line %u: %s", number, bad);
			reset_allow_free(a);
			return false;
		}
		text += n + (text[n] == '\n');
	}
	return true;
}

void reset_allow_free(struct reset_allow *a)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t k = 0; k < a->v[i].argc; k++)
			free(a->v[i].argv[k]);
	memset(a, 0, sizeof(*a));
}

void reset_allow_keep_times(struct reset_allow *a, const struct reset_allow *old)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t k = 0; k < old->n; k++)
			if (a->v[i].power == old->v[k].power && strcmp(a->v[i].name, old->v[k].name) == 0)
				a->v[i].last_ms = old->v[k].last_ms;
}

bool reset_allow_recent(const struct reset_allow *a, int64_t now)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].last_ms != 0 && now - a->v[i].last_ms < a->every_ms)
			return true;
	return false;
}

struct reset_rule *reset_allow_find(struct reset_allow *a, const char *request, int64_t now, char *why,
				    size_t size)
{
	bool power = strncmp(request, "power ", 6) == 0;
	const char *name = request + (power ? 6 : 4);

	if (!power && strncmp(request, "usb ", 4) != 0) {
		snprintf(why, size, "not understood");
		return NULL;
	}
	for (size_t i = 0; i < a->n; i++) {
		struct reset_rule *r = &a->v[i];

		if (r->power != power || strcmp(r->name, name) != 0)
			continue;
		if (r->last_ms == 0 || now - r->last_ms >= a->every_ms)
			return r;
		snprintf(why, size, "was reset %lld s ago; at most every %lld s",
			 (long long)(now - r->last_ms) / 1000, (long long)a->every_ms / 1000);
		return NULL;
	}
	snprintf(why, size, "not allowed");
	return NULL;
}
