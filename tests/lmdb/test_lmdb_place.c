#include "disk_faults.h"
#include "lmdb_fixture.h"

#include "lmdb/lmdb_place.h"

Test(lmdb_place, file_systems_of_several_machines_are_refused_and_others_are_not)
{
    /* As statfs(2) lists them. */
    static const struct {
        uint64_t type;
        const char *name;
    } CASES[] = {
        {0x6969, "NFS"},
        {0xff534d42, "CIFS"},
        {0xfe534d42, "SMB"},
        {0x517b, "SMB"},
        {0x01021997, "9P"},
        {0x00c36400, "Ceph"},
        {0x65735546, "FUSE"},
        {0x0bd00bd0, "Lustre"},
        {0x5346414f, "AFS"},
        {0xef53, NULL},
        {0x58465342, NULL},
        {0x9123683e, NULL},
        {0x01021994, NULL},
        {0x794c7630, NULL},
        {0, NULL},
        {UINT64_C(1) << 32 | 0x6969, NULL},
    };
    for (size_t index = 0; index < sizeof CASES / sizeof *CASES; index++) {
        const char *name = grove__lmdb_place_refused(CASES[index].type);
        if (CASES[index].name == NULL) {
            cr_expect_null(name, "%llx", (unsigned long long)CASES[index].type);
        } else {
            cr_expect(name != NULL && strcmp(name, CASES[index].name) == 0);
        }
    }
}

Test(lmdb_place, a_store_on_a_network_is_refused_by_name_unless_allowed)
{
    enum { NFS = 0x6969 };
    lmdb_fixture fixture;
    grove_backend_env *env = NULL;
    lmdb_fixture_make(&fixture);
    atomic_store(&disk_type, NFS);
    cr_assert_eq(lmdb_try_open(&fixture, &env), GROVE_INVALID);
    cr_assert_not_null(strstr(fixture.error.message, "is on NFS"));
    cr_assert_not_null(strstr(fixture.error.message, "may_be_remote"));
    cr_assert_not(lmdb_is_there(fixture.path), "nothing is made");
    fixture.options.may_be_remote = true;
    lmdb_fill(&fixture, 10, 10);
    fixture.options.may_be_remote = false;
    fixture.options.must_exist = true;
    cr_assert_eq(lmdb_try_open(&fixture, &env), GROVE_INVALID);
    atomic_store(&disk_type, 0);
    fixture.backend->close(lmdb_open_env(&fixture));
    lmdb_fixture_remove(&fixture);
}

/* Numbers of file systems are of 32 bits, and signed on some machines. */
Test(lmdb_place, a_type_with_the_sign_bit_is_known_too)
{
    grove_error error = {.status = GROVE_OK};
    atomic_store(&disk_type, 0xff534d42);
    cr_assert_eq(grove__lmdb_place_check("/", &error), GROVE_INVALID);
    atomic_store(&disk_type, 0);
    cr_assert_not_null(strstr(error.message, "CIFS"));
    cr_assert_eq(grove__lmdb_place_check("/", &error), GROVE_OK);
}

Test(lmdb_place, of_what_does_not_exist_the_directory_above_counts)
{
    temp_dir dir;
    char path[TEMP_DIR_PATH_BYTES];
    char long_path[5000];
    grove_error error = {.status = GROVE_OK};
    temp_dir_make(&dir);
    cr_assert_eq(grove__lmdb_place_check(temp_dir_path(&dir, "new", path), &error),
                 GROVE_OK);
    cr_assert_eq(grove__lmdb_place_check(temp_dir_path(&dir, "new///", path), &error),
                 GROVE_OK);
    cr_assert_eq(chdir(dir.path), 0);
    cr_assert_eq(grove__lmdb_place_check("new", &error), GROVE_OK);
    cr_assert_eq(grove__lmdb_place_check("/new", &error), GROVE_OK);
    /* Whoever opens it finds that there is nothing, or cannot make it. */
    cr_assert_eq(grove__lmdb_place_check("new/newer", &error), GROVE_OK);
    memset(long_path, 'x', sizeof long_path);
    long_path[sizeof long_path - 1] = '\0';
    cr_assert_eq(grove__lmdb_place_check(long_path, &error), GROVE_INVALID);
    cr_assert_not_null(strstr(error.message, "too long"));
    temp_dir_remove(&dir);
}

Test(lmdb_place, the_boot_is_known_and_stays)
{
    uint64_t boot = grove__lmdb_boot();
    cr_assert_neq(boot, 0);
    cr_assert_eq(grove__lmdb_boot(), boot);
}
