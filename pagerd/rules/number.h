/*
 * Telephone numbers: whether what a network says of a sender and what a configuration holds are one number.
 * Called by the answers (who may do what) and the prover (loopback).
 *
 * Security: networks deliver senders that anybody may have forged; a number is a name, not a proof, which is
 * why an acknowledgement takes a code as well. With a country given, numbers are equal when all
 * their digits are. Without one a national number equals every international one that ends in it, whatever
 * its country: name the country and that ambiguity is gone.
 *
 * Pure.
 */
#ifndef PAGERD_RULES_NUMBER_H
#define PAGERD_RULES_NUMBER_H

#include <stdbool.h>

enum { NUMBER_TAIL = 8 }; /* a national number has at least so many digits, or it equals only itself */

/* country: digits of the country's code ("81"), or "". What holds a letter (a network's name for itself)
 * is no number and equals nothing. */
bool number_same(const char *a, const char *b, const char *country);

#endif
