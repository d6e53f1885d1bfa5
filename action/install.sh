#!/usr/bin/env bash
# Puts the program modanchor into the job's temporary folder, for Linux and macOS; install.ps1 is its twin for Windows,
# part by part. action.yml starts it with `bash --noprofile --norc -p`. It needs bash 3.2 or newer, curl and one of
# sha256sum, shasum and openssl; cargo for `version: source`.
#
# In:  MODANCHOR_INPUT_VERSION, _CHECKSUM, _MIRROR_URL (empty: not given), RUNNER_OS, RUNNER_ARCH, RUNNER_TEMP,
#      RUNNER_TOOL_CACHE (may be missing), GITHUB_ACTION_PATH, GITHUB_OUTPUT
# Out: bin, version, state (folder), fresh (true: nobody has used that folder in this job), out (folder of this use);
#      where it fails, status: 2 for a wrong input, 3 for all else
#
# The one thing it must never do: hand on a program whose digest is not that of dist/checksums.json (or of the input
# `checksum`, for a release that this file does not know). Bytes are brought to a folder of this job, measured there,
# and run from there; a tool cache, a mirror and the network only deliver.
set -euo pipefail
umask 022

# Part 1: what it says and how it fails.

# Longest text of an input that is shown in a message, in characters.
readonly MAX_SHOWN=100
# Largest program that is downloaded, in bytes.
readonly MAX_BYTES=268435456

# An untrusted text on one line, short, and without what a terminal or a workflow command would act on.
shown() {
  local text=${1//[[:cntrl:]]/?}
  ((${#text} <= MAX_SHOWN)) || text=${text:0:MAX_SHOWN}...
  printf '%s' "$text"
}

output() {
  printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

# fail STATUS TEXT: what happened, what was expected, what to do.
fail() {
  output status "$1"
  # Of the characters that GitHub has escapes for, `shown` leaves only the per cent sign.
  printf '::error title=modanchor was not installed::%s\n' "${2//%/%25}"
  exit "$1"
}

# Part 2: inputs. Patterns are in variables, as bash 3.2 wants them.

version=${MODANCHOR_INPUT_VERSION:-}
checksum=${MODANCHOR_INPUT_CHECKSUM:-}
mirror=${MODANCHOR_INPUT_MIRROR_URL:-}

readonly IS_VERSION='^[0-9A-Za-z.+-]{1,64}$'
readonly IS_DIGEST='^[0-9a-fA-F]{64}$'
# No user, no query: credentials of a mirror belong into the environment (HTTPS_PROXY) or nowhere.
readonly IS_MIRROR='^https://[0-9A-Za-z.-]+(:[0-9]{1,5})?(/[0-9A-Za-z._~%/+-]*)?$'
# For tests.
readonly IS_LOOPBACK='^http://(127\.0\.0\.1|localhost)(:[0-9]{1,5})?(/[0-9A-Za-z._~%/+-]*)?$'

[[ -z $version || $version =~ $IS_VERSION ]] ||
  fail 2 "input version: $(shown "$version") is no version; expected one such as 1.2.3, or source"
[[ -z $checksum || $checksum =~ $IS_DIGEST ]] ||
  fail 2 "input checksum: $(shown "$checksum") is no SHA-256; expected 64 hexadecimal digits"
[[ -z $mirror || $mirror =~ $IS_MIRROR || $mirror =~ $IS_LOOPBACK ]] ||
  fail 2 "input mirror-url: $(shown "$mirror") is not an https URL; expected https://HOST/PATH without user and query"
checksum=$(printf '%s' "$checksum" | tr ABCDEF abcdef)

# Part 3: the platform, in the runner's words.

case ${RUNNER_OS:-}-${RUNNER_ARCH:-} in
  Linux-X64) target=x86_64-unknown-linux-musl ;;
  Linux-ARM64) target=aarch64-unknown-linux-musl ;;
  macOS-X64) target=x86_64-apple-darwin ;;
  macOS-ARM64) target=aarch64-apple-darwin ;;
  *) target= ;;
esac

# Part 4: dist/checksums.json, which `cargo xtask release record` writes. JSON with one thing a line, read as strictly
# as it is written: a line that is not expected where it stands stops everything.

# One `VERSION TARGET DIGEST` a line, with a newline before the first as well.
entries=$'\n'
default_version=

