/* The words of a page; see words.h. */
#include "words.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/contract/result.h"

static const struct words english = {
    .kinds = {[PAGE_ACK] = "ACK ", [PAGE_NOTICE] = "NOTICE ", [PAGE_TEST] = "TEST: "},
    .states = {"OK", "WARNING", "CRITICAL", "UNKNOWN"},
    .recovered = "OK",
    .dots = "...",
    .comma = ",",
    .host = {" (", ")"},
    .since = "since %s",
    .after = "after %s",
    .reply = "reply ACK %s",
    .day = "%m-%d %H:%M",
    .time = "%H:%M",
    .units = {" s", " min", " h", " d"},
    .gap = " ",
};

static const struct words japanese_words = {
    .kinds = {[PAGE_ACK] = "対応中 ", [PAGE_NOTICE] = "通知 ", [PAGE_TEST] = "テスト: "},
    .states = {"正常", "警告", "障害", "不明"},
    .recovered = "復旧",
    .dots = "…",
    .comma = "",
    .host = {"(", ")"},
    .since = "%sから",
    .after = "%s後",
    .reply = "返信 ACK %s",
    .day = "%m/%d %H:%M",
    .time = "%H:%M",
    .units = {"秒", "分", "時間", "日"},
    .gap = "",
    .translate = japanese,
};

const struct words *words_of(const char *lang)
{
	return lang && strcmp(lang, "ja") == 0 ? &japanese_words : &english;
}

const char *words_state(const struct words *w, const char *state)
{
	enum nag_state s;

	return nag_from_name(state, &s) ? w->states[s] : state;
}

char *words_span(const struct words *w, int64_t ms, char *out, size_t size)
{
	static const int64_t seconds[] = {1, 60, 3600, 86400};
	int64_t s = ms > 0 ? ms / 1000 : 0;
	int k = s < 60 ? 0 : s < 3600 ? 1 : s < 86400 ? 2 : 3;
	int64_t rest = k > 1 ? s % seconds[k] / seconds[k - 1] : 0;
	int n = snprintf(out, size, "%lld%s", (long long)(s / seconds[k]), w->units[k]);

	if (rest > 0 && n > 0 && (size_t)n < size)
		snprintf(out + n, size - (size_t)n, "%s%lld%s", w->gap, (long long)rest, w->units[k - 1]);
	return out;
}

char *words_time(const struct words *w, int64_t wall_ms, int64_t at_wall_ms, char *out, size_t size)
{
	time_t s = (time_t)(wall_ms / 1000), a = (time_t)(at_wall_ms / 1000);
	struct tm then, at;
	bool known = localtime_r(&s, &then) && localtime_r(&a, &at);

	if (!known ||
	    !strftime(out, size,
		      at_wall_ms > 0 && (then.tm_yday != at.tm_yday || then.tm_year != at.tm_year) ? w->day
												   : w->time,
		      &then))
		snprintf(out, size, "?");
	return out;
}
