/*
 * The only file of the SMTP probes that speaks libcurl.
 *
 * libcurl's own limits do not fit phases (its connect limit runs until after AUTH, and its QUIT can hang for
 * two minutes), so it gets a socket that is connected already, CURLOPT_CONNECT_ONLY, and no limit that could
 * ever strike.
 *
 * Making libcurl's handles is a good part of what a session costs, so a few wait here for the next one; all they
 * were told is forgotten before (curl_easy_reset), and connections are never used twice.
 */
#include "smtp_wire.h"

#include <ctype.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/buf.h"
#include "tls_trust.h"

enum { NEVER_S = 7 * 86400, RECEIVE_BUFFER = 4096, URL_MAX = 1024, IDLE_MAX = 16 };

struct smtp_wire {
	struct smtp_wire_conf conf;
	CURLM *multi;
	CURL *easy;
	struct curl_slist *to;
	bool added;
	char local[200]; /* why a callback of ours failed; libcurl overwrites error then */
	int os_errno;
	char error[CURL_ERROR_SIZE];
};

static struct {
	pthread_mutex_t lock;
	struct {
		CURLM *multi;
		CURL *easy;
	} v[IDLE_MAX];
	size_t n;
} idle = {.lock = PTHREAD_MUTEX_INITIALIZER};

void smtp_wire_global_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void get_handles(struct smtp_wire *w)
{
	pthread_mutex_lock(&idle.lock);
	if (idle.n > 0) {
		idle.n--;
		w->multi = idle.v[idle.n].multi;
		w->easy = idle.v[idle.n].easy;
	}
	pthread_mutex_unlock(&idle.lock);
	if (w->multi)
		return;
	w->multi = curl_multi_init();
	w->easy = curl_easy_init();
}

/* Keeps the handles for the next session, if there is room. */
static bool kept(struct smtp_wire *w)
{
	bool room;

	if (!w->multi || !w->easy)
		return false;
	curl_easy_reset(w->easy);
	pthread_mutex_lock(&idle.lock);
	room = idle.n < IDLE_MAX;
	if (room) {
		idle.v[idle.n].multi = w->multi;
		idle.v[idle.n].easy = w->easy;
		idle.n++;
	}
	pthread_mutex_unlock(&idle.lock);
	return room;
}

static curl_socket_t give_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct smtp_wire *w = arg;

	(void)purpose;
	(void)address;
	return w->conf.fd;
}

/* libcurl 7.88 calls connect(2) once more all the same; Linux answers the second call on a socket that was
 * connected without blocking with 0. */
static int is_connected(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static int keep_socket(void *arg, curl_socket_t fd)
{
	(void)arg;
	(void)fd;
	return 0;
}

static size_t on_line(char *line, size_t size, size_t n, void *arg)
{
	struct smtp_wire *w = arg;

	return w->conf.line(w->conf.arg, line, size * n) ? size * n : 0;
}

static CURLcode on_ssl_ctx(CURL *easy, void *ssl_ctx, void *arg)
{
	struct smtp_wire *w = arg;

	(void)easy;
	if (tls_trust_apply(ssl_ctx, w->conf.check, w->local, sizeof(w->local)))
		return CURLE_OK;
	return CURLE_ABORTED_BY_CALLBACK;
}

/* The name for EHLO stands in the URL's path. */
static bool add_escaped(struct buf *b, const char *s)
{
	for (; *s; s++)
		if (!(isalnum((unsigned char)*s) || strchr("-._", *s)
			  ? buf_add(b, s, 1)
			  : buf_printf(b, "%%%02X", (unsigned char)*s)))
			return false;
	return true;
}

static bool set_url(struct smtp_wire *w)
{
	const struct smtp_wire_conf *c = &w->conf;
	bool six = strchr(c->host, ':') && c->host[0] != '[', ok;
	struct buf b;

	buf_init(&b, URL_MAX);
	ok = buf_printf(&b, "%s://%s%.*s%s:%u/", c->implicit_tls ? "smtps" : "smtp", six ? "[" : "",
			(int)strcspn(c->host, "%"), c->host, six || strchr(c->host, '%') ? "]" : "",
			c->port) &&
	     add_escaped(&b, c->helo) && curl_easy_setopt(w->easy, CURLOPT_URL, buf_str(&b)) == CURLE_OK;
	buf_fini(&b);
	return ok;
}

static bool set_login(struct smtp_wire *w)
{
	char mechanism[64] = "AUTH=CRAM-MD5;AUTH=PLAIN;AUTH=LOGIN";

	if (!w->conf.user)
		return true;
	if (w->conf.mechanism)
		snprintf(mechanism, sizeof(mechanism), "AUTH=%s", w->conf.mechanism);
	return curl_easy_setopt(w->easy, CURLOPT_LOGIN_OPTIONS, mechanism) == CURLE_OK &&
	       curl_easy_setopt(w->easy, CURLOPT_USERNAME, w->conf.user) == CURLE_OK &&
	       curl_easy_setopt(w->easy, CURLOPT_PASSWORD, w->conf.password ? w->conf.password : "") ==
		   CURLE_OK;
}

static void set_tls(struct smtp_wire *w)
{
	CURL *e = w->easy;

	if (!w->conf.starttls && !w->conf.implicit_tls)
		return;
	curl_easy_setopt(e, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	/* the examination is ours: tls_trust.c, with certificates loaded once and not for each session */
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, w);
}

static bool set_up(struct smtp_wire *w)
{
	CURL *e = w->easy;

	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, w->error);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)NEVER_S);
	curl_easy_setopt(e, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)NEVER_S);
	curl_easy_setopt(e, CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, give_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, w);
	curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, is_connected);
	curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, keep_socket);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_line);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, w);
	/* the socket is connected: any literal address keeps libcurl from looking names up */
	curl_easy_setopt(e, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4);
	w->to = curl_slist_append(NULL, "::127.0.0.1:");
	curl_easy_setopt(e, CURLOPT_CONNECT_TO, w->to);
	set_tls(w);
	return w->to && set_url(w) && set_login(w);
}

