/* What a person's message says; see answer.h. */
#include "answer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/config/units.h"

/* --- normalising ----------------------------------------------------------------------------------- */

/* What stands for an ASCII character (full-width forms, wide and odd spaces), at s: the character, and how
 * many bytes it took; 0: nothing to replace. '\0' with a length: leave it out. */
static size_t plain_form(const char *s, char *c)
{
	const unsigned char *u = (const unsigned char *)s;
	static const struct {
		const char *bytes;
		char c;
	} forms[] = {{"\u00a0", ' '}, {"\u3000", ' '}, {"\u2009", ' '}, {"\u202f", ' '},
		     {"\u200b", 0},   {"\ufeff", 0},   {"\u3002", '.'}, {"\u3001", ','}};
	if (u[0] == 0xef && ((u[1] == 0xbc && u[2] >= 0x81 && u[2] <= 0xbf) ||
			     (u[1] == 0xbd && u[2] >= 0x80 && u[2] <= 0x9e))) {
		*c = (char)((u[1] - 0xbc) * 0x40 + u[2] - 0x60); /* U+FF01 is '!' */
		return 3;
	}
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		size_t n = strlen(forms[i].bytes);
		if (strncmp(s, forms[i].bytes, n) == 0) {
			*c = forms[i].c;
			return n;
		}
	}
	return 0;
}

/* Copies what fits, without leading blanks and without cutting a character. */
static void normalise(const char *text, char *out, size_t size)
{
	size_t n = 0;
	while (*text && n + 1 < size) {
		char c = *text;
		size_t took = plain_form(text, &c);
		text += took ? took : 1;
		if (took && !c)
			continue;
		if (c == '\t' || c == '\r' || c == '\v' || c == '\f')
			c = ' ';
		if (n || (c != ' ' && c != '\n'))
			out[n++] = c;
	}
	if (((unsigned char)*text & 0xc0) == 0x80) /* cut within a character */
		while (n && ((unsigned char)out[--n] & 0xc0) == 0x80)
			;
	while (n && (out[n - 1] == ' ' || out[n - 1] == '\n'))
		n--;
	out[n] = '\0';
}

/* --- quotes ---------------------------------------------------------------------------------------- */

static bool begins(const char *s, const char *with)
{
	return strncasecmp(s, with, strlen(with)) == 0;
}

