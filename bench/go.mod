module github.com/bytering/bytering/bench

go 1.26

require (
	github.com/bytering/bytering v0.0.0-00010101000000-000000000000
	github.com/djherbis/buffer v1.2.1
	github.com/djherbis/nio/v3 v3.0.1
	github.com/smallnest/ringbuffer v0.2.1
	google.golang.org/grpc v1.80.0
)

replace github.com/bytering/bytering => ..