struct smtp_wire *smtp_wire_new(const struct smtp_wire_conf *conf)
{
	struct smtp_wire *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->conf = *conf;
	get_handles(w);
	if (w->multi && w->easy && set_up(w) && curl_multi_add_handle(w->multi, w->easy) == CURLM_OK) {
		w->added = true;
		return w;
	}
	smtp_wire_free(w);
	return NULL;
}

static enum smtp_wire_state classify(struct smtp_wire *w, CURLcode rc)
{
	long os_errno = 0;

	if (rc == CURLE_OK)
		return WIRE_OPEN;
	curl_easy_getinfo(w->easy, CURLINFO_OS_ERRNO, &os_errno);
	w->os_errno = (int)os_errno;
	if (!w->error[0])
		snprintf(w->error, sizeof(w->error), "%s", curl_easy_strerror(rc));
	if (w->local[0])
		return WIRE_LOCAL;
	switch (rc) {
	case CURLE_WRITE_ERROR:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_REMOTE_ACCESS_DENIED:
		return WIRE_STOPPED;
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_COULDNT_CONNECT:
		return WIRE_CLOSED;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
		return WIRE_TLS;
	case CURLE_USE_SSL_FAILED:
		return WIRE_NO_TLS;
	case CURLE_LOGIN_DENIED:
	case CURLE_AUTH_ERROR:
	case CURLE_BAD_CONTENT_ENCODING: /* a challenge that cannot be decoded */
		return WIRE_NO_AUTH;
	default:
		return WIRE_LOCAL;
	}
}

enum smtp_wire_state smtp_wire_step(struct smtp_wire *w, int wait_ms)
{
	int running, left;
	CURLMsg *msg;

	if (curl_multi_perform(w->multi, &running) != CURLM_OK)
		return WIRE_LOCAL;
	if (running == 0) {
		msg = curl_multi_info_read(w->multi, &left);
		return msg && msg->msg == CURLMSG_DONE ? classify(w, msg->data.result) : WIRE_LOCAL;
	}
	return curl_multi_poll(w->multi, NULL, 0, wait_ms, NULL) == CURLM_OK ? WIRE_BUSY : WIRE_LOCAL;
}

const char *smtp_wire_why(const struct smtp_wire *w)
{
	return w->local[0] ? w->local : w->error;
}

int smtp_wire_errno(const struct smtp_wire *w)
{
	return w->os_errno;
}

static enum smtp_wire_state passed(struct smtp_wire *w, CURLcode rc)
{
	return rc == CURLE_OK ? WIRE_OPEN : rc == CURLE_AGAIN ? WIRE_BUSY : classify(w, rc);
}

enum smtp_wire_state smtp_wire_send(struct smtp_wire *w, const char *bytes, size_t n, size_t *done)
{
	*done = 0;
	return passed(w, curl_easy_send(w->easy, bytes, n, done));
}

enum smtp_wire_state smtp_wire_recv(struct smtp_wire *w, char *bytes, size_t n, size_t *done)
{
	CURLcode rc;

	*done = 0;
	rc = curl_easy_recv(w->easy, bytes, n, done);
	if (rc == CURLE_OK && *done == 0)
		return WIRE_CLOSED;
	return passed(w, rc);
}

void smtp_wire_free(struct smtp_wire *w)
{
	if (!w)
		return;
	if (w->added)
		curl_multi_remove_handle(w->multi, w->easy);
	if (!kept(w)) {
		curl_easy_cleanup(w->easy);
		curl_multi_cleanup(w->multi);
	}
	curl_slist_free_all(w->to);
	free(w);
}
