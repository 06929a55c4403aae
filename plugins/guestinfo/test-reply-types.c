/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The surprising thing is the little language of reply_types: it is how the contract of the QEMU guest
 * agent, field by field, comes into the tests. "{a:int,b?:str}" is an object with exactly these members,
 * "[…]" an array of any length.
 */
#include "plugins/guestinfo/test-support.h"

#include <string.h>

#include "lib/json.h"

#define WIDE(name) name "-lo:int," name "-hi:int,"
#define SMART_TYPE                                                                                          \
        "{type:str,critical-warning:int,temperature:int,available-spare:int,available-spare-threshold:int," \
        "percentage-used:int," WIDE("data-units-read") WIDE("data-units-written")                           \
                WIDE("host-read-commands") WIDE("host-write-commands") WIDE("controller-busy-time")         \
                        WIDE("power-cycles") WIDE("power-on-hours") WIDE("unsafe-shutdowns")                \
                                WIDE("media-errors") "number-of-error-log-entries-lo:int,number-of-error-"  \
                                                     "log-entries-hi:int}"

static const struct {
        const char *command, *type;
} reply_types[] = {
        {"guest-get-osinfo", "{kernel-release?:str,kernel-version?:str,machine?:str,id?:str,name?:str,"
                             "pretty-name?:str,version?:str,version-id?:str,variant?:str,variant-id?:str}"},
        {"guest-get-host-name", "{host-name:str}"},
        {"guest-get-timezone", "{zone?:str,offset:int}"},
        {"guest-get-users", "[{user:str,login-time:num}]"},
        {"guest-network-get-interfaces",
         "[{name:str,hardware-address?:str,ip-addresses?:[{ip-address:str,ip-address-type:str,prefix:int}],"
         "statistics?:{rx-bytes:int,rx-packets:int,rx-errs:int,rx-dropped:int,tx-bytes:int,tx-packets:int,"
         "tx-errs:int,tx-dropped:int}}]"},
        {"guest-network-get-route",
         "[{iface:str,destination:str,metric:int,gateway?:str,mask?:str,irtt?:int,flags?:int,refcnt?:int,"
         "use?:int,window?:int,mtu?:int,desprefixlen?:str,source?:str,srcprefixlen?:str,nexthop?:str,"
         "version:int}]"},
        {"guest-get-fsinfo",
         "[{name:str,mountpoint:str,type:str,used-bytes?:int,total-bytes?:int,total-bytes-privileged?:int,"
         "disk:[{pci-controller:{domain:int,bus:int,slot:int,function:int},bus-type:str,bus:int,target:int,"
         "unit:int,serial?:str,dev?:str,ccw-address?:{cssid:int,ssid:int,subchno:int,devno:int}}]}]"},
        {"guest-get-disks",
         "[{name:str,partition:bool,dependencies?:[str],alias?:str,"
         "address?:{pci-controller:{domain:int,bus:int,slot:int,function:int},bus-type:str,bus:int,target:"
         "int,"
         "unit:int,serial?:str,dev?:str,ccw-address?:{cssid:int,ssid:int,subchno:int,devno:int}},"
         "smart?:" SMART_TYPE "}]"},
        {"guest-get-diskstats",
         "[{name:str,major:int,minor:int,stats:{read-sectors?:int,read-ios?:int,read-merges?:int,"
         "write-sectors?:int,write-ios?:int,write-merges?:int,discard-sectors?:int,discard-ios?:int,"
         "discard-merges?:int,flush-ios?:int,read-ticks?:int,write-ticks?:int,discard-ticks?:int,"
         "flush-ticks?:int,ios-pgr?:int,total-ticks?:int,weight-ticks?:int}}]"},
        {"GuestDiskSmart", SMART_TYPE},
        {"guest-get-vcpus", "[{logical-id:int,online:bool,can-offline?:bool}]"},
        {"guest-get-load", "{load1m:num,load5m:num,load15m:num}"},
        {"guest-get-cpustats",
         "[{type:str,cpu:int,user:int,nice:int,system:int,idle:int,iowait?:int,irq?:int,softirq?:int,"
         "steal?:int,guest?:int,guestnice?:int}]"},
        {"guest-get-memory-blocks", "[{phys-index:int,online:bool,can-offline?:bool}]"},
        {"guest-get-memory-block-info", "{size:int}"},
};

static bool check_type(const json_t *value, const char **p);

static bool check_scalar(const json_t *value, const char **p)
{
        size_t n = strcspn(*p, ",]}");
        bool ok = false;

        if (strncmp(*p, "str", n) == 0)
                ok = !value || json_is_string(value);
        else if (strncmp(*p, "int", n) == 0)
                ok = !value || json_is_integer(value);
        else if (strncmp(*p, "num", n) == 0)
                ok = !value || json_is_number(value);
        else if (strncmp(*p, "bool", n) == 0)
                ok = !value || json_is_boolean(value);
        *p += n;
        return ok;
}

static bool check_array(const json_t *value, const char **p)
{
        const char *element = ++*p;
        bool ok = !value || json_is_array(value);

        for (size_t i = 0; i < json_array_size(value); i++) {
                *p = element;
                ok &= check_type(json_array_get(value, i), p);
        }
        if (json_array_size(value) == 0)
                ok &= check_type(NULL, p); /* only reads over the type */
        ok &= **p == ']';
        (*p)++;
        return ok;
}

static bool check_object(const json_t *value, const char **p)
{
        bool ok = !value || json_is_object(value);
        size_t known = 0;

        while (ok && *(*p)++ != '}') {
                size_t n = strcspn(*p, "?:");
                bool optional = (*p)[n] == '?';
                g_autofree char *name = g_strndup(*p, n);
                json_t *member = json_object_get(value, name);

                *p += n + (optional ? 2 : 1);
                known += member != NULL;
                if (value && !member && !optional)
                        print_error("the mandatory member %s is missing\n", name);
                ok &= member || optional || !value;
                if (ok && !check_type(member, p)) {
                        print_error("the member %s has another type\n", name);
                        ok = false;
                }
        }
        if (ok && known != json_object_size(value))
                print_error("there are unknown members\n");
        return ok && known == json_object_size(value);
}

/* @value NULL: only moves *p over the type. */
static bool check_type(const json_t *value, const char **p)
{
        if (**p == '{')
                return check_object(value, p);
        return **p == '[' ? check_array(value, p) : check_scalar(value, p);
}

void assert_reply_type(const char *command, const json_t *value)
{
        for (size_t i = 0; i < G_N_ELEMENTS(reply_types); i++) {
                const char *p = reply_types[i].type;
                g_autofree char *text = tn_json_pretty(value);

                if (strcmp(reply_types[i].command, command) != 0)
                        continue;
                if (!check_type(value, &p) || *p)
                        fail_msg("%s does not answer as declared: %s", command, text);
                return;
        }
        fail_msg("the type of %s is not in the table", command);
}
