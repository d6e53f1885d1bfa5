package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	modzip "golang.org/x/mod/zip"
)

// hashZips times x/mod's HashZip over zips, each N times in this process, and prints per zip the fastest run.
func hashZips(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("usage: hash-zip N FILE…")
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 {
		return fmt.Errorf("%q is no number of runs", args[0])
	}
	for _, file := range args[1:] {
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		var h1 string
		best := time.Duration(1<<63 - 1)
		for range n {
			start := time.Now()
			if h1, err = dirhash.HashZip(file, dirhash.Hash1); err != nil {
				return err
			}
			best = min(best, time.Since(start))
		}
		if err := printJSON(map[string]any{"file": file, "bytes": info.Size(), "ns": best.Nanoseconds(), "h1": h1}); err != nil {
			return err
		}
	}
	return nil
}

// zipSize prints how many bytes a zip has, and all of its files together.
func zipSize(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: zip-size FILE")
	}
	info, err := os.Stat(args[0])
	if err != nil {
		return err
	}
	z, err := zip.OpenReader(args[0])
	if err != nil {
		return err
	}
	defer z.Close()
	var unpacked uint64
	for _, f := range z.File {
		unpacked += f.UncompressedSize64
	}
	return printJSON(map[string]any{"packed": info.Size(), "unpacked": unpacked})
}

// largeZip writes a zip nearly as large as a module's may be, always the same: a stored file of 460 MB, a deflated one
// of 40 MB, and 10,000 small ones. CheckZip must find it good.
func largeZip(args []string) error {
	if len(args) != 2 || !strings.Contains(args[1], "@") {
		return fmt.Errorf("usage: large-zip FILE MODULE@VERSION")
	}
	file, err := os.Create(args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	buffered := bufio.NewWriterSize(file, 1<<20)
	z, noise := zip.NewWriter(buffered), rand.NewChaCha8([32]byte{})
	add := func(name string, method uint16, from io.Reader, size int64) error {
		w, err := z.CreateHeader(&zip.FileHeader{Name: args[1] + "/" + name, Method: method})
		if err == nil {
			_, err = io.CopyN(w, from, size)
		}
		return err
	}
	digits := hexReader{noise}
	err = errors.Join(
		add("stored.bin", zip.Store, noise, 460e6),
		add("deflated.txt", zip.Deflate, digits, 40e6),
	)
	for i := 0; i < 10_000 && err == nil; i++ {
		err = add(fmt.Sprintf("small/%d/%d.txt", i/100, i), zip.Deflate, digits, 1000)
	}
	if err := errors.Join(err, z.Close(), buffered.Flush(), file.Close()); err != nil {
		return err
	}
	path, version, _ := strings.Cut(args[1], "@")
	checked, err := modzip.CheckZip(module.Version{Path: path, Version: version}, args[0])
	return errors.Join(err, checked.Err())
}

// A hexReader gives what another reader gives as hexadecimal digits.
type hexReader struct{ from io.Reader }

func (h hexReader) Read(p []byte) (int, error) {
	half := make([]byte, (len(p)+1)/2)
	n, err := io.ReadFull(h.from, half)
	return copy(p, hex.AppendEncode(nil, half[:n])), err
}

// hashZipServe answers, for zips and deflate streams on stdin, what Go makes of them, one line each on stdout.
//
// A question is one letter, the length as 32 bits, little-endian, and the bytes. To `z` the answer is the h1 or `-`,
// and `ok` or `-` for CheckZip as example.com/odd@v1.2.3; to `d` it is the length of what is inflated or `-`, and its
// SHA-256.
func hashZipServe(args []string) error {
	if len(args) != 0 {
		return fmt.Errorf("usage: hash-zip-serve <QUESTIONS")
	}
	dir, err := os.MkdirTemp("", "hash-zip-serve")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "zip")
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	for {
		var head [5]byte
		if _, err := io.ReadFull(in, head[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		data := make([]byte, binary.LittleEndian.Uint32(head[1:]))
		if _, err := io.ReadFull(in, data); err != nil {
			return err
		}
		switch head[0] {
		case 'z':
			if err := os.WriteFile(file, data, 0o666); err != nil {
				return err
			}
			v := judge(file)
			h1, check := v.H1, "ok"
			if v.HashError != "" {
				h1 = "-"
			}
			if v.CheckError != "" {
				check = "-"
			}
			fmt.Fprintln(out, h1, check)
		case 'd':
			content, err := io.ReadAll(flate.NewReader(bytes.NewReader(data)))
			if err != nil {
				fmt.Fprintln(out, "- -")
			} else {
				fmt.Fprintf(out, "%d %x\n", len(content), sha256.Sum256(content))
			}
		default:
			return fmt.Errorf("unknown question %q", head[0])
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
}
