/*
 * The memory of the round trip (see state.h). Called by check_roundtrip;
 * promises that a mail under way is never forgotten. state_text.c keeps it.
 */
#include "state.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { DAY_MS = 24 * 3600 * 1000 };

/*
 * Every cell is decided. What cannot happen leaves the phase as it is: an
 * answer for a mail that is settled already, an age of one that has arrived.
 */
static const enum rt_phase table[RT_PHASES][RT_EVENTS] = {
	/*                 ACCEPTED        REFUSED         SEEN          AGE_LATE        AGE_LOST        AGE_FORGET */
	[RT_SENT] =        {RT_PENDING,     RT_GONE,        RT_ARRIVED,   RT_SENT,        RT_UNCONFIRMED, RT_SENT},
	[RT_PENDING] =     {RT_PENDING,     RT_PENDING,     RT_ARRIVED,   RT_LATE,        RT_LOST,        RT_PENDING},
	[RT_LATE] =        {RT_LATE,        RT_LATE,        RT_ARRIVED,   RT_LATE,        RT_LOST,        RT_LATE},
	[RT_LOST] =        {RT_LOST,        RT_LOST,        RT_ARRIVED,   RT_LOST,        RT_LOST,        RT_GONE},
	[RT_UNCONFIRMED] = {RT_UNCONFIRMED, RT_UNCONFIRMED, RT_ARRIVED,   RT_UNCONFIRMED, RT_UNCONFIRMED, RT_GONE},
	[RT_ARRIVED] =     {RT_ARRIVED,     RT_ARRIVED,     RT_DUPLICATE, RT_ARRIVED,     RT_ARRIVED,     RT_GONE},
	[RT_DUPLICATE] =   {RT_DUPLICATE,   RT_DUPLICATE,   RT_DUPLICATE, RT_DUPLICATE,   RT_DUPLICATE,   RT_GONE},
};

static const char *const phase_names[RT_PHASES] = {
	"sent", "pending", "late", "lost", "unconfirmed", "arrived", "duplicate",
};

enum rt_phase rt_next(enum rt_phase phase, enum rt_event event)
{
	return table[phase][event];
}

const char *rt_phase_name(enum rt_phase phase)
{
	return phase < RT_GONE ? phase_names[phase] : "gone";
}

bool rt_is_outstanding(enum rt_phase phase)
{
	return phase == RT_SENT || phase == RT_PENDING || phase == RT_LATE;
}

bool rt_has_arrived(enum rt_phase phase)
{
	return phase == RT_ARRIVED || phase == RT_DUPLICATE;
}

void rt_init(struct rt_state *s)
{
	memset(s, 0, sizeof(*s));
	s->ways = 1;
}

static void forget(struct rt_state *s, size_t i)
{
	memmove(&s->mail[i], &s->mail[i + 1], (s->n - i - 1) * sizeof(s->mail[0]));
	s->n--;
}

size_t rt_outstanding(const struct rt_state *s, size_t way)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->mail[i].way == way && rt_is_outstanding(s->mail[i].phase);
	return n;
}

/* --- ways --- */

size_t rt_way(struct rt_state *s, const char *name)
{
	/* the first one without a name is free for the taking when nothing ever went by it */
	bool fresh = s->ways == 1 && !s->way[0].name[0] && s->n == 0;
	size_t i;

	for (i = fresh ? 0 : s->ways; !fresh && i > 0; i--)
		if (strcasecmp(s->way[i - 1].name, name) == 0)
			return i - 1;
	i = fresh ? 0 : s->ways;
	if (i == RT_WAYS_MAX)
		return RT_WAYS_MAX;
	memset(&s->way[i], 0, sizeof(s->way[i]));
	snprintf(s->way[i].name, sizeof(s->way[i].name), "%s", name);
	s->ways = i + 1;
	return i;
}

static void drop_way(struct rt_state *s, size_t way)
{
	for (size_t i = s->n; i > 0; i--) {
		if (s->mail[i - 1].way == way)
			forget(s, i - 1);
		else
			s->mail[i - 1].way -= s->mail[i - 1].way > way;
	}
	memmove(&s->way[way], &s->way[way + 1], (s->ways - way - 1) * sizeof(s->way[0]));
	if (--s->ways == 0) {
		memset(&s->way[0], 0, sizeof(s->way[0]));
		s->ways = 1;
	}
}

void rt_drop_ways(struct rt_state *s, bool (*keep)(const char *name, const void *arg), const void *arg)
{
	for (size_t i = s->ways; i > 0; i--)
		if (!keep(s->way[i - 1].name, arg) && rt_outstanding(s, i - 1) == 0)
			drop_way(s, i - 1);
}

void rt_of_way(const struct rt_state *s, size_t way, struct rt_state *out)
{
	const struct rt_way *w = &s->way[way];

	rt_init(out);
	for (size_t i = 0; i < s->n; i++)
		if (s->mail[i].way == way)
			out->mail[out->n++] = s->mail[i];
	out->run = s->run;
	out->arrived_run = w->arrived_run;
	out->has_delay = w->has_delay;
	out->delay = w->delay;
}

/* Forgets the oldest arrived ones beyond their maximum, and when there is no room the oldest of the others. */
static void make_room(struct rt_state *s)
{
	size_t arrived = 0;

	for (size_t i = 0; i < s->n; i++)
		arrived += rt_has_arrived(s->mail[i].phase);
	for (size_t i = 0; i < s->n && arrived > RT_ARRIVED_MAX;) {
		if (rt_has_arrived(s->mail[i].phase)) {
			forget(s, i);
			arrived--;
		} else {
			i++;
		}
	}
	for (size_t i = 0; i < s->n && s->n == RT_MAILS_MAX; i++) {
		if (rt_is_outstanding(s->mail[i].phase))
			continue;
		s->evicted += s->mail[i].phase == RT_LOST;
		forget(s, i);
		return;
	}
}

