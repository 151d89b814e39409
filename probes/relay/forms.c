/*
 * The table of forms. In a template F is the foreign sender, U and D the foreign recipient's user and domain,
 * O our own domain, L the relay's address in brackets; any other character stands for itself. Senders and
 * recipients that servers took apart wrongly at some time, each of them known from a real relay's
 * configuration.
 */
#include "forms.h"

#include <string.h>

#include "lib/buf.h"

static const struct {
	const char *name, *sender, *recipient;
	bool local;
} forms[RELAY_FORMS] = {
    {"plain", "F", "U@D", false},
    {"empty sender", "", "U@D", false},
    {"own domain as sender", "postmaster@O", "U@D", false},
    {"own address as sender", "postmaster@L", "U@D", false},
    {"sender without a domain", "postmaster", "U@D", false},
    {"sender at localhost", "postmaster@localhost", "U@D", false},
    {"percent", "F", "U%D", false},
    {"percent at own domain", "F", "U%D@O", true},
    {"percent at own address", "F", "U%D@L", true},
    {"quoted", "F", "\"U@D\"", false},
    {"quoted percent", "F", "\"U%D\"", false},
    {"quoted at own domain", "F", "\"U@D\"@O", true},
    {"quoted at own address", "F", "\"U@D\"@L", true},
    {"two at signs, own domain", "F", "U@D@O", true},
    {"two at signs, own address", "F", "U@D@L", true},
    {"source route by own domain", "F", "@O:U@D", false},
    {"source route by own address", "F", "@L:U@D", false},
    {"bang", "F", "D!U", false},
    {"bang at own domain", "F", "D!U@O", true},
    {"bang at own address", "F", "D!U@L", true},
    {"own sender and percent", "postmaster@O", "U%D@O", true},
};

static bool put(struct buf *b, char c, const struct relay_names *n)
{
	size_t user = strcspn(n->to, "@");

	switch (c) {
	case 'F':
		return buf_puts(b, n->from);
	case 'U':
		return buf_add(b, n->to, user);
	case 'D':
		return n->to[user] && buf_puts(b, n->to + user + 1);
	case 'O':
		return n->own && buf_puts(b, n->own);
	case 'L':
		return buf_puts(b, n->literal);
	default:
		return buf_add(b, &c, 1);
	}
}

static bool fill(const char *text, const struct relay_names *n, char out[RELAY_ADDRESS_MAX])
{
	struct buf b;
	bool ok = true;

	buf_init(&b, RELAY_ADDRESS_MAX - 1);
	for (; *text && ok; text++)
		/* lower case letters are words of the template */
		ok = put(&b, *text, n);
	if (ok)
		memcpy(out, buf_str(&b), strlen(buf_str(&b)) + 1);
	buf_fini(&b);
	return ok;
}

bool relay_form_fill(size_t n, const struct relay_names *names, struct relay_form *form,
		     char sender[RELAY_ADDRESS_MAX], char recipient[RELAY_ADDRESS_MAX])
{
	form->name = forms[n].name;
	form->local = forms[n].local;
	return fill(forms[n].sender, names, sender) && fill(forms[n].recipient, names, recipient);
}
