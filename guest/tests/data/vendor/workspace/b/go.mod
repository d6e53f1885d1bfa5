module example.com/b

go 1.24.0

require (
	example.com/c v1.0.0
	github.com/pkg/errors v0.9.1
)

replace example.com/c => ../c
