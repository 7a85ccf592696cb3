/* Preloaded into a program by tests: makes its disk full, or makes it fail, while a control file says so.
 *
 * DISK_FAULTS_FOLDER   only files below this folder are affected
 * DISK_FAULTS_CONTROL  while this file exists and begins with "full", writing fails with ENOSPC; with "io", writing and
 *                      flushing fail with EIO; with "flush", flushing alone
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { WRITE, FLUSH };

/* The error to fail with, or 0. */
static int fault(int descriptor, enum kind kind) {
    const char *control = getenv("DISK_FAULTS_CONTROL"), *folder = getenv("DISK_FAULTS_FOLDER");
    if (!control || !folder) return 0;
    int open_control = open(control, O_RDONLY | O_CLOEXEC);
    if (open_control < 0) return 0;
    char what[8] = {0};
    ssize_t length = read(open_control, what, sizeof what - 1);
    close(open_control);
    if (length <= 0) return 0;
    char link[64], path[PATH_MAX] = {0};
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    if (readlink(link, path, sizeof path - 1) < 0 || strncmp(path, folder, strlen(folder)) != 0) return 0;
    if (!strncmp(what, "full", 4)) return kind == WRITE ? ENOSPC : 0;
    if (!strncmp(what, "io", 2)) return EIO;
    if (!strncmp(what, "flush", 5)) return kind == FLUSH ? EIO : 0;
    return 0;
}

#define WRAP(result, name, kind, parameters, arguments)                       \
    result name parameters {                                                  \
        static result(*real) parameters;                                      \
        int error = fault(descriptor, kind);                                  \
        if (error) { errno = error; return -1; }                              \
        if (!real) real = (result(*) parameters)dlsym(RTLD_NEXT, #name);      \
        return real arguments;                                                \
    }

WRAP(ssize_t, write, WRITE, (int descriptor, const void *from, size_t count), (descriptor, from, count))
WRAP(ssize_t, pwrite, WRITE, (int descriptor, const void *from, size_t count, off_t at), (descriptor, from, count, at))
WRAP(ssize_t, pwrite64, WRITE, (int descriptor, const void *from, size_t count, off64_t at), (descriptor, from, count, at))
WRAP(ssize_t, writev, WRITE, (int descriptor, const struct iovec *from, int count), (descriptor, from, count))
WRAP(int, ftruncate, WRITE, (int descriptor, off_t length), (descriptor, length))
WRAP(int, ftruncate64, WRITE, (int descriptor, off64_t length), (descriptor, length))
WRAP(int, fsync, FLUSH, (int descriptor), (descriptor))
WRAP(int, fdatasync, FLUSH, (int descriptor), (descriptor))
