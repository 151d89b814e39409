/*
 * The simulated modem's bytes and control lines; its commands are in simat.c, what it says in simcore.c. For
 * simmodem_main.c and tests.
 */
#include "simmodem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "simstate.h"

enum { ESC = 0x1B, SUB = 0x1A };

const char sim_help[] =
	"fault NAME[=VALUE][*COUNT][+SKIP]   (COUNT: how often, else until cleared; SKIP: not the first so many)\n"
	"  the line     slow=MS (answers) slowbytes=MS halfecho garbage urc (RING and others between lines)\n"
	"               noprompt lostprompt (it waits for the PDU, the prompt is lost on the way)\n"
	"               hang[=esc|atz|cfun] (silent, until that cures it)\n"
	"  the network  cms=CODE cme=CODE (after the PDU) cms_cmd=CODE (instead of the prompt)\n"
	"               full (+CMS ERROR 322 while every slot is used)\n"
	"  the result   late=MS lost (sent, not told) swallow (not sent, not told)\n"
	"               hang_cmgs[=CURE] (not sent, hangs) hang_sent[=CURE] (sent, hangs)\n"
	"  unplugged    vanish=MS (now) unplug=STEP:MS (0: for good); STEP: a command without AT+, as e0 cmee cpin\n"
	"               creg cereg csq cmgf cnmi cmgs, or prompt, half (of the PDU), sub (after 0x1A), sent\n"
	"               vanish_cmgs=MS vanish_prompt=MS; newname: comes back as another pty\n"
	"  the port     locked: another program holds the lock\n"
	"clear [NAME]                 ends one fault or all\n"
	"receive NUMBER TEXT          a message arrives\n"
	"receive_part NUMBER REF PART PARTS TEXT    a part of a long one; REF as w4660: of 16 bits\n"
	"set NAME VALUE               creg cereg csq operator report (TP-ST of status reports, -1 none) report_ms\n"
	"                             no_cds (1: status reports are stored, not handed over)\n"
	"                             ussd (the answer; -: none) ussd_form (text packed ucs2 none) ussd_ms (-1: never)\n"
	"                             ussd_status (0 done, 2 ended, 4 not supported, 5 time-out)\n"
	"                             voice (none ring busy noanswer nocarrier connect) voice_ms (until that)\n"
	"fill N                       N messages come into the storage unannounced\n"
	"power                        the modem restarts by itself\n"
	"say LINE                     the modem says a line unasked\n"
	"state                        counters and settings as JSON\n";

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
	snprintf(s->operator, sizeof(s->operator), "SIMNET");
	snprintf(s->ussd_form, sizeof(s->ussd_form), "none");
	snprintf(s->voice, sizeof(s->voice), "none");
	s->call_ms = -1;
	sim_reset_session(s);
	return s;
}

void sim_free(struct sim *s)
{
	if (s == NULL)
		return;
	sim_drop_queue(s);
	free(s);
}

/* A command came whole. */
static void line_end(struct sim *s, int64_t now)
{
	s->line[s->len] = '\0';
	s->len = 0;
	if (s->line[0] != '\0')
		sim_command(s, s->line, now);
}

