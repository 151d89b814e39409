/* See conf.h. */
#include "conf.h"

#include <stddef.h>
#include <string.h>

#include "drivers/serial/usbtty.h"

#define FIELD(name) offsetof(struct sms_conf, name)

const struct opt sms_opts[] = {
    {.name = "device",
     .type = OPT_STRING,
     .offset = FIELD(device),
     .flags = OPT_REQUIRED,
     .unit = "PATH",
     .help = "The modem: a path (best one under /dev/serial/by-id), usb:VID:PID[:SERIAL][@INTERFACE], or "
	     "simulated"},
    {.name = "baud",
     .type = OPT_INT,
     .offset = FIELD(baud),
     .min = 300,
     .max = 921600,
     .dflt = "115200",
     .help = "Speed of the line, 8N1"},
    {.name = "flow",
     .type = OPT_ENUM,
     .offset = FIELD(flow),
     .dflt = "none",
     .choices = "none|rtscts",
     .help = "Hardware flow control"},
    {.name = "pin_file",
     .type = OPT_SECRET,
     .offset = FIELD(pin_file),
     .help = "File with the SIM's PIN; tried once, and only when the modem says that two tries are left"},
    {.name = "state_dir",
     .type = OPT_PATH,
     .offset = FIELD(state_dir),
     .help = "Where a refused PIN is remembered; needed with pin_file"},
    {.name = "smsc",
     .type = OPT_STRING,
     .offset = FIELD(smsc),
     .unit = "NUMBER",
     .help = "Service centre; default: the one on the SIM"},
    {.name = "validity",
     .type = OPT_DURATION,
     .offset = FIELD(validity_ms),
     .max = 38102400000.0,
     .dflt = "4h",
     .help = "How long the centre keeps trying; 0: its own default"},
    {.name = "status_report",
     .type = OPT_BOOL,
     .offset = FIELD(status_report),
     .dflt = "yes",
     .help = "Ask for a report when the phone has the message"},
    {.name = "reject_duplicates",
     .type = OPT_BOOL,
     .offset = FIELD(reject_duplicates),
     .dflt = "no",
     .help = "Ask the centre to reject a message it has already"},
    {.name = "wait_cmgs",
     .type = OPT_DURATION,
     .offset = FIELD(wait_cmgs_ms),
     .min = 1000,
     .max = 600000,
     .dflt = "60s",
     .help = "How long to wait for the modem's result before a page counts as unknown"},
    {.name = "wait_late",
     .type = OPT_DURATION,
     .offset = FIELD(wait_late_ms),
     .max = 3600000,
     .dflt = "2m",
     .help = "How much longer to listen for that result before the modem is used again"},
    {.name = "max_parts",
     .type = OPT_INT,
     .offset = FIELD(max_parts),
     .min = 1,
     .max = PDU_PARTS_MAX,
     .dflt = "1",
     .help = "Into how many messages one page may be split"},
    {.name = "check_interval",
     .type = OPT_DURATION,
     .offset = FIELD(check_interval_ms),
     .min = 1000,
     .max = 86400000,
     .dflt = "60s",
     .help = "How often an idle modem is asked for registration and signal"},
    {.name = "phone_file",
     .type = OPT_PATH,
     .offset = FIELD(phone_file),
     .help = "With device simulated: file that gets what the phone shows; default: the log"},
    {.name = "reset_socket",
     .type = OPT_PATH,
     .offset = FIELD(reset_socket),
     .help = "Socket of modem-reset, which may switch a silent modem's USB device or power off and on"},
    {.name = "reset_usb",
     .type = OPT_STRING,
     .offset = FIELD(reset_usb),
     .unit = "NAME",
     .help = "The USB device to ask it for, such as 1-1.2; default: the one behind the tty"},
    {.name = "reset_power",
     .type = OPT_STRING,
     .offset = FIELD(reset_power),
     .unit = "NAME",
     .help = "The power command to ask it for, as modem-reset.conf names it; default: none"},
    {.name = "ussd",
     .type = OPT_STRING,
     .offset = FIELD(ussd),
     .unit = "CODE",
     .help = "What asks the prepaid service for balance or validity, such as *100#"},
    {.name = "ussd_balance",
     .type = OPT_STRING,
     .offset = FIELD(ussd_balance),
     .unit = "PATTERN",
     .help = "Where the amount stands in its answer: extended regular expression, one group"},
    {.name = "ussd_validity",
     .type = OPT_STRING,
     .offset = FIELD(ussd_validity),
     .unit = "PATTERN",
     .help = "Where the date stands in its answer: extended regular expression, three groups"},
    {.name = "ussd_order",
     .type = OPT_ENUM,
     .offset = FIELD(ussd_order),
     .dflt = "ymd",
     .choices = "ymd|dmy|mdy",
     .help = "What the three groups of ussd_validity are"},
    {.name = "ussd_interval",
     .type = OPT_DURATION,
     .offset = FIELD(ussd_interval_ms),
     .min = 1000,
     .max = 2592000000.0,
     .dflt = "24h",
     .help = "How often the prepaid service is asked"},
    {.name = "ussd_packed",
     .type = OPT_BOOL,
     .offset = FIELD(ussd_packed),
     .dflt = "no",
     .help = "This modem wants and gives USSD packed in hex (some Huawei)"},
    {.name = "call",
     .type = OPT_ENUM,
     .offset = FIELD(call),
     .dflt = "never",
     .choices = "never|critical|alarms",
     .help =
	 "Ring the phone after the message of an alarm (and of a repeat); critical: of a CRITICAL one only"},
    {.name = "call_seconds",
     .type = OPT_DURATION,
     .offset = FIELD(call_ms),
     .min = 5000,
     .max = 45000,
     .dflt = "20s",
     .help = "How long the modem lets it ring; other pages wait that long"},
    {.name = "call_pause",
     .type = OPT_DURATION,
     .offset = FIELD(call_pause_ms),
     .max = 86400000,
     .dflt = "10m",
     .help = "A number that was rung is left alone that long"},
    {.name = NULL},
};

