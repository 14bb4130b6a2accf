// Loaded before a server's libraries: while FULL exists, no file below DISK can become longer.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

// Whether `length` bytes at `offset` of this file find no room. Those of a pipe, a socket or a log do.
static int no_room(int file, off_t offset, size_t length) {
    struct stat stat;
    if (access(FULL, F_OK) != 0) return 0;
    if (fstat(file, &stat) != 0 || !S_ISREG(stat.st_mode)) return 0;
    if (offset < 0) {
        int is_appended = fcntl(file, F_GETFL) & O_APPEND;
        offset = is_appended ? stat.st_size : lseek(file, 0, SEEK_CUR);
    }
    if (offset + (off_t)length <= stat.st_size) return 0;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t read = readlink(link, path, sizeof path);
    return read > (ssize_t)strlen(DISK) && memcmp(path, DISK, strlen(DISK)) == 0;
}

static size_t sum(const struct iovec *parts, int count) {
    size_t length = 0;
    for (int part = 0; part < count; part++) length += parts[part].iov_len;
    return length;
}

// A function of this name that fails if there is no room. `offset` is -1 where the file has its own.
#define WRITES(name, parameters, arguments, offset, length)   \
    ssize_t name parameters {                                 \
        static ssize_t(*real) parameters;                     \
        if (!real) real = dlsym(RTLD_NEXT, #name);            \
        if (no_room(file, offset, length)) {                  \
            errno = ENOSPC;                                   \
            return -1;                                        \
        }                                                     \
        return real arguments;                                \
    }

WRITES(write, (int file, const void *bytes, size_t length), (file, bytes, length), -1, length)
WRITES(pwrite, (int file, const void *bytes, size_t length, off_t at), (file, bytes, length, at), at, length)
WRITES(pwrite64, (int file, const void *bytes, size_t length, off_t at), (file, bytes, length, at), at, length)
WRITES(writev, (int file, const struct iovec *parts, int count), (file, parts, count), -1, sum(parts, count))
WRITES(pwritev, (int file, const struct iovec *parts, int count, off_t at), (file, parts, count, at), at, sum(parts, count))
WRITES(pwritev64, (int file, const struct iovec *parts, int count, off_t at), (file, parts, count, at), at, sum(parts, count))

// These say what is wrong by what they return.
#define ALLOCATES(name)                                               \
    int name(int file, off_t at, off_t length) {                      \
        static int (*real)(int, off_t, off_t);                        \
        if (!real) real = dlsym(RTLD_NEXT, #name);                    \
        return no_room(file, at, (size_t)length) ? ENOSPC : real(file, at, length); \
    }

ALLOCATES(posix_fallocate)
ALLOCATES(posix_fallocate64)
