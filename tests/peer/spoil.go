package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strconv"
	"strings"
)

// bombSize is how much a bomb inflates to: more than a module may hold.
const bombSize = 1 << 30

// spoilZip rewrites a zip. All of them are zips of archive/zip, whole and with right CRCs; HOW is
//
//	replace NAME CONTENT  an entry has other content; it is added if it is not there
//	bomb PREFIX           PREFIX/p.go says that it has ten bytes, and inflates to 1 GiB
//	large PREFIX          the same, and says so
//	many PREFIX N         N empty files, and go.mod
func spoilZip(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("usage: spoil-zip FILE replace NAME CONTENT | bomb PREFIX | large PREFIX | many PREFIX N")
	}
	file, how, rest := args[0], args[1], args[2:]
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	add := func(name, content string) error {
		f, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(f, content)
		}
		return err
	}
	var err error
	switch {
	case how == "replace" && len(rest) == 2:
		err = replaceEntry(w, file, rest[0], rest[1], add)
	case how == "bomb" && len(rest) == 1:
		err = bomb(w, rest[0], 10)
	case how == "large" && len(rest) == 1:
		err = bomb(w, rest[0], bombSize)
	case how == "many" && len(rest) == 2:
		n := 0
		if n, err = strconv.Atoi(rest[1]); err == nil {
			path, _, _ := strings.Cut(rest[0], "@")
			err = add(rest[0]+"/go.mod", "module "+path+"\n")
		}
		for i := 0; err == nil && i < n; i++ {
			err = add(fmt.Sprintf("%s/f%06d", rest[0], i), "")
		}
	default:
		return fmt.Errorf("unknown HOW, or not its arguments: %q", args[1:])
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return err
	}
	return os.WriteFile(file, buf.Bytes(), 0o666)
}

func replaceEntry(w *zip.Writer, file, name, content string, add func(name, content string) error) error {
	old, err := zip.OpenReader(file)
	if err != nil {
		return err
	}
	defer old.Close()
	for _, f := range old.File {
		if f.Name == name {
			continue
		}
		if err := w.Copy(f); err != nil {
			return err
		}
	}
	return add(name, content)
}

// bomb adds an entry of bombSize zeros that says that it has size bytes.
func bomb(w *zip.Writer, prefix string, size uint64) error {
	var packed bytes.Buffer
	deflate, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err != nil {
		return err
	}
	crc := crc32.NewIEEE()
	zeros := make([]byte, 1<<20)
	for range bombSize / len(zeros) {
		if _, err := deflate.Write(zeros); err != nil {
			return err
		}
		crc.Write(zeros)
	}
	if err := deflate.Close(); err != nil {
		return err
	}
	f, err := w.CreateRaw(&zip.FileHeader{
		Name: prefix + "/p.go", Method: zip.Deflate, CRC32: crc.Sum32(),
		CompressedSize64: uint64(packed.Len()), UncompressedSize64: size,
	})
	if err == nil {
		_, err = f.Write(packed.Bytes())
	}
	return err
}
