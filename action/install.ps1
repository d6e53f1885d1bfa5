# Puts the program modanchor into the job's temporary folder, for Windows; the twin of install.sh, part by part, in
# PowerShell 7. action.yml starts it with `pwsh -NoProfile -NonInteractive`. It needs curl.exe, which Windows has; cargo
# for `version: source`. In, out and the one thing that it must never do: see install.sh.
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
# Native programs are asked for their status here, as in install.sh.
$PSNativeCommandUseErrorActionPreference = $false

# Part 1: what it says and how it fails.

# Longest text of an input that is shown in a message, in characters.
$MaxShown = 100
# Largest program that is downloaded, in bytes.
$MaxBytes = 268435456

# An untrusted text on one line, short, and without what a terminal or a workflow command would act on.
function Get-Shown([string] $Text) {
  $Text = $Text -creplace '\p{Cc}', '?'
  if ($Text.Length -gt $MaxShown) { $Text = $Text.Substring(0, $MaxShown) + '...' }
  $Text
}

function Add-StepOutput([string] $Name, [string] $Value) {
  [IO.File]::AppendAllText($env:GITHUB_OUTPUT, "$Name=$Value`n")
}

# Stop-Install STATUS TEXT: what happened, what was expected, what to do.
function Stop-Install([int] $Status, [string] $Text) {
  Add-StepOutput 'status' "$Status"
  [Console]::Out.WriteLine('::error title=modanchor was not installed::' + $Text.Replace('%', '%25'))
  exit $Status
}

# Part 2: inputs. \A and \z, since $ also matches before a last newline.

$Version = "$env:MODANCHOR_INPUT_VERSION"
$Checksum = "$env:MODANCHOR_INPUT_CHECKSUM"
$Mirror = "$env:MODANCHOR_INPUT_MIRROR_URL"

$IsVersion = '\A[0-9A-Za-z.+-]{1,64}\z'
$IsDigest = '\A[0-9a-fA-F]{64}\z'
# No user, no query: credentials of a mirror belong into the environment (HTTPS_PROXY) or nowhere.
$IsMirror = '\Ahttps://[0-9A-Za-z.-]+(:[0-9]{1,5})?(/[0-9A-Za-z._~%/+-]*)?\z'
# For tests.
$IsLoopback = '\Ahttp://(127\.0\.0\.1|localhost)(:[0-9]{1,5})?(/[0-9A-Za-z._~%/+-]*)?\z'

if ($Version -ne '' -and $Version -cnotmatch $IsVersion) {
  Stop-Install 2 "input version: $(Get-Shown $Version) is no version; expected one such as 1.2.3, or source"
}
if ($Checksum -ne '' -and $Checksum -cnotmatch $IsDigest) {
  Stop-Install 2 "input checksum: $(Get-Shown $Checksum) is no SHA-256; expected 64 hexadecimal digits"
}
if ($Mirror -ne '' -and $Mirror -cnotmatch $IsMirror -and $Mirror -cnotmatch $IsLoopback) {
  Stop-Install 2 "input mirror-url: $(Get-Shown $Mirror) is not an https URL; expected https://HOST/PATH without user and query"
}
$Checksum = $Checksum.ToLowerInvariant()

# Part 3: the platform, in the runner's words.

$Target = switch -CaseSensitive ("$env:RUNNER_OS-$env:RUNNER_ARCH") {
  'Windows-X64' { 'x86_64-pc-windows-msvc' }
  default { '' }
}

# Part 4: dist/checksums.json, which `cargo xtask release record` writes. JSON with one thing a line, read as strictly
# as it is written: a line that is not expected where it stands stops everything.

# VERSION, then TARGET, then DIGEST, in the order of the file. Names are told apart by case, as in install.sh.
$Entries = [Collections.Specialized.OrderedDictionary]::new([StringComparer]::Ordinal)
$script:DefaultVersion = ''

