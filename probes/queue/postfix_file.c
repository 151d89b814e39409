/*
 * The reader of Postfix queue files (Postfix: src/global/rec_type.h, record.c). Called by
 * the queue probe for each file of its sample; promises to stop after a fixed amount
 * of work whatever the bytes are.
 */
#include "postfix_file.h"

#include <stdlib.h>
#include <string.h>

enum { WINDOW = 4096, LENGTH_MAX = 1 << 30 };

struct reader {
	const struct postfix_source *src;
	struct postfix_file *f;
	unsigned char win[WINDOW];
	uint64_t win_at;
	size_t win_len;
	unsigned reads;
	uint64_t pos;
	/* the record at hand; text holds as much as is of use */
	int type;
	size_t len;
	char text[512];
	/* from the C record */
	bool sized;
	uint64_t content_at, content_len;
	bool client_is_logged; /* log_client_address was there: it survives content filters */
	bool behind;	       /* the content was passed */
};

/* Makes at least one byte at pos readable; how many are. 0: r->f->end says why. */
static size_t look(struct reader *r, uint64_t pos, const unsigned char **p)
{
	if (pos < r->win_at || pos >= r->win_at + r->win_len) {
		ssize_t n;

		if (pos > INT64_MAX) {
			r->f->end = POSTFIX_FILE_CUT;
			return 0;
		}
		if (++r->reads > POSTFIX_FILE_READS) {
			r->f->end = POSTFIX_FILE_LIMIT;
			return 0;
		}
		n = r->src->read_at(r->src->arg, pos, r->win, sizeof(r->win));
		if (n <= 0) {
			r->win_len = 0;
			r->f->end = n < 0 ? POSTFIX_FILE_IO : POSTFIX_FILE_CUT;
			return 0;
		}
		r->win_at = pos;
		r->win_len = (size_t)n;
	}
	*p = r->win + (pos - r->win_at);
	return r->win_len - (size_t)(pos - r->win_at);
}

static bool take_byte(struct reader *r, unsigned char *byte)
{
	const unsigned char *p;

	if (!look(r, r->pos, &p))
		return false;
	*byte = *p;
	r->pos++;
	return true;
}

/* Seven bits a byte, the low ones first, the high bit set on all but the last. */
static bool take_length(struct reader *r, size_t *len)
{
	uint64_t v = 0;
	unsigned char byte;

	for (int shift = 0; shift <= 28; shift += 7) {
		if (!take_byte(r, &byte))
			return false;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*len = (size_t)v;
			return v <= LENGTH_MAX;
		}
	}
	return false;
}

/* The data of a record that is of use, cut to r->text; the position ends behind the record. */
static bool take_text(struct reader *r)
{
	size_t want = r->len < sizeof(r->text) - 1 ? r->len : sizeof(r->text) - 1, have = 0;

	while (have < want) {
		const unsigned char *p;
		size_t n = look(r, r->pos + have, &p);

		if (!n)
			return false;
		if (n > want - have)
			n = want - have;
		memcpy(r->text + have, p, n);
		have += n;
	}
	r->text[have] = '\0';
	r->pos += r->len;
	return true;
}

static bool take_record(struct reader *r)
{
	unsigned char type;

	r->f->end = POSTFIX_FILE_BROKEN; /* unless look() knows better */
	if (!take_byte(r, &type))
		return false;
	r->type = type;
	/* every type is a letter or a mark (rec_type.h); anything else means that we lost the thread */
	if (type <= ' ' || type > '~')
		return false;
	if (!take_length(r, &r->len))
		return false;
	return take_text(r);
}

static void keep(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	to[n] = '\0';
}

/* The first numbers of a C record; the rest is not of use here. */
static void sizes(struct reader *r)
{
	char *s = r->text, *end;
	long long len, at;

	if (r->sized)
		return;
	len = strtoll(s, &end, 10);
	at = strtoll(end, &end, 10);
	/* both 0 while the file is being written */
	r->sized = len >= 0 && at > 0 && len < INT64_MAX - at;
	if (r->sized) {
		r->content_len = (uint64_t)len;
		r->content_at = (uint64_t)at;
	}
}

static void arrival(struct reader *r)
{
	char *end;
	long long s = strtoll(r->text, &end, 10), us = strtoll(end, NULL, 10);

	if (r->f->arrival_ms || s <= 0 || s > INT64_MAX / 1000 - 1)
		return;
	r->f->arrival_ms = (int64_t)s * 1000 + (us > 0 && us < 1000000 ? us / 1000 : 0);
}

static void attribute(struct reader *r)
{
	char *value = strchr(r->text, '=');

	if (!value)
		return;
	*value++ = '\0';
	if (!strcmp(r->text, "log_client_address") && strcmp(value, "unknown")) {
		keep(r->f->client, sizeof(r->f->client), value);
		r->client_is_logged = true;
	} else if (!strcmp(r->text, "client_address") && !r->client_is_logged && strcmp(value, "unknown")) {
		keep(r->f->client, sizeof(r->f->client), value);
	} else if (!strcmp(r->text, "sasl_username")) {
		keep(r->f->account, sizeof(r->f->account), value);
	}
}

