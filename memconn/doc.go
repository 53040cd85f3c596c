// Package memconn provides network connections that stay in memory: pairs of
// [net.Conn], and a [net.Listener] that hands them out. Each direction is a ring
// of package bytering, so writes are buffered, as those of a socket are, and
// moving bytes takes no system call.
//
//	a, b := memconn.Pipe()
//
//	l := memconn.Listen()
//	go http.Serve(l, handler)
//	client := &http.Client{Transport: &http.Transport{DialContext: l.DialContext}}
//
// Every end is a [*Conn], also one that Dial or Accept returns as a [net.Conn].
// It has CloseWrite, CloseRead, Readv and Writev besides the methods of net.Conn.
// gRPC needs a target that it does not resolve:
//
//	grpc.NewClient("passthrough:///"+l.Addr().String(), grpc.WithContextDialer(l.DialAddr), ...)
//
// # Differences from a socket
//
//   - A Write returns once its bytes are in the ring, and blocks while the ring
//     is full. A blocked Write continues when a quarter of the ring is free, or
//     as much as it still needs.
//   - The peer of a closed connection reads everything that was written before
//     the Close, even if there are unread bytes in the other direction. A
//     connection is never reset.
//   - A Write after the peer's Close or CloseRead fails at once with
//     io.ErrClosedPipe.
//   - Calls in the same direction take turns in the order in which they were
//     made. A call that waits for its turn is subject to the deadline and to
//     Close like the call that has it.
//
// There is no goroutine per connection, and no Read or Write allocates. A pair
// that is no longer referenced is garbage collected, closed or not.
package memconn
