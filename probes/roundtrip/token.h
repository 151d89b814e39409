/*
 * The proof that a mail is our own: one header line that carries a random
 * 128-bit token and an HMAC-SHA-256 over it under the key of the check.
 *
 *     X-Monitord-Token: v1 CHECK RUN TOKEN HMAC
 *
 * CHECK is the check's name with every byte outside [A-Za-z0-9._-] as =XX, RUN
 * a decimal counter, TOKEN 32 and HMAC 64 lower-case hex digits. The HMAC covers
 * "v1 CHECK RUN TOKEN". Pure: the random bytes and the key come from the caller.
 */
#ifndef PROBES_ROUNDTRIP_TOKEN_H
#define PROBES_ROUNDTRIP_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

#define TOKEN_HEADER "X-Monitord-Token"

enum {
	TOKEN_BYTES = 16,
	TOKEN_KEY_MIN = 16,    /* bytes a key must have at least */
	TOKEN_CHECK_MAX = 384, /* characters of an escaped name; longer names are cut */
	TOKEN_VALUE_MAX = 600
};

struct token {
	char hex[2 * TOKEN_BYTES + 1];
	uint64_t run;
};

enum token_verdict {
	TOKEN_OURS,     /* made with this key for this check */
	TOKEN_OTHER,    /* well formed, but for another check */
	TOKEN_FORGED,   /* names this check, but the HMAC is not by this key */
	TOKEN_MALFORMED /* not of this form at all */
};

void token_make(const uint8_t random[TOKEN_BYTES], uint64_t run, struct token *t);
/* 32 lower-case hex digits. */
bool token_hex_ok(const char *hex);
/* The escaped name, as it stands in the header. out: at least TOKEN_CHECK_MAX + 1 bytes. */
void token_check_name(const char *check, char *out, size_t size);
/* Adds the header's value (no name, no line end) to out; false when it does not fit or the HMAC cannot be made. */
bool token_value(const void *key, size_t key_len, const char *check, const struct token *t, struct buf *out);
/* Judges a header's value of len bytes, folded or not; fills *t unless it is TOKEN_MALFORMED. */
enum token_verdict token_verify(const void *key, size_t key_len, const char *check, const char *value, size_t len,
				struct token *t);

#endif
