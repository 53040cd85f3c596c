package vectored

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"syscall"
)

// Errors that say what was wrong. They are wrapped: test with [errors.Is].
var (
	// ErrUnsupported is for a value that can't be used: one that is nil or
	// already closed, one without the method or the file offsets that are needed,
	// and, for a Writer, a socket of messages, because each Writev would make a
	// message of its own. It wraps [errors.ErrUnsupported].
	ErrUnsupported = fmt.Errorf("vectored: %w", errors.ErrUnsupported)
	// ErrTruncated is for a message that did not fit in the slices of a Readv.
	// The message is lost.
	ErrTruncated = errors.New("vectored: message truncated")
	// ErrInvalidCount is for a count returned by a Reader, a Writer or the system
	// that is negative or larger than what was offered.
	ErrInvalidCount = errors.New("vectored: invalid count")
)

var (
	errTooLong   = errors.New("vectored: more bytes than an int counts")
	errNilReader = fmt.Errorf("%w: the Reader is nil", ErrUnsupported)
	errNilWriter = fmt.Errorf("%w: the Writer is nil", ErrUnsupported)
)

// A Reader reads into several slices with one call.
//
// Readv performs one read and fills bufs in order, each slice before the next. It
// returns the number of bytes read. Like Read it may return fewer bytes than
// there is room for, and it returns io.EOF at the end; [ReadFull] reads on. If
// bufs has no room, because it is empty or all its slices are, Readv returns 0
// and nil and reads nothing. It neither changes nor keeps bufs and its slices.
//
// If the value is not a stream, one read gives one message or whole records; see
// [BoundaryOf].
//
// A Reader may be used by one goroutine at a time. Readers are cheap: make one
// for each goroutine.
type Reader interface {
	io.Reader
	Readv(bufs [][]byte) (n int, err error)
}

// A Writer writes several slices with one call.
//
// Writev performs one write of bufs in order and returns the number of bytes
// written. Like the system call, and unlike Write, it may write fewer bytes than
// there are and return a nil error, so that the caller can release at once what
// is written; [WriteAll] writes on. If bufs has no bytes, Writev returns 0 and
// nil and writes nothing. It neither changes nor keeps bufs and its slices.
//
// A Writer may be used by one goroutine at a time. Writers are cheap: make one
// for each goroutine. Several Writers may write to one connection at the same
// time. The bytes of one Writev stay together, but the rest, which it did not
// write, may follow the bytes of another Writer. [WriteAll], and the Write method
// of a Writer made by [NewWriter], keep all their bytes together, as the Write
// method of a net.Conn does.
type Writer interface {
	io.Writer
	Writev(bufs [][]byte) (n int, err error)
}

// A PollReader is a Reader that asks for memory as late as it can, so that it
// needs none while it waits.
//
// ReadvFunc is like Readv of the slices that offer returns. It calls offer before
// each attempt. If an attempt would block, ReadvFunc calls blocked and waits; from
// then on it does not use these slices. When there may be something to read it
// calls offer again. It can fail while it waits, at a deadline for example. Both
// functions run on the caller's goroutine. They must not block, and must not use
// the value that is read.
type PollReader interface {
	Reader
	ReadvFunc(offer func() [][]byte, blocked func()) (n int, err error)
}

// PollReaderOf returns r as a PollReader, or nil if r is not one. A Reader that
// this package made for a descriptor is one if the descriptor is in non-blocking
// mode when PollReaderOf is called, as those of connections are, and of the pipes
// that package os makes. Reads of other descriptors may block in the system, with
// the memory in use.
func PollReaderOf(r Reader) PollReader { return polling[PollReader](r) }

// A PollWriter is a Writer that can write without waiting.
//
// TryWritev is like Writev, but where Writev would wait for the other end, it writes
// nothing and returns 0 and nil. Like any write, it waits for its turn while another
// goroutine is in a Write or Writev.
type PollWriter interface {
	Writer
	TryWritev(bufs [][]byte) (n int, err error)
}

// PollWriterOf returns w as a PollWriter, or nil if w is not one. Where the system has
// writev, a Writer that this package made for a descriptor is one under the condition of
// [PollReaderOf].
func PollWriterOf(w Writer) PollWriter { return polling[PollWriter](w) }

