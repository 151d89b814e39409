/* TAP 1.8 blocks; see block.h. */
#include "block.h"

#include <string.h>

#include "lib/buf.h"

void tap_checksum(const char *bytes, size_t n, char out[3])
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (unsigned char)bytes[i] & 0x7F;
	out[0] = (char)('0' + (sum >> 8 & 0xF));
	out[1] = (char)('0' + (sum >> 4 & 0xF));
	out[2] = (char)('0' + (sum & 0xF));
}

char tap_even_parity(char c)
{
	unsigned b = (unsigned char)c & 0x7F, ones = b ^ b >> 4;

	ones ^= ones >> 2;
	ones ^= ones >> 1;
	return (char)(b | (ones & 1) << 7);
}

/* Those that end or frame something (TAP 1.8, 4.4). */
static bool wants_escape(unsigned char c)
{
	static const char marks[] = {'\r',   '\n',    TAP_ESC, TAP_STX, TAP_ETX,
				     TAP_US, TAP_ETB, TAP_EOT, TAP_SUB};

	return memchr(marks, c, sizeof(marks)) != NULL;
}

static bool put_field(struct buf *b, const char *field)
{
	bool ok = true;

	for (const char *s = field; *s != '\0' && ok; s++) {
		unsigned char c = (unsigned char)*s;
		char pair[2] = {TAP_SUB, (char)(c + 0x40)};

		if (c >= 0x80)
			return false;
		ok = wants_escape(c) ? buf_add(b, pair, 2) : buf_add(b, s, 1);
	}
	return ok && buf_add(b, "\r", 1);
}

/* So many of the n characters at s go into one block: no escaped pair is split, and no block is left with
 * nothing but a field's end. */
static size_t cut(const char *s, size_t n, size_t max)
{
	size_t k = max;

	if (n <= max)
		return n;
	if (s[k] == '\r' && s[k - 1] != '\r')
		k--;
	if (s[k - 1] == TAP_SUB)
		k--;
	return k;
}

static void close_block(struct tap_block *b, char end)
{
	b->bytes[b->len++] = end;
	tap_checksum(b->bytes, b->len, b->bytes + b->len);
	b->len += 3;
	b->bytes[b->len++] = '\r';
}

static size_t split(const char *s, size_t n, size_t data_max, struct tap_block *out, size_t max)
{
	size_t blocks = 0;

	while (n > 0 && blocks < max) {
		struct tap_block *b = &out[blocks++];
		size_t k = cut(s, n, data_max);

		b->bytes[0] = TAP_STX;
		memcpy(b->bytes + 1, s, k);
		b->len = k + 1;
		close_block(b, k == n ? TAP_ETX : s[k - 1] == '\r' ? TAP_ETB : TAP_US);
		s += k;
		n -= k;
	}
	return n == 0 ? blocks : 0;
}

size_t tap_blocks(const char *pager, const char *message, size_t data_max, struct tap_block *out, size_t max)
{
	struct buf b;
	size_t n = 0;

	buf_init(&b, (size_t)TAP_BLOCKS_MAX * TAP_DATA_MAX);
	if (data_max < 4 || data_max > TAP_DATA_MAX)
		data_max = TAP_DATA_MAX;
	if (put_field(&b, pager) && put_field(&b, message))
		n = split(b.data, b.len, data_max, out, max);
	buf_fini(&b);
	return n;
}
