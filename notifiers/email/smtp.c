/* SMTP over a connection made by libcurl; see smtp.h. Called by notify_email.c. */
#include "smtp.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"

enum { REPLY_LINE = 1000, REPLY_LINES = 100, QUIT_MS = 1000 };

struct email_smtp {
	CURL *curl;
	struct curl_slist *connect_to;
	curl_socket_t fd;
	int64_t deadline;
	char error[CURL_ERROR_SIZE];
	/* the last whole reply: its code and its last line */
	int code;
	char reply[REPLY_LINE + 1];
	/* what was received and not used yet */
	char in[4096];
	size_t have;
};

bool email_smtp_global_init(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

/* libcurl hands over every reply line during its part of the dialogue: the last one says why it gave up. */
static size_t header(char *data, size_t one, size_t n, void *arg)
{
	struct email_smtp *s = arg;
	size_t len = one * n;

	if (len >= 3 && data[0] >= '2' && data[0] <= '5') {
		size_t keep = len < REPLY_LINE ? len : REPLY_LINE;

		memcpy(s->reply, data, keep);
		s->reply[keep] = '\0';
		s->reply[strcspn(s->reply, "\r\n")] = '\0';
		s->code = atoi(s->reply);
	}
	return len;
}

static size_t swallow(char *data, size_t one, size_t n, void *arg)
{
	(void)data;
	(void)arg;
	return one * n;
}

static enum outcome by_code(int code)
{
	return code >= 500 ? OUTCOME_REFUSED : OUTCOME_RETRY;
}

/* The URL's host is the certificate's name; where to connect is always the literal address, so nothing is
 * looked up. */
static bool set_target(struct email_smtp *s, const struct email_server *sv)
{
	bool six = strchr(sv->host, ':') != NULL;
	const char *scheme = sv->tls == EMAIL_TLS_WRAPPED ? "smtps" : "smtp";
	char url[700], to[300];

	if (sv->tls_name)
		snprintf(url, sizeof(url), "%s://%s:%d/%s", scheme, sv->tls_name, sv->port, sv->helo);
	else
		snprintf(url, sizeof(url), six ? "%s://[%s]:%d/%s" : "%s://%s:%d/%s", scheme, sv->host,
			 sv->port, sv->helo);
	snprintf(to, sizeof(to), six ? "::[%s]:%d" : "::%s:%d", sv->host, sv->port);
	s->connect_to = curl_slist_append(NULL, to);
	return s->connect_to && curl_easy_setopt(s->curl, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(s->curl, CURLOPT_CONNECT_TO, s->connect_to) == CURLE_OK;
}

static void set_tls(CURL *c, const struct email_server *sv)
{
	/* opportunistic: better any TLS than none, so a certificate is only looked at when an authority is
	 * given */
	bool verify = sv->tls != EMAIL_TLS_OPPORTUNISTIC || sv->ca_file;

	if (sv->tls != EMAIL_TLS_NONE)
		curl_easy_setopt(
		    c, CURLOPT_USE_SSL,
		    (long)(sv->tls == EMAIL_TLS_OPPORTUNISTIC ? CURLUSESSL_TRY : CURLUSESSL_ALL));
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
	if (sv->ca_file) {
		curl_easy_setopt(c, CURLOPT_CAINFO, sv->ca_file);
		curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	}
}

static bool set_options(struct email_smtp *s, const struct email_server *sv, int64_t left_ms)
{
	CURL *c = s->curl;

	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, s->error);
	curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROXY, ""); /* whatever the environment says */
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)left_ms);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)left_ms);
	/* or libcurl waits 120 s for a greeting, whatever the two above say */
	curl_easy_setopt(c, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)(left_ms / 1000 + 1));
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, s);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, swallow);
	set_tls(c, sv);
	if (sv->user) {
		curl_easy_setopt(c, CURLOPT_USERNAME, sv->user);
		curl_easy_setopt(c, CURLOPT_PASSWORD, sv->password ? sv->password : "");
	}
	return set_target(s, sv);
}

static void discard(struct email_smtp *s)
{
	if (s->curl)
		curl_easy_cleanup(s->curl);
	curl_slist_free_all(s->connect_to);
	free(s);
}

/* How libcurl's part failed, for people and as an outcome. */
static enum outcome explain(const struct email_smtp *s, CURLcode rc, char *detail, size_t size)
{
	if (rc != CURLE_OPERATION_TIMEDOUT && s->code >= 400) {
		snprintf(detail, size, "answered: %.300s", s->reply);
		return by_code(s->code);
	}
	snprintf(detail, size, "%.300s", s->error[0] ? s->error : curl_easy_strerror(rc));
	return OUTCOME_RETRY;
}

