/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Chassis asset tags by which clouds name themselves. All other tags are somebody's inventory number and
 * are not even loaded. */
#pragma once

#include <stddef.h>

#define TN_TAG_AZURE        "7783-7084-3265-9085-8269-3286-77"
#define TN_TAG_ORACLE_CLOUD "OracleCloud.com"
#define TN_TAG_OTC          "OpenTelekomCloud"
#define TN_TAG_SAP          "SAP CCloud VM"
#define TN_TAG_HUAWEI       "HUAWEICLOUD"
#define TN_TAG_NOVA         "OpenStack Nova"
#define TN_TAG_COMPUTE      "OpenStack Compute"
#define TN_TAG_SAMSUNG      "Samsung Cloud Platform"
#define TN_TAG_AMAZON       "Amazon EC2"
#define TN_TAG_ZSTACK       ".zstack.io" /* at the end */

static const char *const tn_tags_asset[] = {
        TN_TAG_AZURE, TN_TAG_ORACLE_CLOUD, TN_TAG_OTC,     TN_TAG_SAP,    TN_TAG_HUAWEI,
        TN_TAG_NOVA,  TN_TAG_COMPUTE,      TN_TAG_SAMSUNG, TN_TAG_AMAZON, NULL};
static const char *const tn_tags_asset_suffix[] = {TN_TAG_ZSTACK, NULL};
