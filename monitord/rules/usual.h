/*
 * What is usual: how much mail each client brought on its busiest minute of each of the last days, and since
 * when a name is there at all. A newsletter host that sends a thousand a minute every week is not news; an
 * address that was not there yesterday is. Pure and bounded: the rest is forgotten, who was seen longest ago
 * first. Kept in the check's record (store/record.c), asked by diagnosis.c.
 */
#ifndef MONITORD_RULES_USUAL_H
#define MONITORD_RULES_USUAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;

/* Rates below USUAL_LEAST a minute are nobody's peak. */
enum { USUAL_CLIENTS = 16, USUAL_DAYS = 14, USUAL_NAMES = 64, USUAL_NAME_MAX = 64, USUAL_LEAST = 60 };

struct usual_day {
	int day; /* since 1970 */
	float most;
};

struct usual {
	int64_t begun_ms; /* wall: of the first look; 0: none yet */
	struct usual_client {
		char name[USUAL_NAME_MAX];
		struct usual_day days[USUAL_DAYS]; /* newest first */
		size_t n;
	} clients[USUAL_CLIENTS];
	size_t nclients;
	struct usual_name {
		char name[USUAL_NAME_MAX];
		int64_t first_ms, last_ms; /* wall */
	} names[USUAL_NAMES];
	size_t nnames;
};

/* A client's rate now. */
void usual_rate(struct usual *u, const char *client, double per_min, int64_t wall_ms);
/* Which names there are now, parted by commas or blanks. */
void usual_names(struct usual *u, const char *list, int64_t wall_ms);

/* What the client brings on a busy minute: its second highest day before today, so that one bad day makes
 * nothing usual. 0: it was never that busy, negative: nobody has looked for a whole day yet. */
double usual_of_client(const struct usual *u, const char *client, int64_t wall_ms);
/* Since when the name is there; 0: since anybody looks, or it is not known. */
int64_t usual_since(const struct usual *u, const char *name);

struct cJSON *usual_to_json(const struct usual *u);
/* Anything wrong in it is left out. */
void usual_from_json(struct usual *u, const struct cJSON *o);

#endif
