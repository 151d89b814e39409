/* Addresses as text; see literal.h. */
#include "literal.h"

#include <arpa/inet.h>

bool literal_is_address(const char *text)
{
	unsigned char a[16];

	return inet_pton(AF_INET, text, a) == 1 || inet_pton(AF_INET6, text, a) == 1;
}
