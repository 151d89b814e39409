/*
 * The connection of wire.h: OpenSSL over a socket that never blocks, polled until each call's deadline. Trust
 * and the examination of certificates are tls_trust.c's.
 */
#include "wire.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connect.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "tls_trust.h"

enum { CHUNK = 4096 };

struct wire {
	int fd;
	SSL *ssl;
	struct buf in; /* what came; taken up to at */
	size_t at;
	int err;
	char why[160];
};

struct wire *wire_new(int fd)
{
	struct wire *w = calloc(1, sizeof(*w));

	if (!w) {
		close(fd);
		return NULL;
	}
	w->fd = fd;
	buf_init(&w->in, WIRE_LINE_MAX + CHUNK);
	return w;
}

int wire_fd(const struct wire *w)
{
	return w->fd;
}

bool wire_secure(const struct wire *w)
{
	return w->ssl != NULL;
}

size_t wire_waiting(const struct wire *w)
{
	return w->in.len - w->at;
}

const char *wire_why(const struct wire *w)
{
	return w->why;
}

int wire_errno(const struct wire *w)
{
	return w->err;
}

static enum wire_state broke(struct wire *w, enum wire_state state, const char *why)
{
	if (why != w->why)
		snprintf(w->why, sizeof(w->why), "%s", why);
	return state;
}

/* At a deadline that has passed nothing is waited for, but what is there already was taken before. */
static enum wire_state wait_for(struct wire *w, short events, int64_t deadline_us)
{
	if (clock_boot_us() >= deadline_us || !net_wait(w->fd, events, deadline_us))
		return WIRE_LATE;
	return WIRE_OK;
}

static enum wire_state closed(struct wire *w, int err)
{
	w->err = err;
	return broke(w, WIRE_CLOSED, err ? strerrordesc_np(err) : "the connection was closed");
}

/* After a call of OpenSSL that did not succeed: WIRE_OK means try again. */
static enum wire_state ssl_failed(struct wire *w, int rc, int err, int64_t deadline_us)
{
	unsigned long reason = ERR_peek_error();
	const char *words = ERR_reason_error_string(reason);
	enum wire_state state;

	switch (SSL_get_error(w->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return wait_for(w, POLLIN, deadline_us);
	case SSL_ERROR_WANT_WRITE:
		return wait_for(w, POLLOUT, deadline_us);
	case SSL_ERROR_ZERO_RETURN:
		return closed(w, 0);
	case SSL_ERROR_SYSCALL:
		return closed(w, err);
	default:
		break;
	}
	if (ERR_GET_REASON(reason) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		state = closed(w, 0);
	else
		state = broke(w, WIRE_TLS, words ? words : "failed");
	ERR_clear_error();
	return state;
}

static SSL *new_ssl(struct wire *w, struct tls_check *check)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = NULL;

	if (!ctx)
		return NULL;
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (tls_trust_apply(ctx, check, w->why, sizeof(w->why)))
		ssl = SSL_new(ctx);
	SSL_CTX_free(ctx); /* ssl has its own reference */
	return ssl;
}

/* An address is no server name (RFC 6066, 3), nor is a socket's path. */
static bool set_name(SSL *ssl, const struct tls_check *check)
{
	const char *name = check->sni ? check->sni : check->name;
	char bare[256];
	size_t n = strlen(name);

	if (!n || n >= sizeof(bare) || name[0] == '/' || resolve_literal(name, 0, NULL))
		return true;
	memcpy(bare, name, n + 1);
	if (bare[n - 1] == '.')
		bare[n - 1] = '\0';
	return SSL_set_tlsext_host_name(ssl, bare) == 1;
}

static enum wire_state handshake(struct wire *w, int64_t deadline_us)
{
	enum wire_state state;
	int rc;

