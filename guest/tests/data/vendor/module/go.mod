module example.com/one

go 1.24.0

replace (
	example.com/local => ./local
	github.com/pkg/errors v0.8.0 => github.com/pkg/errors v0.9.1
)

replace github.com/spf13/pflag => github.com/cornfeedhobo/pflag v1.1.0

require (
	example.com/local v0.0.0
	github.com/mattn/go-sqlite3 v1.14.32
	github.com/pkg/errors v0.8.0
	github.com/spf13/pflag v0.0.0-00010101000000-000000000000
	golang.org/x/net v0.44.0
)
