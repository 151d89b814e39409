/*
 * The IMAP side of the round trip (see imap_session.h). Called by check_roundtrip.
 * Promises: nothing but our own searches, headers and deletions is ever asked for;
 * no wait passes the deadline; a failure says which step it was in and why.
 */
#include "imap_session.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../lib/clock.h"
#include "probe.h"

enum {
	COMMAND_MAX = 8192,
	REPLIES_MAX = 20000, /* answers to one command: a server that never ends is stopped */
	HEADER_BYTES = 65536
};

static bool fail(struct imap_session *s, const char *layer, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static bool fail(struct imap_session *s, const char *layer, const char *fmt, ...)
{
	va_list ap;

	snprintf(s->layer, sizeof(s->layer), "%s", layer);
	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	return false;
}

/* --- the way in: libcurl --- */

static size_t heard(char *bytes, size_t size, size_t n, void *arg)
{
	struct imap_session *s = arg;

	(void)bytes;
	s->greeted = true;
	return size * n;
}

static bool set_url(CURL *curl, const struct imap_target *t)
{
	CURLU *url = curl_url();
	char port[12], host[300];
	bool ok = url != NULL;

	snprintf(port, sizeof(port), "%d", t->port);
	snprintf(host, sizeof(host), strchr(t->host, ':') ? "[%s]" : "%s", t->host);
	ok = ok && !curl_url_set(url, CURLUPART_SCHEME, t->tls == IMAP_TLS_IMPLICIT ? "imaps" : "imap", 0) &&
	     !curl_url_set(url, CURLUPART_HOST, host, 0) && !curl_url_set(url, CURLUPART_PORT, port, 0) &&
	     !curl_url_set(url, CURLUPART_PATH, "/", 0) && !curl_easy_setopt(curl, CURLOPT_CURLU, url);
	/* libcurl takes its own copy only when it starts, so the handle keeps it */
	if (ok)
		ok = !curl_easy_setopt(curl, CURLOPT_PRIVATE, url);
	else
		curl_url_cleanup(url);
	return ok;
}

/* "::ADDRESS:": libcurl connects there whatever the URL names, and looks nothing up: its resolver has no deadline. */
static struct curl_slist *pinned(const struct imap_target *t)
{
	char text[100];

	snprintf(text, sizeof(text), strchr(t->address, ':') ? "::[%s]:" : "::%s:", t->address);
	return curl_slist_append(NULL, text);
}

static CURLcode set_trust(CURL *curl, void *ctx, void *arg)
{
	struct imap_session *s = arg;
	char why[160];

	(void)curl;
	if (tls_trust_apply(ctx, &s->trust, why, sizeof(why)))
		return CURLE_OK;
	fail(s, "local", "%s", why);
	return CURLE_ABORTED_BY_CALLBACK;
}

/* The examination is tls_trust's: libcurl's own would load all certificates anew for each session. */
static void set_tls(struct imap_session *s, const struct imap_target *t)
{
	CURL *curl = s->curl;

	s->trust = (struct tls_check){.verify = t->verify ? TLS_VERIFY_FULL : TLS_VERIFY_OFF, .ca_file = t->ca_file,
				      .name = t->host};
	curl_easy_setopt(curl, CURLOPT_USE_SSL, t->tls == IMAP_TLS_NONE ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
	curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, set_trust);
	curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, s);
}

static void set_options(struct imap_session *s, const struct imap_target *t, char *error, struct curl_slist *there)
{
	CURL *curl = s->curl;
	int64_t left = s->deadline - clock_boot_ms();

	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* an environment's proxy is not the mail route */
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "imap,imaps");
	curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(curl, CURLOPT_USERNAME, t->user);
	curl_easy_setopt(curl, CURLOPT_PASSWORD, t->password);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, left > 1 ? (long)left : 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, left > 1 ? (long)left : 1L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, heard);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, s);
	curl_easy_setopt(curl, CURLOPT_CONNECT_TO, there);
	set_tls(s, t);
}

/* Which step a time-out fell into. */
static const char *step(struct imap_session *s, const struct imap_target *t)
{
	curl_off_t connected = 0, tls = 0;

	curl_easy_getinfo(s->curl, CURLINFO_CONNECT_TIME_T, &connected);
	curl_easy_getinfo(s->curl, CURLINFO_APPCONNECT_TIME_T, &tls);
	if (!connected)
		return "connect";
	if (t->tls == IMAP_TLS_IMPLICIT && !tls)
		return "TLS";
	if (!s->greeted)
		return "greeting";
	return t->tls == IMAP_TLS_STARTTLS && !tls ? "STARTTLS" : "login";
}

