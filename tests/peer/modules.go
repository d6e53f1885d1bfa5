package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
)

// A made-up module: two files, made from its path and version alone, unless --modules has it. Modules whose path begins
// with "unknown." do not exist.
type madeUp struct{ path, version string }

// written has the files of modules that are not made from their names, by name without the module's prefix.
var written = make(map[madeUp]map[string]string)

// readModules reads folders named PATH@VERSION, anywhere below dir, into written.
func readModules(dir string) error {
	return filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		path, rest, _ := strings.Cut(filepath.ToSlash(name), "@")
		version, name, ok := strings.Cut(rest, "/")
		if !ok {
			return fmt.Errorf("%s: not in a folder named PATH@VERSION", file)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		m := madeUp{path, version}
		if written[m] == nil {
			written[m] = make(map[string]string)
		}
		written[m][name] = string(content)
		return nil
	})
}

func (m madeUp) files() map[string]string {
	prefix := m.path + "@" + m.version + "/"
	if given, ok := written[m]; ok {
		files := make(map[string]string)
		for name, content := range given {
			files[prefix+name] = content
		}
		return files
	}
	return map[string]string{
		prefix + "go.mod": m.goMod(),
		prefix + "p.go":   fmt.Sprintf("// Package p is %s.\npackage p\n", prefix),
	}
}

func (m madeUp) goMod() string {
	if goMod, ok := written[m]["go.mod"]; ok {
		return goMod
	}
	return "module " + m.path + "\n"
}

func (m madeUp) zip() []byte {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	files := m.files()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(f, files[name])
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
