/*
 * The dialogue with an analog modem; see hayes.h. For the notifiers that dial. Promises that nothing is left
 * off the hook that can be hung up: after every call, at the end of the program, at the next start after a
 * crash, and by the kernel itself (the port drops DTR when it is closed by whatever cause). What the modem
 * says beside results, half an echo and line noise disturb nothing.
 */
#include "hayes_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

enum {
	COMMAND_MS = 2000, /* for the answer to anything that does not dial */
	HANG_UP_MS = 1500, /* for the answer to each step of hanging up */
	DTR_MS = 400,
	GUARD_MS = 1100,  /* silence around +++ (S12 is 50 fiftieths of a second) */
	RINGING_MS = 7000 /* the longest cadence is 6 s */
};

struct hayes *hayes_open(const struct hayes_settings *set, char *why, size_t size)
{
	struct serial_settings line = {.baud = set->baud, .rtscts = set->rtscts, .drop_dtr = true};
	struct hayes *h = calloc(1, sizeof(*h));

	if (h == NULL) {
		snprintf(why, size, "out of memory");
		return NULL;
	}
	h->set = *set;
	h->s = serial_open(set->device, &line, why, size);
	if (h->s == NULL) {
		free(h);
		return NULL;
	}
	at_lines_init(&h->lines);
	log_info("%s: opened %s (%s)", set->line, serial_path(h->s), serial_backend(h->s));
	return h;
}

void hayes_close(struct hayes *h)
{
	if (h == NULL)
		return;
	if (h->off_hook && !h->in_vain && !serial_gone(h->s))
		hayes_hang_up(h);
	serial_close(h->s);
	free(h);
}

int hayes_fd(const struct hayes *h)
{
	return serial_fd(h->s);
}

const char *hayes_path(const struct hayes *h)
{
	return serial_path(h->s);
}

bool hayes_gone(const struct hayes *h)
{
	return serial_gone(h->s);
}

bool hayes_off_hook(const struct hayes *h)
{
	return h->off_hook;
}

bool hayes_rings(const struct hayes *h)
{
	return h->rang_at > 0 && clock_boot_ms() - h->rang_at < RINGING_MS;
}

/* --- hanging up -------------------------------------------------------------------------------------- */

/* False: the device has no such line. */
static bool pulse_dtr(struct hayes *h)
{
	if (!serial_dtr(h->s, false))
		return false;
	usleep(DTR_MS * 1000);
	serial_dtr(h->s, true);
	usleep(DTR_MS * 1000);
	return true;
}

/* From a data call back to taking commands. */
static void escape(struct hayes *h)
{
	struct hayes_said s;
	int64_t end = clock_boot_ms() + GUARD_MS;

	/* nothing is written meanwhile, and what arrives is of no interest any more */
	do
		s = hayes_next_line(h, end);
	while (s.result != HAYES_TIMEOUT && s.result != HAYES_GONE);
	at_lines_init(&h->lines);
	if (hayes_put(h, "+++", 3) == HAYES_OK &&
	    hayes_next_result(h, clock_boot_ms() + HANG_UP_MS).result == HAYES_OK)
		return;
	/* it took commands all along: that was half of one */
	hayes_put(h, "\r", 1);
}

static bool say_ath(struct hayes *h)
{
	/* E0V1Q0 first: in another mode its OK would not be recognised */
	return hayes_command(h, h->known ? "ATH0" : "ATE0V1Q0H0", clock_boot_ms() + HANG_UP_MS).result ==
	       HAYES_OK;
}

