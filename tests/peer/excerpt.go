package main

import (
	"bytes"
	"cmp"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

const (
	// smallRead is the longest read that an excerpt keeps whole: headers and tables are shorter, the search for the
	// build information is longer.
	smallRead = 32 << 10
	// infoAhead is how much of the build information is kept: its header and, since Go 1.18, the text.
	infoAhead = 4 << 10
)

// A part of a program.
type part struct {
	Offset int64  `json:"offset"`
	Bytes  []byte `json:"bytes"`
}

// An excerpt is a program of which only what debug/buildinfo reads is kept; all else is zero.
type excerpt struct {
	Name  string `json:"name"`
	Size  int64  `json:"size"`
	Parts []part `json:"parts"`
	// Listing is what `go version -m` prints.
	Listing string `json:"listing"`
}

// reads notes what is read.
type reads struct {
	content []byte
	short   [][2]int64
	long    [][2]int64
}

func (r *reads) ReadAt(p []byte, offset int64) (int, error) {
	n, err := bytes.NewReader(r.content).ReadAt(p, offset)
	span := [2]int64{offset, offset + int64(n)}
	if n <= smallRead {
		r.short = append(r.short, span)
	} else {
		r.long = append(r.long, span)
	}
	return n, err
}

// excerpts prints an excerpt of every program, one line of JSON each, after checking that debug/buildinfo reads the
// same from it.
func excerpts(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: excerpt FILE…")
	}
	for _, name := range args {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		r := &reads{content: content}
		info, err := buildinfo.Read(r)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		spans := r.short
		for _, long := range r.long {
			at := bytes.Index(content[long[0]:long[1]], []byte("\xff Go buildinf:"))
			if at >= 0 {
				start := long[0] + int64(at)
				spans = append(spans, [2]int64{start, min(start+infoAhead, int64(len(content)))})
			}
		}
		e := excerpt{Name: filepath.Base(name), Size: int64(len(content)), Parts: parts(content, spans)}
		if e.Listing, err = listing(name); err != nil {
			return err
		}
		sparse := make([]byte, e.Size)
		for _, p := range e.Parts {
			copy(sparse[p.Offset:], p.Bytes)
		}
		again, err := buildinfo.Read(bytes.NewReader(sparse))
		if err != nil || again.String() != info.String() {
			return fmt.Errorf("%s: its excerpt reads otherwise: %v, %v", name, again, err)
		}
		if err := printJSON(e); err != nil {
			return err
		}
	}
	return nil
}

// listing is what `go version -m` prints in the folder of a program.
func listing(name string) (string, error) {
	command := exec.Command("go", "version", "-m", filepath.Base(name))
	command.Dir, command.Stderr = filepath.Dir(name), os.Stderr
	printed, err := command.Output()
	return string(printed), err
}

// parts are the bytes of these spans, which may overlap, without runs of zeros.
func parts(content []byte, spans [][2]int64) []part {
	slices.SortFunc(spans, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
	var parts []part
	var done int64
	for _, s := range spans {
		start, end := max(s[0], done), s[1]
		done = max(done, end)
		for start < end {
			const zeros = 16
			run := bytes.Index(content[start:end], make([]byte, zeros))
			stop := end
			if run >= 0 {
				stop = start + int64(run)
			}
			if stop > start {
				parts = append(parts, part{Offset: start, Bytes: content[start:stop]})
			}
			for start = stop; start < end && content[start] == 0; start++ {
			}
		}
	}
	return parts
}
