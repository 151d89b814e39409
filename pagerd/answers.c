/* Answers to messages; see answers.h. What is decided is in rules/answer.c, what is said in
 * rules/answer_text.c. */
#include "answers.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/log.h"
#include "asker.h"
#include "codes.h"
#include "errands.h"
#include "lines.h"
#include "pagerd/store/book.h"
#include "sender.h"
#include "summary.h"
#include "meant.h"

#define HOUR_MS 3600000ll
enum { AGAIN_MS = 2000 };

/* A question to monitord that is on its way. */
struct asked {
	struct answers *a;
	struct asker *asker; /* NULL: the place is free */
	char key[BOOK_KEY_MAX];
};

struct answers {
	struct pager *p;
	struct book book;
	struct asked asked[ANSWERS_ASKED_MAX];
};

/* --- the book -------------------------------------------------------------------------------------- */

/* True when it is where a crash does not reach it. */
static bool save(struct answers *a)
{
	char why[300];
	if (!a->book.dirty)
		return true;
	if (a->p->store_trouble && clock_boot_ms() < a->p->store_retry)
		return false; /* nothing waits for a disk that is known to hang */
	enum store_where where =
	    store_put(a->p->store, "replies", ++a->book.rev, book_make(&a->book), why, sizeof why);
	if (where != STORE_DISK)
		log_err("received messages cannot be written down: %s", why);
	a->book.dirty = where == STORE_NOWHERE;
	return where != STORE_NOWHERE;
}

struct answers *answers_new(struct pager *p)
{
	struct answers *a = calloc(1, sizeof *a);
	if (!a)
		return NULL;
	a->p = p;
	cJSON *v = store_get(p->store, "replies", &a->book.rev);
	size_t bad = v ? book_read(&a->book, v) : 0;
	if (bad)
		log_warn("%zu entries of the received messages cannot be read", bad);
	cJSON_Delete(v);
	return a;
}

void answers_free(struct answers *a)
{
	if (!a)
		return;
	for (size_t k = 0; k < ANSWERS_ASKED_MAX; k++)
		asker_free(a->asked[k].asker);
	save(a);
	book_fini(&a->book);
	free(a);
}

static void settle(struct answers *a, struct book_entry *e, enum book_phase phase)
{
	e->phase = phase == BOOK_ANSWER && !e->answered ? BOOK_DONE : phase;
	e->running = false;
	a->book.dirty = true;
	pager_soon(a->p, 0);
}

/* --- saying ---------------------------------------------------------------------------------------- */

static bool speaks_japanese(const struct pager *p, const char *contact)
{
	const struct conf_contact *c = config_contact(p->conf, contact);
	return c && strcmp(c->lang, "ja") == 0;
}

static unsigned others_told(const struct incident *i)
{
	unsigned told = 0, by = 0;
	for (size_t k = 0; k < i->ncontacts; k++) {
		told += i->contacts[k].told != TOLD_NO;
		by += i->contacts[k].told != TOLD_NO && strcmp(i->contacts[k].name, i->by) == 0;
	}
	return told > 1 ? told - by : 0;
}

/* With the codes of what the sender may acknowledge: what came in a digest is acknowledged that way. */
static void write_status(struct answers *a, struct book_entry *e, bool ja)
{
	enum { WITH_CODES = 6 }; /* more do not fit one message */
	size_t n;
	struct answer_item *v = summary_items(a->p, &n);
	for (size_t k = 0; v && k < n && k < WITH_CODES; k++)
		codes_for(a->p, a->p->inc[v[k].of], e->contact, v[k].code);
	summary_status(a->p, v, n, ja, e->text);
	free(v);
}

