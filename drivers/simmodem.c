/*
 * The simulated modem's time, bytes and control lines; its commands are in simat.c. For simmodem_main.c and
 * tests.
 */
#include "simmodem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/clock.h"
#include "../lib/json.h"
#include "simstate.h"

enum { BOOT_MS = 300, ESC = 0x1B, SUB = 0x1A };

const char sim_help[] =
	"fault NAME[=VALUE][*COUNT][+SKIP]\n"
	"                             slow=MS cms=CODE cme=CODE late=MS hang[=esc|atz|cfun] vanish=MS\n"
	"                             vanish_cmgs=MS vanish_prompt=MS noprompt garbage urc lost swallow\n"
	"clear [NAME]                 ends one fault or all\n"
	"receive NUMBER TEXT          a message arrives\n"
	"set NAME VALUE               creg cereg csq report (TP-ST of status reports, -1 none) report_ms\n"
	"                             no_cds (1: status reports are stored, not handed over)\n"
	"power                        the modem restarts by itself\n"
	"say LINE                     the modem says a line unasked\n"
	"state                        counters and settings as JSON\n";

static void reset_session(struct sim *s)
{
	s->mode = SIM_COMMAND;
	s->echo = true;
	s->cmee = 0;
	s->cnmi_mt = s->cnmi_ds = 0;
	s->creg_urc = s->cereg_urc = 0;
	s->len = 0;
}

struct sim *sim_new(const struct sim_options *o, const struct sim_calls *calls, void *arg)
{
	struct sim *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->o = *o;
	s->calls = *calls;
	s->arg = arg;
	snprintf(s->pin, sizeof(s->pin), "%s", o->pin != NULL ? o->pin : "");
	snprintf(s->smsc, sizeof(s->smsc), "%s", o->smsc);
	s->o.slots = o->slots < 0 ? 0 : o->slots > SIM_SLOTS_MAX ? SIM_SLOTS_MAX : o->slots;
	s->tries = o->tries;
	s->ready = s->pin[0] == '\0';
	s->creg = 1;
	s->csq = 17;
	s->report_ms = 50;
	reset_session(s);
	return s;
}

static void drop_queue(struct sim *s)
{
	for (size_t i = 0; i < s->nqueue; i++)
		free(s->queue[i].bytes);
	s->nqueue = 0;
	s->busy = 0;
}

void sim_free(struct sim *s)
{
	if (s == NULL)
		return;
	drop_queue(s);
	free(s);
}

void sim_power_on(struct sim *s, int64_t now)
{
	drop_queue(s);
	reset_session(s);
	s->ready = s->pin[0] == '\0';
	s->boot_until = now + BOOT_MS;
	s->resets++;
	sim_say(s, s->boot_until, false, "\r\n^BOOT:21459702,0,0,0,89\r\n");
	sim_say(s, s->boot_until, false, "\r\nRDY\r\n");
}

void sim_note(struct sim *s, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s->calls.note(s->arg, text);
}

void sim_say(struct sim *s, int64_t due, bool final, const char *fmt, ...)
{
	struct sim_chunk *c = &s->queue[s->nqueue];
	char *bytes = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&bytes, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if (s->nqueue == SIM_QUEUE_MAX) {
		free(bytes);
		sim_note(s, "the output queue is full; nobody reads");
		return;
	}
	*c = (struct sim_chunk){.due = due, .bytes = bytes, .len = (size_t)n, .final = final};
	s->nqueue++;
	s->busy += final;
}

/* Takes chunk i out of the queue. */
static void send_chunk(struct sim *s, size_t i, struct buf *out)
{
	struct sim_chunk c = s->queue[i];

	memmove(&s->queue[i], &s->queue[i + 1], (s->nqueue - i - 1) * sizeof(s->queue[0]));
	s->nqueue--;
	s->busy -= c.final;
	buf_add_cut(out, c.bytes, c.len);
	free(c.bytes);
}

int64_t sim_output(struct sim *s, int64_t now, struct buf *out)
{
	int64_t next = -1;

	for (size_t i = 0; i < s->nqueue;) {
		int64_t due = s->queue[i].due;

		if (due <= now) {
			send_chunk(s, i, out);
			continue;
		}
		if (next < 0 || due - now < next)
			next = due - now;
		i++;
	}
	return next;
}

static void command_byte(struct sim *s, char c, int64_t now)
{
	if (s->echo && !sim_hangs(s))
		sim_say(s, now, false, "%c", c);
	if (c == '\r') {
		s->line[s->len] = '\0';
		s->len = 0;
		if (s->line[0] != '\0')
			sim_command(s, s->line, now);
	} else if (c == ESC) {
		s->len = 0;
		sim_cure(s, "esc");
	} else if (c == '\b') {
		s->len -= s->len > 0;
	} else if (c != '\n' && s->len < SIM_LINE_MAX) {
		s->line[s->len++] = c;
	}
}

static void pdu_byte(struct sim *s, char c, int64_t now)
{
	if (c == ESC) {
		s->mode = SIM_COMMAND;
		s->len = 0;
		sim_say(s, now, true, "\r\nOK\r\n");
	} else if (c == SUB) {
		s->line[s->len] = '\0';
		s->len = 0;
		s->mode = SIM_COMMAND;
		sim_pdu(s, now);
	} else if (c != '\r' && c != '\n' && s->len < SIM_LINE_MAX) {
		s->line[s->len++] = c;
	}
}

