/*
 * libcurl as an SMTP line: it takes a connected socket through greeting, EHLO, STARTTLS and AUTH, showing
 * each reply line as it comes, and then carries bytes. It waits at most as long as each step is told, so the
 * limits are the caller's. Private to smtp_session.c.
 */
#ifndef PROBES_SMTP_WIRE_H
#define PROBES_SMTP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_check;
struct smtp_wire;

struct smtp_wire_conf {
	int fd;		  /* connected; stays the caller's to close, after smtp_wire_free */
	const char *host; /* for SNI */
	uint16_t port;
	const char *helo;
	bool starttls, implicit_tls;
	struct tls_check *check; /* with either */
	const char *user, *password, *mechanism;
	bool (*line)(void *arg, const char *line, size_t n); /* false ends it: WIRE_STOPPED */
	void *arg;
};

enum smtp_wire_state {
	WIRE_BUSY,
	WIRE_OPEN,    /* greeted, secured, logged in: bytes may pass */
	WIRE_STOPPED, /* the line callback said so, or the server's answer was final */
	WIRE_CLOSED,  /* by the other side */
	WIRE_TLS,     /* the handshake failed; or bytes that are no TLS record */
	WIRE_NO_TLS,  /* STARTTLS is not offered, or refused */
	WIRE_NO_AUTH, /* no login: no mechanism in common, or refused */
	WIRE_LOCAL    /* no memory, an unreadable CA file */
};

/* NULL: out of memory. */
struct smtp_wire *smtp_wire_new(const struct smtp_wire_conf *conf);
/* Does what can be done and waits at most wait_ms for more. */
enum smtp_wire_state smtp_wire_step(struct smtp_wire *w, int wait_ms);
/* Why it failed, in libcurl's or OpenSSL's words. */
const char *smtp_wire_why(const struct smtp_wire *w);
int smtp_wire_errno(const struct smtp_wire *w);

/* After WIRE_OPEN. Never wait: WIRE_BUSY means not now. *done: bytes that passed. */
enum smtp_wire_state smtp_wire_send(struct smtp_wire *w, const char *bytes, size_t n, size_t *done);
enum smtp_wire_state smtp_wire_recv(struct smtp_wire *w, char *bytes, size_t n, size_t *done);
void smtp_wire_free(struct smtp_wire *w);
void smtp_wire_global_init(void);

#endif
