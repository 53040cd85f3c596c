module github.com/bytering/bytering/cmd/bytering

go 1.26.0

require (
	github.com/KimMachineGun/automemlimit v1.0.1
	github.com/bytering/bytering v0.0.0-00010101000000-000000000000
	github.com/creack/pty v1.1.24
	github.com/spf13/cobra v1.10.2
	github.com/spf13/pflag v1.0.9
	golang.org/x/sys v0.49.0
	golang.org/x/term v0.47.0
	golang.org/x/text v0.44.0
	golang.org/x/time v0.16.0
)

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/pbnjay/memory v0.0.0-20210728143218-7b4eea64cf58 // indirect
)

replace github.com/bytering/bytering => ../..
