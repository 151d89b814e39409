/* How a log message leaves; see way.h. */
#include "notifiers/syslog/way.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clock.h"

/* REFUSAL: how long a "nobody listens" may take to come back; CLOSING: a receiver's answer to our end; LOOK:
 * between looks at a queue that nothing wakes us for. */
enum { REFUSAL_MS = 250, CLOSING_MS = 2000, ALERT_MS = 500, LOOK_MS = 5, WAIT_MAX_MS = 60000 };

bool syslog_global_init(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static enum outcome say(enum outcome o, char *detail, size_t size, const char *what, const char *why)
{
	snprintf(detail, size, "%s%s%s", what, why[0] ? ": " : "", why);
	return o;
}

/* What of events came until the deadline; 0: nothing. */
static short await(int fd, short events, int64_t deadline)
{
	for (;;) {
		int64_t left = deadline - clock_boot_ms();
		struct pollfd p = {.fd = fd, .events = events};
		int n = poll(&p, 1, left <= 0 ? 0 : left > WAIT_MAX_MS ? WAIT_MAX_MS : (int)left);

		if (n > 0)
			return p.revents;
		if ((n < 0 && errno != EINTR) || (n == 0 && left <= 0))
			return 0;
	}
}

/* --- datagrams ------------------------------------------------------------------------------------- */

static bool send_datagram(int fd, const char *data, size_t len, int64_t deadline)
{
	ssize_t n;

	while ((n = send(fd, data, len, MSG_NOSIGNAL)) < 0 && (errno == EAGAIN || errno == EINTR))
		if (await(fd, POLLOUT, deadline) == 0) {
			errno = ETIMEDOUT;
			return false;
		}
	return n == (ssize_t)len;
}

static socklen_t address_of(const struct syslog_server *sv, struct sockaddr_storage *ss)
{
	struct sockaddr_in *four = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, sv->host, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)sv->port);
		return sizeof(*four);
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons((uint16_t)sv->port);
	return inet_pton(AF_INET6, sv->host, &six->sin6_addr) == 1 ? sizeof(*six) : 0;
}

enum outcome syslog_udp(const struct syslog_server *sv, const char *data, size_t len, int64_t deadline,
			char *detail, size_t size)
{
	struct sockaddr_storage ss;
	socklen_t n = address_of(sv, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err = 0;
	socklen_t errlen = sizeof(err);

	if (fd < 0 || connect(fd, (struct sockaddr *)&ss, n) != 0 || !send_datagram(fd, data, len, deadline))
		err = errno;
	else if (await(fd, POLLIN, clock_boot_ms() + REFUSAL_MS) & POLLERR)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &errlen);
	if (fd >= 0)
		close(fd);
	if (err != 0)
		return say(OUTCOME_RETRY, detail, size, "not sent", strerror(err));
	return say(OUTCOME_SENT, detail, size, "left as a datagram: nobody knows whether it came", "");
}

enum outcome syslog_socket(const char *path, const char *data, size_t len, int64_t deadline, char *detail,
			   size_t size)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), big = 1 << 20, err = 0;

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &big, sizeof(big));
	if (fd < 0 || connect(fd, (struct sockaddr *)&un, sizeof(un)) != 0 ||
	    !send_datagram(fd, data, len, deadline))
		err = errno;
	if (fd >= 0)
		close(fd);
	return err != 0 ? say(OUTCOME_RETRY, detail, size, path, strerror(err))
			: say(OUTCOME_SENT, detail, size, "taken by the journal", "");
}

/* --- streams --------------------------------------------------------------------------------------- */

struct stream {
	CURL *curl;
	struct curl_slist *connect_to;
	curl_socket_t fd;
	char error[CURL_ERROR_SIZE];
};

static void stream_close(struct stream *s)
{
	if (s->curl != NULL)
		curl_easy_cleanup(s->curl);
	curl_slist_free_all(s->connect_to);
}

/* libcurl connects and shakes hands, and speaks no HTTP on it (CONNECT_ONLY). The URL's host is the
 * certificate's name; where to connect is always the address. */
static bool set_target(struct stream *s, const struct syslog_server *sv)
{
	bool six = strchr(sv->host, ':') != NULL;
	char url[400], to[120];

	if (sv->tls_name)
		snprintf(url, sizeof(url), "%s://%.255s:%d/", sv->tls ? "https" : "http", sv->tls_name,
			 sv->port);
	else
		snprintf(url, sizeof(url), six ? "%s://[%.60s]:%d/" : "%s://%.60s:%d/",
			 sv->tls ? "https" : "http", sv->host, sv->port);
	snprintf(to, sizeof(to), six ? "::[%.60s]:%d" : "::%.60s:%d", sv->host, sv->port);
	s->connect_to = curl_slist_append(NULL, to);
	return s->connect_to != NULL && curl_easy_setopt(s->curl, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(s->curl, CURLOPT_CONNECT_TO, s->connect_to) == CURLE_OK;
}

static void set_tls(CURL *c, const struct syslog_server *sv)
{
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_SSL_ENABLE_ALPN, 0L);
	if (sv->ca_file) {
		curl_easy_setopt(c, CURLOPT_CAINFO, sv->ca_file);
		curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	}
	if (sv->cert_file) {
		curl_easy_setopt(c, CURLOPT_SSLCERT, sv->cert_file);
		curl_easy_setopt(c, CURLOPT_SSLKEY, sv->key_file ? sv->key_file : sv->cert_file);
	}
}

