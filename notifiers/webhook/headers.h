/*
 * The headers of a webhook: what it is, what the configuration adds, a token, the signature. Called by
 * notify_webhook.c.
 */
#ifndef NOTIFIERS_WEBHOOK_HEADERS_H
#define NOTIFIERS_WEBHOOK_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"
#include "lib/config/opts.h"

enum { WEBHOOK_HEADERS_MAX = 26, WEBHOOK_OWN_HEADERS = 6, WEBHOOK_HEADER_MAX = 4608 };

struct webhook_headers {
	const char *v[WEBHOOK_HEADERS_MAX + WEBHOOK_OWN_HEADERS];
	size_t n;
	char own[WEBHOOK_OWN_HEADERS][WEBHOOK_HEADER_MAX]; /* holds a secret: wipe it */
	size_t nown;
};

struct webhook_header_conf {
	const char *content_type;
	const struct opt_list *more; /* whole lines, borrowed; at most WEBHOOK_HEADERS_MAX */
	const char *token, *secret;  /* their files; NULL: none */
};

/* "Name: value" on one line. */
bool webhook_header_ok(const char *text);
/* False and why: a file cannot be read, a key is none. */
bool webhook_make_headers(struct webhook_headers *h, const struct webhook_header_conf *conf, const char *id,
			  const struct buf *body, char *why, size_t size);

#endif