/* "#K7Q2M": a page says that, a person has no need to. */
static bool holds_incident(const char *s)
{
	while ((s = strchr(s, '#'))) {
		size_t n = strspn(++s, "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789");
		if (n == 5 && strcspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") < 5)
			return true;
	}
	return false;
}

static bool looks_quoted(const char *s)
{
	static const char *const marks[] = {
	    ">",   "|",	  "\"",	 "\u201c", "\u00ab", "\u300c", "\u300e", "fwd",
	    "fw:", "re:", "aw:", "wg:",	   "tr:",    "転送",   "forward"};
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		if (begins(s, marks[i]))
			return true;
	for (const char *line = s; (line = strchr(line, '\n')); line++) {
		const char *first = line + 1 + strspn(line + 1, " ");
		if (*first == '>' || *first == '|')
			return true;
	}
	return false;
}

bool answer_echoes(const char *message, const char *page_text)
{
	enum { ENOUGH = 12 };
	char plain[ANSWER_TEXT_MAX];
	size_t n = strcspn(page_text, "\n");
	normalise(message, plain, sizeof plain);
	for (size_t at = 0; at + ENOUGH <= n; at += ENOUGH) {
		char piece[ENOUGH + 1];
		snprintf(piece, sizeof piece, "%.*s", (int)ENOUGH, page_text + at);
		if (strstr(plain, piece))
			return true;
	}
	return false;
}

/* --- words ----------------------------------------------------------------------------------------- */

static bool is_word_byte(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip(const char *s, const char *what)
{
	return s + strspn(s, what);
}

static const struct {
	const char *word;
	enum answer_verb verb;
} verbs[] = {
    {"acknowledged", ANSWER_ACK}, {"acknowledge", ANSWER_ACK}, {"ack", ANSWER_ACK},
    {"ok", ANSWER_ACK},		  {"了解", ANSWER_ACK},	       {"確認", ANSWER_ACK},
    {"対応", ANSWER_ACK},	  {"status", ANSWER_STATUS},   {"状況", ANSWER_STATUS},
    {"状態", ANSWER_STATUS},	  {"down", ANSWER_DOWN},       {"downtime", ANSWER_DOWN},
    {"停止", ANSWER_DOWN},	  {"up", ANSWER_UP},	       {"再開", ANSWER_UP},
    {"help", ANSWER_HELP},	  {"ヘルプ", ANSWER_HELP},     {"?", ANSWER_STATUS},
};

/* The verb at the beginning; *s moves behind it. A Latin word ends where its letters do ("acknowledging" is
 * none), a Japanese one ends by itself. */
static enum answer_verb take_verb(const char **s)
{
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		size_t n = strlen(verbs[i].word);
		if (!begins(*s, verbs[i].word) || (is_word_byte(verbs[i].word[0]) && is_word_byte((*s)[n])))
			continue;
		*s += n;
		return verbs[i].verb;
	}
	return ANSWER_NONE;
}

/* Digits that can be a code, and nothing that makes them part of something else ("4821s", "4821:30"). */
static bool take_code(const char **s, char code[CODE_DIGITS_MAX + 1])
{
	size_t n = strspn(*s, "0123456789");
	char next = (*s)[n];
	if (n < CODE_DIGITS_MIN || n > CODE_DIGITS_MAX || is_word_byte(next))
		return false;
	if (next && strchr(":.-/,", next) && is_digit((*s)[n + 1]))
		return false;
	memcpy(code, *s, n);
	code[n] = '\0';
	*s += n;
	return true;
}

/* One line without control characters, cut between characters. */
static void take_comment(const char *s, char *out, size_t size)
{
	size_t n = 0;
	for (s = skip(s, " :,.;-\n"); *s; s++) {
		if (n + 1 == size) {
			while (n && ((unsigned char)*s & 0xc0) == 0x80)
				s--, n--;
			break;
		}
		out[n++] = (unsigned char)*s < 0x20 || *s == 0x7f ? ' ' : *s;
	}
	out[n] = '\0';
}

/* --- DOWN and UP ----------------------------------------------------------------------------------- */

/* "2h", "30 min", "2時間"; *s moves behind it. -1: none. */
static int64_t take_span(const char **s)
{
	static const struct {
		const char *word;
		int64_t ms;
	} units[] = {{"minutes", 60000}, {"minute", 60000},  {"mins", 60000},	 {"min", 60000},
		     {"m", 60000},	 {"hours", 3600000}, {"hour", 3600000},	 {"hrs", 3600000},
		     {"hr", 3600000},	 {"h", 3600000},     {"days", 86400000}, {"day", 86400000},
		     {"d", 86400000},	 {"分", 60000},	     {"時間", 3600000},	 {"時", 3600000},
		     {"日", 86400000}};
	int64_t n = 0;
	const char *p = *s;
	for (; is_digit(*p) && n < 1000000; p++)
		n = n * 10 + (*p - '0');
	if (p == *s)
		return -1;
	p = skip(p, " ");
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		size_t len = strlen(units[i].word);
		if (!begins(p, units[i].word) ||
		    (is_word_byte(units[i].word[0]) && (is_word_byte(p[len]) || is_digit(p[len]))))
			continue;
		*s = p + len;
		return n * units[i].ms;
	}
	return -1;
}

/* The rest of the line: a code, an incident's id with or without '#', or a check's name. */
static void take_target(const char *s, struct answer *a)
{
	const char *p = s = skip(s, " :,");
	if (take_code(&p, a->code) && !*skip(p, " .\n"))
		return;
	a->code[0] = '\0';
	s = skip(s, "#");
	size_t n = strcspn(s, "\n");
	while (n && (s[n - 1] == ' ' || s[n - 1] == '.'))
		n--;
	if (n < sizeof a->name) {
		memcpy(a->name, s, n);
		a->name[n] = '\0';
	}
}