static void write_answer(struct answers *a, struct book_entry *e, enum answer_do what,
			 const struct incident *i, const char *why)
{
	char at[32] = "", until[32] = "";
	struct sender s;
	bool ja = speaks_japanese(a->p, e->contact);
	sender_find(a->p->conf, e->from, &s);
	if (what == ANS_STATUS) {
		write_status(a, e, ja);
		return;
	}
	int64_t when = what == ANS_ALREADY && i ? i->acked_at.wall_ms
		       : what == ANS_OVER && i	? i->closed_at.wall_ms
						: e->from_ms;
	struct answer_words w = {.ja = ja,
				 .id = i ? i->id : "",
				 .check = i ? i->check : e->check,
				 .by = i ? i->by : "",
				 .at = summary_time(when, at, sizeof at),
				 .until = summary_time(e->until_ms, until, sizeof until),
				 .code = e->code[0] ? e->code : e->check,
				 .why = why,
				 .others = what == ANS_ACK && i ? others_told(i) : 0,
				 .may = s.may};
	answer_text(what, &w, e->text);
}

static struct book_entry *by_tag(const struct answers *a, uint64_t tag)
{
	for (size_t k = 0; k < a->book.n; k++)
		if (book_tag(&a->book.v[k]) == tag)
			return &a->book.v[k];
	return NULL;
}

static void answered(void *arg, uint64_t tag, bool sent, const struct attempt *last)
{
	struct answers *a = arg;
	struct book_entry *e = by_tag(a, tag);
	if (!e)
		return;
	if (!sent)
		log_warn("the answer to %s could not be sent: %s", e->from,
			 last && last->detail ? last->detail : "no line took it");
	settle(a, e, BOOK_DONE);
}

/* What it tells is on the disk, or wherever records go while there is none. */
static bool is_recorded(const struct answers *a, const struct book_entry *e)
{
	const struct incident *i =
	    e->what == ANS_ACK ? pager_incident(a->p, e->check, e->opened, false) : NULL;
	bool dirty = i && i->dirty;
	for (size_t k = 0; e->what == ANS_STATUS && k < a->p->ninc; k++) /* the codes it tells */
		dirty |= a->p->inc[k]->dirty && !a->p->inc[k]->ephemeral;
	for (size_t k = 0; i && e->code[0] && k < a->p->ninc && !dirty; k++) { /* those that share the code */
		const struct inc_contact *c = a->p->inc[k]->dirty ? codes_contact(a->p->inc[k], e->contact) : NULL;
		dirty = c && strcmp(c->used_code, e->code) == 0;
	}
	return !dirty;
}

static void send_answer(struct answers *a, struct book_entry *e)
{
	struct errand errand = {.contact = e->contact,
				.line = e->line,
				.to = e->from,
				.elsewhere = true,
				.kind = PAGE_INFO,
				.text = e->text,
				.until_ms = ANSWERS_UNTIL_MS,
				.tag = book_tag(e),
				.done = answered,
				.arg = a};
	if (is_recorded(a, e))
		e->running = errands_start(a->p->errands, &errand);
}

/* --- doing ----------------------------------------------------------------------------------------- */

static void use_code(struct incident *i, struct inc_contact *c, const struct book_entry *e)
{
	snprintf(c->used_code, sizeof c->used_code, "%s", e->code);
	c->code[0] = '\0';
	log_notice("incident %s (%s) acknowledged by %s, by a message from %s%s%s", i->id, i->check, i->by, e->from,
		   i->comment[0] ? ": " : "", i->comment);
}

/* All else that was told by the same digest. */
static void acknowledge_sharers(struct answers *a, const struct book_entry *e, const struct stamp *now)
{
	char why[256];
	for (size_t k = 0; k < a->p->ninc; k++) {
		struct incident *i = a->p->inc[k];
		struct inc_contact *c = i->phase == INC_OPEN ? codes_contact(i, e->contact) : NULL;
		if (c && strcmp(c->code, e->code) == 0 &&
		    incident_ack(i, e->contact, e->comment, a->p->views, a->p->nviews, now, why, sizeof why))
			use_code(i, c, e);
	}
}

