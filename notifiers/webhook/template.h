/*
 * The body of a webhook: a text in which {check}, {state} and so on stand for what a page says, each escaped
 * for the format the text is in. Pure. Called by notify_webhook.c and its tests.
 */
#ifndef NOTIFIERS_WEBHOOK_TEMPLATE_H
#define NOTIFIERS_WEBHOOK_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"
#include "lib/contract/line.h"

enum { WEBHOOK_BODY_MAX = 262144 };

enum webhook_escape {
	WEBHOOK_JSON, /* within a JSON string */
	WEBHOOK_FORM, /* application/x-www-form-urlencoded */
	WEBHOOK_PLAIN /* as it is */
};

extern const char webhook_default_body[];

/* A brace that begins no {word} stands for itself. False: it does not fit. */
bool webhook_render(const char *template, enum webhook_escape how, const struct page *p, const char *line,
		    struct buf *out);
/* Whether all its {words} are known and, for JSON, whether it becomes JSON whatever a page says. False and
 * the reason. */
bool webhook_template_check(const char *template, enum webhook_escape how, char *why, size_t size);

#endif
