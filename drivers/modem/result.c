/*
 * A modem's answers and the strings it dials; see result.h. For hayes.c and the notifiers that compose dial
 * strings. Every byte of an answer is foreign.
 */
#include "result.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The answers that are one of a few fixed texts. "at its start" are those that may be followed by more. */
static const struct {
	const char *text;
	enum hayes_result result;
	bool at_start;
} answers[] = {
    {"OK", HAYES_OK, false},
    {"ERROR", HAYES_ERROR, false},
    {"BUSY", HAYES_BUSY, false},
    {"NO DIALTONE", HAYES_NO_DIALTONE, false},
    {"NO DIAL TONE", HAYES_NO_DIALTONE, false},
    {"NO TONE", HAYES_NO_DIALTONE, false},
    {"NO LINE", HAYES_NO_DIALTONE, false},
    {"NO ANSWER", HAYES_NO_ANSWER, false},
    {"NO CARRIER", HAYES_NO_CARRIER, false},
    {"BLACKLISTED", HAYES_BLACKLISTED, true},
    {"DIAL LOCKED", HAYES_BLACKLISTED, false},
    {"CALL BARRED", HAYES_BLACKLISTED, false},
    {"VOICE", HAYES_VOICE, false},
    {"LINE IN USE", HAYES_IN_USE, false},
    {"LINE-IN-USE", HAYES_IN_USE, false},
    {"EXT. LINE IN USE", HAYES_IN_USE, false},
    {"RING", HAYES_RING, false},
};

static const struct {
	enum hayes_result result;
	const char *text;
} texts[] = {
    {HAYES_OK, "OK"},
    {HAYES_CONNECT, "CONNECT"},
    {HAYES_BUSY, "BUSY"},
    {HAYES_NO_DIALTONE, "NO DIALTONE"},
    {HAYES_NO_ANSWER, "NO ANSWER"},
    {HAYES_NO_CARRIER, "NO CARRIER"},
    {HAYES_DELAYED, "DELAYED"},
    {HAYES_BLACKLISTED, "BLACKLISTED"},
    {HAYES_VOICE, "VOICE"},
    {HAYES_IN_USE, "LINE IN USE"},
    {HAYES_ERROR, "ERROR"},
    {HAYES_TIMEOUT, "no answer from the modem"},
    {HAYES_GONE, "the device went away"},
    {HAYES_STOPPED, "stopped"},
    {HAYES_RING, "RING"},
    {HAYES_OTHER, "something else"},
};

const char *hayes_text(enum hayes_result r)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].result == r)
			return texts[i].text;
	return "?";
}

static bool ends_word(char c)
{
	return c == '\0' || c == ' ' || c == ':' || c == '/' || c == '\t';
}

/* "2400" behind blanks; 0: no number there, or one beyond all sense. */
static int number_at(const char *s)
{
	long v;

	while (*s == ' ' || *s == ':')
		s++;
	if (!isdigit((unsigned char)*s))
		return 0;
	v = strtol(s, NULL, 10);
	return v > 0 && v < 10000000 ? (int)v : 0;
}

/* "hh:mm:ss", "mm:ss" or seconds, behind blanks; at most a day. */
static int span_at(const char *s)
{
	long v = 0;

	while (*s == ' ' || *s == ':')
		s++;
	for (int i = 0; i < 3; i++) {
		v = v * 60 + number_at(s);
		if (v > 86400)
			return 86400;
		while (*s == ' ')
			s++;
		while (isdigit((unsigned char)*s))
			s++;
		if (*s != ':')
			break;
		s++;
	}
	return (int)v;
}

static struct hayes_said said(enum hayes_result r, int speed, int wait_s)
{
	return (struct hayes_said){.result = r, .speed = speed, .wait_s = wait_s};
}

struct hayes_said hayes_classify(const char *line)
{
	size_t len;

	/* a line going off the hook makes noise */
	while (*line != '\0' && ((unsigned char)*line <= ' ' || (unsigned char)*line >= 0x7F))
		line++;
	for (len = strlen(line); len > 0 && (unsigned char)line[len - 1] <= ' ';)
		len--;
	if (strncasecmp(line, "CONNECT", 7) == 0 && ends_word(line[7]))
		return said(HAYES_CONNECT, number_at(line + 7), 0);
	if (strncasecmp(line, "DELAYED", 7) == 0 && ends_word(line[7]))
		return said(HAYES_DELAYED, 0, span_at(line + 7));
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		size_t n = strlen(answers[i].text);

		if (strncasecmp(line, answers[i].text, n) == 0 &&
		    (len == n || (answers[i].at_start && ends_word(line[n]))))
			return said(answers[i].result, 0, 0);
	}
	return said(HAYES_OTHER, 0, 0);
}

/* --- what is dialled --------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c != '\0' && strchr("0123456789*#ABCDabcd", c) != NULL;
}

static bool is_for_the_reader(char c)
{
	return c != '\0' && strchr(" -.()", c) != NULL;
}

bool dial_string_ok(const char *s, char *why, size_t size)
{
	if (strlen(s) > DIAL_STRING_MAX) {
		snprintf(why, size, "longer than %d characters", DIAL_STRING_MAX);
		return false;
	}
	for (; *s != '\0'; s++) {
		if (is_digit(*s) || is_for_the_reader(*s) || strchr(",WwTtPp@!", *s) != NULL)
			continue;
		if (*s == '+')
			snprintf(why, size,
				 "\"+\" cannot be dialled on an analog line: write the digits as they "
				 "are dialled from there");
		else if (*s == ';')
			snprintf(why, size, "\";\" is put where it belongs; leave it out");
		else if (isprint((unsigned char)*s))
			snprintf(why, size, "\"%c\" cannot be dialled: 0-9 * # A-D , W @ ! only", *s);
		else
			snprintf(why, size, "what is not ASCII cannot be dialled: 0-9 * # A-D , W @ ! only");
		return false;
	}
	return true;
}

bool dial_string_tidy(const char *s, struct buf *out)
{
	for (; *s != '\0'; s++) {
		char c = (char)toupper((unsigned char)*s);

		if (!is_for_the_reader(c) && !buf_add(out, &c, 1))
			return false;
	}
	return true;
}

size_t dial_string_digits(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += is_digit(*s);
	return n;
}

bool dial_piece(const char *s, size_t *at, char tone, size_t max, char *out, size_t size)
{
	size_t left = strlen(s + *at), room = max - 5; /* "ATDT" and ";" */

	if (left == 0 || max < DIAL_PIECE_MIN || size <= max)
		return false;
	if (left < room)
		room = left;
	/* behind an "@" the modem tells whether somebody answered before anything else is dialled */
	for (size_t i = 0; i < room; i++)
		if (s[*at + i] == '@')
			room = i + 1;
	snprintf(out, size, "ATD%c%.*s;", tone, (int)room, s + *at);
	*at += room;
	return true;
}
