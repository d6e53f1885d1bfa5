package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	modzip "golang.org/x/mod/zip"
)

// An oddFile is a regular file that is not there, for zip.CheckFiles.
type oddFile struct {
	path, content string
	size          int64
}

func (f oddFile) Path() string                { return f.path }
func (f oddFile) Lstat() (os.FileInfo, error) { return f, nil }
func (f oddFile) Open() (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(f.content)), nil
}
func (f oddFile) Name() string       { return f.path }
func (f oddFile) Size() int64        { return f.size }
func (f oddFile) Mode() fs.FileMode  { return 0o644 }
func (f oddFile) ModTime() time.Time { return time.Time{} }
func (f oddFile) IsDir() bool        { return false }
func (f oddFile) Sys() any           { return nil }

// A fileTable is a list of files and what zip.CheckFiles says of them.
type fileTable struct {
	Go        string      `json:"go"`
	Files     [][2]any    `json:"files"`
	Problems  [][2]string `json:"problems"`
	SizeError bool        `json:"size_error"`
}

// writeOddFiles writes lists of files with what zip.CheckFiles says of them.
func writeOddFiles(path string) error {
	lists := [][]oddFile{
		{
			{path: "a.go"}, {path: "A.go"}, {path: "GO.MOD"}, {path: "vendor/modules.txt"}, {path: "vendor/x.go"},
			{path: "vendor/x/y.go"}, {path: "sub/vendor/a.go"}, {path: "sub/vendor/b/c.go"}, {path: "pkg/vendor/vendor.go"},
			{path: "x/pkg/vendor/long/name/y.go"}, {path: "x/vendor"}, {path: "other/go.mod"}, {path: "other/a.go"},
			{path: "other/deep/b.go"}, {path: "others/b.go"}, {path: "Cap/GO.Mod"}, {path: "Cap/x"},
			{path: ".hg_archival.txt"}, {path: "x/.hg_archival.txt"}, {path: "a/../b"}, {path: "/abs"}, {path: ""},
			{path: "bad:name"}, {path: "dir"}, {path: "dir/file"}, {path: "twice"}, {path: "twice"}, {path: "twice"},
			{path: "d/b/x"}, {path: "d/B/y"}, {path: "d/B/z"}, {path: "d/B"}, {path: "con.go"}, {path: "ß"}, {path: "é/ok"},
			{path: "É/no"}, {path: "....."},
			{path: "LICENSE", size: modzip.MaxLICENSE}, {path: "x/LICENSE", size: modzip.MaxLICENSE + 1},
		},
		{{path: "LICENSE", size: modzip.MaxLICENSE + 1}, {path: "a", size: modzip.MaxZipFile - modzip.MaxLICENSE - 1000}},
		{{path: "a", size: modzip.MaxZipFile - 1000}, {path: "b", size: 2000}, {path: "c", size: 1}, {path: "d", size: 5000}},
		{{path: "a", size: modzip.MaxZipFile + 1}, {path: "vendor/b/c", size: modzip.MaxZipFile}},
	}
	var tables []fileTable
	for _, version := range []string{"1.9", "1.23.12", "1.24", "1.24rc1", "1.100", "2.0"} {
		goMod := fmt.Sprintf("module example.com/odd\n\ngo %s\n", version)
		for _, list := range lists {
			list = append([]oddFile{{path: "go.mod", content: goMod, size: int64(len(goMod))}}, list...)
			table := fileTable{Go: version}
			var files []modzip.File
			for _, f := range list {
				files = append(files, f)
				table.Files = append(table.Files, [2]any{f.path, f.size})
			}
			checked, err := modzip.CheckFiles(files)
			if list := (modzip.FileErrorList)(nil); err != nil && checked.SizeError == nil && !errors.As(err, &list) {
				return err
			}
			for _, f := range checked.Omitted {
				table.Problems = append(table.Problems, [2]string{f.Path, "omitted: " + f.Err.Error()})
			}
			for _, f := range checked.Invalid {
				table.Problems = append(table.Problems, [2]string{f.Path, f.Err.Error()})
			}
			if table.Problems == nil {
				table.Problems = [][2]string{}
			}
			table.SizeError = checked.SizeError != nil
			tables = append(tables, table)
		}
	}
	text, err := json.MarshalIndent(tables, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o666)
}
