/*
 * What a person's message says and what is to be done with it. A reply acknowledges only when it begins with
 * the code that the page carried: a forwarded page, a quoted one, or a chat about it does not.
 *
 *     ACK 4821 [comment]   4821 [comment]   acknowledge
 *     STATUS   ?                            what is wrong now
 *     DOWN 2h [4821|CHECK|ID]               downtime, for the only open incident when none is named
 *     UP [4821|CHECK|ID]                    end it
 *     HELP                                  what this sender may do
 *
 * Case, spaces, full-width letters and digits are tolerated; OK, 了解, 確認, 対応 stand for ACK, 停止 for
 * DOWN, 再開 for UP, 状況 and 状態 for STATUS.
 *
 * Pure: no I/O, no clock, no globals. Called by answers.c.
 */
#ifndef PAGERD_RULES_ANSWER_H
#define PAGERD_RULES_ANSWER_H

#include "incident.h"

enum {
	CODE_DIGITS_MIN = 4,
	CODE_DIGITS_MAX = 6,
	ANSWER_TEXT_MAX = 2048, /* bytes of a message that are looked at */
	ANSWER_DOWN_MIN_MS = 60000,
	ANSWER_WRONG_MAX = 10 /* wrong codes of one sender within the hour: more are not looked at */
};
#define ANSWER_DOWN_MAX_MS (7ll * 86400000)

enum answer_verb { ANSWER_NONE, ANSWER_ACK, ANSWER_STATUS, ANSWER_DOWN, ANSWER_UP, ANSWER_HELP };

struct answer {
	enum answer_verb verb;
	bool quoted;			/* forwarded or quoted: nothing of it is obeyed */
	char code[CODE_DIGITS_MAX + 1]; /* "" when it names none */
	char name[EVENT_NAME_MAX];	/* DOWN, UP: a check or an incident's id; "" when it names none */
	int64_t span_ms;		/* DOWN: how long; -1: not understood */
	char comment[INC_COMMENT_MAX];
};

void answer_parse(const char *text, struct answer *a);
/* True when the message repeats so much of the page's own text that it must be a copy of it. */
bool answer_echoes(const char *message, const char *page_text);

/* What the code (or, for DOWN and UP, the name) leads to. */
enum answer_target {
	TARGET_NONE,  /* nothing is named */
	TARGET_WRONG, /* no such code for this sender, no such check */
	TARGET_LIVE,  /* an incident that lasts and waits for somebody */
	TARGET_USED,  /* somebody acknowledged it already */
	TARGET_OVER   /* it has recovered */
};

struct answer_facts {
	bool known; /* the sender stands in a contact's list */
	bool may_ack, may_status, may_downtime;
	bool echo; /* answer_echoes */
	enum answer_target target;
	unsigned wrong;	  /* wrong codes of this sender within the hour */
	unsigned answers; /* answers to this sender within the hour */
	unsigned limit;	  /* of those */
};

enum answer_do {
	ANS_IGNORE, /* logged, no answer: a stranger, or too many wrong codes */
	ANS_HINT,   /* not understood */
	ANS_QUOTED, /* forwarded or quoted */
	ANS_MAY_NOT,
	ANS_WRONG, /* no such code */
	ANS_ACK,
	ANS_ALREADY, /* somebody has it: say who and since when */
	ANS_OVER,    /* say since when */
	ANS_STATUS,
	ANS_WHICH, /* DOWN or UP without saying what, and it is not plain what is meant */
	ANS_SPAN,  /* DOWN: for how long was not understood, or is too long */
	ANS_DOWN,
	ANS_UP,
	ANS_HELP
};

enum answer_do answer_decide(const struct answer *a, const struct answer_facts *f);
/* Whether what was decided is answered: never a stranger, and at most limit times an hour, so that two
 * machines that answer each other do not empty the SIM. */
bool answer_is_answered(enum answer_do what, const struct answer_facts *f);

/* A code of so many digits from a random number, the first not 0. */
void answer_code(uint64_t random, int digits, char out[CODE_DIGITS_MAX + 1]);
/* How many digits codes need while so many are out: at most every twentieth guess may meet one. */
int answer_code_digits(size_t out);

#endif
