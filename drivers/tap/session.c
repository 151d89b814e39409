/*
 * The dialogue with a TAP terminal; see session.h. One function a state, each of which decides every event;
 * what is not named there is ignored on purpose (line noise, answers that came late).
 */
#include "session.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAKE_MS = 2000, ANSWER_MS = 10000, BYE_MS = 5000, WAKE_CRS = 5 };

/* --- out --------------------------------------------------------------------------------------------- */

static void put(struct tap *t, const char *bytes, size_t n)
{
	if (n > sizeof(t->out) - t->nout)
		return; /* nobody wrote it: the line is dead, and the time limit says so */
	memcpy(t->out + t->nout, bytes, n);
	t->nout += n;
}

static void await(struct tap *t, enum tap_state state, int64_t ms, int64_t now)
{
	t->state = state;
	t->until = ms == INT64_MAX ? INT64_MAX : now + ms;
}

static int64_t answer_ms(const struct tap *t)
{
	return t->rules.answer_ms > 0 ? t->rules.answer_ms : ANSWER_MS;
}

static int64_t wake_ms(const struct tap *t)
{
	return t->rules.wake_ms > 0 ? t->rules.wake_ms : WAKE_MS;
}

/* --- ends -------------------------------------------------------------------------------------------- */

static void over(struct tap *t, const char *why)
{
	t->state = TAP_OVER;
	t->until = INT64_MAX;
	if (why != NULL && t->why[0] == '\0')
		snprintf(t->why, sizeof(t->why), "%s%s%.100s", why, t->said[0] != '\0' ? "; it said: " : "",
			 t->said);
	if (t->verdict == TAP_PENDING)
		t->verdict = TAP_NOT_NOW;
}

static void decide(struct tap *t, enum tap_verdict v, const char *why)
{
	t->verdict = v;
	snprintf(t->why, sizeof(t->why), "%s%s%.100s", why, t->said[0] != '\0' ? ": " : "", t->said);
}

/* TAP 1.8, 5.3: 5xx say why; what another try cannot mend is rejected for good. */
static enum tap_verdict by_code(int code)
{
	switch (code) {
	case 501: /* time-out */
	case 502: /* a character it did not expect */
	case 503: /* too many attempts */
	case 512: /* pager unknown for now, service suspended */
	case 514: /* checksum */
	case 516: /* resources */
		return TAP_NOT_NOW;
	default:
		return TAP_REJECTED;
	}
}

/* --- the states -------------------------------------------------------------------------------------- */

static void log_on(struct tap *t, int64_t now)
{
	put(t, "\033PG1", 4);
	if (t->rules.password != NULL)
		put(t, t->rules.password, strlen(t->rules.password));
	put(t, "\r", 1);
	await(t, TAP_LOGON, answer_ms(t), now);
}

static void in_wake(struct tap *t, enum tap_event e, int64_t now)
{
	if (e == TAP_GOT_ID) {
		t->tries = 1;
		log_on(t, now);
	} else if (e == TAP_GOT_GO) {
		await(t, TAP_READY, INT64_MAX, now); /* a terminal that asks for no log-on */
	} else if (e == TAP_GOT_OFF) {
		over(t, "the terminal hung up at once");
	} else if (e == TAP_LATE && t->tries >= WAKE_CRS) {
		over(t, "no ID= came from the other side");
	} else if (e == TAP_LATE) {
		t->tries++;
		put(t, "\r", 1);
		await(t, TAP_WAKE, wake_ms(t), now);
	}
}

static void log_on_again(struct tap *t, const char *why, int64_t now)
{
	t->bad_logon = true;
	if (t->tries >= TAP_TRIES) {
		over(t, why);
		return;
	}
	t->tries++;
	log_on(t, now);
}

