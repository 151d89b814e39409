/*
 * The incidents pagerd has in memory, and those it makes of its own concerns; see state.h.
 */
#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/contract/control.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "contacts.h"
#include "pagerd/store/record.h"

void pager_soon(struct pager *p, int64_t ms)
{
	int64_t at = clock_boot_ms() + (ms < 0 ? 0 : ms);
	if (p->turn_at && p->turn_at <= at)
		return;
	p->turn_at = at ? at : 1;
	loop_timer_in(p->turn, ms);
}

/* --- the list of incidents ------------------------------------------------------------------------- */

static struct incident **bucket_of(const struct pager *p, const char *check)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a, 64 bits */
	for (const char *s = check; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return (struct incident **)(uintptr_t)&p->by_check[(h ^ h >> 32) % PAGER_BUCKETS];
}

/* Behind those that opened later. */
static void index_add(struct pager *p, struct incident *i)
{
	struct incident **at = bucket_of(p, i->check);
	while (*at && (*at)->opened_at.wall_ms > i->opened_at.wall_ms && i->opened_at.wall_ms)
		at = &(*at)->next;
	i->next = *at;
	*at = i;
}

static void index_remove(struct pager *p, struct incident *i)
{
	for (struct incident **at = bucket_of(p, i->check); *at; at = &(*at)->next) {
		if (*at != i)
			continue;
		*at = i->next;
		return;
	}
}

static bool is_full(struct pager *p)
{
	bool full = p->ninc >= PAGER_INCIDENTS_MAX;
	if (full && !p->full)
		log_err("%d incidents are open: no more are taken, further events wait in the spool",
			PAGER_INCIDENTS_MAX);
	p->full = full;
	return full;
}

static bool list_room(struct pager *p)
{
	struct incident **v = realloc(p->inc, (p->ninc + 1) * sizeof *v);
	if (v)
		p->inc = v;
	return v != NULL;
}

struct incident *pager_incident(struct pager *p, const char *check, uint64_t opened, bool make)
{
	for (struct incident *i = *bucket_of(p, check); i; i = i->next)
		if (i->opened == opened && strcmp(i->check, check) == 0)
			return i;
	if (!make || is_full(p) || !list_room(p))
		return NULL;
	struct incident *i = incident_new(check, opened);
	if (!i)
		return NULL;
	p->inc[p->ninc++] = i;
	index_add(p, i);
	return i;
}

void pager_adopt(struct pager *p, struct incident *i)
{
	if (!list_room(p)) {
		incident_free(i);
		return;
	}
	struct incident **v = p->inc;
	size_t k = p->ninc++;
	while (k > 0 && v[k - 1]->opened_at.wall_ms > i->opened_at.wall_ms) {
		v[k] = v[k - 1];
		k--;
	}
	v[k] = i;
	index_add(p, i);
}

struct incident *pager_open_incident(const struct pager *p, const char *check)
{
	for (struct incident *i = *bucket_of(p, check); i; i = i->next)
		if (incident_is_problem(i) && strcmp(i->check, check) == 0)
			return i;
	return NULL;
}

static bool is_named(const struct incident *i, const char *name)
{
	return !i->ephemeral && (strcasecmp(i->id, name) == 0 || strcmp(i->check, name) == 0);
}

struct incident *pager_find(const struct pager *p, const char *name)
{
	for (size_t k = p->ninc; k-- > 0;)
		if (incident_is_problem(p->inc[k]) && is_named(p->inc[k], name))
			return p->inc[k];
	for (size_t k = p->ninc; k-- > 0;)
		if (is_named(p->inc[k], name))
			return p->inc[k];
	return NULL;
}

void pager_drop(struct pager *p, struct incident *i)
{
	index_remove(p, i);
	for (size_t k = 0; k < p->ninc; k++) {
		if (p->inc[k] != i)
			continue;
		memmove(&p->inc[k], &p->inc[k + 1], (p->ninc - k - 1) * sizeof *p->inc);
		p->ninc--;
		break;
	}
	incident_free(i);
}

void pager_settle(struct pager *p, struct incident *i, const struct stamp *now)
{
	incident_settle(i, p->views, p->nviews, now);
}

