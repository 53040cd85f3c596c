package s3

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7"
)

// A sums is the set of sums that a part has.
type sums struct {
	kind minio.ChecksumType // 0 for none
	md5  bool
}

func (s sums) String() string {
	switch {
	case s.kind != 0:
		return s.kind.String()
	case s.md5:
		return "MD5"
	}
	return ""
}

// The types of a checksum: that of all bytes, and that of the parts' checksums.
const (
	fullObject = "FULL_OBJECT"
	composite  = "COMPOSITE"
)

// kinds are the checksums that can be selected.
var kinds = map[string]minio.ChecksumType{
	"crc64nvme": minio.ChecksumCRC64NVME,
	"crc32c":    minio.ChecksumFullObjectCRC32C,
	"crc32":     minio.ChecksumFullObjectCRC32,
	"sha256":    minio.ChecksumSHA256,
	"sha1":      minio.ChecksumSHA1,
}

func (o Options) sums() (sums, error) {
	kind := o.Checksum
	if kind == "" {
		kind = "crc64nvme"
	}
	if kind == "md5" {
		return sums{md5: true}, nil
	}
	k, ok := kinds[kind]
	if !ok {
		return sums{}, fmt.Errorf("%w: checksum %q is not md5 or one of %s", ErrOption, kind, strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
	}
	return sums{kind: k, md5: o.ContentMD5}, nil
}

// whole reports whether the kind has a sum of the whole object that does not depend
// on its parts.
func whole(k minio.ChecksumType) bool {
	return k.Is(minio.ChecksumCRC64NVME) || k.FullObjectRequested()
}

// mode returns the checksum type of an object that is uploaded with kind.
func mode(k minio.ChecksumType) string {
	if whole(k) {
		return fullObject
	}
	return composite
}

// md5Of returns the MD5 in an ETag, or nil if the ETag is not an MD5.
func md5Of(etag string) []byte {
	b, err := hex.DecodeString(etag)
	if err != nil || len(b) != 16 {
		return nil
	}
	return b
}

// base64Of returns b in base64, as in a header, or "" for nil.
func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// A digest is the sums of a part, and what the server has returned for it.
type digest struct {
	size int64
	sum  string // of the kind, in base64
	md5  []byte
	etag string

	there bool // the server has the part
}

// digest computes the sums of what open opens.
func (s sums) digest(open func() io.ReadCloser) (d digest, err error) {
	var of, m hash.Hash
	var to []io.Writer
	if s.kind != 0 {
		of = s.kind.Hasher()
		to = append(to, of)
	}
	if s.md5 {
		m = md5.New()
		to = append(to, m)
	}
	r := open()
	defer r.Close()
	if d.size, err = io.Copy(io.MultiWriter(to...), r); err != nil {
		return d, err
	}
	if of != nil {
		d.sum = base64Of(of.Sum(nil))
	}
	if m != nil {
		d.md5 = m.Sum(nil)
	}
	return d, nil
}

// check compares the sum and the ETag that the server has returned for the part.
// It reports whether they confirm the part. An ETag that differs from the MD5 may
// be that of an encrypted part.
func (d digest) check(sum string) (confirmed bool, err error) {
	switch {
	case sum == "" || d.sum == "":
		return d.md5 != nil && bytes.Equal(d.md5, md5Of(d.etag)), nil
	case sum != d.sum:
		return false, fmt.Errorf("%w: the server has %s, sent was %s", ErrChecksum, sum, d.sum)
	}
	return true, nil
}

// minioPart returns the part in the library's form.
func (d digest) minioPart(number int, kind minio.ChecksumType) minio.ObjectPart {
	p := minio.ObjectPart{PartNumber: number, ETag: d.etag, Size: d.size}
	switch kind.Base() {
	case minio.ChecksumCRC64NVME:
		p.ChecksumCRC64NVME = d.sum
	case minio.ChecksumCRC32C:
		p.ChecksumCRC32C = d.sum
	case minio.ChecksumCRC32:
		p.ChecksumCRC32 = d.sum
	case minio.ChecksumSHA256:
		p.ChecksumSHA256 = d.sum
	case minio.ChecksumSHA1:
		p.ChecksumSHA1 = d.sum
	}
	return p
}

// An identity distinguishes an object from others.
type identity struct {
	size int64
	kind minio.ChecksumType // of the sum
	sum  string             // of the whole, or empty
	mode string             // the sum's type
	etag string             // or empty
	ours bool               // the ETag is computed from the bytes that were sent
}

// identify returns the identity of the object that the parts make.
func (s sums) identify(parts []digest) identity {
	id := identity{kind: s.kind, mode: mode(s.kind), ours: true}
	all := make([]minio.ObjectPart, len(parts))
	etags := md5.New()
	isMD5 := true
	for i, p := range parts {
		id.size += p.size
		all[i] = p.minioPart(i+1, s.kind)
		sum := p.md5
		if sum == nil {
			sum, id.ours = md5Of(p.etag), false
		}
		isMD5 = isMD5 && sum != nil
		etags.Write(sum)
	}
	if isMD5 {
		id.etag = fmt.Sprintf("%x-%d", etags.Sum(nil), len(parts))
	}
	if s.kind == 0 {
		return id
	}
	combine := s.kind.CompositeChecksum
	if whole(s.kind) {
		combine = s.kind.FullObjectChecksum
	}
	if sum, err := combine(all); err == nil { // each part has its sum
		id.sum = sum.Encoded()
	}
	return id
}

// A verdict is whether an object is the one that was sent.
type verdict int

const (
	unclear verdict = iota
	same
	other
)

// compare returns whether an object is the one that was sent, and the name of
// the sum that shows it, or "".
func (id identity) compare(f found) (verdict, string) {
	if !f.exists || f.Size != id.size {
		return other, ""
	}
	sum, _, _ := strings.Cut(f.Checksum(id.kind), "-")
	if id.sum != "" && sum != "" && (f.ChecksumMode == "" || f.ChecksumMode == id.mode) {
		if sum != id.sum {
			return other, ""
		}
		return same, id.kind.String() + " " + sum
	}
	if id.etag != "" && f.ETag == id.etag {
		if id.ours {
			return same, "MD5 " + f.ETag
		}
		return same, ""
	}
	return unclear, ""
}
