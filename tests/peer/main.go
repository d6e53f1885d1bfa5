// Peer is golang.org/x/mod's side of modanchor's tests and benchmarks: its checksum database server, its client, its
// hashes, and recordings of a real database.
//
// Usage:
//
//	peer serve [flags]                         a checksum database and module proxy of made-up modules
//	peer forge                                 the servers of the three forgeries published in 2026
//	peer check [flags] GOSUM URL KEY           x/mod's own client over a go.sum, answers as JSON
//	peer hash mod FILE | zip FILE | dir DIR MODULE@VERSION
//	peer record GOSUM DIR                      what a checksum database answers for a go.sum, as files
//	peer serve-recorded [flags] DIR            such files as a server
//	peer excerpt FILE…                          what debug/buildinfo reads of Go programs, as JSON
//	peer measure FILE COMMAND [ARG…]           run a command; its time and peak memory go to FILE
//	peer hash-zip N FILE…                      how long HashZip takes, the fastest of N
//	peer hash-zip-serve                        h1 and CheckZip of zips on stdin, as lines
//	peer zip-size FILE                         how large a zip is, and its files together
//	peer large-zip FILE MODULE@VERSION          a good module zip of nearly 500 MB
//	peer spoil-zip FILE HOW…                   a module zip, changed or made to be hostile; see spoilZip
//	peer odd-zips DIR                          guest/tests/data/zip: odd zips and what Go says of them
//	peer many-files N                          the h1 of a module with N empty files
//	peer unicode-tables                        guest/src/module/unicode.rs
//
// Every server prints one line of JSON on stdout when it is ready, and ends when its standard input does.
package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/dirhash"
)

func main() {
	commands := map[string]func([]string) error{
		"serve":          serve,
		"forge":          forge,
		"check":          check,
		"hash":           hash,
		"record":         record,
		"serve-recorded": serveRecorded,
		"excerpt":        excerpts,
		"measure":        measure,
		"hash-zip":       hashZips,
		"hash-zip-serve": hashZipServe,
		"zip-size":       zipSize,
		"large-zip":      largeZip,
		"spoil-zip":      spoilZip,
		"odd-zips":       writeOddZips,
		"many-files":     manyFiles,
		"unicode-tables": unicodeTables,
	}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintf(os.Stderr, "usage: peer %s …\n", strings.Join(slices.Sorted(maps.Keys(commands)), "|"))
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "peer %s: %v\n", os.Args[1], err)
		os.Exit(2)
	}
}

// printJSON writes v as one line of JSON on stdout.
func printJSON(v any) error {
	return json.NewEncoder(os.Stdout).Encode(v)
}

// hash prints the h1: of a go.mod, a module zip or a folder, by x/mod's dirhash.
func hash(args []string) error {
	var h string
	var err error
	switch {
	case len(args) == 2 && args[0] == "mod":
		h, err = hashGoMod(args[1])
	case len(args) == 2 && args[0] == "zip":
		h, err = hashZip(args[1])
	case len(args) == 3 && args[0] == "dir" && strings.Contains(args[2], "@"):
		h, err = dirhash.HashDir(args[1], args[2], dirhash.Hash1)
	default:
		return fmt.Errorf("usage: hash mod FILE | zip FILE | dir DIR MODULE@VERSION")
	}
	if err == nil {
		fmt.Println(h)
	}
	return err
}