function Read-Checksums([string] $File) {
  $Number = 0
  $Expected = '{'
  $Release = ''
  $IsDefault = '\A  "version": "([0-9A-Za-z.+-]{1,64})",\z'
  $IsRelease = '\A    "([0-9A-Za-z.+-]{1,64})": \{\z'
  $IsEntry = '\A      "([0-9a-z_-]{1,64})": "([0-9a-f]{64})"(,?)\z'
  if (-not (Test-Path -LiteralPath $File -PathType Leaf)) {
    Stop-Install 3 'dist/checksums.json is missing from the action; use it whole, at a commit of its repository'
  }
  foreach ($Line in [IO.File]::ReadAllLines($File)) {
    $Number++
    if ($Expected -ceq '{' -and $Line -ceq '{') {
      $Expected = 'schema'
    } elseif ($Expected -ceq 'schema' -and $Line -ceq '  "schema": "modanchor-checksums/1",') {
      $Expected = 'version'
    } elseif ($Expected -ceq 'version' -and $Line -cmatch $IsDefault) {
      $script:DefaultVersion = $Matches[1]
      $Expected = 'releases'
    } elseif ($Expected -ceq 'releases' -and $Line -ceq '  "releases": {}') {
      $Expected = '}'
    } elseif ($Expected -ceq 'releases' -and $Line -ceq '  "releases": {') {
      $Expected = 'release'
    } elseif ($Expected -ceq 'release' -and $Line -cmatch $IsRelease -and -not $Entries.Contains($Matches[1])) {
      $Release = $Matches[1]
      $Entries[$Release] = [Collections.Specialized.OrderedDictionary]::new([StringComparer]::Ordinal)
      $Expected = 'digest'
    } elseif ($Expected -ceq 'digest' -and $Line -cmatch $IsEntry -and -not $Entries[$Release].Contains($Matches[1])) {
      $Entries[$Release][$Matches[1]] = $Matches[2]
      if ($Matches[3] -ceq '') { $Expected = 'end of release' }
    } elseif ($Expected -ceq 'end of release' -and $Line -ceq '    },') {
      $Expected = 'release'
    } elseif ($Expected -ceq 'end of release' -and $Line -ceq '    }') {
      $Expected = 'end of releases'
    } elseif ($Expected -ceq 'end of releases' -and $Line -ceq '  }') {
      $Expected = '}'
    } elseif ($Expected -ceq '}' -and $Line -ceq '}') {
      $Expected = 'end'
    } else {
      Stop-Install 3 "dist/checksums.json of the action: line $Number is not what was expected there ($Expected); the action's own files were changed or cut short: use it at a commit of its repository"
    }
  }
  if ($Expected -cne 'end') {
    Stop-Install 3 "dist/checksums.json of the action ends after line $Number, where $Expected was expected; the action's own files were changed or cut short: use it at a commit of its repository"
  }
}

Read-Checksums "$env:GITHUB_ACTION_PATH/dist/checksums.json"
if ($Version -ceq '') { $Version = $script:DefaultVersion }

# Part 5: the folders.

$Own = Join-Path $env:RUNNER_TEMP 'modanchor'
$Bin = Join-Path $Own 'bin' 'modanchor.exe'
$State = Join-Path $Own 'state'
$null = New-Item -ItemType Directory -Force -Path (Join-Path $Own 'bin')
$Fresh = if (Test-Path -LiteralPath $State) { 'false' } else { 'true' }
$null = New-Item -ItemType Directory -Force -Path $State
$Out = Join-Path $Own ('out.' + [IO.Path]::GetRandomFileName())
$null = New-Item -ItemType Directory -Path $Out
# Nothing that an earlier use of this action left may be run in place of what this one installs.
if (Test-Path -LiteralPath $Bin) { Remove-Item -LiteralPath $Bin -Force }

# Part 6: measuring and downloading. PowerShell has its own SHA-256.

# The SHA-256 of a file, as 64 lower-case hexadecimal digits.
function Get-Sha256([string] $File) {
  (Get-FileHash -LiteralPath $File -Algorithm SHA256).Hash.ToLowerInvariant()
}

