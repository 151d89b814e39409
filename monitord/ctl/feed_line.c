/* One line of monitorctl feed; see feed.h. Pure, and made for foreign bytes. */
#include <string.h>

#include "feed.h"

/* Cuts at the next c; NULL: there is none. */
static char *next_field(char **rest, char c)
{
	char *field = *rest, *end = strchr(field, c);
	if (!end)
		return NULL;
	*end = '\0';
	*rest = end + 1;
	return field;
}

static bool take_state(const char *text, int *state)
{
	if (text[0] < '0' || text[0] > '3' || text[1])
		return false;
	*state = text[0] - '0';
	return true;
}

/* "\n" becomes a line's end, "\\" a backslash. */
static void unescape(char *s)
{
	char *to = s;
	for (; *s; s++) {
		if (*s == '\\' && (s[1] == 'n' || s[1] == '\\'))
			*to++ = *++s == 'n' ? '\n' : '\\';
		else
			*to++ = *s;
	}
	*to = '\0';
}

/* UP, DOWN, UNREACHABLE as states of a check: what cannot be reached is as gone as what is down. */
static bool host_state(struct feed_line *l)
{
	if (l->state > 2)
		return false;
	l->state = l->state ? 2 : 0;
	return true;
}

/* HOST c SERVICE c RC c OUTPUT, or without the service. */
static bool take_fields(char *rest, char c, bool service, struct feed_line *out, const char **why)
{
	const char *host = next_field(&rest, c), *what = service ? next_field(&rest, c) : "";
	const char *rc = host && what ? next_field(&rest, c) : NULL;
	if (!rc || !*host || (service && !*what)) {
		*why = "host, service, a number from 0 to 3 and the output are needed";
		return false;
	}
	*out = (struct feed_line){.host = host, .service = what, .output = rest};
	if (!take_state(rc, &out->state) || (!service && !host_state(out))) {
		*why = service ? "its state is not a number from 0 to 3"
			       : "a host's state is not a number from 0 to 2";
		return false;
	}
	unescape(rest);
	return true;
}

/* Behind "[1700000000] ", which need not be there: what counts is when it came. */
static char *behind_time(char *line)
{
	char *end = line[0] == '[' ? strchr(line, ']') : NULL;
	if (!end || strspn(line + 1, "0123456789") != (size_t)(end - line - 1))
		return line;
	return end + 1 + (end[1] == ' ');
}

/* A field that is one digit, at a tab. */
static bool is_digit_field(const char *tab)
{
	return tab && tab[1] >= '0' && tab[1] <= '9' && tab[2] == '\t';
}

/* HOST RC OUTPUT has its number second; a service may be called "3", but then its state follows. */
static bool is_service(const char *line)
{
	const char *second = strchr(line, '\t');
	return !is_digit_field(second) || is_digit_field(second + 2);
}

bool feed_parse(char *line, struct feed_line *out, const char **why)
{
	static const char service[] = "PROCESS_SERVICE_CHECK_RESULT;", host[] = "PROCESS_HOST_CHECK_RESULT;";
	char *text = behind_time(line);
	if (strncmp(text, service, sizeof service - 1) == 0)
		return take_fields(text + sizeof service - 1, ';', true, out, why);
	if (strncmp(text, host, sizeof host - 1) == 0)
		return take_fields(text + sizeof host - 1, ';', false, out, why);
	if (strchr(text, '\t'))
		return take_fields(text, '\t', is_service(text), out, why);
	*why = "is neither a Nagios command for a check's result nor fields with tabs between";
	return false;
}
