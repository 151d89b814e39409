/*
 * The least a program can do to count a hashed queue: getdents64 on the directory and on those in it, nothing
 * else. The measure for the queue probe's depth. bare_getdents DIR prints the number of entries that are no
 * directories.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static long count(int parent, const char *name, char *buffer, size_t size, int depth)
{
	char sub[128][2];
	int nsub = 0, fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long n = 0, len;

	while (fd >= 0 && (len = getdents64(fd, buffer, size)) > 0) {
		for (char *p = buffer; p < buffer + len; p += ((struct dirent64 *)p)->d_reclen) {
			const struct dirent64 *d = (const struct dirent64 *)p;

			if (d->d_type != DT_DIR)
				n++;
			else if (d->d_name[0] != '.' && !d->d_name[1] && nsub < 128)
				memcpy(sub[nsub++], d->d_name, 2);
		}
	}
	for (int i = 0; i < nsub && depth < 4; i++)
		n += count(fd, sub[i], buffer, size, depth + 1);
	if (fd >= 0)
		close(fd);
	return n;
}

int main(int argc, char **argv)
{
	static char buffer[128 * 1024];

	if (argc < 2)
		return 2;
	printf("%ld\n", count(AT_FDCWD, argv[1], buffer, sizeof(buffer), 0));
	return 0;
}