# The one way into $Bin for bytes from elsewhere. Moves FILE there if it has the digest; else removes it.
function Test-Admitted([string] $File, [string] $Digest) {
  $script:Found = Get-Sha256 $File
  if ($script:Found -ceq $Digest) {
    [IO.File]::Move($File, $Bin, $true)
    $true
  } else {
    Remove-Item -LiteralPath $File -Force
    $false
  }
}

function Save-Download([string] $Url, [string] $File) {
  # -q first: .curlrc has no say. Redirects keep to the protocol as well.
  $Options = @('-q', '--fail', '--location', '--max-redirs', '5', '--silent', '--show-error', '--output', $File,
    '--connect-timeout', '15', '--max-time', '300', '--retry', '3', '--retry-max-time', '120',
    '--max-filesize', "$MaxBytes")
  if ($Url.StartsWith('https://', [StringComparison]::Ordinal)) {
    $Options += @('--proto', '=https', '--tlsv1.2')
  } else {
    $Options += @('--proto', '=http', '--noproxy', '127.0.0.1,localhost')
  }
  if (-not (Get-Command 'curl.exe' -CommandType Application -ErrorAction Ignore)) {
    Stop-Install 3 'there is no curl.exe, which downloads modanchor; install it in a step before this one'
  }
  # To the log, and not into what this function gives back.
  & curl.exe @Options $Url | Out-Host
  $LASTEXITCODE
}

# Part 7: `version: source`, built from the commit that the action was fetched at.

function Invoke-Build {
  $Cargo = Get-Command 'cargo' -CommandType Application -ErrorAction Ignore | Select-Object -First 1
  if (-not $Cargo) {
    Stop-Install 3 'version is source, which is built with cargo, and there is no cargo; install Rust (https://rustup.rs) in a step before this one, or choose a release with the input version'
  }
  # Build scripts of dependencies run here: they see what a build needs, by name, and no token and no file of GitHub's.
  # The second half of the names is Windows's own: programs do not start, and the linker is not found, without them.
  $Start = [Diagnostics.ProcessStartInfo]::new($Cargo.Source)
  $Start.UseShellExecute = $false
  $Start.Environment.Clear()
  foreach ($Name in @('PATH', 'HOME', 'USER', 'LANG', 'TMPDIR', 'CARGO_HOME', 'RUSTUP_HOME', 'RUSTUP_AUTO_INSTALL',
      'RUSTUP_DIST_SERVER', 'RUSTUP_UPDATE_ROOT', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY',
      'SSL_CERT_FILE', 'SSL_CERT_DIR', 'CARGO_HTTP_PROXY', 'CARGO_HTTP_CAINFO', 'CARGO_TERM_COLOR',
      'SystemRoot', 'SystemDrive', 'windir', 'ComSpec', 'PATHEXT', 'TEMP', 'TMP', 'USERPROFILE', 'USERNAME',
      'APPDATA', 'LOCALAPPDATA', 'ProgramData', 'ProgramFiles', 'ProgramFiles(x86)', 'ProgramW6432',
      'CommonProgramFiles', 'NUMBER_OF_PROCESSORS', 'PROCESSOR_ARCHITECTURE', 'OS')) {
    $Value = [Environment]::GetEnvironmentVariable($Name)
    if ($Value) { $Start.Environment[$Name] = $Value }
  }
  $Start.Environment['CARGO_INCREMENTAL'] = '0'
  $Start.Environment['CARGO_TARGET_DIR'] = Join-Path $Own 'build'
  # From the action's own folder: cargo takes .cargo/config.toml and rust-toolchain.toml from where it runs, and those
  # of the checkout must have no say.
  $Start.WorkingDirectory = $env:GITHUB_ACTION_PATH
  foreach ($Word in @('build', '--release', '--locked', '--package', 'modanchor', '--bin', 'modanchor')) {
    $Start.ArgumentList.Add($Word)
  }
  $Process = [Diagnostics.Process]::Start($Start)
  $Process.WaitForExit()
  if ($Process.ExitCode -ne 0) {
    Stop-Install 3 "cargo could not build modanchor from the action's commit; the lines before this one say why"
  }
  Copy-Item -LiteralPath (Join-Path $Own 'build' 'release' 'modanchor.exe') -Destination $Bin
}

