/* Words and columns; see text.h. Called by show.c, pages.c and monitord-run. */
#include "text.h"

#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "lib/contract/result.h"

static bool starts_char(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

int ctl_width(const char *text)
{
	int n = 0;
	for (; *text && *text != '\n'; text++)
		n += starts_char(*text);
	return n;
}

/* Bytes of the first n characters of text, newlines not looked at. */
static size_t bytes_of(const char *text, int n)
{
	size_t i = 0;
	while (text[i] && (n > 0 || !starts_char(text[i])))
		n -= starts_char(text[i++]);
	return i;
}

void ctl_cut(struct buf *out, const char *text, int width)
{
	if (width <= 0 || ctl_width(text) <= width) {
		buf_add(out, text, strcspn(text, "\n"));
		return;
	}
	buf_add(out, text, bytes_of(text, width - 1));
	buf_puts(out, "…");
}

void ctl_pad(struct buf *out, const char *text, int width)
{
	int n = ctl_width(text);
	ctl_cut(out, text, width);
	if (n < width)
		buf_printf(out, "%*s", width - n, "");
}

void ctl_state(struct buf *out, const char *state, const struct ctl_style *style)
{
	static const char *const codes[] = {"\033[32m", "\033[33m", "\033[31m", "\033[35m"};
	enum nag_state s;
	if (style->colour && nag_from_name(state, &s))
		buf_printf(out, "%s%-8s\033[0m", codes[s], state);
	else
		buf_printf(out, "%-8s", state);
}

/* Bytes of text that fit into width characters, broken behind a blank where there is one. */
static size_t one_line(const char *text, int width)
{
	size_t n = bytes_of(text, width), k = n;
	if (!text[n] || text[n] == ' ')
		return n;
	while (k > 0 && text[k - 1] != ' ')
		k--;
	return k ? k : n;
}

void ctl_wrap(struct buf *out, const char *text, int used, int indent, int max_lines,
	      const struct ctl_style *style)
{
	char line[RESULT_TEXT_MAX + 1];
	snprintf(line, sizeof line, "%.*s", (int)strcspn(text, "\n"), text);
	const char *rest = line;
	int width = style->columns - indent, room = style->columns - used;
	if (!style->columns || width < 20)
		room = 0; /* not a terminal: one line, whole */
	for (int n = 1; room && ctl_width(rest) > room && n != max_lines; n++) {
		size_t k = one_line(rest, room);
		buf_add(out, rest, k && rest[k - 1] == ' ' ? k - 1 : k);
		rest += k + strspn(rest + k, " ");
		buf_printf(out, "\n%*s", indent, "");
		room = width;
	}
	ctl_cut(out, rest, room);
	buf_puts(out, "\n");
}

char *ctl_age(const cJSON *o, const char *key, const struct stamp *now, char *out, size_t size)
{
	struct stamp s;
	if (json_get_stamp(o, key, &s))
		clock_span(clock_age_ms(&s, now), out, size);
	else
		snprintf(out, size, "-");
	return out;
}

void ctl_count(struct buf *out, int n, const char *one, const char *many)
{
	buf_printf(out, "%d %s", n, n == 1 ? one : many);
}
