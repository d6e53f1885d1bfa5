package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/mod/sumdb"
)

// A goSumLine is a line of a go.sum as cmd/go splits it; one that has not three fields has only text.
type goSumLine struct {
	number              int
	text                string
	path, version, hash string
}

func readGoSum(file string) ([]goSumLine, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var lines []goSumLine
	for i, text := range strings.Split(string(data), "\n") {
		f := strings.Fields(text)
		l := goSumLine{number: i + 1, text: text}
		if len(f) == 3 {
			l.path, l.version, l.hash = f[0], f[1], f[2]
		}
		if len(f) > 0 {
			lines = append(lines, l)
		}
	}
	return lines, nil
}

type checkedLine struct {
	Line int `json:"line"`
	// verified, mismatch, missing (no line in the record), skipped, error, malformed.
	Status string `json:"status"`
	// The go.sum lines that the database has for the path and version of the line.
	Answer []string `json:"answer"`
	Error  string   `json:"error,omitempty"`
}

type checkResult struct {
	Lines []checkedLine `json:"lines"`
	// The text of a detected fork.
	Security string `json:"security,omitempty"`
	Requests int64  `json:"requests"`
}

// check does the work of golang.org/x/mod/gosumcheck, with an exit status, answers on stdout and, with --cache, a cache
// on disk. Exit status: 0 all verified, 1 a mismatch or a fork, 3 anything else.
func check(args []string) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	cache := flags.String("cache", "", "keep what was authenticated in this folder")
	nosumdb := flags.String("nosumdb", "", "GONOSUMDB patterns")
	offline := flags.Bool("offline", false, "never ask the server")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 3 {
		return fmt.Errorf("usage: check [--cache DIR] [--nosumdb PATTERNS] [--offline] GOSUM URL KEY")
	}
	lines, err := readGoSum(flags.Arg(0))
	if err != nil {
		return err
	}
	url, key := strings.TrimSuffix(flags.Arg(1), "/"), flags.Arg(2)
	result, err := runCheck(lines, &diskOps{dir: *cache, key: key, remote: func(path string) ([]byte, error) {
		if *offline {
			return nil, fmt.Errorf("GET %s: offline", path)
		}
		return get(url + path)
	}}, *nosumdb)
	if err != nil {
		return err
	}
	if err := printJSON(result); err != nil {
		return err
	}
	status := 0
	for _, l := range result.Lines {
		switch l.Status {
		case "verified", "skipped":
		case "mismatch", "missing":
			status = 1
		default:
			if status == 0 {
				status = 3
			}
		}
	}
	if result.Security != "" {
		status = 1
	}
	if status != 0 {
		os.Exit(status)
	}
	return nil
}

func get(url string) ([]byte, error) {
	resp, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		return nil, fmt.Errorf("GET %v: %v", url, resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
}

// runCheck looks up every line at once, as gosumcheck does.
func runCheck(lines []goSumLine, ops *diskOps, nosumdb string) (*checkResult, error) {
	client := sumdb.NewClient(ops)
	client.SetGONOSUMDB(nosumdb)
	result := &checkResult{Lines: make([]checkedLine, len(lines))}
	var wg sync.WaitGroup
	for i, l := range lines {
		wg.Go(func() { result.Lines[i] = checkLine(client, l) })
	}
	wg.Wait()
	result.Security = ops.security()
	result.Requests = ops.requests.Load()
	return result, nil
}

func checkLine(client *sumdb.Client, l goSumLine) checkedLine {
	c := checkedLine{Line: l.number, Answer: []string{}}
	if l.path == "" {
		c.Status = "malformed"
		return c
	}
	answer, err := client.Lookup(l.path, l.version)
	if err != nil {
		c.Status, c.Error = "error", err.Error()
		if errors.Is(err, sumdb.ErrGONOSUMDB) {
			c.Status, c.Error = "skipped", ""
		}
		return c
	}
	if answer != nil {
		c.Answer = answer
	}
	line := l.path + " " + l.version + " " + l.hash
	c.Status = "missing"
	for _, a := range answer {
		if a == line {
			c.Status = "verified"
			return c
		}
		c.Status = "mismatch"
	}
	return c
}

// diskOps is a sumdb.ClientOps with a cache in dir; with no dir it keeps nothing but the newest head.
type diskOps struct {
	dir, key string
	remote   func(path string) ([]byte, error)
	requests atomic.Int64

	mu       sync.Mutex
	latest   []byte // When there is no dir.
	messages []string
}

func (o *diskOps) security() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.messages, "\n")
}

func (o *diskOps) ReadRemote(path string) ([]byte, error) {
	o.requests.Add(1)
	return o.remote(path)
}

func (o *diskOps) ReadConfig(file string) ([]byte, error) {
	if file == "key" {
		return []byte(o.key), nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.readConfig(file)
}

func (o *diskOps) readConfig(file string) ([]byte, error) {
	if o.dir == "" {
		return o.latest, nil
	}
	data, err := os.ReadFile(filepath.Join(o.dir, "config", filepath.FromSlash(file)))
	if errors.Is(err, os.ErrNotExist) {
		return []byte{}, nil
	}
	return data, err
}

func (o *diskOps) WriteConfig(file string, old, new []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	now, err := o.readConfig(file)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, old) {
		return sumdb.ErrWriteConflict
	}
	if o.dir == "" {
		o.latest = new
		return nil
	}
	return writeFile(filepath.Join(o.dir, "config", filepath.FromSlash(file)), new)
}

func (o *diskOps) cacheFile(file string) string {
	return filepath.Join(o.dir, "cache", filepath.FromSlash(file))
}

func (o *diskOps) ReadCache(file string) ([]byte, error) {
	if o.dir == "" {
		return nil, os.ErrNotExist
	}
	return os.ReadFile(o.cacheFile(file))
}

func (o *diskOps) WriteCache(file string, data []byte) {
	if o.dir != "" {
		if err := writeFile(o.cacheFile(file), data); err != nil {
			o.Log(err.Error())
		}
	}
}

func (o *diskOps) Log(msg string) { fmt.Fprintln(os.Stderr, msg) }

func (o *diskOps) SecurityError(msg string) {
	o.mu.Lock()
	o.messages = append(o.messages, msg)
	o.mu.Unlock()
}
