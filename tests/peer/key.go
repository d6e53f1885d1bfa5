package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// keyPair returns a note signer and verifier key (golang.org/x/mod/sumdb/note) that depend on name and seed alone, so
// that a server which is started again is the same database.
func keyPair(name, seed string) (signer, verifier string) {
	const algEd25519 = 1
	s := sha256.Sum256([]byte("modanchor test key " + seed))
	public := ed25519.NewKeyFromSeed(s[:]).Public().(ed25519.PublicKey)
	key := append([]byte{algEd25519}, public...)
	id := sha256.Sum256(append([]byte(name+"\n"), key...))
	b64 := base64.StdEncoding.EncodeToString
	signer = fmt.Sprintf("PRIVATE+KEY+%s+%x+%s", name, id[:4], b64(append([]byte{algEd25519}, s[:]...)))
	verifier = fmt.Sprintf("%s+%x+%s", name, id[:4], b64(key))
	return signer, verifier
}
