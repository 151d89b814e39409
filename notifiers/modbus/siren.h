/*
 * What a siren knows: which places (coils, registers) are to sound, for which incidents, since when. A place
 * sounds from the first alarm to the end of the last incident that asked for it, and never longer than a
 * maximum at a time; a repeat begins that time anew. Survives a restart as JSON. Pure: no I/O, no clock.
 * Called by notify_modbus.c and its tests.
 */
#ifndef NOTIFIERS_MODBUS_SIREN_H
#define NOTIFIERS_MODBUS_SIREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/config/opts.h"
#include "lib/contract/line.h"

enum {
	SIREN_PLACES_MAX = 64,
	SIREN_INCIDENTS_MAX = 256,
	SIREN_TO_MAX = 64,
	SIREN_ID_MAX = 40,
	SIREN_STATE_MAX = 1 << 20
};

struct siren_rules {
	const struct opt_list *states; /* those that sound it; none: CRITICAL */
	int64_t max_on_ms;	       /* 0: no maximum */
	int64_t test_ms;	       /* how long a test page sounds */
};

struct siren_place {
	char to[SIREN_TO_MAX];
	bool active;			 /* asked to sound, and nobody has acted yet */
	struct stamp since;		 /* when it was last asked */
	int64_t limit_ms;		 /* it sounds so long at most; 0: without end */
	char (*incidents)[SIREN_ID_MAX]; /* SIREN_INCIDENTS_MAX of them once there was one */
	size_t n;
};

struct siren {
	struct siren_place places[SIREN_PLACES_MAX];
	size_t n;
};

enum siren_did {
	SIREN_NOTHING, /* this page is nothing to a siren */
	SIREN_SOUNDS,  /* it is to sound (or goes on) */
	SIREN_GOES_ON, /* this incident ends, another still asks for it */
	SIREN_ENDS,    /* nobody asks for it any more */
	SIREN_NO_ROOM  /* more places than it knows */
};

/* The place of that address; made when make. NULL: there is none, or no room. */
struct siren_place *siren_place(struct siren *s, const char *to, bool make);
/* Takes a page; *place: where. */
enum siren_did siren_page(struct siren *s, const struct siren_rules *r, const struct page *p,
			  const struct stamp *now, struct siren_place **place);
/* The page could not be carried out and will come again: as if this incident had never asked. */
void siren_take_back(struct siren_place *p, const char *incident);
/* Whether it is to sound now; *left_ms: how long that holds if nothing happens, INT64_MAX: for ever. */
bool siren_on(const struct siren_place *p, const struct stamp *now, int64_t *left_ms);

/* To and from the JSON of its file. load: false and why when it is none; what was there before stays. */
bool siren_save(const struct siren *s, struct buf *out);
bool siren_load(struct siren *s, const char *text, size_t len, const char **why);
void siren_fini(struct siren *s);

#endif
