package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
)

// A made-up module: two files, made from its path and version alone. Modules whose path begins with "unknown." do not
// exist.
type madeUp struct{ path, version string }

func (m madeUp) files() map[string]string {
	prefix := m.path + "@" + m.version + "/"
	return map[string]string{
		prefix + "go.mod": m.goMod(),
		prefix + "p.go":   fmt.Sprintf("// Package p is %s.\npackage p\n", prefix),
	}
}

func (m madeUp) goMod() string { return "module " + m.path + "\n" }

func (m madeUp) zip() []byte {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, name := range []string{"go.mod", "p.go"} {
		name = m.path + "@" + m.version + "/" + name
		f, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(f, m.files()[name])
		}
		if err != nil {
			panic(err) // Writes to memory.
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return buf.Bytes()
}

func hash1(files map[string]string) string {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	h, err := dirhash.Hash1(names, func(name string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(files[name])), nil
	})
	if err != nil {
		panic(err) // No name has a newline, and reads are from memory.
	}
	return h
}

// record is the text that a checksum database has for m. A salt makes another one, of bytes that nobody has.
func (m madeUp) record(salt string) ([]byte, error) {
	if strings.HasPrefix(m.path, "unknown.") {
		return nil, os.ErrNotExist
	}
	if err := module.CheckPath(m.path); err != nil {
		return nil, fmt.Errorf("%w: %v", os.ErrNotExist, err)
	}
	files := m.files()
	if salt != "" {
		files[m.path+"@"+m.version+"/salt"] = salt
	}
	return fmt.Appendf(nil, "%s %s %s\n%s %s/go.mod %s\n",
		m.path, m.version, hash1(files),
		m.path, m.version, hash1(map[string]string{"go.mod": m.goMod() + salt})), nil
}

// filler is a module that is there to make a log longer.
func filler(i int) madeUp { return madeUp{fmt.Sprintf("filler.example/m%06d", i), "v1.0.0"} }

func hashZip(file string) (string, error) { return dirhash.HashZip(file, dirhash.Hash1) }

func hashGoMod(file string) (string, error) {
	return dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return os.Open(file) })
}
