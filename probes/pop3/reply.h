/*
 * POP3 answers (RFC 1939, 2449, 2595, 5034): what one line says. The bytes come from a server that may be
 * anything. Pure. A line is given without its line end.
 */
#ifndef PROBES_POP3_REPLY_H
#define PROBES_POP3_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { POP3_TEXT_MAX = 200 };

enum pop3_status {
	POP3_OK,
	POP3_ERR,
	POP3_CHALLENGE, /* "+ ..." */
	POP3_NONSENSE
};

enum pop3_status pop3_status(const char *line, size_t n);
/* What stands behind the status word, made printable. Returns out. */
char *pop3_text(const char *line, size_t n, char *out, size_t size);
/* Has an error this response code, as "SYS/TEMP" or "AUTH" (RFC 2449, 3206)? */
bool pop3_code(const char *line, size_t n, const char *code);
/* "+OK 2 320": messages and octets. */
bool pop3_stat(const char *line, size_t n, uint64_t *messages, uint64_t *octets);

enum { POP3_UIDL_MAX = 70 };
/* "+OK 2 QhdPYR:00WBw1Ph7x7": the unique id of message number (RFC 1939: 1 to 70 printable characters). */
bool pop3_uid(const char *line, size_t n, uint64_t number, char uid[POP3_UIDL_MAX + 1]);

struct pop3_can {
	bool stls, user;
	unsigned sasl; /* bits 1 << SASL_PLAIN and so on */
};
/* One line of the answer to CAPA, added to what is there. */
void pop3_capability(const char *line, size_t n, struct pop3_can *can);

#endif
