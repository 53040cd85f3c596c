package vectored

import (
	"os"
	"syscall"

	"github.com/bytering/bytering/internal/netaddr"
)

// A Boundary is where one read of a value ends, and so what room the read needs.
type Boundary int

const (
	// Stream ends anywhere: the next read goes on with the next byte.
	Stream Boundary = iota
	// Packet is a pipe of Linux. It is a stream, unless the end that writes has
	// O_DIRECT set, which the end that reads can't see: then a read ends with what
	// one write wrote, a page at most. What it has no room for is lost.
	Packet
	// Message ends with a message of a socket: a datagram, a message of type
	// SEQPACKET. What a read has no room for is lost.
	Message
	// Record ends with a whole record of a device, or with several. A read needs
	// one slice with room for a record, and otherwise fails with EINVAL: the
	// system may fill each of several slices by a read of its own.
	Record
	// Block is a file open with O_DIRECT. It is a stream whose reads need memory,
	// offsets and sizes in whole blocks.
	Block
)

// unknown is for a descriptor that can't be asked.
const unknown Boundary = -1

// A kind is what the system says of a descriptor.
type kind struct {
	boundary Boundary
	// empty is set for a socket whose messages can be empty, where that of
	// another is the end.
	empty bool
	// usual are a socket, a pipe, a file and a block device, of which a read of
	// two slices is one read. The drivers of some other devices get one read a
	// slice from the kernel, of which the second may wait though the first had
	// something.
	usual bool
}

// MaxMessage is room enough for a message or a record of the usual kinds: every
// datagram of IP, every record of the kernel's log and of input devices. On a
// local socket the sender's SO_SNDBUF is the limit, which can be higher, and on a
// tape the block.
const MaxMessage = 64 << 10

// Room returns how many bytes of room a read needs so that nothing is lost, in
// all its slices together or, of a [Record], in one: 1, a page or [MaxMessage].
func (b Boundary) Room() int {
	switch b {
	case Stream, Block:
		return 1
	case Packet:
		return os.Getpagesize()
	}
	return MaxMessage
}

// BoundaryOf returns where one read of v ends. v is what is read from: a
// connection, a file, or a Reader of this package over one.
//
// If v has a descriptor, also an embedded one, the system is asked. Sockets are a
// Message unless their type is SOCK_STREAM, and on Linux pipes are a Packet.
// Character devices are a Record, and so are what Linux calls anonymous inodes:
// /dev/kmsg, input devices, tapes, an eventfd, inotify. But on Linux terminals,
// and /dev/null, /dev/zero and their like, are a Stream.
//
// A value with a method Boundary() Boundary, such as a Reader of your own that
// wraps another, is what that says. Otherwise v is a Stream, unless it has the
// LocalAddr of a net.Conn and the network of that address is "udp", "ip",
// "unixgram" or "unixpacket".
func BoundaryOf(v any) Boundary {
	if isNil(v) {
		return Stream
	}
	if r, ok := v.(interface{ Boundary() Boundary }); ok {
		return r.Boundary()
	}
	if r, ok := v.(interface{ source() any }); ok {
		v = r.source()
	}
	if c, ok := v.(syscall.Conn); ok {
		if raw, err := c.SyscallConn(); err == nil {
			k := kind{boundary: unknown}
			raw.Control(func(fd uintptr) {
				if found, err := kindOf(fd); err == nil {
					k = found
				}
			})
			if k.boundary != unknown {
				return k.boundary
			}
		}
	}
	if a := netaddr.Local(v); a != nil {
		switch a.Network() {
		case "udp", "ip", "unixgram", "unixpacket":
			return Message
		}
	}
	return Stream
}