static bool connect_failed(struct imap_session *s, const struct imap_target *t, CURLcode code, const char *error)
{
	const char *what = error[0] ? error : curl_easy_strerror(code);
	long err = 0;

	switch (code) {
	case CURLE_COULDNT_CONNECT:
		curl_easy_getinfo(s->curl, CURLINFO_OS_ERRNO, &err);
		return fail(s, err == ECONNREFUSED ? "refused" : "connect", "%s",
			    err == ECONNREFUSED ? "connection refused" : err ? strerror((int)err) : what);
	case CURLE_OPERATION_TIMEDOUT:
		return fail(s, "timeout", "timed out in %s", step(s, t));
	case CURLE_LOGIN_DENIED:
		return fail(s, "auth", "login refused");
	case CURLE_USE_SSL_FAILED:
		return fail(s, "tls", "the server offers no STARTTLS");
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
		return fail(s, "tls", "TLS: %s", s->trust.report.why[0] ? s->trust.report.why : what);
	case CURLE_ABORTED_BY_CALLBACK:
		return false; /* set_trust said it */
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return fail(s, "closed", "connection closed in %s", step(s, t));
	default:
		return fail(s, "protocol", "%s: %s", step(s, t), what);
	}
}

/* --- the dialogue --- */

/* Waits until the socket is ready for events; false at the deadline. */
static bool wait_socket(struct imap_session *s, short events, const char *doing)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	int64_t left = s->deadline - clock_boot_ms();
	struct pollfd p;

	if (left <= 0)
		return fail(s, "timeout", "timed out in %s", doing);
	curl_easy_getinfo(s->curl, CURLINFO_ACTIVESOCKET, &fd);
	if (fd == CURL_SOCKET_BAD)
		return fail(s, "closed", "connection closed in %s", doing);
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
			return fail(s, "closed", "connection closed in %s", doing);
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
		return fail(s, "closed", "connection closed in %s", doing);
	if (!buf_add(&s->in, bytes, n))
		return fail(s, "protocol", "%s: answer longer than %d bytes", doing, IMAP_REPLY_MAX);
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
			fail(s, "protocol", "%s: answer longer than %d bytes", doing, IMAP_REPLY_MAX);
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
	ok = buf_printf(&line, "%s %s\r\n", tag, buf_str(text)) || fail(s, "protocol", "%s: command too long", doing);
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
			return fail(s, "closed", "%s: the server hung up: %s", doing, said);
		if (status == IMAP_NO || status == IMAP_BAD)
			return fail(s, "answer", "%s: %s %s", doing, status == IMAP_NO ? "NO" : "BAD", said);
		if (status != IMAP_UNTAGGED)
			return fail(s, "protocol", "%s: not an IMAP answer", doing);
	}
	return ok ? fail(s, "protocol", "%s: no end to the answer", doing) : false;
}

static bool simple(struct imap_session *s, const char *name)
{
	struct buf text;
	bool ok;

	buf_init(&text, COMMAND_MAX);
	buf_puts(&text, name);
	ok = command(s, name, &text, NULL, NULL);
	buf_fini(&text);
	return ok;
}

bool imap_open(struct imap_session *s, const struct imap_target *target, struct probe_run *run, int64_t deadline)
{
	char error[CURL_ERROR_SIZE] = "";
	struct curl_slist *there;
	CURLcode code;

	memset(s, 0, sizeof(*s));
	s->run = run;
	s->deadline = deadline;
	buf_init(&s->in, IMAP_REPLY_MAX + 16384);
	probe_at(run, "IMAP login");
	s->curl = curl_easy_init();
	if (!s->curl || !set_url(s->curl, target))
		return fail(s, "local", "out of memory, or \"%s\" is no host name", target->host);
	there = pinned(target);
	set_options(s, target, error, there);
	code = curl_easy_perform(s->curl);
	curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(s->curl, CURLOPT_CONNECT_TO, NULL);
	curl_slist_free_all(there);
	if (code != CURLE_OK)
		return connect_failed(s, target, code, error);
	return simple(s, "CAPABILITY");
}

bool imap_select(struct imap_session *s, const char *mailbox)
{
	struct buf text;
	bool ok;

	buf_init(&text, COMMAND_MAX);
	ok = (buf_puts(&text, "SELECT ") && imap_quote(mailbox, &text)) ||
	     fail(s, "local", "mailbox name \"%s\" cannot be asked for", mailbox);
	ok = ok && command(s, "SELECT", &text, NULL, NULL);
	buf_fini(&text);
	if (ok && (!s->uidvalidity || !s->uidnext))
		return fail(s, "protocol", "SELECT: the server says no UIDVALIDITY or UIDNEXT");
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
	ok = (ok || fail(s, "local", "SEARCH: too long")) && command(s, "SEARCH", &text, search_reply, &x);
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
	ok = (ok || fail(s, "local", "FETCH: too long")) && command(s, "FETCH", &text, fetch_reply, &x);
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
	ok = (ok || fail(s, "local", "STORE: too long")) && command(s, "STORE", &text, NULL, NULL);
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
	return simple(s, "NOOP");
}

void imap_close(struct imap_session *s)
{
	CURLU *url = NULL;
	size_t n;

	if (!s->curl)
		return;
	/* a good-bye nobody waits for: the answer would tell nothing */
	if (!s->layer[0])
		curl_easy_send(s->curl, "M0 LOGOUT\r\n", 11, &n);
	curl_easy_getinfo(s->curl, CURLINFO_PRIVATE, &url);
	curl_easy_cleanup(s->curl);
	curl_url_cleanup(url);
	buf_fini(&s->in);
	s->curl = NULL;
}
