/* The headers of a webhook; see headers.h. */
#include "notifiers/webhook/headers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "notifiers/webhook/sign.h"

__attribute__((format(printf, 2, 3))) static void header_add(struct webhook_headers *h, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(h->own[h->nown], WEBHOOK_HEADER_MAX, fmt, ap);
	va_end(ap);
	h->v[h->n++] = h->own[h->nown++];
}

static bool add_token(struct webhook_headers *h, const char *path, char *why, size_t size)
{
	char *token = path ? file_secret(path, why, size) : NULL;

	if (path == NULL)
		return true;
	if (token == NULL)
		return false;
	token[strcspn(token, "\r\n")] = '\0';
	header_add(h, "Authorization: Bearer %s", token);
	file_secret_free(token);
	return true;
}

static bool add_signature(struct webhook_headers *h, const char *path, const char *id, const struct buf *body,
			  char *why, size_t size)
{
	char *secret = path ? file_secret(path, why, size) : NULL, signature[WEBHOOK_SIGNATURE_MAX];
	int64_t now = clock_wall_ms() / 1000;
	bool ok;

	if (path == NULL || secret == NULL)
		return path == NULL;
	ok = webhook_sign(secret, id, now, buf_str(body), body->len, signature);
	file_secret_free(secret);
	if (!ok) {
		snprintf(why, size, "the key of the signature is empty, or not base64 behind whsec_");
		return false;
	}
	header_add(h, "webhook-id: %s", id);
	header_add(h, "webhook-timestamp: %lld", (long long)now);
	header_add(h, "webhook-signature: %s", signature);
	return true;
}

bool webhook_header_ok(const char *text)
{
	size_t n = strcspn(text, ":");

	return n > 0 && text[n] == ':' && strcspn(text, " \t") > n && strpbrk(text, "\r\n") == NULL &&
	       strlen(text) < WEBHOOK_HEADER_MAX;
}

bool webhook_make_headers(struct webhook_headers *h, const struct webhook_header_conf *conf, const char *id,
			  const struct buf *body, char *why, size_t size)
{
	h->n = h->nown = 0;
	header_add(h, "Content-Type: %s", conf->content_type);
	header_add(h, "User-Agent: monitord");
	for (size_t i = 0; i < conf->more->n && i < WEBHOOK_HEADERS_MAX; i++)
		h->v[h->n++] = conf->more->v[i];
	return add_token(h, conf->token, why, size) && add_signature(h, conf->secret, id, body, why, size);
}