struct rt_mail *rt_add(struct rt_state *s, const struct token *t, const struct stamp *now)
{
	return rt_add_by(s, 0, t, now);
}

struct rt_mail *rt_add_by(struct rt_state *s, size_t way, const struct token *t, const struct stamp *now)
{
	struct rt_mail *m;

	if (rt_outstanding(s, way) >= RT_OUTSTANDING_MAX)
		return NULL;
	make_room(s);
	m = &s->mail[s->n++];
	memset(m, 0, sizeof(*m));
	m->token = *t;
	m->way = way;
	m->phase = RT_SENT;
	m->sent = *now;
	s->run = t->run;
	return m;
}

struct rt_mail *rt_find(struct rt_state *s, const char *hex)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->mail[i].token.hex, hex) == 0)
			return &s->mail[i];
	return NULL;
}

void rt_answered(struct rt_state *s, struct rt_mail *m, enum rt_event event)
{
	m->phase = rt_next(m->phase, event);
	if (m->phase == RT_GONE)
		forget(s, (size_t)(m - s->mail));
}

/*
 * The store's own time of arrival tells more than our looks when they are far
 * apart, and only then it is asked: within two seconds our clock is better than its
 * whole seconds. It is believed when it lies between our looks.
 */
static struct rt_delay delay_of(const struct rt_mail *m, const struct stamp *now, int64_t arrived_wall_ms)
{
	struct rt_delay d = {0};
	int64_t claimed;

	d.max_ms = clock_age_ms(&m->sent, now);
	if (m->has_looked)
		d.min_ms = clock_age_ms(&m->sent, &m->looked);
	if (d.min_ms > d.max_ms)
		d.min_ms = d.max_ms;
	d.ms = d.max_ms;
	if (d.max_ms - d.min_ms <= 2000)
		return d;
	d.untold = arrived_wall_ms <= 0;
	if (d.untold)
		return d;
	claimed = arrived_wall_ms - m->sent.wall_ms;
	if (claimed < d.min_ms - 2000 || claimed > d.max_ms + 2000)
		d.skewed = true;
	else
		d.ms = claimed < d.min_ms ? d.min_ms : claimed > d.max_ms ? d.max_ms : claimed;
	return d;
}

static void newest(struct rt_state *s, const struct rt_mail *m)
{
	struct rt_way *w = &s->way[m->way];

	if (m->token.run >= s->arrived_run) {
		s->arrived_run = m->token.run;
		s->has_delay = true;
		s->delay = m->delay;
	}
	if (m->token.run >= w->arrived_run) {
		w->arrived_run = m->token.run;
		w->has_delay = true;
		w->delay = m->delay;
	}
}

enum rt_sight rt_seen(struct rt_state *s, struct rt_mail *m, uint32_t uid, const struct stamp *now,
		      int64_t arrived_wall_ms)
{
	bool first = !rt_has_arrived(m->phase), lost = m->phase == RT_LOST || m->phase == RT_UNCONFIRMED;

	if (!first && m->uid == uid)
		return RT_AGAIN;
	m->phase = rt_next(m->phase, RT_SEEN);
	m->settled = *now;
	if (!first)
		return RT_COPY;
	m->uid = uid;
	m->was_lost = lost;
	m->delay = delay_of(m, now, arrived_wall_ms);
	newest(s, m);
	return lost ? RT_FOUND : RT_FIRST;
}

/* What passing time is to this mail; RT_EVENTS: nothing. */
static int ageing(const struct rt_mail *m, const struct stamp *now, const struct rt_limits *limits)
{
	int64_t age = clock_age_ms(&m->sent, now);

	if (!rt_is_outstanding(m->phase))
		return clock_age_ms(&m->settled, now) > (int64_t)RT_FORGET_DAYS * DAY_MS ? RT_AGE_FORGET : RT_EVENTS;
	if (age > limits->lost_ms)
		return RT_AGE_LOST;
	return age > limits->late_ms ? RT_AGE_LATE : RT_EVENTS;
}

void rt_looked(struct rt_state *s, const struct stamp *now, const struct rt_limits *limits)
{
	for (size_t i = 0; i < s->n;) {
		struct rt_mail *m = &s->mail[i];
		int event = ageing(m, now, limits);
		bool waiting = rt_is_outstanding(m->phase);

		if (waiting) {
			m->has_looked = true;
			m->looked = *now;
		}
		if (event != RT_EVENTS)
			m->phase = rt_next(m->phase, (enum rt_event)event);
		if (waiting && !rt_is_outstanding(m->phase))
			m->settled = *now;
		if (m->phase == RT_GONE)
			forget(s, i);
		else
			i++;
	}
}

void rt_count(const struct rt_state *s, const struct stamp *now, const struct rt_limits *limits, struct rt_counts *c)
{
	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < s->n; i++) {
		const struct rt_mail *m = &s->mail[i];
		int64_t age = clock_age_ms(&m->sent, now);
		bool recent = clock_age_ms(&m->settled, now) <= limits->hold_ms;

		c->outstanding += rt_is_outstanding(m->phase);
		c->late += m->phase == RT_LATE;
		if (m->phase == RT_PENDING || m->phase == RT_LATE) {
			c->pending++;
			if (age > c->oldest_ms)
				c->oldest_ms = age;
		}
		if (m->phase == RT_LOST) {
			bool open = m->token.run > s->arrived_run;

			c->lost_open += open;
			c->lost += open || recent;
		}
		c->duplicates += m->phase == RT_DUPLICATE && recent;
	}
}
