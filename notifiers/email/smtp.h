/*
 * The SMTP dialogue of the email notifier, on a connection that libcurl made (CONNECT_ONLY: connect,
 * greeting, EHLO, STARTTLS and AUTH are its part): MAIL, RCPT, DATA, the text, the dot, QUIT are ours,
 * because only then it is known whether the final dot had left when a connection broke. The only file that
 * includes curl.h is its .c.
 */
#ifndef NOTIFIERS_EMAIL_SMTP_H
#define NOTIFIERS_EMAIL_SMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/contract/line.h"

enum email_tls { EMAIL_TLS_NONE, EMAIL_TLS_OPPORTUNISTIC, EMAIL_TLS_REQUIRED, EMAIL_TLS_WRAPPED };

struct email_server {
	const char *host; /* a literal IPv4 or IPv6 address */
	int port;
	const char *helo;
	enum email_tls tls;
	const char *tls_name;	     /* the name the certificate must have; NULL: the address */
	const char *ca_file;	     /* NULL: the system's */
	const char *user, *password; /* NULL: no AUTH */
};

struct email_smtp;

bool email_smtp_global_init(void);
/* Connects, greets, secures, authenticates until deadline (CLOCK_BOOTTIME ms). NULL: *o is RETRY or REFUSED,
 * detail says why. */
struct email_smtp *email_smtp_open(const struct email_server *server, int64_t deadline, enum outcome *o,
				   char *detail, size_t size);
/* Sends one mail. SENT: accepted; RETRY: 4xx or broken before the final dot; REFUSED: 5xx; UNKNOWN: no answer
 * to the dot. */
enum outcome email_smtp_send(struct email_smtp *s, const char *from, const char *to, const char *text,
			     size_t len, char *detail, size_t size);
/* Says QUIT, without waiting for an answer for longer than a second, and frees. */
void email_smtp_close(struct email_smtp *s);

#endif
