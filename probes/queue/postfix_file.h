/*
 * Reads one Postfix queue file: who sent it, who shall get it, whence and when it
 * came. A queue file is a row of records (a type byte, a length in groups of 7 bits,
 * the data) that is not read front to back:
 *   C  sizes: of the content, where it starts
 *   T S A R D  arrival, sender, attribute, recipient to do, recipient done
 *   M  the content follows; what the server extracted from it (with `sendmail -t` all
 *      recipients) stands behind it, at offset + size
 *   p  a pointer: when not 0, reading goes on there (an edit by a milter)
 *   E  the end
 * Pure: bytes come from a call back. Bounded in records and reads, so neither a loop of
 * pointers nor a message with a million recipients holds it up.
 */
#ifndef PROBES_QUEUE_POSTFIX_FILE_H
#define PROBES_QUEUE_POSTFIX_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	POSTFIX_FILE_READS = 256,    /* of at most 4 KiB each */
	POSTFIX_FILE_RECORDS = 8192, /* then the file is left where it is: POSTFIX_FILE_LIMIT */
	POSTFIX_ADDRESS_MAX = 321 /* longest address that is kept whole, with its NUL; longer ones are cut */
};

enum postfix_file_end {
	POSTFIX_FILE_WHOLE,  /* read to its end */
	POSTFIX_FILE_LIMIT,  /* more records than we read; what was found holds */
	POSTFIX_FILE_CUT,    /* it ends in the middle (it is being written, or damaged) */
	POSTFIX_FILE_BROKEN, /* not a queue file, or damaged */
	POSTFIX_FILE_IO	     /* read_at failed; errno is its */
};

struct postfix_source {
	/* At most n bytes at off into to: how many (0: behind the end), or -1. */
	ssize_t (*read_at)(void *arg, uint64_t off, void *to, size_t n);
	/* Each recipient; done: delivered or bounced already. May be NULL. */
	void (*rcpt)(void *arg, const char *address, bool done);
	void *arg;
};

struct postfix_file {
	enum postfix_file_end end;
	bool has_sender;
	char sender[POSTFIX_ADDRESS_MAX]; /* "" with has_sender: the null sender */
	int64_t arrival_ms;		  /* wall clock; 0 when the file does not say */
	char client[64]; /* address of the client, the first one behind a content filter; "" for local mail */
	char account[256];   /* SASL login name; "" when none */
	uint64_t todo, done; /* recipients */
};

/* Fills f from its start. f->end says how it went. */
void postfix_file_read(const struct postfix_source *src, struct postfix_file *f);

/* Whether name can be a queue id: the characters and the length of a short or a long one. *stem: for a long
 * one the number of characters that tell the time (of two stems of one length the older is the lesser in byte
 * order), else 0. */
bool postfix_id_ok(const char *name, size_t *stem);
/* The time in a long queue id (enable_long_queue_ids), wall clock; 0 when the id is a short one. */
int64_t postfix_id_time_ms(const char *id);

#endif
