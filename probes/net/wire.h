/*
 * A connection that carries lines, plain or by TLS: for every probe that speaks a mail protocol. Each call
 *has its own deadline, so the limits are the caller's; what the server may make us hold is bounded. Knows no
 *protocol.
 *
 *	w = wire_new(net_connect(...));
 *	while (wire_line(w, deadline, &line, &n) == WIRE_OK) ...
 *	wire_send(w, "STARTTLS\r\n", 10, deadline); ...
 *	wire_tls(w, &check, deadline);
 *	wire_free(w);
 */
#ifndef PROBES_NET_WIRE_H
#define PROBES_NET_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_check;
struct wire;

enum { WIRE_LINE_MAX = 32 * 1024 };

enum wire_state {
	WIRE_OK,
	WIRE_LATE,   /* the deadline passed */
	WIRE_CLOSED, /* by the other side; wire_errno says how when it was not properly */
	WIRE_LONG,   /* a line longer than WIRE_LINE_MAX: it is we who stopped reading */
	WIRE_TLS,    /* the handshake failed, or what came is no TLS; wire_why */
	WIRE_LOCAL   /* no memory, an unreadable CA file; wire_why */
};

/* Takes the connected, non-blocking fd and closes it in the end. NULL: out of memory, fd is closed. */
struct wire *wire_new(int fd);
int wire_fd(const struct wire *w);
/* The handshake. check is used until wire_free; its report is filled whatever comes of it. Bytes that wait
 * from before are not let in (CVE-2021-22947): that is WIRE_TLS. */
enum wire_state wire_tls(struct wire *w, struct tls_check *check, int64_t deadline_us);
bool wire_secure(const struct wire *w);

/* All of it. */
enum wire_state wire_send(struct wire *w, const void *bytes, size_t n, int64_t deadline_us);
/* The next line with its LF, good until the next call. May hold any bytes. */
enum wire_state wire_line(struct wire *w, int64_t deadline_us, const char **line, size_t *n);
/* Whatever is there next, at least one byte. */
enum wire_state wire_some(struct wire *w, int64_t deadline_us, char *bytes, size_t size, size_t *n);
/* Bytes that came and were not taken yet. */
size_t wire_waiting(const struct wire *w);

/* Why it failed: "wrong version number". */
const char *wire_why(const struct wire *w);
/* Of WIRE_CLOSED: an errno, or 0. */
int wire_errno(const struct wire *w);
void wire_free(struct wire *w);

#endif
