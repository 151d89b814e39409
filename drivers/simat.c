/*
 * The simulated modem's commands, as 27.005 and 27.007 have them; what it does not know answers ERROR, as
 * real ones do. For simmodem.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../lib/clock.h"
#include "simstate.h"

enum { BOOT_ANSWER_MS = 20 };

/* Before any final result: noise and unsolicited lines, if asked for; then when it is due. */
static int64_t answer_time(struct sim *s, int64_t now)
{
	long ms = 0;

	if (sim_faulty(s, SIM_GARBAGE, NULL))
		sim_say(s, now, false, "\x01\xff\x80~garbage\r\n\x02");
	if (sim_faulty(s, SIM_URC, NULL))
		sim_say(s, now, false, "\r\nRING\r\n\r\n^RSSI:17\r\n\r\n+CREG: 5\r\n");
	if (sim_faulty(s, SIM_SLOW, &ms))
		return now + ms;
	return now;
}

static void answer(struct sim *s, int64_t now, const char *text)
{
	sim_say(s, answer_time(s, now), true, "\r\n%s\r\n", text);
}

static void ok(struct sim *s, int64_t now)
{
	answer(s, now, "OK");
}

static void info(struct sim *s, int64_t now, const char *text)
{
	int64_t due = answer_time(s, now);

	sim_say(s, due, false, "\r\n%s\r\n", text);
	if (sim_faulty(s, SIM_URC, NULL))
		sim_say(s, due, false, "\r\n+CMTI: \"XX\",0\r\n");
	sim_say(s, due, true, "\r\nOK\r\n");
}

static void fail(struct sim *s, int64_t now, const char *kind, int code, const char *words)
{
	char text[80];

	if (s->cmee == 0 && strcmp(kind, "CME") == 0)
		snprintf(text, sizeof(text), "ERROR");
	else if (s->cmee == 2)
		snprintf(text, sizeof(text), "+%s ERROR: %s", kind, words);
	else
		snprintf(text, sizeof(text), "+%s ERROR: %d", kind, code);
	answer(s, now, text);
}

static bool locked(struct sim *s, int64_t now)
{
	if (s->ready)
		return false;
	fail(s, now, "CME", s->tries > 0 ? 11 : 12, s->tries > 0 ? "SIM PIN required" : "SIM PUK required");
	return true;
}

static void do_cpin(struct sim *s, const char *arg, int64_t now)
{
	if (arg[0] == '?') {
		info(s, now, s->ready ? "+CPIN: READY" : s->tries > 0 ? "+CPIN: SIM PIN" : "+CPIN: SIM PUK");
	} else if (arg[0] == '=') {
		char given[16] = "";

		sscanf(arg, "=\"%15[^\"]\"", given);
		if (given[0] == '\0')
			sscanf(arg, "=%15[0-9]", given);
		s->pins++;
		if (s->ready || s->tries <= 0) {
			fail(s, now, "CME", s->ready ? 3 : 12,
			     s->ready ? "operation not allowed" : "SIM PUK required");
		} else if (strcmp(given, s->pin) == 0) {
			s->ready = true;
			s->tries = 3;
			ok(s, now);
		} else {
			s->tries--;
			fail(s, now, "CME", s->tries > 0 ? 16 : 12, "incorrect password");
		}
	} else {
		answer(s, now, "ERROR");
	}
}

static void do_cpinr(struct sim *s, int64_t now)
{
	char text[64];

	if (s->o.hide_tries) {
		answer(s, now, "ERROR");
		return;
	}
	snprintf(text, sizeof(text), "+CPINR: SIM PIN,%d,3", s->tries);
	info(s, now, text);
}

static void do_reg(struct sim *s, const char *name, const char *arg, int stat, int *urc, int64_t now)
{
	char text[64];

	if (arg[0] == '?') {
		snprintf(text, sizeof(text), "+%s: %d,%d", name, *urc, stat);
		info(s, now, text);
	} else if (arg[0] == '=') {
		*urc = atoi(arg + 1);
		ok(s, now);
	} else {
		answer(s, now, "ERROR");
	}
}

static void do_cpms(struct sim *s, const char *arg, int64_t now)
{
	char text[96];
	int used = 0, total = s->o.slots;

	for (int i = 0; i < total; i++)
		used += s->slot[i].used;
	if (arg[0] == '?')
		snprintf(text, sizeof(text), "+CPMS: \"SM\",%d,%d,\"SM\",%d,%d,\"SM\",%d,%d", used, total,
			 used, total, used, total);
	else
		snprintf(text, sizeof(text), "+CPMS: %d,%d,%d,%d,%d,%d", used, total, used, total, used,
			 total);
	info(s, now, text);
}

