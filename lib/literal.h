/*
 * Addresses as text.
 */
#ifndef LIB_LITERAL_H
#define LIB_LITERAL_H

#include <stdbool.h>

/* text is an IPv4 or IPv6 address as it is written: no name, no brackets, no port. */
bool literal_is_address(const char *text);

#endif
