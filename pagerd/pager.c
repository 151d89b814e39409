/*
 * The turn; see pager.h. Everything that could be decided without a disk, a clock or a
 * line is decided in incident.c and route.c: here is the order in which it is done.
 */
#include "pager.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/control.h"
#include "../lib/json.h"
#include "../lib/log.h"
#include "../lib/loop.h"
#include "contacts.h"
#include "intake.h"
#include "lines.h"
#include "record.h"
#include "snapshot.h"
#include "tests.h"

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

/* --- writing --------------------------------------------------------------------------------------- */

static void disk_failed(struct pager *p, const char *why, enum store_where where)
{
	char text[512];
	p->store_retry = clock_boot_ms() + PAGER_STORE_RETRY_MS;
	if (p->store_trouble)
		return;
	p->store_trouble = true;
	snprintf(text, sizeof text,
		 "the pager cannot write down what it does (%.300s): pages still go out; after a restart "
		 "some may come twice%s",
		 why, where == STORE_TWIN ? "" : " without saying so");
	log_err("%s", text);
	pager_self_problem(p, "self.pagerd-state", NAG_CRITICAL, text);
}

static void save(struct pager *p, struct incident *i)
{
	char why[300] = "";
	if (i->ephemeral) {
		i->dirty = false;
		return;
	}
	/* while the disk is known to be in trouble nothing waits for it */
	if (p->store_trouble && clock_boot_ms() < p->store_retry && store_save_aside(p->store, i))
		return;
	enum store_where where = store_save(p->store, i, why, sizeof why);
	if (where != STORE_DISK)
		disk_failed(p, why, where);
}

/* Writes what changed, and what the disk is owed when it is time to try it again. False when some is left for
 * later. */
static bool save_all(struct pager *p)
{
	int64_t begin = clock_boot_ms();
	bool retry = p->store_trouble && begin >= p->store_retry;
	for (size_t k = 0; k < p->ninc; k++) {
		struct incident *i = p->inc[k];
		if (!i->dirty && !(i->owed && (retry || !p->store_trouble)))
			continue;
		save(p, i);
		if (retry && i->owed)
			return false; /* still in trouble; the rest is in the twin */
		if (clock_boot_ms() - begin > PAGER_SAVE_MS) {
			pager_soon(p, 0);
			return false;
		}
	}
	if (retry) {
		p->store_trouble = false;
		pager_self_over(p, "self.pagerd-state",
				"the pager can write again; all it did meanwhile is written down");
		pager_soon(p, 0);
	}
	return !p->store_trouble;
}

/* --- sending --------------------------------------------------------------------------------------- */

/* What an incident's page became, once all that follows from it is settled; settling may forget the page itself. */
static void settled(struct pager *p, struct incident *i, unsigned call, const struct stamp *now)
{
	i->dirty = true;
	pager_settle(p, i, now);
	const struct call *c = incident_find_call(i, call);
	if (c)
		publish(p, i, c);
	p->changed = true;
}

static void hand_over(struct pager *p, struct incident *i, struct call *c, const struct route_view *v,
		      const struct stamp *now)
{
	char id[48], line[EVENT_NAME_MAX];
	struct attempt *a = call_begin(c, v->line, v->to, now);
	if (!a)
		return;
	unsigned n = a->n;
	/* two incidents may bear the same id: neither a notifier nor we may take their pages for one another's */
	snprintf(id, sizeof id, "%s-%u.%u.%08x", i->id, c->n, n, (unsigned)incident_tag(i));
	snprintf(line, sizeof line, "%s", v->line);
	struct page page = {
	    .id = id,
	    .to = v->to,
	    .kind = c->kind,
	    .resend = a->resend,
	    .incident = i->id,
	    .check = i->check,
	    .host = i->host,
	    .state = nag_name(c->state),
	    .text = c->text,
	    .more = c->more,
	    .since_wall_ms = c->since.wall_ms,
	    .at_wall_ms = c->made.wall_ms,
	    .deadline_ms = p->deadline_ms,
	};
	i->dirty = true;
	save(p, i); /* durable before the first byte that could make a phone ring */
	log_info("page %s (%s of %s to %s) goes to line %s%s", id, page_kind_name(c->kind), i->check,
		 c->contact, line, page.resend ? ", marked as a repeat" : "");
	p->write_owed = true;
	if (!lines_send(p->lines, line, &page))
		call_outcome(c, n, OUTCOME_RETRY, "the line did not take it", now, 0);
	settled(p, i, c->n, now);
}

struct pick {
	struct incident *i;
	const struct call *c; /* for the sorting only: what is sent may make others go */
	unsigned n;
};

/* What is sent first when a line becomes free: alarms, then answers to people, then the rest; the older
 * first. */
static int class_of(const struct call *c)
{
	switch (c->kind) {
	case PAGE_NEW:
		return 0;
	case PAGE_NOTICE:
		return 1;
	case PAGE_TEST:
		return 2;
	case PAGE_RECOVERED:
		return 3;
	default:
		return 4;
	}
}

