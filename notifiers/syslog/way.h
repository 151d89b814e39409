/*
 * How a log message leaves: a datagram (UDP, the journal's socket), or a stream of counted octets (RFC
 * 6587, 3.4.1), with TLS (RFC 5425) over libcurl's connection. Each call opens, sends, makes as sure as can
 * be, closes. Called by notify_syslog.c.
 */
#ifndef NOTIFIERS_SYSLOG_WAY_H
#define NOTIFIERS_SYSLOG_WAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/contract/line.h"

struct syslog_server {
	const char *host; /* a literal address */
	int port;
	bool tls;
	const char *tls_name;		  /* the certificate's name; NULL: the address */
	const char *ca_file;		  /* NULL: the system's */
	const char *cert_file, *key_file; /* to show ourselves with; NULL: nothing */
	int64_t connect_ms;
};

bool syslog_global_init(void);
/* SENT: it left, and no "nobody listens" came back for a moment; that is all that is known. RETRY: it did
 * not. */
enum outcome syslog_udp(const struct syslog_server *sv, const char *data, size_t len, int64_t deadline,
			char *detail, size_t size);
/* SENT: it is in the socket's queue. RETRY: it is not. */
enum outcome syslog_socket(const char *path, const char *data, size_t len, int64_t deadline, char *detail,
			   size_t size);
/* SENT: the other host has all of it. RETRY: nothing of it is of use there. UNKNOWN: it left, and the
 * connection broke. */
enum outcome syslog_stream(const struct syslog_server *sv, const char *data, size_t len, int64_t deadline,
			   char *detail, size_t size);
/* Whether a stream can be opened. */
bool syslog_try(const struct syslog_server *sv, int64_t deadline, char *why, size_t size);

#endif
