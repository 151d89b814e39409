/*
 * Reads POP3 answers of many lines (see block.h). Called by fetch.c.
 */
#include "block.h"

enum { LINE_START, AFTER_DOT, AFTER_DOT_CR, IN_LINE };

static void keep(struct pop3_block *b, char c)
{
	if (b->len < b->max)
		b->out[b->len++] = c;
	b->at = c == '\n' ? LINE_START : IN_LINE;
}

static void take(struct pop3_block *b, char c)
{
	switch (b->at) {
	case LINE_START:
		if (c == '.')
			b->at = AFTER_DOT;
		else
			keep(b, c);
		break;
	case AFTER_DOT: /* a dot that was put in front of a line, or the end */
		if (c == '\r')
			b->at = AFTER_DOT_CR;
		else if (c == '\n')
			b->done = true;
		else
			keep(b, c);
		break;
	case AFTER_DOT_CR:
		b->done = c == '\n';
		if (!b->done) {
			keep(b, '\r');
			keep(b, c);
		}
		break;
	default:
		keep(b, c);
	}
}

size_t pop3_block_take(struct pop3_block *b, const char *bytes, size_t n)
{
	size_t i;

	for (i = 0; i < n && !b->done; i++)
		take(b, bytes[i]);
	b->all += i;
	return i;
}
