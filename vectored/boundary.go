package vectored

import (
	"os"
	"syscall"

	"github.com/bytering/bytering/internal/netaddr"
)

// A Boundary is where one read of a value ends, and thereby how much room the
// read needs.
type Boundary int

const (
	// Stream has no boundaries: the next read continues with the next byte.
	Stream Boundary = iota
	// Packet is a pipe on Linux. It is a stream unless its write end has O_DIRECT
	// set, which the read end can't see. In that case a read ends with what one
	// write wrote, at most a page, and loses what it has no room for.
	Packet
	// Message is a socket that keeps messages apart, of type datagram or
	// SEQPACKET. A read ends with a message and loses what it has no room for.
	Message
	// Record is a device that has records. A read ends with a whole record, or
	// with several. It needs room for a record in one slice, because the system
	// may fill each slice by a read of its own, and fails with EINVAL otherwise.
	Record
	// Block is a file opened with O_DIRECT. It is a stream, but reads need
	// memory, offsets and sizes in whole blocks.
	Block
)

// unknown is the boundary of a descriptor that the system does not describe.
const unknown Boundary = -1

// A kind is what the system reports of a descriptor.
type kind struct {
	boundary Boundary
	// empty is set for a socket whose messages can be empty. On other sockets a
	// read of 0 bytes is the end.
	empty bool
	// usual is set for a socket, a pipe, a file and a block device, where a readv
	// is one read. For some other devices the kernel makes a read for each slice,
	// and the second may block although the first has returned bytes.
	usual bool
}

// MaxMessage is enough room for the usual messages and records: every IP
// datagram, every record of the kernel's log and of input devices. A message on a
// local socket is limited only by the sender's SO_SNDBUF and a record of a tape
// only by its block size; both can be larger.
const MaxMessage = 64 << 10

// Room returns how many bytes of room a read needs so that nothing is lost: 1, a
// page or [MaxMessage]. For a [Record] one slice must have that room; otherwise
// all slices together.
func (b Boundary) Room() int {
	switch b {
	case Stream, Block:
		return 1
	case Packet:
		return os.Getpagesize()
	}
	return MaxMessage
}

// BoundaryOf returns where one read of v ends. v is the value to read from: a
// connection, a file, or a Reader that this package made for one.
//
// If v has a method Boundary() Boundary, as a Reader of your own that wraps
// another may have, BoundaryOf returns its result. If v has a descriptor, also an
// embedded one, BoundaryOf asks the system:
//
//   - A socket is a Message unless its type is SOCK_STREAM.
//   - A pipe is a Packet on Linux.
//   - A character device is a Record, and so is what Linux calls an anonymous
//     inode: /dev/kmsg, input devices, tapes, an eventfd, inotify. On Linux,
//     terminals and devices such as /dev/null and /dev/zero are a Stream.
//
// Any other v is a Stream, unless it has the LocalAddr method of a net.Conn and
// the network of that address is "udp", "ip", "unixgram" or "unixpacket": then it
// is a Message.
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
