/* A modem asked itself, when no line uses it; see modem.h. It is neither unlocked nor reset: that is the
 * line's. */
#include <stdio.h>
#include <string.h>

#include "drivers/gsm/info.h"
#include "lib/clock.h"
#include "modem.h"

enum { WAKE_MS = 3000, QUIET_MS = 60 };

static void down(struct modem_facts *f, const char *what, const char *text)
{
	snprintf(f->why, sizeof(f->why), "%s%s", what, text);
}

/* ESC CR ends a prompt that somebody left open. */
static bool wake(struct at *at, struct at_answer *a, int64_t deadline)
{
	at_raw(at, "\x1b\r", 2, deadline, NULL);
	if (serial_wait(at_serial(at), clock_boot_ms() + QUIET_MS) == 1 && !at_idle(at))
		return false;
	for (int i = 0; i < 3; i++)
		if (at_command(at, "AT", NULL, clock_boot_ms() + WAKE_MS, a) == AT_OK)
			return true;
	return false;
}

static bool unlocked(struct modem_facts *f, struct at *at, struct at_answer *a, int64_t deadline)
{
	char text[120] = "";

	at_command(at, "ATE0", NULL, deadline, a);
	at_command(at, "AT+CMEE=1", NULL, deadline, a);
	if (at_command(at, "AT+CPIN?", "+CPIN:", deadline, a) != AT_OK || a->n == 0) {
		down(f, "the SIM: ", at_final_text(a, text, sizeof(text)));
		return false;
	}
	at_param(a->line[a->n - 1], 0, text, sizeof(text));
	if (strcmp(text, "READY") == 0)
		return true;
	down(f, "the SIM wants its ",
	     strcmp(text, "SIM PIN") == 0   ? "PIN"
	     : strcmp(text, "SIM PUK") == 0 ? "PUK"
					    : "code");
	return false;
}

static void fill(struct modem_facts *f, const struct gsm_info *i)
{
	f->up = f->ok = true;
	f->registered = gsm_registered(i);
	snprintf(f->registration, sizeof(f->registration), "%s", at_registration_text(gsm_registration(i)));
	snprintf(f->operator, sizeof(f->operator), "%s", i->operator);
	f->has_signal = gsm_dbm(i->csq) != 0;
	f->dbm = gsm_dbm(i->csq);
	f->csq = i->csq;
	f->has_storage = i->total >= 0 && i->used >= 0;
	f->used = i->used;
	f->total = i->total;
}

static void ask(struct modem_facts *f, struct at *at, int64_t deadline)
{
	struct at_answer a;
	struct gsm_info i;
	char text[120];

	at_answer_init(&a);
	gsm_info_init(&i);
	if (!wake(at, &a, deadline))
		down(f, "the modem does not answer", "");
	else if (!unlocked(f, at, &a, deadline))
		f->up = false;
	else if (gsm_ask_network(at, &a, &i, deadline) != AT_OK ||
		 gsm_ask_details(at, &a, &i, deadline) != AT_OK)
		down(f, "the modem fell silent: ", at_final_text(&a, text, sizeof(text)));
	else
		fill(f, &i);
	at_answer_fini(&a);
}

bool modem_from_device(struct modem_facts *f, const char *device, int baud, int64_t deadline, char *why,
		       size_t size)
{
	struct serial_settings set = {.baud = baud};
	struct serial *s = serial_open(device, &set, why, size);
	struct at *at = s != NULL ? at_new(s, NULL, NULL) : NULL;

	memset(f, 0, sizeof(*f));
	if (at == NULL)
		return false;
	at_resync(at);
	ask(f, at, deadline);
	at_free(at);
	return true;
}
