/*
 * One command, one answer, and in between whatever the modem likes to say: for the SMS line. Promises that an
 * unsolicited line between any two lines disturbs nothing, that no wait is longer than its deadline, and that
 * foreign bytes fill nothing beyond AT_ANSWER_MAX.
 */
#include "at.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "cms.h"

enum { WRITE_MS = 5000 };

struct at {
	struct serial *s;
	at_unasked *unasked;
	void *arg;
	struct at_lines lines;
	char in[512]; /* read and not yet fed */
	size_t in_at, in_len;
	char command[600];          /* in progress, to know its echo; "" when idle */
	char pdu_of[AT_LINE_MAX + 1]; /* the unsolicited line whose PDU comes next; "" none */
	bool answer_pdu;            /* the line just collected has a PDU on the next line */
};

struct at *at_new(struct serial *s, at_unasked *unasked, void *arg)
{
	struct at *at = calloc(1, sizeof(*at));

	if (at == NULL) {
		serial_close(s);
		return NULL;
	}
	at->s = s;
	at->unasked = unasked;
	at->arg = arg;
	at_lines_init(&at->lines);
	return at;
}

void at_free(struct at *at)
{
	if (at == NULL)
		return;
	serial_close(at->s);
	free(at);
}

struct serial *at_serial(const struct at *at)
{
	return at->s;
}

void at_answer_init(struct at_answer *a)
{
	memset(a, 0, sizeof(*a));
	a->code = -1;
	buf_init(&a->text, AT_ANSWER_MAX);
}

void at_answer_fini(struct at_answer *a)
{
	buf_fini(&a->text);
}

static void answer_reset(struct at_answer *a)
{
	buf_reset(&a->text);
	a->n = 0;
	a->code = -1;
	a->final = AT_TIMEOUT;
	a->said[0] = '\0';
}

/* Lines beyond the maximum are left out; the final result still counts. */
static void answer_add(struct at_answer *a, const char *line)
{
	if (a->n < AT_ANSWER_LINES && buf_add(&a->text, line, strlen(line) + 1))
		a->n++;
}

static void answer_index(struct at_answer *a)
{
	const char *p = buf_str(&a->text);

	for (size_t i = 0; i < a->n; i++) {
		a->line[i] = p;
		p += strlen(p) + 1;
	}
}

/* The next line or prompt by the deadline. AT_OK: at->lines.line holds a line. */
static enum at_final next_line(struct at *at, int64_t deadline)
{
	for (;;) {
		ssize_t n;

		while (at->in_at < at->in_len) {
			enum at_fed f = at_lines_feed(&at->lines, at->in[at->in_at++]);

			if (f != AT_FED_NOTHING)
				return f == AT_FED_LINE ? AT_OK : AT_PROMPT;
		}
		n = serial_read(at->s, at->in, sizeof(at->in));
		if (n < 0)
			return AT_GONE;
		at->in_at = 0;
		at->in_len = (size_t)n;
		if (n == 0) {
			int w = serial_wait(at->s, deadline);

			if (w <= 0)
				return w == 0 ? AT_TIMEOUT : AT_GONE;
		}
	}
}

static bool is_hex(const char *line)
{
	size_t n = strlen(line);

	return n >= 2 && strspn(line, "0123456789ABCDEFabcdef") == n;
}

static void tell(struct at *at, const char *line, const char *pdu)
{
	if (at->unasked != NULL)
		at->unasked(at->arg, line, pdu);
}

/* Handles a line that is no part of an answer. */
static void unasked_line(struct at *at, const char *line)
{
	if (at->pdu_of[0] != '\0' && is_hex(line)) {
		tell(at, at->pdu_of, line);
		at->pdu_of[0] = '\0';
		return;
	}
	if (at_pdu_follows(line)) {
		snprintf(at->pdu_of, sizeof(at->pdu_of), "%s", line);
		return;
	}
	if (strcmp(line, at->command) != 0)
		tell(at, line, NULL);
}