read_checksums() {
  local file=$1 line number=0 expected='{' release=
  local is_version='^  "version": "([0-9A-Za-z.+-]{1,64})",$'
  local is_release='^    "([0-9A-Za-z.+-]{1,64})": \{$'
  local is_digest='^      "([0-9a-z_-]{1,64})": "([0-9a-f]{64})"(,?)$'
  [[ -f $file ]] || fail 3 "dist/checksums.json is missing from the action; use it whole, at a commit of its repository"
  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1))
    if [[ $expected == '{' && $line == '{' ]]; then
      expected=schema
    elif [[ $expected == schema && $line == '  "schema": "modanchor-checksums/1",' ]]; then
      expected=version
    elif [[ $expected == version && $line =~ $is_version ]]; then
      default_version=${BASH_REMATCH[1]} expected=releases
    elif [[ $expected == releases && $line == '  "releases": {}' ]]; then
      expected='}'
    elif [[ $expected == releases && $line == '  "releases": {' ]]; then
      expected=release
    elif [[ $expected == release && $line =~ $is_release && $entries != *$'\n'"${BASH_REMATCH[1]} "* ]]; then
      release=${BASH_REMATCH[1]} expected=digest
    elif [[ $expected == digest && $line =~ $is_digest && $entries != *$'\n'"$release ${BASH_REMATCH[1]} "* ]]; then
      entries+="$release ${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"$'\n'
      [[ -n ${BASH_REMATCH[3]} ]] || expected='end of release'
    elif [[ $expected == 'end of release' && $line == '    },' ]]; then
      expected=release
    elif [[ $expected == 'end of release' && $line == '    }' ]]; then
      expected='end of releases'
    elif [[ $expected == 'end of releases' && $line == '  }' ]]; then
      expected='}'
    elif [[ $expected == '}' && $line == '}' ]]; then
      expected=end
    else
      fail 3 "dist/checksums.json of the action: line $number is not what was expected there ($expected); the action's own files were changed or cut short: use it at a commit of its repository"
    fi
  done <"$file"
  [[ $expected == end ]] ||
    fail 3 "dist/checksums.json of the action ends after line $number, where $expected was expected; the action's own files were changed or cut short: use it at a commit of its repository"
}

# What `entries` has for the first word (a version), or for the first two: names of versions, of targets, or the digest.
versions() {
  local known=
  while read -r release _; do
    [[ -z $release || " $known " == *" $release "* ]] || known+="${known:+ }$release"
  done <<<"$entries"
  printf '%s' "${known:-none}"
}
targets_of() {
  while read -r release name _; do
    [[ $release != "$1" ]] || printf '%s ' "$name"
  done <<<"$entries"
}
digest_of() {
  while read -r release name hex; do
    [[ $release != "$1" || $name != "$2" ]] || printf '%s' "$hex"
  done <<<"$entries"
}

read_checksums "$GITHUB_ACTION_PATH/dist/checksums.json"
version=${version:-$default_version}

# Part 5: the folders.

home=$RUNNER_TEMP/modanchor
bin=$home/bin/modanchor
mkdir -p "$home/bin"
if [[ -d $home/state ]]; then fresh=false; else fresh=true; fi
mkdir -p "$home/state"
out=$(mktemp -d "$home/out.XXXXXX")
# Nothing that an earlier use of this action left may be run in place of what this one installs.
rm -f "$bin"

# Part 6: measuring and downloading.

for measure in 'sha256sum' 'shasum -a 256' 'openssl dgst -sha256 -r' ''; do
  [[ -n $measure ]] ||
    fail 3 "none of sha256sum, shasum and openssl is there, so no program can be checked; install one of them"
  if command -v "${measure%% *}" >/dev/null; then break; fi
done

# The SHA-256 of a file, as 64 lower-case hexadecimal digits. By standard input: names cannot disturb the output.
sha256() {
  local line
  # shellcheck disable=SC2086 # the words of one of the three above
  line=$($measure <"$1")
  printf '%s' "${line%%[ *]*}"
}

# The one way into $bin for bytes from elsewhere. Moves FILE there if it has the digest; else removes it.
admit() {
  local file=$1 digest=$2
  found=$(sha256 "$file")
  if [[ $found == "$digest" ]]; then
    chmod 755 "$file"
    mv -f "$file" "$bin"
  else
    rm -f "$file"
    return 1
  fi
}

