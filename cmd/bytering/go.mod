module github.com/bytering/bytering/cmd/bytering

go 1.26.0

require (
	github.com/bytering/bytering v0.0.0-00010101000000-000000000000
	github.com/creack/pty v1.1.24
	github.com/docker/go-units v0.5.0
	github.com/spf13/pflag v1.1.0
	github.com/vbauerster/cupwriter v0.0.5
	github.com/vbauerster/mpb/v8 v8.16.2
	golang.org/x/sys v0.49.0
	golang.org/x/term v0.47.0
)

require (
	github.com/VividCortex/ewma v1.2.0 // indirect
	github.com/acarl005/stripansi v0.0.0-20180116102854-5a71ef0e047d // indirect
	github.com/clipperhouse/uax29/v2 v2.7.0 // indirect
	github.com/mattn/go-runewidth v0.0.30 // indirect
)

replace github.com/bytering/bytering => ../..
