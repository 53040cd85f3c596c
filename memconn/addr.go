package memconn

import (
	"strconv"
	"sync/atomic"
)

// network is what [Addr.Network] returns.
const network = "mem"

// An Addr is the address of an end or of a listener. That of a listener is its
// name, and the ends that it accepts share it. That of any other end is
// name:number, like host and port, with a number that is unique in the process.
type Addr string

// Network returns "mem".
func (a Addr) Network() string { return network }

// String returns the address.
func (a Addr) String() string { return string(a) }

var lastNumber atomic.Uint64

// newAddr returns the address of a new end.
func newAddr(name string) Addr {
	return Addr(name + ":" + strconv.FormatUint(lastNumber.Add(1), 10))
}
