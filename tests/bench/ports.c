/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Runs a program that may use the ports of VMware's backdoor: ports PROGRAM [ARGUMENT…]
 *
 * VMware lets every program use them; QEMU's model of the device stands behind the processor's own rules,
 * which want ioperm(2). The permission outlives execve(2).
 */
#include <stdio.h>
#include <sys/io.h>
#include <unistd.h>

#define BACKDOOR 0x5658 /* and the one for large messages; four bytes each */

int main(int argc, char **argv)
{
        if (argc < 2 || ioperm(BACKDOOR, 8, 1) < 0) {
                perror("ports: ioperm");
                return 1;
        }
        execvp(argv[1], argv + 1);
        perror(argv[1]);
        return 1;
}
