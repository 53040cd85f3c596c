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
	// ErrUnsupported is for a value that is nil or closed already, and for a
	// Writer to a socket of messages, of which a Writev would make messages of
	// its own. It wraps [errors.ErrUnsupported].
	ErrUnsupported = fmt.Errorf("vectored: %w", errors.ErrUnsupported)
	// ErrTruncated is for a message that a socket had and a Readv had no room
	// for. The message is lost.
	ErrTruncated = errors.New("vectored: message truncated")
	// ErrInvalidCount is for a count that a Reader or a Writer, or the system
	// under it, returned and that is negative or above what it was offered.
	ErrInvalidCount = errors.New("invalid count")
)

var (
	errTooLong   = errors.New("vectored: more bytes than an int counts")
	errNilReader = fmt.Errorf("%w: the Reader is nil", ErrUnsupported)
	errNilWriter = fmt.Errorf("%w: the Writer is nil", ErrUnsupported)
)

// A Reader reads into several slices with one call.
//
// Readv fills bufs in their order, each before the next, with what one read
// gives, and returns how many bytes that was. Like Read it may return fewer
// than there is room for, and io.EOF at the end; [ReadFull] goes on. Without
// room, in no slice or in empty ones, it returns 0 and nil and does nothing.
// It neither changes nor keeps bufs and the slices.
//
// Of a value that is no stream one read gives one message or whole records; see
// [BoundaryOf].
//
// One goroutine at a time may call a Reader. It is cheap: make one for each.
type Reader interface {
	io.Reader
	Readv(bufs [][]byte) (n int, err error)
}

// A Writer writes several slices with one call.
//
// Writev writes what one write takes of bufs, in their order, and returns how
// many bytes that was. Like the system call, and unlike Write, it may return
// fewer than there are with a nil error, so that the caller can give back at
// once what is written; [WriteAll] goes on. Without a byte to write it returns
// 0 and nil and does nothing. It neither changes nor keeps bufs and the slices.
//
// One goroutine at a time may call a Writer. It is cheap: make one for each
// goroutine. Writers over one connection may write at the same time: a Writev is
// one write, whose bytes stay together, but what it did not take may come after
// the bytes of others. [WriteAll] and the Write of a Writer that [NewWriter] made
// keep all their bytes together, as a net.Conn's Write does.
type Writer interface {
	io.Writer
	Writev(bufs [][]byte) (n int, err error)
}

// NewReader returns a Reader over the descriptor of c: a connection of package
// net, an *os.File or anything that embeds one. c keeps the descriptor, its
// deadlines and Close.
//
// With readv it goes past a Read that c's type may have. Where there is none it
// calls that Read, and it is an error that wraps [ErrUnsupported] if c has none.
//
// Apart from io.EOF, [ErrInvalidCount] and [ErrTruncated], the error of a Readv is
// that of c's own Read:
//
//   - Of a file it is an [*fs.PathError] whose Op is "read".
//   - Of a connection of package net, errors.As makes a [*net.OpError] of it
//     whose Op is "read". It has the same text, implements net.Error and wraps a
//     syscall.Errno where readv failed. Its Net is that of the address: "tcp" for
//     what was dialed as "tcp4".
//   - It wraps os.ErrDeadlineExceeded on a deadline, and [os.ErrClosed] (and
//     net.ErrClosed for a connection) once c is closed, also during the call.
//
// As with os.File.Read, a descriptor in blocking mode, such as an inherited
// standard input, holds a thread while it waits, and Close doesn't end that.
//
// Of a socket of messages ([Message]) a Readv gives one message. If the slices
// have no room for all of it, the message is lost and the error wraps
// [ErrTruncated] and names both sizes. The count is 0 then, although the slices
// have been written to: io.ReadFull would drop an error that comes with a full
// slice. An empty message is what it is for c's own Read: 0 and nil of a datagram
// connection, io.EOF of a SEQPACKET one and of every *os.File. Descriptors that
// come with a message are closed. Where there is no readv, the Reader keeps memory
// of at least [MaxMessage] bytes and copies.
//
// On Plan 9, js and wasip1 a connection has no descriptor that can be asked: the
// error of a closed connection is its own and need not be os.ErrClosed.
func NewReader(c syscall.Conn) (Reader, error) { return newReader(c) }

// NewWriter returns a Writer over the descriptor of c, as [NewReader] does. With
// writev it goes past c's own Write; where there is none it calls that. The
// errors are those of c's own Write in the same way, with the Op "write".
//
// A socket of messages is an error that wraps [ErrUnsupported]: where a message
// ends would depend on how much one Writev is given.
//
// Its Write writes everything, or returns an error. With writev no other write to
// the descriptor comes between its bytes.
//
// A broken pipe on descriptor 1 or 2, standard output or standard error, ends the
// process with SIGPIPE if c is an *os.File and the program neither catches nor
// ignores that signal, as with os.File.Write. With writev, a type that embeds the
// file gets an error that wraps EPIPE instead.
func NewWriter(c syscall.Conn) (Writer, error) { return newWriter(c) }

// ReaderOf returns r if it is a Reader. If it is a connection, a file or a pipe
// whose type is declared in package net or os it returns a Reader over its
// descriptor, as [NewReader] does, where that makes fewer calls. These types include the wrappers
// that io.Copy hands to a ReadFrom, and no type of a user's. Otherwise it returns
// nil: read with r.Read.
func ReaderOf(r io.Reader) Reader {
	if v, ok := r.(Reader); ok {
		return v
	}
	if c := standard(r); c != nil {
		return readerOf(c)
	}
	return nil
}

// WriterOf returns the Writer that w is or that goes to its descriptor, or nil,
// as [ReaderOf] does.
func WriterOf(w io.Writer) Writer {
	if v, ok := w.(Writer); ok {
		return v
	}
	if c := standard(w); c != nil {
		return writerOf(c)
	}
	return nil
}

// Supported reports whether v is read and written by readv and writev, or what
// v itself has instead of them, if it is handed to [ReaderOf] and [WriterOf].
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

// ReadFull reads until bufs are full and returns how many bytes that was: the
// bytes of all of them, or fewer and the error. An end in the middle is
// io.ErrUnexpectedEOF, one before the first byte io.EOF. A nil Reader is an error
// that wraps [ErrUnsupported].
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

// WriteAll writes all of bufs and returns how many bytes that was: the bytes of
// all of them, or fewer and the error. A nil Writer is an error that wraps
// [ErrUnsupported].
//
// With writev, and where package vectored/netbuffers writes, no other write to the
// same descriptor comes between the bytes, as with net.Buffers: neither that of
// another Writer nor the value's own.
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

// maxIdle is how often in a row a Reader or a Writer may do nothing before
// io.ErrNoProgress is returned, as in package bufio.
const maxIdle = 100

// each calls f with what is left of bufs, whose slices it cuts, until that is
// nothing.
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
	bad := fmt.Errorf("vectored: %w: %d for %d bytes", ErrInvalidCount, n, offered)
	if err != nil {
		return errors.Join(bad, err)
	}
	return bad
}
