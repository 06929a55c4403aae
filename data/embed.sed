# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
# Makes a string of C of a text: what the agent answers to Introspect is the file that is installed.
s/[\\"]/\\&/g
s/.*/"&\\n"/
