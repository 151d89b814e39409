/*
 * The template of a contact's pages: "{state} {check}@{host}: {text} {since} #{id}". The configuration loader
 * checks it, a notifier's page_text fills it. Pure.
 */
#ifndef LIB_CONTRACT_TEMPLATE_H
#define LIB_CONTRACT_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

enum template_field {
	TEMPLATE_LITERAL,
	TEMPLATE_STATE, /* with what kind of page it is: "ACK CRITICAL" */
	TEMPLATE_CHECK,
	TEMPLATE_HOST,
	TEMPLATE_TEXT, /* what is wrong; the only one that is shortened */
	TEMPLATE_SINCE,
	TEMPLATE_ID,
	TEMPLATE_CODE,
	TEMPLATE_NUMBER
};

enum {
	TEMPLATE_BYTES_MAX = 200,
	TEMPLATE_LITERAL_MAX = 40, /* characters between the fields: they must leave room for what is wrong */
	TEMPLATE_PARTS_MAX = 32
};

struct template_part {
	enum template_field field;
	const char *text; /* of a literal; part of the template */
	size_t len;
};

/* Splits it. "{{" and "}}" stand for one brace. State, check, text and id must be there, or a page would not
 * say what, where and which. False: why names the field. */
bool template_parse(const char *text, struct template_part *parts, size_t *n, char *why, size_t size);

#endif
