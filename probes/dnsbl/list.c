/*
 * What a list's answers mean. Called by check_dnsbl.c; nothing but a documented code is ever "listed".
 */
#include "list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probes/dns/message.h"

/* "2" or "2-11" */
static bool parse_codes_part(const char *s, bool codes[256])
{
	char *end;
	long from = strtol(s, &end, 10), to = from;

	if (end == s)
		return false;
	if (*end == '-') {
		s = end + 1;
		to = strtol(s, &end, 10);
		if (end == s)
			return false;
	}
	if (*end || from < 0 || to > 255 || from > to)
		return false;
	for (; from <= to; from++)
		codes[from] = true;
	return true;
}

static bool parse_codes(char *s, struct dnsbl_list *out)
{
	char *save = NULL;
	bool any = false;

	memset(out->codes, 0, sizeof(out->codes));
	for (s = strtok_r(s, ",", &save); s; s = strtok_r(NULL, ",", &save)) {
		if (!parse_codes_part(s, out->codes))
			return false;
		any = true;
	}
	return any;
}

static bool parse_word(char *word, struct dnsbl_list *out, const char **why)
{
	if (strncmp(word, "codes=", 6) == 0) {
		*why = "codes= takes the last numbers of 127.0.0.x that mean \"listed\", as 2-11,20";
		return parse_codes(word + 6, out);
	}
	*why = "behind the zone may stand: codes=2-11, control=no, warning";
	if (strcmp(word, "control=no") == 0)
		return out->no_control = true;
	return strcmp(word, "warning") == 0 && (out->warning = true);
}

bool dnsbl_list_parse(const char *text, struct dnsbl_list *out, const char **why)
{
	char copy[512], *save = NULL, *word;

	*out = (struct dnsbl_list){0};
	for (int i = 2; i < 255; i++)
		out->codes[i] = true;
	*why = "must be a zone, as bl.example.org";
	if ((size_t)snprintf(copy, sizeof(copy), "%s", text) >= sizeof(copy))
		return false;
	word = strtok_r(copy, " \t", &save);
	if (!word || !dns_name_ok(word) || strlen(word) >= sizeof(out->zone) || strchr(word, '='))
		return false;
	snprintf(out->zone, sizeof(out->zone), "%s", word);
	while ((word = strtok_r(NULL, " \t", &save)))
		if (!parse_word(word, out, why))
			return false;
	return true;
}

static enum dnsbl_verdict judge_value(const struct dnsbl_list *list, const uint8_t b[4])
{
	if (b[0] == 127 && b[1] == 255 && b[2] == 255)
		return DNSBL_BARRED;
	return b[0] == 127 && b[1] == 0 && b[2] == 0 && list->codes[b[3]] ? DNSBL_LISTED : DNSBL_ODD;
}

static void add_text(char note[DNSBL_NOTE_MAX], const char *text)
{
	size_t n = strlen(note);

	snprintf(note + n, DNSBL_NOTE_MAX - n, "%s%s", n ? ", " : "", text);
}

enum dnsbl_verdict dnsbl_judge(const struct dnsbl_list *list, const struct dns_answer *a,
			       char note[DNSBL_NOTE_MAX])
{
	enum dnsbl_verdict worst = DNSBL_CLEAN, v;

	note[0] = '\0';
	if (a->outcome == DNS_NODATA || a->outcome == DNS_NO_NAME)
		return DNSBL_CLEAN;
	if (a->outcome != DNS_DATA) {
		snprintf(note, DNSBL_NOTE_MAX, "%s", a->why);
		return DNSBL_NO_ANSWER;
	}
	for (size_t i = 0; i < a->n; i++) {
		v = judge_value(list, a->v[i].data);
		/* a code that bars us makes the others worthless; an odd one beside a documented one does not
		 */
		if (v == DNSBL_BARRED || worst == DNSBL_CLEAN || (worst == DNSBL_ODD && v == DNSBL_LISTED))
			worst = v;
		add_text(note, a->v[i].text);
	}
	return worst;
}

static bool dead(char note[DNSBL_NOTE_MAX], const char *format, const char *raw)
{
	char copy[101];

	snprintf(copy, sizeof(copy), "%.100s", raw);
	snprintf(note, DNSBL_NOTE_MAX, format, copy);
	return false;
}

bool dnsbl_alive(const struct dnsbl_list *list, const struct dns_answer *must,
		 const struct dns_answer *must_not, char note[DNSBL_NOTE_MAX])
{
	char raw[DNSBL_NOTE_MAX];

	switch (dnsbl_judge(list, must, raw)) {
	case DNSBL_LISTED:
		break;
	case DNSBL_CLEAN:
		return dead(note, "is dead: it does not list its test entry 127.0.0.2%s", "");
	case DNSBL_BARRED:
		return dead(note, "refuses our resolver: it answers %s", raw);
	case DNSBL_NO_ANSWER:
		return dead(note, "cannot be asked: it %s", raw);
	default:
		return dead(note, "is dead: for its test entry 127.0.0.2 it answers %s", raw);
	}
	switch (dnsbl_judge(list, must_not, raw)) {
	case DNSBL_CLEAN:
		return true;
	case DNSBL_NO_ANSWER:
		return dead(note, "cannot be asked: it %s", raw);
	default:
		return dead(note, "is dead: it lists everything, even 127.0.0.1 (%s)", raw);
	}
}
