//go:build unix

package main

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
)

// A sink is a server of objects that takes a time for each request. It keeps of
// what it takes the length and the checksum; what it gives is made up.
type sink struct {
	delay time.Duration
	rate  int64 // of the body of a request or a response, in bytes a second, or 0

	mu      sync.Mutex
	uploads int
	parts   map[string]map[int]minio.ObjectPart
	objects map[string]minio.ObjectPart
}

// modified is when every object was.
var modified = time.Unix(1e9, 0).UTC()

// serve runs a sink in this process, which says its address on standard output.
func serve(delay time.Duration, rate int64) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin) // until the parent is gone
		os.Exit(0)
	}()
	return http.Serve(l, &sink{delay: delay, rate: rate, parts: map[string]map[int]minio.ObjectPart{}, objects: map[string]minio.ObjectPart{}})
}

// A slow body is read or written at a rate, in bytes a second. 0 is no limit.
type slow struct {
	io.Reader
	http.ResponseWriter
	rate, moved int64
	began       time.Time
}

func (s *slow) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	s.wait(n)
	return n, err
}

func (s *slow) Write(b []byte) (int, error) {
	n, err := s.ResponseWriter.Write(b)
	s.wait(n)
	return n, err
}

// wait waits until n bytes more are due.
func (s *slow) wait(n int) {
	if s.rate == 0 {
		return
	}
	if s.moved == 0 {
		s.began = time.Now()
	}
	s.moved += int64(n)
	time.Sleep(time.Until(s.began.Add(time.Duration(float64(s.moved) / float64(s.rate) * float64(time.Second)))))
}

// take reads a body, and returns what a part of it is.
func take(r *http.Request, number int) (minio.ObjectPart, error) {
	body := io.Reader(r.Body)
	if strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		body = &chunks{r: bufio.NewReaderSize(r.Body, 256<<10)}
	}
	h := minio.ChecksumCRC64NVME.Hasher()
	n, err := io.CopyBuffer(struct{ io.Writer }{h}, body, make([]byte, 256<<10))
	sum := minio.NewChecksum(minio.ChecksumCRC64NVME, h.Sum(nil)).Encoded()
	return minio.ObjectPart{PartNumber: number, Size: n, ETag: "etag-" + sum, ChecksumCRC64NVME: sum}, err
}

// A chunks reads the bytes of a body that is signed in chunks.
type chunks struct {
	r    *bufio.Reader
	left int64
}