static int first_first(const void *x, const void *y)
{
	const struct call *a = ((const struct pick *)x)->c, *b = ((const struct pick *)y)->c;
	if (class_of(a) != class_of(b))
		return class_of(a) - class_of(b);
	if (a->made.wall_ms != b->made.wall_ms)
		return a->made.wall_ms < b->made.wall_ms ? -1 : 1;
	return a->n < b->n ? -1 : a->n > b->n;
}

static size_t pick_waiting(const struct pager *p, struct pick **out)
{
	size_t n = 0, cap = 0;
	*out = NULL;
	for (size_t k = 0; k < p->ninc; k++) {
		for (size_t m = 0; m < p->inc[k]->ncalls; m++) {
			if (p->inc[k]->calls[m]->phase != CALL_WAITING)
				continue;
			if (n == cap) {
				cap = cap ? cap * 2 : 64;
				struct pick *v = realloc(*out, cap * sizeof *v);
				if (!v)
					return n;
				*out = v;
			}
			(*out)[n++] = (struct pick){p->inc[k], p->inc[k]->calls[m], p->inc[k]->calls[m]->n};
		}
	}
	return n;
}

/* Gives idle lines their next pages; returns when to look again. */
static int64_t dispatch(struct pager *p, const struct stamp *now)
{
	struct pick *v;
	struct route_view views[PAGER_VIEWS_MAX];
	int64_t next = INT64_MAX, again;
	size_t n = pick_waiting(p, &v);
	if (n)
		qsort(v, n, sizeof *v, first_first);
	for (size_t k = 0; k < n; k++) {
		/* settling may have ended pages further down the list */
		struct call *c = incident_find_call(v[k].i, v[k].n);
		if (!c || c->phase != CALL_WAITING)
			continue;
		size_t nviews = contacts_routes(p, c, now->boot_ms, views, PAGER_VIEWS_MAX);
		int r = call_choose(c, views, nviews, now->boot_ms, &again);
		if (r >= 0) {
			hand_over(p, v[k].i, c, &views[r], now);
			c = incident_find_call(v[k].i, v[k].n);
			again = c && c->phase == CALL_WAITING ? 1 : INT64_MAX;
		}
		next = again < next ? again : next;
	}
	free(v);
	return next;
}

/* --- time ------------------------------------------------------------------------------------------ */

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Late answers that did not come, repeats that are due. */
static int64_t pass_time(struct pager *p, const struct stamp *now)
{
	int64_t next = lines_watch(p->lines, now->boot_ms);
	for (size_t k = 0; k < p->ninc; k++) {
		struct incident *i = p->inc[k];
		bool changed = false;
		for (size_t m = 0; m < i->ncalls; m++) {
			struct call *c = i->calls[m];
			if (call_expire(c, now->boot_ms))
				changed = i->dirty = true;
			if (c->phase == CALL_UNSURE)
				next = sooner(next, c->unsure_until - now->boot_ms);
		}
		if (changed)
			pager_settle(p, i, now);
		next = sooner(next, incident_repeat(i, p->views, p->nviews, now));
	}
	return next;
}

/* Forgets the oldest incidents that are over. */
static void trim(struct pager *p, int64_t now)
{
	size_t over = 0;
	if (p->store_trouble) /* a disk that hangs is not to be touched from here */
		return;
	for (size_t k = 0; k < p->ninc; k++)
		over += incident_is_over(p->inc[k]) && !p->inc[k]->ephemeral;
	for (size_t k = 0; k < p->ninc && over > PAGER_CLOSED_KEPT;) {
		struct incident *i = p->inc[k];
		/* its event may still be in the spool: it must be known when it is read again */
		if (!incident_is_over(i) || i->dirty || i->owed || i->ephemeral || now - i->seen_ms < 60000) {
			k++;
			continue;
		}
		store_forget(p->store, i);
		pager_drop(p, i);
		over--;
	}
}

void pager_soon(struct pager *p, int64_t ms)
{
	int64_t at = clock_boot_ms() + (ms < 0 ? 0 : ms);
	if (p->turn_at && p->turn_at <= at)
		return;
	p->turn_at = at ? at : 1;
	loop_timer_in(p->turn, ms);
}

/* Writes what changed and lets go of the events that are written. */
static void write_down(struct pager *p)
{
	p->write_owed = false;
	bool written = save_all(p);
	if (intake_pending(p->intake) && written)
		intake_scan(p->intake);
	if (intake_pending(p->intake) && written)
		pager_soon(p, 0); /* came in between */
}

