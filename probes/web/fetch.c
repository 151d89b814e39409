/*
 * One transfer with libcurl. Names are looked up before, by net/resolve; every connect goes to that one
 * address.
 */
#include "fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"

struct transfer {
	struct fetch *f;
	CURL *easy;
	struct curl_slist *to, *headers;
	char local[160], error[CURL_ERROR_SIZE];
	bool too_long;
};

void fetch_global_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
	resolve_global_init();
}

static size_t on_header(char *bytes, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	if (n * size >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
		buf_reset(&t->f->header); /* of the answer behind a redirect or a 100 */
	if (buf_add_cut(&t->f->header, bytes, size * n))
		return size * n;
	t->too_long = true;
	return 0;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	struct fetch *f = t->f;

	f->received += size * n;
	f->cut = f->no_body || !buf_add_cut(&f->body, bytes, size * n);
	return f->cut ? 0 : size * n;
}

static CURLcode on_ssl_ctx(CURL *easy, void *ssl_ctx, void *arg)
{
	struct transfer *t = arg;

	(void)easy;
	return tls_trust_apply(ssl_ctx, &t->f->check, t->local, sizeof(t->local)) ? CURLE_OK
										  : CURLE_ABORTED_BY_CALLBACK;
}

static void set_tls(struct transfer *t)
{
	CURL *e = t->easy;

	/* the examination is tls_trust's */
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, t);
}

static bool set_target(struct transfer *t)
{
	const struct fetch *f = t->f;
	bool six = strchr(f->host, ':') && f->host[0] != '[', via_six = f->to->sa.any.sa_family == AF_INET6;
	char url[2400], to[RESOLVE_TEXT_MAX + 8];
	int n = snprintf(url, sizeof(url), "%s://%s%s%s:%u%s", f->scheme, six ? "[" : "", f->host,
			 six ? "]" : "", f->port, f->path);

	snprintf(to, sizeof(to), "::%s%s%s:", via_six ? "[" : "", f->to->text, via_six ? "]" : "");
	t->to = curl_slist_append(NULL, to);
	curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->to);
	return t->to && n > 0 && (size_t)n < sizeof(url) &&
	       curl_easy_setopt(t->easy, CURLOPT_URL, url) == CURLE_OK;
}

static void set_request(struct transfer *t)
{
	const struct fetch *f = t->f;
	size_t i;

	for (i = 0; i < f->nheaders; i++)
		t->headers = curl_slist_append(t->headers, f->headers[i]);
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	curl_easy_setopt(t->easy, CURLOPT_USERAGENT, f->agent);
	curl_easy_setopt(t->easy, CURLOPT_NOBODY, f->head ? 1L : 0L);
	curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, f->follow ? 1L : 0L);
	curl_easy_setopt(t->easy, CURLOPT_MAXREDIRS, 15L);
	curl_easy_setopt(t->easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
}

static bool set_up(struct transfer *t)
{
	int64_t left = t->f->deadline - clock_boot_ms();

	curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(t->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)(left > 1 ? left : 1));
	curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(left > 1 ? left : 1));
	curl_easy_setopt(t->easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)(left / 1000 + 1));
	set_tls(t);
	set_request(t);
	return set_target(t);
}

static bool broke(struct fetch *f, const char *layer, const char *why)
{
	snprintf(f->layer, sizeof(f->layer), "%s", layer);
	snprintf(f->why, sizeof(f->why), "%.180s", why);
	return false;
}

static bool timed_out(struct fetch *f)
{
	if (f->connect_s <= 0)
		return broke(f, "timeout", "no answer to the connect");
	if (f->check.report.seen || f->received || f->header.len)
		return broke(f, "timeout", "the answer did not end in time");
	return broke(f, "timeout", "connected, but no answer in time");
}

static bool not_connected(struct transfer *t, const char *why)
{
	long err = 0;

	curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &err);
	if (err == ECONNREFUSED)
		return broke(t->f, "refused", "refuses the connection");
	return broke(t->f, "unreachable", err ? strerrordesc_np((int)err) : why);
}

static bool explain(struct transfer *t, CURLcode rc)
{
	struct fetch *f = t->f;
	const char *why = t->error[0] ? t->error : curl_easy_strerror(rc);

	if (rc == CURLE_OK || (rc == CURLE_WRITE_ERROR && f->cut))
		return true;
	if (t->local[0])
		return broke(f, "local", t->local);
	if (t->too_long)
		return broke(f, "answer", "sends headers without end");
	switch (rc) {
	case CURLE_OPERATION_TIMEDOUT:
		return timed_out(f);
	case CURLE_COULDNT_CONNECT:
		return not_connected(t, why);
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
		return broke(f, "tls", f->check.report.why[0] ? f->check.report.why : why);
	case CURLE_GOT_NOTHING:
		return broke(f, "closed", "closes the connection without an answer");
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
		return broke(f, "closed", why);
	default:
		return broke(f, "answer", why);
	}
}

static bool perform(struct transfer *t)
{
	struct fetch *f = t->f;
	int64_t start = clock_boot_us();
	CURLcode rc = curl_easy_perform(t->easy);

	f->seconds = (double)(clock_boot_us() - start) / 1e6;
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &f->code);
	curl_easy_getinfo(t->easy, CURLINFO_CONNECT_TIME, &f->connect_s);
	curl_easy_getinfo(t->easy, CURLINFO_STARTTRANSFER_TIME, &f->first_s);
	return explain(t, rc);
}

bool fetch_run(struct fetch *f)
{
	struct transfer t = {.f = f, .easy = curl_easy_init()};
	bool ok;

	buf_init(&f->header, FETCH_HEAD_MAX);
	buf_init(&f->body, f->body_max);
	f->check.name = f->check.name ? f->check.name : f->host;
	ok = t.easy && set_up(&t) ? perform(&t) : broke(f, "local", "out of memory or a bad URL");
	curl_easy_cleanup(t.easy);
	curl_slist_free_all(t.to);
	curl_slist_free_all(t.headers);
	return ok;
}

void fetch_fini(struct fetch *f)
{
	buf_fini(&f->header);
	buf_fini(&f->body);
}
