/*
 * Opens, wakes, unlocks and watches a GSM modem, and climbs the reset ladder when it is silent: escape, AT,
 * ATZ, CFUN=1,1, DTR, reopening the device. After the last rung it rests and begins again; it never gives up.
 * A USB re-authorisation or a relay that cuts the power would be next: those need rights this program does
 * not have. For notify_sms.c.
 */
#include "sms_modem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../lib/clock.h"
#include "../lib/log.h"

enum {
	PROBE_MS = 1000,   /* for the OK to a bare AT */
	QUIET_MS = 60,     /* after an escape, until nothing more comes */
	BACKOFF_MIN_MS = 1000, BACKOFF_MAX_MS = 30000,
	PAUSE_MS = 200,
	IDLE_MS = 3000     /* at most so long an idle call keeps a page waiting while the modem is silent */
};

void modem_init(struct modem *m, const struct sms_conf *conf, const char *line,
		const struct modem_calls *calls, void *arg)
{
	memset(m, 0, sizeof(*m));
	m->conf = conf;
	m->line = line;
	m->calls = *calls;
	m->arg = arg;
	m->creg = m->cereg = -1;
	m->csq = 99;
	m->backoff_ms = BACKOFF_MIN_MS;
	snprintf(m->why, sizeof(m->why), "not opened yet");
	at_answer_init(&m->a);
	at_answer_init(&m->sent);
}

static void close_device(struct modem *m)
{
	at_free(m->at);
	m->at = NULL;
	m->up = m->owes = false;
	m->memory[0] = '\0';
}

void modem_fini(struct modem *m)
{
	close_device(m);
	sms_sim_stop(m->sim);
	at_answer_fini(&m->a);
	at_answer_fini(&m->sent);
}

static int64_t soonest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t modem_within(int64_t ms, int64_t deadline)
{
	return soonest(clock_boot_ms() + ms, deadline);
}

void modem_because(struct modem *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->why, sizeof(m->why), fmt, ap);
	va_end(ap);
}

static void back_off(struct modem *m)
{
	m->next_try = clock_boot_ms() + m->backoff_ms;
	m->backoff_ms = soonest(m->backoff_ms * 2, BACKOFF_MAX_MS);
}

void modem_down(struct modem *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->why, sizeof(m->why), fmt, ap);
	va_end(ap);
	log_warn("%s: %s", m->line, m->why);
	close_device(m);
	back_off(m);
}

/* --- health ------------------------------------------------------------------------------------------ */

bool modem_registered(const struct modem *m)
{
	return at_registered(m->creg) || at_registered(m->cereg);
}

void modem_say_health(struct modem *m, bool force)
{
	int stat = at_registered(m->creg) || m->cereg < 0 ? m->creg : m->cereg;
	bool ok = m->up && modem_registered(m);
	char text[MODEM_WHY_MAX + 80], signal[48] = "signal unknown";

	if (m->csq >= 0 && m->csq <= 31)
		snprintf(signal, sizeof(signal), "signal %d/31", m->csq);
	if (m->up)
		snprintf(text, sizeof(text), "%s, %s", at_registration_text(stat), signal);
	else
		snprintf(text, sizeof(text), "%s", m->why);
	/* a new reason is news; a new signal strength is not */
	if (!force && ok == m->healthy && (ok || strcmp(text, m->said) == 0))
		return;
	m->healthy = ok;
	snprintf(m->said, sizeof(m->said), "%s", text);
	m->calls.health(m->arg, ok, text);
}

static int ask_stat(struct modem *m, const char *command, const char *prefix, int64_t deadline)
{
	int stat = -1;

	if (at_command(m->at, command, prefix, modem_within(MODEM_COMMAND_MS, deadline), &m->a) != AT_OK)
		return -1;
	for (size_t i = 0; i < m->a.n; i++) {
		/* of several such lines the one with two numbers is the answer, the others came unasked */
		if (stat < 0 || at_number(m->a.line[i], 1, -1) >= 0)
			stat = at_registration(m->a.line[i]);
	}
	return stat;
}

/* A modem that answers no more is not up. */
static bool silent(struct modem *m)
{
	if (m->a.final == AT_GONE) {
		modem_down(m, "the device went away");
		return true;
	}
	if (m->a.final == AT_TIMEOUT) {
		m->up = false;
		modem_because(m, "the modem does not answer");
		m->next_try = 0;
		return true;
	}
	return false;
}

bool modem_ask_registration(struct modem *m, int64_t deadline)
{
	m->creg = ask_stat(m, "AT+CREG?", "+CREG:", deadline);
	if (silent(m))
		return false;
	m->cereg = ask_stat(m, "AT+CEREG?", "+CEREG:", deadline);
	if (silent(m))
		return false;
	if (at_command(m->at, "AT+CSQ", "+CSQ:", modem_within(MODEM_COMMAND_MS, deadline), &m->a) == AT_OK &&
	    m->a.n > 0)
		m->csq = (int)at_number(m->a.line[m->a.n - 1], 0, 99);
	return !silent(m);
}

/* --- opening and waking ------------------------------------------------------------------------------ */

static bool open_device(struct modem *m)
{
	struct serial_settings set = {.baud = (int)m->conf->baud, .rtscts = m->conf->flow == 1};
	const char *device = m->conf->device;
	char path[128];
	struct serial *s;

	if (strcmp(device, "simulated") == 0) {
		if (!sms_sim_start(&m->sim, m->conf->phone_file, path, sizeof(path), m->why, sizeof(m->why)))
			return false;
		device = path;
	}
	s = serial_open(device, &set, m->why, sizeof(m->why));
	if (s == NULL)
		return false;
	m->at = at_new(s, modem_unasked, m);
	if (m->at == NULL) {
		modem_because(m, "out of memory");
		return false;
	}
	log_info("%s: opened %s (%s)", m->line, serial_path(at_serial(m->at)),
		 serial_backend(at_serial(m->at)));
	at_resync(m->at);
	return true;
}