void sim_input(struct sim *s, const char *bytes, size_t len, int64_t now)
{
	for (size_t i = 0; i < len; i++) {
		if (now < s->boot_until)
			continue;
		if (s->busy > 0) {
			/* V.250: a character sent now would abort the command in a real modem */
			if (bytes[i] != ESC && bytes[i] != '\r') {
				s->violations++;
				sim_note(s, "byte 0x%02X came before the final result",
					 (unsigned char)bytes[i]);
			}
			continue;
		}
		if (s->mode == SIM_PDU)
			pdu_byte(s, bytes[i], now);
		else
			command_byte(s, bytes[i], now);
	}
}

int sim_store(struct sim *s, const char *hex, size_t octets, bool report)
{
	for (int i = 0; i < s->o.slots; i++) {
		struct sim_slot *slot = &s->slot[i];

		if (slot->used)
			continue;
		*slot = (struct sim_slot){.used = true, .report = report, .octets = octets};
		snprintf(slot->hex, sizeof(slot->hex), "%s", hex);
		return i + 1;
	}
	s->lost_incoming++;
	return 0;
}

/* --- control ----------------------------------------------------------------------------------------- */

static bool control_receive(struct sim *s, const char *from, const char *text, int64_t now)
{
	char hex[SIMPDU_HEX_MAX];
	size_t octets = simpdu_deliver(from, text, clock_wall_ms() / 1000, hex);
	int slot;

	if (from[0] == '\0' || text[0] == '\0')
		return false;
	if (s->cnmi_mt == 2) {
		sim_say(s, now, false, "\r\n+CMT: ,%zu\r\n%s\r\n", octets, hex);
		return true;
	}
	slot = sim_store(s, hex, octets, false);
	if (slot > 0 && s->cnmi_mt == 1)
		sim_say(s, now, false, "\r\n+CMTI: \"SM\",%d\r\n", slot);
	return true;
}

static bool control_set(struct sim *s, const char *name, const char *value)
{
	long v = strtol(value, NULL, 10);

	if (value[0] == '\0')
		return false;
	if (strcmp(name, "creg") == 0)
		s->creg = (int)v;
	else if (strcmp(name, "cereg") == 0)
		s->cereg = (int)v;
	else if (strcmp(name, "csq") == 0)
		s->csq = (int)v;
	else if (strcmp(name, "report") == 0)
		s->report_status = (int)v;
	else if (strcmp(name, "report_ms") == 0)
		s->report_ms = v;
	else if (strcmp(name, "no_cds") == 0)
		s->no_cds = v != 0;
	else
		return false;
	return true;
}

static bool control_clear(struct sim *s, const char *name, int64_t now)
{
	char spec[64];
	const char *why;

	if (name[0] == '\0') {
		memset(s->fault, 0, sizeof(s->fault));
		return true;
	}
	snprintf(spec, sizeof(spec), "%.40s*0", name);
	return sim_fault(s, spec, now, &why);
}

static void state_json(struct sim *s, cJSON *v)
{
	int used = 0;

	for (int i = 0; i < s->o.slots; i++)
		used += s->slot[i].used;
	json_add_int(v, "accepted", s->accepted);
	json_add_int(v, "refused", s->refused);
	json_add_int(v, "violations", s->violations);
	json_add_int(v, "lost_incoming", s->lost_incoming);
	json_add_int(v, "resets", s->resets);
	json_add_int(v, "pins", s->pins);
	json_add_int(v, "tries", s->tries);
	json_add_int(v, "stored", used);
	cJSON_AddBoolToObject(v, "ready", s->ready);
	cJSON_AddBoolToObject(v, "prompt", s->mode == SIM_PDU);
}

bool sim_control(struct sim *s, const char *line, int64_t now, struct buf *answer)
{
	char word[24] = "", a[32] = "";
	int at = 0, rest = 0;
	const char *why = "not understood; try: fault clear receive set say state";
	cJSON *v = cJSON_CreateObject();
	bool ok = false;

	sscanf(line, "%23s %n%31s %n", word, &at, a, &rest);
	if (strcmp(word, "fault") == 0)
		ok = sim_fault(s, line + at, now, &why);
	else if (strcmp(word, "clear") == 0)
		ok = control_clear(s, a, now);
	else if (strcmp(word, "receive") == 0)
		ok = control_receive(s, a, rest > 0 ? line + rest : "", now);
	else if (strcmp(word, "set") == 0)
		ok = control_set(s, a, rest > 0 ? line + rest : "");
	else if (strcmp(word, "state") == 0)
		ok = true;
	else if (strcmp(word, "power") == 0)
		ok = true, sim_power_on(s, now);
	else if (strcmp(word, "say") == 0 && at > 0)
		ok = true, sim_say(s, now, false, "\r\n%s\r\n", line + at);
	cJSON_AddBoolToObject(v, "ok", ok);
	if (!ok)
		cJSON_AddStringToObject(v, "error", why);
	else if (strcmp(word, "state") == 0)
		state_json(s, v);
	json_line(v, answer);
	cJSON_Delete(v);
	return ok;
}
