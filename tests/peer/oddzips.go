package main

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	modzip "golang.org/x/mod/zip"
)

const (
	oddPath    = "example.com/odd"
	oddVersion = "v1.2.3"
	oddPrefix  = oddPath + "@" + oddVersion + "/"
)

// A rawEntry is one entry of a made-up zip. What is nil or empty is as it should be.
type rawEntry struct {
	name      string
	content   string
	stored    bool
	data      []byte  // compressed, instead of the content's
	method    *uint16 // in the directory
	local     *string // the name in the local header
	crc       *uint32 // in the directory
	size      *uint64
	packed    *uint64
	at        *uint64 // where the directory says that the local header is
	flags     uint16
	after     []byte // follows the data: a data descriptor
	extra     []byte // in the directory
	comment   string
	noLocal   bool // neither local header nor data: what `at` points to
	badLocal  bool // a wrong signature, and nonsense in all other fields but the lengths
	longField bool // 32-bit fields are 0xffffffff where given values do not fit
}

// A rawZip is a made-up zip.
type rawZip struct {
	entries []rawEntry
	before  string  // bytes before the archive, which its offsets do not count
	counted string  // bytes before the archive, which they do
	gap     []byte  // between the directory and what follows
	zip64   []byte  // between the directory and the end record, after gap
	count   *uint16 // in the end record
	dirSize *uint32
	dirAt   *uint32
	comment string
	length  *uint16 // of the comment
	after   string  // behind all
}

func ptr[T any](v T) *T { return &v }

func deflated(content string) []byte {
	var buf bytes.Buffer
	w, err := flate.NewWriter(&buf, flate.BestCompression)
	if err == nil {
		_, err = w.Write([]byte(content))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // Writes to memory.
	}
	return buf.Bytes()
}

func le(values ...any) []byte {
	var b []byte
	for _, v := range values {
		switch v := v.(type) {
		case uint16:
			b = binary.LittleEndian.AppendUint16(b, v)
		case uint32:
			b = binary.LittleEndian.AppendUint32(b, v)
		case uint64:
			b = binary.LittleEndian.AppendUint64(b, v)
		case string:
			b = append(b, v...)
		case []byte:
			b = append(b, v...)
		default:
			panic(fmt.Sprintf("%T has no bytes", v))
		}
	}
	return b
}

func or[T any](p *T, v T) T {
	if p != nil {
		return *p
	}
	return v
}

func (z rawZip) bytes() []byte {
	body := []byte(z.counted)
	var dir []byte
	for _, e := range z.entries {
		at := uint64(len(body))
		data, method := []byte(e.content), uint16(0)
		if !e.stored {
			data, method = deflated(e.content), 8
		}
		if e.data != nil {
			data = e.data
		}
		crc := or(e.crc, crc32.ChecksumIEEE([]byte(e.content)))
		size, packed := or(e.size, uint64(len(e.content))), or(e.packed, uint64(len(data)))
		local := or(e.local, e.name)
		if !e.noLocal {
			if e.badLocal {
				body = append(body, le("PK\x03\x05", uint16(99), uint16(0xffff), uint16(77), uint32(0), uint32(1), uint32(2), uint32(3))...)
			} else {
				body = append(body, le("PK\x03\x04", uint16(20), e.flags, method, uint32(0), crc, uint32(packed), uint32(size))...)
			}
			body = append(body, le(uint16(len(local)), uint16(0), local, data, e.after)...)
		}
		field := func(v uint64) uint32 {
			if e.longField && v > 0xffffffff {
				return 0xffffffff
			}
			return uint32(v)
		}
		dir = append(dir, le("PK\x01\x02", uint16(20), uint16(20), e.flags, or(e.method, method), uint32(0), crc,
			field(packed), field(size), uint16(len(e.name)), uint16(len(e.extra)), uint16(len(e.comment)), uint32(0),
			uint32(0), field(or(e.at, at)), e.name, e.extra, e.comment)...)
	}
	count := uint16(len(z.entries))
	return le(z.before, body, dir, z.gap, z.zip64, "PK\x05\x06", uint16(0), uint16(0), or(z.count, count), or(z.count, count),
		or(z.dirSize, uint32(len(dir))), or(z.dirAt, uint32(len(body))), or(z.length, uint16(len(z.comment))), z.comment, z.after)
}

// An oddZip is a zip and what modanchor calls what is wrong with it: hashed alone, and with the rules of module zips.
type oddZip struct {
	name        string
	code, rules string
	zip         []byte
}

