package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	sumdbName = "sum.golang.org"
	sumdbKey  = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
	// tileHeight is that of every checksum database known.
	tileHeight = 8
	// connections is how many requests a recording has in flight.
	connections = 24
	// maxAnswer is gosumcheck's limit for one answer.
	maxAnswer = 1 << 20
)

// record fetches what sum.golang.org says about the lines of a go.sum, through the go command's module proxy: the
// look-ups, and every tile that a client may want for any of the tree heads in them, in whatever order it sees them.
// Files that are there already are not fetched again.
func record(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: record GOSUM DIR")
	}
	dir := args[1]
	lines, err := readGoSum(args[0])
	if err != nil {
		return err
	}
	base, err := proxyBase()
	if err != nil {
		return err
	}
	r := &recorder{base: base, dir: dir, client: &http.Client{
		Timeout:   time.Minute,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: connections, ForceAttemptHTTP2: true},
	}}

	lookups := make(map[string]bool)
	for _, l := range lines {
		epath, err := module.EscapePath(l.path)
		if err != nil {
			return err
		}
		evers, err := module.EscapeVersion(strings.TrimSuffix(l.version, "/go.mod"))
		if err != nil {
			return err
		}
		lookups["lookup/"+epath+"@"+evers] = true
	}
	if err := r.fetchAll(slices.Sorted(maps.Keys(lookups))); err != nil {
		return err
	}

	verifier, err := note.NewVerifier(sumdbKey)
	if err != nil {
		return err
	}
	heads := make(map[int64]bool)
	var ids []int64
	for path := range lookups {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		if err != nil {
			return err
		}
		id, _, msg, err := tlog.ParseRecord(data)
		if err != nil {
			return fmt.Errorf("%s: %v", path, err)
		}
		n, err := note.Open(msg, note.VerifierList(verifier))
		if err != nil {
			return fmt.Errorf("%s: %v", path, err)
		}
		tree, err := tlog.ParseTree([]byte(n.Text))
		if err != nil {
			return fmt.Errorf("%s: %v", path, err)
		}
		ids = append(ids, id)
		heads[tree.N] = true
	}
	tiles := tilesFor(slices.Sorted(maps.Keys(heads)), ids)
	if err := r.fetchAll(tiles); err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, "supported"), nil); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d look-ups, %d tree heads, %d tiles; %d fetched now\n", len(lookups), len(heads), len(tiles), r.fetched)

	// What was recorded must satisfy x/mod's client without any server.
	result, err := runCheck(lines, &diskOps{key: sumdbKey, remote: func(path string) ([]byte, error) {
		return os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
	}}, "")
	if err != nil {
		return err
	}
	for _, l := range result.Lines {
		if l.Status != "verified" {
			return fmt.Errorf("the recording does not verify: line %d: %s %s", l.Line, l.Status, l.Error)
		}
	}
	return nil
}

// tilesFor lists the tiles that a client may want which sees these tree heads, sorted by size, in any order, and
// authenticates these records: the right edge of every head as it was, and whatever of it, or above a record, is
// full by the newest head.
func tilesFor(heads, ids []int64) []string {
	newest := heads[len(heads)-1]
	set := make(map[string]bool)
	add := func(level int, n int64, width int) {
		set[tlog.Tile{H: tileHeight, L: level, N: n, W: width}.Path()] = true
	}
	climb := func(leaf int64) {
		for level := 0; newest>>(level*tileHeight) > 0; level++ {
			n := leaf >> ((level + 1) * tileHeight)
			if (n+1)<<tileHeight <= newest>>(level*tileHeight) {
				add(level, n, 1<<tileHeight)
			}
		}
	}
	for _, size := range heads {
		for level := 0; size>>(level*tileHeight) > 0; level++ {
			count := size >> (level * tileHeight)
			if width := count & (1<<tileHeight - 1); width > 0 {
				add(level, count>>tileHeight, int(width))
			}
		}
		climb(size - 1)
		climb(size)
	}
	for _, id := range ids {
		climb(id)
	}
	return slices.Sorted(maps.Keys(set))
}

type recorder struct {
	base, dir string
	client    *http.Client
	mu        sync.Mutex
	fetched   int
}

// fetchAll fetches the paths that are not there yet.
func (r *recorder) fetchAll(paths []string) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	work := make(chan string)
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for path := range work {
				if err := r.fetch(ctx, path); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, path := range paths {
		if ctx.Err() != nil {
			break
		}
		work <- path
	}
	close(work)
	wg.Wait()
	return context.Cause(ctx)
}

func (r *recorder) fetch(ctx context.Context, path string) error {
	file := filepath.Join(r.dir, filepath.FromSlash(path))
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	var last error
	for attempt := range 4 {
		time.Sleep(time.Duration(attempt*attempt) * 500 * time.Millisecond)
		req, err := http.NewRequestWithContext(ctx, "GET", r.base+path, nil)
		if err != nil {
			return err
		}
		resp, err := r.client.Do(req)
		if err != nil {
			last = err
			continue
		}
		data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		resp.Body.Close()
		if err == nil && resp.StatusCode == 200 {
			r.mu.Lock()
			r.fetched++
			r.mu.Unlock()
			return writeFile(file, data)
		}
		last = fmt.Errorf("GET %s: %s %v", path, resp.Status, err)
		if resp.StatusCode == 404 || resp.StatusCode == 410 {
			break
		}
	}
	return last
}

// proxyBase is where the go command would find the checksum database: the first proxy of GOPROXY.
func proxyBase() (string, error) {
	out, err := exec.Command("go", "env", "GOPROXY").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOPROXY: %v", err)
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), ",")
	first, _, _ = strings.Cut(first, "|")
	if !strings.HasPrefix(first, "http") {
		return "", fmt.Errorf("GOPROXY does not begin with a proxy: %q", first)
	}
	return strings.TrimSuffix(first, "/") + "/sumdb/" + sumdbName + "/", nil
}

// writeFile writes a file whole or not at all.
func writeFile(file string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".tmp-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// serveRecorded serves a folder from memory.
func serveRecorded(args []string) error {
	flags := flag.NewFlagSet("serve-recorded", flag.ContinueOnError)
	delay := flags.Duration("delay", 0, "wait so long before every answer")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return fmt.Errorf("usage: serve-recorded [--delay D] DIR")
	}
	files := make(map[string][]byte)
	root := os.DirFS(flags.Arg(0))
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, path)
		files["/"+path] = data
		return err
	})
	if err != nil {
		return err
	}
	return listen(nil, *delay, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		if bytes.HasPrefix([]byte(r.URL.Path), []byte("/tile/")) {
			h["Content-Type"] = []string{"application/octet-stream"}
		} else {
			h["Content-Type"] = []string{"text/plain; charset=UTF-8"}
		}
		h["Content-Length"] = []string{fmt.Sprint(len(data))}
		w.Write(data)
	}), map[string]any{})
}
