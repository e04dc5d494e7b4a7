#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Waits for an ImportJobStop to end, well or badly: config/samples/wait.sh NAME [TIMEOUT] [kubectl flags, as in -n shop]
# Exits 0 when it is done, 1 as soon as it failed for good or cannot be read, 124 when the time ran out. Prints its message.
set -u
name=${1:?is missing: the NAME of an ImportJobStop}
timeout=${2:-300s}
[ $# -lt 2 ] && shift || shift 2
kubectl wait --for=condition=Reconciling=False --timeout="$timeout" "$@" "importjobstop/$name" >/dev/null ||
  { kubectl get "$@" "importjobstop/$name" >/dev/null && exit 124; exit 1; }
ready=$(kubectl get "$@" "importjobstop/$name" -o jsonpath='{range .status.conditions[?(@.type=="Ready")]}{.status} {.reason}: {.message}{end}')
echo "${ready#* }"
[ "${ready%% *}" = True ]
