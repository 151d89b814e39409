/* One HTTP request; see post.h. */
#include "notifiers/webhook/post.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"

enum { ANSWER_MAX = 65536, SAID_MAX = 200 };

struct request {
	CURL *curl;
	struct curl_slist *headers, *connect_to;
	char error[CURL_ERROR_SIZE];
	char said[SAID_MAX + 1]; /* the start of the answer */
	size_t got;
};

bool webhook_global_init(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

/* --- the URL --------------------------------------------------------------------------------------- */

static bool is_literal(const char *host)
{
	unsigned char a[16];

	return host[0] == '[' || inet_pton(AF_INET, host, a) == 1;
}

static const char *url_fault(CURLU *u, bool *literal, bool *secure)
{
	char *host = NULL, *scheme = NULL, *user = NULL;
	const char *why = NULL;

	if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		why = "must begin with http:// or https://";
	else if (curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK)
		why = "must hold no user name: give a token, or a header";
	else if (curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK || host[0] == '\0')
		why = "names no host";
	*literal = host != NULL && is_literal(host);
	*secure = scheme != NULL && strcmp(scheme, "https") == 0;
	curl_free(host);
	curl_free(scheme);
	curl_free(user);
	return why;
}

bool webhook_url_ok(const char *url, bool *literal, bool *secure, char *why, size_t size)
{
	CURLU *u = curl_url();
	CURLUcode rc = u != NULL ? curl_url_set(u, CURLUPART_URL, url, 0) : CURLUE_OUT_OF_MEMORY;
	const char *fault = rc != CURLUE_OK ? curl_url_strerror(rc) : url_fault(u, literal, secure);

	if (fault != NULL)
		snprintf(why, size, "%s", fault);
	curl_url_cleanup(u);
	return fault == NULL;
}

/* --- libcurl --------------------------------------------------------------------------------------- */

/* Keeps the first line for people; more than the maximum ends the transfer, what it says is known by then. */
static size_t take(char *data, size_t one, size_t n, void *arg)
{
	struct request *r = arg;
	size_t len = one * n, have = strlen(r->said);

	for (size_t i = 0; i < len && have < SAID_MAX; i++)
		r->said[have++] = (unsigned char)data[i] < 0x20 || data[i] == 0x7f ? ' ' : data[i];
	r->said[have] = '\0';
	r->got += len;
	return r->got > ANSWER_MAX ? 0 : len;
}

static bool connect_where(struct request *r, const struct webhook_server *sv)
{
	char to[120];

	if (sv->address == NULL)
		return true;
	snprintf(to, sizeof(to), strchr(sv->address, ':') ? "::[%.60s]:" : "::%.60s:", sv->address);
	r->connect_to = curl_slist_append(NULL, to);
	return r->connect_to != NULL &&
	       curl_easy_setopt(r->curl, CURLOPT_CONNECT_TO, r->connect_to) == CURLE_OK;
}

static bool set_options(struct request *r, const struct webhook_server *sv, int64_t left)
{
	CURL *c = r->curl;

	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, r->error);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROXY, sv->proxy ? sv->proxy : "");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	/* one request, one connection: libcurl sends again by itself on one it has used before */
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)left);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(sv->connect_ms < left ? sv->connect_ms : left));
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, r);
	if (sv->ca_file) {
		curl_easy_setopt(c, CURLOPT_CAINFO, sv->ca_file);
		curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	}
	if (sv->pin && curl_easy_setopt(c, CURLOPT_PINNEDPUBLICKEY, sv->pin) != CURLE_OK)
		return false;
	return connect_where(r, sv) && curl_easy_setopt(c, CURLOPT_URL, sv->url) == CURLE_OK;
}

static bool add_header(struct request *r, const char *text)
{
	struct curl_slist *more = curl_slist_append(r->headers, text);

	if (more != NULL)
		r->headers = more;
	return more != NULL;
}

