package main

import (
	"fmt"
	"io"
	"os"
	"unicode"
)

// unicodeTables prints guest/src/module/unicode.rs: the letters and the simple case folding of this Go's package unicode.
func unicodeTables([]string) error {
	out := os.Stdout
	fmt.Fprintf(out, `//! Letters and simple case folding of Unicode %s, as Go's package unicode has them.
//!
//! Made by `+"`cd tests/peer && go run . unicode-tables`"+` with Go 1.26. A newer Unicode has more letters: until this is made
//! anew, names with them are refused.

`, unicode.Version)

	fmt.Fprintln(out, "/// Letters (general category L) that are not ASCII, from the first of a range to its last.\n#[rustfmt::skip]")
	fmt.Fprintln(out, "pub(super) const LETTERS: &[(char, char)] = &[")
	row := row{out: out}
	first := rune(-1)
	for r := rune(0x80); r <= unicode.MaxRune+1; r++ {
		letter := r <= unicode.MaxRune && unicode.IsLetter(r)
		if letter && first < 0 {
			first = r
		}
		if !letter && first >= 0 {
			row.add(fmt.Sprintf("('\\u{%x}', '\\u{%x}'),", first, r-1))
			first = -1
		}
	}
	row.end()
	fmt.Fprintln(out, "];")

	fmt.Fprint(out, `
/// What folds to something else than itself: first, last, the step between two of them, and what to add.
///
/// All that strings.EqualFold takes for the same fold to the smallest of them, ASCII capitals to small letters
/// (golang.org/x/mod/zip strToFold).
#[rustfmt::skip]
pub(super) const FOLDS: &[(u32, u32, u32, i32)] = &[
`)
	type fold struct{ first, last, step, add rune }
	var folds []fold
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		low := r
		for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
			low = min(low, o)
		}
		if 'A' <= low && low <= 'Z' {
			low += 'a' - 'A'
		}
		if low == r {
			continue
		}
		if n := len(folds); n > 0 && folds[n-1].add == low-r {
			last := &folds[n-1]
			step := r - last.last
			if step <= 2 && (last.first == last.last || last.step == step) {
				last.last, last.step = r, step
				continue
			}
		}
		folds = append(folds, fold{r, r, 1, low - r})
	}
	for _, f := range folds {
		row.add(fmt.Sprintf("(0x%x, 0x%x, %d, %d),", f.first, f.last, f.step, f.add))
	}
	row.end()
	fmt.Fprintln(out, "];")
	return nil
}

// A row is a line of a table, up to 120 columns.
type row struct {
	out  io.Writer
	text string
}

func (r *row) add(item string) {
	if len(r.text)+1+len(item) > 117 {
		r.end()
	}
	r.text += " " + item
}

func (r *row) end() {
	fmt.Fprintf(r.out, "   %s\n", r.text)
	r.text = ""
}