void pager_turn(struct pager *p)
{
	struct stamp now = clock_stamp();
	if (p->stopping) {
		save_all(p);
		return;
	}
	p->turn_at = 0;
	if (p->write_owed)
		write_down(p);
	int64_t next = pass_time(p, &now);
	next = sooner(next, dispatch(p, &now));
	if (p->write_owed) /* a page was handed over: it leaves when the loop comes round, the rest can wait for that */
		next = 0;
	else
		write_down(p);
	next = sooner(next, tests_watch(p->tests, now.boot_ms));
	trim(p, now.boot_ms);
	if (p->changed)
		snapshot_soon(p->snapshot);
	p->changed = false;
	pager_soon(p, sooner(next, 5000));
}

static void on_turn(void *arg)
{
	struct pager *p = arg;
	p->turn_at = 0;
	pager_turn(p);
}

/* --- from the lines -------------------------------------------------------------------------------- */

static struct call *find_attempt(struct pager *p, const char *line, const char *id, struct incident **out,
				 unsigned *n)
{
	char incident[8];
	unsigned call, tag;
	if (sscanf(id, "%7[^-]-%u.%u.%8x", incident, &call, n, &tag) != 4)
		return NULL;
	for (size_t k = p->ninc; k-- > 0;) {
		bool meant = strcmp(p->inc[k]->id, incident) == 0 && (unsigned)incident_tag(p->inc[k]) == tag;
		struct call *c = meant ? incident_find_call(p->inc[k], call) : NULL;
		for (size_t m = 0; c && m < c->nattempts; m++) {
			if (c->attempts[m].n != *n || strcmp(c->attempts[m].line, line) != 0)
				continue;
			*out = p->inc[k];
			return c;
		}
	}
	return NULL;
}

void pager_outcome(struct pager *p, const char *line, const char *id, enum outcome o, const char *detail)
{
	struct stamp now = clock_stamp();
	struct incident *i = NULL;
	unsigned n;
	struct call *c = find_attempt(p, line, id, &i, &n);
	if (!c) {
		log_warn("line %s: an outcome for page %s, which is not known (any more)", line, id);
		return;
	}
	if (!call_outcome(c, n, o, detail, &now, 2 * p->deadline_ms))
		return;
	settled(p, i, c->n, &now);
	pager_soon(p, 0);
}

void pager_line_down(struct pager *p, const char *line)
{
	struct stamp now = clock_stamp();
	for (size_t k = 0; k < p->ninc; k++) {
		struct incident *i = p->inc[k];
		for (size_t m = 0; m < i->ncalls; m++) {
			if (!call_no_answer(i->calls[m], line, now.boot_ms))
				continue;
			i->dirty = true;
			pager_settle(p, i, &now);
		}
	}
	p->changed = true;
	pager_soon(p, 0);
}

void pager_line_back(struct pager *p, const char *line)
{
	for (size_t k = 0; k < p->ninc; k++)
		for (size_t m = 0; m < p->inc[k]->ncalls; m++)
			call_line_back(p->inc[k]->calls[m], line);
	p->changed = true;
	pager_soon(p, 0);
}

/* --- beginning and end ----------------------------------------------------------------------------- */

static void loaded(void *arg, struct incident *i)
{
	struct pager *p = arg;
	struct stamp now = clock_stamp();
	struct incident **v = realloc(p->inc, (p->ninc + 1) * sizeof *v);
	if (!v) {
		incident_free(i);
		return;
	}
	p->inc = v;
	size_t k = p->ninc++;
	while (k > 0 && v[k - 1]->opened_at.wall_ms > i->opened_at.wall_ms) {
		v[k] = v[k - 1];
		k--;
	}
	v[k] = i;
	for (size_t m = 0; m < i->nchanges; m++)
		if (strncmp(i->check, "self.pagerd", 11) == 0 || strcmp(i->check, "self.monitord") == 0)
			p->last_change = i->changes[m] > p->last_change ? i->changes[m] : p->last_change;
	pager_settle(p, i, &now);
}

static void unreadable(void *arg, const char *path, const char *why)
{
	struct pager *p = arg;
	char text[600];
	snprintf(text, sizeof text,
		 "the record of an incident cannot be read (%.150s); an alarm may be forgotten, see "
		 "monitorctl status: %.300s",
		 why, path);
	pager_self_notice(p, "self.pagerd-record", pager_next_change(p), text);
}

void pager_use_conf(struct pager *p)
{
	free(p->views);
	p->views = contacts_all(p->conf, &p->nviews);
}

bool pager_start(struct pager *p, char *why, size_t size)
{
	p->turn = loop_timer_new(p->base, on_turn, p);
	p->store = p->turn ? store_open(p->conf->pagerd_state, p->conf->pagerd_run, why, size) : NULL;
	if (!p->store)
		return false;
	pager_use_conf(p);
	store_load(p->store, loaded, unreadable, p);
	return true;
}

void pager_fini(struct pager *p)
{
	while (p->ninc)
		pager_drop(p, p->inc[p->ninc - 1]);
	free(p->inc);
	free(p->views);
	loop_timer_free(p->turn);
	store_close(p->store);
}