// polling returns v as a T, or nil if it is none or its descriptor may block.
func polling[T any](v any) (p T) {
	if own, is := v.(interface{ polls() bool }); is && !own.polls() {
		return p
	}
	p, _ = v.(T)
	return p
}

// NewReader returns a Reader that uses the descriptor of c: a connection of
// package net, an *os.File, or a type that embeds one. Deadlines and Close remain
// those of c.
//
// Where the system has readv, the Reader bypasses a Read method of c's own type.
// Elsewhere it calls that Read, and NewReader returns an error that wraps
// [ErrUnsupported] if c has none.
//
// Apart from io.EOF, [ErrInvalidCount] and [ErrTruncated], Readv returns the
// error that c's own Read would return:
//
//   - For a file it is an [*fs.PathError] whose Op is "read".
//   - For a connection of package net, errors.As finds a [*net.OpError] whose Op
//     is "read". The error has the same text, implements net.Error and wraps a
//     syscall.Errno if readv failed. Its Net is that of the address: "tcp" for a
//     connection dialed as "tcp4".
//   - It wraps os.ErrDeadlineExceeded after a deadline. It wraps [os.ErrClosed],
//     and net.ErrClosed for a connection, once c is closed, even during the call.
//
// As with os.File.Read, a read of a descriptor in blocking mode, such as an
// inherited standard input, occupies a thread while it blocks, and Close does not
// interrupt it.
//
// On a socket of messages ([Message]) a Readv reads one message. If the message
// does not fit in the slices, it is lost, and the error wraps [ErrTruncated] and
// names both sizes. The count is then 0 although the slices have been written to,
// because io.ReadFull drops an error that comes with a full slice. An empty
// message is treated as by c's own Read: 0 and nil on a datagram connection,
// io.EOF on a SEQPACKET connection and on every *os.File. Descriptors that come
// with a message are closed. Where the system has no readv, the Reader keeps a
// buffer of at least [MaxMessage] bytes and copies from it.
//
// On Plan 9, js and wasip1 there is no way to ask the descriptor of a connection:
// the error of a closed connection is the connection's own and need not wrap
// os.ErrClosed.
func NewReader(c syscall.Conn) (Reader, error) { return newReader(c) }

// NewWriter returns a Writer that uses the descriptor of c, as [NewReader] does.
// Where the system has writev, it bypasses c's own Write; elsewhere it calls that
// Write. Errors are those of c's own Write in the same way, with the Op "write".
//
// For a socket of messages NewWriter returns an error that wraps
// [ErrUnsupported], because the end of a message would depend on how much each
// Writev is given.
//
// The Writer's Write method writes everything or returns an error. Where the
// system has writev, no other write to the descriptor comes between its bytes.
//
// A broken pipe on descriptor 1 or 2, standard output or standard error, ends the
// process with SIGPIPE if c is an *os.File and the program neither catches nor
// ignores that signal, as with os.File.Write. Where the system has writev, a type
// that embeds the file gets an error that wraps EPIPE instead.
func NewWriter(c syscall.Conn) (Writer, error) { return newWriter(c) }

// ReaderOf returns r itself if it is a Reader. If package net or os declares the
// type of r, and a Reader over its descriptor makes fewer calls, ReaderOf returns
// that Reader, as [NewReader] would. Such types are connections, files and pipes,
// and the wrappers that io.Copy passes to a ReadFrom method; a type of another
// package never is. Otherwise ReaderOf returns nil: use r.Read.
func ReaderOf(r io.Reader) Reader {
	if v, ok := r.(Reader); ok {
		return v
	}
	if c := standard(r); c != nil {
		return readerOf(c)
	}
	return nil
}

// WriterOf returns w itself if it is a Writer, a Writer over its descriptor, or
// nil, as [ReaderOf] does.
func WriterOf(w io.Writer) Writer {
	if v, ok := w.(Writer); ok {
		return v
	}
	if c := standard(w); c != nil {
		return writerOf(c)
	}
	return nil
}

// Supported reports whether [ReaderOf] and [WriterOf] return a Reader and a
// Writer for v: one over its descriptor, or v itself.
func Supported(v any) (readv, writev bool) {
	if r, ok := v.(io.Reader); ok {
		readv = ReaderOf(r) != nil
	}
	if w, ok := v.(io.Writer); ok {
		writev = WriterOf(w) != nil
	}
	return readv, writev
}

