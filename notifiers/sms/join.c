/* See join.h. For inbox.c. */
#include "join.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"

void join_init(struct join *j, const struct join_calls *calls, void *arg)
{
	memset(j, 0, sizeof(*j));
	j->calls = *calls;
	j->arg = arg;
}

static void forget(struct join_message *m)
{
	for (unsigned i = 0; i < JOIN_PARTS; i++)
		free(m->part[i].text);
	memset(m, 0, sizeof(*m));
}

void join_fini(struct join *j)
{
	for (size_t i = 0; i < JOIN_MESSAGES; i++)
		forget(&j->v[i]);
}

static void drop(struct join *j, const struct sms_place *where)
{
	if (where->memory[0] != '\0')
		j->calls.drop(j->arg, where);
}

/* --- what was told: its parts may come once more ------------------------------------------------------ */

/* FNV-1a: only to know a part again. */
static uint32_t hash_of(const char *text)
{
	uint32_t h = 2166136261u;

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return h;
}

static void remember(struct join *j, const struct join_message *m, int64_t now)
{
	struct join_told *t = &j->told[j->ntold++ % JOIN_TOLD];

	*t = (struct join_told){.ref = m->ref, .nparts = m->nparts, .at = now};
	memcpy(t->from, m->from, sizeof(t->from));
	for (unsigned i = 0; i < m->nparts; i++)
		t->hash[i] = m->part[i].text != NULL ? hash_of(m->part[i].text) : 0;
}

static bool was_told(const struct join *j, const struct pdu_in *in, int64_t now)
{
	for (size_t i = 0; i < JOIN_TOLD; i++) {
		const struct join_told *t = &j->told[i];

		if (t->nparts == in->nparts && t->ref == in->ref && now - t->at < JOIN_MS &&
		    strcmp(t->from, in->from) == 0 && t->hash[in->part - 1] == hash_of(buf_str(&in->text)))
			return true;
	}
	return false;
}

/* --- telling ------------------------------------------------------------------------------------------ */

static void add_places(struct join_whole *w, const struct join_part *p)
{
	for (size_t k = 0; k < p->nplaces; k++)
		w->place[w->nplaces++] = p->place[k];
}

static void tell(struct join *j, struct join_message *m, int64_t now)
{
	struct join_whole w = {.from = m->from, .at_wall_ms = m->at_wall_ms};
	struct buf text;

	buf_init(&text, JOIN_PARTS * PDU_TEXT_MAX + 1024);
	for (unsigned i = 0; i < m->nparts; i++) {
		if (m->part[i].text != NULL)
			buf_puts(&text, m->part[i].text);
		else if (i == 0 || m->part[i - 1].text != NULL)
			buf_puts(&text, "[...]");
		add_places(&w, &m->part[i]);
	}
	w.text = buf_str(&text);
	if (j->calls.tell(j->arg, &w))
		remember(j, m, now);
	buf_fini(&text);
	forget(m);
}

/* A message of one part. */
static void tell_alone(struct join *j, const struct pdu_in *in, const struct sms_place *where)
{
	struct join_whole w = {.from = in->from, .text = buf_str(&in->text), .at_wall_ms = in->at_wall_ms};

	if (where->memory[0] != '\0')
		w.place[w.nplaces++] = *where;
	j->calls.tell(j->arg, &w);
}

void join_expire(struct join *j, int64_t now, bool all)
{
	for (size_t i = 0; i < JOIN_MESSAGES; i++)
		if (j->v[i].nparts > 0 && (all || now - j->v[i].newest >= JOIN_MS))
			tell(j, &j->v[i], now);
}

int64_t join_next(const struct join *j)
{
	int64_t next = -1;

	for (size_t i = 0; i < JOIN_MESSAGES; i++)
		if (j->v[i].nparts > 0 && (next < 0 || j->v[i].newest + JOIN_MS < next))
			next = j->v[i].newest + JOIN_MS;
	return next;
}

void join_restart(struct join *j)
{
	/* what was told and not yet taken is told again */
	memset(j->told, 0, sizeof(j->told));
	for (size_t i = 0; i < JOIN_MESSAGES; i++) {
		struct join_message *m = &j->v[i];

		for (unsigned k = 0; k < m->nparts; k++) {
			struct join_part *p = &m->part[k];

			if (p->text == NULL || p->nplaces == 0)
				continue;
			free(p->text);
			*p = (struct join_part){.text = NULL};
			m->have--;
		}
		if (m->nparts > 0 && m->have == 0)
			forget(m);
	}
}

/* --- taking ------------------------------------------------------------------------------------------- */

static struct join_message *find(struct join *j, const struct pdu_in *in)
{
	for (size_t i = 0; i < JOIN_MESSAGES; i++) {
		struct join_message *m = &j->v[i];

		if (m->nparts == in->nparts && m->ref == in->ref && strcmp(m->from, in->from) == 0)
			return m;
	}
	return NULL;
}

/* A free place; when all are taken the oldest is told as far as it is there. */
static struct join_message *make(struct join *j, const struct pdu_in *in, int64_t now)
{
	struct join_message *m = &j->v[0];

	for (size_t i = 0; i < JOIN_MESSAGES; i++)
		if (j->v[i].nparts == 0 || (m->nparts > 0 && j->v[i].newest < m->newest))
			m = &j->v[i];
	if (m->nparts > 0)
		tell(j, m, now);
	m->nparts = in->nparts;
	m->ref = in->ref;
	snprintf(m->from, sizeof(m->from), "%s", in->from);
	return m;
}

static bool same_place(const struct sms_place *a, const struct sms_place *b)
{
	return a->memory[0] != '\0' && strcmp(a->memory, b->memory) == 0 && a->index == b->index &&
	       a->hash == b->hash;
}

/* The same part once more: read again where it lies, or another copy of it. */
static void another_copy(struct join *j, struct join_part *p, const struct sms_place *where)
{
	for (size_t i = 0; i < p->nplaces; i++)
		if (same_place(&p->place[i], where))
			return;
	if (where->memory[0] != '\0' && p->nplaces < JOIN_COPIES)
		p->place[p->nplaces++] = *where;
	else
		drop(j, where);
}

static void take_part(struct join *j, const struct pdu_in *in, const struct sms_place *where, int64_t now)
{
	struct join_message *m = find(j, in);
	struct join_part *p = m != NULL ? &m->part[in->part - 1] : NULL;

	if (p != NULL && p->text != NULL) {
		if (strcmp(p->text, buf_str(&in->text)) == 0) {
			another_copy(j, p, where);
			return;
		}
		/* the reference is used again: that one will not become whole */
		tell(j, m, now);
		m = NULL;
	}
	if (m == NULL)
		m = make(j, in, now);
	p = &m->part[in->part - 1];
	p->text = strdup(buf_str(&in->text));
	if (p->text == NULL)
		return; /* it stays stored and is read again */
	if (where->memory[0] != '\0')
		p->place[p->nplaces++] = *where;
	m->have++;
	m->newest = now;
	if (m->at_wall_ms == 0 || in->part == 1)
		m->at_wall_ms = in->at_wall_ms;
	if (m->have == m->nparts)
		tell(j, m, now);
}

void join_take(struct join *j, const struct pdu_in *in, const struct sms_place *where, int64_t now)
{
	if (!in->parts || in->nparts < 2 || in->nparts > JOIN_PARTS) {
		tell_alone(j, in, where);
	} else if (was_told(j, in, now)) {
		drop(j, where);
	} else {
		take_part(j, in, where, now);
	}
}
