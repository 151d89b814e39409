/* What is answered, in words; see answer_text.h. */
#include "answer_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/config/config.h"

enum { GSM_MAX = 160, UCS_MAX = 70, NAME_CHARS = 40 };

/* --- what one message holds ------------------------------------------------------------------------ */

/* True: all of it is in the part of GSM's alphabet that is ASCII. *units: its septets, or else its UTF-16
 * units. */
static bool measure(const char *s, size_t *units)
{
	bool gsm = true;
	size_t septets = 0, utf16 = 0;
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		gsm = gsm && c < 0x80 && c != '`' && (c >= 0x20 || c == '\n');
		septets += strchr("[]{}\\~^|", c) ? 2 : 1;
		utf16 += (c & 0xc0) == 0x80 ? 0 : c >= 0xf0 ? 2 : 1;
	}
	*units = gsm ? septets : utf16;
	return gsm;
}

bool answer_fits(const char *text)
{
	size_t units;
	bool gsm = measure(text, &units);
	return units <= (gsm ? GSM_MAX : UCS_MAX);
}

static void drop_last(char *s, size_t *n)
{
	while (*n && ((unsigned char)s[--*n] & 0xc0) == 0x80)
		;
	s[*n] = '\0';
}

void answer_fit(char *text)
{
	size_t n = strlen(text);
	while (n && !answer_fits(text))
		drop_last(text, &n);
}

/* A name in so many characters. */
static const char *brief(const char *s, char out[ANSWER_OUT_MAX / 2])
{
	size_t chars = 0, n = 0;
	while (s[n] && n + 5 < ANSWER_OUT_MAX / 2) {
		chars += ((unsigned char)s[n] & 0xc0) != 0x80;
		if (chars > NAME_CHARS)
			break;
		n++;
	}
	snprintf(out, ANSWER_OUT_MAX / 2, "%.*s%s", (int)n, s, s[n] ? ".." : "");
	return out;
}

/* --- answers --------------------------------------------------------------------------------------- */

