/*
 * From names to people: whom a check's `contacts` mean at a given time. A name is a contact, a group, a rota
 * or a ladder. pagerd pages by these functions and monitorctl explains by them. Pure: struct config is only
 * read.
 */
#ifndef LIB_ONCALL_WHO_H
#define LIB_ONCALL_WHO_H

#include "lib/config/config.h"
#include "ladder.h"

enum { WHO_MAX = 64 /* people told of one incident */ };

/* A name that an incident concerns, and how far it has come if that is a ladder. */
struct target {
	char name[EVENT_NAME_MAX];
	struct rung rung;
	struct stamp since; /* when the rung's step began */
	bool begins;	    /* it begins now: its people are told, also again; not persisted */
};

/* Somebody who is to know now, and why. -1: not by one of these. */
struct who_one {
	size_t contact;
	bool again; /* by a step that begins: told now even if told before */
	int target; /* which of the targets */
	int step;   /* of its ladder */
	int rota, group;
};

struct audience {
	struct who_one v[WHO_MAX];
	size_t n;
	bool cut; /* more than WHO_MAX */
};

bool who_find(const struct config *conf, const char *name, struct who_ref *ref);
const char *who_name(const struct config *conf, const struct who_ref *ref);
/* At some time or other this name may mean that contact. */
bool who_reaches(const struct config *conf, const struct who_ref *ref, size_t contact);
/* The same for a list of names; those that do not exist reach nobody. */
bool who_concerns(const struct config *conf, char *const *names, size_t n, size_t contact);
/* Who is to know at that time. Names that do not exist are left out. */
void who_audience(const struct config *conf, const struct target *targets, size_t n, int64_t utc_s,
		  struct audience *out);
/* The entry of a contact; NULL: it is not to know now. */
const struct who_one *who_in(const struct audience *a, size_t contact);

#endif
