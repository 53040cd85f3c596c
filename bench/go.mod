module github.com/bytering/bytering/bench

go 1.26

require (
	github.com/bytering/bytering v0.0.0-00010101000000-000000000000
	github.com/djherbis/buffer v1.2.1
	github.com/djherbis/nio/v3 v3.0.1
	github.com/klauspost/readahead v1.4.0
	github.com/smallnest/ringbuffer v0.2.1
	google.golang.org/grpc v1.80.0
	google.golang.org/protobuf v1.36.11
)

require (
	golang.org/x/net v0.49.0 // indirect
	golang.org/x/sys v0.40.0 // indirect
	golang.org/x/text v0.33.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260120221211-b8f7ae30c516 // indirect
)

replace github.com/bytering/bytering => ..
