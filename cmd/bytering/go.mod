module github.com/bytering/bytering/cmd/bytering

go 1.26.0

require (
	github.com/bytering/bytering v0.0.0-00010101000000-000000000000
	github.com/creack/pty v1.1.24
	github.com/docker/go-units v0.5.0
	github.com/pborman/getopt/v2 v2.2.0
	golang.org/x/sys v0.49.0
	golang.org/x/term v0.47.0
)

replace github.com/bytering/bytering => ../..
