/*
 * Who is on duty when: overrides, then shifts, in the order in which they are written; of two that cover the
 * same moment the first counts. A shift may rotate: its people take turns, handed over every so many days at
 * a fixed time of the wall from a start on (and, counted backwards, before it). Pure.
 */
#ifndef LIB_ONCALL_ROTA_H
#define LIB_ONCALL_ROTA_H

#include "tz.h"
#include "when.h"

enum { ROTA_NAMES_MAX = 32, ROTA_SHIFTS_MAX = 64, ROTA_OVERRIDES_MAX = 200, ROTA_NEVER = -1 };

/* A name as it stands in the configuration: which of its contacts, groups, rotas. */
struct who_ref {
	enum who_kind { WHO_CONTACT, WHO_GROUP, WHO_ROTA, WHO_LADDER } kind;
	size_t n;
};

struct shift {
	struct when when;
	struct who_ref *who;
	size_t nwho;
	int rotate_days;      /* 0: all of them at once */
	int64_t first_wall_s; /* when the first of them takes over, if they rotate */
};

struct override {
	int64_t from_s, until_s; /* UTC */
	struct who_ref *who;
	size_t nwho;
};

struct rota {
	struct tz *zone;
	struct holidays holidays;
	struct override *overrides;
	size_t noverrides;
	struct shift *shifts;
	size_t nshifts;
};

/* Who is on duty, without names: equal means the same people by the same entry. */
struct duty {
	int entry; /* an override's number, or noverrides + a shift's; ROTA_NEVER: nobody is */
	int turn;  /* which of a rotating shift's people; else 0 */
};

struct duty rota_at(const struct rota *r, int64_t utc_s);
/* When that changes, at the latest `limit`. */
int64_t rota_until(const struct rota *r, int64_t utc_s, int64_t limit);
/* The names on duty; returns how many. *who points into the rota. */
size_t rota_names(const struct rota *r, const struct duty *d, const struct who_ref **who);
/* The first time nobody is on duty from utc_s on: true and its ends. Looks a year ahead, and on to the last
 * holiday or override; what lies beyond is another such week. */
bool rota_hole(const struct rota *r, int64_t utc_s, int64_t *from_s, int64_t *until_s);
void rota_fini(struct rota *r);

#endif
