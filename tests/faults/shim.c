/* What stands between a driver and its disk, for campaigns: loaded with LD_PRELOAD, asleep until
 * `shim_arm` is called.
 *
 * It writes down every change below one folder, in order, with what the driver says on stderr in
 * between, so that any state a power cut could leave can be made from it; or it lets the disk be
 * full from the n-th change on; or it makes fsync do nothing.
 *
 * An entry of the log is a letter, three 64-bit numbers (length of the path, offset, length of the
 * data), the path and the data:
 *   O created or emptied   W written at an offset   T cut to `offset` bytes   S synced
 *   R renamed, the new path is the data   L linked, likewise   U removed   M folder made
 *   E said on stderr
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char root[PATH_MAX];
static int journal = -1, deaf;
static long full_at, changes;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = dlsym(RTLD_NEXT, #name)

/* Watch `folder`: log to `log` ("" for none), be full from change `full` on (0 for never). */
void shim_arm(const char *folder, const char *log, long full, int ignore_sync)
{
    snprintf(root, sizeof root, "%s", folder);
    journal = *log ? (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    full_at = full;
    changes = 0;
    deaf = ignore_sync;
}

long shim_changes(void) { return changes; }

static int ours(const char *path)
{
    size_t n = strlen(root);
    return n && !strncmp(path, root, n) && (path[n] == '/' || !path[n]);
}

static int path_of(int fd, char *path)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, PATH_MAX - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return ours(path);
}

static void note(char what, const char *path, int64_t offset, const void *data, int64_t length)
{
    if (journal < 0) return;
    char head[25];
    int64_t n = (int64_t)strlen(path);
    head[0] = what;
    memcpy(head + 1, &n, 8);
    memcpy(head + 9, &offset, 8);
    memcpy(head + 17, &length, 8);
    syscall(SYS_write, journal, head, sizeof head);
    syscall(SYS_write, journal, path, n);
    if (length) syscall(SYS_write, journal, data, length);
}

/* 0: there is room; 1: this change is the first that there is no room for; 2: a later one. */
static int full(void)
{
    changes++;
    return !full_at || changes < full_at ? 0 : changes == full_at ? 1 : 2;
}

static int64_t here(int fd)
{
    struct stat about;
    if (fcntl(fd, F_GETFL) & O_APPEND) return fstat(fd, &about) ? 0 : about.st_size;
    return lseek(fd, 0, SEEK_CUR);
}

static ssize_t put(int fd, const void *data, size_t length, int64_t offset, int placed)
{
    char path[PATH_MAX];
    int64_t at = offset;
    ssize_t done;
    if (fd == journal) return syscall(SYS_write, fd, data, length);
    if (root[0] && fd == 2) {
        done = syscall(SYS_write, fd, data, length);
        if (done > 0) note('E', "", 0, data, done);
        return done;
    }
    if (!root[0] || !path_of(fd, path))
        return placed ? syscall(SYS_pwrite64, fd, data, length, offset) : syscall(SYS_write, fd, data, length);
    pthread_mutex_lock(&turn);
    int lacking = full();
    if (lacking == 2 || (lacking == 1 && length < 2)) {
        pthread_mutex_unlock(&turn);
        errno = ENOSPC;
        return -1;
    }
    if (lacking == 1) length /= 2; /* a torn write */
    if (!placed) at = here(fd);
    done = placed ? syscall(SYS_pwrite64, fd, data, length, offset) : syscall(SYS_write, fd, data, length);
    if (done > 0) note('W', path, at, data, done);
    pthread_mutex_unlock(&turn);
    return done;
}

ssize_t write(int fd, const void *data, size_t length) { return put(fd, data, length, 0, 0); }
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return put(fd, data, length, at, 1); }
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) { return put(fd, data, length, at, 1); }

static int opened(int folder, const char *name, int flags, mode_t mode)
{
    char path[PATH_MAX];
    int there = 1;
    if (root[0] && (flags & (O_CREAT | O_TRUNC)) && (flags & O_ACCMODE) != O_RDONLY) {
        there = !faccessat(folder, name, F_OK, 0);
        if (!there && ours(name) && full()) {
            errno = ENOSPC;
            return -1;
        }
    }
    int fd = (int)syscall(SYS_openat, folder, name, flags, mode);
    if (fd >= 0 && root[0] && (!there || flags & O_TRUNC) && path_of(fd, path)) note('O', path, 0, "", 0);
    return fd;
}

#define MODE(flags) \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

int open(const char *name, int flags, ...) { MODE(flags) return opened(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE(flags) return opened(AT_FDCWD, name, flags, mode); }
int openat(int at, const char *name, int flags, ...) { MODE(flags) return opened(at, name, flags, mode); }
int openat64(int at, const char *name, int flags, ...) { MODE(flags) return opened(at, name, flags, mode); }

static int cut(int fd, int64_t length)
{
    char path[PATH_MAX];
    int watched = root[0] && path_of(fd, path);
    if (watched && full()) {
        errno = ENOSPC;
        return -1;
    }
    int done = (int)syscall(SYS_ftruncate, fd, length);
    if (watched && !done) note('T', path, length, "", 0);
    return done;
}

int ftruncate(int fd, off_t length) { return cut(fd, length); }
int ftruncate64(int fd, off64_t length) { return cut(fd, length); }

static int synced(int fd, long call)
{
    char path[PATH_MAX];
    if (root[0] && deaf) return 0;
    int done = (int)syscall(call, fd);
    if (!done && root[0] && path_of(fd, path)) note('S', path, 0, "", 0);
    return done;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int rename(const char *from, const char *to)
{
    REAL(rename);
    int done = real(from, to);
    if (!done && root[0] && ours(from)) note('R', from, 0, to, (int64_t)strlen(to));
    return done;
}

static int linked(int a, const char *from, int b, const char *to, int flags)
{
    if (root[0] && ours(to) && full()) {
        errno = ENOSPC;
        return -1;
    }
    int done = (int)syscall(SYS_linkat, a, from, b, to, flags);
    if (!done && root[0] && ours(from)) note('L', from, 0, to, (int64_t)strlen(to));
    return done;
}

int link(const char *from, const char *to) { return linked(AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int a, const char *from, int b, const char *to, int flags) { return linked(a, from, b, to, flags); }

int unlink(const char *name)
{
    REAL(unlink);
    int done = real(name);
    if (!done && root[0] && ours(name)) note('U', name, 0, "", 0);
    return done;
}

int mkdir(const char *name, mode_t mode)
{
    REAL(mkdir);
    if (root[0] && ours(name) && full()) {
        errno = ENOSPC;
        return -1;
    }
    int done = real(name, mode);
    if (!done && root[0] && ours(name)) note('M', name, 0, "", 0);
    return done;
}