static void do_cmgr(struct sim *s, const char *arg, int64_t now)
{
	int i = arg[0] == '=' ? atoi(arg + 1) : 0;
	struct sim_slot *slot = i >= 1 && i <= s->o.slots ? &s->slot[i - 1] : NULL;
	char text[SIMPDU_HEX_MAX + 64];

	if (slot == NULL || !slot->used) {
		fail(s, now, "CMS", 321, "invalid memory index");
		return;
	}
	snprintf(text, sizeof(text), "+CMGR: %d,,%zu\r\n%s", slot->read ? 1 : 0, slot->octets, slot->hex);
	slot->read = true;
	info(s, now, text);
}

static void do_cmgl(struct sim *s, int64_t now)
{
	int64_t due = answer_time(s, now);

	for (int i = 0; i < s->o.slots; i++) {
		struct sim_slot *slot = &s->slot[i];

		if (!slot->used)
			continue;
		sim_say(s, due, false, "\r\n+CMGL: %d,%d,,%zu\r\n%s", i + 1, slot->read ? 1 : 0, slot->octets,
			slot->hex);
		slot->read = true;
	}
	sim_say(s, due, true, "\r\n\r\nOK\r\n");
}

static void do_cmgd(struct sim *s, const char *arg, int64_t now)
{
	int i = 0, flag = 0;

	sscanf(arg, "=%d,%d", &i, &flag);
	for (int k = 0; flag == 4 && k < s->o.slots; k++)
		s->slot[k].used = false;
	if (flag == 0 && (i < 1 || i > s->o.slots)) {
		fail(s, now, "CMS", 321, "invalid memory index");
		return;
	}
	if (flag == 0)
		s->slot[i - 1].used = false;
	ok(s, now);
}

static void do_cmgs(struct sim *s, const char *arg, int64_t now)
{
	long ms = 0;

	s->cmgs_len = arg[0] == '=' ? strtoul(arg + 1, NULL, 10) : 0;
	if (s->cmgs_len < 1 || s->cmgs_len > 176) {
		fail(s, now, "CMS", 304, "invalid PDU mode parameter");
	} else if (s->smsc[0] == '\0') {
		fail(s, now, "CMS", 330, "SMSC address unknown");
	} else if (sim_faulty(s, SIM_VANISH_PROMPT, &ms)) {
		sim_power_on(s, now);
		s->calls.vanish(s->arg, ms);
	} else if (!sim_faulty(s, SIM_NOPROMPT, NULL)) {
		s->mode = SIM_PDU;
		sim_say(s, answer_time(s, now), false, "\r\n> ");
	}
}

static void send_report(struct sim *s, const char *to, int64_t now)
{
	char hex[SIMPDU_HEX_MAX];
	size_t octets = simpdu_report(s->mr, to, (unsigned)s->report_status, clock_wall_ms() / 1000, hex);

	if (s->cnmi_ds == 1) {
		sim_say(s, now + s->report_ms, false, "\r\n+CDS: %zu\r\n%s\r\n", octets, hex);
	} else if (s->cnmi_ds == 2) {
		int slot = sim_store(s, hex, octets, true);

		if (slot > 0)
			sim_say(s, now + s->report_ms, false, "\r\n+CDSI: \"SM\",%d\r\n", slot);
	}
}

/* A message for the far phone came whole. */
static void accept_pdu(struct sim *s, const struct simpdu *sms, const char *hex, int64_t now)
{
	long ms = 0;
	int64_t due = answer_time(s, now);

	if (sim_faulty(s, SIM_SWALLOW, NULL))
		return;
	s->mr = (s->mr + 1) & 0xFF;
	s->accepted++;
	s->calls.shown(s->arg, &(struct sim_message){.sms = sms, .pdu = hex, .mr = s->mr});
	if (sim_faulty(s, SIM_LOST, NULL))
		return;
	if (sim_faulty(s, SIM_VANISH_CMGS, &ms)) {
		sim_power_on(s, now);
		s->calls.vanish(s->arg, ms);
		return;
	}
	if (sim_faulty(s, SIM_LATE, &ms))
		due = now + ms;
	sim_say(s, due, true, "\r\n+CMGS: %u\r\n", s->mr);
	if (sim_faulty(s, SIM_URC, NULL))
		sim_say(s, due, false, "\r\n^RSSI:12\r\n");
	sim_say(s, due, true, "\r\nOK\r\n");
	if (sms->report && s->report_status >= 0)
		send_report(s, sms->to, due);
}

void sim_pdu(struct sim *s, int64_t now)
{
	struct simpdu sms;
	const char *why;
	long code = 0;

	if (sim_hangs(s))
		return;
	if (!simpdu_submit(s->line, s->cmgs_len, &sms, &why)) {
		s->refused++;
		sim_note(s, "refused a PDU of %zu octets (%s): %s", s->cmgs_len, why, s->line);
		fail(s, now, "CMS", 304, "invalid PDU mode parameter");
	} else if (sim_faulty(s, SIM_CMS, &code)) {
		fail(s, now, "CMS", (int)code, "as told");
	} else if (sim_faulty(s, SIM_CME, &code)) {
		fail(s, now, "CME", (int)code, "as told");
	} else if (s->creg != 1 && s->creg != 5 && s->creg != 6 && s->creg != 7 && s->cereg != 1 &&
		   s->cereg != 5 && s->cereg != 6 && s->cereg != 7) {
		fail(s, now, "CMS", 331, "no network service");
	} else {
		accept_pdu(s, &sms, s->line, now);
	}
}

