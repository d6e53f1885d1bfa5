#!/usr/bin/env bash
# The last step: the status of the whole, as outputs and as its own exit status. end.ps1 is its twin for Windows.
#
# In: INSTALL_STATUS, VERIFY_OUTCOME, VERIFY_STATUS, VERIFY_VERDICT (all may be empty), GITHUB_OUTPUT
#
# Only a verify step that ended well and said 0 is a pass. One that crashed may have said anything before.
set -euo pipefail

status=3 verdict=incomplete
case ${VERIFY_OUTCOME:-}-${VERIFY_STATUS:-} in
  success-[0123])
    status=$VERIFY_STATUS verdict=${VERIFY_VERDICT:-incomplete}
    ;;
  skipped-*)
    # Not installed; that step has said why.
    [[ ${INSTALL_STATUS:-} != 2 ]] || status=2
    ;;
  *)
    printf '::error title=modanchor::modanchor ended without a verdict, so nothing counts as verified; the log of the step before this one says more\n'
    ;;
esac
printf 'status=%s\nverdict=%s\n' "$status" "$verdict" >>"$GITHUB_OUTPUT"
exit "$status"
