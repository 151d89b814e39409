/*
 * The simulated modem's messages: what is sent, what arrives, the storage (27.005). For simat.c and
 * simmodem.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "simstate.h"

/* --- the storage ------------------------------------------------------------------------------------- */

int sim_stored(const struct sim *s)
{
	int used = 0;

	for (int i = 0; i < s->o.slots; i++)
		used += s->slot[i].used;
	return used;
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

void sim_arrive(struct sim *s, const char *hex, size_t octets, int64_t now)
{
	int slot;

	if (s->cnmi_mt == 2) {
		sim_say(s, now, false, "\r\n+CMT: ,%zu\r\n%s\r\n", octets, hex);
		return;
	}
	slot = sim_store(s, hex, octets, false);
	if (slot > 0 && s->cnmi_mt == 1)
		sim_say(s, now, false, "\r\n+CMTI: \"SM\",%d\r\n", slot);
}

static void do_cpms(struct sim *s, const char *arg, int64_t now)
{
	char text[96];
	int used = sim_stored(s), total = s->o.slots;

	if (arg[0] == '?')
		snprintf(text, sizeof(text), "+CPMS: \"SM\",%d,%d,\"SM\",%d,%d,\"SM\",%d,%d", used, total,
			 used, total, used, total);
	else
		snprintf(text, sizeof(text), "+CPMS: %d,%d,%d,%d,%d,%d", used, total, used, total, used,
			 total);
	sim_info(s, now, text);
}

static void do_cmgr(struct sim *s, const char *arg, int64_t now)
{
	int i = arg[0] == '=' ? atoi(arg + 1) : 0;
	struct sim_slot *slot = i >= 1 && i <= s->o.slots ? &s->slot[i - 1] : NULL;
	char text[SIMPDU_HEX_MAX + 64];

	if (slot == NULL || !slot->used) {
		sim_fail(s, now, "CMS", 321, "invalid memory index");
		return;
	}
	snprintf(text, sizeof(text), "+CMGR: %d,,%zu\r\n%s", slot->read ? 1 : 0, slot->octets, slot->hex);
	slot->read = true;
	sim_info(s, now, text);
}

static void do_cmgl(struct sim *s, int64_t now)
{
	int64_t due = sim_answer_time(s, now);

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
		sim_fail(s, now, "CMS", 321, "invalid memory index");
		return;
	}
	if (flag == 0)
		s->slot[i - 1].used = false;
	sim_ok(s, now);
}

/* --- sending ----------------------------------------------------------------------------------------- */

static void prompt(struct sim *s, int64_t now)
{
	long ms = 0;

	if (sim_faulty(s, SIM_VANISH_PROMPT, &ms)) {
		sim_power_on(s, now);
		s->calls.vanish(s->arg, ms);
		return;
	}
	if (sim_unplugged(s, "prompt", now) || sim_faulty(s, SIM_NOPROMPT, NULL))
		return;
	s->mode = SIM_PDU;
	if (!sim_faulty(s, SIM_LOSTPROMPT, NULL))
		sim_say(s, sim_answer_time(s, now), false, "\r\n> ");
}

