/* Readers of sendmail's files; see sendmail_qf.h. Called by sendmail.c. */
#include "sendmail_qf.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

enum {
	VERSION_MAX = 8,
	PATH_SIZE = 512,
	ID_LEAST = 12 /* time, two of a count, the process; older ones (AAA01234) tell only the hour */
};

/* "$_host [192.0.2.7] (may be forged)": what stands in the last brackets. */
static void client(struct queue_slice line, struct queue_message *m)
{
	struct queue_slice in = line, ip;
	size_t open = line.len, close;

	while (open && line.at[open - 1] != '[')
		open--;
	if (!open)
		return;
	in.at += open;
	in.len -= open;
	for (close = 0; close < in.len && in.at[close] != ']'; close++)
		;
	if (close == in.len)
		return;
	in.len = close;
	if (queue_begins(in, "IPv6:", &ip))
		in = ip;
	queue_keep(m->client, sizeof(m->client), in);
}

/* "RPFD:<a@b>": flags, a colon, the address. */
static void recipient(struct queue_slice line, const struct queue_sink *to, struct queue_message *m)
{
	for (size_t i = 0; i < line.len && line.at[i] != '<' && line.at[i] != '@'; i++) {
		if (line.at[i] != ':')
			continue;
		line.at += i + 1;
		line.len -= i + 1;
		break;
	}
	queue_rcpt(to, m, queue_unbracket(line), false);
}

/* "Deferred: Connection timed out with mx.example.org.": the last word, without its full stop. */
static void status(struct queue_slice line, struct queue_message *m)
{
	struct queue_slice rest;
	size_t n;

	if (!queue_begins(line, "Deferred: ", &rest) || rest.len < 2 || rest.at[rest.len - 1] != '.')
		return;
	rest.len--;
	for (n = rest.len; n && rest.at[n - 1] != ' '; n--)
		;
	rest.at += n;
	rest.len -= n;
	queue_keep(m->host, sizeof(m->host), rest);
}

/* One line before the headers. */
static void field(struct queue_slice line, const struct queue_sink *to, struct queue_message *m)
{
	struct queue_slice rest = {line.at + 1, line.len - 1};

	switch (line.at[0]) {
	case 'T':
		m->arrival_ms = queue_seconds(rest);
		break;
	case 'S':
		m->has_sender = true;
		queue_keep(m->sender, sizeof(m->sender), queue_unbracket(rest));
		break;
	case 'R':
		recipient(rest, to, m);
		break;
	case 'A': /* AUTH= of MAIL FROM; <> means that nobody vouches for it */
		if (rest.len && rest.at[0] != '<')
			queue_keep(m->account, sizeof(m->account), rest);
		break;
	case 'M':
		status(rest, m);
		break;
	case '$':
		if (rest.len && rest.at[0] == '_')
			client(rest, m);
		break;
	default:
		break;
	}
}

static enum queue_got version(struct queue_slice line)
{
	int v = 0;

	if (line.len < 2 || line.at[0] != 'V' || !isdigit((unsigned char)line.at[1]))
		return QUEUE_DAMAGED;
	for (size_t i = 1; i < line.len && isdigit((unsigned char)line.at[i]) && v < 1000; i++)
		v = v * 10 + (line.at[i] - '0');
	return v <= VERSION_MAX ? QUEUE_GOT : QUEUE_FOREIGN;
}

enum queue_got sendmail_qf_parse(struct queue_slice text, bool whole, const struct queue_sink *to,
				 struct queue_message *m)
{
	struct queue_slice rest = text, line;
	/* it is written under another name, so one without the line with a dot was cut off */
	bool ends = text.len >= 3 && !memcmp(text.at + text.len - 3, "\n.\n", 3);
	enum queue_got got;

	if (!queue_line(&rest, &line, NULL))
		return QUEUE_DAMAGED;
	got = version(line);
	if (got != QUEUE_GOT)
		return got;
	while (queue_line(&rest, &line, NULL) && (!line.len || (line.at[0] != 'H' && line.at[0] != '.'))) {
		if (line.len)
			field(line, to, m);
	}
	return m->has_sender && (ends || !whole) ? QUEUE_GOT : QUEUE_DAMAGED;
}

/* --- the time in an id --- */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'x' ? c - 'a' + 36 : -1;
}

int64_t sendmail_id_time_ms(const char *id, int64_t now_ms)
{
	int v[6];
	struct tm tm = {0};
	time_t now = (time_t)(now_ms / 1000), at;

	if (strlen(id) < ID_LEAST)
		return 0;
	for (int i = 0; i < 6; i++) {
		v[i] = digit(id[i]);
		if (v[i] < 0)
			return 0;
	}
	if (v[1] > 11 || v[2] < 1 || v[2] > 31 || v[3] > 23)
		return 0;
	gmtime_r(&now, &tm);
	tm.tm_year -= ((tm.tm_year - v[0]) % 60 + 60) % 60;
	tm.tm_mon = v[1];
	tm.tm_mday = v[2];
	tm.tm_hour = v[3];
	tm.tm_min = v[4];
	tm.tm_sec = v[5];
	at = timegm(&tm);
	return at > 0 && at <= now + 86400 ? (int64_t)at * 1000 : 0;
}

/* --- the configuration --- */

static void hand_on(struct queue_slice path, void (*queue)(void *arg, const char *path), void *arg)
{
	char text[PATH_SIZE];

	while (path.len && isspace((unsigned char)path.at[0])) {
		path.at++;
		path.len--;
	}
	for (size_t n = 0; n < path.len; n++) {
		if (isspace((unsigned char)path.at[n]) || path.at[n] == ',')
			path.len = n;
	}
	if (!path.len || path.at[0] != '/' || path.len >= sizeof(text))
		return;
	queue_keep(text, sizeof(text), path);
	queue(arg, text);
}

/* "Qgroup, P=/var/spool/mqueue/group*, F=f" */
static void group(struct queue_slice line, void (*queue)(void *arg, const char *path), void *arg)
{
	for (size_t i = 1; i + 2 < line.len; i++) {
		struct queue_slice rest = {line.at + i, line.len - i}, path;

		if (line.at[i - 1] != ',' && line.at[i - 1] != ' ' && line.at[i - 1] != '\t')
			continue;
		if (queue_begins(rest, "P=", &path) || queue_begins(rest, "Path=", &path))
			hand_on(path, queue, arg);
	}
}

void sendmail_cf_queues(struct queue_slice text, void (*queue)(void *arg, const char *path), void *arg)
{
	struct queue_slice line, path;

	while (queue_line(&text, &line, NULL)) {
		if (queue_begins(line, "O QueueDirectory=", &path) ||
		    queue_begins(line, "OQueueDirectory=", &path))
			hand_on(path, queue, arg);
		else if (line.len && line.at[0] == 'Q')
			group(line, queue, arg);
	}
}
