module github.com/grpc-ecosystem/grpc-gateway/v2

go 1.24.0

require (
	github.com/antihax/optional v1.0.0
	github.com/google/go-cmp v0.7.0
	github.com/rogpeppe/fastuuid v1.2.0
	go.yaml.in/yaml/v3 v3.0.4
	golang.org/x/oauth2 v0.30.0
	golang.org/x/text v0.29.0
	google.golang.org/genproto/googleapis/api v0.0.0-20250929231259-57b25ae835d4
	google.golang.org/genproto/googleapis/rpc v0.0.0-20250929231259-57b25ae835d4
	google.golang.org/grpc v1.75.1
	google.golang.org/protobuf v1.36.10
)

require (
	github.com/kr/pretty v0.3.1 // indirect
	golang.org/x/net v0.41.0 // indirect
	golang.org/x/sys v0.33.0 // indirect
	gopkg.in/check.v1 v1.0.0-20201130134442-10cb98267c6c // indirect
)