// standard returns v as a syscall.Conn if the standard library declares its
// type. An assertion alone would also match a user's type that embeds a
// connection and has a Read or Write of its own, and a switch over the
// exported types would miss io.Copy's unexported wrappers.
func standard(v any) syscall.Conn {
	c, ok := v.(syscall.Conn)
	if !ok || !declaredIn(c, "net") && !declaredIn(c, "os") {
		return nil
	}
	return c
}

// declaredIn reports whether the package declares the type of v, or the type
// that v points to.
func declaredIn(v any, path string) bool {
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == path
}

// ReadFull reads until bufs are full. It returns the number of bytes read, and an
// error if that is less than the size of all bufs. At the end of the stream the
// error is io.EOF if no byte was read, and io.ErrUnexpectedEOF otherwise. If r is
// nil the error wraps [ErrUnsupported].
func ReadFull(r Reader, bufs ...[]byte) (n int, err error) {
	if r == nil {
		return 0, errNilReader
	}
	left, err := size(bufs)
	if err != nil || left == 0 {
		return 0, err
	}
	n, err = each(slices.Clone(bufs), left, r.Readv)
	if err == io.EOF && n > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// WriteAll writes all of bufs. It returns the number of bytes written, and an
// error if that is less than the size of all bufs. If w is nil the error wraps
// [ErrUnsupported].
//
// Where the system has writev, and where package vectored/netbuffers does the
// writing, the bytes stay together, as with net.Buffers: no other write to the
// same descriptor comes between them, neither by another Writer nor by the
// value's own Write.
func WriteAll(w Writer, bufs ...[]byte) (n int, err error) {
	if w == nil {
		return 0, errNilWriter
	}
	left, err := size(bufs)
	if err != nil || left == 0 {
		return 0, err
	}
	bufs = slices.Clone(bufs) // the slices in it are cut
	if all, ok := w.(wholeWriter); ok {
		return all.writeAll(bufs, left)
	}
	return each(bufs, left, w.Writev)
}

// A wholeWriter is a Writer of this package that writes without another write in
// between. writeAll writes all size bytes of bufs, and cuts the slices in it.
type wholeWriter interface {
	writeAll(bufs [][]byte, size int) (int, error)
}

// maxIdle is how many times in a row a Reader or a Writer may return 0 and nil before
// that is io.ErrNoProgress, as in package bufio.
const maxIdle = 100

// each calls f with the rest of bufs until nothing is left. It cuts the slices in bufs.
func each(bufs [][]byte, left int, f func([][]byte) (int, error)) (done int, err error) {
	for idle := 0; ; {
		n, err := f(bufs)
		if n < 0 || n > left {
			return done, invalidCount(n, left, err)
		}
		done += n
		left -= n
		switch {
		case left == 0:
			return done, nil
		case err != nil:
			return done, err
		case n > 0:
			idle = 0
		default:
			if idle++; idle == maxIdle {
				return done, io.ErrNoProgress
			}
		}
		bufs = skip(bufs, n)
	}
}

// skip drops the first n bytes of bufs, in place.
func skip(bufs [][]byte, n int) [][]byte {
	for len(bufs) > 0 && n >= len(bufs[0]) {
		n -= len(bufs[0])
		bufs = bufs[1:]
	}
	if n > 0 {
		bufs[0] = bufs[0][n:]
	}
	return bufs
}

// size returns how many bytes bufs have together. They may share memory, so
// that this can be more than an int counts.
func size(bufs [][]byte) (n int, err error) {
	for _, b := range bufs {
		if n += len(b); n < 0 {
			return 0, errTooLong
		}
	}
	return n, nil
}

// first returns the first of bufs that is not empty, or nil.
func first(bufs [][]byte) []byte {
	for _, b := range bufs {
		if len(b) > 0 {
			return b
		}
	}
	return nil
}

// invalidCount returns the error for a count that is out of range, and came
// with err.
func invalidCount(n, offered int, err error) error {
	bad := fmt.Errorf("%w: %d for %d bytes", ErrInvalidCount, n, offered)
	if err != nil {
		return errors.Join(bad, err)
	}
	return bad
}
