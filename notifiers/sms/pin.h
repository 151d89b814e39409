/*
 * Never locks a SIM: a PIN is tried once, only with at least two tries left, and one that was refused is
 * remembered across restarts (as a salted hash).
 */
#ifndef NOTIFIERS_SMS_PIN_H
#define NOTIFIERS_SMS_PIN_H

#include <stdbool.h>
#include <stddef.h>

/* How many tries are left, out of the answer to a query; -1: it does not say. Pure. */
int sms_pin_tries(const char *line);
/* The commands that ask for it, one maker's after the other; NULL ends. */
extern const char *const sms_pin_queries[];

/* May this PIN be tried? False with a reason: it was tried before and not accepted. dir/sms-LINE.pin is the
 * memory. */
bool sms_pin_allowed(const char *dir, const char *line, const char *pin, char *why, size_t size);
/* Remembers it as tried, durably, BEFORE it is sent: a crash in between must not lead to a second try. */
bool sms_pin_trying(const char *dir, const char *line, const char *pin, char *why, size_t size);
/* It was right. */
void sms_pin_accepted(const char *dir, const char *line);

#endif
