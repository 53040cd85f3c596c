// Package memconn provides network connections that stay in memory: pairs of
// [net.Conn], and a [net.Listener] that hands them out. Each direction is a
// ring of package bytering, so that writes are buffered, as a socket's are,
// and a byte costs no system call.
//
//	a, b := memconn.Pipe()
//
//	l := memconn.Listen()
//	go http.Serve(l, handler)
//	client := &http.Client{Transport: &http.Transport{DialContext: l.DialContext}}
//
// Every end is a [*Conn], also one that Dial or Accept returns as a [net.Conn]. It
// has CloseWrite, CloseRead, ReadFrom, WriteTo, Readv and Writev besides the
// methods of net.Conn. gRPC needs a target that it does not resolve:
//
//	grpc.NewClient("passthrough:///"+l.Addr().String(), grpc.WithContextDialer(l.DialAddr), ...)
//
// # What differs from a socket
//
//   - A Write returns once its bytes are in the ring, and blocks while that is
//     full. A blocked Write goes on when a quarter of the ring is free, or as
//     much as it still needs.
//   - The peer of a connection that was closed reads all that was written
//     before, whatever lies unread on the other side; nothing is ever reset.
//   - A Write after the peer's Close or CloseRead fails at once, with
//     io.ErrClosedPipe.
//   - Calls in the same direction take turns, in the order in which they came.
//     While ReadFrom runs, other writers wait for it, since its source reads
//     into the ring itself; so do other readers while WriteTo runs. They keep
//     their deadlines meanwhile.
//
// There is no goroutine per connection, no Read or Write allocates, and a pair
// that is no longer referred to is garbage, closed or not.
package memconn
