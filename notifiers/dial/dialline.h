/*
 * An analog line as the notifiers that dial use it (notify_dtmf, notify_tap): the options they share, one
 * modem that is kept ready, the rules of redialling, health, and hanging up whatever happens. A page goes
 *
 *	dial_begin -> hayes_dial or hayes_call on d->modem -> ... -> dial_end
 *
 * and dial_end is called for each dial_begin that returned true, whatever came between.
 */
#ifndef NOTIFIERS_DIAL_DIALLINE_H
#define NOTIFIERS_DIAL_DIALLINE_H

#include <stddef.h>

#include "drivers/modem/hayes.h"
#include "drivers/modem/redial.h"
#include "notifiers/notifier.h"

struct dial_conf {
	char *device;
	int64_t baud;
	int flow; /* 0 none, 1 rtscts */
	char *init;
	int dialing; /* 0 tone, 1 pulse */
	int64_t tone_ms, pause_ms, dial_tone_ms, answer_ms, lost_ms;
	int64_t line_max;
	int rules; /* index into redial_rules */
	bool emergency;
	int64_t blacklist_rest_ms;
	char *state_dir;
	int64_t check_interval_ms, listen_interval_ms;
};

/* The rows of an option table; TYPE holds a struct dial_conf as MEMBER. */
/* clang-format off */
#define DIAL_OPTIONS(TYPE, MEMBER) \
	{.name = "device", .type = OPT_STRING, .offset = offsetof(TYPE, MEMBER.device), .flags = OPT_REQUIRED, .unit = "PATH", \
	 .help = "The modem: a path (best one under /dev/serial/by-id) or usb:VID:PID[:SERIAL][@INTERFACE]"}, \
	{.name = "baud", .type = OPT_INT, .offset = offsetof(TYPE, MEMBER.baud), .min = 300, .max = 921600, .dflt = "9600", \
	 .help = "Speed between computer and modem, 8N1"}, \
	{.name = "flow", .type = OPT_ENUM, .offset = offsetof(TYPE, MEMBER.flow), .dflt = "none", .choices = "none|rtscts", \
	 .help = "Hardware flow control"}, \
	{.name = "init", .type = OPT_STRING, .offset = offsetof(TYPE, MEMBER.init), .dflt = "X4&D2", .unit = "COMMANDS", \
	 .help = "Sent behind AT before each call, after E0V1Q0. X4 hears dial tone and busy; X3 where there is no dial tone; " \
		 "&D2 hangs up when DTR falls"}, \
	{.name = "dialing", .type = OPT_ENUM, .offset = offsetof(TYPE, MEMBER.dialing), .dflt = "tone", .choices = "tone|pulse", \
	 .help = "How a number is dialled"}, \
	{.name = "tone_length", .type = OPT_DURATION, .offset = offsetof(TYPE, MEMBER.tone_ms), .min = 50, .max = 255, \
	 .dflt = "95ms", .help = "Of each touch tone and of the gap behind it (S11)"}, \
	{.name = "pause", .type = OPT_DURATION, .offset = offsetof(TYPE, MEMBER.pause_ms), .max = 60000, .dflt = "2s", \
	 .help = "Of a comma in a dial string (S8), whole seconds"}, \
	{.name = "dial_tone_wait", .type = OPT_DURATION, .offset = offsetof(TYPE, MEMBER.dial_tone_ms), .min = 2000, .max = 60000, \
	 .dflt = "5s", \
	 .help = "How long dial tone is waited for; where it is not listened for, off the hook so long first (S6)"}, \
	{.name = "answer_wait", .type = OPT_DURATION, .offset = offsetof(TYPE, MEMBER.answer_ms), .min = 5000, .max = 255000, \
	 .dflt = "45s", .help = "How long an answer is waited for (S7)"}, \
	{.name = "carrier_loss", .type = OPT_DURATION, .offset = offsetof(TYPE, MEMBER.lost_ms), .min = 100, .max = 25500, \
	 .dflt = "1400ms", .help = "Silence after which the modem takes a data call for over (S10)"}, \
	{.name = "command_length", .type = OPT_INT, .offset = offsetof(TYPE, MEMBER.line_max), .min = 20, .max = 100, .dflt = "40", \
	 .help = "Characters that the modem takes in one command; a longer dial string goes in pieces"}, \
	{.name = "redial", .type = OPT_ENUM, .offset = offsetof(TYPE, MEMBER.rules), .dflt = "cautious", .choices = REDIAL_RULES, \
	 .help = "Rules for dialling a number again that was not heard to answer. japan: 2 redials in 3 min; japan15: 15 in all, " \
		 "then 3 min of rest; cautious: 1 redial in 3 min"}, \
	{.name = "emergency", .type = OPT_BOOL, .offset = offsetof(TYPE, MEMBER.emergency), .dflt = "no", \
	 .help = "What this line tells is an emergency as the rules mean it (fire, theft and their like): redials are not limited"}, \
	{.name = "blacklist_rest", .type = OPT_DURATION, .offset = offsetof(TYPE, MEMBER.blacklist_rest_ms), .min = 1000, \
	 .max = 86400000, .dflt = "30m", .help = "How long a number rests that the modem itself has blacklisted"}, \
	{.name = "state_dir", .type = OPT_PATH, .offset = offsetof(TYPE, MEMBER.state_dir), \
	 .help = "Where the dials are remembered across restarts; needed unless redial is none"}, \
	{.name = "check_interval", .type = OPT_DURATION, .offset = offsetof(TYPE, MEMBER.check_interval_ms), .min = 1000, \
	 .max = 86400000, .dflt = "60s", \
	 .help = "How often an idle modem is asked whether it is there, and a line without dial tone listened to"}, \
	{.name = "listen_interval", .type = OPT_DURATION, .offset = offsetof(TYPE, MEMBER.listen_interval_ms), .max = 604800000, \
	 .dflt = "1h", \
	 .help = "How often the receiver is lifted to hear whether there is dial tone; 0: never, as where there is none"}