/* Also again after a crash: then the record tells that it was done. */
static void acknowledge(struct answers *a, struct book_entry *e)
{
	struct stamp now = clock_stamp();
	char why[256];
	struct incident *i = pager_incident(a->p, e->check, e->opened, false);
	struct inc_contact *c = i ? codes_contact(i, e->contact) : NULL;
	enum answer_do said = ANS_ACK;
	bool was = i && i->phase == INC_ACKED;
	if (was) {
		said = c && strcmp(c->used_code, e->code) == 0 ? ANS_ACK : ANS_ALREADY;
	} else if (!i || !incident_ack(i, e->contact, e->comment, a->p->views, a->p->nviews, &now, why,
				       sizeof why)) {
		said = i ? ANS_OVER : ANS_WRONG;
	} else {
		if (c)
			use_code(i, c, e);
	}
	if (said == ANS_ACK && e->code[0])
		acknowledge_sharers(a, e, &now);
	a->p->changed = true;
	if (said == ANS_ACK && !is_recorded(a, e))
		return; /* asked again when more is written down */
	write_answer(a, e, said, i, NULL);
	settle(a, e, BOOK_ANSWER);
}

static void downtime_answered(void *arg, const cJSON *answer, const char *why)
{
	struct asked *q = arg;
	struct book_entry *e = book_find(&q->a->book, q->key);
	q->asker = NULL;
	if (!e)
		return;
	bool ok = answer && json_bool(answer, "ok", false);
	const char *reason = answer ? json_str(answer, "error", "monitord refused") : why;
	char text[200];
	snprintf(text, sizeof text, "%s%.150s", answer ? "" : "monitord: ", reason);
	log_notice("%s of %s asked for by %s: %s", e->what == ANS_UP ? "end of downtime" : "downtime",
		   e->check, e->from, ok ? "done" : text);
	write_answer(q->a, e, e->what, NULL, ok ? NULL : text);
	settle(q->a, e, BOOK_ANSWER);
}

static cJSON *downtime_request(const struct book_entry *e)
{
	cJSON *o = cJSON_CreateObject();
	char by[EVENT_NAME_MAX + 16];
	snprintf(by, sizeof by, "%s (by SMS)", e->contact);
	json_add_int(o, "v", 1);
	cJSON_AddStringToObject(o, "do", "downtime");
	cJSON_AddStringToObject(o, "name", e->check);
	cJSON_AddStringToObject(o, "by", by);
	if (e->what == ANS_UP) {
		cJSON_AddBoolToObject(o, "cancel", true);
		return o;
	}
	json_add_int(o, "from_wall_ms", e->from_ms);
	json_add_int(o, "until_wall_ms", e->until_ms);
	cJSON_AddStringToObject(o, "comment", e->comment);
	return o;
}

static void ask_downtime(struct answers *a, struct book_entry *e)
{
	char path[PATH_MAX];
	size_t k = 0;
	while (k < ANSWERS_ASKED_MAX && a->asked[k].asker)
		k++;
	if (k == ANSWERS_ASKED_MAX)
		return; /* when one is answered */
	struct asked *q = &a->asked[k];
	q->a = a;
	memcpy(q->key, e->key, sizeof q->key);
	snprintf(path, sizeof path, "%s/monitord.sock", a->p->conf->monitord_run);
	q->asker = asker_start(a->p->base, path, downtime_request(e), downtime_answered, q);
	e->running = q->asker != NULL;
}

static void proceed(struct answers *a, struct book_entry *e)
{
	if (e->running || e->phase == BOOK_DONE)
		return;
	if (e->phase == BOOK_ANSWER)
		send_answer(a, e);
	else if (e->what == ANS_ACK)
		acknowledge(a, e);
	else if (e->what == ANS_DOWN || e->what == ANS_UP)
		ask_downtime(a, e);
	else
		settle(a, e, BOOK_DONE);
}

/* --- coming in ------------------------------------------------------------------------------------- */

/* A line that gives its messages no id cannot keep them either: each is new. */
static void make_key(const struct answers *a, const struct received *m, char key[BOOK_KEY_MAX])
{
	if (m->id[0])
		snprintf(key, BOOK_KEY_MAX, "%.32s", m->id);
	else
		snprintf(key, BOOK_KEY_MAX, "%llx-%zu", (unsigned long long)clock_boot_ms(), a->book.n);
}

