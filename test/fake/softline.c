/*
 * Audio and V.22bis for the soft modem; see softline.h. The only file that knows spandsp.
 */
#include "softline.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* spandsp.h wants the headers of libtiff, for faxes; these do not, in this order */
#include <spandsp/telephony.h>

#include <spandsp/logging.h>

#include <spandsp/complex.h>

#include <spandsp/async.h>

#include <spandsp/power_meter.h>

#include <spandsp/tone_generate.h>

#include <spandsp/super_tone_rx.h>

#include <spandsp/dtmf.h>

#include <spandsp/v29rx.h>

#include <spandsp/v22bis.h>

enum { BLOCK = 160, QUEUE = 4096, PER_MS = 8 };

/* One direction: bytes in, 8N1 bits through the modems, bytes out. */
struct wire {
	struct softline *line;
	uint8_t q[QUEUE];
	size_t head, n;
	unsigned out, nout; /* bits under way to the modem */
	unsigned in, nin;   /* bits of the byte that arrives */
	bool trained;	    /* the end that hears it */
};

struct softline {
	void (*told)(bool here, char byte);
	FILE *record;
	dtmf_tx_state_t *dtmf;
	v22bis_state_t *calling, *answering;
	struct wire there, back;
};

struct softline *softline_new(void (*told)(bool here, char byte))
{
	struct softline *l = calloc(1, sizeof(*l));

	l->told = told;
	l->dtmf = dtmf_tx_init(NULL);
	return l;
}

void softline_record(struct softline *l, FILE *f)
{
	l->record = f;
}

static void sound(struct softline *l, const int16_t *amp, int n)
{
	if (l->record != NULL)
		fwrite(amp, sizeof(*amp), (size_t)n, l->record);
}

int softline_silence(struct softline *l, int ms)
{
	static const int16_t zero[BLOCK];

	for (int left = ms * PER_MS; left > 0; left -= BLOCK)
		sound(l, zero, left < BLOCK ? left : BLOCK);
	return ms;
}

int softline_digit(struct softline *l, char digit, int ms)
{
	int16_t amp[BLOCK];
	int n, all = 0;

	dtmf_tx_set_timing(l->dtmf, ms, ms);
	dtmf_tx_put(l->dtmf, &digit, 1);
	while ((n = dtmf_tx(l->dtmf, amp, BLOCK)) > 0) {
		sound(l, amp, n);
		all += n;
	}
	return all / PER_MS;
}

/* --- a data call ------------------------------------------------------------------------------------- */

static int get_bit(void *arg)
{
	struct wire *w = arg;
	unsigned bit;

	if (w->nout == 0 && w->n > 0) {
		w->out = 0x200U | (unsigned)w->q[w->head] << 1;
		w->nout = 10;
		w->head = (w->head + 1) % QUEUE;
		w->n--;
	}
	bit = w->nout > 0 ? w->out & 1 : 1;
	w->out >>= 1;
	w->nout -= w->nout > 0;
	return (int)bit;
}

static void put_bit(void *arg, int bit)
{
	struct wire *w = arg;

	if (bit < 0) {
		w->trained |= bit == SIG_STATUS_TRAINING_SUCCEEDED;
		return;
	}
	if (!w->trained || (w->nin == 0 && bit == 1))
		return;
	w->in |= (unsigned)bit << w->nin++;
	if (w->nin < 10)
		return;
	if ((w->in & 0x200) != 0)
		w->line->told(w == &w->line->back, (char)(w->in >> 1));
	w->in = w->nin = 0;
}

size_t softline_send(struct softline *l, bool here, const char *bytes, size_t n)
{
	struct wire *w = here ? &l->there : &l->back;
	size_t i;

	for (i = 0; i < n && w->n < QUEUE; i++)
		w->q[(w->head + w->n++) % QUEUE] = (uint8_t)bytes[i];
	return i;
}

void softline_connect(struct softline *l)
{
	l->there = (struct wire){.line = l};
	l->back = (struct wire){.line = l};
	l->calling =
	    v22bis_init(NULL, 2400, V22BIS_GUARD_TONE_NONE, true, get_bit, &l->there, put_bit, &l->back);
	l->answering =
	    v22bis_init(NULL, 2400, V22BIS_GUARD_TONE_NONE, false, get_bit, &l->back, put_bit, &l->there);
}

void softline_end(struct softline *l)
{
	if (l->calling == NULL)
		return;
	v22bis_free(l->calling);
	v22bis_free(l->answering);
	l->calling = l->answering = NULL;
}

bool softline_up(const struct softline *l)
{
	return l->calling != NULL;
}

bool softline_trained(const struct softline *l)
{
	return l->there.trained && l->back.trained;
}

/* What each modem says the other hears. */
void softline_block(struct softline *l)
{
	int16_t a[BLOCK] = {0}, b[BLOCK] = {0}, both[BLOCK];

	v22bis_tx(l->calling, a, BLOCK);
	v22bis_tx(l->answering, b, BLOCK);
	v22bis_rx(l->answering, a, BLOCK);
	v22bis_rx(l->calling, b, BLOCK);
	for (int i = 0; i < BLOCK; i++)
		both[i] = (int16_t)(a[i] / 2 + b[i] / 2);
	sound(l, both, BLOCK);
}