struct email_smtp *email_smtp_open(const struct email_server *sv, int64_t deadline, enum outcome *o,
				   char *detail, size_t size)
{
	struct email_smtp *s = calloc(1, sizeof(*s));
	int64_t left = deadline - clock_boot_ms();
	CURLcode rc = CURLE_OUT_OF_MEMORY;

	*o = OUTCOME_RETRY;
	snprintf(detail, size, "out of memory");
	if (!s)
		return NULL;
	s->deadline = deadline;
	s->curl = curl_easy_init();
	if (s->curl && set_options(s, sv, left > 1 ? left : 1))
		rc = curl_easy_perform(s->curl);
	if (rc == CURLE_OK)
		rc = curl_easy_getinfo(s->curl, CURLINFO_ACTIVESOCKET, &s->fd);
	if (rc == CURLE_OK && s->fd != CURL_SOCKET_BAD) {
		detail[0] = '\0';
		return s;
	}
	*o = explain(s, rc, detail, size);
	discard(s);
	return NULL;
}

/* False when the deadline came first. */
static bool wait_for(const struct email_smtp *s, short events)
{
	int64_t left = s->deadline - clock_boot_ms();
	struct pollfd p = {.fd = s->fd, .events = events};

	return left > 0 && (poll(&p, 1, left > 60000 ? 60000 : (int)left) >= 0 || errno == EINTR);
}

static bool send_all(struct email_smtp *s, const char *data, size_t len)
{
	while (len) {
		size_t n = 0;
		CURLcode rc = curl_easy_send(s->curl, data, len, &n);

		if (rc != CURLE_OK && rc != CURLE_AGAIN)
			return false;
		data += n;
		len -= n;
		if (rc == CURLE_AGAIN && !wait_for(s, POLLOUT))
			return false;
		if (clock_boot_ms() >= s->deadline && len)
			return false;
	}
	return true;
}

/* One line of the server's into s->reply. */
static bool take_line(struct email_smtp *s)
{
	for (;;) {
		char *nl = memchr(s->in, '\n', s->have);
		size_t n = 0, len;
		CURLcode rc;

		if (nl) {
			len = (size_t)(nl - s->in);
			snprintf(s->reply, sizeof(s->reply), "%.*s",
				 (int)(len < REPLY_LINE ? len : REPLY_LINE), s->in);
			s->reply[strcspn(s->reply, "\r")] = '\0';
			s->have -= len + 1;
			memmove(s->in, nl + 1, s->have);
			return true;
		}
		if (s->have == sizeof(s->in))
			return false; /* no SMTP line is that long */
		rc = curl_easy_recv(s->curl, s->in + s->have, sizeof(s->in) - s->have, &n);
		if ((rc != CURLE_OK && rc != CURLE_AGAIN) || (rc == CURLE_OK && n == 0))
			return false;
		s->have += n;
		if (rc == CURLE_AGAIN && !wait_for(s, POLLIN))
			return false;
	}
}

/* A whole reply: its code, 0 when none came. */
static int take_reply(struct email_smtp *s)
{
	for (int i = 0; i < REPLY_LINES && take_line(s); i++) {
		const char *r = s->reply;

		if (r[0] < '2' || r[0] > '5' || r[1] < '0' || r[1] > '9' || r[2] < '0' || r[2] > '9')
			return 0;
		if (r[3] != '-')
			return s->code = (r[0] - '0') * 100 + (r[1] - '0') * 10 + (r[2] - '0');
	}
	return 0;
}

/* One command; true when the answer's class is want. Else *o and detail. */
static bool command(struct email_smtp *s, const char *line, int want, enum outcome *o, char *detail,
		    size_t size)
{
	char text[400];
	int code;

	snprintf(text, sizeof(text), "%s\r\n", line);
	code = send_all(s, text, strlen(text)) ? take_reply(s) : 0;
	if (code / 100 == want)
		return true;
	*o = code ? by_code(code) : OUTCOME_RETRY;
	if (code)
		snprintf(detail, size, "%.10s was answered: %.300s", line, s->reply);
	else
		snprintf(detail, size, "%s %.10s",
			 clock_boot_ms() >= s->deadline ? "no answer in time to" : "the connection broke at",
			 line);
	return false;
}

enum outcome email_smtp_send(struct email_smtp *s, const char *from, const char *to, const char *text,
			     size_t len, char *detail, size_t size)
{
	char line[320];
	enum outcome o = OUTCOME_RETRY;
	int code;

	snprintf(line, sizeof(line), "MAIL FROM:<%.254s>", from);
	if (!command(s, line, 2, &o, detail, size))
		return o;
	snprintf(line, sizeof(line), "RCPT TO:<%.254s>", to);
	if (!command(s, line, 2, &o, detail, size) || !command(s, "DATA", 3, &o, detail, size))
		return o;
	if (!send_all(s, text, len)) {
		snprintf(detail, size, "the connection broke in the middle of the text");
		return OUTCOME_RETRY;
	}
	/* From here on the server may take it, whatever we hear. */
	code = send_all(s, ".\r\n", 3) ? take_reply(s) : 0;
	if (!code) {
		snprintf(detail, size, "no answer to the end of the text: it may have been taken");
		return OUTCOME_DOUBTFUL;
	}
	snprintf(detail, size, "%.300s", s->reply);
	return code / 100 == 2 ? OUTCOME_SENT : by_code(code);
}

void email_smtp_close(struct email_smtp *s)
{
	if (!s)
		return;
	s->deadline = clock_boot_ms() + QUIT_MS;
	if (send_all(s, "QUIT\r\n", 6))
		take_reply(s);
	discard(s);
}
