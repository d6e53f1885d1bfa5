// Read is go-tuf's client on a TUF repository, as read.py is python-tuf's.
//
// Usage:
//
//	read [flags] METADATA-URL ROOT [TARGET…]
//
// It refreshes from ROOT, a file with the root to trust first, and downloads each target. It prints one line of JSON: the
// versions that it then trusts, and for each target its length, its SHA-256 and its custom; or {"error": …}, with exit
// status 1.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"
)

type target struct {
	Length int              `json:"length"`
	SHA256 string           `json:"sha256"`
	Custom *json.RawMessage `json:"custom"`
}

type found struct {
	Versions map[string]int64  `json:"versions"`
	Targets  map[string]target `json:"targets"`
}

func main() {
	targetsURL := flag.String("targets-url", "", "where targets are; the default is the folder above METADATA-URL")
	keep := flag.String("keep", "", "a folder for metadata, so that a next run knows what this one saw")
	flag.Parse()
	if flag.NArg() < 2 {
		fmt.Fprintln(os.Stderr, "usage: read [flags] METADATA-URL ROOT [TARGET…]")
		os.Exit(2)
	}
	got, err := read(strings.TrimRight(flag.Arg(0), "/"), flag.Arg(1), flag.Args()[2:], *targetsURL, *keep)
	if err != nil {
		json.NewEncoder(os.Stdout).Encode(map[string]string{"error": err.Error()})
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(got)
}

func read(metadataURL, root string, paths []string, targetsURL, keep string) (*found, error) {
	trusted, err := os.ReadFile(root)
	if err != nil {
		return nil, err
	}
	temporary, err := os.MkdirTemp("", "read")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temporary)
	if keep == "" {
		keep = filepath.Join(temporary, "metadata")
	}
	if targetsURL == "" {
		targetsURL = metadataURL[:strings.LastIndexByte(metadataURL, '/')]
	}
	settings, err := config.New(metadataURL, trusted)
	if err != nil {
		return nil, err
	}
	settings.MaxRootRotations = 1024
	settings.LocalMetadataDir = keep
	settings.LocalTargetsDir = filepath.Join(temporary, "targets")
	settings.RemoteTargetsURL = targetsURL
	client, err := updater.New(settings)
	if err != nil {
		return nil, err
	}
	if err := client.Refresh(); err != nil {
		return nil, err
	}
	got := &found{Versions: make(map[string]int64), Targets: make(map[string]target)}
	for _, path := range paths {
		info, err := client.GetTargetInfo(path)
		if err != nil {
			return nil, err
		}
		_, content, err := client.DownloadTarget(info, "", "")
		if err != nil {
			return nil, err
		}
		digest := sha256.Sum256(content)
		got.Targets[path] = target{len(content), hex.EncodeToString(digest[:]), info.Custom}
	}
	set := client.GetTrustedMetadataSet()
	got.Versions["root"] = set.Root.Signed.Version
	got.Versions["timestamp"] = set.Timestamp.Signed.Version
	got.Versions["snapshot"] = set.Snapshot.Signed.Version
	for name, role := range set.Targets {
		got.Versions[name] = role.Signed.Version
	}
	return got, nil
}
