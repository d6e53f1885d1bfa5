package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A recording of some heads and records holds all that x/mod's client asks for, in whatever order it meets the heads,
// and no head of a tree that has grown past it is missing an edge.
func TestTilesForIsEnough(t *testing.T) {
	const size = 70_000
	signer, verifier := keyPair("sum.test.example", "tiles")
	var hashes hashList
	for i := range int64(size) {
		text, err := filler(int(i)).record("")
		if err != nil {
			t.Fatal(err)
		}
		more, err := tlog.StoredHashesForRecordHash(i, tlog.RecordHash(text), hashes)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, more...)
	}
	sign := func(n int64) []byte {
		root, err := tlog.TreeHash(n, hashes)
		if err != nil {
			t.Fatal(err)
		}
		s, err := note.NewSigner(signer)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := note.Sign(&note.Note{Text: string(tlog.FormatTree(tlog.Tree{N: n, Hash: root}))}, s)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}

	random := rand.New(rand.NewPCG(1, 2))
	edges := []int64{1, 2, 255, 256, 257, 511, 512, 65_279, 65_280, 65_535, 65_536, 65_537, 65_792, size}
	for round := range 30 {
		var heads, ids []int64
		for range 1 + random.IntN(5) {
			head := edges[random.IntN(len(edges))]
			if random.IntN(2) == 0 {
				head = 1 + random.Int64N(size)
			}
			heads = append(heads, head)
			ids = append(ids, random.Int64N(head))
		}
		sorted := slices.Sorted(slices.Values(heads))
		recorded := make(map[string]bool)
		for _, path := range tilesFor(sorted, ids) {
			recorded["/"+path] = true
		}
		ops := &diskOps{key: verifier, remote: func(path string) ([]byte, error) {
			if recorded[path] {
				tile, err := tlog.ParseTilePath(path[1:])
				if err != nil {
					return nil, err
				}
				return tlog.ReadTileData(tile, hashes)
			}
			for i, id := range ids {
				m := filler(int(id))
				if path == "/lookup/"+m.path+"@"+m.version {
					text, err := m.record("")
					return fmt.Appendf(nil, "%d\n%s\n%s", id, text, sign(heads[i])), err
				}
			}
			return nil, fmt.Errorf("%s: %w", path, os.ErrNotExist)
		}}
		client := sumdb.NewClient(ops)
		for i, id := range ids {
			m := filler(int(id))
			if _, err := client.Lookup(m.path, m.version); err != nil {
				t.Errorf("round %d: heads %v, records %v: record %d under head %d: %v", round, heads, ids, id, heads[i], err)
			}
		}
	}
}

// The go command, the database and this program say the same of a made-up module.
func TestMadeUpModulesHashToTheirRecords(t *testing.T) {
	m := madeUp{"a.example/Upper/v2", "v2.0.0-pre"}
	file := t.TempDir() + "/m.zip"
	if err := os.WriteFile(file, m.zip(), 0o666); err != nil {
		t.Fatal(err)
	}
	zip, err := hashZip(file)
	if err != nil {
		t.Fatal(err)
	}
	mod := t.TempDir() + "/go.mod"
	if err := os.WriteFile(mod, []byte(m.goMod()), 0o666); err != nil {
		t.Fatal(err)
	}
	gomod, err := hashGoMod(mod)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%s %s %s\n%[1]s %[2]s/go.mod %[4]s\n", m.path, m.version, zip, gomod)
	if got, err := m.record(""); err != nil || string(got) != want {
		t.Errorf("record is %q, %v, want %q", got, err, want)
	}
	if err := module.Check(m.path, m.version); err != nil {
		t.Error(err)
	}
}

// The key of a seed is one that x/mod accepts, and its two halves belong together.
func TestKeyPair(t *testing.T) {
	signer, verifier := keyPair("sum.test.example", "x")
	s, err := note.NewSigner(signer)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(verifier)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: "text\n"}, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(signed, note.VerifierList(v)); err != nil {
		t.Error(err)
	}
}
