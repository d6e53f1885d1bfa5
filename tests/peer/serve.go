package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb"
	"golang.org/x/mod/sumdb/tlog"
)

// serve runs a checksum database of made-up modules (golang.org/x/mod/sumdb's server), under the root and, as a module
// proxy has it, under /proxy/sumdb/NAME; the modules themselves are under /proxy. With --fork-at a second history of
// the same database is under /fork and /fork/proxy/sumdb/NAME.
func serve(args []string) error {
	var faults faultList
	var lies stringList
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	name := flags.String("name", "sum.test.example", "the database's name")
	seed := flags.String("seed", "1", "makes the key")
	delay := flags.Duration("delay", 0, "wait so long before every answer")
	filling := flags.Int("fill", 0, "begin the log with so many other records")
	preload := flags.String("preload", "", "then add the modules of this go.sum, so that the log does not grow later")
	after := flags.Int("fill-after", 0, "then so many others again")
	forkAt := flags.Int("fork-at", -1, "another history shares so many records")
	forkSize := flags.Int("fork-size", 0, "size of the other history; 0: as the first")
	records := flags.String("records", "", "JSON: from module@version to the record's text, or null for a 404")
	modules := flags.String("modules", "", "a folder with a folder PATH@VERSION for each module that is more than made up")
	certFile := flags.String("tls", "", "speak TLS, and write the certificate to this file")
	flags.Var(&faults, "fail", "REGEXP=MODE[*COUNT]: fail the paths that match, COUNT times; see type fault")
	flags.Var(&lies, "lie", "module@version of which the database has a record of other bytes")
	if err := flags.Parse(args); err != nil {
		return err
	}
	signer, verifier := keyPair(*name, *seed)
	if *modules != "" {
		if err := readModules(*modules); err != nil {
			return err
		}
	}

	given := make(map[string]*string)
	if *records != "" {
		data, err := os.ReadFile(*records)
		if err == nil {
			err = json.Unmarshal(data, &given)
		}
		if err != nil {
			return err
		}
	}
	var first []madeUp
	for i := range *filling {
		first = append(first, filler(i))
	}
	if *preload != "" {
		lines, err := readGoSum(*preload)
		if err != nil {
			return err
		}
		seen := make(map[madeUp]bool)
		for _, l := range lines {
			m := madeUp{l.path, strings.TrimSuffix(l.version, "/go.mod")}
			if !seen[m] {
				first = append(first, m)
			}
			seen[m] = true
		}
	}
	for i := range *after {
		first = append(first, filler(*filling+i))
	}
	text := func(m madeUp, salt string) ([]byte, error) {
		if t, ok := given[m.path+"@"+m.version]; ok {
			if t == nil {
				return nil, os.ErrNotExist
			}
			return []byte(*t), nil
		}
		for _, lie := range lies {
			if lie == m.path+"@"+m.version {
				salt += "lie"
			}
		}
		return m.record(salt)
	}
	newLog := func(forkAt, size int) (*sumdb.Server, error) {
		var n atomic.Int64
		ops := sumdb.NewTestServer(signer, func(path, version string) ([]byte, error) {
			salt := ""
			if i := n.Add(1); forkAt >= 0 && i > int64(forkAt) {
				salt = "fork"
			}
			return text(madeUp{path, version}, salt)
		})
		for i := range size {
			m := filler(i)
			if i < len(first) {
				m = first[i]
			}
			if _, err := ops.Lookup(nil, module.Version{Path: m.path, Version: m.version}); err != nil {
				return nil, fmt.Errorf("%s@%s: %v", m.path, m.version, err)
			}
		}
		return sumdb.NewServer(ops), nil
	}

	log, err := newLog(-1, len(first))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mount(mux, "", *name, log)
	if *forkAt >= 0 {
		if *forkSize == 0 {
			*forkSize = len(first)
		}
		fork, err := newLog(*forkAt, *forkSize)
		if err != nil {
			return err
		}
		mount(mux, "/fork", *name, fork)
	}

	// Where redirects to plain http lead: the very same answers, so that nothing but the redirect can be refused.
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(plain, mux)
	plainURL := "http://" + plain.Addr().String()

	var cert *tls.Certificate
	if *certFile != "" {
		if cert, err = selfSigned(*certFile); err != nil {
			return err
		}
	}
	return listen(cert, *delay, faults.wrap(plainURL, mux), map[string]any{"key": verifier, "name": *name, "plain": plainURL})
}

// mount serves a log under prefix and, as module proxies do, under prefix/proxy/sumdb/NAME.
func mount(mux *http.ServeMux, prefix, name string, log http.Handler) {
	for _, base := range []string{prefix, prefix + "/proxy/sumdb/" + name} {
		for _, path := range sumdb.ServerPaths {
			mux.Handle(base+path, http.StripPrefix(base, log))
		}
		mux.HandleFunc(base+"/supported", func(http.ResponseWriter, *http.Request) {})
	}
	mux.Handle(prefix+"/proxy/", http.StripPrefix(prefix+"/proxy/", http.HandlerFunc(serveModule)))
}

