/*
 * What the simulated modem says and when, and its power. Below all that answers commands.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "simstate.h"

enum { BOOT_MS = 300 };

void sim_reset_session(struct sim *s)
{
	s->mode = SIM_COMMAND;
	s->echo = true;
	s->cmee = 0;
	s->cnmi_mt = s->cnmi_ds = 0;
	s->creg_urc = s->cereg_urc = 0;
	s->len = 0;
}

void sim_drop_queue(struct sim *s)
{
	for (size_t i = 0; i < s->nqueue; i++)
		free(s->queue[i].bytes);
	s->nqueue = 0;
	s->busy = 0;
}

void sim_call_over(struct sim *s, const char *how, int64_t now)
{
	if (!s->in_call)
		return;
	s->in_call = false;
	s->call_ms = now - s->call_at;
	snprintf(s->call_end, sizeof(s->call_end), "%s", how);
	if (s->calls.rings != NULL)
		s->calls.rings(s->arg, s->call_to, false);
}

void sim_power_on(struct sim *s, int64_t now)
{
	sim_call_over(s, "power", now);
	sim_drop_queue(s);
	sim_reset_session(s);
	s->ready = s->pin[0] == '\0';
	s->boot_until = now + BOOT_MS;
	s->resets++;
	sim_say(s, s->boot_until, false, "\r\n^BOOT:21459702,0,0,0,89\r\n");
	sim_say(s, s->boot_until, false, "\r\nRDY\r\n");
}

void sim_note(struct sim *s, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s->calls.note(s->arg, text);
}

void sim_say(struct sim *s, int64_t due, bool final, const char *fmt, ...)
{
	struct sim_chunk *c = &s->queue[s->nqueue];
	char *bytes = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&bytes, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if (s->nqueue == SIM_QUEUE_MAX) {
		free(bytes);
		sim_note(s, "the output queue is full; nobody reads");
		return;
	}
	*c = (struct sim_chunk){.due = due, .bytes = bytes, .len = (size_t)n, .final = final};
	s->nqueue++;
	s->busy += final;
}

/* --- sending ----------------------------------------------------------------------------------------- */

static void remove_chunk(struct sim *s, size_t i)
{
	struct sim_chunk c = s->queue[i];

	memmove(&s->queue[i], &s->queue[i + 1], (s->nqueue - i - 1) * sizeof(s->queue[0]));
	s->nqueue--;
	s->busy -= c.final;
	free(c.bytes);
	if (c.call)
		sim_call_over(s, "far end", c.due);
}

/* Byte by byte, as over a bad line; in how many ms it goes on. */
static int64_t send_slowly(struct sim *s, size_t i, int64_t now, struct buf *out)
{
	struct sim_chunk *c = &s->queue[i];

	if (now < s->byte_at)
		return s->byte_at - now;
	buf_add_cut(out, c->bytes + c->at++, 1);
	s->byte_at = now + s->fault[SIM_SLOWBYTES].value;
	/* whoever reads "OK" and CR may go on before the LF came */
	if (c->final && c->at + 1 >= c->len) {
		c->final = false;
		s->busy--;
	}
	if (c->at == c->len)
		remove_chunk(s, i);
	return s->fault[SIM_SLOWBYTES].value;
}

int64_t sim_output(struct sim *s, int64_t now, struct buf *out)
{
	int64_t next = -1;

	for (size_t i = 0; i < s->nqueue;) {
		struct sim_chunk *c = &s->queue[i];

		if (c->due > now) {
			if (next < 0 || c->due - now < next)
				next = c->due - now;
			i++;
			continue;
		}
		if (s->fault[SIM_SLOWBYTES].on && c->len > 0)
			return send_slowly(s, i, now, out);
		buf_add_cut(out, c->bytes + c->at, c->len - c->at);
		remove_chunk(s, i);
	}
	return next;
}

/* --- answers ----------------------------------------------------------------------------------------- */

/* Before any final result: noise and unsolicited lines, if asked for; then when it is due. */
int64_t sim_answer_time(struct sim *s, int64_t now)
{
	long ms = 0;

	if (sim_faulty(s, SIM_GARBAGE, NULL))
		sim_say(s, now, false, "\x01\xff\x80~garbage\r\n\x02");
	if (sim_faulty(s, SIM_URC, NULL))
		sim_say(s, now, false, "\r\nRING\r\n\r\n^RSSI:17\r\n\r\n+CREG: 5\r\n");
	if (sim_faulty(s, SIM_SLOW, &ms))
		return now + ms;
	return now;
}

void sim_answer(struct sim *s, int64_t now, const char *text)
{
	sim_say(s, sim_answer_time(s, now), true, "\r\n%s\r\n", text);
}

void sim_ok(struct sim *s, int64_t now)
{
	sim_answer(s, now, "OK");
}

void sim_info(struct sim *s, int64_t now, const char *text)
{
	int64_t due = sim_answer_time(s, now);

	sim_say(s, due, false, "\r\n%s\r\n", text);
	if (sim_faulty(s, SIM_URC, NULL))
		sim_say(s, due, false, "\r\n+CMTI: \"XX\",0\r\n");
	sim_say(s, due, true, "\r\nOK\r\n");
}

void sim_fail(struct sim *s, int64_t now, const char *kind, int code, const char *words)
{
	char text[80];

	if (s->cmee == 0 && strcmp(kind, "CME") == 0)
		snprintf(text, sizeof(text), "ERROR");
	else if (s->cmee == 2)
		snprintf(text, sizeof(text), "+%s ERROR: %s", kind, words);
	else
		snprintf(text, sizeof(text), "+%s ERROR: %d", kind, code);
	sim_answer(s, now, text);
}

bool sim_unplugged(struct sim *s, const char *step, int64_t now)
{
	struct sim_fault_state *x = &s->fault[SIM_UNPLUG];
	size_t n = strlen(x->text);
	long ms = 0;

	if (!x->on || n == 0 || strncasecmp(step, x->text, n) != 0 ||
	    (step[n] != '\0' && strchr("=?,;", step[n]) == NULL) || !sim_faulty(s, SIM_UNPLUG, &ms))
		return false;
	sim_power_on(s, now);
	s->calls.vanish(s->arg, ms);
	return true;
}
