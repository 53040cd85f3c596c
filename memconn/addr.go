package memconn

import (
	"strconv"
	"sync/atomic"
)

// network is what [Addr.Network] returns.
const network = "mem"

// An Addr is the address of an end or of a listener. Its text is name:number,
// like host and port. The number is unique in the process, except that the ends
// that a listener accepts share its address. If the number is 0 the text is the
// name alone. Addrs can be compared with ==.
type Addr struct {
	Name   string
	Number uint64
}

// Network returns "mem".
func (a Addr) Network() string { return network }

// String returns name:number, or the name alone if the number is 0.
func (a Addr) String() string {
	if a.Number == 0 {
		return a.Name
	}
	return a.Name + ":" + strconv.FormatUint(a.Number, 10)
}

// lastNumber is the last number given to an address.
var lastNumber atomic.Uint64

// address returns a new address for an end.
func (c *config) address() Addr {
	name := c.name
	if name == "" {
		name = network
	}
	return Addr{Name: name, Number: lastNumber.Add(1)}
}
