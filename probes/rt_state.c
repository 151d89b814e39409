/*
 * The memory of the round trip (see rt_state.h). Called by check_roundtrip;
 * promises that a text it wrote is read back the same, that it stays far below
 * PROBE_STATE_MAX, and that a mail under way is never forgotten.
 */
#include "rt_state.h"

#include <string.h>

#include "../lib/json.h"

enum { DAY_MS = 24 * 3600 * 1000, RT_VERSION = 1 };

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

static bool has_arrived(enum rt_phase phase)
{
	return phase == RT_ARRIVED || phase == RT_DUPLICATE;
}

void rt_init(struct rt_state *s)
{
	memset(s, 0, sizeof(*s));
}

static void forget(struct rt_state *s, size_t i)
{
	memmove(&s->mail[i], &s->mail[i + 1], (s->n - i - 1) * sizeof(s->mail[0]));
	s->n--;
}

static size_t outstanding(const struct rt_state *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += rt_is_outstanding(s->mail[i].phase);
	return n;
}

/* Forgets the oldest arrived ones beyond their maximum, and when there is no room the oldest of the others. */
static void make_room(struct rt_state *s)
{
	size_t arrived = 0;

	for (size_t i = 0; i < s->n; i++)
		arrived += has_arrived(s->mail[i].phase);
	for (size_t i = 0; i < s->n && arrived > RT_ARRIVED_MAX;) {
		if (has_arrived(s->mail[i].phase)) {
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
	struct rt_mail *m;

	if (outstanding(s) >= RT_OUTSTANDING_MAX)
		return NULL;
	make_room(s);
	m = &s->mail[s->n++];
	memset(m, 0, sizeof(*m));
	m->token = *t;
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
	if (d.max_ms - d.min_ms <= 2000 || arrived_wall_ms <= 0)
		return d;
	claimed = arrived_wall_ms - m->sent.wall_ms;
	if (claimed < d.min_ms - 2000 || claimed > d.max_ms + 2000)
		d.skewed = true;
	else
		d.ms = claimed < d.min_ms ? d.min_ms : claimed > d.max_ms ? d.max_ms : claimed;
	return d;
}

enum rt_sight rt_seen(struct rt_state *s, struct rt_mail *m, uint32_t uid, const struct stamp *now,
		      int64_t arrived_wall_ms)
{
	bool first = !has_arrived(m->phase), lost = m->phase == RT_LOST || m->phase == RT_UNCONFIRMED;

	if (!first && m->uid == uid)
		return RT_AGAIN;
	m->phase = rt_next(m->phase, RT_SEEN);
	m->settled = *now;
	if (!first)
		return RT_COPY;
	m->uid = uid;
	m->was_lost = lost;
	m->delay = delay_of(m, now, arrived_wall_ms);
	if (m->token.run >= s->arrived_run) {
		s->arrived_run = m->token.run;
		s->has_delay = true;
		s->delay = m->delay;
	}
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

/* --- the text --- */

static void add_delay(cJSON *o, const struct rt_delay *d)
{
	cJSON *j = cJSON_AddObjectToObject(o, "delay");

	json_add_int(j, "min_ms", d->min_ms);
	json_add_int(j, "max_ms", d->max_ms);
	json_add_int(j, "ms", d->ms);
	cJSON_AddBoolToObject(j, "skewed", d->skewed);
}

static bool get_delay(const cJSON *o, struct rt_delay *d)
{
	const cJSON *j = cJSON_GetObjectItemCaseSensitive(o, "delay");

	d->min_ms = json_int(j, "min_ms", -1);
	d->max_ms = json_int(j, "max_ms", -1);
	d->ms = json_int(j, "ms", -1);
	d->skewed = json_bool(j, "skewed", false);
	return d->min_ms >= 0 && d->min_ms <= d->ms && d->ms <= d->max_ms;
}

static cJSON *mail_to_json(const struct rt_mail *m)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "token", m->token.hex);
	json_add_int(o, "run", (int64_t)m->token.run);
	cJSON_AddStringToObject(o, "phase", rt_phase_name(m->phase));
	json_add_stamp(o, "sent", &m->sent);
	if (m->has_looked && rt_is_outstanding(m->phase))
		json_add_stamp(o, "looked", &m->looked);
	if (!rt_is_outstanding(m->phase))
		json_add_stamp(o, "settled", &m->settled);
	if (has_arrived(m->phase)) {
		json_add_int(o, "uid", m->uid);
		cJSON_AddBoolToObject(o, "was_lost", m->was_lost);
		add_delay(o, &m->delay);
	}
	return o;
}

static bool get_u32(const cJSON *o, const char *key, uint32_t *v)
{
	int64_t n = json_int(o, key, -1);

	*v = (uint32_t)n;
	return n >= 0 && n <= UINT32_MAX;
}

static bool get_run(const cJSON *o, const char *key, uint64_t *v)
{
	int64_t n = json_int(o, key, -1);

	*v = (uint64_t)n;
	return n >= 0 && n < (int64_t)1 << 53;
}

static bool get_phase(const cJSON *o, enum rt_phase *phase)
{
	const char *name = json_str(o, "phase", "");

	for (int i = 0; i < RT_PHASES; i++) {
		if (strcmp(name, phase_names[i]) == 0) {
			*phase = (enum rt_phase)i;
			return true;
		}
	}
	return false;
}

static bool mail_from_json(const cJSON *o, struct rt_mail *m)
{
	const char *hex = json_str(o, "token", "");

	memset(m, 0, sizeof(*m));
	if (!token_hex_ok(hex) || !get_run(o, "run", &m->token.run) || !get_phase(o, &m->phase) ||
	    !json_get_stamp(o, "sent", &m->sent))
		return false;
	memcpy(m->token.hex, hex, sizeof(m->token.hex));
	m->has_looked = json_get_stamp(o, "looked", &m->looked);
	if (!rt_is_outstanding(m->phase) && !json_get_stamp(o, "settled", &m->settled))
		return false;
	if (!has_arrived(m->phase))
		return true;
	m->was_lost = json_bool(o, "was_lost", false);
	return get_u32(o, "uid", &m->uid) && get_delay(o, &m->delay);
}

bool rt_dump(const struct rt_state *s, struct buf *out)
{
	cJSON *o = cJSON_CreateObject(), *mails = cJSON_CreateArray();
	bool fits;

	json_add_int(o, "v", RT_VERSION);
	json_add_int(o, "run", (int64_t)s->run);
	json_add_int(o, "uidvalidity", s->uidvalidity);
	json_add_int(o, "uidnext", s->uidnext);
	json_add_int(o, "arrived_run", (int64_t)s->arrived_run);
	if (s->has_delay)
		add_delay(o, &s->delay);
	for (size_t i = 0; i < s->n; i++)
		cJSON_AddItemToArray(mails, mail_to_json(&s->mail[i]));
	cJSON_AddItemToObject(o, "mails", mails);
	fits = json_line(o, out);
	cJSON_Delete(o);
	return fits;
}

static bool from_json(struct rt_state *s, const cJSON *o)
{
	const cJSON *mails = cJSON_GetObjectItemCaseSensitive(o, "mails"), *m;

	if (json_int(o, "v", 0) != RT_VERSION || !get_run(o, "run", &s->run) ||
	    !get_u32(o, "uidvalidity", &s->uidvalidity) || !get_u32(o, "uidnext", &s->uidnext) ||
	    !get_run(o, "arrived_run", &s->arrived_run) || !cJSON_IsArray(mails))
		return false;
	s->has_delay = cJSON_HasObjectItem(o, "delay");
	if (s->has_delay && !get_delay(o, &s->delay))
		return false;
	cJSON_ArrayForEach(m, mails) {
		if (s->n == RT_MAILS_MAX || !mail_from_json(m, &s->mail[s->n]))
			return false;
		s->n++;
	}
	return outstanding(s) <= RT_OUTSTANDING_MAX;
}

bool rt_load(struct rt_state *s, const char *text, size_t len, const char **why)
{
	cJSON *o;
	bool good;

	rt_init(s);
	if (len == 0)
		return true;
	o = json_parse(text, len, JSON_LINE_MAX, why);
	if (!o)
		return false;
	good = from_json(s, o);
	cJSON_Delete(o);
	if (good)
		return true;
	rt_init(s);
	*why = "it is not the state of a round trip";
	return false;
}
