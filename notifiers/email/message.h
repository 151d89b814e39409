/*
 * A page as a mail (RFC 5322, MIME): plain text in UTF-8, quoted-printable, seven bits on the wire, CRLF.
 * Says that a machine wrote it (RFC 3834), threads by incident, keeps its Message-ID when the same page is
 * sent again. Pure.
 */
#ifndef NOTIFIERS_EMAIL_MESSAGE_H
#define NOTIFIERS_EMAIL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/contract/line.h"

enum { EMAIL_ADDRESS_MAX = 254, EMAIL_MESSAGE_MAX = 65536, EMAIL_SUBJECT_MAX = 200 };

/* The whole mail without the final dot; no line starts with a dot. host: for the ids. False when it does not
 * fit. */
bool email_message(struct buf *out, const struct page *p, const char *from, const char *host,
		   int64_t now_wall_ms);
/* What its subject says, before it is encoded; bytes of UTF-8. Owned by the caller. */
char *email_subject(const struct page *p);
/* Adds text as the value of a header that already has `used` characters on its line: as it is when it is
 * short printable ASCII, else as encoded words (RFC 2047) of at most 75 characters, folded, none splitting a
 * character. */
void email_header_text(struct buf *out, const char *text, size_t used);
/* Adds text as quoted-printable (RFC 2045), lines ending in CRLF. */
void email_quoted(struct buf *out, const char *text);
/* An address that can go into MAIL FROM and RCPT TO as it is: local@domain, ASCII, no quotes, no comments. */
bool email_address_ok(const char *address, char *why, size_t size);

#endif
