/* Digests on their way; see batch.h. */
#include "batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/json.h"
#include "lib/log.h"
#include "outcome.h"
#include "writing.h"

/* One page of a digest, by what finds it again. */
struct member {
	char *check;
	uint64_t opened;
	unsigned call, attempt;
	uint64_t rev; /* of the incident when it last changed by this digest */
};

struct batch {
	char id[8], page_id[40];
	char contact[EVENT_NAME_MAX], line[EVENT_NAME_MAX];
	char *to;
	char code[8];
	struct stamp at;
	struct member *v;
	size_t n;
	bool resends;
	bool ended; /* an outcome is known */
	bool weak;  /* sent, over a line that confirms nothing */
	enum outcome outcome;
	char *detail;
	bool noted;   /* its note is on some disk */
	size_t saved; /* so many of its members are in their records */
};

struct batches {
	struct batch **v; /* oldest first */
	size_t n;
	unsigned made;
};

struct batches *batches_new(void)
{
	return calloc(1, sizeof(struct batches));
}

static void batch_free(struct batch *b)
{
	for (size_t k = 0; k < b->n; k++)
		free(b->v[k].check);
	free(b->v);
	free(b->to);
	free(b->detail);
	free(b);
}

void batches_free(struct batches *bs)
{
	if (!bs)
		return;
	while (bs->n)
		batch_free(bs->v[--bs->n]);
	free(bs->v);
	free(bs);
}

/* --- making ---------------------------------------------------------------------------------------- */

static bool take_in(struct batches *bs, struct batch *b)
{
	struct batch **v = realloc(bs->v, (bs->n + 1) * sizeof *v);
	if (!v)
		return false;
	bs->v = v;
	v[bs->n++] = b;
	return true;
}

static struct batch *make(struct batches *bs, const char *id, const char *contact, const char *line,
			  const char *to)
{
	struct batch *b = calloc(1, sizeof *b);
	if (!b)
		return NULL;
	snprintf(b->id, sizeof b->id, "%s", id);
	snprintf(b->contact, sizeof b->contact, "%s", contact);
	snprintf(b->line, sizeof b->line, "%s", line);
	b->to = strdup(to);
	if (b->to && take_in(bs, b))
		return b;
	batch_free(b);
	return NULL;
}

struct batch *batch_begin(struct pager *p, const char *contact, const char *line, const char *to,
			  const struct stamp *now)
{
	char id[8], name[EVENT_NAME_MAX + 16];
	snprintf(name, sizeof name, "digest %u to %s", ++p->batches->made, contact);
	event_incident(name, (uint64_t)now->wall_ms, id, sizeof id);
	struct batch *b = make(p->batches, id, contact, line, to);
	if (!b)
		return NULL;
	b->at = *now;
	snprintf(b->page_id, sizeof b->page_id, "%s-digest.%u", id, p->batches->made);
	return b;
}

static bool add_member(struct batch *b, const char *check, uint64_t opened, unsigned call, unsigned attempt)
{
	if ((b->n & (b->n - 1)) == 0) { /* full at each power of two */
		struct member *v = realloc(b->v, (b->n ? b->n * 2 : 1) * sizeof *v);
		if (!v)
			return false;
		b->v = v;
	}
	struct member m = {.check = strdup(check), .opened = opened, .call = call, .attempt = attempt};
	if (!m.check)
		return false;
	b->v[b->n++] = m;
	return true;
}

static void mark(struct attempt *a, const char *digest)
{
	free(a->digest);
	a->digest = strdup(digest);
}

bool batch_add(struct batch *b, struct incident *i, struct call *c, const struct stamp *now)
{
	if (!add_member(b, i->check, i->opened, c->n, c->tried + 1))
		return false;
	struct attempt *a = call_begin(c, b->line, b->to, now);
	if (!a) {
		free(b->v[--b->n].check);
		return false;
	}
	mark(a, b->id);
	b->resends |= a->resend;
	return true;
}

void batch_set_code(struct batch *b, const char *code)
{
	snprintf(b->code, sizeof b->code, "%s", code);
}

const char *batch_id(const struct batch *b)
{
	return b->id;
}

const char *batch_page_id(const struct batch *b)
{
	return b->page_id;
}

bool batch_resends(const struct batch *b)
{
	return b->resends;
}