bool hayes_hang_up(struct hayes *h)
{
	bool ok = false, dropped;

	h->hanging_up = true;
	dropped = pulse_dtr(h);
	/* in a call it would be data */
	if (!h->connected || dropped) {
		/* any byte ends a dial under way; its NO CARRIER is not the answer to what comes next */
		hayes_put(h, "\r", 1);
		hayes_drain(h);
		ok = say_ath(h);
	}
	if (!ok && !serial_gone(h->s)) {
		escape(h);
		ok = say_ath(h);
	}
	h->known = ok;
	h->in_vain = !ok;
	h->off_hook = !ok && !serial_gone(h->s);
	h->connected = h->over = h->hanging_up = false;
	if (!ok)
		log_warn("%s: the modem did not confirm that it hung up", h->set.line);
	return ok;
}

/* --- setting up -------------------------------------------------------------------------------------- */

static bool because(char *why, size_t size, const char *what, enum hayes_result r)
{
	snprintf(why, size, "%s: %s", what, hayes_text(r));
	return false;
}

/* All registers in one line; one after the other when that is too much for it. A modem without S11 still
 * dials. */
static bool set_registers(struct hayes *h, int64_t deadline, char *why, size_t size)
{
	const struct hayes_settings *p = &h->set;
	const struct {
		int reg, value;
	} s[] = {{6, p->dial_tone_s}, {7, p->answer_s}, {8, p->pause_s}, {10, p->lost_ds}, {11, p->tone_ms}};
	char text[HAYES_COMMAND_MAX];
	enum hayes_result r;

	snprintf(text, sizeof(text), "ATS6=%dS7=%dS8=%dS10=%dS11=%d", s[0].value, s[1].value, s[2].value,
		 s[3].value, s[4].value);
	r = hayes_command(h, text, hayes_within(COMMAND_MS, deadline)).result;
	if (r == HAYES_OK)
		return true;
	for (size_t i = 0; i < sizeof(s) / sizeof(s[0]) && (r == HAYES_ERROR || r == HAYES_OK); i++) {
		snprintf(text, sizeof(text), "ATS%d=%d", s[i].reg, s[i].value);
		r = hayes_command(h, text, hayes_within(COMMAND_MS, deadline)).result;
		if (r == HAYES_ERROR && !h->complained)
			log_warn("%s: the modem refuses S%d=%d", p->line, s[i].reg, s[i].value);
	}
	h->complained = true;
	return r == HAYES_OK || r == HAYES_ERROR || because(why, size, "setting registers", r);
}

bool hayes_ready(struct hayes *h, int64_t deadline, char *why, size_t size)
{
	enum hayes_result r = HAYES_TIMEOUT;
	char text[HAYES_COMMAND_MAX];

	/* a modem just opened may be in a call, in a dial or at half a command: it hangs up first */
	if (h->known && !h->off_hook)
		r = hayes_command(h, "ATE0V1Q0", hayes_within(COMMAND_MS, deadline)).result;
	h->known = h->known && r == HAYES_OK;
	if (r != HAYES_OK && r != HAYES_STOPPED && !hayes_hang_up(h))
		return because(why, size, "the modem does not answer",
			       hayes_gone(h) ? HAYES_GONE : HAYES_TIMEOUT);
	if (h->set.init[0] != '\0') {
		snprintf(text, sizeof(text), "AT%s", h->set.init);
		r = hayes_command(h, text, hayes_within(COMMAND_MS, deadline)).result;
		if (r != HAYES_OK)
			return because(why, size, "the modem does not take init", r);
	}
	return set_registers(h, deadline, why, size);
}

bool hayes_alive(struct hayes *h, int64_t deadline)
{
	bool ok = hayes_command(h, "AT", hayes_within(COMMAND_MS, deadline)).result == HAYES_OK;

	h->known = h->known && ok;
	return ok;
}

/* --- dialling ---------------------------------------------------------------------------------------- */

/* One piece of s; *at moves on. data: the last piece stays without the semicolon. */
static struct hayes_said dial_one(struct hayes *h, const char *s, size_t *at, bool data, int64_t deadline)
{
	char text[HAYES_COMMAND_MAX];
	struct hayes_said r;

