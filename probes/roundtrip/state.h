/*
 * What the round trip remembers between runs: the mails under way, those that
 * were lost (so that a late arrival is known and cleaned away) and the last that
 * arrived (so that a second copy is known). A state machine per mail, in
 * which every cell of phase x event is decided, and the JSON text it is kept as.
 * Pure: the clock's readings come from the caller.
 */
#ifndef PROBES_ROUNDTRIP_STATE_H
#define PROBES_ROUNDTRIP_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "token.h"

enum rt_phase {
	RT_SENT,        /* stored and perhaps sent: the relay has not said yes (yet) */
	RT_PENDING,     /* the relay took it */
	RT_LATE,        /* and it is under way for longer than the warning limit */
	RT_LOST,        /* and for so long that nobody waits any more */
	RT_UNCONFIRMED, /* as lost, but the relay never said yes: not counted as lost */
	RT_ARRIVED,
	RT_DUPLICATE,   /* arrived more than once */
	RT_GONE         /* forgotten; never kept in the state */
};
enum { RT_PHASES = RT_GONE };

enum rt_event {
	RT_ACCEPTED,  /* the relay said 250 after the final dot */
	RT_REFUSED,   /* it is certain that the relay did not take it */
	RT_SEEN,      /* found in the mailbox, as a message not seen before */
	RT_AGE_LATE,  /* older than the warning limit, and not in the mailbox */
	RT_AGE_LOST,  /* older than lost_after, and not in the mailbox */
	RT_AGE_FORGET /* settled so long ago that it is forgotten */
};
enum { RT_EVENTS = RT_AGE_FORGET + 1 };

enum {
	RT_OUTSTANDING_MAX = 5,  /* by each way; or an outage would end in our own flood */
	RT_MAILS_MAX = 64,       /* all that is remembered */
	RT_ARRIVED_MAX = 11,     /* of them arrived and doubled ones */
	RT_FORGET_DAYS = 7,      /* the rest is forgotten after this */
	RT_MARK_MAX = 70,
	RT_WAYS_MAX = 8,         /* ways in that each get a mail of their own */
	RT_WAY_NAME_MAX = 256
};

/* How long a mail took. Known surely: it was not there at min_ms and it was there at max_ms, by one clock. */
struct rt_delay {
	int64_t min_ms, max_ms;
	int64_t ms;   /* the best value; between the two */
	bool skewed;  /* the store's clock says something outside them, so only the two are known */
	bool untold;  /* the store does not say when it came, and our looks were far apart: only the two are known */
};

struct rt_mail {
	struct token token;
	enum rt_phase phase;
	size_t way;            /* index of rt_state.way */
	struct stamp sent;     /* just before it was sent */
	bool has_looked;
	struct stamp looked;   /* last time it was looked for and not found */
	struct stamp settled;  /* when it entered RT_LOST, RT_UNCONFIRMED, RT_ARRIVED, RT_DUPLICATE */
	uint32_t uid;          /* of the message first found; 0: none */
	bool was_lost;         /* arrived after it was counted lost */
	struct rt_delay delay; /* once arrived */
};

/* A way in by which mail is sent. A round trip through one relay has one, without a name. */
struct rt_way {
	char name[RT_WAY_NAME_MAX];
	uint64_t arrived_run; /* number of the newest mail that arrived by it; 0: none */
	bool has_delay;
	struct rt_delay delay; /* of that mail */
};

struct rt_state {
	uint64_t run;           /* number of the last run that sent */
	uint32_t uidvalidity;   /* of the mailbox; 0: never looked */
	uint32_t uidnext;       /* everything below was searched already */
	char mark[RT_MARK_MAX + 1]; /* by POP3: the unique id of the newest message that was looked at and stays; "": none */
	uint64_t arrived_run;   /* number of the newest mail that arrived; 0: none */
	bool has_delay;
	struct rt_delay delay;  /* of that mail */
	struct rt_mail mail[RT_MAILS_MAX]; /* oldest first */
	size_t n;
	struct rt_way way[RT_WAYS_MAX];
	size_t ways;            /* at least 1 */
	size_t evicted;         /* lost ones forgotten early for want of room, in this run */
};

struct rt_limits {
	int64_t late_ms, lost_ms;
	int64_t hold_ms; /* how long a lost or doubled mail is counted */
};

struct rt_counts {
	size_t outstanding; /* sent, pending, late */
	size_t pending;     /* pending or late: the relay has them */
	size_t late;
	size_t lost_open;   /* lost, and nothing sent later has arrived */
	size_t lost;        /* lost at most hold_ms ago, or open */
	size_t duplicates;  /* doubled at most hold_ms ago */
	int64_t oldest_ms;  /* age of the oldest pending one; 0: none */
};

void rt_init(struct rt_state *s);
/* "" is a fresh state. False, a fresh state and a reason (static text) when the text is damaged. */
bool rt_load(struct rt_state *s, const char *text, size_t len, const char **why);
/* Adds the JSON text to out; false when it does not fit. */
bool rt_dump(const struct rt_state *s, struct buf *out);

/* The table itself, for the tests as well. */
enum rt_phase rt_next(enum rt_phase phase, enum rt_event event);
const char *rt_phase_name(enum rt_phase phase);
bool rt_is_outstanding(enum rt_phase phase);
bool rt_has_arrived(enum rt_phase phase);

/* A new mail in phase RT_SENT; s->run is its number. NULL when RT_OUTSTANDING_MAX are under way. */
struct rt_mail *rt_add(struct rt_state *s, const struct token *t, const struct stamp *now);
/* The same by another way than the first. */
struct rt_mail *rt_add_by(struct rt_state *s, size_t way, const struct token *t, const struct stamp *now);
size_t rt_outstanding(const struct rt_state *s, size_t way);
/* The way of that name, made when there is room. RT_WAYS_MAX: there is none. */
size_t rt_way(struct rt_state *s, const char *name);
/* Forgets ways for which keep says no and by which nothing is under way, with their mails. */
void rt_drop_ways(struct rt_state *s, bool (*keep)(const char *name, const void *arg), const void *arg);
/* What is known of one way alone. */
void rt_of_way(const struct rt_state *s, size_t way, struct rt_state *out);
struct rt_mail *rt_find(struct rt_state *s, const char *hex);
/* What the relay answered to the mail. The pointer is not valid any more after RT_REFUSED. */
void rt_answered(struct rt_state *s, struct rt_mail *m, enum rt_event event);

enum rt_sight {
	RT_FIRST,    /* it arrived */
	RT_FOUND,    /* it arrived after it was counted lost */
	RT_COPY,     /* a second copy */
	RT_AGAIN     /* the same message once more (it could not be deleted) */
};
/* The mail was found as message uid. arrived_wall_ms: when the store says that it got it (whole seconds); 0: it
 * does not. */
enum rt_sight rt_seen(struct rt_state *s, struct rt_mail *m, uint32_t uid, const struct stamp *now,
		      int64_t arrived_wall_ms);
/* A search that was begun at *now did not find the outstanding ones that are still not settled: ages them, and
 * forgets old ones. */
void rt_looked(struct rt_state *s, const struct stamp *now, const struct rt_limits *limits);
void rt_count(const struct rt_state *s, const struct stamp *now, const struct rt_limits *limits, struct rt_counts *c);

#endif