static void recipient(struct reader *r, bool done)
{
	char address[POSTFIX_ADDRESS_MAX];

	if (done)
		r->f->done++;
	else
		r->f->todo++;
	if (!r->src->rcpt)
		return;
	keep(address, sizeof(address), r->text);
	r->src->rcpt(r->src->arg, address, done);
}

/* True while there is more to read. */
static bool content(struct reader *r)
{
	/* In maildrop nothing was extracted yet and no C record says where the content ends: what we want was
	 * before it. */
	if (!r->sized || r->behind) {
		r->f->end = r->behind ? POSTFIX_FILE_BROKEN : POSTFIX_FILE_WHOLE;
		return false;
	}
	r->behind = true;
	r->pos = r->content_at + r->content_len;
	return true;
}

static bool pointer(struct reader *r)
{
	long long to = strtoll(r->text, NULL, 10);

	if (to < 0) {
		r->f->end = POSTFIX_FILE_BROKEN;
		return false;
	}
	if (to > 0)
		r->pos = (uint64_t)to;
	return true;
}

/* True while there is more to read; otherwise f->end is set. */
static bool record(struct reader *r)
{
	switch (r->type) {
	case 'C':
		sizes(r);
		return true;
	case 'T':
		arrival(r);
		return true;
	case 'S':
		if (!r->f->has_sender)
			keep(r->f->sender, sizeof(r->f->sender), r->text);
		r->f->has_sender = true;
		return true;
	case 'A':
		attribute(r);
		return true;
	case 'R':
	case 'D':
		recipient(r, r->type == 'D');
		return true;
	case 'p':
		return pointer(r);
	case 'M':
		return content(r);
	case 'E':
		r->f->end = POSTFIX_FILE_WHOLE;
		return false;
	default:
		return true;
	}
}

void postfix_file_read(const struct postfix_source *src, struct postfix_file *f)
{
	struct reader r;

	memset(f, 0, sizeof(*f));
	memset(&r, 0, sizeof(r));
	r.src = src;
	r.f = f;
	for (unsigned n = 0; n < POSTFIX_FILE_RECORDS; n++) {
		if (!take_record(&r))
			return;
		/* cleanup writes C first, postdrop T */
		if (n == 0 && r.type != 'C' && r.type != 'T') {
			f->end = POSTFIX_FILE_BROKEN;
			return;
		}
		if (!record(&r))
			return;
	}
	f->end = POSTFIX_FILE_LIMIT;
}

/* Postfix' base 52: digits and letters without vowels; 1 more than the digit's value, 0: not one. */
static const unsigned char base52[256] = {
    ['0'] = 1,	['1'] = 2,  ['2'] = 3,	['3'] = 4,  ['4'] = 5,	['5'] = 6,  ['6'] = 7,	['7'] = 8,
    ['8'] = 9,	['9'] = 10, ['B'] = 11, ['C'] = 12, ['D'] = 13, ['F'] = 14, ['G'] = 15, ['H'] = 16,
    ['J'] = 17, ['K'] = 18, ['L'] = 19, ['M'] = 20, ['N'] = 21, ['P'] = 22, ['Q'] = 23, ['R'] = 24,
    ['S'] = 25, ['T'] = 26, ['V'] = 27, ['W'] = 28, ['X'] = 29, ['Y'] = 30, ['Z'] = 31, ['b'] = 32,
    ['c'] = 33, ['d'] = 34, ['f'] = 35, ['g'] = 36, ['h'] = 37, ['j'] = 38, ['k'] = 39, ['l'] = 40,
    ['m'] = 41, ['n'] = 42, ['p'] = 43, ['q'] = 44, ['r'] = 45, ['s'] = 46, ['t'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52,
};

bool postfix_id_ok(const char *name, size_t *stem)
{
	size_t n = 0, z = 0;
	bool hex = false; /* a character that only a short id has */

	for (; name[n]; n++) {
		unsigned char c = (unsigned char)name[n];

		if (c == 'z')
			z = n;
		if (base52[c])
			continue;
		if (c != 'A' && c != 'E')
			return false;
		hex = true;
	}
	/* seconds (6 digits until the year 2596), microseconds (4 digits), 'z', inode in base 51 (which has
	 * no 'z') */
	*stem = !hex && z >= 10 && z <= 12 ? z : 0;
	return n >= 6 && n <= 60; /* 5 digits of microseconds and an inode number are the least */
}

int64_t postfix_id_time_ms(const char *id)
{
	int64_t s = 0, us = 0;
	size_t stem;

	if (!postfix_id_ok(id, &stem) || !stem)
		return 0;
	for (size_t i = 0; i < stem; i++) {
		if (i < stem - 4)
			s = s * 52 + base52[(unsigned char)id[i]] - 1;
		else
			us = us * 52 + base52[(unsigned char)id[i]] - 1;
	}
	return us < 1000000 ? s * 1000 + us / 1000 : 0;
}
