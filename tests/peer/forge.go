package main

import (
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// forgedModule is what the forgeries are about; forgedLine is the lie that they tell of it.
var forgedModule = madeUp{"victim.example/m", "v1.0.0"}

const forgedLine = "victim.example/m v1.0.0 h1:RXZpbEV2aWxFdmlsRXZpbEV2aWxFdmlsRXZpbEV2aWw="

// forge serves the three attacks of 2026 on clients of the checksum database. Each is a database of its own:
//
//	/CVE-2026-42501  the record of another module: authentic, in the log, without a line for the module asked for
//	/CVE-2026-56864  the same, with lines for the module asked for in the text of the signed tree head
//	/CVE-2026-56865  a forged record in a forged leaf tile; the tree head, and the tiles of its right edge, are true
//
// Under /honest is a database that differs from the last in nothing but that it is true.
func forge(args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("usage: forge")
	}
	signer, verifier := keyPair("sum.test.example", "forge")

	// 263 = 256 + 4 + 2 + 1: the right edge has two tiles, 1/000.p/1 and 0/001.p/7, and four subtrees. Checking the
	// tiles above a record's from the fourth on, not from the third on, leaves out 0/000, where the record is.
	const size, victim, other = 263, 17, 18
	var records [][]byte
	var hashes hashList
	for i := range int64(size) {
		m := filler(int(i))
		if i == victim {
			m = forgedModule
		}
		text, err := m.record("")
		if err != nil {
			return err
		}
		more, err := tlog.StoredHashesForRecordHash(i, tlog.RecordHash(text), hashes)
		if err != nil {
			return err
		}
		records = append(records, text)
		hashes = append(hashes, more...)
	}
	root, err := tlog.TreeHash(size, hashes)
	if err != nil {
		return err
	}
	sign := func(extra string) (string, error) {
		s, err := note.NewSigner(signer)
		if err != nil {
			return "", err
		}
		signed, err := note.Sign(&note.Note{Text: string(tlog.FormatTree(tlog.Tree{N: size, Hash: root})) + extra}, s)
		return string(signed), err
	}
	head, err := sign("")
	if err != nil {
		return err
	}
	fullOfLines, err := sign(forgedLine + "\n" + strings.Replace(forgedLine, " h1:", "/go.mod h1:", 1) + "\n")
	if err != nil {
		return err
	}
	forgedText := forgedLine + "\n" + strings.Replace(forgedLine, " h1:", "/go.mod h1:", 1) + "\n"

	tile := func(path string) ([]byte, error) {
		t, err := tlog.ParseTilePath(path)
		if err != nil {
			return nil, err
		}
		return tlog.ReadTileData(t, hashes)
	}
	database := func(id int64, text, signedHead string, forgeTile bool) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			path := strings.TrimPrefix(r.URL.Path, "/")
			switch {
			case path == "supported":
			case path == "lookup/"+forgedModule.path+"@"+forgedModule.version:
				fmt.Fprintf(w, "%d\n%s\n%s", id, text, signedHead)
			case strings.HasPrefix(path, "tile/"):
				data, err := tile(path)
				if err != nil {
					http.NotFound(w, r)
					return
				}
				if forgeTile && path == "tile/8/0/000" {
					forged := tlog.RecordHash([]byte(text))
					copy(data[id*tlog.HashSize:], forged[:])
				}
				w.Write(data)
			default:
				http.NotFound(w, r)
			}
		})
	}
	mux := http.NewServeMux()
	for name, h := range map[string]http.Handler{
		"/honest":         database(victim, string(records[victim]), head, false),
		"/CVE-2026-42501": database(other, string(records[other]), head, false),
		"/CVE-2026-56864": database(other, string(records[other]), fullOfLines, false),
		"/CVE-2026-56865": database(victim, forgedText, head, true),
	} {
		mux.Handle(name+"/", http.StripPrefix(name, h))
	}
	honest, err := forgedModule.record("")
	if err != nil {
		return err
	}
	return listen(nil, 0, mux, map[string]any{
		"key":    verifier,
		"name":   "sum.test.example",
		"honest": strings.Split(string(honest), "\n")[0],
		"forged": forgedLine,
	})
}
