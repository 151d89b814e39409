/*
 * The dialogue of an IMAP session (see imap_session.h): commands, their answers, what is asked. Called by rt_look.
 * Promises: nothing but our own searches, headers and deletions is ever asked for;
 * no wait passes the deadline; a failure says which step it was in and why.
 */
#include <curl/curl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../lib/clock.h"
#include "imap_private.h"
#include "probe.h"

enum {
	COMMAND_MAX = 8192,
	REPLIES_MAX = 20000, /* answers to one command: a server that never ends is stopped */
	HEADER_BYTES = 65536
};

bool imap_fail(struct imap_session *s, const char *layer, const char *fmt, ...)
{
	va_list ap;

	snprintf(s->layer, sizeof(s->layer), "%s", layer);
	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	return false;
}

/* Waits until the socket is ready for events; false at the deadline. */
static bool wait_socket(struct imap_session *s, short events, const char *doing)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	int64_t left = s->deadline - clock_boot_ms();
	struct pollfd p;

	if (left <= 0)
		return imap_fail(s, "timeout", "timed out in %s", doing);
	curl_easy_getinfo(s->curl, CURLINFO_ACTIVESOCKET, &fd);
	if (fd == CURL_SOCKET_BAD)
		return imap_fail(s, "closed", "connection closed in %s", doing);
	p = (struct pollfd){.fd = fd, .events = events};
	poll(&p, 1, left > 60000 ? 60000 : (int)left); /* what happened, the next call tells */
	return true;
}

static bool send_all(struct imap_session *s, const struct buf *text, const char *doing)
{
	size_t sent = 0, n;

	while (sent < text->len) {
		CURLcode code = curl_easy_send(s->curl, text->data + sent, text->len - sent, &n);

		if (code == CURLE_OK)
			sent += n;
		else if (code != CURLE_AGAIN)
			return imap_fail(s, "closed", "connection closed in %s", doing);
		else if (!wait_socket(s, POLLOUT, doing))
			return false;
	}
	return true;
}

static bool receive(struct imap_session *s, const char *doing)
{
	char bytes[16384];
	size_t n = 0;
	CURLcode code = curl_easy_recv(s->curl, bytes, sizeof(bytes), &n);

	if (code == CURLE_AGAIN)
		return wait_socket(s, POLLIN, doing);
	if (code != CURLE_OK || n == 0)
		return imap_fail(s, "closed", "connection closed in %s", doing);
	if (!buf_add(&s->in, bytes, n))
		return imap_fail(s, "protocol", "%s: answer longer than %d bytes", doing, IMAP_REPLY_MAX);
	return true;
}

/* Makes the next whole answer stand at the front of s->in; its length, or 0 after a failure. */
static size_t next_reply(struct imap_session *s, const char *doing)
{
	for (;;) {
		long n = s->in.len ? imap_reply_length(s->in.data, s->in.len) : 0;

		if (n > 0)
			return (size_t)n;
		if (n < 0) {
			imap_fail(s, "protocol", "%s: answer longer than %d bytes", doing, IMAP_REPLY_MAX);
			return 0;
		}
		if (!receive(s, doing))
			return 0;
	}
}

/* What any answer may tell besides. */
static void overhear(struct imap_session *s, const char *reply, size_t len)
{
	uint32_t n;

	if (imap_reply_exists(reply, len, &n)) {
		s->grew = true;
		s->exists = n;
	}
	if (imap_reply_code(reply, len, "UIDNEXT", &n))
		s->uidnext = n;
	if (imap_reply_code(reply, len, "UIDVALIDITY", &n))
		s->uidvalidity = n;
	imap_reply_capability(reply, len, "UIDPLUS", &s->uidplus);
}

typedef void reply_handler(void *arg, const char *reply, size_t len);

/* Sends one command (without tag and line end) and takes answers until its own comes. */
static bool command(struct imap_session *s, const char *doing, const struct buf *text, reply_handler *f, void *arg)
{
	char tag[16], said[IMAP_TEXT_MAX];
	struct buf line;
	bool ok;

	probe_at(s->run, doing);
	s->commands++;
	snprintf(tag, sizeof(tag), "M%u", ++s->tag);
	buf_init(&line, COMMAND_MAX);
	ok = buf_printf(&line, "%s %s\r\n", tag, buf_str(text)) || imap_fail(s, "protocol", "%s: command too long", doing);
	ok = ok && send_all(s, &line, doing);
	buf_fini(&line);
	for (int i = 0; ok && i < REPLIES_MAX; i++) {
		size_t n = next_reply(s, doing);
		enum imap_status status;

		if (n == 0)
			return false;
		status = imap_reply_status(s->in.data, n, tag);
		if (status == IMAP_UNTAGGED) {
			overhear(s, s->in.data, n);
			if (f)
				f(arg, s->in.data, n);
		}
		imap_reply_text(s->in.data, n, said, sizeof(said));
		buf_drop(&s->in, n);
		if (status == IMAP_OK)
			return true;
		if (status == IMAP_BYE)
			return imap_fail(s, "closed", "%s: the server hung up: %s", doing, said);
		if (status == IMAP_NO || status == IMAP_BAD)
			return imap_fail(s, "answer", "%s: %s %s", doing, status == IMAP_NO ? "NO" : "BAD", said);
		if (status != IMAP_UNTAGGED)
			return imap_fail(s, "protocol", "%s: not an IMAP answer", doing);
	}
	return ok ? imap_fail(s, "protocol", "%s: no end to the answer", doing) : false;
}

