/*
 * A DKIM key as it is published: is it one, and how strong. Pure.
 */
#ifndef PROBES_POLICY_KEY_H
#define PROBES_POLICY_KEY_H

#include <stdbool.h>
#include <stddef.h>

enum dkim_key { DKIM_KEY_BAD, DKIM_KEY_RSA, DKIM_KEY_ED25519, DKIM_KEY_UNKNOWN };

/* base64 of tag p, and tag k (NULL: rsa). bits: of an RSA key. why: of a bad one (static text). */
enum dkim_key dkim_key_read(const char *base64, const char *k, int *bits, const char **why);

#endif
