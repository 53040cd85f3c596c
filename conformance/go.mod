module github.com/bytering/bytering/conformance

go 1.26

require (
	github.com/bytering/bytering v0.0.0-00010101000000-000000000000
	go.uber.org/goleak v1.3.0
	pgregory.net/rapid v1.3.0
)

replace github.com/bytering/bytering => ..