static bool starts(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

static bool belongs(struct at *at, const char *line, const char *prefix)
{
	if (at->pdu_of[0] != '\0' && is_hex(line))
		return false;
	if (at->answer_pdu && is_hex(line))
		return true;
	if (prefix != NULL)
		return starts(line, prefix);
	return !at_unsolicited(line) && strcmp(line, at->command) != 0;
}

static enum at_final final_of(enum at_kind k)
{
	switch (k) {
	case AT_LINE_OK: return AT_OK;
	case AT_LINE_CME: return AT_CME;
	case AT_LINE_CMS: return AT_CMS;
	case AT_LINE_ERROR:
	case AT_LINE_OTHER: break;
	}
	return AT_ERROR;
}

static enum at_final collect(struct at *at, const char *prefix, bool prompt, int64_t deadline,
			     struct at_answer *a)
{
	for (;;) {
		enum at_final f = next_line(at, deadline);
		const char *line = at->lines.line;
		enum at_kind k;

		if (f == AT_PROMPT && !prompt)
			continue;
		if (f != AT_OK) {
			a->final = f;
			break;
		}
		k = at_classify(line, &a->code);
		if (k != AT_LINE_OTHER) {
			a->final = final_of(k);
			snprintf(a->said, sizeof(a->said), "%.23s", line);
			at->command[0] = '\0';
			break;
		}
		if (belongs(at, line, prefix)) {
			at->answer_pdu = !at->answer_pdu && at_pdu_follows(line);
			answer_add(a, line);
		} else {
			unasked_line(at, line);
		}
	}
	answer_index(a);
	return a->final;
}

static bool send_command(struct at *at, const char *command, struct at_answer *a)
{
	char line[640], why[300];
	int n = snprintf(line, sizeof(line), "%s\r", command);

	answer_reset(a);
	at->answer_pdu = false;
	if (n < 0 || n >= (int)sizeof(line)) {
		a->final = AT_ERROR;
		return false;
	}
	/* what came since the last answer is unsolicited, or the tail of an old mess: never this command's
	 * answer */
	if (!at_idle(at)) {
		a->final = AT_GONE;
		return false;
	}
	snprintf(at->command, sizeof(at->command), "%s", command);
	if (serial_write(at->s, line, (size_t)n, clock_boot_ms() + WRITE_MS, NULL, why, sizeof(why)))
		return true;
	a->final = serial_gone(at->s) ? AT_GONE : AT_TIMEOUT;
	return false;
}

enum at_final at_command(struct at *at, const char *command, const char *prefix, int64_t deadline,
			 struct at_answer *a)
{
	return send_command(at, command, a) ? collect(at, prefix, false, deadline, a) : a->final;
}

enum at_final at_prompt(struct at *at, const char *command, int64_t deadline, struct at_answer *a)
{
	/* a prefix no line has: an early +CMGS would be nonsense */
	return send_command(at, command, a) ? collect(at, "\n", true, deadline, a) : a->final;
}

bool at_raw(struct at *at, const char *bytes, size_t len, int64_t deadline, bool *sent)
{
	char why[300];
	size_t done = 0;
	bool ok = serial_write(at->s, bytes, len, deadline, &done, why, sizeof(why));

	if (sent != NULL)
		*sent = done == len;
	return ok;
}

enum at_final at_result(struct at *at, const char *prefix, int64_t deadline, bool fresh, struct at_answer *a)
{
	if (fresh)
		answer_reset(a);
	return collect(at, prefix, false, deadline, a);
}

bool at_idle(struct at *at)
{
	for (;;) {
		enum at_final f = next_line(at, 0);
		int code;

		if (f == AT_TIMEOUT)
			return true;
		if (f == AT_GONE)
			return false;
		if (f == AT_OK &&
		    (at_classify(at->lines.line, &code) == AT_LINE_OTHER || at_call_end(at->lines.line)))
			unasked_line(at, at->lines.line);
	}
}

void at_resync(struct at *at)
{
	serial_discard_input(at->s);
	at_lines_init(&at->lines);
	at->in_at = at->in_len = 0;
	at->command[0] = at->pdu_of[0] = '\0';
	at->answer_pdu = false;
}

char *at_final_text(const struct at_answer *a, char *out, size_t size)
{
	switch (a->final) {
	case AT_OK: snprintf(out, size, "OK"); break;
	case AT_ERROR: snprintf(out, size, "%s", a->said[0] != '\0' ? a->said : "ERROR"); break;
	case AT_CME: snprintf(out, size, "+CME ERROR %d (%s)", a->code, cme_text(a->code)); break;
	case AT_CMS: snprintf(out, size, "+CMS ERROR %d (%s)", a->code, cms_text(a->code)); break;
	case AT_TIMEOUT: snprintf(out, size, "no answer in time"); break;
	case AT_PROMPT: snprintf(out, size, "a prompt"); break;
	case AT_GONE: snprintf(out, size, "the device went away"); break;
	}
	return out;
}
