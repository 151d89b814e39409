/* Lines, parts and addresses of queue files; see message.h. Called by the readers of each kind of file. */
#include "message.h"

#include <string.h>

static bool next(struct queue_slice *rest, struct queue_slice *out, char end, bool *whole)
{
	const char *at;

	if (!rest->len)
		return false;
	at = memchr(rest->at, end, rest->len);
	out->at = rest->at;
	out->len = at ? (size_t)(at - rest->at) : rest->len;
	if (whole)
		*whole = at != NULL;
	rest->at += out->len + (at ? 1 : 0);
	rest->len -= out->len + (at ? 1 : 0);
	return true;
}

bool queue_line(struct queue_slice *rest, struct queue_slice *line, bool *whole)
{
	return next(rest, line, '\n', whole);
}

bool queue_part(struct queue_slice *rest, struct queue_slice *part, bool *whole)
{
	return next(rest, part, '\0', whole);
}

void queue_keep(char *to, size_t size, struct queue_slice from)
{
	size_t n = strnlen(from.at, from.len < size - 1 ? from.len : size - 1);

	memcpy(to, from.at, n);
	to[n] = '\0';
}

bool queue_begins(struct queue_slice line, const char *word, struct queue_slice *rest)
{
	size_t n = strlen(word);

	if (line.len < n || memcmp(line.at, word, n) != 0)
		return false;
	rest->at = line.at + n;
	rest->len = line.len - n;
	return true;
}

int64_t queue_seconds(struct queue_slice text)
{
	int64_t v = 0;
	size_t i = 0;

	for (; i < text.len && text.at[i] >= '0' && text.at[i] <= '9'; i++) {
		v = v * 10 + (text.at[i] - '0');
		if (v > INT64_MAX / 100000)
			return 0;
	}
	return i ? v * 1000 : 0;
}

struct queue_slice queue_unbracket(struct queue_slice s)
{
	if (s.len >= 2 && s.at[0] == '<' && s.at[s.len - 1] == '>') {
		s.at++;
		s.len -= 2;
	}
	return s;
}

void queue_rcpt(const struct queue_sink *to, struct queue_message *m, struct queue_slice address, bool done)
{
	char text[QUEUE_ADDRESS_MAX];

	if (done)
		m->done++;
	else
		m->todo++;
	if (!to->rcpt)
		return;
	queue_keep(text, sizeof(text), address);
	to->rcpt(to->arg, text, done);
}
