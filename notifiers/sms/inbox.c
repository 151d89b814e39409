/*
 * What comes in by SMS: messages (acknowledgements) and status reports, announced, handed over at once, or
 * found in the storage. For modem.c. A message stays stored until the pager says that it has taken it, and is
 * told again after a minute without that, or after a restart, always by the same id: whoever of the two dies,
 * it is neither lost nor two messages. Parts of a long message stay stored until it is whole or its time is
 * over (join.h). All else that was read is deleted, or a full storage would stop reception.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "modem.h"

enum { READ_MS = 5000, SWEEPS_MAX = 8, FULL_PERCENT = 75, TELL_AGAIN_MS = 60000 };

/* --- told, and kept until it is taken ------------------------------------------------------------------ */

/* FNV-1a over what the network delivers alike when it delivers twice. */
static void make_id(const char *from, int64_t at_wall_ms, const char *text, char out[20])
{
	char stamp[24];
	const char *of[3] = {from, stamp, text};
	uint64_t h = 14695981039346656037u;

	snprintf(stamp, sizeof(stamp), "|%lld|", (long long)at_wall_ms);
	for (int i = 0; i < 3; i++)
		for (const unsigned char *p = (const unsigned char *)of[i]; *p != '\0'; p++)
			h = (h ^ *p) * 1099511628211u;
	snprintf(out, 20, "%016llx", (unsigned long long)h);
}

static void forget_kept(struct modem *m, struct modem_kept *k)
{
	free(k->from);
	free(k->text);
	*k = m->kept[--m->nkept];
}

void modem_forget_inbox(struct modem *m)
{
	while (m->nkept > 0)
		forget_kept(m, &m->kept[0]);
	m->any_taken = false;
	m->ndrops = 0;
	join_restart(&m->join);
}

static void say(struct modem *m, const char *id, const char *from, const char *text, int64_t at_wall_ms)
{
	struct received r = {.id = id, .from = from, .text = text, .at_wall_ms = at_wall_ms};

	m->calls.received(m->arg, &r);
}

static void tell_again(struct modem *m, int64_t now)
{
	for (size_t i = 0; i < m->nkept; i++) {
		struct modem_kept *k = &m->kept[i];

		if (k->taken || now - k->told_ms < TELL_AGAIN_MS)
			continue;
		k->told_ms = now;
		say(m, k->id, k->from, k->text, k->at_wall_ms);
	}
}

static bool keep(struct modem *m, const char *id, const struct join_whole *w)
{
	struct modem_kept *k = &m->kept[m->nkept];

	if (m->nkept == MODEM_KEPT_MAX)
		return false;
	*k = (struct modem_kept){.from = strdup(w->from),
				 .text = strdup(w->text),
				 .at_wall_ms = w->at_wall_ms,
				 .told_ms = clock_boot_ms(),
				 .nplaces = w->nplaces};
	memcpy(k->id, id, sizeof(k->id));
	memcpy(k->place, w->place, w->nplaces * sizeof(k->place[0]));
	m->nkept++;
	if (k->from != NULL && k->text != NULL)
		return true;
	forget_kept(m, k);
	return false;
}

/* False: it stays stored, and is found when others have gone. */
static bool tell(void *arg, const struct join_whole *w)
{
	struct modem *m = arg;
	char id[20];

	make_id(w->from, w->at_wall_ms, w->text, id);
	if (w->nplaces > 0 && !keep(m, id, w))
		return false;
	say(m, id, w->from, w->text, w->at_wall_ms);
	return true;
}

void modem_taken(struct modem *m, const char *id)
{
	for (size_t i = 0; i < m->nkept; i++)
		if (strcmp(m->kept[i].id, id) == 0)
			m->kept[i].taken = m->any_taken = true;
}

/* It was told already, and waits to be taken. When another message has its place now, it has gone from there.
 */
