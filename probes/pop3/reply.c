/*
 * Reads POP3 answers (see reply.h). Called by session.c; promises to stay inside the bytes it is given
 * whatever they are.
 */
#include "reply.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "probes/net/sasl.h"

struct scan {
	const char *p, *end;
};

/* Jumps over a whole word, without regard to case; false when another one is there. */
static bool word(struct scan *s, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(s->end - s->p) < n || strncasecmp(s->p, text, n) != 0)
		return false;
	if (s->p + n < s->end && s->p[n] != ' ')
		return false;
	s->p += n;
	while (s->p < s->end && *s->p == ' ')
		s->p++;
	return true;
}

static bool number(struct scan *s, uint64_t *v)
{
	const char *start = s->p;

	*v = 0;
	for (; s->p < s->end && isdigit((unsigned char)*s->p); s->p++) {
		if (*v > (UINT64_MAX - 9) / 10)
			return false;
		*v = *v * 10 + (uint64_t)(*s->p - '0');
	}
	return s->p > start && (s->p == s->end || *s->p == ' ');
}

enum pop3_status pop3_status(const char *line, size_t n)
{
	struct scan s = {line, line + n};

	if (word(&s, "+OK"))
		return POP3_OK;
	if (word(&s, "-ERR"))
		return POP3_ERR;
	return n > 0 && line[0] == '+' && (n == 1 || line[1] == ' ') ? POP3_CHALLENGE : POP3_NONSENSE;
}

char *pop3_text(const char *line, size_t n, char *out, size_t size)
{
	struct scan s = {line, line + n};
	size_t len = 0;

	if (!word(&s, "+OK"))
		word(&s, "-ERR");
	for (; s.p < s.end && len + 1 < size; s.p++)
		out[len++] = isprint((unsigned char)*s.p) ? *s.p : '?';
	out[len] = '\0';
	return out;
}

bool pop3_code(const char *line, size_t n, const char *code)
{
	struct scan s = {line, line + n};
	size_t len = strlen(code);

	return word(&s, "-ERR") && (size_t)(s.end - s.p) >= len + 2 && *s.p == '[' &&
	       strncasecmp(s.p + 1, code, len) == 0 && s.p[len + 1] == ']';
}

bool pop3_stat(const char *line, size_t n, uint64_t *messages, uint64_t *octets)
{
	struct scan s = {line, line + n};

	if (!word(&s, "+OK") || !number(&s, messages) || s.p == s.end)
		return false;
	s.p++;
	return number(&s, octets);
}

bool pop3_uid(const char *line, size_t n, uint64_t number_asked, char uid[POP3_UIDL_MAX + 1])
{
	struct scan s = {line, line + n};
	uint64_t number_said;
	size_t len = 0;

	if (!word(&s, "+OK") || !number(&s, &number_said) || number_said != number_asked || s.p == s.end)
		return false;
	for (s.p++; s.p < s.end && *s.p > ' ' && *s.p <= '~' && len < POP3_UIDL_MAX; s.p++)
		uid[len++] = *s.p;
	uid[len] = '\0';
	return len > 0 && s.p == s.end;
}

void pop3_capability(const char *line, size_t n, struct pop3_can *can)
{
	struct scan s = {line, line + n};

	if (word(&s, "STLS"))
		can->stls = true;
	else if (word(&s, "USER"))
		can->user = true;
	else if (word(&s, "SASL"))
		while (s.p < s.end) {
			int m = SASL_NONE + 1;

			while (m < SASL_MECHANISMS && !word(&s, sasl_name((enum sasl)m)))
				m++;
			if (m < SASL_MECHANISMS) {
				can->sasl |= 1U << m;
				continue;
			}
			while (s.p < s.end && *s.p != ' ')
				s.p++;
			while (s.p < s.end && *s.p == ' ')
				s.p++;
		}
}