/* --- the note -------------------------------------------------------------------------------------- */

static cJSON *note_of(const struct batch *b)
{
	cJSON *o = cJSON_CreateObject(), *v;
	json_add_int(o, "v", 1);
	cJSON_AddStringToObject(o, "contact", b->contact);
	cJSON_AddStringToObject(o, "line", b->line);
	cJSON_AddStringToObject(o, "to", b->to);
	json_add_stamp(o, "at", &b->at);
	cJSON_AddStringToObject(o, "code", b->code);
	if (b->ended) {
		cJSON_AddStringToObject(o, "outcome", outcome_name(b->outcome));
		cJSON_AddBoolToObject(o, "weak", b->weak);
		cJSON_AddStringToObject(o, "detail", b->detail ? b->detail : "");
	}
	v = cJSON_AddArrayToObject(o, "pages");
	for (size_t k = 0; k < b->n; k++) {
		cJSON *m = cJSON_CreateObject();
		cJSON_AddStringToObject(m, "check", b->v[k].check);
		json_add_int(m, "opened", (int64_t)b->v[k].opened);
		json_add_int(m, "call", b->v[k].call);
		json_add_int(m, "attempt", b->v[k].attempt);
		cJSON_AddItemToArray(v, m);
	}
	return o;
}

static void write_note(struct pager *p, struct batch *b)
{
	cJSON *v = note_of(b);
	b->noted = writing_note(p, b->id, v);
	b->saved = 0;
	cJSON_Delete(v);
}

static struct incident *incident_of(struct pager *p, const struct member *m)
{
	return pager_incident(p, m->check, m->opened, false);
}

/* Its record on the disk holds what this digest did to it. */
static bool is_saved(struct pager *p, const struct member *m)
{
	const struct incident *i = incident_of(p, m);
	return !i || (i->rev > m->rev && !i->owed);
}

static void forget(struct batches *bs, size_t k)
{
	batch_free(bs->v[k]);
	memmove(&bs->v[k], &bs->v[k + 1], (bs->n - k - 1) * sizeof *bs->v);
	bs->n--;
}

void batches_tidy(struct pager *p)
{
	struct batches *bs = p->batches;
	for (size_t k = 0; k < bs->n; k++) {
		struct batch *b = bs->v[k];
		while (b->noted && b->ended && b->saved < b->n && is_saved(p, &b->v[b->saved]))
			b->saved++;
		if (!b->noted || !b->ended || b->saved < b->n || p->store_trouble)
			continue;
		store_note_forget(p->store, b->id);
		b->noted = false;
	}
	for (size_t k = 0; bs->n > BATCHES_KEPT && k < bs->n;) {
		if (bs->v[k]->ended && !bs->v[k]->noted)
			forget(bs, k);
		else
			k++;
	}
}

/* --- on its way and back --------------------------------------------------------------------------- */

void batch_write(struct pager *p, struct batch *b, const struct stamp *now)
{
	write_note(p, b);
	for (size_t k = 0; k < b->n; k++) {
		struct incident *i = incident_of(p, &b->v[k]);
		if (i)
			pager_page_told(p, i, b->v[k].call, now);
	}
}

static struct batch *find(const struct batches *bs, const char *line, const char *page_id)
{
	for (size_t k = bs->n; k-- > 0;)
		if (strcmp(bs->v[k]->page_id, page_id) == 0 && strcmp(bs->v[k]->line, line) == 0)
			return bs->v[k];
	return NULL;
}

bool batch_outcome(struct pager *p, const char *line, const char *page_id, enum outcome o, const char *detail,
		   const struct stamp *now)
{
	struct batch *b = find(p->batches, line, page_id);
	if (!b)
		return false;
	if (!b->ended)
		outcome_spend(p, line, b->to, o, now);
	free(b->detail);
	b->detail = strdup(detail);
	b->weak = o == OUTCOME_SENT && outcome_is_weak(p, line, now);
	b->ended = true;
	b->outcome = o;
	write_note(p, b); /* one write: the records follow when there is time */
	for (size_t k = 0; k < b->n; k++) {
		struct member *m = &b->v[k];
		struct incident *i = incident_of(p, m);
		struct call *c = i ? incident_find_call(i, m->call) : NULL;
		if (!i)
			continue;
		m->rev = i->rev;
		i->dirty = true; /* also the attempt itself is not in the record yet */
		if (c && outcome_apply(p, c, m->attempt, line, o, detail, now))
			pager_page_changed(p, i, m->call, now);
	}
	return true;
}