static void say(char out[ANSWER_OUT_MAX], const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(char out[ANSWER_OUT_MAX], const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(out, ANSWER_OUT_MAX, fmt, ap);
	va_end(ap);
	answer_fit(out);
}

static void say_help(const struct answer_words *w, char out[ANSWER_OUT_MAX])
{
	bool a = w->may & MAY_ACK, s = w->may & MAY_STATUS, d = w->may & MAY_DOWNTIME;
	if (w->ja)
		say(out, "%s%s%sHELP", a ? "ACK 番号=対応 / " : "", s ? "STATUS=状況 / " : "",
		    d ? "DOWN 2h 番号=停止 / UP 番号=再開 / " : "");
	else
		say(out, "You may send: %s%s%sHELP", a ? "ACK code [comment], " : "", s ? "STATUS, " : "",
		    d ? "DOWN 2h code (or check), UP code (or check), " : "");
}

static void say_down(const struct answer_words *w, bool down, char out[ANSWER_OUT_MAX])
{
	char check[ANSWER_OUT_MAX / 2];
	brief(w->check, check);
	if (w->why && w->ja)
		say(out, "%s: 実行できません: %s", check, w->why);
	else if (w->why)
		say(out, "%s: not done: %s", check, w->why);
	else if (w->ja)
		say(out, down ? "%s: %sから%sまで停止。UPで再開" : "%s: 停止を解除しました", check, w->at,
		    w->until);
	else if (down)
		say(out, "%s: downtime from %s until %s. UP %s ends it.", check, w->at, w->until, check);
	else
		say(out, "%s: the downtime is ended.", check);
}

static void say_about(enum answer_do what, const struct answer_words *w, char out[ANSWER_OUT_MAX])
{
	char check[ANSWER_OUT_MAX / 2], by[ANSWER_OUT_MAX / 2], others[48] = "";
	brief(w->check, check);
	brief(w->by && w->by[0] ? w->by : w->ja ? "誰か" : "somebody", by);
	if (w->others)
		snprintf(others, sizeof others, w->ja ? "、他%u名に連絡" : ", %u other%s told", w->others,
			 w->others > 1 ? "s are" : " is");
	if (what == ANS_ACK)
		say(out, w->ja ? "%s #%s 対応を受付。再通知停止%s" : "%s #%s: you have it. Repeats stop%s.",
		    check, w->id, others);
	else if (what == ANS_ALREADY)
		say(out, w->ja ? "%s #%s %sが%sに対応済み" : "%s #%s: already acknowledged by %s at %s",
		    check, w->id, by, w->at);
	else
		say(out, w->ja ? "%s #%s %sに復旧済み" : "%s #%s is over since %s", check, w->id, w->at);
}

static const struct {
	const char *en, *ja;
} phrases[] = {
    [ANS_HINT] = {"Not understood, nothing was done. To acknowledge begin with the page's code: ACK 1234. "
		  "HELP says more.",
		  "認識できません。ページの番号で始めてください: ACK 1234。HELPで説明"},
    [ANS_QUOTED] = {"A forwarded or quoted text acknowledges nothing. Write just the page's code: ACK 1234.",
		    "転送や引用では受付できません。番号だけ送ってください: ACK 1234"},
    [ANS_MAY_NOT] = {"This number may not do that. HELP says what it may.",
		     "この番号には許可がありません。HELPで説明"},
    [ANS_WHICH] = {"Which one? Add the page's code or the check's name: DOWN 2h 1234, UP 1234.",
		   "どれですか。番号か名前を付けてください: DOWN 2h 1234"},
    [ANS_SPAN] = {"For how long? One minute to 7 days: DOWN 30m 1234, DOWN 2h 1234.",
		  "時間は1分から7日まで: DOWN 2h 1234"},
};

void answer_text(enum answer_do what, const struct answer_words *w, char out[ANSWER_OUT_MAX])
{
	switch (what) {
	case ANS_ACK:
	case ANS_ALREADY:
	case ANS_OVER:
		say_about(what, w, out);
		break;
	case ANS_WRONG:
		say(out,
		    w->ja ? "%.20s: ありません。最新のページの番号を使ってください"
			  : "%.20s: unknown, or not valid any more. The newest page has the code; STATUS "
			    "says what is open.",
		    w->code);
		break;
	case ANS_DOWN:
	case ANS_UP:
		say_down(w, what == ANS_DOWN, out);
		break;
	case ANS_HELP:
		say_help(w, out);
		break;
	case ANS_HINT:
	case ANS_QUOTED:
	case ANS_MAY_NOT:
	case ANS_WHICH:
	case ANS_SPAN:
		say(out, "%s", w->ja ? phrases[what].ja : phrases[what].en);
		break;
	default: /* ANS_IGNORE, ANS_STATUS (answer_status makes that) */
		out[0] = '\0';
		break;
	}
}

/* --- the summary ----------------------------------------------------------------------------------- */

static int rank(enum nag_state s)
{
	return s == NAG_CRITICAL ? 0 : s == NAG_WARNING ? 1 : s == NAG_UNKNOWN ? 2 : 3;
}

int answer_item_order(const void *x, const void *y)
{
	const struct answer_item *a = x, *b = y;
	if (rank(a->state) != rank(b->state))
		return rank(a->state) - rank(b->state);
	return a->age_ms > b->age_ms ? -1 : a->age_ms < b->age_ms;
}

static const char *short_state(enum nag_state s, bool ja)
{
	static const char *const en[] = {"OK", "WARN", "CRIT", "UNKN"};
	static const char *const jp[] = {"正常", "警告", "重大", "不明"};
	return ja ? jp[s] : en[s];
}

static void short_age(int64_t ms, char out[16])
{
	int64_t min = ms / 60000;
	if (min < 60)
		snprintf(out, 16, "%dm", (int)min);
	else if (min < 48 * 60)
		snprintf(out, 16, "%dh", (int)(min / 60));
	else
		snprintf(out, 16, "%dd", (int)(min / 1440 > 9999 ? 9999 : min / 1440));
}

/* "2 CRIT 1 WARN 39 OK" */
static void put_counts(const struct answer_counts *c, bool ja, struct buf *out)
{
	static const enum nag_state order[] = {NAG_CRITICAL, NAG_WARNING, NAG_UNKNOWN, NAG_OK};
	if (!c->known)
		buf_puts(out, ja ? "monitord無応答" : "monitord is silent");
	for (size_t k = 0; c->known && k < 4; k++) {
		const char *state = short_state(order[k], ja);
		unsigned n = c->n[order[k]];
		if (n || order[k] == NAG_OK)
			buf_printf(out, "%s%s%u%s%s", out->len ? " " : "", ja ? state : "", n, ja ? "" : " ",
				   ja ? "" : state);
	}
}

/* The counts, the first so many items, and how many more there are. */
static void put_summary(const struct answer_counts *c, const struct answer_item *v, size_t n, size_t shown,
			bool ja, struct buf *out)
{
	char name[ANSWER_OUT_MAX / 2], age[16];
	put_counts(c, ja, out);
	for (size_t k = 0; k < shown; k++) {
		short_age(v[k].age_ms, age);
		buf_printf(out, "%s %s %s %s%s #%s%s%s", k ? ";" : ":", short_state(v[k].state, ja),
			   brief(v[k].check, name), age, v[k].acked ? " ack" : "", v[k].id,
			   v[k].code[0] ? " " : "", v[k].code);
	}
	if (shown < n)
		buf_printf(out, "%s+%zu", shown ? " " : ": ", n - shown);
}

void answer_status(const struct answer_counts *c, const struct answer_item *v, size_t n, bool ja,
		   char out[ANSWER_OUT_MAX])
{
	struct buf b;
	buf_init(&b, ANSWER_OUT_MAX - 1);
	for (size_t shown = n < GSM_MAX / 10 ? n : GSM_MAX / 10;; shown--) {
		buf_reset(&b);
		put_summary(c, v, n, shown, ja, &b);
		if (!shown || (!b.full && answer_fits(buf_str(&b))))
			break;
	}
	snprintf(out, ANSWER_OUT_MAX, "%s", buf_str(&b));
	answer_fit(out);
	buf_fini(&b);
}
