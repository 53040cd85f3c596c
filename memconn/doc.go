// Package memconn gives network connections that stay in memory: pairs of
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
// Every end is a [*Conn], which has CloseWrite, CloseRead, ReadFrom and WriteTo
// besides what [net.Conn] asks for.
//
// # What differs from a socket
//
//   - A Write returns once its bytes are in the ring, and waits while that is
//     full. A waiting Write goes on when a quarter of the ring is free, or as
//     much as it still needs. A reader that takes small pieces gives its space
//     back in larger ones, of at most an eighth of the ring.
//   - The peer of a connection that was closed reads all that was written
//     before, whatever lies unread on the other side; nothing is ever reset.
//   - A Write after the peer's Close or CloseRead fails at once, with
//     io.ErrClosedPipe.
//   - While ReadFrom runs, other writers wait for it, since its source reads
//     into the ring itself; so do other readers while WriteTo runs. They keep
//     their deadlines meanwhile.
//
// There is no goroutine per connection, no Read or Write allocates, and a pair
// that nobody refers to any more is garbage, closed or not.
package memconn
