/* Readers of short queue files; see small_files.h. Called by opensmtpd.c, qmail.c and nullmailer.c. */
#include "small_files.h"

#include <string.h>

enum { ENVELOPE_VERSION = 3, NULLMAILER_LINES = 4096 };

/* "sender: a@b", the null sender is "@" */
static void envelope_line(struct queue_slice line, const struct queue_sink *to, struct queue_message *m)
{
	struct queue_slice v;

	if (queue_begins(line, "sender: ", &v)) {
		m->has_sender = true;
		queue_keep(m->sender, sizeof(m->sender),
			   v.len == 1 && v.at[0] == '@' ? (struct queue_slice){v.at, 0} : v);
	} else if (queue_begins(line, "rcpt: ", &v)) {
		queue_rcpt(to, m, v, false);
	} else if (queue_begins(line, "ctime: ", &v)) {
		m->arrival_ms = queue_seconds(v);
	} else if (queue_begins(line, "username: ", &v)) {
		queue_keep(m->account, sizeof(m->account), v);
	} else if (queue_begins(line, "sockaddr: ", &v)) {
		/* "[::1]" of IPv6; "local" of mail made here */
		if (v.len > 2 && v.at[0] == '[' && v.at[v.len - 1] == ']')
			v = (struct queue_slice){v.at + 1, v.len - 2};
		if (v.len && v.at[0] != 'l')
			queue_keep(m->client, sizeof(m->client), v);
	}
}

enum queue_got opensmtpd_envelope_parse(struct queue_slice text, const struct queue_sink *to,
					struct queue_message *m)
{
	struct queue_slice rest = text, line, v;
	bool ends = text.len && text.at[text.len - 1] == '\n', sender = false;

	if (!text.len)
		return QUEUE_UNFINISHED;
	if (!queue_begins(text, "version: ", &v))
		/* gzip, or the one byte that tells of encryption */
		return text.len > 2 && ((unsigned char)text.at[0] == 0x1f || text.at[0] < ' ')
			   ? QUEUE_FOREIGN
			   : QUEUE_DAMAGED;
	if (queue_seconds(v) > ENVELOPE_VERSION * 1000)
		return QUEUE_FOREIGN;
	while (queue_line(&rest, &line, NULL)) {
		envelope_line(line, to, m);
		sender |= queue_begins(line, "sender: ", &v);
	}
	return sender && ends ? QUEUE_GOT : QUEUE_DAMAGED;
}

enum queue_got qmail_parts_parse(struct queue_slice text, bool whole, const struct queue_sink *to,
				 struct queue_message *m)
{
	struct queue_slice part, value;
	bool ends = true;

	while (queue_part(&text, &part, &ends)) {
		if (!part.len || (!ends && whole))
			return QUEUE_DAMAGED;
		value = (struct queue_slice){part.at + 1, part.len - 1};
		switch (part.at[0]) {
		case 'F':
			m->has_sender = true;
			queue_keep(m->sender, sizeof(m->sender), value);
			break;
		case 'T':
		case 'D':
			queue_rcpt(to, m, value, part.at[0] == 'D');
			break;
		case 'u':
		case 'p':
			break;
		default:
			return QUEUE_DAMAGED;
		}
	}
	return QUEUE_GOT;
}

/* "Received: from unknown (HELO x) (login@192.0.2.7)": what stands in the last brackets, behind an @. */
static bool received_from(struct queue_slice line, struct queue_message *m)
{
	size_t from = line.len, end = line.len;

	while (end && line.at[end - 1] != ')')
		end--;
	for (from = end; from && line.at[from - 1] != '(' && line.at[from - 1] != '@'; from--)
		;
	if (!end || !from || end - 1 <= from)
		return false;
	for (size_t i = from; i < end - 1; i++) {
		if (!strchr("0123456789abcdefABCDEF.:", line.at[i]) || !line.at[i])
			return false;
	}
	queue_keep(m->client, sizeof(m->client), (struct queue_slice){line.at + from, end - 1 - from});
	return true;
}

void qmail_client(struct queue_slice text, struct queue_message *m)
{
	struct queue_slice line, v;

	/* the first is qmail-queue's own, "(qmail 123 invoked from network)" or "by uid 0", the next that of
	 * qmail-smtpd */
	if (!queue_line(&text, &line, NULL) || !queue_begins(line, "Received: (qmail ", &v))
		return;
	for (int n = 0; n < 2 && queue_line(&text, &line, NULL); n++) {
		if (queue_begins(line, "Received: from ", &v)) {
			received_from(v, m);
			return;
		}
	}
}

enum queue_got nullmailer_parse(struct queue_slice text, const struct queue_sink *to, struct queue_message *m)
{
	struct queue_slice line;
	bool whole;

	if (!queue_line(&text, &line, &whole) || !whole)
		return QUEUE_DAMAGED;
	m->has_sender = true;
	queue_keep(m->sender, sizeof(m->sender), line);
	for (int n = 0; n < NULLMAILER_LINES && queue_line(&text, &line, &whole); n++) {
		if (!line.len)
			return m->todo ? QUEUE_GOT : QUEUE_DAMAGED;
		queue_rcpt(to, m, line, false);
	}
	return m->todo >= NULLMAILER_LINES ? QUEUE_GOT : QUEUE_DAMAGED;
}
