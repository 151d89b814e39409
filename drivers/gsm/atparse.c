/*
 * Splits a modem's bytes into lines and tells lines apart, for at.c and the simulated modem's tests. Every
 * byte here is foreign.
 */
#include "atparse.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void at_lines_init(struct at_lines *l)
{
	memset(l, 0, sizeof(*l));
}

enum at_fed at_lines_feed(struct at_lines *l, char byte)
{
	bool had;

	if (byte == '\r' || byte == '\n') {
		had = l->len > 0 && !l->overlong;
		l->dropped += l->overlong;
		l->line[l->len] = '\0';
		l->len = 0;
		l->overlong = false;
		return had ? AT_FED_LINE : AT_FED_NOTHING;
	}
	/* line noise and NULs of a modem that just woke up; a DEL or 8-bit byte stays and spoils its line
	 * only */
	if ((unsigned char)byte < 0x20)
		return AT_FED_NOTHING;
	if (l->len >= AT_LINE_MAX) {
		l->overlong = true;
		return AT_FED_NOTHING;
	}
	l->line[l->len++] = byte;
	if (l->len == 2 && l->line[0] == '>' && l->line[1] == ' ') {
		l->len = 0;
		return AT_FED_PROMPT;
	}
	return AT_FED_NOTHING;
}

static bool starts(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

static int error_code(const char *text)
{
	char *end;
	long v;

	while (*text == ' ')
		text++;
	if (!isdigit((unsigned char)*text))
		return -1;
	v = strtol(text, &end, 10);
	return v >= 0 && v <= 65535 ? (int)v : -1;
}

static bool one_of(const char *line, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(line, list[i]) == 0)
			return true;
	return false;
}

bool at_call_end(const char *line)
{
	static const char *const ends[] = {"NO CARRIER", "NO DIALTONE", "NO DIAL TONE", "BUSY", "NO ANSWER"};

	return one_of(line, ends, sizeof(ends) / sizeof(ends[0]));
}

enum at_kind at_classify(const char *line, int *code)
{
	static const char *const errors[] = {"ERROR", "COMMAND NOT SUPPORT", "TOO MANY PARAMETERS"};

	*code = -1;
	if (strcmp(line, "OK") == 0)
		return AT_LINE_OK;
	if (one_of(line, errors, sizeof(errors) / sizeof(errors[0])) || at_call_end(line))
		return AT_LINE_ERROR;
	if (starts(line, "+CME ERROR:")) {
		*code = error_code(line + 11);
		return AT_LINE_CME;
	}
	if (starts(line, "+CMS ERROR:")) {
		*code = error_code(line + 11);
		return AT_LINE_CMS;
	}
	return AT_LINE_OTHER;
}

static bool any(const char *line, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (starts(line, list[i]))
			return true;
	return false;
}

#define ANY(line, list) any(line, list, sizeof(list) / sizeof((list)[0]))

bool at_pdu_follows(const char *line)
{
	static const char *const with[] = {"+CMT:", "+CDS:", "+CMGR:", "+CMGL:", "+CBM:"};

	return ANY(line, with);
}

bool at_unsolicited(const char *line)
{
	static const char *const said[] = {
		"RING", "+CRING:", "+CLIP:", "+CMTI:", "+CMT:", "+CDS:", "+CDSI:", "+CBM:", "+CBMI:",
		"+CREG:", "+CEREG:",
		"+CGREG:", "+CUSD:", "+CIEV:", "+CSSI:", "+CSSU:", "+CTZV:", "+CGEV:", "+CCWA:", "^", "RDY",
		"SMS READY",
		"SMS Ready", "Call Ready", "+CPIN:", "+CFUN:", "*PSUTTZ", "NORMAL POWER DOWN", "+PBREADY",
	};

	return ANY(line, said);
}

/* The start and length of a parameter, quotes included; false when there are not so many. */
static bool find_param(const char *line, size_t index, const char **start, size_t *len)
{
	const char *p = strchr(line, ':');
	bool quoted = false;

	if (p == NULL)
		return false;
	p++;
	while (*p == ' ')
		p++;
	for (*start = p;; p++) {
		if (*p == '"') {
			quoted = !quoted;
		} else if (*p == '\0' || (*p == ',' && !quoted)) {
			if (index == 0) {
				*len = (size_t)(p - *start);
				return true;
			}
			if (*p == '\0')
				return false;
			index--;
			*start = p + 1;
		}
	}
}

long at_number(const char *line, size_t index, long dflt)
{
	const char *start;
	size_t len;
	char text[24], *end;
	long v;

	if (!find_param(line, index, &start, &len) || len == 0 || len >= sizeof(text))
		return dflt;
	memcpy(text, start, len);
	text[len] = '\0';
	v = strtol(text, &end, 10);
	while (*end == ' ')
		end++;
	return end == text || *end != '\0' ? dflt : v;
}

bool at_param(const char *line, size_t index, char *out, size_t size)
{
	const char *start;
	size_t len;

	if (!find_param(line, index, &start, &len))
		return false;
	while (len > 0 && (*start == ' ' || *start == '"')) {
		start++;
		len--;
	}
	while (len > 0 && (start[len - 1] == ' ' || start[len - 1] == '"'))
		len--;
	snprintf(out, size, "%.*s", (int)len, start);
	return true;
}

int at_registration(const char *line)
{
	long second = at_number(line, 1, -1), first = at_number(line, 0, -1);

	/* an answer has two plain numbers; unsolicited, the second parameter is an area code in quotes or
	 * absent */
	return second >= 0 && second <= 15 ? (int)second : first >= 0 && first <= 15 ? (int)first : -1;
}

bool at_registered(int stat)
{
	return stat == 1 || stat == 5 || stat == 6 || stat == 7;
}

const char *at_registration_text(int stat)
{
	static const char *const text[] = {
		"not registered, not searching", "registered", "searching for a network",
		"registration denied",
		"registration unknown (no coverage)", "registered, roaming", "registered for SMS only",
		"registered for SMS only, roaming", "emergency calls only",
	};

	return stat >= 0 && stat < (int)(sizeof(text) / sizeof(text[0])) ? text[stat]
									 : "registration unknown";
}