const char *batch_to(const struct pager *p, const char *line, const char *page_id)
{
	const struct batch *b = find(p->batches, line, page_id);
	return b ? b->to : NULL;
}

/* --- after a restart ------------------------------------------------------------------------------- */

static bool read_members(struct batch *b, const cJSON *array)
{
	const cJSON *o;
	cJSON_ArrayForEach(o, array)
	{
		const char *check = json_str(o, "check", NULL);
		int64_t opened = json_int(o, "opened", -1), call = json_int(o, "call", -1),
			attempt = json_int(o, "attempt", -1);
		if (!check || opened < 0 || call < 1 || call > INT32_MAX || attempt < 1 ||
		    attempt > INT32_MAX ||
		    !add_member(b, check, (uint64_t)opened, (unsigned)call, (unsigned)attempt))
			return false;
	}
	return cJSON_IsArray(array);
}

static void restore_code(const struct batch *b, struct incident *i)
{
	for (size_t k = 0; b->code[0] && i->phase == INC_OPEN && k < i->ncontacts; k++) {
		struct inc_contact *c = &i->contacts[k];
		if (strcmp(c->name, b->contact) == 0 && !c->code[0])
			snprintf(c->code, sizeof c->code, "%s", b->code);
	}
}

/* The record may be older than the note. */
static void restore(struct pager *p, struct batch *b, struct member *m, const struct stamp *now)
{
	struct incident *i = incident_of(p, m);
	struct call *c = i ? incident_find_call(i, m->call) : NULL;
	if (!c)
		return;
	struct attempt *a = c->phase == CALL_WAITING && c->tried + 1 == m->attempt
				? call_begin(c, b->line, b->to, &b->at)
				: NULL;
	if (a)
		mark(a, b->id);
	if (b->ended && b->weak) {
		const struct conf_contact *k = config_contact(p->conf, c->contact);
		call_sent_weakly(c, m->attempt, b->detail, k && k->confirm, now);
	} else if (b->ended) {
		call_outcome(c, m->attempt, b->outcome, b->detail, now, 0);
	}
	call_restored(c);
	restore_code(b, i);
	m->rev = i->rev;
	i->dirty = true;
	pager_settle(p, i, now);
}

static void load_note(void *arg, const char *name, const cJSON *v)
{
	struct pager *p = arg;
	struct stamp now = clock_stamp();
	const char *contact = json_str(v, "contact", NULL), *line = json_str(v, "line", NULL),
		   *to = json_str(v, "to", NULL), *outcome = json_str(v, "outcome", NULL);
	struct batch *b = contact && line && to ? make(p->batches, name, contact, line, to) : NULL;
	if (!b || !json_get_stamp(v, "at", &b->at) ||
	    !read_members(b, cJSON_GetObjectItemCaseSensitive(v, "pages")))
		log_err("the note of digest %s is incomplete: what it told may be told again unmarked", name);
	if (!b)
		return;
	b->ended = outcome && outcome_from_name(outcome, &b->outcome);
	b->weak = json_bool(v, "weak", false);
	snprintf(b->code, sizeof b->code, "%s", json_str(v, "code", ""));
	b->detail = strdup(json_str(v, "detail", ""));
	for (size_t k = 0; k < b->n; k++)
		restore(p, b, &b->v[k], &now);
	b->noted = b->ended = true;
}

void batches_load(struct pager *p, void (*bad)(void *arg, const char *path, const char *why))
{
	store_notes_load(p->store, load_note, bad, p);
}

size_t batch_incidents(const struct pager *p, const char *id, struct incident **out, size_t max)
{
	size_t n = 0;
	for (size_t k = 0; k < p->ninc && n < max; k++) {
		struct incident *i = p->inc[k];
		bool told = false;
		for (size_t m = 0; m < i->ncalls && !told; m++)
			for (size_t a = 0; a < i->calls[m]->nattempts && !told; a++)
				told = i->calls[m]->attempts[a].digest &&
				       strcasecmp(i->calls[m]->attempts[a].digest, id) == 0;
		if (told)
			out[n++] = i;
	}
	return n;
}