static void do_cmgs(struct sim *s, const char *arg, int64_t now)
{
	long code = 0;

	s->cmgs_len = arg[0] == '=' ? strtoul(arg + 1, NULL, 10) : 0;
	if (s->cmgs_len < 1 || s->cmgs_len > 176)
		sim_fail(s, now, "CMS", 304, "invalid PDU mode parameter");
	else if (s->smsc[0] == '\0')
		sim_fail(s, now, "CMS", 330, "SMSC address unknown");
	else if (sim_faulty(s, SIM_CMS_CMD, &code))
		sim_fail(s, now, "CMS", (int)code, "as told");
	else if (s->fault[SIM_FULL].on && sim_stored(s) == s->o.slots && sim_faulty(s, SIM_FULL, NULL))
		sim_fail(s, now, "CMS", 322, "memory full");
	else
		prompt(s, now);
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

static void hang(struct sim *s, enum sim_fault_name by)
{
	struct sim_fault_state *h = &s->fault[SIM_HANG];

	*h = (struct sim_fault_state){.on = true, .left = -1};
	snprintf(h->text, sizeof(h->text), "%s", s->fault[by].text);
}

/* The far phone has the message; true: the modem tells nobody. */
static bool no_result(struct sim *s, int64_t now)
{
	long ms = 0;

	if (sim_faulty(s, SIM_LOST, NULL) || sim_unplugged(s, "sent", now))
		return true;
	if (sim_faulty(s, SIM_HANG_SENT, NULL)) {
		hang(s, SIM_HANG_SENT);
		return true;
	}
	if (!sim_faulty(s, SIM_VANISH_CMGS, &ms))
		return false;
	sim_power_on(s, now);
	s->calls.vanish(s->arg, ms);
	return true;
}

/* A message for the far phone came whole. */
static void accept_pdu(struct sim *s, const struct simpdu *sms, const char *hex, int64_t now)
{
	long ms = 0;
	int64_t due = sim_answer_time(s, now);

	if (sim_faulty(s, SIM_SWALLOW, NULL))
		return;
	if (sim_faulty(s, SIM_HANG_CMGS, NULL)) {
		hang(s, SIM_HANG_CMGS);
		return;
	}
	s->mr = (s->mr + 1) & 0xFF;
	s->accepted++;
	s->calls.shown(s->arg, &(struct sim_message){.sms = sms, .pdu = hex, .mr = s->mr});
	if (no_result(s, now))
		return;
	if (sim_faulty(s, SIM_LATE, &ms))
		due = now + ms;
	sim_say(s, due, true, "\r\n+CMGS: %u\r\n", s->mr);
	if (sim_faulty(s, SIM_URC, NULL))
		sim_say(s, due, false, "\r\n^RSSI:12\r\n");
	sim_say(s, due, true, "\r\nOK\r\n");
	if (sms->report && s->report_status >= 0)
		send_report(s, sms->to, due);
}

static bool on_network(const struct sim *s)
{
	static const char can[] = "\1\5\6\7";

	return (s->creg > 0 && strchr(can, s->creg) != NULL) ||
	       (s->cereg > 0 && strchr(can, s->cereg) != NULL);
}

void sim_pdu(struct sim *s, int64_t now)
{
	struct simpdu sms;
	const char *why;
	long code = 0;

	if (sim_hangs(s) || sim_unplugged(s, "sub", now))
		return;
	if (!simpdu_submit(s->line, s->cmgs_len, &sms, &why)) {
		s->refused++;
		sim_note(s, "refused a PDU of %zu octets (%s): %s", s->cmgs_len, why, s->line);
		sim_fail(s, now, "CMS", 304, "invalid PDU mode parameter");
	} else if (sim_faulty(s, SIM_CMS, &code)) {
		sim_fail(s, now, "CMS", (int)code, "as told");
	} else if (sim_faulty(s, SIM_CME, &code)) {
		sim_fail(s, now, "CME", (int)code, "as told");
	} else if (!on_network(s)) {
		sim_fail(s, now, "CMS", 331, "no network service");
	} else {
		accept_pdu(s, &sms, s->line, now);
	}
}

static void do_cnmi(struct sim *s, const char *arg, int64_t now)
{
	int mode = 0, mt = 0, bm = 0, ds = 0;

	if (sscanf(arg, "=%d,%d,%d,%d", &mode, &mt, &bm, &ds) < 1 || ds > 2 || mt > 2 ||
	    (ds == 1 && s->no_cds)) {
		sim_fail(s, now, "CMS", 303, "operation not supported");
		return;
	}
	s->cnmi_mt = mt;
	s->cnmi_ds = ds;
	sim_ok(s, now);
}

bool sim_sms_command(struct sim *s, const char *c, int64_t now)
{
	if (strncasecmp(c, "+CMGF=", 6) == 0)
		sim_answer(s, now, c[6] == '0' ? "OK" : "ERROR");
	else if (strncasecmp(c, "+CMGS", 5) == 0)
		do_cmgs(s, c + 5, now);
	else if (strncasecmp(c, "+CMGR", 5) == 0)
		do_cmgr(s, c + 5, now);
	else if (strncasecmp(c, "+CMGL", 5) == 0)
		do_cmgl(s, now);
	else if (strncasecmp(c, "+CMGD", 5) == 0)
		do_cmgd(s, c + 5, now);
	else if (strncasecmp(c, "+CNMI", 5) == 0)
		do_cnmi(s, c + 5, now);
	else if (strncasecmp(c, "+CPMS", 5) == 0)
		do_cpms(s, c + 5, now);
	else if (strncasecmp(c, "+CSMS", 5) == 0)
		sim_info(s, now, "+CSMS: 1,1,1");
	else
		return false;
	return true;
}