// A verdict is what Go says of a zip.
type verdict struct {
	Name string `json:"name"`
	// dirhash.HashZip.
	H1        string `json:"h1"`
	HashError string `json:"hash_error"`
	// zip.CheckZip.
	CheckError string `json:"check_error"`
	// ZipError::code without and with rules; empty where there is no error.
	Code      string `json:"code"`
	RulesCode string `json:"rules_code"`
}

func judge(file string) (v verdict) {
	h1, err := dirhash.HashZip(file, dirhash.Hash1)
	v.H1 = h1
	if err != nil {
		v.HashError = err.Error()
	}
	if _, err := modzip.CheckZip(module.Version{Path: oddPath, Version: oddVersion}, file); err != nil {
		v.CheckError, _, _ = strings.Cut(err.Error(), "\n")
	}
	return v
}

// writeOddZips writes every odd zip into a folder, into cases.json what Go says of each, and into files.json what it says
// of lists of files.
func writeOddZips(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: odd-zips DIR")
	}
	var verdicts []verdict
	var wrong []string
	for _, odd := range oddZips() {
		file := filepath.Join(args[0], odd.name+".zip")
		if err := os.WriteFile(file, odd.zip, 0o666); err != nil {
			return err
		}
		v := judge(file)
		v.Name, v.Code, v.RulesCode = odd.name, odd.code, odd.rules
		if odd.rules == "" {
			v.RulesCode = odd.code
		}
		if (v.HashError == "") != (v.Code == "") || (v.HashError == "" && v.CheckError == "") != (v.RulesCode == "") {
			wrong = append(wrong, fmt.Sprintf("%s: Go says %q and %q, and the table %q and %q", odd.name, v.HashError, v.CheckError, v.Code, v.RulesCode))
		}
		verdicts = append(verdicts, v)
	}
	if wrong != nil {
		return errors.New(strings.Join(wrong, "\n"))
	}
	text, err := json.MarshalIndent(verdicts, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(args[0], "cases.json"), append(text, '\n'), 0o666); err != nil {
		return err
	}
	return writeOddFiles(filepath.Join(args[0], "files.json"))
}

// manyFiles prints the h1 of a zip with so many empty files, named f000000 and so on.
func manyFiles(args []string) error {
	var n int
	if len(args) != 1 {
		return fmt.Errorf("usage: many-files N")
	}
	if _, err := fmt.Sscan(args[0], &n); err != nil {
		return err
	}
	files := make(map[string]string)
	for i := range n {
		files[fmt.Sprintf("%sf%06d", oddPrefix, i)] = ""
	}
	fmt.Println(hash1(files))
	return nil
}

// bits writes a deflate stream bit by bit: each string is a Huffman code, first bit first, or "N:V", the number V in N bits.
func bits(parts ...string) []byte {
	var b []byte
	n := 0
	bit := func(v byte) {
		if n%8 == 0 {
			b = append(b, 0)
		}
		b[n/8] |= v << (n % 8)
		n++
	}
	for _, p := range parts {
		var width, value int
		if k, _ := fmt.Sscanf(p, "%d:%d", &width, &value); k == 2 {
			for i := range width {
				bit(byte(value >> i & 1))
			}
			continue
		}
		for _, c := range p {
			bit(byte(c - '0'))
		}
	}
	return b
}

// dynamic begins a block with codes of its own: lengths of the literal and distance codes, each told by itself.
func dynamic(final string, literals, distances []int) []string {
	order := []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	parts := []string{final, "2:2", fmt.Sprintf("5:%d", len(literals)-257), fmt.Sprintf("5:%d", len(distances)-1), "4:15"}
	for _, symbol := range order {
		if symbol < 16 {
			parts = append(parts, "3:4") // Lengths 0 to 15 have codes of 4 bits.
		} else {
			parts = append(parts, "3:0")
		}
	}
	for _, length := range append(append([]int(nil), literals...), distances...) {
		parts = append(parts, fmt.Sprintf("%04b", length))
	}
	return parts
}

// lengths is a table of code lengths, all 0 but for those given.
func lengths(n int, set map[int]int) []int {
	l := make([]int, n)
	for symbol, length := range set {
		l[symbol] = length
	}
	return l
}