static bool is_kept(struct modem *m, const struct sms_place *at)
{
	for (size_t i = 0; i < m->nkept; i++) {
		struct modem_kept *k = &m->kept[i];

		for (size_t n = 0; n < k->nplaces; n++) {
			struct sms_place *p = &k->place[n];

			if (p->index != at->index || strcmp(p->memory, at->memory) != 0)
				continue;
			if (p->hash == at->hash)
				return true;
			*p = k->place[--k->nplaces];
			return false;
		}
	}
	return false;
}

/* --- deleting ------------------------------------------------------------------------------------------ */

/* Beyond the maximum it stays, and is looked at once more in the next sweep. */
static void drop(void *arg, const struct sms_place *where)
{
	struct modem *m = arg;

	if (where->memory[0] != '\0' && m->ndrops < MODEM_DROPS_MAX)
		m->drops[m->ndrops++] = *where;
}

void modem_inbox_init(struct modem *m)
{
	static const struct join_calls calls = {.tell = tell, .drop = drop};

	join_init(&m->join, &calls, m);
}

void modem_inbox_fini(struct modem *m)
{
	modem_forget_inbox(m);
	join_fini(&m->join);
}

static bool choose_memory(struct modem *m, const char *memory)
{
	char command[32];

	if (strcmp(m->memory, memory) == 0)
		return true;
	snprintf(command, sizeof(command), "AT+CPMS=\"%s\"", memory);
	if (!modem_ask(m, command, "+CPMS:", READ_MS) || m->a.final != AT_OK)
		return false;
	snprintf(m->memory, sizeof(m->memory), "%s", memory);
	return true;
}

/* "-": the storage that the modem chose itself. */
static bool into_memory(struct modem *m, const char *memory)
{
	return strcmp(memory, "-") == 0 ? m->memory[0] == '\0' : choose_memory(m, memory);
}

/* Whether the dialogue can go on. */
static bool delete_drops(struct modem *m)
{
	char command[32];

	while (m->ndrops > 0) {
		struct sms_place p = m->drops[--m->ndrops];

		snprintf(command, sizeof(command), "AT+CMGD=%d", p.index);
		if (into_memory(m, p.memory) && !modem_ask(m, command, NULL, READ_MS))
			return false;
		if (!m->up)
			return false;
	}
	return true;
}

static bool delete_taken(struct modem *m)
{
	m->any_taken = false;
	for (size_t i = 0; i < m->nkept;) {
		struct modem_kept *k = &m->kept[i];

		if (!k->taken) {
			i++;
			continue;
		}
		for (size_t n = 0; n < k->nplaces; n++)
			drop(m, &k->place[n]);
		forget_kept(m, k);
		m->sweep = true; /* there may be some that nobody announced while it was full */
		if (!delete_drops(m))
			return false; /* set up again, it is all read again, and told by the same ids */
	}
	return true;
}

/* --- reading ------------------------------------------------------------------------------------------- */

static uint32_t hash_of(const char *text)
{
	uint32_t h = 2166136261u;

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return h;
}

static void take_pdu(struct modem *m, const char *hex, const struct sms_place *place)
{
	struct sms_place where = *place;
	struct pdu_in in;
	const char *why;

	where.hash = hash_of(hex);
	if (where.memory[0] != '\0' && is_kept(m, &where))
		return;
	pdu_in_init(&in);
	if (!pdu_read(&in, hex, strlen(hex), &why)) {
		log_warn("%s: a received message could not be read (%s): %.400s", m->line, why, hex);
		drop(m, &where);
	} else if (in.kind == PDU_REPORT) {
		m->calls.report(m->arg, in.mr, in.from, in.status);
		drop(m, &where);
	} else {
		join_take(&m->join, &in, &where, clock_boot_ms());
	}
	pdu_in_fini(&in);
}

