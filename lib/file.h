/*
 * Files written so that a crash leaves the old or the new, never half: write a
 * temporary beside it, fsync, rename, fsync the directory. And bounded reads.
 */
#ifndef LIB_FILE_H
#define LIB_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "buf.h"

/* False with errno set; the old content is then untouched and no temporary stays behind. */
bool file_write_atomic(const char *path, const void *data, size_t len, mode_t mode);
/* The same without any fsync: for status files under /run. */
bool file_write_volatile(const char *path, const void *data, size_t len, mode_t mode);
/* All of it, whatever signals and short writes come between. False with errno set. */
bool file_write_all(int fd, const void *data, size_t len);
/* fsync of a directory, so that a rename into it lasts. False with errno set. */
bool file_sync_dir(const char *dir);
/* Reads all of a regular file of at most out->max bytes. False with errno set (EFBIG when larger). */
bool file_read(const char *path, struct buf *out);
/* mkdir -p with the mode for what is made. */
bool file_mkdirs(const char *path, mode_t mode);
/* dir + "/" + name into a malloced string. */
char *file_join(const char *dir, const char *name);
/* A secret: a file's content without the last newline, not readable by others (mode & 007 is refused), at most 4 KiB.
 * "credential:NAME" reads $CREDENTIALS_DIRECTORY/NAME. NULL and a reason in why, which never holds the secret. */
char *file_secret(const char *path, char *why, size_t size);
/* Wipes it first. NULL is fine. */
void file_secret_free(char *secret);
/* Whether it could be read now; true without a path. */
bool file_secret_there(const char *path, char *why, size_t size);
/* The directory of the running executable, malloced; NULL when it cannot be told. */
char *file_self_dir(void);
/* Where prober, check_* and notify_* are: the given directory if not NULL, else that of the executable itself when it
 * holds "prober", else the compiled-in libexec directory. malloced. */
char *file_libexec(const char *given);

#endif