static void command_byte(struct sim *s, char c, int64_t now)
{
	bool half = s->fault[SIM_HALFECHO].on;

	if ((s->echo || half) && !sim_hangs(s) && (!half || s->len < 4))
		sim_say(s, now, false, "%c", c);
	if (c == '\r') {
		line_end(s, now);
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
		if (s->len == s->cmgs_len)
			sim_unplugged(s, "half", now);
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

/* --- control ----------------------------------------------------------------------------------------- */

bool sim_fault(struct sim *s, const char *spec, int64_t now, const char **why)
{
	int f = sim_fault_set(s, spec);
	struct sim_fault_state *x = &s->fault[f < 0 ? 0 : f];

	*why = "no such fault";
	if (f < 0)
		return false;
	if (f == SIM_VANISH && x->on) {
		x->on = false;
		sim_power_on(s, now);
		s->calls.vanish(s->arg, x->value);
	}
	if (f == SIM_LOCKED)
		s->calls.lock(s->arg, x->on);
	return true;
}

bool sim_renamed(struct sim *s)
{
	return sim_faulty(s, SIM_NEWNAME, NULL);
}

static bool control_receive(struct sim *s, const char *from, const char *text, int64_t now)
{
	char hex[SIMPDU_HEX_MAX];

	if (from[0] == '\0' || text[0] == '\0')
		return false;
	sim_arrive(s, hex, simpdu_deliver(from, text, clock_wall_ms() / 1000, hex), now);
	return true;
}

static bool control_receive_part(struct sim *s, const char *from, const char *rest, int64_t now)
{
	char hex[SIMPDU_HEX_MAX], ref[12];
	struct simpdu_part part = {0};
	int text = 0;

	if (sscanf(rest, "%11s %u %u %n", ref, &part.part, &part.nparts, &text) < 3 || text == 0)
		return false;
	part.wide = ref[0] == 'w';
	part.ref = (unsigned)strtoul(ref + part.wide, NULL, 10);
	sim_arrive(s, hex, simpdu_deliver_part(from, rest + text, &part, clock_wall_ms() / 1000, hex), now);
	return true;
}

static bool control_fill(struct sim *s, const char *number)
{
	char hex[SIMPDU_HEX_MAX], text[32];
	long n = strtol(number, NULL, 10);

	for (long i = 0; i < n && i < SIM_SLOTS_MAX; i++) {
		snprintf(text, sizeof(text), "filling %ld", i);
		sim_store(s, hex, simpdu_deliver("+8190", text, clock_wall_ms() / 1000, hex), false);
	}
	return n > 0;
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
	else if (strcmp(name, "operator") == 0)
		snprintf(s->operator, sizeof(s->operator), "%s", strcmp(value, "-") == 0 ? "" : value);
	else
		return sim_voice_set(s, name, value);
	return true;
}

static bool control_clear(struct sim *s, const char *name, int64_t now)
{
	char spec[64];
	const char *why;

	if (name[0] == '\0') {
		if (s->fault[SIM_LOCKED].on)
			s->calls.lock(s->arg, false);
		memset(s->fault, 0, sizeof(s->fault));
		return true;
	}
	snprintf(spec, sizeof(spec), "%.40s*0", name);
	return sim_fault(s, spec, now, &why);
}

static void state_json(struct sim *s, cJSON *v)
{
	json_add_int(v, "accepted", s->accepted);
	json_add_int(v, "refused", s->refused);
	json_add_int(v, "violations", s->violations);
	json_add_int(v, "lost_incoming", s->lost_incoming);
	json_add_int(v, "resets", s->resets);
	json_add_int(v, "pins", s->pins);
	json_add_int(v, "tries", s->tries);
	json_add_int(v, "stored", sim_stored(s));
	json_add_int(v, "rings", s->rings);
	json_add_int(v, "ussds", s->ussds);
	cJSON_AddStringToObject(v, "ussd_code", s->ussd_code);
	cJSON_AddStringToObject(v, "call_to", s->call_to);
	cJSON_AddStringToObject(v, "call_end", s->call_end);
	json_add_int(v, "call_ms", s->call_ms);
	cJSON_AddBoolToObject(v, "in_call", s->in_call);
	cJSON_AddBoolToObject(v, "ready", s->ready);
	cJSON_AddBoolToObject(v, "prompt", s->mode == SIM_PDU);
}

static bool control_word(struct sim *s, const char *word, const char *a, const char *tail, const char *rest,
			 int64_t now, const char **why)
{
	if (strcmp(word, "fault") == 0)
		return sim_fault(s, tail, now, why);
	if (strcmp(word, "clear") == 0)
		return control_clear(s, a, now);
	if (strcmp(word, "receive") == 0)
		return control_receive(s, a, rest, now);
	if (strcmp(word, "receive_part") == 0)
		return control_receive_part(s, a, rest, now);
	if (strcmp(word, "set") == 0)
		return control_set(s, a, rest);
	if (strcmp(word, "fill") == 0)
		return control_fill(s, a);
	if (strcmp(word, "power") == 0)
		sim_power_on(s, now);
	else if (strcmp(word, "say") == 0 && tail[0] != '\0')
		sim_say(s, now, false, "\r\n%s\r\n", tail);
	else
		return strcmp(word, "state") == 0;
	return true;
}

bool sim_control(struct sim *s, const char *line, int64_t now, struct buf *answer)
{
	char word[24] = "", a[32] = "";
	int at = 0, rest = 0;
	const char *why = "not understood; see simmodem --help";
	cJSON *v = cJSON_CreateObject();
	bool ok;

	sscanf(line, "%23s %n%31s %n", word, &at, a, &rest);
	ok = control_word(s, word, a, at > 0 ? line + at : "", rest > 0 ? line + rest : "", now, &why);
	cJSON_AddBoolToObject(v, "ok", ok);
	if (!ok)
		cJSON_AddStringToObject(v, "error", why);
	else if (strcmp(word, "state") == 0)
		state_json(s, v);
	json_line(v, answer);
	cJSON_Delete(v);
	return ok;
}
