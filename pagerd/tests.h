/*
 * Test pages: asked for over the control socket, carried like any page, never written down,
 * answered with the outcome. A test of a contact goes once over its routes; a
 * test of a line and address is tried once.
 */
#ifndef PAGERD_TESTS_H
#define PAGERD_TESTS_H

#include "state.h"

struct control_client;
struct tests;

enum { TESTS_MAX = 16 };

struct tests *tests_new(struct pager *p);
void tests_free(struct tests *t);
/* Answers the client, now (when it cannot be done) or with the outcome. contact may be NULL when line and to
 * are given. */
void tests_start(struct tests *t, struct control_client *client, const char *contact, const char *line,
		 const char *to);
/* Answers those that are decided and gives up on those that take too long; ms until the next would. */
int64_t tests_watch(struct tests *t, int64_t now);

#endif
