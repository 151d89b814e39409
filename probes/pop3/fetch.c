/*
 * Messages of a POP3 session (see fetch.h). Called by the round trip. Promises to ask for headers only (TOP n
 * 0), and to stop reading at POP3_HEADER_MAX whatever the server sends.
 */
#include "fetch.h"

#include <stdio.h>

#include "block.h"

enum { SOME = 4096 };

static bool about(struct pop3_session *s, const char *verb, uint64_t number, const char *rest,
		  const char **line, size_t *n)
{
	char command[64];

	snprintf(command, sizeof(command), "%s %llu%s", verb, (unsigned long long)number, rest);
	return pop3_command(s, verb, command, line, n);
}

bool pop3_ask_uid(struct pop3_session *s, uint64_t number, char uid[POP3_UIDL_MAX + 1])
{
	char said[POP3_TEXT_MAX];
	const char *line;
	size_t n;

	if (!about(s, "UIDL", number, "", &line, &n))
		return false;
	return pop3_uid(line, n, number, uid) ||
	       mailbox_fail(&s->link, "protocol", "UIDL: no unique id of message %llu: \"%.60s\"",
			    (unsigned long long)number, pop3_text(line, n, said, sizeof(said)));
}

bool pop3_ask_top(struct pop3_session *s, uint64_t number, char *out, size_t size, size_t *len)
{
	struct pop3_block b = {.out = out, .max = size};
	char bytes[SOME];
	const char *line;
	size_t n;

	if (!about(s, "TOP", number, " 0", &line, &n))
		return false;
	while (!b.done) {
		enum wire_state state =
		    wire_some(s->link.wire, mailbox_until(&s->link.clock), bytes, sizeof(bytes), &n);

		if (state != WIRE_OK)
			return mailbox_lost(&s->link, state, "TOP");
		if (pop3_block_take(&b, bytes, n) < n)
			return mailbox_fail(&s->link, "protocol", "TOP: more comes than was asked for");
		if (b.all > POP3_HEADER_MAX)
			return mailbox_fail(
			    &s->link, "protocol",
			    "TOP: the header of message %llu is longer than %d bytes, not read to its end",
			    (unsigned long long)number, POP3_HEADER_MAX);
	}
	*len = b.len;
	return true;
}

bool pop3_delete(struct pop3_session *s, uint64_t number)
{
	const char *line;
	size_t n;

	return about(s, "DELE", number, "", &line, &n);
}

bool pop3_quit(struct pop3_session *s)
{
	const char *line;
	size_t n;

	return pop3_command(s, "QUIT", "QUIT", &line, &n);
}