download() {
  local url=$1 file=$2
  # -q first: ~/.curlrc has no say. Redirects keep to the protocol as well.
  local -a options=(-q --fail --location --max-redirs 5 --silent --show-error --output "$file"
    --connect-timeout 15 --max-time 300 --retry 3 --retry-max-time 120 --max-filesize "$MAX_BYTES")
  if [[ $url == https://* ]]; then
    options+=(--proto '=https' --tlsv1.2)
  else
    options+=(--proto '=http' --noproxy '127.0.0.1,localhost')
  fi
  command -v curl >/dev/null || fail 3 "there is no curl, which downloads modanchor; install it in a step before this one"
  curl "${options[@]}" "$url"
}

# Part 7: `version: source`, built from the commit that the action was fetched at.

build() {
  command -v cargo >/dev/null ||
    fail 3 "version is source, which is built with cargo, and there is no cargo; install Rust (https://rustup.rs) in a step before this one, or choose a release with the input version"
  # Build scripts of dependencies run here: they see what a build needs, by name, and no token and no file of GitHub's.
  local name
  local -a kept=()
  for name in PATH HOME USER LANG TMPDIR CARGO_HOME RUSTUP_HOME RUSTUP_AUTO_INSTALL RUSTUP_DIST_SERVER \
    RUSTUP_UPDATE_ROOT HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy \
    SSL_CERT_FILE SSL_CERT_DIR CARGO_HTTP_PROXY CARGO_HTTP_CAINFO CARGO_TERM_COLOR DEVELOPER_DIR SDKROOT; do
    [[ -z ${!name:-} ]] || kept+=("$name=${!name}")
  done
  # From the action's own folder: cargo takes .cargo/config.toml and rust-toolchain.toml from where it runs, and those
  # of the checkout must have no say.
  cd "$GITHUB_ACTION_PATH"
  env -i "${kept[@]}" CARGO_INCREMENTAL=0 CARGO_TARGET_DIR="$home/build" \
    cargo build --release --locked --package modanchor --bin modanchor ||
    fail 3 "cargo could not build modanchor from the action's commit; the lines before this one say why"
  cp "$home/build/release/modanchor" "$bin"
}

# Part 8: which program.

if [[ $version == source ]]; then
  [[ -z $checksum ]] || fail 2 "input checksum: version is source, which is built here and has no recorded digest; remove checksum or choose a release with the input version"
  [[ -z $mirror ]] || fail 2 "input mirror-url: version is source, which downloads no release; remove mirror-url or choose a release with the input version"
  build
else
  [[ -n $target ]] ||
    fail 3 "there is no release for ${RUNNER_OS:-an unknown system} on ${RUNNER_ARCH:-an unknown processor}; use Linux or macOS on X64 or ARM64, Windows on X64, or version: source"
  recorded=$(digest_of "$version" "$target")
  if [[ -n $recorded ]]; then
    [[ -z $checksum || $checksum == "$recorded" ]] ||
      fail 3 "input checksum is $checksum, and the action's commit has $recorded for modanchor $version ($target); find out which of them is right before anything is run"
    digest=$recorded
  elif [[ -n $(targets_of "$version") ]]; then
    fail 3 "modanchor $version was not released for $target, only for: $(targets_of "$version")"
  elif [[ -n $checksum ]]; then
    digest=$checksum
    printf 'modanchor %s is not known to this commit of the action: it is run on the word of the input checksum\n' "$version"
  else
    fail 3 "modanchor $version is not known to this commit of the action (known: $(versions)), so there is no digest to check it by; use a commit of the action that knows it, or give its digest with the input checksum"
  fi

  # A tool cache outlives jobs, on runners that keep one, and other jobs can write to it: copy, measure the copy.
  new=$home/bin/new
  cached=
  [[ -z ${RUNNER_TOOL_CACHE:-} ]] || cached=$RUNNER_TOOL_CACHE/modanchor/sha256-$digest/modanchor
  if [[ -n $cached && -f $cached ]] && head -c "$MAX_BYTES" "$cached" >"$new" && ! admit "$new" "$digest"; then
    printf '::warning title=modanchor::the tool cache has another program under the name of modanchor %s (sha256:%s): it is not run, and replaced\n' "$version" "$found"
  fi
  if [[ ! -f $bin ]]; then
    base=${mirror:-https://github.com/modanchor/modanchor/releases/download}
    url=${base%/}/v$version/modanchor-$target
    download "$url" "$new" ||
      fail 3 "$url could not be downloaded (curl ended with $?, see the line before); check the version, the network and the input mirror-url"
    admit "$new" "$digest" ||
      fail 3 "$url is not modanchor $version: expected sha256:$digest, found sha256:$found; nothing of it was run. A mirror may have an incomplete copy; if the project's own releases serve this, report it as SECURITY.md says"
    if [[ -n $cached ]]; then
      # Whole or not at all, and not needed: a tool cache that cannot be written is none.
      { mkdir -p "${cached%/*}" && cp "$bin" "$cached.$$" && mv -f "$cached.$$" "$cached"; } ||
        printf 'the tool cache cannot be written: the next job downloads modanchor again\n'
    fi
  fi
  printf 'modanchor %s for %s, sha256:%s\n' "$version" "$target" "$digest"
fi

output bin "$bin"
output version "$version"
output state "$home/state"
output fresh "$fresh"
output out "$out"
