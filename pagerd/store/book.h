/*
 * The book of messages that came in: what each asked for, what was done and whether it is answered. An entry
 * is durable before anything is done about it, so that a message is neither lost nor obeyed twice, whoever
 * dies when. It also counts what a sender had within the hour. As JSON: STATE/replies.json. Pure but for
 * memory; answers.c writes it.
 */
#ifndef PAGERD_STORE_BOOK_H
#define PAGERD_STORE_BOOK_H

#include "pagerd/rules/answer_text.h"

struct cJSON;

enum { BOOK_MAX = 400, BOOK_KEY_MAX = 40, BOOK_FROM_MAX = 64 };

enum book_phase {
	BOOK_ASKED,  /* it is not done yet */
	BOOK_ANSWER, /* done; the answer has to leave */
	BOOK_DONE
};

struct book_entry {
	char key[BOOK_KEY_MAX]; /* of the message, the same when it is told again */
	char line[EVENT_NAME_MAX], from[BOOK_FROM_MAX];
	char contact[EVENT_NAME_MAX]; /* who that is */
	int64_t at_wall_ms;	      /* when we got it */
	enum answer_do what;
	bool answered; /* an answer is made for it: counts */
	enum book_phase phase;
	/* what is asked for */
	char code[CODE_DIGITS_MAX + 1];
	char check[EVENT_NAME_MAX]; /* of the incident, or for a downtime */
	uint64_t opened;	    /* ACK: the incident */
	char comment[INC_COMMENT_MAX];
	int64_t from_ms, until_ms; /* DOWN: wall clock */
	char text[ANSWER_OUT_MAX]; /* the answer */
	/* not persisted */
	bool running; /* asked of monitord, or on its way to the person */
};

struct book {
	struct book_entry *v; /* oldest first */
	size_t n;
	uint64_t rev;
	bool dirty;
};

void book_fini(struct book *b);
struct book_entry *book_find(const struct book *b, const char *key);
/* A new entry; the oldest that are done make room. NULL: all are still to be done, or memory is out. */
struct book_entry *book_add(struct book *b, const char *key);
/* Made from the key: for who can keep a number only. */
uint64_t book_tag(const struct book_entry *e);
/* How many of a sender since then: answers, or messages about which what was decided. */
unsigned book_answers(const struct book *b, const char *from, int64_t since_wall_ms);
unsigned book_count(const struct book *b, const char *from, enum answer_do what, int64_t since_wall_ms);
struct cJSON *book_make(const struct book *b);
/* Entries that cannot be read are left out; how many those were. */
size_t book_read(struct book *b, const struct cJSON *v);

#endif
