#include "lmdb_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lmdb_error.h"

/* Numbers as statfs(2) and the kernel's linux/magic.h have them. */
const char *grove__lmdb_place_refused(uint64_t type)
{
    static const struct {
        uint64_t type;
        const char *name;
    } REFUSED[] = {
        {0x6969, "NFS"},        {0x517b, "SMB"},        {0xfe534d42, "SMB"},
        {0xff534d42, "CIFS"},   {0x5346414f, "AFS"},    {0x6b414653, "AFS"},
        {0x73757245, "Coda"},   {0x00c36400, "Ceph"},   {0x01021997, "9P"},
        {0x564c, "NCP"},        {0x7461636f, "OCFS2"},  {0x01161970, "GFS2"},
        {0x0bd00bd0, "Lustre"}, {0x65735546, "FUSE"},   {0xaad7aaea, "PanFS"},
        {0x47504653, "GPFS"},   {0x19830326, "BeeGFS"},
    };
    for (size_t index = 0; index < sizeof REFUSED / sizeof *REFUSED; index++) {
        if (REFUSED[index].type == type) {
            return REFUSED[index].name;
        }
    }
    return NULL;
}

/* The file system of a path, or of the directory that it would be made in. */
static int look(const char *path, struct statfs *about_out)
{
    if (statfs(path, about_out) == 0) {
        return 0;
    }
    if (errno != ENOENT) {
        return errno;
    }
    char above[4096];
    size_t bytes = strlen(path);
    while (bytes > 1 && path[bytes - 1] == '/') {
        bytes--;
    }
    while (bytes > 0 && path[bytes - 1] != '/') {
        bytes--;
    }
    if (bytes + 2 > sizeof above) {
        return ENAMETOOLONG;
    }
    memcpy(above, path, bytes);
    memcpy(above + bytes, ".", 2);
    return statfs(above, about_out) == 0 ? 0 : errno;
}

grove_status grove__lmdb_place_check(const char *path, grove_error *error_out)
{
    struct statfs about;
    int code = look(path, &about);
    if (code == ENOENT) {
        /* Whoever opens it finds that there is nothing, or cannot make it. */
        return GROVE_OK;
    }
    if (code != 0) {
        return grove__lmdb_fail_path(error_out, code, path);
    }
    const char *name = grove__lmdb_place_refused((uint64_t)about.f_type & UINT32_MAX);
    if (name == NULL) {
        return GROVE_OK;
    }
    return grove__lmdb_fail(error_out, GROVE_INVALID,
                            "'%s' is on %s, which machines may share: locks and mapped "
                            "memory do not reach that far. Choose a local disk, or set "
                            "may_be_remote if one machine alone uses it",
                            grove__lmdb_path_tail(path), name);
}

uint64_t grove__lmdb_boot(void)
{
    char id[64];
    int descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return 0;
    }
    ssize_t got = read(descriptor, id, sizeof id);
    (void)close(descriptor);
    /* FNV-1a: the id is random, so any mix of all its bytes will do. */
    uint64_t boot = UINT64_C(0xcbf29ce484222325);
    for (ssize_t index = 0; index < got; index++) {
        boot = (boot ^ (uint8_t)id[index]) * UINT64_C(0x100000001b3);
    }
    return got > 0 ? boot : 0;
}