	dial_piece(s, at, h->set.tone, h->set.piece_max, text, sizeof(text));
	if (data && s[*at] == '\0')
		text[strlen(text) - 1] = '\0';
	h->off_hook = true;
	r = hayes_command(h, text, deadline);
	/* whatever it is doing now it does not tell */
	h->known = r.result != HAYES_TIMEOUT && r.result != HAYES_STOPPED;
	return r;
}

/* The receiver is up already: no dial tone will come, and no long wait is wanted. What it says to that does
 * not matter. */
static void before_more(struct hayes *h, int64_t deadline)
{
	hayes_command(h, "ATX3S6=2", hayes_within(COMMAND_MS, deadline));
}

static struct hayes_call dial(struct hayes *h, const char *s, bool data, int64_t deadline)
{
	struct hayes_call c = {.result = HAYES_ERROR};
	struct hayes_said r = {.result = HAYES_ERROR};
	bool last;

	if (s[0] == '\0')
		return c;
	do {
		if (c.given > 0)
			before_more(h, deadline);
		r = dial_one(h, s, &c.given, data, deadline);
		last = s[c.given] == '\0';
		if (r.result == HAYES_OK && !(data && last))
			c.dialled = c.given;
	} while (r.result == HAYES_OK && !last);
	c.result = r.result;
	c.speed = r.speed;
	c.wait_s = r.wait_s;
	return c;
}

struct hayes_call hayes_dial(struct hayes *h, const char *s, int64_t deadline)
{
	return dial(h, s, false, deadline);
}

struct hayes_call hayes_call(struct hayes *h, const char *s, int64_t deadline)
{
	struct hayes_call c = dial(h, s, true, deadline);

	h->connected = c.result == HAYES_CONNECT;
	h->over = false;
	h->lost_at = 0;
	/* the line end of CONNECT, when it is here already */
	if (h->connected && h->in_at < h->in_len && h->in[h->in_at] == '\n')
		h->in_at++;
	return c;
}

enum hayes_result hayes_listen(struct hayes *h, int64_t deadline)
{
	enum hayes_result r;

	h->off_hook = true;
	r = hayes_command(h, "ATDW;", deadline).result;
	h->known = r != HAYES_TIMEOUT && r != HAYES_STOPPED;
	hayes_hang_up(h);
	return r;
}

/* --- connected --------------------------------------------------------------------------------------- */

/* Follows the stream for the modem's own words at its end. */
static void watch_for_the_end(struct hayes *h, const char *bytes, size_t n)
{
	static const char lost[] = "\r\nNO CARRIER\r\n";

	for (size_t i = 0; i < n && !h->over; i++) {
		if (bytes[i] != lost[h->lost_at])
			h->lost_at = 0;
		if (bytes[i] == lost[h->lost_at])
			h->lost_at++;
		h->over = h->lost_at == sizeof(lost) - 1;
	}
}

ssize_t hayes_read(struct hayes *h, void *buf, size_t size)
{
	size_t n = h->in_len - h->in_at;

	if (n == 0) {
		if (h->over || hayes_fill(h, 0) == HAYES_GONE)
			return -1;
		n = h->in_len - h->in_at;
	}
	if (n > size)
		n = size;
	memcpy(buf, h->in + h->in_at, n);
	watch_for_the_end(h, buf, n);
	h->in_at += n;
	return (ssize_t)n;
}

int hayes_wait(struct hayes *h, int64_t deadline)
{
	if (h->in_at < h->in_len)
		return 1;
	if (h->over)
		return -1;
	switch (hayes_fill(h, deadline)) {
	case HAYES_OTHER:
		return 1;
	case HAYES_TIMEOUT:
		return 0;
	default:
		return -1;
	}
}

bool hayes_write(struct hayes *h, const void *data, size_t len, int64_t deadline, char *why, size_t size)
{
	if (h->over) {
		snprintf(why, size, "the other side hung up");
		return false;
	}
	return serial_write(h->s, data, len, deadline, NULL, why, size);
}