static void add_todo(struct modem *m, const char *line)
{
	struct sms_place t = {.index = (int)at_number(line, 1, -1)};
	char memory[16];

	if (t.index < 0 || !at_param(line, 0, memory, sizeof(memory)) || strlen(memory) != 2)
		return;
	memcpy(t.memory, memory, 3);
	if (m->ntodo == MODEM_TODO_MAX)
		m->sweep = true;
	else
		m->todo[m->ntodo++] = t;
}

static bool starts(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

void modem_unasked(void *arg, const char *line, const char *pdu)
{
	static const struct sms_place nowhere = {.memory = ""};
	struct modem *m = arg;

	if (modem_ussd_line(m, line))
		return;
	if (pdu != NULL && (starts(line, "+CMT:") || starts(line, "+CDS:")))
		take_pdu(m, pdu, &nowhere);
	else if (starts(line, "+CMTI:") || starts(line, "+CDSI:"))
		add_todo(m, line);
	else if (at_call_end(line))
		snprintf(m->call_said, sizeof(m->call_said), "%s", line);
	else if (strcmp(line, "RDY") == 0 || starts(line, "^SYSSTART") || starts(line, "+CPIN: SIM PIN") ||
		 strcmp(line, "NORMAL POWER DOWN") == 0)
		m->reset_seen = m->up;
}

static bool read_one(struct modem *m, const struct sms_place *t)
{
	char command[32];

	if (!choose_memory(m, t->memory))
		return m->up;
	snprintf(command, sizeof(command), "AT+CMGR=%d", t->index);
	if (!modem_ask(m, command, "+CMGR:", READ_MS))
		return false;
	if (m->a.final != AT_OK || m->a.n < 2)
		return true; /* gone already */
	take_pdu(m, m->a.line[1], t);
	return delete_drops(m);
}

/* Reads all that is stored; as many as an answer holds at a time. */
static bool read_all(struct modem *m)
{
	for (int round = 0; round < SWEEPS_MAX; round++) {
		size_t n = 0, before = m->ndrops;

		if (!modem_ask(m, "AT+CMGL=4", "+CMGL:", READ_MS))
			return false;
		for (size_t i = 0; i + 1 < m->a.n; i++) {
			struct sms_place p = {.index = (int)at_number(m->a.line[i], 0, -1)};

			if (!starts(m->a.line[i], "+CMGL:") || starts(m->a.line[i + 1], "+CMGL:"))
				continue;
			snprintf(p.memory, sizeof(p.memory), "%s", m->memory[0] != '\0' ? m->memory : "-");
			n++;
			take_pdu(m, m->a.line[++i], &p);
		}
		before = m->ndrops - before;
		if (!delete_drops(m))
			return false;
		/* as many as an answer holds: there may be more behind them, if room was made */
		if (n < AT_ANSWER_LINES / 2 || before == 0)
			return true;
	}
	return true;
}

static bool nearly_full(const struct modem *m)
{
	return m->info.total > 0 && m->info.used * 100 >= m->info.total * FULL_PERCENT;
}

bool modem_inbox_waits(const struct modem *m, int64_t now)
{
	int64_t next = join_next(&m->join);

	return m->ntodo > 0 || m->sweep || m->any_taken || (next >= 0 && next <= now);
}

void modem_serve_inbox(struct modem *m, bool hard)
{
	/* what is read may be announced again meanwhile: at most once around, the rest waits for the next
	 * turn */
	for (size_t n = m->ntodo; n > 0 && m->ntodo > 0; n--) {
		struct sms_place t = m->todo[0];

		memmove(m->todo, m->todo + 1, --m->ntodo * sizeof(m->todo[0]));
		if (!read_one(m, &t))
			return;
	}
	if (m->any_taken && !delete_taken(m))
		return;
	if (m->sweep || hard) {
		m->sweep = false;
		if (!read_all(m))
			return;
		at_idle(m->at);
	}
	/* parts that wait must not keep others out */
	join_expire(&m->join, clock_boot_ms(), hard || nearly_full(m));
	tell_again(m, clock_boot_ms());
	delete_drops(m);
}