static void do_cnmi(struct sim *s, const char *arg, int64_t now)
{
	int mode = 0, mt = 0, bm = 0, ds = 0;

	if (sscanf(arg, "=%d,%d,%d,%d", &mode, &mt, &bm, &ds) < 1 || ds > 2 || mt > 2 ||
	    (ds == 1 && s->no_cds)) {
		fail(s, now, "CMS", 303, "operation not supported");
		return;
	}
	s->cnmi_mt = mt;
	s->cnmi_ds = ds;
	ok(s, now);
}

static void do_cfun(struct sim *s, const char *arg, int64_t now)
{
	if (strncmp(arg, "=1,1", 4) != 0) {
		ok(s, now);
		return;
	}
	sim_power_on(s, now + BOOT_ANSWER_MS);
	sim_say(s, now, false, "\r\nOK\r\n");
}

/* Commands that need no SIM. True: it was one. */
static bool basic(struct sim *s, const char *c, int64_t now)
{
	if (c[0] == '\0' || strcasecmp(c, "&F") == 0 || strncasecmp(c, "S", 1) == 0 ||
	    strncasecmp(c, "V", 1) == 0)
		ok(s, now);
	else if (strncasecmp(c, "E", 1) == 0 && (c[1] == '0' || c[1] == '1')) {
		s->echo = c[1] == '1';
		ok(s, now);
	} else if (strncasecmp(c, "Z", 1) == 0) {
		s->echo = true;
		s->cmee = 0;
		ok(s, now);
	} else if (strncasecmp(c, "I", 1) == 0)
		info(s, now, "simmodem");
	else if (strncasecmp(c, "+CMEE=", 6) == 0) {
		s->cmee = atoi(c + 6);
		ok(s, now);
	} else if (strncasecmp(c, "+CPINR", 6) == 0)
		do_cpinr(s, now);
	else if (strncasecmp(c, "+CPIN", 5) == 0)
		do_cpin(s, c + 5, now);
	else if (strncasecmp(c, "+CFUN", 5) == 0)
		do_cfun(s, c + 5, now);
	else if (strncasecmp(c, "+CGMI", 5) == 0 || strncasecmp(c, "+CGMM", 5) == 0)
		info(s, now, "monitord simulated modem");
	else
		return false;
	return true;
}

void sim_command(struct sim *s, char *line, int64_t now)
{
	char text[32];
	const char *c = line + 2;

	if (strncasecmp(line, "AT", 2) != 0)
		return; /* a modem ignores what does not begin with AT */
	if (strncasecmp(c, "Z", 1) == 0)
		sim_cure(s, "atz");
	if (strncasecmp(c, "+CFUN=1,1", 9) == 0)
		sim_cure(s, "cfun");
	if (sim_hangs(s) || basic(s, c, now) || locked(s, now))
		return;
	if (strncasecmp(c, "+CREG", 5) == 0) {
		do_reg(s, "CREG", c + 5, s->creg, &s->creg_urc, now);
	} else if (strncasecmp(c, "+CEREG", 6) == 0) {
		do_reg(s, "CEREG", c + 6, s->cereg, &s->cereg_urc, now);
	} else if (strcasecmp(c, "+CSQ") == 0) {
		snprintf(text, sizeof(text), "+CSQ: %d,99", s->csq);
		info(s, now, text);
	} else if (strncasecmp(c, "+CMGF=", 6) == 0) {
		answer(s, now, c[6] == '0' ? "OK" : "ERROR");
	} else if (strncasecmp(c, "+CMGS", 5) == 0) {
		do_cmgs(s, c + 5, now);
	} else if (strncasecmp(c, "+CMGR", 5) == 0) {
		do_cmgr(s, c + 5, now);
	} else if (strncasecmp(c, "+CMGL", 5) == 0) {
		do_cmgl(s, now);
	} else if (strncasecmp(c, "+CMGD", 5) == 0) {
		do_cmgd(s, c + 5, now);
	} else if (strncasecmp(c, "+CNMI", 5) == 0) {
		do_cnmi(s, c + 5, now);
	} else if (strncasecmp(c, "+CPMS", 5) == 0) {
		do_cpms(s, c + 5, now);
	} else if (strncasecmp(c, "+CSMS", 5) == 0) {
		info(s, now, "+CSMS: 1,1,1");
	} else {
		answer(s, now, "ERROR");
	}
}
