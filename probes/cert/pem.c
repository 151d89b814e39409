/*
 * Reads PEM with OpenSSL, one certificate after the other; private keys in the same file are passed over.
 */
#include "pem.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probes/net/certificate.h"

static void check_name(X509 *x, const char *name, struct tls_report *out)
{
	out->chain_ok = true;
	out->name_ok = !name || certificate_carries(x, name);
	if (!out->name_ok)
		snprintf(out->why, sizeof(out->why), "certificate is not for %.100s", name);
}

static size_t read_all(BIO *bio, const char *name, struct tls_report *out)
{
	size_t n = 0;
	X509 *x;

	while (n < PEM_CERTS_MAX && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		if (n++ == 0)
			check_name(x, name, out);
		certificate_keep_first(out, x);
		X509_free(x);
	}
	return n;
}

/* A regular file, or what a link leads to: a fifo would block us. */
static BIO *open_file(const char *path, char *why, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	BIO *bio;

	if (fd < 0 || fstat(fd, &st) != 0) {
		snprintf(why, size, "cannot be read: %m");
	} else if (!S_ISREG(st.st_mode) || st.st_size > 16 << 20) {
		snprintf(why, size, "cannot be read: no regular file of at most 16 MiB");
	} else {
		bio = BIO_new_fd(fd, BIO_CLOSE);
		if (bio) {
			/* PEM is read by lines */
			BIO *buffer = BIO_new(BIO_f_buffer());

			return buffer ? BIO_push(buffer, bio) : bio;
		}
		snprintf(why, size, "cannot be read: out of memory");
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

enum pem_found pem_look(const char *path, const char *name, struct tls_report *out, char *why, size_t size)
{
	BIO *bio = open_file(path, why, size);
	unsigned long last;
	size_t n;

	if (!bio)
		return PEM_LOCAL;
	ERR_clear_error();
	n = read_all(bio, name, out);
	last = ERR_peek_last_error();
	BIO_free_all(bio);
	ERR_clear_error();
	if (n > 0 && ERR_GET_REASON(last) == PEM_R_NO_START_LINE)
		return PEM_GOOD;
	snprintf(why, size,
		 n == 0 && ERR_GET_REASON(last) == PEM_R_NO_START_LINE ? "holds no certificate"
								       : "holds a broken certificate");
	return PEM_NONE;
}
