/*
 * Opens, wakes, unlocks and watches a GSM modem, and climbs the reset ladder when it is silent: escape, AT,
 * ATZ, CFUN=1,1, DTR, its USB device switched off and on, its power cut, reopening the device. The last two need
 * rights that this program does not have: a helper does them (reset.c). After the last rung it rests and begins
 * again; it never gives up. For notify_sms.c.
 */
#include "modem.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "drivers/serial/usbtty.h"
#include "lib/clock.h"
#include "lib/log.h"

enum {
	PROBE_MS = 1000,   /* for the OK to a bare AT */
	QUIET_MS = 60,     /* after an escape, until nothing more comes */
	PAUSE_MS = 200,
	ILLS_TO_RESTART = 3, /* errors in a row that call for mending */
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
	gsm_info_init(&m->info);
	modem_inbox_init(m);
	m->backoff_ms = MODEM_BACKOFF_MIN_MS;
	snprintf(m->why, sizeof(m->why), "not opened yet");
	at_answer_init(&m->a);
	at_answer_init(&m->sent);
}

void modem_fini(struct modem *m)
{
	modem_close(m);
	sms_sim_stop(m->sim);
	modem_inbox_fini(m);
	at_answer_fini(&m->a);
	at_answer_fini(&m->sent);
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
	if (!usbtty_device("/sys", serial_path(at_serial(m->at)), m->usb, sizeof(m->usb)))
		m->usb[0] = '\0';
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

enum { RUNG_ATZ, RUNG_CFUN, RUNG_DTR, RUNG_USB, RUNG_POWER, RUNG_LAST, COLD_MS = 8000 };

/* The helper takes its USB device or its power away for a moment. True: the device is closed, and comes back. */
static bool reset_by_helper(struct modem *m, const char *what, const char *name)
{
	char why[300], own[64];

	if (m->conf->reset_socket == NULL || name == NULL || name[0] == '\0')
		return false;
	snprintf(own, sizeof(own), "%s", name);
	modem_close(m);
	if (!modem_ask_reset(m->conf->reset_socket, what, own, why, sizeof(why))) {
		modem_down(m, "the modem is silent, and the helper did not reset it (%s %s): %s", what, own, why);
		return true;
	}
	modem_because(m, "the modem was silent; the helper reset it (%s %s)", what, own);
	log_notice("%s: %s", m->line, m->why);
	m->next_try = clock_boot_ms() + COLD_MS;
	return true;
}

static const char *usb_name(const struct modem *m)
{
	return m->conf->reset_usb != NULL ? m->conf->reset_usb : m->usb;
}

/* One rung of the ladder; returns how long the modem may need after it, in ms; -1: the device is closed. */
static int64_t climb(struct modem *m)
{
	switch (m->rung++) {
	case RUNG_ATZ:
		log_notice("%s: the modem is silent; trying ATZ", m->line);
		at_raw(m->at, "ATZ\r", 4, clock_boot_ms() + PROBE_MS, NULL);
		return 1000;
	case RUNG_CFUN:
		log_notice("%s: still silent; restarting it with AT+CFUN=1,1", m->line);
		at_raw(m->at, "AT+CFUN=1,1\r", 12, clock_boot_ms() + PROBE_MS, NULL);
		return 12000;
	case RUNG_DTR:
		if (!serial_dtr(at_serial(m->at), false))
			return 0;
		log_notice("%s: still silent; dropped DTR", m->line);
		usleep(500 * 1000);
		serial_dtr(at_serial(m->at), true);
		return 3000;
	case RUNG_USB:
		return reset_by_helper(m, "usb", usb_name(m)) ? -1 : 0;
	case RUNG_POWER:
		return reset_by_helper(m, "power", m->conf->reset_power) ? -1 : 0;
	default:
		break;
	}
	m->rung = RUNG_ATZ;
	m->exhausted = true;
	modem_down(m, "the modem does not answer to escape, ATZ, CFUN=1,1 and DTR%s; unplug it or cut its "
		      "power if this lasts", m->conf->reset_socket != NULL ? ", nor after the helper's resets" : "");
	return -1;
}

/* One that answers but fails message after message is restarted: by itself, then by the helper. */
static bool restart_the_ill(struct modem *m)
{
	if (m->ills == 0 || m->ills == m->restarted || m->ills % ILLS_TO_RESTART != 0)
		return true;
	m->restarted = m->ills;
	log_notice("%s: %s, %u times in a row: it is restarted", m->line, m->ill, m->ills);
	m->rung = m->ills % (2 * ILLS_TO_RESTART) == 0 ? RUNG_USB : RUNG_CFUN;
	if (m->rung == RUNG_USB && reset_by_helper(m, "usb", usb_name(m)))
		return false;
	m->rung = RUNG_CFUN;
	m->settled_at = clock_boot_ms() + climb(m);
	return true;
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
		modem_back_off(m);
		return false;
	}
	if (!restart_the_ill(m) || !wake(m, deadline))
		return false;
	if (!modem_set_up(m, deadline)) {
		if (m->at != NULL && serial_gone(at_serial(m->at)))
			modem_down(m, "the device went away");
		else
			modem_back_off(m);
		return false;
	}
	m->up = true;
	m->sweep = true;
	m->backoff_ms = MODEM_BACKOFF_MIN_MS;
	m->next_check = clock_boot_ms() + m->conf->check_interval_ms;
	log_info("%s: ready, %s, signal %d", m->line,
		 at_registration_text(gsm_registration(&m->info)), m->info.csq);
	return true;
}

static int64_t soonest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t next_work(const struct modem *m, int64_t now)
{
	int64_t next = m->up ? m->next_check : m->next_try, join = join_next(&m->join);

	if (m->owes)
		return m->owed_until;
	if (!m->up)
		return next;
	if (m->reset_seen || modem_inbox_waits(m, now))
		return now;
	if (join >= 0)
		next = soonest(next, join);
	if (m->ill_until > now)
		next = soonest(next, m->ill_until);
	return soonest(next, modem_ussd_next(m));
}

int modem_fd(const struct modem *m, int *wait_ms)
{
	int64_t now = clock_boot_ms(), wait = next_work(m, now) - now;

	*wait_ms = wait < 0 ? 0 : wait > 3600000 ? 3600000 : (int)wait;
	return m->at != NULL ? serial_fd(at_serial(m->at)) : -1;
}

static void health_check(struct modem *m)
{
	int64_t deadline = clock_boot_ms() + 2 * MODEM_COMMAND_MS;

	m->next_check = clock_boot_ms() + m->conf->check_interval_ms;
	if (modem_ask_registration(m, deadline) && modem_ask_details(m, deadline)) {
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
	if (m->up && modem_inbox_waits(m, clock_boot_ms()))
		modem_serve_inbox(m, false);
	if (m->up)
		modem_ussd_idle(m, clock_boot_ms());
	modem_settle(m);
	modem_say_health(m, false);
}
