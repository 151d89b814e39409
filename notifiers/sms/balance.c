/*
 * The prepaid SIM's balance and validity by USSD: asked when nobody waits, its answer awaited without
 * blocking. For modem.c and inbox.c.
 */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "modem.h"

enum {
	ASK_MS = 10000,	       /* for the modem's OK: a page waits that long at the worst, once a day */
	ANSWER_MS = 60000,     /* for the network's answer */
	AGAIN_MS = 30 * 60000, /* after a failure */
	FIRST_MS = 2000	       /* after the modem came up */
};

static void failed(struct modem *m, const char *fmt, const char *what)
{
	int64_t again = m->conf->ussd_interval_ms < AGAIN_MS ? m->conf->ussd_interval_ms : AGAIN_MS;

	m->ussd.waiting = false;
	m->ussd.line[0] = '\0';
	snprintf(m->ussd.error, sizeof(m->ussd.error), fmt, what);
	m->ussd.next = clock_boot_ms() + again;
	log_warn("%s: USSD %s: %s", m->line, m->conf->ussd, m->ussd.error);
}

static void understood(struct modem *m, const char *text)
{
	struct modem_ussd *u = &m->ussd;
	const struct sms_conf *c = m->conf;

	snprintf(u->text, sizeof(u->text), "%s", text);
	u->at_wall_ms = clock_wall_ms();
	u->error[0] = '\0';
	u->has_balance = c->ussd_balance != NULL && ussd_amount(c->ussd_balance, text, &u->balance);
	u->has_validity = c->ussd_validity != NULL &&
			  ussd_date(c->ussd_validity, c->ussd_order, text, &u->valid_until_wall_ms);
	if (c->ussd_balance != NULL && !u->has_balance)
		snprintf(u->error, sizeof(u->error), "no amount is found in the answer");
	else if (c->ussd_validity != NULL && !u->has_validity)
		snprintf(u->error, sizeof(u->error), "no date is found in the answer");
	u->waiting = false;
	u->next = clock_boot_ms() + c->ussd_interval_ms;
	log_info("%s: USSD %s: %s%s%s", m->line, c->ussd, text, u->error[0] != '\0' ? "; " : "", u->error);
}

static void take_answer(struct modem *m)
{
	static const char *const refused[] = {[2] = "the network ended the dialogue",
					      [3] = "another user has it",
					      [4] = "not supported",
					      [5] = "the network did not answer"};
	struct buf text;
	char raw[USSD_TEXT_MAX * 4];
	int status = 0, dcs;

	buf_init(&text, USSD_TEXT_MAX - 1);
	if (!ussd_parse(m->ussd.line, &status, raw, sizeof(raw), &dcs))
		failed(m, "%s", "an answer that cannot be read");
	else if (raw[0] == '\0')
		failed(m, "%s", status >= 2 && status <= 5 ? refused[status] : "an empty answer");
	else if (!ussd_decode(raw, dcs, m->conf->ussd_packed, &text))
		failed(m, "%s", "an answer that cannot be decoded");
	else
		understood(m, buf_str(&text));
	m->ussd.line[0] = '\0';
	buf_fini(&text);
	modem_say_health(m, true);
}

bool modem_ussd_line(struct modem *m, const char *line)
{
	struct modem_ussd *u = &m->ussd;
	size_t n = strlen(u->line);

	if (n == 0 && strncmp(line, "+CUSD:", 6) != 0)
		return false;
	if (!u->waiting)
		return n == 0;
	snprintf(u->line + n, sizeof(u->line) - n, "%s%s", n > 0 ? "\n" : "", line);
	if (!ussd_goes_on(u->line))
		take_answer(m);
	return true;
}

static void ask_service(struct modem *m, int64_t now)
{
	char code[160], command[200], text[120];

	if (m->conf->ussd_packed)
		ussd_pack(m->conf->ussd, code, sizeof(code));
	else
		snprintf(code, sizeof(code), "%s", m->conf->ussd);
	snprintf(command, sizeof(command), "AT+CUSD=1,\"%s\",15", code);
	m->ussd.waiting = true;
	m->ussd.line[0] = '\0';
	m->ussd.until = now + ANSWER_MS;
	if (!modem_ask(m, command, NULL, ASK_MS))
		failed(m, "%s", "the modem does not answer");
	else if (m->a.final != AT_OK)
		failed(m, "%s", at_final_text(&m->a, text, sizeof(text)));
}

void modem_ussd_idle(struct modem *m, int64_t now)
{
	struct modem_ussd *u = &m->ussd;

	if (m->conf->ussd == NULL || !m->up || !modem_registered(m))
		return;
	if (u->next == 0)
		u->next = now + FIRST_MS;
	if (u->waiting && now >= u->until) {
		failed(m, "%s", "no answer");
		modem_ask(m, "AT+CUSD=2", NULL, MODEM_COMMAND_MS);
		modem_say_health(m, true);
	} else if (!u->waiting && now >= u->next) {
		ask_service(m, now);
	}
}

int64_t modem_ussd_next(const struct modem *m)
{
	if (m->conf->ussd == NULL || !m->up || !modem_registered(m))
		return INT64_MAX;
	return m->ussd.waiting ? m->ussd.until : m->ussd.next;
}
