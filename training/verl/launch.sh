#!/usr/bin/env bash
# Starts the job of this folder with verl 0.5.0 on Ray. Its authors had no cluster and never ran it: see docs/cluster.md.
#
#   FEEDBACK_TRIAGE=/project bash launch.sh [verl's own overrides]
#
# On a running Ray cluster set RAY_ADDRESS=http://HEAD:8265 too; without it Ray is started on this machine alone.
# This folder and the project must be found at the same path on every machine.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${FEEDBACK_TRIAGE:?Set it to the folder of the project, which every machine finds at the same path.}"
export PYTHONPATH="$FEEDBACK_TRIAGE"

python3 "$here/ready.py"

train=(python3 -m verl.trainer.main_ppo --config-path "$here" --config-name config "$@")
if [[ -n "${RAY_ADDRESS:-}" ]]; then
    environment="{\"env_vars\": {\"PYTHONPATH\": \"$FEEDBACK_TRIAGE\"}}"
    exec ray job submit --runtime-env-json "$environment" -- "${train[@]}"
fi
exec "${train[@]}"