static void in_logon(struct tap *t, enum tap_event e, int64_t now)
{
	if (e == TAP_GOT_ACK) {
		t->bad_logon = false;
		await(t, TAP_GO, answer_ms(t), now);
	} else if (e == TAP_GOT_GO) {
		t->bad_logon = false;
		await(t, TAP_READY, INT64_MAX, now);
	} else if (e == TAP_GOT_NAK || e == TAP_GOT_ID) {
		log_on_again(t, "the terminal refuses the log-on", now);
	} else if (e == TAP_LATE) {
		log_on_again(t, "no answer to the log-on", now);
	} else if (e == TAP_GOT_OFF) {
		t->bad_logon = true;
		over(t, "the terminal refuses the log-on and hangs up");
	}
}

static void in_go(struct tap *t, enum tap_event e, int64_t now)
{
	if (e == TAP_GOT_GO)
		await(t, TAP_READY, INT64_MAX, now);
	else if (e == TAP_GOT_OFF)
		over(t, "the terminal hung up after the log-on");
	else if (e == TAP_LATE)
		over(t, "logged on, but the terminal does not take pages");
}

static void send_block(struct tap *t, int64_t now)
{
	const struct tap_block *b = &t->block[t->at];

	t->code = 0;
	t->said[0] = '\0';
	put(t, b->bytes, b->len);
	await(t, TAP_BLOCK, answer_ms(t), now);
}

static void block_acknowledged(struct tap *t, int64_t now)
{
	t->tries = 1;
	if (++t->at < t->nblocks) {
		send_block(t, now);
		return;
	}
	await(t, TAP_READY, INT64_MAX, now);
	decide(t, TAP_TAKEN, "the terminal acknowledged it");
}

static void block_refused(struct tap *t, int64_t now)
{
	if (t->tries < TAP_TRIES) {
		t->tries++;
		send_block(t, now);
		return;
	}
	await(t, TAP_READY, INT64_MAX, now);
	decide(t, TAP_NOT_NOW, "the terminal got it damaged three times");
}

static void in_block(struct tap *t, enum tap_event e, int64_t now)
{
	bool last = t->at + 1 == t->nblocks;

	if (e == TAP_GOT_ACK) {
		block_acknowledged(t, now);
	} else if (e == TAP_GOT_NAK) {
		block_refused(t, now);
	} else if (e == TAP_GOT_RS) {
		await(t, TAP_READY, INT64_MAX, now);
		decide(t, by_code(t->code), "the terminal rejects it");
	} else if (e == TAP_GOT_OFF) {
		decide(t, t->code >= 500 ? by_code(t->code) : TAP_NOT_NOW,
		       "the terminal hung up instead of taking it");
		over(t, NULL);
	} else if (e == TAP_LATE) {
		decide(t, last ? TAP_DOUBT : TAP_NOT_NOW, "no answer to a block");
		over(t, NULL);
	}
}

static void in_bye(struct tap *t, enum tap_event e)
{
	if (e == TAP_GOT_RS) {
		t->taken_back = true;
		snprintf(t->why, sizeof(t->why),
			 "at the end the terminal rejects what it acknowledged%s%.100s",
			 t->said[0] != '\0' ? ": " : "", t->said);
	} else if (e == TAP_GOT_OFF) {
		t->parted = true;
		over(t, NULL);
	} else if (e == TAP_LATE) {
		over(t, NULL);
	}
}

static void happens(struct tap *t, enum tap_event e, int64_t now)
{
	switch (t->state) {
	case TAP_WAKE:
		in_wake(t, e, now);
		break;
	case TAP_LOGON:
		in_logon(t, e, now);
		break;
	case TAP_GO:
		in_go(t, e, now);
		break;
	case TAP_READY:
		if (e == TAP_GOT_OFF)
			over(t, "the terminal hung up");
		break;
	case TAP_BLOCK:
		in_block(t, e, now);
		break;
	case TAP_BYE:
		in_bye(t, e);
		break;
	case TAP_OVER:
		break;
	}
}

/* --- in ---------------------------------------------------------------------------------------------- */

