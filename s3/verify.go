package s3

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/minio/minio-go/v7"
)

// A verifier computes the checksum of an object whose pieces come in any order.
// The CRC of two adjacent pieces can be computed from the CRC of each. So the CRC
// of each piece is computed when it comes, and then joined with those of its
// neighbours.
type verifier struct {
	kind minio.ChecksumType // 0 if the object has none that can be joined
	want string

	mu   sync.Mutex
	runs map[int64]run   // pieces that came, by where they begin; none touch
	ends map[int64]int64 // where they begin, by where they end
}

// A run is a piece of adjacent bytes, and their sum.
type run struct {
	size int64
	sum  string
}

// newVerifier returns a verifier for the checksum that the object has.
func newVerifier(f found) *verifier {
	v := &verifier{runs: map[int64]run{}, ends: map[int64]int64{}}
	if f.ChecksumMode == composite {
		return v
	}
	for _, kind := range []minio.ChecksumType{minio.ChecksumCRC64NVME, minio.ChecksumCRC32C, minio.ChecksumCRC32} {
		// Other kinds, without a type, may be sums of the parts' checksums.
		if sum := f.Checksum(kind); sum != "" && (f.ChecksumMode == fullObject || kind == minio.ChecksumCRC64NVME) {
			v.kind, v.want = kind, sum
			return v
		}
	}
	return v
}

// add takes the bytes at off.
func (v *verifier) add(b []byte, off int64) error {
	if v.kind == 0 || len(b) == 0 {
		return nil
	}
	h := v.kind.Hasher()
	h.Write(b)
	return v.join(off, run{int64(len(b)), base64Of(h.Sum(nil))})
}

// join joins a run with its neighbours.
func (v *verifier) join(off int64, r run) (err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if begin, ok := v.ends[off]; ok {
		if r, err = v.both(v.runs[begin], r); err != nil {
			return err
		}
		delete(v.ends, off)
		off = begin
	}
	end := off + r.size
	if next, ok := v.runs[end]; ok {
		if r, err = v.both(r, next); err != nil {
			return err
		}
		delete(v.runs, end)
		end = off + r.size
	}
	v.runs[off], v.ends[end] = r, off
	return nil
}

// both returns the run of a followed by b.
func (v *verifier) both(a, b run) (run, error) {
	parts := []minio.ObjectPart{digest{size: a.size, sum: a.sum}.minioPart(1, v.kind), digest{size: b.size, sum: b.sum}.minioPart(2, v.kind)}
	sum, err := v.kind.FullObjectChecksum(parts)
	if err != nil {
		return run{}, err
	}
	return run{a.size + b.size, sum.Encoded()}, nil
}

// verdict compares the sum of the n bytes of the object. It returns the name of the
// sum, or "" if the object has none.
func (v *verifier) verdict(n int64) (string, error) {
	if v.kind == 0 {
		return "", nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.runs[0]
	if n == 0 {
		r.sum = base64Of(v.kind.Hasher().Sum(nil))
	}
	if r.size != n || r.sum != v.want {
		return "", fmt.Errorf("%w: the object's %v is %s, that of the %d bytes that came is %s", ErrChecksum, v.kind, v.want, r.size, r.sum)
	}
	return v.kind.String() + " " + r.sum, nil
}

// A verifiedObject is an object whose bytes are added to a verifier.
type verifiedObject struct {
	*Object
	v *verifier
}

func (f *verifiedObject) ReadAt(b []byte, off int64) (int, error) {
	return f.ReadAtContext(context.Background(), b, off)
}

func (f *verifiedObject) ReadAtContext(ctx context.Context, b []byte, off int64) (int, error) {
	n, err := f.file.ReadAtContext(ctx, b, off)
	if failed := f.v.add(b[:n], off); failed != nil {
		return 0, failed
	}
	return n, err
}

// A verifiedStream is a stream whose bytes are added to a verifier.
type verifiedStream struct {
	r  io.Reader
	v  *verifier
	at int64
}

func (s *verifiedStream) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if failed := s.v.add(b[:n], s.at); failed != nil {
		return 0, failed
	}
	s.at += int64(n)
	return n, err
}