func (c *chunks) Read(b []byte) (int, error) {
	if c.left == 0 {
		line, err := c.r.ReadString('\n')
		if line == "\r\n" { // behind a chunk
			line, err = c.r.ReadString('\n')
		}
		if err != nil {
			return 0, err
		}
		digits, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		if c.left, err = strconv.ParseInt(digits, 16, 64); err != nil {
			return 0, err
		}
		if c.left == 0 {
			io.Copy(io.Discard, c.r)
			return 0, io.EOF
		}
	}
	n, err := c.r.Read(b[:min(int64(len(b)), c.left)])
	c.left -= int64(n)
	return n, err
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	key := strings.TrimPrefix(r.URL.Path, "/bucket/")
	id := q.Get("uploadId")
	number, _ := strconv.Atoi(q.Get("partNumber"))
	var part minio.ObjectPart
	if r.Method == http.MethodPut && key != r.URL.Path {
		var err error
		r.Body = io.NopCloser(&slow{Reader: r.Body, rate: s.rate})
		if part, err = take(r, number); err != nil {
			return
		}
	}
	time.Sleep(s.delay)
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := func(v any) { xml.NewEncoder(w).Encode(v) }
	switch {
	case r.Method == http.MethodPost && q.Has("uploads"):
		s.uploads++
		id = strconv.Itoa(s.uploads)
		s.parts[id] = map[int]minio.ObjectPart{}
		answer(struct {
			XMLName  xml.Name `xml:"InitiateMultipartUploadResult"`
			Bucket   string
			Key      string
			UploadId string
		}{Bucket: "bucket", Key: key, UploadId: id})
	case r.Method == http.MethodPut && id != "":
		s.parts[id][number] = part
		s.told(w, r, part)
	case r.Method == http.MethodPost:
		var all []minio.ObjectPart
		whole := minio.ObjectPart{ETag: "etag-" + id}
		for i := range len(s.parts[id]) {
			all = append(all, s.parts[id][i+1])
			whole.Size += s.parts[id][i+1].Size
		}
		sum, err := minio.ChecksumCRC64NVME.FullObjectChecksum(all)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		whole.ChecksumCRC64NVME = sum.Encoded()
		s.objects[key] = whole
		answer(struct {
			XMLName           xml.Name `xml:"CompleteMultipartUploadResult"`
			Bucket            string
			Key               string
			ETag              string
			ChecksumCRC64NVME string
			ChecksumType      string
		}{Bucket: "bucket", Key: key, ETag: `"` + whole.ETag + `"`, ChecksumCRC64NVME: whole.ChecksumCRC64NVME, ChecksumType: "FULL_OBJECT"})
	case r.Method == http.MethodPut && key != r.URL.Path:
		s.objects[key] = part
		s.told(w, r, part)
	case r.Method == http.MethodHead || r.Method == http.MethodGet && key != r.URL.Path && key != "":
		o, ok := s.objects[key]
		if n, err := strconv.ParseInt(strings.TrimPrefix(key, "made-"), 10, 64); err == nil {
			o, ok = minio.ObjectPart{Size: n, ETag: "made"}, true
			s.objects[key] = o
		}
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("ETag", `"`+o.ETag+`"`)
		w.Header().Set("X-Amz-Checksum-Crc64nvme", o.ChecksumCRC64NVME)
		s.mu.Unlock()
		http.ServeContent(&slow{ResponseWriter: w, rate: s.rate}, r, "", modified, &made{size: o.Size})
		s.mu.Lock()
	default:
		type content struct {
			Key, ETag    string
			Size         int64
			LastModified time.Time
		}
		var all []content
		for k, o := range s.objects {
			all = append(all, content{k, o.ETag, o.Size, modified})
		}
		answer(struct {
			XMLName  xml.Name `xml:"ListBucketResult"`
			Name     string
			Contents []content
		}{Name: bucket, Contents: all})
	}
}

// told answers the sums of a part.
func (s *sink) told(w http.ResponseWriter, r *http.Request, p minio.ObjectPart) {
	w.Header().Set("ETag", `"`+p.ETag+`"`)
	if r.Header.Get("X-Amz-Checksum-Crc64nvme") != "" {
		w.Header().Set("X-Amz-Checksum-Crc64nvme", p.ChecksumCRC64NVME)
	}
}

// pattern is what all streams are made of, again and again.
var pattern = func() []byte {
	b := make([]byte, 1<<20)
	x := uint64(88172645463325252)
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x >> 32)
	}
	return b
}()

// A made is so many bytes of the pattern.
type made struct{ size, at int64 }

func (m *made) Seek(offset int64, whence int) (int64, error) {
	m.at = offset + []int64{0, m.at, m.size}[whence]
	return m.at, nil
}

func (m *made) Read(b []byte) (int, error) {
	if m.at >= m.size {
		return 0, io.EOF
	}
	from := m.at % int64(len(pattern))
	n := copy(b[:min(int64(len(b)), m.size-m.at)], pattern[from:])
	m.at += int64(n)
	return n, nil
}

// sum returns the checksum of n bytes of the pattern.
func sum(n int64) string {
	h := minio.ChecksumCRC64NVME.Hasher()
	io.CopyBuffer(struct{ io.Writer }{h}, &made{size: n}, make([]byte, 1<<20))
	return minio.NewChecksum(minio.ChecksumCRC64NVME, h.Sum(nil)).Encoded()
}

var _ io.ReadSeeker = (*made)(nil)