static bool set_request(struct request *r, const char *method, const char *const *headers, size_t nheaders,
			const char *body, size_t len)
{
	bool ok = add_header(r, "Expect:");

	for (size_t i = 0; i < nheaders && ok; i++)
		ok = add_header(r, headers[i]);
	curl_easy_setopt(r->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(r->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(r->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
	curl_easy_setopt(r->curl, CURLOPT_POSTFIELDS, body);
	return ok && curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, r->headers) == CURLE_OK;
}

static void request_fini(struct request *r)
{
	if (r->curl != NULL)
		curl_easy_cleanup(r->curl);
	curl_slist_free_all(r->headers);
	curl_slist_free_all(r->connect_to);
}

/* --- what became of it ----------------------------------------------------------------------------- */

static enum outcome by_status(long status)
{
	if (status >= 200 && status < 300)
		return OUTCOME_SENT;
	return status >= 500 || status == 408 || status == 425 || status == 429 ? OUTCOME_RETRY
										: OUTCOME_REFUSED;
}

static void explain_status(const struct request *r, long status, struct webhook_answer *a)
{
	curl_off_t after = 0;
	char *where = NULL;

	a->status = (int)status;
	a->outcome = by_status(status);
	if (curl_easy_getinfo(r->curl, CURLINFO_RETRY_AFTER, &after) == CURLE_OK && after > 0 &&
	    a->outcome == OUTCOME_RETRY)
		a->retry_after_s = after;
	if (status >= 300 && status < 400 &&
	    curl_easy_getinfo(r->curl, CURLINFO_REDIRECT_URL, &where) == CURLE_OK && where)
		snprintf(a->detail, sizeof(a->detail),
			 "answers %ld, go to %.200s: redirects are not followed", status, where);
	else
		snprintf(a->detail, sizeof(a->detail), "answers %ld%s%s", status, r->said[0] ? ": " : "",
			 r->said);
}

/* No status came. What had left as a whole may have been acted upon. */
static void explain_failure(const struct request *r, CURLcode rc, size_t len, struct webhook_answer *a)
{
	curl_off_t up = 0;
	bool left = curl_easy_getinfo(r->curl, CURLINFO_SIZE_UPLOAD_T, &up) == CURLE_OK &&
		    up >= (curl_off_t)len && len > 0;

	a->outcome = left ? OUTCOME_DOUBTFUL : OUTCOME_RETRY;
	snprintf(a->detail, sizeof(a->detail), "%.250s%s", r->error[0] ? r->error : curl_easy_strerror(rc),
		 left ? "; the request had left: it may have been taken" : "");
}

void webhook_post(const struct webhook_server *sv, const char *const *headers, size_t nheaders,
		  const char *body, size_t len, int64_t deadline, struct webhook_answer *a)
{
	struct request r = {.curl = curl_easy_init()};
	int64_t left = deadline - clock_boot_ms();
	CURLcode rc = CURLE_OUT_OF_MEMORY;
	long status = 0;

	*a = (struct webhook_answer){.outcome = OUTCOME_RETRY};
	snprintf(a->detail, sizeof(a->detail), "out of memory");
	if (r.curl != NULL && set_options(&r, sv, left > 1 ? left : 1) &&
	    set_request(&r, sv->method, headers, nheaders, body, len)) {
		rc = curl_easy_perform(r.curl);
		curl_easy_getinfo(r.curl, CURLINFO_RESPONSE_CODE, &status);
		if (status >= 200)
			explain_status(&r, status, a);
		else
			explain_failure(&r, rc, len, a);
	}
	request_fini(&r);
}

bool webhook_try(const struct webhook_server *sv, int64_t deadline, char *why, size_t size)
{
	struct request r = {.curl = curl_easy_init()};
	int64_t left = deadline - clock_boot_ms();
	CURLcode rc = CURLE_OUT_OF_MEMORY;

	if (r.curl != NULL && set_options(&r, sv, left > 1 ? left : 1)) {
		curl_easy_setopt(r.curl, CURLOPT_CONNECT_ONLY, 1L);
		rc = curl_easy_perform(r.curl);
	}
	if (rc != CURLE_OK)
		snprintf(why, size, "%.250s", r.error[0] ? r.error : curl_easy_strerror(rc));
	request_fini(&r);
	return rc == CURLE_OK;
}
