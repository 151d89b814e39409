/*
 * The classic ways to make a relay carry mail from a stranger to a stranger, as envelopes. Pure: from the
 * names in play to a sender and a recipient. Used by check_relay.
 */
#ifndef PROBES_RELAY_FORMS_H
#define PROBES_RELAY_FORMS_H

#include <stdbool.h>
#include <stddef.h>

enum { RELAY_ADDRESS_MAX = 512, RELAY_FORMS = 21 };

struct relay_names {
	const char *from;    /* a sender that is not ours */
	const char *to;	     /* "USER@DOMAIN" that is not ours */
	const char *own;     /* a domain that the relay is at home with; NULL: not known */
	const char *literal; /* the relay's address as a domain: "[192.0.2.1]" */
};

struct relay_form {
	const char *name; /* "percent at own domain" */
	/* The recipient's last part is the relay's own: taking it may mean a mailbox and no relaying */
	bool local;
};

/* Fills sender and recipient, without <>. False: this form needs a domain that is not known, or an address is
 * too long. n < RELAY_FORMS. */
bool relay_form_fill(size_t n, const struct relay_names *names, struct relay_form *form,
		     char sender[RELAY_ADDRESS_MAX], char recipient[RELAY_ADDRESS_MAX]);

#endif