/* ESC CR ends a prompt that an earlier life left open; then two tries of AT. */
static bool probe(struct modem *m, int64_t deadline)
{
	int64_t quiet;

	if (!at_raw(m->at, "\x1b\r", 2, modem_within(PROBE_MS, deadline), NULL))
		return false;
	/* whatever comes now belongs to the past: an OK among it must not be taken for the next answer */
	for (quiet = clock_boot_ms() + 8 * QUIET_MS; clock_boot_ms() < quiet;) {
		if (serial_wait(at_serial(m->at), modem_within(QUIET_MS, quiet)) != 1)
			break;
		if (!at_idle(m->at))
			return false;
	}
	for (int i = 0; i < 2; i++)
		if (at_command(m->at, "AT", NULL, modem_within(PROBE_MS, deadline), &m->a) == AT_OK)
			return true;
	return false;
}

/* One rung of the ladder; returns how long the modem may need after it, in ms; -1: that was the last. */
static int64_t climb(struct modem *m)
{
	switch (m->rung++) {
	case 0:
		log_notice("%s: the modem is silent; trying ATZ", m->line);
		at_raw(m->at, "ATZ\r", 4, clock_boot_ms() + PROBE_MS, NULL);
		return 1000;
	case 1:
		log_notice("%s: still silent; restarting it with AT+CFUN=1,1", m->line);
		at_raw(m->at, "AT+CFUN=1,1\r", 12, clock_boot_ms() + PROBE_MS, NULL);
		return 12000;
	case 2:
		if (!serial_dtr(at_serial(m->at), false))
			return 0;
		log_notice("%s: still silent; dropped DTR", m->line);
		usleep(500 * 1000);
		serial_dtr(at_serial(m->at), true);
		return 3000;
	default:
		break;
	}
	m->rung = 0;
	m->exhausted = true;
	modem_down(m, "the modem does not answer to escape, ATZ, CFUN=1,1 and DTR; unplug it or cut its "
		      "power if this lasts");
	return -1;
}

/* Until it answers, as far as the ladder goes by the deadline. The next call goes on where this one stopped.
 */
static bool wake(struct modem *m, int64_t deadline)
{
	while (!probe(m, deadline)) {
		int64_t settle;

		if (serial_gone(at_serial(m->at))) {
			modem_down(m, "the device went away");
			return false;
		}
		if (clock_boot_ms() >= m->settled_at) {
			if ((settle = climb(m)) < 0)
				return false;
			m->settled_at = clock_boot_ms() + settle;
		}
		modem_because(m, "the modem does not answer; it is being reset");
		m->next_try = clock_boot_ms() + PAUSE_MS;
		if (m->next_try >= deadline)
			return false;
		usleep(PAUSE_MS * 1000);
	}
	m->rung = 0;
	m->settled_at = 0;
	m->exhausted = false;
	return true;
}

/* --- up, and between pages --------------------------------------------------------------------------- */

bool modem_bring_up(struct modem *m, int64_t deadline)
{
	if (m->up && !m->reset_seen)
		return true;
	m->up = false;
	if (m->at == NULL && !open_device(m)) {
		back_off(m);
		return false;
	}
	if (!wake(m, deadline))
		return false;
	if (!modem_set_up(m, deadline)) {
		if (m->at != NULL && serial_gone(at_serial(m->at)))
			modem_down(m, "the device went away");
		else
			back_off(m);
		return false;
	}
	m->up = true;
	m->sweep = true;
	m->backoff_ms = BACKOFF_MIN_MS;
	m->next_check = clock_boot_ms() + m->conf->check_interval_ms;
	log_info("%s: ready, %s, signal %d", m->line,
		 at_registration_text(at_registered(m->creg) || m->cereg < 0 ? m->creg : m->cereg), m->csq);
	return true;
}

int modem_fd(const struct modem *m, int *wait_ms)
{
	int64_t now = clock_boot_ms(), next = m->up ? m->next_check : m->next_try, wait;

	if (m->owes)
		next = m->owed_until;
	else if (m->up && (m->ntodo > 0 || m->sweep || m->reset_seen))
		next = now;
	wait = next - now;
	*wait_ms = wait < 0 ? 0 : wait > 3600000 ? 3600000 : (int)wait;
	return m->at != NULL ? serial_fd(at_serial(m->at)) : -1;
}

static void health_check(struct modem *m)
{
	m->next_check = clock_boot_ms() + m->conf->check_interval_ms;
	if (modem_ask_registration(m, clock_boot_ms() + 2 * MODEM_COMMAND_MS)) {
		/* an announcement may have been lost, and a full storage announces nothing */
		m->sweep = true;
		modem_say_health(m, true);
	}
}

void modem_settle(struct modem *m)
{
	if (m->at != NULL && !m->owes && !at_idle(m->at))
		modem_down(m, "the device went away");
}

void modem_idle(struct modem *m)
{
	int64_t now = clock_boot_ms();

	modem_settle(m);
	if (!m->up || m->reset_seen) {
		if (m->reset_seen)
			log_notice("%s: the modem restarted by itself", m->line);
		if (now >= m->next_try || m->reset_seen) {
			bool ok = modem_bring_up(m, now + IDLE_MS);

			modem_say_health(m, ok || m->exhausted || m->at == NULL);
		}
	} else if (now >= m->next_check) {
		health_check(m);
	}
	if (m->up && (m->ntodo > 0 || m->sweep))
		modem_serve_inbox(m);
	modem_settle(m);
	modem_say_health(m, false);
}
