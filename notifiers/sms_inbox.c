/*
 * What comes in by SMS: messages (acknowledgements) and status reports, announced, handed over at once, or
 * found in the storage. For sms_modem.c. Everything that was read is deleted, or a full storage would stop
 * reception; it is told before it is deleted, so that a crash in between repeats it rather than losing it.
 */
#include <stdio.h>
#include <string.h>

#include "../lib/clock.h"
#include "../lib/log.h"
#include "sms_modem.h"

enum { READ_MS = 5000, SWEEPS_MAX = 8 };

static void take_pdu(struct modem *m, const char *hex)
{
	struct pdu_in in;
	const char *why;

	pdu_in_init(&in);
	if (!pdu_read(&in, hex, strlen(hex), &why))
		log_warn("%s: a received message could not be read (%s): %.400s", m->line, why, hex);
	else if (in.kind == PDU_REPORT)
		m->calls.report(m->arg, in.mr, in.from, in.status);
	else
		m->calls.received(m->arg, in.from, buf_str(&in.text));
	pdu_in_fini(&in);
}

static void add_todo(struct modem *m, const char *line)
{
	struct modem_todo t;
	char memory[16];

	t.index = (int)at_number(line, 1, -1);
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
	struct modem *m = arg;

	if (pdu != NULL && (starts(line, "+CMT:") || starts(line, "+CDS:")))
		take_pdu(m, pdu);
	else if (starts(line, "+CMTI:") || starts(line, "+CDSI:"))
		add_todo(m, line);
	else if (strcmp(line, "RDY") == 0 || starts(line, "^SYSSTART") || starts(line, "+CPIN: SIM PIN") ||
		 strcmp(line, "NORMAL POWER DOWN") == 0)
		m->reset_seen = m->up;
}

/* Whether the dialogue can go on. */
static bool ask(struct modem *m, const char *command, const char *prefix)
{
	enum at_final f = at_command(m->at, command, prefix, clock_boot_ms() + READ_MS, &m->a);

	if (f == AT_GONE) {
		modem_down(m, "the device went away");
		return false;
	}
	if (f == AT_TIMEOUT) {
		m->up = false;
		m->next_try = 0;
		snprintf(m->why, sizeof(m->why), "the modem does not answer");
	}
	return f != AT_TIMEOUT;
}

static bool choose_memory(struct modem *m, const char *memory)
{
	char command[32];

	if (strcmp(m->memory, memory) == 0)
		return true;
	snprintf(command, sizeof(command), "AT+CPMS=\"%s\"", memory);
	if (!ask(m, command, "+CPMS:") || m->a.final != AT_OK)
		return false;
	snprintf(m->memory, sizeof(m->memory), "%s", memory);
	return true;
}

static bool delete(struct modem *m, int index)
{
	char command[32];

	snprintf(command, sizeof(command), "AT+CMGD=%d", index);
	return ask(m, command, NULL);
}

static bool read_one(struct modem *m, const struct modem_todo *t)
{
	char command[32];

	if (!choose_memory(m, t->memory))
		return m->up;
	snprintf(command, sizeof(command), "AT+CMGR=%d", t->index);
	if (!ask(m, command, "+CMGR:"))
		return false;
	if (m->a.final != AT_OK || m->a.n < 2)
		return true; /* gone already */
	take_pdu(m, m->a.line[1]);
	return delete(m, t->index);
}

/* Reads all that is stored; as many as an answer holds at a time. */
static bool read_all(struct modem *m)
{
	int index[AT_ANSWER_LINES / 2];

	for (int round = 0; round < SWEEPS_MAX; round++) {
		size_t n = 0;

		if (!ask(m, "AT+CMGL=4", "+CMGL:"))
			return false;
		for (size_t i = 0; i + 1 < m->a.n; i++) {
			if (!starts(m->a.line[i], "+CMGL:") || starts(m->a.line[i + 1], "+CMGL:"))
				continue;
			index[n++] = (int)at_number(m->a.line[i], 0, -1);
			take_pdu(m, m->a.line[++i]);
		}
		for (size_t i = 0; i < n; i++)
			if (!delete(m, index[i]))
				return false;
		if (n < AT_ANSWER_LINES / 2)
			return true;
	}
	return true;
}

void modem_serve_inbox(struct modem *m)
{
	/* what is read may be announced again meanwhile: at most once around, the rest waits for the next
	 * turn */
	for (size_t n = m->ntodo; n > 0 && m->ntodo > 0; n--) {
		struct modem_todo t = m->todo[0];

		memmove(m->todo, m->todo + 1, --m->ntodo * sizeof(m->todo[0]));
		if (!read_one(m, &t))
			return;
	}
	if (m->sweep) {
		m->sweep = false;
		if (read_all(m))
			at_idle(m->at);
	}
}
