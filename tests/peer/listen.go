package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// stats counts requests, for GET /__stats. Paths that begin with "/__" are not counted.
type stats struct {
	mu          sync.Mutex
	Requests    int            `json:"requests"`
	Connections int            `json:"connections"`
	MaxInFlight int            `json:"max_in_flight"`
	Paths       map[string]int `json:"paths"`
	Agents      map[string]int `json:"agents"`
	inFlight    int
}

func newStats() *stats { return &stats{Paths: make(map[string]int), Agents: make(map[string]int)} }

func (s *stats) wrap(delay time.Duration, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/__stats":
			s.mu.Lock()
			defer s.mu.Unlock()
			json.NewEncoder(w).Encode(s)
			return
		case "/__reset":
			s.mu.Lock()
			defer s.mu.Unlock()
			s.Requests, s.Connections, s.MaxInFlight = 0, 0, 0
			clear(s.Paths)
			clear(s.Agents)
			return
		}
		s.mu.Lock()
		s.Requests++
		s.Paths[r.URL.Path]++
		s.Agents[r.UserAgent()]++
		s.inFlight++
		s.MaxInFlight = max(s.MaxInFlight, s.inFlight)
		s.mu.Unlock()
		if delay > 0 {
			time.Sleep(delay)
		}
		h.ServeHTTP(w, r)
		s.mu.Lock()
		s.inFlight--
		s.mu.Unlock()
	})
}

func (s *stats) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:  h,
		ErrorLog: log.New(io.Discard, "", 0),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				s.mu.Lock()
				s.Connections++
				s.mu.Unlock()
			}
		},
	}
}

// listen serves h on 127.0.0.1 until standard input ends, having printed hello with "url" added. With a certificate it
// speaks TLS.
func listen(cert *tls.Certificate, delay time.Duration, h http.Handler, hello map[string]any) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := newStats()
	server := s.server(s.wrap(delay, h))
	scheme := "http"
	if cert != nil {
		scheme = "https"
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*cert}, NextProtos: []string{"http/1.1"}})
	}
	hello["url"] = fmt.Sprintf("%s://%s", scheme, l.Addr())
	if err := printJSON(hello); err != nil {
		return err
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		server.Shutdown(ctx)
		os.Exit(0)
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	select {} // The goroutine above ends the program.
}

// selfSigned makes a certificate for 127.0.0.1 and writes it to file as PEM, to be trusted by way of SSL_CERT_FILE.
func selfSigned(file string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "modanchor test"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	pemBytes := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(file, pemBytes, 0o666); err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
