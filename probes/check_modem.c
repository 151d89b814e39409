/*
 * modem: a GSM modem: registered, signal, room for messages, how old the last proven page is, what the
 * prepaid SIM has left. Of a modem that a line uses all that stands in pagerd's status, so that the port is
 * not opened twice; another is asked itself (option device).
 */
#include "probes/modem/modem.h"
#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "drivers/serial/usbtty.h"
#include "lib/clock.h"
#include "lib/file.h"

enum { STATUS_BYTES = 16 << 20 };

struct modem_conf {
	char *line, *status, *device;
	int64_t baud, stale_ms;
	struct range warning, critical, storage_warning, storage_critical;
	int64_t proof_warning_ms, proof_critical_ms, validity_low_ms;
	char *balance_low;
};

#define AT(field) .offset = offsetof(struct modem_conf, field)

static const struct opt modem_opts[] = {
    {.name = "line",
     .letter = 'l',
     .type = OPT_STRING,
     AT(line),
     .unit = "NAME",
     .help = "The line of pagerd that uses the modem; it tells, the port is left alone"},
    {.name = "status",
     .type = OPT_PATH,
     AT(status),
     .dflt = "/run/monitord-pagerd/status.json",
     .help = "pagerd's status file"},
    {.name = "stale",
     .type = OPT_DURATION,
     AT(stale_ms),
     .min = 1000,
     .max = 86400000,
     .dflt = "2m",
     .help = "An older status tells nothing"},
    {.name = "device",
     .letter = 'd',
     .type = OPT_STRING,
     AT(device),
     .unit = "PATH",
     .help = "Ask this modem itself: a path or usb:VID:PID[:SERIAL][@INTERFACE]; only if no line uses it"},
    {.name = "baud",
     .type = OPT_INT,
     AT(baud),
     .min = 300,
     .max = 921600,
     .dflt = "115200",
     .help = "With device: speed of the line"},
    {.name = "warning",
     .letter = 'w',
     .type = OPT_RANGE,
     AT(warning),
     .dflt = "-97:0",
     .help = "WARNING when the signal in dBm is outside"},
    {.name = "critical",
     .letter = 'c',
     .type = OPT_RANGE,
     AT(critical),
     .dflt = "-107:0",
     .help = "CRITICAL when it is outside"},
    {.name = "storage_warning",
     .type = OPT_RANGE,
     AT(storage_warning),
     .dflt = "80",
     .help = "WARNING when so many percent of the places for messages are used"},
    {.name = "storage_critical",
     .type = OPT_RANGE,
     AT(storage_critical),
     .dflt = "95",
     .help = "CRITICAL when so many are"},
    {.name = "proof_warning",
     .type = OPT_DURATION,
     AT(proof_warning_ms),
     .max = 31536000000.0,
     .help = "WARNING when the last page that is known to have left is older; 0: never"},
    {.name = "proof_critical",
     .type = OPT_DURATION,
     AT(proof_critical_ms),
     .max = 31536000000.0,
     .help = "CRITICAL when it is older; 0: never"},
    {.name = "balance_low",
     .type = OPT_STRING,
     AT(balance_low),
     .unit = "NUMBER",
     .help = "WARNING when the prepaid SIM (the line's options ussd, ussd_balance) has less"},
    {.name = "validity_low",
     .type = OPT_DURATION,
     AT(validity_low_ms),
     .max = 31536000000.0,
     .help = "WARNING when its validity (ussd_validity) ends sooner; 0: only when it has ended"},
    {0},
};

static void modem_check_conf(const void *conf, struct complaints *c)
{
	const struct modem_conf *m = conf;
	double v;
	char why[160];
	const char *reason;

	if ((m->line == NULL) == (m->device == NULL))
		complaint_add(c, NULL, "line", m->line, "give either line or device");
	if (m->device != NULL && usbtty_is_spec(m->device) && !usbtty_check(m->device, why, sizeof(why)))
		complaint_add(c, NULL, "device", m->device, "%s", why);
	else if (m->device != NULL && !usbtty_is_spec(m->device) && m->device[0] != '/')
		complaint_add(c, NULL, "device", m->device, "neither an absolute path nor usb:VID:PID");
	if (m->balance_low != NULL && !units_number(m->balance_low, &v, &reason))
		complaint_add(c, NULL, "balance_low", m->balance_low, "%s", reason);
	if (m->device != NULL && (m->balance_low != NULL || m->validity_low_ms > 0 ||
				  m->proof_warning_ms > 0 || m->proof_critical_ms > 0))
		complaint_add(c, NULL, "device", m->device,
			      "a modem asked itself knows neither pages nor balance: those limits need line");
}

static bool look(const struct modem_conf *m, struct probe_run *run, struct modem_facts *f, char *why,
		 size_t size)
{
	struct buf text;
	bool ok;

	if (m->device != NULL) {
		probe_at_name(run, "ask", m->device);
		return modem_from_device(f, m->device, (int)m->baud, run->deadline, why, size);
	}
	probe_at_name(run, "read", m->status);
	buf_init(&text, STATUS_BYTES);
	ok = file_read(m->status, &text);
	if (!ok)
		snprintf(why, size, "%s: %s", m->status, strerror(errno));
	else
		ok = modem_from_status(f, buf_str(&text), text.len, m->line, m->stale_ms, clock_wall_ms(),
				       why, size);
	buf_fini(&text);
	return ok;
}

static void modem_run(struct probe_run *run)
{
	const struct modem_conf *m = run->conf;
	struct modem_limits l = {.warning = m->warning,
				 .critical = m->critical,
				 .storage_warning = m->storage_warning,
				 .storage_critical = m->storage_critical,
				 .proof_warning_ms = m->proof_warning_ms,
				 .proof_critical_ms = m->proof_critical_ms,
				 .validity_low_ms = m->validity_low_ms,
				 .has_balance_low = m->balance_low != NULL};
	struct modem_facts f;
	const char *reason;
	char why[400];

	if (l.has_balance_low)
		units_number(m->balance_low, &l.balance_low, &reason);
	if (look(m, run, &f, why, sizeof(why))) {
		modem_judge(run->result, &f, &l, clock_wall_ms());
		return;
	}
	result_fail(run->result, NAG_UNKNOWN, "read", "%s", why);
	run->result->measured = false;
}

const struct probe probe_modem = {
    .name = "modem",
    .help = "a GSM modem: registration, signal, storage, the last proven page, the prepaid SIM's balance",
    .place = PROBE_LOCAL,
    .opts = modem_opts,
    .conf_size = sizeof(struct modem_conf),
    .check_conf = modem_check_conf,
    .run = modem_run,
};