func oddZips() []oddZip {
	const p = oddPrefix
	mod := rawEntry{name: p + "go.mod", content: "module " + oddPath + "\n"}
	text := strings.Repeat("All this text is the same, again and again.\n", 20)
	a := rawEntry{name: p + "a.go", content: text}
	var odd []oddZip
	add := func(name, code, rules string, z rawZip) {
		odd = append(odd, oddZip{name, code, rules, z.bytes()})
	}
	// files is a zip of a go.mod and more.
	files := func(name, code, rules string, entries ...rawEntry) {
		add(name, code, rules, rawZip{entries: append([]rawEntry{mod}, entries...)})
	}
	// with is a file, changed.
	with := func(change func(e *rawEntry)) rawEntry {
		e := a
		change(&e)
		return e
	}
	named := func(names ...string) (entries []rawEntry) {
		for _, name := range names {
			entries = append(entries, rawEntry{name: name})
		}
		return entries
	}

	// What is usual.
	files("deflated", "", "", a)
	files("stored", "", "", with(func(e *rawEntry) { e.stored = true }))
	files("unsorted", "", "", named(p+"z", p+"b/c", p+"b", p+"a")[0], named(p + "b.c")[0], a)
	add("no-entries", "", "", rawZip{})
	odd = append(odd, oddZip{"empty-file", "not-zip", "", nil}, oddZip{"text", "not-zip", "", []byte(text)})

	// Folders and names.
	folder := rawEntry{name: p + "b/", stored: true}
	files("folder", "", "", folder, a)
	files("folder-twice", "", "", folder, folder)
	files("folder-of-the-module", "", "", named(p)[0])
	files("folder-odd-method", "", "", rawEntry{name: p + "b/", data: []byte("xy"), method: ptr[uint16](77), crc: ptr[uint32](9)})
	files("folder-with-size", "folder-with-content", "", rawEntry{name: p + "b/", stored: true, size: ptr[uint64](1)})
	files("folder-without-header", "bad-local-header", "", rawEntry{name: p + "b/", badLocal: true})
	files("duplicate", "", "duplicate-file", a, a)
	files("duplicate-last-counts", "", "duplicate-file", rawEntry{name: a.name, content: "first"}, a)
	files("duplicate-first-broken", "", "duplicate-file", with(func(e *rawEntry) { e.badLocal = true }), a)
	files("duplicate-last-broken", "bad-local-header", "duplicate-file", a, with(func(e *rawEntry) { e.badLocal = true }))
	files("local-name-differs", "", "", with(func(e *rawEntry) { e.local = ptr("../../etc/passwd") }))
	files("local-signature", "bad-local-header", "", with(func(e *rawEntry) { e.badLocal = true }))
	files("name-not-utf-8", "", "bad-path", named(p + "\xff\xfe")[0])
	files("name-newline", "newline", "bad-path", named(p + "a\nb")[0])
	files("name-nul", "", "bad-path", named(p + "a\x00b")[0])
	files("name-empty", "", "unexpected-file", named("")[0])
	files("name-long", "", "", named(p + strings.Repeat("n", 60000))[0])

	// Before, behind and between.
	add("prefix", "", "", rawZip{before: "#!/bin/sh\nexit\n", entries: []rawEntry{mod, a}})
	add("prefix-counted", "", "", rawZip{counted: "#!/bin/sh\nexit\n", entries: []rawEntry{mod, a}})
	inner := rawZip{entries: []rawEntry{a}}.bytes()
	add("prefix-is-a-zip", "", "", rawZip{before: string(inner), entries: []rawEntry{mod}})
	// The directory's offset, without the prefix, happens to be that of a directory in the prefix.
	shadow := rawZip{entries: []rawEntry{a}}
	shadowAt := uint32(30 + len(a.name) + len(deflated(text)))
	add("prefix-with-directory-there", "", "", rawZip{before: string(shadow.bytes()), entries: []rawEntry{with(func(e *rawEntry) { e.name = p + "b.go" })}, dirAt: &shadowAt})
	add("directory-offset-too-high", "", "", rawZip{entries: []rawEntry{with(func(e *rawEntry) { e.at = ptr[uint64](7) })}, dirAt: ptr(shadowAt + 7)})
	add("comment", "", "", rawZip{entries: []rawEntry{mod}, comment: "a comment"})
	add("comment-2000", "", "", rawZip{entries: []rawEntry{mod}, comment: strings.Repeat("c", 2000)})
	add("comment-65535", "", "", rawZip{entries: []rawEntry{mod}, comment: strings.Repeat("c", 65535)})
	add("comment-with-end-record", "wrong-count", "", rawZip{entries: []rawEntry{mod}, comment: string(rawZip{count: ptr[uint16](3)}.bytes())})
	add("comment-with-cut-end-record", "not-zip", "", rawZip{entries: []rawEntry{mod}, comment: string(rawZip{length: ptr[uint16](9)}.bytes())})
	add("comment-too-long", "not-zip", "", rawZip{entries: []rawEntry{mod}, comment: "c", length: ptr[uint16](2)})
	add("comment-too-short", "", "", rawZip{entries: []rawEntry{mod}, comment: "cc", length: ptr[uint16](1)})
	add("behind", "", "", rawZip{entries: []rawEntry{mod}, after: "trailing bytes"})
	add("behind-70000", "not-zip", "", rawZip{entries: []rawEntry{mod}, after: strings.Repeat("z", 70000)})
	whole := rawZip{entries: []rawEntry{mod, a}}.bytes()
	odd = append(odd, oddZip{"truncated", "not-zip", "", whole[:len(whole)-1]}, oddZip{"beheaded", "bad-local-header", "", whole[1:]})
	files("entry-comment", "", "", with(func(e *rawEntry) { e.comment = "about a.go" }))
	add("entry-comment-swallows-end", "directory-outside", "", rawZip{entries: []rawEntry{mod}, dirSize: ptr(uint32(46 + len(mod.name))), after: ""})
	swallow := odd[len(odd)-1].zip
	binary.LittleEndian.PutUint16(swallow[len(swallow)-22-len(mod.name)-46+32:], 22)
	add("entry-comment-beyond-end", "wrong-count", "", rawZip{entries: []rawEntry{mod}})
	beyond := odd[len(odd)-1].zip
	binary.LittleEndian.PutUint16(beyond[len(beyond)-22-len(mod.name)-46+32:], 23)
	add("gap", "directory-outside", "", rawZip{entries: []rawEntry{mod}, gap: []byte("gap"), dirSize: ptr[uint32](9000)})
	add("gap-shifts", "", "", rawZip{entries: []rawEntry{mod}, gap: []byte("gap")})
	add("count-low", "wrong-count", "", rawZip{entries: []rawEntry{mod, a}, count: ptr[uint16](1)})
	add("count-high", "wrong-count", "", rawZip{entries: []rawEntry{mod, a}, count: ptr[uint16](3)})
	add("count-zero", "wrong-count", "", rawZip{entries: []rawEntry{mod, a}, count: ptr[uint16](0)})
	add("directory-size-zero", "", "", rawZip{entries: []rawEntry{mod}, dirSize: ptr[uint32](0)})

	// zip64.
	end64 := func(records, size, at uint64) []byte {
		return le("PK\x06\x06", uint64(44), uint16(45), uint16(45), uint32(0), uint32(0), records, records, size, at)
	}
	locator := func(disk uint32, at uint64, disks uint32) []byte { return le("PK\x06\x07", disk, at, disks) }
	one := rawZip{entries: []rawEntry{mod}}
	dirAt := uint64(30 + len(mod.name) + len(deflated(mod.content)))
	dirSize := uint64(46 + len(mod.name))
	sound64 := le(end64(1, dirSize, dirAt), locator(0, dirAt+dirSize, 1))
	zip64 := func(name, code string, change func(z *rawZip)) {
		z := one
		z.zip64, z.count, z.dirSize, z.dirAt = sound64, ptr[uint16](0xffff), ptr[uint32](0xffffffff), ptr[uint32](0xffffffff)
		change(&z)
		add(name, code, "", z)
	}
	zip64("zip64", "", func(*rawZip) {})
	zip64("zip64-by-count", "", func(z *rawZip) { z.dirSize, z.dirAt = nil, nil })
	zip64("zip64-by-offset", "", func(z *rawZip) { z.count, z.dirSize = nil, nil })
	zip64("zip64-by-size-alone", "directory-outside", func(z *rawZip) { z.count, z.dirAt = nil, nil })
	zip64("zip64-by-size-of-16-bits", "", func(z *rawZip) { z.count, z.dirAt, z.dirSize = nil, nil, ptr[uint32](0xffff) })
	zip64("zip64-not-asked-for", "", func(z *rawZip) { z.count, z.dirAt, z.dirSize = nil, nil, nil })
	zip64("zip64-other-disk", "directory-outside", func(z *rawZip) { z.zip64 = le(end64(1, dirSize, dirAt), locator(1, dirAt+dirSize, 1)) })
	zip64("zip64-two-disks", "directory-outside", func(z *rawZip) { z.zip64 = le(end64(1, dirSize, dirAt), locator(0, dirAt+dirSize, 2)) })
	zip64("zip64-wrong-place", "bad-zip64", func(z *rawZip) { z.zip64 = le(end64(1, dirSize, dirAt), locator(0, dirAt, 1)) })
	zip64("zip64-place-outside", "bad-zip64", func(z *rawZip) { z.zip64 = le(end64(1, dirSize, dirAt), locator(0, 1<<62, 1)) })
	zip64("zip64-place-negative", "directory-outside", func(z *rawZip) { z.zip64 = le(end64(1, dirSize, dirAt), locator(0, 1<<63, 1)) })
	zip64("zip64-huge-count", "", func(z *rawZip) { z.zip64 = le(end64(1<<60+1, dirSize, dirAt), locator(0, dirAt+dirSize, 1)) })
	zip64("zip64-huge-size", "directory-outside", func(z *rawZip) { z.zip64 = le(end64(1, 1<<62, dirAt), locator(0, dirAt+dirSize, 1)) })
	zip64("zip64-negative-size", "directory-outside", func(z *rawZip) { z.zip64 = le(end64(1, 1<<63, dirAt), locator(0, dirAt+dirSize, 1)) })
	zip64("zip64-huge-offset", "bad-local-header", func(z *rawZip) { z.zip64 = le(end64(1, dirSize, 1<<62), locator(0, dirAt+dirSize, 1)) })
	extra64 := func(values ...any) []byte {
		field := le(values...)
		return le(uint16(1), uint16(len(field)), field)
	}
	long := func(name, code string, change func(e *rawEntry)) {
		files(name, code, "", with(func(e *rawEntry) { e.longField = true; change(e) }))
	}
	packed := uint64(len(deflated(text)))
	const max32 = uint64(0xffffffff)
	aAt := uint64(30 + len(mod.name) + len(deflated(mod.content)))
	long("zip64-sizes", "", func(e *rawEntry) {
		e.size, e.packed, e.extra = ptr(max32), ptr(max32), extra64(uint64(len(text)), packed)
	})
	long("zip64-all", "", func(e *rawEntry) {
		e.size, e.packed, e.at, e.extra = ptr(max32), ptr(max32), ptr(max32), extra64(uint64(len(text)), packed, aAt)
	})
	long("zip64-offset", "", func(e *rawEntry) { e.at, e.extra = ptr(max32), extra64(aAt) })
	long("zip64-offset-negative", "bad-local-header", func(e *rawEntry) { e.at, e.extra = ptr(max32), extra64(uint64(1<<64-1)) })
	long("zip64-twice", "", func(e *rawEntry) {
		e.size, e.extra = ptr(max32), le(extra64(uint64(len(text))), extra64(uint64(1)))
	})
	long("zip64-behind-another", "", func(e *rawEntry) {
		e.size, e.extra = ptr(max32), le(uint16(0x5455), uint16(1), "x", extra64(uint64(len(text))))
	})
	long("zip64-behind-one-too-long", "wrong-count", func(e *rawEntry) {
		e.packed, e.extra = ptr(max32), le(uint16(0x5455), uint16(99), "x", extra64(packed))
	})
	long("zip64-not-needed", "", func(e *rawEntry) { e.extra = extra64(uint64(1), uint64(1), uint64(1)) })
	long("zip64-short", "wrong-count", func(e *rawEntry) { e.size, e.extra = ptr(max32), extra64(uint32(1)) })
	long("zip64-missing", "wrong-count", func(e *rawEntry) { e.packed = ptr(max32) })
	long("zip64-offset-missing", "wrong-count", func(e *rawEntry) { e.at = ptr(max32) })
	files("size-of-32-ones", "wrong-size", "content-too-large", with(func(e *rawEntry) { e.size = ptr(max32) }))

	// Sizes that lie.
	for _, stored := range []bool{true, false} {
		how := map[bool]string{true: "stored", false: "deflated"}[stored]
		lie := func(name, code string, change func(e *rawEntry)) {
			files(how+"-"+name, code, "", with(func(e *rawEntry) { e.stored = stored; change(e) }))
		}
		either := func(ifStored, ifDeflated string) string {
			if stored {
				return ifStored
			}
			return ifDeflated
		}
		size, packed := uint64(len(text)), uint64(len(text))
		if !stored {
			packed = uint64(len(deflated(text)))
		}
		lie("size-less", "wrong-size", func(e *rawEntry) { e.size = ptr(size - 1) })
		lie("size-more", "wrong-size", func(e *rawEntry) { e.size = ptr(size + 1) })
		lie("size-zero", "wrong-size", func(e *rawEntry) { e.size = ptr[uint64](0) })
		lie("packed-less", either("wrong-size", "bad-deflate"), func(e *rawEntry) { e.packed = ptr(packed - 1) })
		lie("packed-more", either("wrong-size", ""), func(e *rawEntry) { e.packed = ptr(packed + 1) })
		lie("packed-zero", either("wrong-size", "bad-deflate"), func(e *rawEntry) { e.packed = ptr[uint64](0) })
		lie("packed-beyond-the-file", either("wrong-size", ""), func(e *rawEntry) { e.packed = ptr(max32 - 1) })
		lie("packed-negative", either("wrong-size", ""), func(e *rawEntry) {
			e.longField, e.packed, e.extra = true, ptr(max32), extra64(uint64(1<<64-5))
		})
		lie("crc-wrong", "wrong-crc", func(e *rawEntry) { e.crc = ptr[uint32](1) })
		lie("crc-zero", "", func(e *rawEntry) { e.crc = ptr[uint32](0) })

		// Data descriptors.
		sum := crc32.ChecksumIEEE([]byte(text))
		described := func(name, code string, after []byte, change func(e *rawEntry)) {
			lie(name, code, func(e *rawEntry) { e.flags, e.after = 8, after; change(e) })
		}
		same := func(*rawEntry) {}
		described("descriptor", "", le("PK\x07\x08", sum, uint32(packed), uint32(size)), same)
		described("descriptor-unsigned", "", le(sum, uint32(packed), uint32(size)), same)
		described("descriptor-zip64", "", le("PK\x07\x08", sum, packed, size), same)
		described("descriptor-sizes-differ", "", le("PK\x07\x08", sum, uint32(1), uint32(2)), same)
		described("descriptor-missing", "wrong-crc", nil, same)
		described("descriptor-other-crc", "wrong-crc", le("PK\x07\x08", sum+1, uint32(packed), uint32(size)), same)
		described("descriptor-crc-zero", "wrong-crc", le("PK\x07\x08", uint32(0), uint32(packed), uint32(size)), func(e *rawEntry) { e.crc = ptr[uint32](0) })
		described("descriptor-outside", either("wrong-size", "no-descriptor"), nil, func(e *rawEntry) { e.packed = ptr(max32 - 1) })
		described("descriptor-at-negative-offset", either("wrong-size", "no-descriptor"), nil, func(e *rawEntry) {
			e.longField, e.packed, e.extra = true, ptr(max32), extra64(uint64(1<<63))
		})
		described("empty-descriptor", "", le("PK\x07\x08", uint32(0), uint32(0), uint32(0)), func(e *rawEntry) {
			e.content = ""
		})
	}
	files("method-unknown", "unknown-method", "", with(func(e *rawEntry) { e.method = ptr[uint16](12) }))
	files("method-deflate64", "unknown-method", "", with(func(e *rawEntry) { e.method = ptr[uint16](9) }))
	files("local-method-differs", "", "", with(func(e *rawEntry) { e.data, e.method = deflated(text), ptr[uint16](8); e.stored = true }))
	files("flag-encrypted", "", "", with(func(e *rawEntry) { e.flags = 1 }))

	// Entries over each other.
	files("overlap-same", "", "", a, rawEntry{name: p + "b.go", content: text, noLocal: true, at: &aAt})
	files("overlap-in-content", "", "", rawEntry{name: p + "a.zip", content: string(inner), stored: true},
		rawEntry{name: p + "b.go", content: text, noLocal: true, at: ptr(aAt + 30 + uint64(len(p+"a.zip")))})
	files("offset-outside", "bad-local-header", "", with(func(e *rawEntry) { e.at = ptr[uint64](1 << 20) }))
	add("header-cut", "bad-local-header", "", rawZip{entries: []rawEntry{with(func(e *rawEntry) { e.at = ptr[uint64](1 << 9) })}})
	cut := odd[len(odd)-1].zip
	binary.LittleEndian.PutUint32(cut[shadowAt+42:], uint32(len(cut)-29))

	// Deflate streams.
	stream := func(name, code, content string, data []byte) {
		files("deflate-"+name, code, "", rawEntry{name: p + "f", content: content, data: data})
	}
	eight := lengths(257, nil)
	for i := range 255 {
		eight[i+1] = 8 // Symbols 1 to 255 and the end: with 0 left out, all 8 bits long.
	}
	eight[256] = 8
	stream("empty", "", "", []byte{3, 0})
	stream("nothing", "bad-deflate", "", []byte{})
	stream("trailing-bytes", "", text, append(deflated(text), "trailing"...))
	stream("trailing-stream", "", text, append(deflated(text), deflated(text)...))
	stream("reserved-block", "bad-deflate", "", bits("1", "2:3"))
	stream("stored-block", "", "abc", append(bits("1", "2:0"), le(uint16(3), ^uint16(3), "abc")...))
	stream("stored-block-empty", "", "", append(bits("1", "2:0"), le(uint16(0), ^uint16(0))...))
	stream("stored-block-bad-length", "bad-deflate", "abc", append(bits("1", "2:0"), le(uint16(3), uint16(3), "abc")...))
	stream("stored-block-cut", "bad-deflate", "abcd", append(bits("1", "2:0"), le(uint16(4), ^uint16(4), "abc")...))
	stream("not-final", "bad-deflate", "abc", append(bits("0", "2:0"), le(uint16(3), ^uint16(3), "abc")...))
	stream("blocks", "", "abc", append(append(bits("0", "2:0"), le(uint16(3), ^uint16(3), "abc")...), 3, 0))
	stream("fixed-distance-too-far", "bad-deflate", "aaaa", bits("1", "2:1", "10010001", "0000001", "00001", "0000000"))
	stream("fixed-distance-1", "", "aaaa", bits("1", "2:1", "10010001", "0000001", "00000", "0000000"))
	stream("fixed-length-286", "bad-deflate", "a", bits("1", "2:1", "10010001", "11000110", "00000", "0000000"))
	stream("fixed-distance-30", "bad-deflate", "aaaa", bits("1", "2:1", "10010001", "0000001", "11110", "0000000"))
	stream("fixed-length-258-two-ways", "", strings.Repeat("a", 517), bits("1", "2:1", "10010001", "11000101", "00000", "11000100", "5:31", "00000", "0000000"))
	one1 := lengths(257, map[int]int{256: 1})
	stream("dynamic-end-alone", "", "", bits(append(dynamic("1", one1, lengths(1, nil)), "0")...))
	stream("dynamic-end-alone-other-bit", "bad-deflate", "", bits(append(dynamic("1", one1, lengths(1, nil)), "1")...))
	stream("dynamic-end-of-two-bits", "bad-deflate", "", bits(append(dynamic("1", lengths(257, map[int]int{256: 2}), lengths(1, nil)), "00")...))
	stream("dynamic-no-end", "bad-deflate", "", bits(append(dynamic("1", lengths(257, map[int]int{97: 1, 98: 1}), lengths(1, nil)), "0")...))
	stream("dynamic-no-codes", "bad-deflate", "", bits(append(dynamic("1", lengths(257, nil), lengths(1, nil)), "0")...))
	two := map[int]int{97: 1, 256: 2, 257: 2}
	stream("dynamic-one-distance", "", "aaaa", bits(append(dynamic("1", lengths(258, two), lengths(1, map[int]int{0: 1})), "0", "11", "0", "10")...))
	stream("dynamic-one-distance-other-bit", "bad-deflate", "aaaa", bits(append(dynamic("1", lengths(258, two), lengths(1, map[int]int{0: 1})), "0", "11", "1", "10")...))
	stream("dynamic-one-distance-of-two-bits", "bad-deflate", "aaaa", bits(append(dynamic("1", lengths(258, two), lengths(1, map[int]int{0: 2})), "0", "11", "00", "10")...))
	stream("dynamic-no-distance", "bad-deflate", "aaaa", bits(append(dynamic("1", lengths(258, two), lengths(1, nil)), "0", "11", "0", "10")...))
	stream("dynamic-no-distance-not-used", "", "aa", bits(append(dynamic("1", lengths(258, two), lengths(1, nil)), "0", "0", "10")...))
	stream("dynamic-oversubscribed", "bad-deflate", "", bits(append(dynamic("1", lengths(257, map[int]int{97: 1, 98: 1, 256: 1}), lengths(1, nil)), "0")...))
	stream("dynamic-all-of-eight-bits", "", "", bits(append(dynamic("1", eight, lengths(1, nil)), "11111111")...))
	eight[1] = 0
	stream("dynamic-incomplete", "bad-deflate", "", bits(append(dynamic("1", eight, lengths(1, nil)), "11111111")...))
	stream("dynamic-lengths-287", "bad-deflate", "", bits(append(dynamic("1", lengths(287, two), lengths(1, nil)), "10")...))
	stream("dynamic-distances-31", "bad-deflate", "", bits(append(dynamic("1", lengths(258, two), lengths(31, nil)), "10")...))

	// The rules of module zips.
	rule := func(name, rules string, names ...string) {
		add("rule-"+name, "", rules, rawZip{entries: named(names...)})
	}
	rule("prefix", "unexpected-file", p+"a", "other.example/m@v1.0.0/a")
	rule("prefix-without-slash", "unexpected-file", strings.TrimSuffix(p, "/"))
	rule("prefix-longer-version", "unexpected-file", strings.TrimSuffix(p, "/")+"4/a")
	rule("collision", "case-collision", p+"a.go", p+"A.go")
	rule("collision-of-folders", "case-collision", p+"dir/a.go", p+"Dir/b.go")
	rule("collision-kelvin", "case-collision", p+"k", p+"\u212a")
	rule("collision-long-s", "case-collision", p+"S", p+"\u017f")
	rule("collision-sigma", "case-collision", p+"ς", p+"Σ")
	rule("collision-deseret", "case-collision", p+"𐐀", p+"𐐨")
	rule("no-collision-sharp-s", "", p+"ß", p+"ss")
	rule("no-collision-dotted-i", "", p+"İ", p+"i", p+"ı")
	rule("file-then-folder", "file-and-folder", p+"a", p+"a/b")
	rule("folder-then-file", "file-and-folder", p+"a/b", p+"a")
	rule("file-and-folder-entry", "file-and-folder", p+"a", p+"a/")
	rule("go-mod-in-folder", "go-mod-in-folder", p+"sub/go.mod")
	rule("go-mod-in-folder-capital", "go-mod-in-folder", p+"sub/Go.Mod")
	rule("go-mod-capital", "go-mod-case", p+"GO.MOD")
	rule("go-mod-folder", "", p+"go.mod/a")
	rule("go-mod-folder-entry", "", p+"sub/go.mod/")
	rule("dot", "not-clean", p+"./a")
	rule("dot-alone", "bad-path", p+".")
	rule("dot-dot", "bad-path", p+"..")
	rule("dot-dot-first", "bad-path", p+"../a")
	rule("dot-dot-inside", "not-clean", p+"a/../b")
	rule("double-slash", "not-clean", p+"a//b")
	rule("slash-alone", "not-clean", p+"/")
	rule("two-slashes", "bad-path", p+"//")
	rule("absolute", "bad-path", p+"/a")
	rule("backslash", "bad-path", p+`a\b`)
	rule("colon", "bad-path", p+"a:b")
	rule("windows-device", "bad-path", p+"sub/Aux.go")
	rule("windows-short-name", "", p+"foo~1")
	rule("trailing-dot", "bad-path", p+"a.")
	rule("leading-dot", "", p+".github/x")
	rule("leading-dash", "", p+"-a")
	rule("punctuation", "", p+"!#$%&()+,-.=@[]^_{}~ ")
	rule("quote", "bad-path", p+"it's")
	rule("letters", "", p+"é世ᏸª")
	rule("emoji", "bad-path", p+"🦀")
	rule("letter-number", "bad-path", p+"Ⅷ")
	rule("combining-mark", "bad-path", p+"e\u0301")
	huge := func(name, rules, file string, size uint64) {
		add("rule-"+name, "wrong-size", rules, rawZip{entries: []rawEntry{{name: p + file, content: "x", size: &size}}})
	}
	huge("go-mod-16-MiB", "wrong-size", "go.mod", 16<<20)
	huge("go-mod-too-large", "go-mod-too-large", "go.mod", 16<<20+1)
	huge("license-too-large", "license-too-large", "LICENSE", 16<<20+1)
	huge("license-in-folder", "wrong-size", "a/LICENSE", 16<<20+1)
	huge("content-500-MiB", "wrong-size", "a", 500<<20)
	huge("content-too-large", "content-too-large", "a", 500<<20+1)
	half := ptr[uint64](300 << 20)
	add("rule-content-too-large-together", "wrong-size", "content-too-large", rawZip{entries: []rawEntry{
		{name: p + "a", content: "x", size: half}, {name: p + "b", content: "x", size: half}}})
	files("rule-content-negative", "wrong-size", "content-too-large", with(func(e *rawEntry) {
		e.longField, e.size, e.extra = true, ptr(max32), extra64(uint64(1<<63))
	}))

	// Large content in few bytes: read in a stream.
	large := rawEntry{name: p + "large", content: strings.Repeat(text, 8000)}
	files("large", "", "", large)
	files("large-exactly-one-shot", "", "", rawEntry{name: p + "f", content: strings.Repeat("x", 1<<20)})
	files("large-one-more", "", "", rawEntry{name: p + "f", content: strings.Repeat("x", 1<<20+1)})
	change := func(f func(e *rawEntry)) rawEntry { e := large; f(&e); return e }
	files("large-crc-wrong", "wrong-crc", "", change(func(e *rawEntry) { e.crc = ptr[uint32](1) }))
	files("large-size-less", "wrong-size", "", change(func(e *rawEntry) { e.size = ptr(uint64(len(large.content) - 1)) }))
	files("large-size-more", "wrong-size", "", change(func(e *rawEntry) { e.size = ptr(uint64(len(large.content) + 1)) }))
	files("large-packed-less", "bad-deflate", "", change(func(e *rawEntry) { e.packed = ptr(uint64(len(deflated(large.content)) - 1)) }))
	files("large-trailing-bytes", "", "", change(func(e *rawEntry) { e.data = append(deflated(large.content), "trailing"...) }))
	files("large-descriptor", "", "", change(func(e *rawEntry) {
		e.flags, e.after = 8, le(crc32.ChecksumIEEE([]byte(large.content)), uint32(0), uint32(0))
	}))
	return odd
}