void answer_parse(const char *text, struct answer *a)
{
	char plain[ANSWER_TEXT_MAX];
	const char *s = plain;
	*a = (struct answer){.span_ms = -1};
	normalise(text, plain, sizeof plain);
	a->quoted = looks_quoted(plain);
	a->verb = take_verb(&s);
	if (a->verb == ANSWER_NONE && is_digit(*s))
		a->verb = ANSWER_ACK;
	if (a->verb == ANSWER_ACK) {
		s = skip(s, " :,.#-\n");
		if (!take_code(&s, a->code) && s == plain)
			a->verb = ANSWER_NONE;
		take_comment(s, a->comment, sizeof a->comment);
		a->quoted |= holds_incident(a->comment);
	} else if (a->verb == ANSWER_DOWN) {
		s = skip(s, " :,");
		a->span_ms = take_span(&s);
		take_target(s, a);
	} else if (a->verb == ANSWER_UP) {
		take_target(s, a);
	} else if (a->verb != ANSWER_NONE && strspn(s, " .!?\n") != strlen(s)) {
		a->verb = ANSWER_NONE; /* "help, it burns" is no request for help */
	}
}

/* --- deciding -------------------------------------------------------------------------------------- */

static enum answer_do decide_target(const struct answer_facts *f, enum answer_do live)
{
	switch (f->target) {
	case TARGET_NONE:
		return ANS_WHICH;
	case TARGET_WRONG:
		return ANS_WRONG;
	case TARGET_OVER:
		return live == ANS_UP ? ANS_UP : ANS_OVER;
	case TARGET_USED:
		return live == ANS_ACK ? ANS_ALREADY : live;
	case TARGET_LIVE:
		break;
	}
	return live;
}

static enum answer_do decide_down(const struct answer *a, const struct answer_facts *f)
{
	if (a->span_ms < ANSWER_DOWN_MIN_MS || a->span_ms > ANSWER_DOWN_MAX_MS)
		return ANS_SPAN;
	return decide_target(f, ANS_DOWN);
}

enum answer_do answer_decide(const struct answer *a, const struct answer_facts *f)
{
	if (!f->known)
		return ANS_IGNORE;
	if (a->quoted || (a->verb == ANSWER_ACK && f->echo))
		return ANS_QUOTED;
	switch (a->verb) {
	case ANSWER_ACK:
		if (!f->may_ack)
			return ANS_MAY_NOT;
		if (!a->code[0])
			return ANS_HINT;
		return f->wrong >= ANSWER_WRONG_MAX ? ANS_IGNORE : decide_target(f, ANS_ACK);
	case ANSWER_STATUS:
		return f->may_status ? ANS_STATUS : ANS_MAY_NOT;
	case ANSWER_DOWN:
		return f->may_downtime ? decide_down(a, f) : ANS_MAY_NOT;
	case ANSWER_UP:
		return f->may_downtime ? decide_target(f, ANS_UP) : ANS_MAY_NOT;
	case ANSWER_HELP:
		return ANS_HELP;
	case ANSWER_NONE:
		break;
	}
	return f->echo ? ANS_QUOTED : ANS_HINT;
}

bool answer_is_answered(enum answer_do what, const struct answer_facts *f)
{
	return what != ANS_IGNORE && f->known && f->answers < f->limit;
}

/* --- codes ----------------------------------------------------------------------------------------- */

void answer_code(uint64_t random, int digits, char out[CODE_DIGITS_MAX + 1])
{
	for (int i = 0; i < digits && i < CODE_DIGITS_MAX; i++) {
		int base = i ? 10 : 9;
		out[i] = (char)('0' + !i + (int)(random % (unsigned)base));
		random /= (unsigned)base;
	}
	out[digits < CODE_DIGITS_MAX ? digits : CODE_DIGITS_MAX] = '\0';
}

int answer_code_digits(size_t out)
{
	return out < 450 ? 4 : out < 4500 ? 5 : 6;
}
