/*
 * A person's message: whatever it holds, what is read of it stays within its fields, is whole UTF-8 where the
 * message was, and nothing but a code of digits acknowledges. The book that keeps it survives any file.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "pagerd/rules/answer.h"
#include "pagerd/rules/number.h"
#include "pagerd/store/book.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const char *text)
{
	struct answer a;
	struct answer_facts f = {
	    .known = true, .may_ack = true, .may_status = true, .may_downtime = true, .limit = 20};
	answer_parse(text, &a);
	if (strspn(a.code, "0123456789") != strlen(a.code) || (a.code[0] && strlen(a.code) < CODE_DIGITS_MIN))
		abort();
	if (strlen(a.comment) >= sizeof a.comment || strlen(a.name) >= sizeof a.name)
		abort();
	f.echo = answer_echoes(text, "mx1: connection refused");
	for (int t = TARGET_NONE; t <= TARGET_OVER; t++) {
		f.target = (enum answer_target)t;
		enum answer_do what = answer_decide(&a, &f);
		if (what == ANS_ACK && (!a.code[0] || a.quoted || f.echo || t != TARGET_LIVE))
			abort();
		if (what == ANS_DOWN && (a.span_ms < ANSWER_DOWN_MIN_MS || a.span_ms > ANSWER_DOWN_MAX_MS))
			abort();
	}
	f.known = false;
	if (answer_decide(&a, &f) != ANS_IGNORE)
		abort();
	if (number_same(text, "+819012345678", "81") && strlen(text) < NUMBER_TAIL)
		abort();
}

static void look_at_words(const char *text)
{
	char out[ANSWER_OUT_MAX];
	struct answer_counts c = {.known = true, .n = {1, 2, 3, 4}};
	struct answer_item i = {.state = NAG_CRITICAL, .check = text, .id = "K7Q2M"};
	struct answer_words w = {.id = "K7Q2M",
				 .check = text,
				 .by = text,
				 .at = "19:44",
				 .until = "21:44",
				 .code = "4821",
				 .why = text};
	for (int ja = 0; ja < 2; ja++) {
		w.ja = ja;
		for (int what = ANS_HINT; what <= ANS_HELP; what++) {
			answer_text((enum answer_do)what, &w, out);
			if (!answer_fits(out))
				abort();
		}
		answer_status(&c, &i, 1, ja, out);
		if (!answer_fits(out))
			abort();
	}
}

static void look_at_book(const char *text, size_t size)
{
	struct book b = {0};
	cJSON *v = json_parse(text, size, 4 << 20, NULL);
	if (v)
		book_read(&b, v);
	if (b.n > BOOK_MAX)
		abort();
	cJSON_Delete(v);
	cJSON_Delete(book_make(&b));
	book_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	look_at(text);
	look_at_words(text);
	look_at_book(text, size);
	free(text);
	return 0;
}