bool imap_simple(struct imap_session *s, const char *name)
{
	struct buf text;
	bool ok;

	buf_init(&text, COMMAND_MAX);
	buf_puts(&text, name);
	ok = command(s, name, &text, NULL, NULL);
	buf_fini(&text);
	return ok;
}

bool imap_select(struct imap_session *s, const char *mailbox)
{
	struct buf text;
	bool ok;

	buf_init(&text, COMMAND_MAX);
	ok = (buf_puts(&text, "SELECT ") && imap_quote(mailbox, &text)) ||
	     imap_fail(s, "local", "mailbox name \"%s\" cannot be asked for", mailbox);
	ok = ok && command(s, "SELECT", &text, NULL, NULL);
	buf_fini(&text);
	if (ok && (!s->uidvalidity || !s->uidnext))
		return imap_fail(s, "protocol", "SELECT: the server says no UIDVALIDITY or UIDNEXT");
	s->grew = false;
	return ok;
}

struct search {
	uint32_t *uids;
	size_t *n, *total;
};

static void search_reply(void *arg, const char *reply, size_t len)
{
	struct search *x = arg;

	imap_reply_search(reply, len, x->uids, IMAP_UIDS_MAX, x->n, x->total);
}

bool imap_search(struct imap_session *s, uint32_t first, const char *const *texts, size_t n, uint32_t *uids,
		 size_t *found, size_t *total)
{
	struct search x = {uids, found, total};
	struct buf text;
	bool ok;

	*found = *total = 0;
	if (n == 0 || n > IMAP_SEARCH_TOKENS)
		return n == 0;
	buf_init(&text, COMMAND_MAX);
	ok = buf_printf(&text, "UID SEARCH UID %u:*", first ? first : 1);
	for (size_t i = 0; ok && i < n; i++) /* OR takes exactly two keys */
		ok = buf_printf(&text, "%s HEADER " TOKEN_HEADER " ", i + 1 < n ? " OR" : "") &&
		     imap_quote(texts[i], &text);
	ok = (ok || imap_fail(s, "local", "SEARCH: too long")) && command(s, "SEARCH", &text, search_reply, &x);
	buf_fini(&text);
	return ok;
}

static bool add_set(struct buf *text, const uint32_t *uids, size_t n)
{
	bool ok = true;

	for (size_t i = 0; ok && i < n; i++)
		ok = buf_printf(text, "%s%u", i ? "," : "", uids[i]);
	return ok;
}

struct fetch {
	void (*f)(void *arg, const struct imap_fetched *mail);
	void *arg;
};

static void fetch_reply(void *arg, const char *reply, size_t len)
{
	struct fetch *x = arg;
	struct imap_fetched mail;

	if (imap_reply_fetch(reply, len, &mail) && mail.uid && mail.header)
		x->f(x->arg, &mail);
}

bool imap_fetch(struct imap_session *s, const uint32_t *uids, size_t n,
		void (*f)(void *arg, const struct imap_fetched *mail), void *arg)
{
	struct fetch x = {f, arg};
	struct buf text;
	bool ok;

	if (n == 0)
		return true;
	buf_init(&text, COMMAND_MAX);
	ok = buf_puts(&text, "UID FETCH ") && add_set(&text, uids, n) &&
	     buf_printf(&text, " (UID INTERNALDATE BODY.PEEK[HEADER.FIELDS (" TOKEN_HEADER " Received)]<0.%d>)",
			HEADER_BYTES);
	ok = (ok || imap_fail(s, "local", "FETCH: too long")) && command(s, "FETCH", &text, fetch_reply, &x);
	buf_fini(&text);
	return ok;
}

bool imap_delete(struct imap_session *s, const uint32_t *uids, size_t n)
{
	struct buf text;
	bool ok;

	if (n == 0)
		return true;
	buf_init(&text, COMMAND_MAX);
	ok = buf_puts(&text, "UID STORE ") && add_set(&text, uids, n) && buf_puts(&text, " +FLAGS.SILENT (\\Deleted)");
	ok = (ok || imap_fail(s, "local", "STORE: too long")) && command(s, "STORE", &text, NULL, NULL);
	if (ok && s->uidplus) { /* a plain EXPUNGE would take other people's deleted mail along */
		buf_reset(&text);
		ok = buf_puts(&text, "UID EXPUNGE ") && add_set(&text, uids, n) &&
		     command(s, "EXPUNGE", &text, NULL, NULL);
	}
	buf_fini(&text);
	return ok;
}

bool imap_noop(struct imap_session *s)
{
	return imap_simple(s, "NOOP");
}