	for (;;) {
		ERR_clear_error();
		errno = 0;
		rc = SSL_connect(w->ssl);
		if (rc == 1)
			return WIRE_OK;
		state = ssl_failed(w, rc, errno, deadline_us);
		if (state == WIRE_CLOSED)
			return broke(w, WIRE_TLS,
				     w->err ? w->why : "the connection was closed in the handshake");
		if (state != WIRE_OK)
			return state;
	}
}

enum wire_state wire_tls(struct wire *w, struct tls_check *check, int64_t deadline_us)
{
	if (wire_waiting(w) > 0)
		return broke(w, WIRE_TLS, "unprotected bytes come behind the answer to STARTTLS");
	w->ssl = new_ssl(w, check);
	if (!w->ssl || !set_name(w->ssl, check) || SSL_set_fd(w->ssl, w->fd) != 1)
		return broke(w, WIRE_LOCAL, w->why[0] ? w->why : "out of memory");
	return handshake(w, deadline_us);
}

/* One attempt: WIRE_OK with *n 0 means try again. */
static enum wire_state send_once(struct wire *w, const char *bytes, size_t size, size_t *n,
				 int64_t deadline_us)
{
	ssize_t rc;

	*n = 0;
	errno = 0;
	if (w->ssl) {
		ERR_clear_error();
		rc = SSL_write(w->ssl, bytes, size > INT32_MAX ? INT32_MAX : (int)size);
		if (rc <= 0)
			return ssl_failed(w, (int)rc, errno, deadline_us);
	} else {
		rc = send(w->fd, bytes, size, MSG_NOSIGNAL);
		if (rc < 0)
			return errno == EAGAIN	? wait_for(w, POLLOUT, deadline_us)
			       : errno == EINTR ? WIRE_OK
						: closed(w, errno);
	}
	*n = (size_t)rc;
	return WIRE_OK;
}

enum wire_state wire_send(struct wire *w, const void *bytes, size_t n, int64_t deadline_us)
{
	const char *p = bytes;
	enum wire_state state;
	size_t done;

	while (n > 0) {
		state = send_once(w, p, n, &done, deadline_us);
		if (state != WIRE_OK)
			return state;
		p += done;
		n -= done;
	}
	return WIRE_OK;
}

static enum wire_state receive_once(struct wire *w, char *bytes, size_t size, size_t *n, int64_t deadline_us)
{
	ssize_t rc;

	*n = 0;
	errno = 0;
	if (w->ssl) {
		ERR_clear_error();
		rc = SSL_read(w->ssl, bytes, (int)size);
		if (rc <= 0)
			return ssl_failed(w, (int)rc, errno, deadline_us);
	} else {
		rc = recv(w->fd, bytes, size, 0);
		if (rc == 0)
			return closed(w, 0);
		if (rc < 0)
			return errno == EAGAIN	? wait_for(w, POLLIN, deadline_us)
			       : errno == EINTR ? WIRE_OK
						: closed(w, errno);
	}
	*n = (size_t)rc;
	return WIRE_OK;
}

/* Makes more bytes wait. A server that never stops must not keep us beyond the deadline. */
static enum wire_state receive(struct wire *w, int64_t deadline_us)
{
	enum wire_state state;
	char bytes[CHUNK];
	size_t n = 0;

	buf_drop(&w->in, w->at);
	w->at = 0;
	while (n == 0) {
		if (clock_boot_us() >= deadline_us)
			return WIRE_LATE;
		state = receive_once(w, bytes, sizeof(bytes), &n, deadline_us);
		if (state != WIRE_OK)
			return state;
	}
	return buf_add(&w->in, bytes, n) ? WIRE_OK : broke(w, WIRE_LOCAL, "out of memory");
}

enum wire_state wire_line(struct wire *w, int64_t deadline_us, const char **line, size_t *n)
{
	enum wire_state state;
	size_t looked = 0;
	const char *end;

	for (;;) {
		size_t have = wire_waiting(w);

		end = have > looked ? memchr(w->in.data + w->at + looked, '\n', have - looked) : NULL;
		if (end) {
			*line = w->in.data + w->at;
			*n = (size_t)(end + 1 - *line);
			w->at += *n;
			return WIRE_OK;
		}
		if (have > WIRE_LINE_MAX)
			return broke(w, WIRE_LONG, "a line without end");
		looked = have;
		state = receive(w, deadline_us);
		if (state != WIRE_OK)
			return state;
	}
}

enum wire_state wire_some(struct wire *w, int64_t deadline_us, char *bytes, size_t size, size_t *n)
{
	enum wire_state state = wire_waiting(w) ? WIRE_OK : receive(w, deadline_us);

	if (state != WIRE_OK)
		return state;
	*n = wire_waiting(w) < size ? wire_waiting(w) : size;
	memcpy(bytes, w->in.data + w->at, *n);
	w->at += *n;
	return WIRE_OK;
}

void wire_free(struct wire *w)
{
	if (!w)
		return;
	if (w->ssl && SSL_is_init_finished(w->ssl))
		SSL_shutdown(w->ssl); /* says so and waits for nothing */
	SSL_free(w->ssl);
	ERR_clear_error();
	close(w->fd);
	buf_fini(&w->in);
	free(w);
}
