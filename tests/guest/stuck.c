/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Makes things hang in a guest, for test_freeze.py, which compiles it:
 *
 *   stuck fuse DEVICE DIR   mounts a FUSE file system whose server never answers
 *   stuck write FILE        is in the middle of a write until it is killed, so that a freeze of the file
 *                           system cannot end: the data to be written are on a page that never arrives
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fail(const char *what)
{
        perror(what);
        return 1;
}

static int hang_fuse(const char *device, const char *directory)
{
        char options[128];
        int fd = open("/dev/fuse", O_RDWR);

        snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,blksize=512", fd);
        if (fd < 0 || mount(device, directory, "fuseblk", 0, options) < 0)
                return fail("mount");
        puts("mounted");
        fflush(stdout);
        for (;;)
                pause();
}

static int hang_write(const char *path)
{
        struct uffdio_api api = {.api = UFFD_API};
        int faults = (int) syscall(SYS_userfaultfd, O_CLOEXEC);
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        struct uffdio_register range = {.range = {(unsigned long) page, 4096},
                                        .mode = UFFDIO_REGISTER_MODE_MISSING};

        if (faults < 0 || fd < 0 || page == MAP_FAILED || ioctl(faults, UFFDIO_API, &api) < 0 ||
            ioctl(faults, UFFDIO_REGISTER, &range) < 0)
                return fail("userfaultfd");
        puts("writing");
        fflush(stdout);
        return write(fd, page, 4096) < 0 ? fail("write") : 0;
}

int main(int argc, char **argv)
{
        if (argc == 4 && strcmp(argv[1], "fuse") == 0)
                return hang_fuse(argv[2], argv[3]);
        if (argc == 3 && strcmp(argv[1], "write") == 0)
                return hang_write(argv[2]);
        return 2;
}
