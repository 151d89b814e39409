/*
 * The signature of a webhook, as standardwebhooks.com has it: HMAC-SHA256 over "ID.TIMESTAMP.BODY", base64,
 * so that a receiver can tell that a body is ours and not an old one replayed. Pure.
 */
#ifndef NOTIFIERS_WEBHOOK_SIGN_H
#define NOTIFIERS_WEBHOOK_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WEBHOOK_SIGNATURE_MAX = 64 };

/* "v1,BASE64" into out. secret: as in its file; "whsec_BASE64" stands for the bytes behind it. False: it is
 * not base64, or memory is out. */
bool webhook_sign(const char *secret, const char *id, int64_t seconds, const char *body, size_t len,
		  char out[WEBHOOK_SIGNATURE_MAX]);

#endif
