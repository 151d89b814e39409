/* Readers of Exim's files; see exim_header.h. Called by exim.c. */
#include "exim_header.h"

#include <ctype.h>
#include <string.h>

enum { TIME_DIGITS = 6 };

/* Recipients that are done stand apart, as a tree of lines; here as hashes, which is enough to count. */
struct done {
	uint64_t hash[QUEUE_DONE_MAX];
	size_t n;
};

static uint64_t hash(struct queue_slice s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.at[i]) * 0x100000001b3u;
	return h;
}

static bool is_done(const struct done *d, struct queue_slice address)
{
	uint64_t h = hash(address);

	for (size_t i = 0; i < d->n; i++) {
		if (d->hash[i] == h)
			return true;
	}
	return false;
}

/* "-host_address [192.0.2.7]:58742", before 4.96 "192.0.2.7.58742" */
static void client(struct queue_slice value, struct queue_message *m)
{
	const char *end;
	size_t n = value.len;

	if (value.len && value.at[0] == '[') {
		value.at++;
		value.len--;
		end = memchr(value.at, ']', value.len);
		n = end ? (size_t)(end - value.at) : value.len;
	} else {
		while (n && value.at[n - 1] != '.')
			n--;
		n = n ? n - 1 : value.len;
	}
	value.len = n;
	queue_keep(m->client, sizeof(m->client), value);
}

/* "-name value"; a value that came from outside has "--name", since 4.94. */
static void variable(struct queue_slice line, struct queue_message *m)
{
	struct queue_slice rest = {line.at + 1, line.len - 1}, value;

	if (rest.len && rest.at[0] == '-') {
		rest.at++;
		rest.len--;
	}
	if (queue_begins(rest, "host_address ", &value))
		client(value, m);
	else if (queue_begins(rest, "auth_id ", &value))
		queue_keep(m->account, sizeof(m->account), value);
	else if (queue_begins(rest, "frozen", &value))
		m->frozen = true;
}

/* "YN address": the letters say where the tree has branches. */
static void add_done(struct queue_slice line, struct done *d)
{
	struct queue_slice address = {line.at + 3, line.len - 3};

	if (d->n < QUEUE_DONE_MAX)
		d->hash[d->n++] = hash(address);
}

/* "address", behind it in newer ones flags and a parent, after a blank. */
static void recipient(struct queue_slice line, const struct done *d, const struct queue_sink *to,
		      struct queue_message *m)
{
	const char *blank = memchr(line.at, ' ', line.len);

	if (blank)
		line.len = (size_t)(blank - line.at);
	queue_rcpt(to, m, line, is_done(d, line));
}

static bool is_tree(struct queue_slice line)
{
	return line.len > 3 && (line.at[0] == 'Y' || line.at[0] == 'N') &&
	       (line.at[1] == 'Y' || line.at[1] == 'N') && line.at[2] == ' ';
}

/* ID-H, "user uid gid", <sender>, "time warnings". */
static bool head(struct queue_slice *rest, struct queue_message *m)
{
	struct queue_slice line;

	if (!queue_line(rest, &line, NULL) || line.len < 3 || memcmp(line.at + line.len - 2, "-H", 2) != 0)
		return false;
	if (!queue_line(rest, &line, NULL) || !queue_line(rest, &line, NULL) || !line.len ||
	    line.at[0] != '<')
		return false;
	m->has_sender = true;
	queue_keep(m->sender, sizeof(m->sender), queue_unbracket(line));
	if (!queue_line(rest, &line, NULL))
		return false;
	m->arrival_ms = queue_seconds(line);
	return m->arrival_ms > 0;
}

/* Everything up to the number of recipients, which stands alone; a value may have further lines of its own.
 */
static bool middle(struct queue_slice *rest, struct done *d, struct queue_message *m, int64_t *recipients)
{
	struct queue_slice line;
	bool past = false; /* the variables */

	while (queue_line(rest, &line, NULL)) {
		if (!past && line.len && line.at[0] == '-') {
			variable(line, m);
		} else if (is_tree(line)) {
			past = true;
			add_done(line, d);
		} else if (line.len == 2 && !memcmp(line.at, "XX", 2)) { /* nobody is done */
			past = true;
		} else if (past && line.len && isdigit((unsigned char)line.at[0])) {
			*recipients = queue_seconds(line) / 1000;
			return true;
		}
	}
	return false;
}

enum queue_got exim_header_parse(struct queue_slice text, bool whole, const struct queue_sink *to,
				 struct queue_message *m)
{
	struct done d = {.n = 0};
	struct queue_slice line;
	int64_t recipients = 0, n = 0;

	if (!head(&text, m) || !middle(&text, &d, m, &recipients))
		return QUEUE_DAMAGED;
	for (; n < recipients && queue_line(&text, &line, NULL) && line.len; n++)
		recipient(line, &d, to, m);
	return n == recipients || !whole ? QUEUE_GOT : QUEUE_DAMAGED;
}

/* --- names --- */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'z' ? c - 'a' + 36 : -1;
}

/* 6-6-2, since Exim 4.97 6-11-4 */
bool exim_header_name(const char *name)
{
	size_t n = strlen(name), middle = n == 18 ? 6 : n == 25 ? 11 : 0;

	if (!middle || name[n - 2] != '-' || name[n - 1] != 'H')
		return false;
	for (size_t i = 0; i < n - 2; i++) {
		bool dash = i == TIME_DIGITS || i == TIME_DIGITS + 1 + middle;

		if (dash != (name[i] == '-') || (!dash && digit(name[i]) < 0))
			return false;
	}
	return true;
}

int64_t exim_id_time_ms(const char *id)
{
	int64_t s = 0;

	for (int i = 0; i < TIME_DIGITS; i++) {
		if (digit(id[i]) < 0)
			return 0;
		s = s * 62 + digit(id[i]);
	}
	return s * 1000;
}

/* --- the configuration --- */

static struct queue_slice trim(struct queue_slice s)
{
	while (s.len && isspace((unsigned char)s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len && isspace((unsigned char)s.at[s.len - 1]))
		s.len--;
	return s;
}

bool exim_conf_spool(struct queue_slice text, char *out, size_t size)
{
	struct queue_slice line, value;
	bool found = false;

	while (queue_line(&text, &line, NULL)) {
		line = trim(line);
		if (!queue_begins(line, "spool_directory", &value))
			continue;
		value = trim(value);
		if (!value.len || value.at[0] != '=')
			continue;
		value.at++;
		value.len--;
		value = trim(value);
		found =
		    value.len && value.at[0] == '/' && value.len < size && !memchr(value.at, '$', value.len);
		if (found)
			queue_keep(out, size, value);
	}
	return found;
}