static struct answer_facts gather(const struct answers *a, const struct received *m, const struct sender *s,
				  const struct answer *said, const struct meant *f)
{
	int64_t since = clock_wall_ms() - HOUR_MS;
	return (struct answer_facts){.known = s->n > 0,
				     .may_ack = s->may & MAY_ACK,
				     .may_status = s->may & MAY_STATUS,
				     .may_downtime = s->may & MAY_DOWNTIME,
				     .echo = (said->verb == ANSWER_ACK || said->verb == ANSWER_NONE) &&
					     meant_echoes(a->p, m->text),
				     .target = f->target,
				     .wrong = book_count(&a->book, m->from, ANS_WRONG, since),
				     .answers = book_answers(&a->book, m->from, since),
				     .limit = (unsigned)a->p->conf->reply_limit};
}

static void note(struct book_entry *e, const char *line, const struct received *m, const struct sender *s,
		 const struct answer *said, const struct meant *f)
{
	snprintf(e->line, sizeof e->line, "%s", line);
	snprintf(e->from, sizeof e->from, "%s", m->from);
	snprintf(e->contact, sizeof e->contact, "%s", f->contact ? f->contact : s->who[0]->name);
	snprintf(e->code, sizeof e->code, "%s", said->code);
	snprintf(e->check, sizeof e->check, "%s", f->check ? f->check : said->name);
	snprintf(e->comment, sizeof e->comment, "%s", said->comment);
	e->opened = f->i ? f->i->opened : 0;
	e->at_wall_ms = e->from_ms = clock_wall_ms();
	e->until_ms = e->from_ms + (said->span_ms > 0 ? said->span_ms : 0);
}

static void decide(struct answers *a, struct book_entry *e, const char *line, const struct received *m,
		   const struct sender *s)
{
	struct answer said;
	answer_parse(m->text, &said);
	struct meant f = meant_find(a->p, s, &said);
	struct answer_facts facts = gather(a, m, s, &said, &f);
	note(e, line, m, s, &said, &f);
	e->what = answer_decide(&said, &facts);
	e->answered = answer_is_answered(e->what, &facts);
	if (e->what == ANS_IGNORE)
		log_warn("%s has sent too many wrong codes: this one is not looked at", m->from);
	else if (!e->answered)
		log_warn("%s has had %u answers within the hour: this message gets none", m->from,
			 facts.answers);
	if (e->what == ANS_ACK || e->what == ANS_DOWN || e->what == ANS_UP)
		return;
	write_answer(a, e, e->what, f.i, NULL);
	settle(a, e, BOOK_ANSWER);
}

void answers_received(struct answers *a, const char *line, const struct received *m)
{
	char key[BOOK_KEY_MAX];
	struct sender s;
	make_key(a, m, key);
	sender_find(a->p->conf, m->from, &s);
	struct book_entry *e = s.n ? book_find(&a->book, key) : NULL;
	if (!s.n) {
		log_warn("line %s: %s may answer nothing: no contact has that number", line, m->from);
	} else if (!e) {
		e = strlen(m->from) < BOOK_FROM_MAX ? book_add(&a->book, key) : NULL;
		if (!e) {
			log_err("there is no room for a message from %s: it is asked for again", m->from);
			return;
		}
		decide(a, e, line, m, &s);
	}
	/* what it asks for is done even when no disk takes it; then it is told again, and known by its key */
	if (save(a))
		lines_taken(a->p->lines, line, m->id);
	if (e)
		proceed(a, e);
	pager_soon(a->p, 0);
}

int64_t answers_watch(struct answers *a)
{
	bool waits = false;
	for (size_t k = 0; k < a->book.n; k++) {
		proceed(a, &a->book.v[k]);
		waits |= a->book.v[k].phase != BOOK_DONE && !a->book.v[k].running;
	}
	return (save(a) && !waits) ? INT64_MAX : AGAIN_MS;
}
