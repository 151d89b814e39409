/*
 * Logins as SASL has them (RFC 4616, RFC 2195, and LOGIN, which no RFC has), and the digest of APOP: what to
 * answer to a challenge. For SMTP, LMTP, IMAP and POP3, each of which wraps it in its own words. Pure.
 */
#ifndef PROBES_NET_SASL_H
#define PROBES_NET_SASL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"

enum sasl { SASL_NONE, SASL_CRAM_MD5, SASL_PLAIN, SASL_LOGIN, SASL_MECHANISMS };
enum { SASL_STEPS_MAX = 3, SASL_ANSWER_MAX = 4096 };

/* "CRAM-MD5" "PLAIN" "LOGIN" */
const char *sasl_name(enum sasl m);
/* The best of those offered (the bits 1 << SASL_PLAIN and so on), CRAM-MD5 before PLAIN before LOGIN; wanted:
 * only this one, NULL: any. */
enum sasl sasl_choose(unsigned offered, const char *wanted);
/* The answer, in base64, to the challenge of this step (0, 1, ...; base64 too, perhaps empty). False: a
 * challenge that cannot be read, one too many, or a name or password longer than anybody's. */
bool sasl_answer(enum sasl m, int step, const char *challenge, size_t n, const char *user,
		 const char *password, struct buf *out);
/* 32 hexadecimal digits; false: out of memory. greeting: any text, with the stamp "<...>" in it or not: then
 * "" is out. */
bool sasl_apop(const char *greeting, const char *password, char out[33]);

#endif