static bool stream_open(struct stream *s, const struct syslog_server *sv, int64_t deadline, char *why,
			size_t size)
{
	int64_t left = deadline - clock_boot_ms();
	CURLcode rc = CURLE_OUT_OF_MEMORY;

	*s = (struct stream){.curl = curl_easy_init(), .fd = CURL_SOCKET_BAD};
	left = left < sv->connect_ms ? left : sv->connect_ms;
	if (s->curl != NULL && set_target(s, sv)) {
		curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, s->error);
		curl_easy_setopt(s->curl, CURLOPT_CONNECT_ONLY, 1L);
		curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(s->curl, CURLOPT_PROXY, ""); /* whatever the environment says */
		curl_easy_setopt(s->curl, CURLOPT_TIMEOUT_MS, (long)(left > 1 ? left : 1));
		curl_easy_setopt(s->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(left > 1 ? left : 1));
		set_tls(s->curl, sv);
		rc = curl_easy_perform(s->curl);
	}
	if (rc == CURLE_OK)
		rc = curl_easy_getinfo(s->curl, CURLINFO_ACTIVESOCKET, &s->fd);
	if (rc != CURLE_OK || s->fd == CURL_SOCKET_BAD)
		snprintf(why, size, "%.250s", s->error[0] ? s->error : curl_easy_strerror(rc));
	return rc == CURLE_OK && s->fd != CURL_SOCKET_BAD;
}

static bool send_all(struct stream *s, const char *data, size_t len, int64_t deadline)
{
	while (len > 0) {
		size_t n = 0;
		CURLcode rc = curl_easy_send(s->curl, data, len, &n);

		if (rc != CURLE_OK && rc != CURLE_AGAIN)
			return false;
		data += n;
		len -= n;
		if (rc == CURLE_AGAIN && await(s->fd, POLLOUT, deadline) == 0)
			return false;
	}
	return true;
}

/* The other host's kernel has acknowledged every byte. */
static bool all_acknowledged(const struct stream *s, int64_t deadline)
{
	int left = 1;

	while (ioctl(s->fd, SIOCOUTQ, &left) == 0 && left > 0) {
		if (clock_boot_ms() >= deadline ||
		    (await(s->fd, 0, clock_boot_ms() + LOOK_MS) & (POLLERR | POLLHUP)))
			return false;
	}
	return left == 0;
}

/* Listens for a refusal until then: +1 the other side ended in good order, 0 it said nothing, -1 the
 * connection broke. */
static int parting_word(struct stream *s, int64_t until)
{
	char word[256];

	while (await(s->fd, POLLIN, until) != 0) {
		size_t n = 0;
		CURLcode rc = curl_easy_recv(s->curl, word, sizeof(word), &n);

		if (rc != CURLE_OK && rc != CURLE_AGAIN)
			return -1;
		if (rc == CURLE_OK && n == 0)
			return 1;
		if (clock_boot_ms() >= until)
			break;
	}
	return 0;
}

/* In the clear our end is said first, and a receiver that read it all ends as well. Over TLS it would cut
 * libcurl's own goodbye off; there a certificate of ours that is not liked is what may still come back. */
static enum outcome make_sure(struct stream *s, bool tls, int64_t deadline, char *detail, size_t size)
{
	int64_t now = clock_boot_ms(), until = now + (tls ? ALERT_MS : CLOSING_MS);
	int word;

	if (!all_acknowledged(s, deadline))
		return say(OUTCOME_DOUBTFUL, detail, size, "sent, and not acknowledged by the other host",
			   "");
	if (!tls)
		shutdown(s->fd, SHUT_WR);
	word = parting_word(s, until < deadline ? until : deadline);
	if (word < 0 && tls)
		return say(OUTCOME_RETRY, detail, size, "the receiver ended the TLS session", s->error);
	if (word < 0)
		return say(OUTCOME_DOUBTFUL, detail, size,
			   "the connection was reset after the message was sent", "");
	return say(OUTCOME_SENT, detail, size, "taken by the other host", "");
}

enum outcome syslog_stream(const struct syslog_server *sv, const char *data, size_t len, int64_t deadline,
			   char *detail, size_t size)
{
	struct stream s;
	enum outcome o = OUTCOME_RETRY;
	struct buf frame;
	bool whole;

	buf_init(&frame, len + 32);
	whole = buf_printf(&frame, "%zu ", len) && buf_add(&frame, data, len);
	if (!whole)
		say(OUTCOME_RETRY, detail, size, "out of memory", "");
	if (!stream_open(&s, sv, deadline, detail, size) || !whole)
		o = OUTCOME_RETRY;
	else if (!send_all(&s, frame.data, frame.len, deadline))
		/* part of a counted message is of no use to anybody */
		o = say(OUTCOME_RETRY, detail, size, "the connection broke in the middle of the message", "");
	else
		o = make_sure(&s, sv->tls, deadline, detail, size);
	buf_fini(&frame);
	stream_close(&s);
	return o;
}

bool syslog_try(const struct syslog_server *sv, int64_t deadline, char *why, size_t size)
{
	struct stream s;
	bool ok = stream_open(&s, sv, deadline, why, size);

	stream_close(&s);
	return ok;
}
