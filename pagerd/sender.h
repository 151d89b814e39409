/*
 * Who a message is from, and what they may do: the contacts whose numbers it matches. Pure but for
 * reading the configuration. Called by answers.c.
 */
#ifndef PAGERD_SENDER_H
#define PAGERD_SENDER_H

#include "lib/config/config.h"

enum { SENDER_CONTACTS_MAX = 16 };

struct sender {
	const struct conf_contact *who[SENDER_CONTACTS_MAX];
	size_t n; /* 0: a stranger */
	int may;  /* of any of them */
};

/* A number that several contacts share stands for all of them. */
void sender_find(const struct config *conf, const char *from, struct sender *s);
/* Whether it stands for that contact, and that contact may do it. */
bool sender_is(const struct sender *s, const char *contact, int may);
/* The line whose own number that is; NULL. */
const struct conf_line *sender_line(const struct config *conf, const char *from);

#endif