/* clang-format on */

/* Rules no row can say. */
void dial_check_conf(const struct dial_conf *k, struct complaints *c);

enum { DIAL_WHY_MAX = 400 };

struct dial {
	const struct dial_conf *conf;
	const char *line;
	struct hayes *modem; /* NULL: not open */
	struct redial redial;
	char *path; /* of the memory; NULL: none is kept */
	int64_t next_try, backoff_ms, next_check, next_listen;
	bool no_tone; /* the last time anybody listened */

	bool healthy;
	char said[DIAL_WHY_MAX]; /* health, as last told */
	char why[DIAL_WHY_MAX];	 /* why the modem is not ready; "" it is */
};

/* Also takes SIGTERM, so that a call under way is hung up and its outcome told before the program ends. */
bool dial_start(struct dial *d, const struct dial_conf *conf, const char *line, char *why, size_t size);
void dial_stop(struct dial *d);

/* Permission of the rules and a modem that is ready; the dial is remembered, durably, before this returns
 * true. False: *o and detail are the page's outcome (a retry that says when it may be dialled again, or what
 * ails the modem). */
bool dial_begin(struct dial *d, const char *number, int64_t deadline, enum outcome *o, char *detail,
		size_t size);
/* When the call must be over: the deadline, less the time it takes to hang up, and what the rules say about a
 * number that does not answer. */
int64_t dial_deadline(const struct dial *d, int64_t deadline);
/* Hangs up, counts, tells health. done: the call came to its end as meant, so what is dialled next is no
 * redial. */
void dial_end(struct dial *d, const char *number, const struct hayes_call *c, bool done);
/* What a result that is no success means for a page of which nothing can have arrived, and says it in detail.
 */
enum outcome dial_failed(const struct dial *d, const struct hayes_call *c, char *detail, size_t size);

/* SIGTERM came: what waits shall end soon. */
bool dial_stopping(void);
/* For struct notifier's members of the same names. */
int dial_fd(const struct dial *d, int *wait_ms);
void dial_idle(struct dial *d);

#endif