static void check_pattern(struct complaints *c, const char *item, const char *pattern, size_t groups)
{
	char why[160];

	if (pattern != NULL && !ussd_pattern_ok(pattern, groups, why, sizeof(why)))
		complaint_add(c, NULL, item, pattern, "%s", why);
}

static void check_ussd(const struct sms_conf *s, struct complaints *c)
{
	if (s->ussd != NULL && (strspn(s->ussd, "0123456789*#") != strlen(s->ussd) || strlen(s->ussd) < 2 ||
				strlen(s->ussd) > 60))
		complaint_add(c, NULL, "ussd", s->ussd, "digits, * and # only, at most 60");
	if (s->ussd == NULL && (s->ussd_balance != NULL || s->ussd_validity != NULL))
		complaint_add(c, NULL, "ussd", NULL, "needed with ussd_balance and ussd_validity");
	check_pattern(c, "ussd_balance", s->ussd_balance, 1);
	check_pattern(c, "ussd_validity", s->ussd_validity, 3);
}

void sms_check_conf(const void *conf, struct complaints *c)
{
	const struct sms_conf *s = conf;
	char why[160];

	if (usbtty_is_spec(s->device)) {
		if (!usbtty_check(s->device, why, sizeof(why)))
			complaint_add(c, NULL, "device", s->device, "%s", why);
	} else if (s->device[0] != '/' && strcmp(s->device, "simulated") != 0) {
		complaint_add(c, NULL, "device", s->device,
			      "neither an absolute path nor usb:VID:PID nor \"simulated\"");
	}
	if (s->pin_file != NULL && s->state_dir == NULL)
		complaint_add(c, NULL, "state_dir", NULL,
			      "needed with pin_file: a refused PIN must be remembered");
	if (s->smsc != NULL && !pdu_address_ok(s->smsc, why, sizeof(why)))
		complaint_add(c, NULL, "smsc", s->smsc, "%s", why);
	check_ussd(s, c);
	if (s->reset_socket == NULL && (s->reset_power != NULL || s->reset_usb != NULL))
		complaint_add(c, NULL, "reset_socket", NULL, "needed with reset_usb and reset_power");
	if (s->phone_file != NULL && strcmp(s->device, "simulated") != 0)
		complaint_add(c, NULL, "phone_file", s->phone_file,
			      "only the simulated modem has a phone that can be read");
}