int64_t pager_overdue_ms(const struct pager *p, const char **check)
{
	struct stamp now = clock_stamp();
	int64_t oldest = 0;
	*check = "";
	for (size_t k = 0; k < p->ninc; k++) {
		const struct incident *i = p->inc[k];
		for (size_t m = 0; !i->ephemeral && m < i->ncalls; m++) {
			const struct call *c = i->calls[m];
			int64_t age = call_waited_ms(c, &now);
			if (call_is_done(c) || c->tried || age <= oldest)
				continue;
			oldest = age;
			*check = i->check;
		}
	}
	return oldest;
}

/* --- publishing ------------------------------------------------------------------------------------ */

static void publish(struct pager *p, const struct incident *i, const struct call *c)
{
	p->changed = true;
	if (!p->control)
		return;
	cJSON *o = cJSON_CreateObject();
	cJSON *page = record_show_call(i, c);
	cJSON_AddStringToObject(page, "check", i->check);
	cJSON_AddStringToObject(page, "text", c->text ? c->text : "");
	cJSON_AddItemToObject(o, "page", page);
	control_publish(p->control, o);
	cJSON_Delete(o);
}

void pager_page_told(struct pager *p, struct incident *i, unsigned call, const struct stamp *now)
{
	pager_settle(p, i, now);
	const struct call *c = incident_find_call(i, call);
	if (c)
		publish(p, i, c);
	p->changed = true;
}

void pager_page_changed(struct pager *p, struct incident *i, unsigned call, const struct stamp *now)
{
	i->dirty = true;
	pager_page_told(p, i, call, now);
}

/* --- our own concerns ------------------------------------------------------------------------------ */

uint64_t pager_next_change(struct pager *p)
{
	uint64_t now = (uint64_t)clock_wall_ms();
	p->last_change = now > p->last_change ? now : p->last_change + 1;
	return p->last_change;
}

/* contacts: NULL for the default ones. */
static void self_event(struct pager *p, const char *check, enum event_kind kind, enum nag_state state,
		       uint64_t opened, uint64_t change, const char *text, char *const *contacts, size_t ncontacts)
{
	struct contact_view who[PAGER_VIEWS_MAX];
	struct stamp now = clock_stamp();
	struct event e;
	event_init(&e);
	snprintf(e.check, sizeof e.check, "%s", check);
	e.change = change;
	e.opened = opened;
	e.kind = kind;
	e.state = state;
	e.at = e.since = now;
	e.text = strdup(text);
	e.contacts = (char **)contacts;
	e.ncontacts = ncontacts;
	struct incident *i = pager_incident(p, check, opened, true);
	size_t n = i ? contacts_of(p->conf, i, &e, &now, who, PAGER_VIEWS_MAX) : 0;
	if (i && e.text && incident_event(i, &e, who, n, &now)) {
		log_msg(kind == EVENT_RECOVERY ? LOG_L_NOTICE : LOG_L_ERR, "incident %s: %s: %s", i->id,
			check, text);
		p->changed = true;
		pager_soon(p, 0);
	}
	e.contacts = NULL; /* the caller's */
	e.ncontacts = 0;
	event_fini(&e);
}

void pager_self_problem(struct pager *p, const char *check, enum nag_state state, const char *text)
{
	pager_self_problem_to(p, check, state, text, NULL, 0);
}

void pager_self_over(struct pager *p, const char *check, const char *text)
{
	pager_self_over_to(p, check, text, NULL, 0);
}

void pager_self_problem_to(struct pager *p, const char *check, enum nag_state state, const char *text,
			   char *const *contacts, size_t ncontacts)
{
	const struct incident *open = pager_open_incident(p, check);
	if (open && open->state == state && strcmp(open->text, text) == 0)
		return;
	uint64_t change = pager_next_change(p);
	self_event(p, check, EVENT_PROBLEM, state, open ? open->opened : change, change, text, contacts, ncontacts);
}

void pager_self_over_to(struct pager *p, const char *check, const char *text, char *const *contacts,
			size_t ncontacts)
{
	const struct incident *open = pager_open_incident(p, check);
	if (open)
		self_event(p, check, EVENT_RECOVERY, NAG_OK, open->opened, pager_next_change(p), text, contacts,
			   ncontacts);
}

void pager_self_notice(struct pager *p, const char *check, uint64_t change, const char *text)
{
	self_event(p, check, EVENT_NOTICE, NAG_CRITICAL, change, change, text, NULL, 0);
}
