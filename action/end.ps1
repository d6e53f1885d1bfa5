# The last step: the status of the whole, as outputs and as its own exit status. The twin of end.sh; see there.
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

$Status = '3'
$Verdict = 'incomplete'
switch -CaseSensitive -Regex ("$env:VERIFY_OUTCOME-$env:VERIFY_STATUS") {
  '\Asuccess-[0123]\z' {
    $Status = "$env:VERIFY_STATUS"
    if ($env:VERIFY_VERDICT) { $Verdict = "$env:VERIFY_VERDICT" }
    break
  }
  '\Askipped-' {
    # Not installed; that step has said why.
    if ("$env:INSTALL_STATUS" -ceq '2') { $Status = '2' }
    break
  }
  default {
    '::error title=modanchor::modanchor ended without a verdict, so nothing counts as verified; the log of the step before this one says more'
  }
}
[IO.File]::AppendAllText($env:GITHUB_OUTPUT, "status=$Status`nverdict=$Verdict`n")
exit [int] $Status