# Part 8: which program.

if ($Version -ceq 'source') {
  if ($Checksum -cne '') {
    Stop-Install 2 'input checksum: version is source, which is built here and has no recorded digest; remove checksum or choose a release with the input version'
  }
  if ($Mirror -cne '') {
    Stop-Install 2 'input mirror-url: version is source, which downloads no release; remove mirror-url or choose a release with the input version'
  }
  Invoke-Build
} else {
  if ($Target -ceq '') {
    Stop-Install 3 "there is no release for $env:RUNNER_OS on $env:RUNNER_ARCH; use Linux or macOS on X64 or ARM64, Windows on X64, or version: source"
  }
  if ($Entries.Contains($Version) -and $Entries[$Version].Contains($Target)) {
    $Recorded = $Entries[$Version][$Target]
    if ($Checksum -cne '' -and $Checksum -cne $Recorded) {
      Stop-Install 3 "input checksum is $Checksum, and the action's commit has $Recorded for modanchor $Version ($Target); find out which of them is right before anything is run"
    }
    $Digest = $Recorded
  } elseif ($Entries.Contains($Version)) {
    Stop-Install 3 "modanchor $Version was not released for $Target, only for: $($Entries[$Version].Keys -join ' ')"
  } elseif ($Checksum -cne '') {
    $Digest = $Checksum
    "modanchor $Version is not known to this commit of the action: it is run on the word of the input checksum"
  } else {
    $Known = if ($Entries.Count -eq 0) { 'none' } else { $Entries.Keys -join ' ' }
    Stop-Install 3 "modanchor $Version is not known to this commit of the action (known: $Known), so there is no digest to check it by; use a commit of the action that knows it, or give its digest with the input checksum"
  }

  # A tool cache outlives jobs, on runners that keep one, and other jobs can write to it: copy, measure the copy.
  $New = Join-Path $Own 'bin' 'new'
  $Cached = ''
  if ($env:RUNNER_TOOL_CACHE) {
    $Cached = Join-Path $env:RUNNER_TOOL_CACHE 'modanchor' "sha256-$Digest" 'modanchor.exe'
  }
  if ($Cached -cne '' -and (Test-Path -LiteralPath $Cached -PathType Leaf)) {
    Copy-Item -LiteralPath $Cached -Destination $New
    if (-not (Test-Admitted $New $Digest)) {
      "::warning title=modanchor::the tool cache has another program under the name of modanchor $Version (sha256:$script:Found): it is not run, and replaced"
    }
  }
  if (-not (Test-Path -LiteralPath $Bin)) {
    $Base = if ($Mirror -cne '') { $Mirror } else { 'https://github.com/modanchor/modanchor/releases/download' }
    $Url = "$($Base -creplace '/\z', '')/v$Version/modanchor-$Target.exe"
    $Status = Save-Download $Url $New
    if ($Status -ne 0) {
      Stop-Install 3 "$Url could not be downloaded (curl ended with $Status, see the line before); check the version, the network and the input mirror-url"
    }
    if (-not (Test-Admitted $New $Digest)) {
      Stop-Install 3 "$Url is not modanchor ${Version}: expected sha256:$Digest, found sha256:$script:Found; nothing of it was run. A mirror may have an incomplete copy; if the project's own releases serve this, report it as SECURITY.md says"
    }
    if ($Cached -cne '') {
      # Whole or not at all, and not needed: a tool cache that cannot be written is none.
      try {
        $null = New-Item -ItemType Directory -Force -Path (Split-Path -Parent $Cached)
        Copy-Item -LiteralPath $Bin -Destination "$Cached.$PID"
        [IO.File]::Move("$Cached.$PID", $Cached, $true)
      } catch {
        'the tool cache cannot be written: the next job downloads modanchor again'
      }
    }
  }
  "modanchor $Version for $Target, sha256:$Digest"
}

Add-StepOutput 'bin' $Bin
Add-StepOutput 'version' $Version
Add-StepOutput 'state' $State
Add-StepOutput 'fresh' $Fresh
Add-StepOutput 'out' $Out
exit 0
