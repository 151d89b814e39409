/*
 * What one queued message tells, whatever mail transport agent queued it, and the few helpers that the
 * readers of their files share. A reader is pure: the first bytes of a file come in, a queue_message comes
 * out, recipients go to a call back.
 */
#ifndef PROBES_QUEUE_MESSAGE_H
#define PROBES_QUEUE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	QUEUE_TEXT_MAX = 65536,	 /* bytes read of a file that is no Postfix one; what stands in them holds */
	QUEUE_ADDRESS_MAX = 321, /* longest address that is kept whole, with its NUL; longer ones are cut */
	QUEUE_DONE_MAX = 1024	 /* recipients remembered as done, where they are listed apart */
};

enum queue_got {
	QUEUE_GOT,	  /* it told something */
	QUEUE_GONE,	  /* it went on meanwhile */
	QUEUE_UNFINISHED, /* it is being written */
	QUEUE_DAMAGED,	  /* it is no file of this kind, or ends in the middle */
	QUEUE_FOREIGN,	  /* of a version (or packed in a way) that we do not know */
	QUEUE_REFUSED	  /* not permitted; errno says how */
};

struct queue_message {
	bool has_sender;
	char sender[QUEUE_ADDRESS_MAX]; /* "" with has_sender: the null sender */
	int64_t arrival_ms;		/* wall clock; 0 when it does not say */
	char client[64];     /* address of the client; "" for local mail, or when it does not say */
	char account[256];   /* login name; "" when none */
	char host[128];	     /* whose answer deferred it, where the file says so */
	bool frozen;	     /* Exim: nothing happens to it until somebody looks */
	uint64_t todo, done; /* recipients */
};

/* Where recipients go. rcpt may be NULL. */
struct queue_sink {
	void (*rcpt)(void *arg, const char *address, bool done);
	void *arg;
};

/* A stretch of a text. */
struct queue_slice {
	const char *at;
	size_t len;
};

/* The next line of *rest (without its newline) to *line; false when there is none. A last line without
 * newline counts, *whole (may be NULL) says that it had one. */
bool queue_line(struct queue_slice *rest, struct queue_slice *line, bool *whole);
/* The same for parts that end with a NUL. */
bool queue_part(struct queue_slice *rest, struct queue_slice *part, bool *whole);
/* Copies a slice, cut to size; bytes behind a NUL are left out. */
void queue_keep(char *to, size_t size, struct queue_slice from);
/* Whether a line begins with the word; then what is behind it is in *rest. */
bool queue_begins(struct queue_slice line, const char *word, struct queue_slice *rest);
/* Seconds since 1970 as ms; 0 when it is no such number. Digits end at anything else. */
int64_t queue_seconds(struct queue_slice text);
/* "<a@b>" without the brackets; others as they are. */
struct queue_slice queue_unbracket(struct queue_slice s);
/* Counts a recipient and hands it on. */
void queue_rcpt(const struct queue_sink *to, struct queue_message *m, struct queue_slice address, bool done);

#endif
