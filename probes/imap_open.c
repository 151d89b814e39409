/*
 * The way into an IMAP session and out of it (see imap_session.h): libcurl connects, speaks TLS, logs in, and then only
 * keeps the connection. Called by rt_look. Promises that every failure names its step, within the deadline.
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../lib/clock.h"
#include "imap_private.h"
#include "probe.h"

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
	imap_fail(s, "local", "%s", why);
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
		return imap_fail(s, err == ECONNREFUSED ? "refused" : "connect", "%s",
			    err == ECONNREFUSED ? "connection refused" : err ? strerror((int)err) : what);
	case CURLE_OPERATION_TIMEDOUT:
		return imap_fail(s, "timeout", "timed out in %s", step(s, t));
	case CURLE_LOGIN_DENIED:
		return imap_fail(s, "auth", "login refused");
	case CURLE_USE_SSL_FAILED:
		return imap_fail(s, "tls", "the server offers no STARTTLS");
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
		return imap_fail(s, "tls", "TLS: %s", s->trust.report.why[0] ? s->trust.report.why : what);
	case CURLE_ABORTED_BY_CALLBACK:
		return false; /* set_trust said it */
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return imap_fail(s, "closed", "connection closed in %s", step(s, t));
	default:
		return imap_fail(s, "protocol", "%s: %s", step(s, t), what);
	}
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
		return imap_fail(s, "local", "out of memory, or \"%s\" is no host name", target->host);
	there = pinned(target);
	set_options(s, target, error, there);
	code = curl_easy_perform(s->curl);
	curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(s->curl, CURLOPT_CONNECT_TO, NULL);
	curl_slist_free_all(there);
	if (code != CURLE_OK)
		return connect_failed(s, target, code, error);
	return imap_simple(s, "CAPABILITY");
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
