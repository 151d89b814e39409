/* Exim's spool header files (ID-H; Exim: src/spool_in.c) and what its configuration says of the spool. Pure.
 */
#ifndef PROBES_QUEUE_EXIM_HEADER_H
#define PROBES_QUEUE_EXIM_HEADER_H

#include "message.h"

/* whole: text is all of the file. */
enum queue_got exim_header_parse(struct queue_slice text, bool whole, const struct queue_sink *to,
				 struct queue_message *m);
/* Whether name is that of a header file; then the characters that tell the time are its first 6 (base 62, in
 * byte order). */
bool exim_header_name(const char *name);
int64_t exim_id_time_ms(const char *id);
/* The value of spool_directory, to out; false when the text does not set it, or not to a plain path. */
bool exim_conf_spool(struct queue_slice text, char *out, size_t size);

#endif
