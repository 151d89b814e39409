/*
 * The dialogue of an IMAP session (see session.h): commands, their answers, what is asked. Called by rt_look and check_imap.
 * Promises: nothing but our own searches, headers and deletions is ever asked for.
 */
#include <string.h>

#include "private.h"

enum { HEADER_BYTES = 65536 };

static bool open_mailbox(struct imap_session *s, const char *verb, const char *mailbox)
{
	struct buf text;
	bool ok;

	buf_init(&text, IMAP_COMMAND_MAX);
	ok = (buf_printf(&text, "%s ", verb) && imap_quote(mailbox, &text)) ||
	     mailbox_fail(&s->link, "local", "mailbox name \"%s\" cannot be asked for", mailbox);
	ok = ok && imap_command(s, verb, &text, NULL, NULL);
	buf_fini(&text);
	return ok;
}

bool imap_select(struct imap_session *s, const char *mailbox)
{
	bool ok = open_mailbox(s, "SELECT", mailbox);

	if (ok && (!s->uidvalidity || !s->uidnext))
		return mailbox_fail(&s->link, "protocol", "SELECT: the server says no UIDVALIDITY or UIDNEXT");
	s->grew = false;
	return ok;
}

bool imap_examine(struct imap_session *s, const char *mailbox)
{
	s->grew = false;
	if (!open_mailbox(s, "EXAMINE", mailbox))
		return false;
	return s->grew || mailbox_fail(&s->link, "protocol", "EXAMINE: the server does not say how many messages there are");
}

static void quota_reply(void *arg, const char *reply, size_t len)
{
	imap_reply_quota(reply, len, arg);
}

bool imap_quota(struct imap_session *s, const char *mailbox)
{
	struct buf text;
	bool ok;

	memset(&s->quota, 0, sizeof(s->quota));
	buf_init(&text, IMAP_COMMAND_MAX);
	ok = (buf_puts(&text, "GETQUOTAROOT ") && imap_quote(mailbox, &text)) ||
	     mailbox_fail(&s->link, "local", "mailbox name \"%s\" cannot be asked for", mailbox);
	ok = ok && imap_command(s, "GETQUOTAROOT", &text, quota_reply, &s->quota);
	buf_fini(&text);
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
	buf_init(&text, IMAP_COMMAND_MAX);
	ok = buf_printf(&text, "UID SEARCH UID %u:*", first ? first : 1);
	for (size_t i = 0; ok && i < n; i++) /* OR takes exactly two keys */
		ok = buf_printf(&text, "%s HEADER " TOKEN_HEADER " ", i + 1 < n ? " OR" : "") &&
		     imap_quote(texts[i], &text);
	ok = (ok || mailbox_fail(&s->link, "local", "SEARCH: too long")) && imap_command(s, "SEARCH", &text, search_reply, &x);
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
	buf_init(&text, IMAP_COMMAND_MAX);
	ok = buf_puts(&text, "UID FETCH ") && add_set(&text, uids, n) &&
	     buf_printf(&text, " (UID INTERNALDATE BODY.PEEK[HEADER.FIELDS (" TOKEN_HEADER " Received)]<0.%d>)",
			HEADER_BYTES);
	ok = (ok || mailbox_fail(&s->link, "local", "FETCH: too long")) && imap_command(s, "FETCH", &text, fetch_reply, &x);
	buf_fini(&text);
	return ok;
}

bool imap_delete(struct imap_session *s, const uint32_t *uids, size_t n)
{
	struct buf text;
	bool ok;

	if (n == 0)
		return true;
	buf_init(&text, IMAP_COMMAND_MAX);
	ok = buf_puts(&text, "UID STORE ") && add_set(&text, uids, n) && buf_puts(&text, " +FLAGS.SILENT (\\Deleted)");
	ok = (ok || mailbox_fail(&s->link, "local", "STORE: too long")) && imap_command(s, "STORE", &text, NULL, NULL);
	if (ok && s->uidplus) { /* a plain EXPUNGE would take other people's deleted mail along */
		buf_reset(&text);
		ok = buf_puts(&text, "UID EXPUNGE ") && add_set(&text, uids, n) &&
		     imap_command(s, "EXPUNGE", &text, NULL, NULL);
	}
	buf_fini(&text);
	return ok;
}

bool imap_noop(struct imap_session *s)
{
	return imap_simple(s, "NOOP");
}