/* A message of the terminal: "211 Page accepted", or words without a number. */
static void message(struct tap *t)
{
	t->line[t->nline] = '\0';
	t->nline = 0;
	if (t->line[0] == '\0')
		return;
	snprintf(t->said, sizeof(t->said), "%s", t->line);
	if (isdigit((unsigned char)t->line[0]) && isdigit((unsigned char)t->line[1]) &&
	    isdigit((unsigned char)t->line[2]) && !isdigit((unsigned char)t->line[3]))
		t->code = atoi(t->line);
}

static void text(struct tap *t, char c, int64_t now)
{
	if (t->nline < sizeof(t->line) - 1)
		t->line[t->nline++] = c;
	t->line[t->nline] = '\0';
	if (t->nline >= 3 && memcmp(t->line + t->nline - 3, "ID=", 3) == 0) {
		t->nline = 0;
		happens(t, TAP_GOT_ID, now);
	}
}

/* ESC EOT and ESC [ p. True: the byte belonged to one. */
static bool escaped(struct tap *t, char c, int64_t now)
{
	char was = t->esc;

	t->esc = 0;
	if (c == TAP_ESC || (was == TAP_ESC && c == '[')) {
		t->esc = c;
		return true;
	}
	if (was == TAP_ESC && c == TAP_EOT) {
		happens(t, TAP_GOT_OFF, now);
		return true;
	}
	if (was == '[' && c == 'p') {
		happens(t, TAP_GOT_GO, now);
		return true;
	}
	return false;
}

static void take(struct tap *t, char c, int64_t now)
{
	if (escaped(t, c, now))
		return;
	if (c == '\r' || c == '\n')
		message(t);
	else if (c == TAP_ACK)
		happens(t, TAP_GOT_ACK, now);
	else if (c == TAP_NAK)
		happens(t, TAP_GOT_NAK, now);
	else if (c == TAP_RS)
		happens(t, TAP_GOT_RS, now);
	else if (isprint((unsigned char)c))
		text(t, c, now);
}

void tap_take(struct tap *t, const char *bytes, size_t n, int64_t now)
{
	for (size_t i = 0; i < n; i++)
		take(t, (char)(bytes[i] & 0x7F), now);
}

void tap_tick(struct tap *t, int64_t now)
{
	if (now >= t->until)
		happens(t, TAP_LATE, now);
}

/* --- what the owner wants ---------------------------------------------------------------------------- */

void tap_begin(struct tap *t, const struct tap_rules *rules, int64_t now)
{
	memset(t, 0, sizeof(*t));
	t->rules = *rules;
	t->tries = 1;
	put(t, "\r", 1);
	await(t, TAP_WAKE, wake_ms(t), now);
}

bool tap_page(struct tap *t, const char *pager, const char *text, int64_t now)
{
	size_t max = t->rules.data_max > 0 ? t->rules.data_max : TAP_DATA_MAX;

	t->why[0] = '\0';
	t->said[0] = '\0';
	t->nblocks = tap_blocks(pager, text, max, t->block, TAP_BLOCKS_MAX);
	if (t->nblocks == 0) {
		decide(t, TAP_REJECTED, "it cannot be written in seven-bit blocks");
		return false;
	}
	t->verdict = TAP_PENDING;
	t->at = 0;
	t->tries = 1;
	send_block(t, now);
	return true;
}

void tap_bye(struct tap *t, int64_t now)
{
	if (t->state == TAP_OVER)
		return;
	t->said[0] = '\0';
	put(t, "\004\r", 2);
	await(t, TAP_BYE, t->rules.bye_ms > 0 ? t->rules.bye_ms : BYE_MS, now);
}

void tap_lost(struct tap *t, const char *why)
{
	bool sent = t->state == TAP_BLOCK && t->at + 1 == t->nblocks && t->verdict == TAP_PENDING;

	if (sent)
		decide(t, TAP_DOUBT, why);
	over(t, why);
}