// serveModule is a module proxy (https://go.dev/ref/mod#goproxy-protocol) of made-up modules.
func serveModule(w http.ResponseWriter, r *http.Request) {
	path, file, ok := strings.Cut(r.URL.Path, "/@v/")
	path, err := module.UnescapePath(path)
	if !ok || err != nil || strings.HasPrefix(path, "unknown.") {
		http.NotFound(w, r)
		return
	}
	if file == "list" {
		fmt.Fprintln(w, "v1.0.0")
		return
	}
	dot := strings.LastIndex(file, ".")
	if dot < 0 {
		http.NotFound(w, r)
		return
	}
	version, err := module.UnescapeVersion(file[:dot])
	if err != nil {
		http.NotFound(w, r)
		return
	}
	m := madeUp{path, version}
	switch file[dot:] {
	case ".info":
		json.NewEncoder(w).Encode(map[string]any{"Version": version, "Time": time.Unix(1e9, 0).UTC()})
	case ".mod":
		io.WriteString(w, m.goMod())
	case ".zip":
		w.Write(m.zip())
	default:
		http.NotFound(w, r)
	}
}

type stringList []string

func (l *stringList) String() string     { return strings.Join(*l, " ") }
func (l *stringList) Set(s string) error { *l = append(*l, s); return nil }

// A fault spoils the answers of some paths:
//
//	404, 410, 429, 500, …  that status
//	html           a captive portal's page, status 200
//	truncate       half of the body, its length announced whole
//	short          half of the body, and nothing that says so
//	empty          no body
//	oversize       no end (64 MiB)
//	slow           a byte a second
//	hang           no answer for a minute
//	reset          the connection closes without an answer
//	redirect-http  to the same path on plain http
//	redirect-loop  to itself
//	flip           one bit of the body's middle byte
//	flip-end       one bit of its tenth byte from the end
type fault struct {
	paths   *regexp.Regexp
	mode    string
	limited bool
	left    atomic.Int64 // How often it still strikes, if limited; below zero: no more.
}

type faultList []*fault

func (l *faultList) String() string { return "" }

func (l *faultList) Set(s string) error {
	i := strings.LastIndex(s, "=")
	if i < 0 {
		return fmt.Errorf("want REGEXP=MODE")
	}
	re, err := regexp.Compile(s[:i])
	if err != nil {
		return err
	}
	mode, count, limited := strings.Cut(s[i+1:], "*")
	f := &fault{paths: re, mode: mode, limited: limited}
	if limited {
		n, err := strconv.Atoi(count)
		if err != nil {
			return err
		}
		f.left.Store(int64(n))
	}
	if _, err := strconv.Atoi(mode); err != nil && !strings.Contains(
		" html truncate short empty oversize slow hang reset redirect-http redirect-loop flip flip-end ", " "+mode+" ") {
		return fmt.Errorf("unknown mode %q", mode)
	}
	*l = append(*l, f)
	return nil
}

func (f *fault) strikes(path string) bool {
	if !f.paths.MatchString(path) {
		return false
	}
	return !f.limited || f.left.Add(-1) >= 0
}

func (l faultList) wrap(plainURL string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, f := range l {
			if f.strikes(r.URL.Path) {
				f.answer(w, r, plainURL, h)
				return
			}
		}
		h.ServeHTTP(w, r)
	})
}

func (f *fault) answer(w http.ResponseWriter, r *http.Request, plainURL string, h http.Handler) {
	if status, err := strconv.Atoi(f.mode); err == nil {
		http.Error(w, "made to fail", status)
		return
	}
	switch f.mode {
	case "html":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, "<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body>Please log in.</body></html>\n")
		return
	case "oversize":
		block := make([]byte, 1<<16)
		for i := range block {
			block[i] = 'a'
		}
		for range 1 << 10 {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
		return
	case "slow":
		for range 60 {
			if _, err := io.WriteString(w, "a"); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-time.After(time.Second):
			case <-r.Context().Done():
				return
			}
		}
		return
	case "hang":
		select {
		case <-time.After(time.Minute):
		case <-r.Context().Done():
		}
		return
	case "reset":
		panic(http.ErrAbortHandler)
	case "redirect-http":
		http.Redirect(w, r, plainURL+r.URL.Path, http.StatusFound)
		return
	case "redirect-loop":
		http.Redirect(w, r, r.URL.Path, http.StatusFound)
		return
	}
	// The rest spoil the true answer.
	answer := &buffer{header: make(http.Header), status: http.StatusOK}
	h.ServeHTTP(answer, r)
	body := answer.body
	switch f.mode {
	case "truncate":
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		body = body[:len(body)/2]
	case "short":
		body = body[:len(body)/2]
	case "empty":
		body = nil
	case "flip":
		if len(body) > 0 {
			body[len(body)/2] ^= 1
		}
	case "flip-end":
		if len(body) > 10 {
			body[len(body)-10] ^= 1
		}
	}
	w.WriteHeader(answer.status)
	w.Write(body)
}

// buffer is an http.ResponseWriter that holds the answer.
type buffer struct {
	header http.Header
	status int
	body   []byte
}

func (b *buffer) Header() http.Header  { return b.header }
func (b *buffer) WriteHeader(code int) { b.status = code }
func (b *buffer) Write(data []byte) (int, error) {
	b.body = append(b.body, data...)
	return len(data), nil
}

// hashList is a tlog.HashReader over a slice.
type hashList []tlog.Hash

func (l hashList) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, l[i])
	}
	return out, nil
}
